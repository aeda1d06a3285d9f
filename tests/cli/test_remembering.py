"""`upload` with its ledger: the same command again sends only what is proven not accepted."""

import signal
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, LOOK_UP, MARKER, CommandLine, Done, invoice, server

FIRST = 251_600_001
OTHER = ',"Status":"H"'


def refused(done: Done, *words: str) -> None:
    """Exit code 2 in a few lines, nothing on stdout."""
    assert (done.code, done.out) == (2, "")
    for word in words:
        assert word in done.err
    assert len(done.err.splitlines()) <= 6


def test_the_same_again_sends_nothing(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(250)
        first = cashin.upload(simulator, path)
        again = cashin.run("upload", path, "--json", url=simulator.url)
        assert (simulator.requests, simulator.store.twice) == (first.json["requests"], ())
    assert (again.code, again.counts, again.json["requests"]) == (0, {"duplicate": 250}, 0)
    assert again.json["ledger"] == first.json["ledger"]
    assert "All 250 invoices are accounted for: 0 accepted, 250 duplicates." in again.err


def test_three_nights(cashin: CommandLine) -> None:
    """A conflict on the second, mended on the third."""
    with server("poison=3") as simulator:
        monday = cashin.upload(simulator, cashin.file(invoice(1), invoice(2), invoice(3), b"broken"))
        assert (monday.code, monday.counts) == (1, {"accepted": 2, "rejected": 1, "invalid": 1})
        simulator.clear_faults()
        tuesday = cashin.run(
            "upload", cashin.file(invoice(1), invoice(2, OTHER), invoice(3), invoice(4)), "--json", url=simulator.url
        )
        assert (tuesday.code, tuesday.counts) == (1, {"accepted": 1, "rejected": 2, "duplicate": 1})
        assert "its number is taken: accepted before with other content" in tuesday.err
        assert "retry_rejected" in tuesday.err
        wednesday = cashin.upload(simulator, cashin.file(*map(invoice, (1, 2)), invoice(3, OTHER), invoice(4)))
        assert (wednesday.code, wednesday.counts) == (0, {"accepted": 1, "duplicate": 3})
        assert (sorted(simulator.store.numbers), simulator.store.twice) == ([1, 2, 3, 4], ())


def test_rejected_unchanged_and_wanted(cashin: CommandLine) -> None:
    with server("poison=1") as simulator:
        path = cashin.invoices(1)
        assert cashin.upload(simulator, path).code == 1
        simulator.clear_faults()
        assert cashin.upload(simulator, path, "--retry-rejected").counts == {"accepted": 1}


def test_unknown_is_not_sent_again_until_it_is_settled(cashin: CommandLine) -> None:
    with server("drop-after@2", "drop-before@3") as simulator:
        path = cashin.invoices(210, first=FIRST)  # chunks of 10, 100 and 100
        first = cashin.run("upload", path, "--json", url=simulator.url)
        assert (first.code, first.counts) == (3, {"accepted": 10, "unknown": 200})
        assert f"until it is settled: cashin-async settle {first.json['ledger']}" in first.err
        again = cashin.upload(simulator, path)
        assert (again.code, again.counts) == (3, {"duplicate": 10, "unknown": 200})
        assert again.json["requests"] == 0
        settling = cashin.upload(simulator, path, *LOOK_UP, "--settle-after", "0.1")
        assert (settling.code, settling.counts) == (0, {"accepted": 200, "duplicate": 10})
        assert settling.json["requests"] >= 1, "those that the server does not have"
        assert (len(simulator.store), simulator.store.twice) == (210, ())


def test_what_is_released_and_in_no_input_is_not_forgotten(cashin: CommandLine) -> None:
    with server("drop-before@2") as simulator:
        first = cashin.upload(simulator, cashin.invoices(50))
        assert first.counts == {"accepted": 10, "unknown": 40}
        other = cashin.run(
            "upload", cashin.invoices(5, first=900), "--json", *LOOK_UP, "--settle-after", "0", url=simulator.url
        )
        assert (other.code, other.counts) == (3, {"accepted": 5})
        assert "All 5 invoices are accepted, but 40 released before are still to be sent." in other.err
        assert "40 unknown before; a look-up did not find them" in other.err
        assert "    11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 30 more" in other.err
        again = cashin.run("upload", cashin.invoices(50), "--json", url=simulator.url)
        assert (again.code, again.counts) == (0, {"accepted": 40, "duplicate": 10})
        assert (len(simulator.store), simulator.store.twice) == (55, ())


def test_without_a_ledger(cashin: CommandLine, state: Path) -> None:
    with server() as simulator:
        path = cashin.invoices(5)
        done = cashin.run("upload", path, "--ledger", "none", "--json", url=simulator.url)
        assert (done.code, done.counts, done.json["ledger"]) == (0, {"accepted": 5}, None)
        assert "Without a ledger nothing is remembered: uploading the same again bills again." in done.err
        assert "Ledger:" not in done.err
        done = cashin.upload(simulator, path, CASHIN_LEDGER="none")
        assert (done.counts, done.json["ledger"]) == ({"accepted": 5}, None)
        assert len(simulator.store.twice) == 5
    assert not state.exists()


def test_a_ledger_elsewhere(cashin: CommandLine, state: Path) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.invoices(5), "--ledger", "my ledger.db", "--json", url=simulator.url)
        assert done.json["ledger"] == str(cashin.folder / "process1" / "my ledger.db"), "from the process' folder"
        assert f"Ledger: {done.json['ledger']}" in done.err
        again = cashin.upload(simulator, cashin.invoices(5), CASHIN_LEDGER=done.json["ledger"])
        assert again.counts == {"duplicate": 5}
    assert not state.exists()


def test_each_creditor_has_a_ledger_of_its_own(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(5)
        mine = cashin.upload(simulator, path, "--creditor", "ACME Oy")
        theirs = cashin.upload(simulator, path, CASHIN_CREDITOR="Other Oy")
        assert mine.json["ledger"] != theirs.json["ledger"]
        assert (mine.counts, theirs.counts) == ({"accepted": 5}, {"accepted": 5})


def test_the_ledger_of_another_account(cashin: CommandLine) -> None:
    ledger = cashin.folder / "ledger.db"
    with server() as simulator, server() as other:
        assert cashin.upload(other, cashin.invoices(5), "--ledger", ledger).code == 0
        refused(cashin.upload(simulator, cashin.invoices(5), "--ledger", ledger), str(ledger), other.url, simulator.url)
        labelled = ("--creditor", "ACME", "--ledger", ledger)
        assert cashin.upload(other, cashin.invoices(5), *labelled).code == 0, "it may be given a label"
        refused(cashin.upload(other, cashin.invoices(5), "--ledger", ledger), "--creditor ACME")
        assert simulator.requests == 0


def test_a_key_that_is_new_to_the_ledger(cashin: CommandLine) -> None:
    with server() as simulator:
        assert cashin.upload(simulator, cashin.invoices(5)).code == 0
        requests = simulator.requests
        refused(cashin.upload(simulator, cashin.invoices(9), CASHIN_API_KEY=f"{KEY}-new"), "key", "--creditor")
        assert simulator.requests == requests


def test_a_ledger_that_another_process_writes(cashin: CommandLine) -> None:
    with server("latency=30@2+") as simulator:
        running = cashin.start("upload", cashin.invoices(50), "--quiet", url=simulator.url)
        running.until(lambda: simulator.requests >= 2)
        done = cashin.upload(simulator, cashin.invoices(50))
        refused(done, f"is in use by process {running.process.pid} since ")
        requests = simulator.requests
        running.send(signal.SIGKILL)
        assert running.process.wait() == -signal.SIGKILL
        assert simulator.requests == requests


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_ledger_that_is_none(cashin: CommandLine, content: bytes) -> None:
    ledger = cashin.folder / "ledger.db"
    ledger.write_bytes(content)
    with server() as simulator:
        done = cashin.upload(simulator, cashin.invoices(5), "--ledger", ledger)
        if content:
            refused(done, str(ledger))
            assert (simulator.requests, ledger.read_bytes()) == (0, content)
        else:
            assert done.code == 0, "outside production it is begun"


def test_no_folder_for_the_usual_place(cashin: CommandLine) -> None:
    file = cashin.folder / "file"
    file.write_bytes(b"")
    with server() as simulator:
        refused(cashin.upload(simulator, cashin.invoices(5), XDG_STATE_HOME=str(file)), str(file), "--ledger")
        assert simulator.requests == 0


DEAD_END = {"HTTPS_PROXY": "http://127.0.0.1:9", "CASHIN_RETRIES": "0"}
"""Were it not refused, it would still reach nobody."""


def test_production_without_a_ledger(cashin: CommandLine, state: Path) -> None:
    """A fresh one knows nothing of yesterday. There is no invoice either: nothing can be sent."""
    empty = cashin.file()
    production = ("upload", empty, "--environment", "production")
    done = cashin.run(*production, **DEAD_END)
    refused(done, str(state / "production"), "does not exist", "--new-ledger")
    new = cashin.run(*production, "--new-ledger", "--json", **DEAD_END)
    assert (new.code, new.json["read"]) == (0, 0)
    assert Path(new.json["ledger"]).is_relative_to(state / "production")
    assert cashin.run(*production, "--quiet", **DEAD_END).code == 0, "from now on it is there"


def test_the_ledger_is_for_its_owner_and_holds_nothing_personal(cashin: CommandLine) -> None:
    with server("quote@2", "poison=1") as simulator:
        ledger = Path(cashin.upload(simulator, cashin.invoices(30)).json["ledger"])
    files = [ledger.parent, *ledger.parent.iterdir()]
    assert {path.stat().st_mode & 0o77 for path in files} == {0}
    for path in files[1:]:
        assert KEY.encode() not in path.read_bytes()
        assert MARKER.encode() not in path.read_bytes()
