"""A hundred thousand invoices from one process to another: each of them once, in little memory."""

import json
import signal
import urllib.request

from cashin_async.models.wire import encode
from cashin_async.rules import reference_for
from cashin_async.simulator.samples import sample_invoices
from tests.cli.conftest import CommandLine
from tests.cli.test_simulator_command import url_of

COUNT = 100_000
FIRST = 500_000_000


def test_a_hundred_thousand(cashin: CommandLine) -> None:
    path = cashin.folder / "many.jsonl"
    (sample,) = sample_invoices(1, start=FIRST)
    template = encode(sample).replace(b"%", b"%%").replace(reference_for(FIRST).encode(), b"%b") + b"\n"
    template = template.replace(b"%d" % FIRST, b"%d")
    assert (template.count(b"%d"), template.count(b"%b")) == (1, 1), "the number, and the reference made of it"
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(template % (number, reference_for(number).encode()) for number in range(FIRST, FIRST + COUNT))
    running = cashin.start("simulator", "--port", "0", "--fault", "latency=0.01")
    url = url_of(running)

    done = cashin.run("upload", path, "--json", url=url)

    with urllib.request.urlopen(f"{url}/simulator/store", timeout=5) as answer:
        books = json.load(answer)
    assert (done.code, done.counts) == (0, {"accepted": COUNT})
    assert (books["accepted"], books["numbers"], books["twice"]) == (COUNT, COUNT, [])
    assert books["requests"] == done.json["requests"] == 1 + (COUNT - 10 + 99) // 100
    assert 1 < books["max_in_flight"] <= done.json["max_in_flight"] <= 8
    assert 10 < done.peak < 120, "megabytes"
    running.send(signal.SIGTERM)
    assert f"{COUNT:,} invoices accepted, 0 of them more than once" in running.ends(within=5).out
