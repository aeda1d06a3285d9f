"""`cashin-async status`: what is on record, for people and for programs, whoever writes meanwhile."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, CommandLine, server

FIRST = 251_600_001


def test_after_an_upload(cashin: CommandLine) -> None:
    with server("drop-after@2", f"fail-object={FIRST}") as simulator:
        done = cashin.upload(simulator, cashin.invoices(110, first=FIRST))
        status = cashin.status(url=simulator.url)
        shown = cashin.run("status", url=simulator.url, CASHIN_API_KEY=None)
    assert done.counts == {"accepted": 9, "rejected": 1, "unknown": 100}
    assert status["ledger"] == done.json["ledger"]
    assert (status["environment"], status["creditor"], status["writer"]) == (simulator.url, None, None)
    assert status["states"] == {"accepted": 9, "rejected": 1, "unknown": 100}
    first_ten = [*range(FIRST + 10, FIRST + 20)]
    assert status["unsettled"] == {
        "unknown": {"count": 100, "first": first_ten},
        "released": {"count": 0, "first": []},
    }
    (run,) = status["runs"]
    assert run["run"] == done.json["run"]
    assert {name: run["facts"][name] for name in done.json} == done.json
    assert run["states"] == status["states"]

    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[0] == f"{done.json['ledger']}, of the unlabelled creditor at {simulator.url}"
    assert "100  unknown   may be accepted or not: settle them" in shown.out
    assert f"unknown: {', '.join(map(str, first_ten))} and 90 more" in shown.out
    assert "9 accepted, 1 rejected, 100 unknown" in shown.out
    assert done.json["run"] in shown.out
    assert all(
        len(line) <= 80 for line in shown.out.splitlines() if not line.startswith((status["ledger"], "unknown:"))
    )
    assert "\x1b" not in shown.out


def test_while_an_upload_runs(cashin: CommandLine) -> None:
    with server("latency=30@3+") as simulator:
        running = cashin.start("upload", cashin.invoices(500, first=FIRST), "--quiet", url=simulator.url)
        running.until(lambda: simulator.requests >= 4)
        running.until(lambda: cashin.status(url=simulator.url)["states"].get("accepted") == 110)
        status = cashin.status(url=simulator.url)
        shown = cashin.run("status", url=simulator.url)
        assert status["writer"]["pid"] == running.process.pid
        assert set(status["states"]) <= {"accepted", "leased", "posting"}
        assert status["states"]["posting"] == sum(seen_in_flight(simulator))
        assert f"in use by process {running.process.pid} since 20" in shown.out
        assert "in flight, no answer yet" in shown.out
        assert "under way" in shown.out

        running.send(signal.SIGKILL)
        running.process.wait()
        status = cashin.status(url=simulator.url)
        shown = cashin.run("status", url=simulator.url)
        assert status["writer"] is None
        assert "left behind in flight: they will be unknown" in shown.out
        assert "cut off" in shown.out


def seen_in_flight(simulator: Any) -> list[int]:
    """How many invoices are in the requests that have no answer yet."""
    return [100 for seen in simulator.log if seen.until is None]


def test_the_accounts_that_there_are(cashin: CommandLine) -> None:
    with server() as simulator:
        labelled = cashin.upload(simulator, cashin.invoices(3), "--creditor", "ACME")
        for status in (
            cashin.status("--base-url", simulator.url, "--creditor", "ACME"),
            cashin.status(labelled.json["ledger"]),
            cashin.status(CASHIN_LEDGER=labelled.json["ledger"], url=simulator.url),
        ):
            assert (status["creditor"], status["states"]) == ("ACME", {"accepted": 3})
        assert cashin.run("status", url=simulator.url).code == 2, "there is none of the unlabelled account"
        shown = cashin.run("status", labelled.json["ledger"])
        assert f"of ACME at {simulator.url}" in shown.out


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_ledger(cashin: CommandLine, content: bytes) -> None:
    path = cashin.folder / "ledger.db"
    path.write_bytes(content)
    done = cashin.run("status", path)
    assert (done.code, done.out) == (2, "")
    assert str(path) in done.err
    assert len(done.err.splitlines()) <= 3
    assert path.read_bytes() == content


def test_nothing_is_written(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = Path(cashin.upload(simulator, cashin.invoices(3)).json["ledger"])
        before = ledger.read_bytes()
        assert cashin.run("status", url=simulator.url).code == 0
    assert ledger.read_bytes() == before
    assert KEY.encode() not in before
