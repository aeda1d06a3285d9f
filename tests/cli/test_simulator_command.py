"""`cashin-async simulator`: says where it is, answers, and says at its end what came."""

import json
import re
import signal
import urllib.request

import pytest

from cashin_async.simulator.faults import describe
from tests.cli.conftest import CommandLine, Running

BODY = b'[{"InvoiceNumber":1},{"InvoiceNumber":2}]'


def url_of(running: Running) -> str:
    running.until(lambda: "upload" in running.out)
    found = re.search(r"http://127\.0\.0\.1:\d+", running.out)
    assert found is not None
    return found[0]


def post(url: str) -> int:
    request = urllib.request.Request(f"{url}/v2/gensalesinvoices", BODY, {"X-Api-Key": "any"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return int(answer.status)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_stop(cashin: CommandLine, number: signal.Signals) -> None:
    running = cashin.start("simulator", "--port", "0")
    url = url_of(running)
    assert f"export CASHIN_BASE_URL={url} CASHIN_API_KEY=" in running.out
    assert post(url) == 202
    assert post(url) == 202
    with urllib.request.urlopen(f"{url}/simulator/store", timeout=5) as answer:
        assert json.load(answer)["twice"] == [1, 2]
    running.send(number)
    done = running.ends(within=3)
    assert (done.code, done.err) == (0, "")
    assert "2 requests, 2 invoices accepted, 2 of them more than once" in done.out


def test_it_stops_with_requests_hanging(cashin: CommandLine) -> None:
    running = cashin.start("simulator", "--port", "0", "--fault", "hang-after")
    uploading = cashin.start("upload", cashin.invoices(10), "--json", url=url_of(running))
    url = url_of(running)

    def requests() -> int:
        with urllib.request.urlopen(f"{url}/simulator/store", timeout=5) as answer:
            return int(json.load(answer)["requests"])

    uploading.until(requests)
    running.send(signal.SIGTERM)
    done = running.ends(within=3)
    assert done.code == 0
    assert "1 requests, 10 invoices accepted, 0 of them more than once" in done.out
    done = uploading.ends()
    assert (done.code, done.counts) == (3, {"unknown": 10})


def test_faults_by_option(cashin: CommandLine) -> None:
    running = cashin.start("simulator", "--port", "0", "--fault", "429=0@1", "--fault", "poison=3", "--seed", "5")
    done = cashin.run("upload", cashin.invoices(5), "--json", url=url_of(running))
    assert (done.code, done.counts) == (1, {"accepted": 4, "rejected": 1})
    assert done.json["retries"] >= 1


def test_list_of_faults(cashin: CommandLine) -> None:
    done = cashin.run("simulator", "--list-faults")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == len(describe())
    for line, (spec, text) in zip(lines, describe(), strict=True):
        assert line.startswith(spec)
        assert line.endswith(text)


def test_every_fault_of_the_list_can_be_given(cashin: CommandLine) -> None:
    argv = [part for spec, _ in describe() for part in ("--fault", spec)]
    running = cashin.start("simulator", "--port", "0", *argv)
    url_of(running)
    running.send(signal.SIGINT)
    assert running.ends(within=3).code == 0
