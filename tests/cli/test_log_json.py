"""`--log-json`: on stderr a JSON object a line and nothing else, whatever happens."""

import json
import re
import signal
from typing import Any

import pytest

from cashin_async.events import EVENTS
from tests.cli.conftest import LOOK_UP, CommandLine, Done, server
from tests.cli.test_terminal import Terminal

LEVELS = ("debug", "info", "warning", "error")
IMPATIENT = "from cashin_async.report import progress, problems; progress._LINE_EVERY = problems._LINE_EVERY = 0.2; "


def events(done: Done) -> list[dict[str, Any]]:
    """What was logged; each line is of the table."""
    found = [json.loads(line) for line in done.err.splitlines()]
    for event in found:
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
        assert event["level"] in LEVELS
        assert event.keys() - {"time", "level", "event"} == EVENTS[event["event"]].fields.keys()
    assert [event["time"] for event in found] == sorted(event["time"] for event in found)
    return found


def names(done: Done) -> list[str]:
    return [event["event"] for event in events(done)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress five times a second."""
    monkeypatch.setattr("tests.cli.conftest._MAIN", f"{IMPATIENT}from cashin_async.cli import main; main()")


@pytest.mark.usefixtures("impatient")
def test_an_upload(cashin: CommandLine) -> None:
    with server("latency=0.1", "429=0.3@5", "drop-after@9") as simulator:
        done = cashin.run("upload", cashin.invoices(5000), "--log-json", "--json", url=simulator.url)
    assert done.code == 3
    assert done.json["read"] == 5000
    found = events(done)
    assert [event["event"] for event in found[:2]] == ["ledger.opened", "upload.began"]
    assert {"hold.began", "hold.ended", "exchange.unproven", "upload.progressed"} <= {one["event"] for one in found}
    progressed = [event for event in found if event["event"] == "upload.progressed"]
    assert all(sum(event[state] for state in done.counts) <= event["done"] <= event["read"] for event in progressed)
    assert [event["done"] for event in progressed] == sorted(event["done"] for event in progressed)
    assert found[-1]["event"] == "upload.ended"
    assert {name: found[-1][name] for name in done.counts} == done.counts
    assert found[-1]["run"] == found[1]["run"] == done.json["run"]


def test_the_summary_stays_on_stdout(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.invoices(10), "--log-json", url=simulator.url)
    assert "All 10 invoices are accepted." in done.out
    assert "upload.ended" in names(done)


def test_quiet_leaves_the_progress_out_and_nothing_else(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.invoices(10), "--log-json", "--quiet", url=simulator.url)
    assert done.out == ""
    assert names(done) == ["ledger.opened", "upload.began", "upload.ended"]


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", False), ("warning", False), ("error", False)])
def test_a_level(cashin: CommandLine, level: str, shown: bool) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.invoices(500), "--log-json", "--log-level", level, url=simulator.url)
    assert ("window.changed" in names(done)) == shown
    assert {event["level"] for event in events(done)} <= set(LEVELS[LEVELS.index(level) :])


def test_a_level_of_nothing_is_wrong_usage(cashin: CommandLine) -> None:
    done = cashin.run("upload", cashin.invoices(1), "--log-level", "debug")
    assert done.code == 2
    assert "--log-json" in done.err


@pytest.mark.parametrize(
    "argv",
    [
        ("upload", "--bogus"),
        ("upload", "{file}", "--rate", "fast"),
        ("upload",),
        ("upload", "{file}", "--log-level", "loud"),
        ("upload", "{file}", "--failed", "/nowhere/failed.jsonl"),
        ("upload", "{file}", "--base-url", "http://example.com"),
        ("settle", "/nowhere/ledger.db", "--lookup-path", "/x/{InvoiceNumber}"),
        ("status",),
    ],
)
def test_wrong_usage_is_an_event_too(cashin: CommandLine, argv: tuple[str, ...]) -> None:
    path = str(cashin.invoices(1))
    with server() as simulator:
        done = cashin.run(*(part.format(file=path) if "file" in part else part for part in argv), "--log-json",
                          url=simulator.url)  # fmt: skip
    *_, last = events(done)
    assert (done.code, done.out) == (2, "")
    assert (last["event"], last["level"], last["exit_code"]) == ("command.failed", "error", 2)
    assert last["reason"]


def test_a_file_of_that_name_is_no_option(cashin: CommandLine) -> None:
    done = cashin.run("check", "--", "--log-json")
    assert done.code == 2
    assert not done.err.startswith("{")


def test_an_error_of_this_package_is_an_event_without_a_word_of_it(
    cashin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (
        "import cashin_async.cli.check as c; c._settings = lambda *a: 1 / 0; from cashin_async.cli import main; main()"
    )
    monkeypatch.setattr("tests.cli.conftest._MAIN", broken)
    done = cashin.run("check", cashin.invoices(1), "--log-json")
    (event,) = events(done)
    assert (done.code, event["event"], event["error"]) == (1, "command.broke", "ZeroDivisionError")
    assert event["where"] == "<string>:1"


def test_what_others_log_and_warn_is_told_without_its_words(
    cashin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Running.ends` looks for the marker."""
    loud = (
        "import logging, warnings, cashin_async.report.problems as p; p.log_check_end = lambda *a: ("
        "logging.getLogger('asyncio').error('Zxqmarker'), logging.getLogger('asyncio').info('Zxqmarker'), "
        "warnings.warn('Zxqmarker', ResourceWarning, stacklevel=1)); warnings.simplefilter('always'); "
        "from cashin_async.cli import main; main()"
    )
    monkeypatch.setattr("tests.cli.conftest._MAIN", loud)
    done = cashin.run("check", cashin.invoices(1), "--log-json")
    assert [(event["event"], event["logger"], event["error"], event["level"]) for event in events(done)] == [
        ("program.logged", "asyncio", None, "error"),
        ("program.logged", "py.warnings", "ResourceWarning", "warning"),
    ]


@pytest.mark.usefixtures("impatient")
def test_a_check(cashin: CommandLine) -> None:
    line = b'{"InvoiceNumber":1,"InvoiceRows":[{"VatPercent":7}],"Reference":"12345"}'
    done = cashin.run("check", cashin.file(*[line] * 60_000), "--log-json", "--json")
    assert set(names(done)) == {"check.progressed", "check.ended"}
    last = events(done)[-1]
    counts = json.loads(done.out.splitlines()[-1])
    assert (last["event"], last["read"], last["with_errors"]) == ("check.ended", 60_000, counts["with_errors"])


def test_a_settlement(cashin: CommandLine) -> None:
    ledger = cashin.folder / "ledger.db"
    with server("drop-after@3") as simulator:
        cashin.upload(simulator, cashin.invoices(300), "--ledger", ledger)
        argv = ("settle", ledger, *LOOK_UP, "--settle-after", "0.2", "--log-json", "--log-level", "debug", "--json")
        done = cashin.run(*argv, url=simulator.url)
    assert done.code == 0
    last = events(done)[-1]
    assert (last["event"], last["accepted"], last["unknown"]) == ("settlement.ended", 100, 0)
    assert {"lookup.trusted", "doubt.settled", "upload.began", "upload.ended"} <= set(names(done))


def test_a_demo(cashin: CommandLine) -> None:
    done = cashin.run("demo", "--count", "300", "--log-json")
    assert done.code == 0
    assert names(done).count("upload.ended") == 2


def test_a_report_that_cannot_be_written(cashin: CommandLine) -> None:
    """What stands beside it is taken away while the upload runs."""
    failed = cashin.folder / "failed.jsonl"
    with server("latency=0.3") as simulator:
        path = cashin.file(b"broken", *(b'{"InvoiceNumber":%d}' % number for number in range(1, 2000)))
        running = cashin.start("upload", path, "--failed", failed, "--log-json", "--json", url=simulator.url)
        running.until(lambda: simulator.requests >= 2)
        failed.with_name("failed.jsonl.part").unlink()
        done = running.ends()
    assert done.code == 3
    (event,) = [event for event in events(done) if event["event"] == "file.failed"]
    assert event["option"] == "--failed"


def test_an_interrupt(cashin: CommandLine) -> None:
    with server("latency=0.3") as simulator:
        running = cashin.start("upload", cashin.invoices(20_000), "--log-json", "--json", url=simulator.url)
        running.until(lambda: simulator.requests >= 3)
        running.send(signal.SIGINT)
        done = running.ends()
    assert done.code == 130
    found = events(done)
    assert [event["reason"] for event in found if event["event"] == "sending.stopped"] == ["interrupted by SIGINT"]
    assert found[-1]["interrupted"]


def test_a_second_interrupt(cashin: CommandLine) -> None:
    with server("hang-after@2+") as simulator:
        running = cashin.start("upload", cashin.invoices(500), "--log-json", "--json", url=simulator.url)
        running.until(lambda: any(seen.reply == "hang" for seen in simulator.log))
        running.send(signal.SIGINT)
        running.until(lambda: "sending.stopped" in running.err)
        running.send(signal.SIGINT)
        done = running.ends(within=1)
    last = events(done)[-1]
    assert (done.code, done.out) == (130, "")
    assert (last["event"], last["error"]) == ("upload.abandoned", "KeyboardInterrupt")


def test_on_a_terminal_there_is_no_view(cashin: CommandLine) -> None:
    with server("latency=0.1") as simulator:
        path = cashin.invoices(3000)
        with Terminal("upload", path, "--log-json", "--json", url=simulator.url) as terminal:
            assert terminal.ends() == 0
    assert "\x1b" not in terminal.raw
    assert all(line.startswith("{") for line in terminal.raw.splitlines())
