"""`cashin-async demo`: ends, and what it claims is what the server has."""

import re
import signal

from tests.cli.conftest import COUNTS, CommandLine


def test_it_shows_every_outcome_and_that_nobody_was_billed_twice(cashin: CommandLine) -> None:
    done = cashin.run("demo", "--count", "300", "--quiet", CASHIN_API_KEY=None)
    assert (done.code, done.err) == (0, "")
    counts = {name: int(re.search(rf"^ *([\d,]+)  {name} ", done.out, re.MULTILINE)[1]) for name in COUNTS}  # type: ignore[index]
    assert sum(counts.values()) == 300 + 5 + 1
    assert (counts["invalid"], counts["duplicate"]) == (5, 1)
    assert counts["rejected"] == 2
    assert counts["accepted"] > 100
    books = re.search(r"own books: (\d+) invoices, (\d+) of them billed twice", done.out)
    assert books is not None
    assert int(books[2]) == 0
    assert counts["accepted"] <= int(books[1]) <= counts["accepted"] + counts["unknown"]
    assert max(map(len, done.out.splitlines())) < 200
    assert "\x1b" not in done.out


def test_configuration_of_the_user_does_not_disturb_it(cashin: CommandLine) -> None:
    """Nothing leaves the machine, whatever address is set."""
    done = cashin.run(
        "demo",
        "--count",
        "20",
        "--quiet",
        url="https://api.example.com",
        CASHIN_CHUNK_SIZE="many",
        HTTPS_PROXY="http://x",
    )
    assert done.code == 0


def test_it_can_be_interrupted(cashin: CommandLine) -> None:
    running = cashin.start("demo", "--count", "1000000", "--quiet")
    running.until(lambda: "Uploading" in running.out)
    running.until(lambda: running.seconds > 1.5)
    running.send(signal.SIGINT)
    done = running.ends(within=8)
    assert done.code == 130
    assert "0 of them billed twice" in done.out
