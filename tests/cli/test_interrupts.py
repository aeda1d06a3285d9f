"""SIGINT, SIGTERM and SIGHUP: what is in flight is answered and counted, the rest is unsent, at once."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cashin_async.simulator.background import BackgroundSimulator
from tests.cli.conftest import CommandLine, Done, Running, invoice, server

all_signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])

_SIGNALLED = """
import os, sys

class Signalled:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Signalled())
from cashin_async.cli import main; main()
"""
"""The command line, which gets a signal at the moment at which it loads a module."""


def answered(simulator: BackgroundSimulator, at_least: int) -> Callable[[], bool]:
    return lambda: len([seen for seen in simulator.log if seen.until is not None]) >= at_least


def replied(simulator: BackgroundSimulator, reply: str) -> Callable[[], bool]:
    return lambda: any(seen.reply == reply for seen in simulator.log)


def begun(running: Running) -> Callable[[], bool]:
    """It handles signals, and has begun to read and send."""
    return lambda: "Ledger: " in running.err


def interrupt(running: Running, number: signal.Signals = signal.SIGINT, within: float = 2.0) -> Done:
    running.send(number)
    sent = time.monotonic()
    done = running.ends()
    assert time.monotonic() - sent < within
    assert done.code == 130
    assert "Interrupted: waiting for what is in flight" in done.err
    return done


@contextmanager
def never_ending(*some: bytes) -> Iterator[int]:
    """A pipe that holds some lines and never ends."""
    read, write = os.pipe()
    os.write(write, b"".join(line + b"\n" for line in some))
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


@all_signals
def test_in_the_middle_of_an_upload(cashin: CommandLine, number: signal.Signals) -> None:
    with server("latency=0.15") as simulator:
        running = cashin.start("upload", cashin.invoices(30_000), "--json", url=simulator.url)
        running.until(answered(simulator, 4))
        running.send(number)
        running.until(lambda: "Interrupted" in running.err)
        time.sleep(0.05)  # what was written may still be on its way
        requests = simulator.requests
        done = running.ends(within=2)
        assert done.code == 130
        assert done.counts["accepted"] == simulator.store.accepted == len(simulator.store)
        assert simulator.store.twice == ()
        assert simulator.requests == requests, "nothing new is sent"
    assert set(done.counts) == {"accepted", "unsent"}
    assert done.json["requests"] == simulator.requests
    assert done.json["max_in_flight"] > 1
    assert f"interrupted by {number.name}" in done.err


def test_without_json_and_quiet(cashin: CommandLine) -> None:
    with server("latency=0.15") as simulator:
        running = cashin.start("upload", cashin.invoices(30_000), "--quiet", url=simulator.url)
        running.until(answered(simulator, 2))
        assert interrupt(running).out == ""
        assert simulator.store.twice == ()


def test_what_is_not_answered_in_time_is_unknown(cashin: CommandLine) -> None:
    with server("hang-after@2+") as simulator:
        path = cashin.invoices(300)
        running = cashin.start("upload", path, "--json", url=simulator.url, CASHIN_DRAIN_TIMEOUT="0.3")
        running.until(replied(simulator, "hang"))
        done = interrupt(running)
        assert simulator.store.twice == ()
    assert done.counts["accepted"] == 10
    assert done.counts["unknown"] == len(simulator.store) - 10
    assert "drain_timeout" in done.err


@all_signals
def test_while_standard_input_delivers_nothing(cashin: CommandLine, number: signal.Signals) -> None:
    with server() as simulator, never_ending() as stdin:
        running = cashin.start("upload", "-", "--json", url=simulator.url, stdin=stdin)
        running.until(begun(running))
        done = interrupt(running, number)
    assert done.json["read"] == 0


def test_while_standard_input_delivers_no_more(cashin: CommandLine) -> None:
    with server() as simulator, never_ending(*map(invoice, range(1, 16))) as stdin:
        running = cashin.start("upload", "-", "--json", url=simulator.url, stdin=stdin)
        running.until(lambda: len(simulator.store) == 10)
        done = interrupt(running)
        assert done.counts == {"accepted": 10, "unsent": 5}
        assert len(simulator.store) == 10


def test_while_a_pipe_delivers_nothing(cashin: CommandLine) -> None:
    """As with `cashin-async upload <(some command that hangs)`."""
    pipe = cashin.folder / "pipe"
    os.mkfifo(pipe)
    keeps_open = os.open(pipe, os.O_RDWR)
    try:
        with server() as simulator:
            running = cashin.start("upload", pipe, "--json", url=simulator.url)
            running.until(begun(running))
            running.send(signal.SIGINT)
            assert running.ends(within=2).code == 130
    finally:
        os.close(keeps_open)


def test_while_nobody_opens_a_pipe(cashin: CommandLine) -> None:
    pipe = cashin.folder / "pipe"
    os.mkfifo(pipe)
    with server() as simulator:
        running = cashin.start("upload", pipe, "--json", url=simulator.url)
        running.until(begun(running))
        assert interrupt(running).json["read"] == 0


def test_during_a_hold(cashin: CommandLine) -> None:
    with server("429=60@2+") as simulator:
        running = cashin.start("upload", cashin.invoices(500), "--json", url=simulator.url)
        running.until(replied(simulator, "429"))
        done = interrupt(running)
        assert simulator.requests <= 3
    assert done.counts["accepted"] == 10
    assert set(done.counts) == {"accepted", "unsent"}


def test_during_a_backoff(cashin: CommandLine) -> None:
    slow = {"CASHIN_BACKOFF": "300", "CASHIN_BACKOFF_LIMIT": "300"}
    nowhere = "http://127.0.0.1:9"
    running = cashin.start("upload", cashin.invoices(50), "--json", url=nowhere, **slow)
    running.until(begun(running))
    running.until(lambda: sum(cashin.status(url=nowhere)["states"].values()) == 50)
    assert interrupt(running).counts == {"unsent": 50}


def test_a_second_one_leaves_at_once(cashin: CommandLine) -> None:
    with server("hang-after@2+") as simulator:
        running = cashin.start("upload", cashin.invoices(500), "--json", url=simulator.url)
        running.until(replied(simulator, "hang"))
        running.send(signal.SIGINT)
        running.until(lambda: "Interrupted" in running.err)
        running.send(signal.SIGTERM)
        done = running.ends(within=1)
    assert done.code == 130
    assert done.out == ""


def test_a_hang_up_that_is_ignored_stays_so(cashin: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `nohup` has it."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from cashin_async.cli import main; main()"
    monkeypatch.setattr("tests.cli.conftest._MAIN", ignoring)
    with server("latency=0.1") as simulator:
        running = cashin.start("upload", cashin.invoices(1500), "--json", url=simulator.url)
        running.until(answered(simulator, 2))
        running.send(signal.SIGHUP)
        done = running.ends()
    assert (done.code, done.counts) == (0, {"accepted": 1500})


@all_signals
@pytest.mark.parametrize("command", ["upload", "check", "settle", "demo"])
def test_while_a_command_is_loaded(
    command: str, number: signal.Signals, cashin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"cashin_async.cli.{command}"
    monkeypatch.setattr("tests.cli.conftest._MAIN", _SIGNALLED.format(module=module, number=int(number)))
    done = cashin.run(command, *([] if command == "demo" else [cashin.invoices(1)]), url="http://127.0.0.1:9")
    assert (done.code, done.out) == (130, "")


@all_signals
def test_before_it_began_there_are_counts_too(
    number: signal.Signals, cashin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = _SIGNALLED.format(module="cashin_async.transport.pool", number=int(number))
    monkeypatch.setattr("tests.cli.conftest._MAIN", code)
    done = cashin.run("upload", cashin.invoices(1), "--json", "--log-json", url="http://127.0.0.1:9")
    assert (done.code, done.json["read"], done.json["run"]) == (130, 0, None)
    (event,) = map(json.loads, done.err.splitlines())
    assert (event["event"], event["exit_code"]) == ("command.failed", 130)


def test_before_the_key_is_there(cashin: CommandLine) -> None:
    """The key is asked for before the first invoice is read: 130 from the very beginning."""
    pipe = cashin.folder / "key"
    os.mkfifo(pipe)
    with server() as simulator:
        running = cashin.start(
            "upload",
            cashin.invoices(5),
            url=simulator.url,
            CASHIN_API_KEY=None,
            CASHIN_API_KEY_FILE=str(pipe),
        )
        running.until(lambda: running.seconds > 0.7)
        running.send(signal.SIGINT)
        assert running.ends(within=2).code == 130
        assert simulator.requests == 0
