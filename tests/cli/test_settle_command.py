"""`cashin-async settle`: what is unknown becomes accepted or released, by look-up or by a person's word."""

import json
import re
import signal
from pathlib import Path
from typing import Any

from tests.cli.conftest import KEY, LOOK_UP, CommandLine, Done, invoice, server

FIRST = 251_600_001
APPLIED = range(FIRST + 10, FIRST + 110)
LOST = range(FIRST + 110, FIRST + 210)


def interrupted_night(cashin: CommandLine, simulator: Any) -> Path:
    """A ledger of 10 accepted numbers, and 200 unknown ones of which the server has the first half."""
    simulator.fault("drop-after@2")
    simulator.fault("drop-before@3")
    done = cashin.upload(simulator, cashin.invoices(210, first=FIRST), "--concurrency", "1")
    assert done.counts == {"accepted": 10, "unknown": 200}
    assert len(simulator.store) == 110
    return Path(done.json["ledger"])


def settled(done: Done) -> dict[str, int]:
    """Those of the counts that are not 0."""
    names = ("accepted", "released", "adopted", "unchanged", "unknown")
    told = json.loads(done.out.splitlines()[-1])
    assert list(told) == [*names, "unknown_numbers", "refused", "run", "ledger"]
    assert len(told["unknown_numbers"]) == told["unknown"]
    return {name: told[name] for name in names if told[name]}


def by_hand(cashin: CommandLine, *argv: str | Path) -> Done:
    """With neither key nor address."""
    return cashin.run("settle", *argv, "--json", CASHIN_API_KEY=None)


# -- by look-up


def test_by_look_up(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        requests = simulator.requests
        done = cashin.run("settle", *LOOK_UP, "--settle-after", "0.1", "--json", url=simulator.url)
        assert (done.code, settled(done)) == (0, {"accepted": 100, "released": 100})
        assert simulator.requests == requests, "nothing is sent"
        assert json.loads(done.out)["ledger"] == str(ledger)
        numbers = ", ".join(map(str, LOST[:10]))
        assert f"100 unknown before, now released: sent when an upload has their invoices: {numbers}" in done.err
        assert cashin.status(ledger)["states"] == {"accepted": 110, "released": 100}

        again = cashin.run("settle", ledger, "--settle-after", "0", url=simulator.url, CASHIN_LOOKUP_PATH=LOOK_UP[1])
        assert (again.code, again.err) == (0, "")
        assert again.out.startswith("Nothing is unknown.\n")
        assert cashin.upload(simulator, cashin.invoices(210, first=FIRST)).counts == {"duplicate": 110, "accepted": 100}
        assert (len(simulator.store), simulator.store.twice) == (210, ())


def test_absence_counts_only_after_a_while(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        running = cashin.start("settle", ledger, *LOOK_UP, "--json", url=simulator.url)
        running.until(lambda: cashin.status(ledger)["states"].get("accepted") == 110)
        running.send(signal.SIGINT)
        done = running.ends(within=3)
    assert (done.code, settled(done)) == (130, {"accepted": 100, "unknown": 100})
    assert json.loads(done.out)["unknown_numbers"] == [*LOST]


def test_a_look_up_that_says_the_same_of_everything(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        done = cashin.run(
            "settle", "--lookup-path", "/no/{InvoiceNumber}", "--settle-after", "0", "--json", url=simulator.url
        )
        assert (done.code, settled(done)) == (3, {"unknown": 200})
        assert "accepted" in json.loads(done.out)["refused"], "it does not find what is known to be accepted"
        assert "The look-up settles nothing: " in done.err
        assert cashin.status(ledger)["states"] == {"accepted": 10, "unknown": 200}


def test_a_look_up_needs_a_key_and_an_address(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        for without, word in (({"CASHIN_API_KEY": None, "url": simulator.url}, "CASHIN_API_KEY"), ({}, "base_url")):
            done = cashin.run("settle", ledger, *LOOK_UP, **without)
            assert (done.code, done.out) == (2, "")
            assert word in done.err
        done = cashin.run("settle", ledger, *LOOK_UP, "--base-url", "http://127.0.0.1:9")
        assert done.code == 2, "it is another account's"
        done = cashin.run("settle", ledger, "--base-url", simulator.url)
        assert done.code == 2
        for way in ("--lookup-path", "--accepted", "--release"):
            assert way in done.err


# -- by hand


def test_by_hand(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        path = cashin.file(*(b"%d" % number for number in LOST[:50]), *map(invoice, LOST[50:60]), name="lost.txt")
        some = by_hand(cashin, ledger, "--accepted", f"{APPLIED[0]}-{APPLIED[-1]}", "--release", path)
        assert (some.code, settled(some)) == (3, {"accepted": 100, "released": 60, "unknown": 40})
        assert json.loads(some.out)["unknown_numbers"] == [*LOST[60:]]
        assert "100 unknown before, now accepted: never sent again: " in some.err
        assert "60 unknown before, now released: " in some.err
        assert f"40 still unknown: not sent before they are settled: {LOST[60]}, " in some.err

        rest = ",".join(map(str, LOST[60:]))
        done = by_hand(cashin, ledger, "--release", rest, "--release", f"{LOST[0]}")
        assert (done.code, settled(done)) == (0, {"released": 40, "unchanged": 1})
        assert f"1 released already: {LOST[0]}" in done.err
        status = cashin.status(ledger)
        assert status["states"] == {"accepted": 110, "released": 100}
        assert [run["run"] for run in status["runs"][:2]] == [json.loads(one.out)["run"] for one in (done, some)]
        assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}-settle", status["runs"][0]["run"])

        assert cashin.upload(simulator, cashin.invoices(210, first=FIRST)).counts == {"duplicate": 110, "accepted": 100}
        assert (len(simulator.store), simulator.store.twice) == (210, ())


def test_old_data_is_adopted(cashin: CommandLine) -> None:
    """What other software has sent before is a duplicate from the first day on."""
    old = cashin.file(*(b"%d" % number for number in range(FIRST, FIRST + 12_000)), name="old.txt")
    with server() as simulator:
        argv = ("settle", "--accepted", old, "--base-url", simulator.url)
        done = cashin.run(*argv, "--json", CASHIN_API_KEY=None)
        assert (done.code, done.out) == (2, ""), "a new ledger has to be wanted"
        done = cashin.run(*argv, "--new-ledger", "--json", CASHIN_API_KEY=None)
        assert (done.code, settled(done)) == (0, {"adopted": 12_000})
        assert "12,000 adopted as accepted: never sent: " in done.err
        uploaded = cashin.run("upload", cashin.invoices(100, first=FIRST + 11_950), "--json", url=simulator.url)
        assert (uploaded.code, uploaded.counts) == (0, {"accepted": 50, "duplicate": 50})
        assert uploaded.json["ledger"] == json.loads(done.out)["ledger"]
        assert len(simulator.store) == 50


def test_a_word_on_numbers_that_are_not_unknown(cashin: CommandLine) -> None:
    """An accepted number is final; what was rejected may be adopted, and is not released."""
    with server(f"poison={FIRST + 1}") as simulator:
        ledger = Path(cashin.upload(simulator, cashin.invoices(3, first=FIRST)).json["ledger"])
        done = by_hand(cashin, ledger, "--release", f"{FIRST}-{FIRST + 3}")
        assert (done.code, settled(done)) == (0, {"unchanged": 4})
        assert f"2 accepted, which is final: not released: {FIRST}, {FIRST + 2}" in done.err
        assert f"1 rejected, not unknown: nothing to release: {FIRST + 1}" in done.err
        assert f"1 not on record: nothing keeps them from being sent: {FIRST + 3}" in done.err
        done = by_hand(cashin, ledger, "--accepted", f"{FIRST}-{FIRST + 1}")
        assert (done.code, settled(done)) == (0, {"adopted": 1, "unchanged": 1})
        assert cashin.status(ledger)["states"] == {"accepted": 3}


def test_what_a_killed_upload_left_in_flight(cashin: CommandLine) -> None:
    with server("hang-after@2+") as simulator:
        path = cashin.invoices(500, first=FIRST)
        running = cashin.start("upload", path, "--concurrency", "2", "--quiet", url=simulator.url)
        running.until(lambda: len(simulator.store) == 210)
        running.send(signal.SIGKILL)
        running.process.wait()
        simulator.clear_faults()
        ledger = cashin.status(url=simulator.url)["ledger"]
        done = by_hand(cashin, ledger, "--accepted", f"{FIRST}-{FIRST + 209}")
        assert (done.code, settled(done)) == (0, {"accepted": 200, "unchanged": 10})
        assert cashin.upload(simulator, path).counts == {"accepted": 290, "duplicate": 210}
        assert (len(simulator.store), simulator.store.twice) == (500, ())


def test_a_ledger_that_is_being_written(cashin: CommandLine) -> None:
    with server("latency=30@2+") as simulator:
        running = cashin.start("upload", cashin.invoices(50), "--quiet", url=simulator.url)
        running.until(lambda: simulator.requests >= 2)
        ledger = cashin.status(url=simulator.url)["ledger"]
        done = by_hand(cashin, ledger, "--accepted", "1")
        assert (done.code, done.out) == (2, "")
        assert f"is in use by process {running.process.pid}" in done.err


def test_nothing_is_done_when_a_number_cannot_be_read(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        before = ledger.read_bytes()
        wrong = cashin.file(b"%d" % APPLIED[1], b"what?", name="wrong.txt")
        done = by_hand(cashin, ledger, "--accepted", str(APPLIED[0]), "--release", wrong)
        assert (done.code, done.out) == (2, "")
        assert f"{wrong}:2" in done.err
        both = by_hand(cashin, ledger, "--accepted", f"{APPLIED[0]}-{APPLIED[5]}", "--release", str(APPLIED[5]))
        assert (both.code, both.out) == (2, "")
        assert f"{APPLIED[5]} is both in --accepted and in --release" in both.err
        assert ledger.read_bytes() == before


def test_quiet_and_from_standard_input(cashin: CommandLine) -> None:
    with server() as simulator:
        ledger = interrupted_night(cashin, simulator)
        path = cashin.file(*(b"%d" % number for number in [*APPLIED, *LOST]), name="all.txt")
        with path.open("rb") as stdin:
            done = cashin.run("settle", ledger, "--accepted", "-", "--quiet", stdin=stdin)
        assert (done.code, done.out, done.err) == (0, "", "")
        assert KEY.encode() not in ledger.read_bytes()
        assert cashin.status(ledger)["states"] == {"accepted": 210}
