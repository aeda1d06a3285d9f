"""A command as a process: its signals, its streams and its exit code."""

import asyncio
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cashin_async.cli.logs import complain
from cashin_async.errors import ConfigurationError, LedgerError

if TYPE_CHECKING:
    from cashin_async.bulk.engine import Run
    from cashin_async.report.progress import ProgressView

T = TypeVar("T")

WRONG_USAGE = 2
UNFINISHED = 3
"""Something is unknown, unsent, unread or unwritten."""
INTERRUPTED = 130


class Refused(click.ClickException):
    """Wrong usage or configuration that is none of the command's syntax."""

    exit_code = WRONG_USAGE


@contextmanager
def in_its_words() -> Iterator[None]:
    """What is wrong with the settings or the ledger, as the command line says it: exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show must not cost the report
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except LedgerError as error:
        raise Refused(str(error)) from None


def run_to_its_end(command: Coroutine[Any, Any, T]) -> T:
    """What a command gives."""
    with in_its_words():
        try:
            return asyncio.run(command)
        except KeyboardInterrupt:
            complain("Interrupted before it began.", INTERRUPTED)
            leave(INTERRUPTED)


@contextmanager
def interruptible(run: "Run", view: "ProgressView") -> Iterator[None]:
    """The first SIGINT or SIGTERM interrupts in order, a second one ends the process as it stands."""
    loop = asyncio.get_running_loop()
    caught = 0

    def on_signal(number: signal.Signals) -> None:
        nonlocal caught
        caught += 1
        if caught > 1:
            view.__exit__(None, None, None)  # gives the terminal its cursor back
            os._exit(INTERRUPTED)
        run.interrupt(f"interrupted by {number.name}")  # first: saying so may fail
        with suppress(OSError):
            view.say("Interrupted: waiting for what is in flight. Once more to leave at once.")

    with suppress(NotImplementedError):  # an event loop without signals, as on Windows: KeyboardInterrupt cancels
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, lambda: None)  # it is over: what is left is to close and to say so


def write(what: Callable[[], None]) -> None:
    """Write a result. When nobody reads it, or the disk is full, the exit code still tells how it went."""
    with suppress(OSError):
        what()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: closed by the shell
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # what is left in the buffer must not fail once more at the exit
                os.dup2(nowhere.fileno(), stream.fileno())


def leave(code: int) -> NoReturn:
    """Ends the process, also when a thread still waits for an input that never comes."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(0.2)
    if any(thread.is_alive() for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
