"""A command as a process: its signals, its streams and its exit code."""

import asyncio
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cashin_async.cli import INTERRUPTED, ending_signals
from cashin_async.cli.logs import complain
from cashin_async.errors import ConfigurationError, LedgerError
from cashin_async.events import UPLOAD_ABANDONED

if TYPE_CHECKING:
    from cashin_async.bulk.engine import Run
    from cashin_async.report.progress import ProgressView

T = TypeVar("T")

log = logging.getLogger(__name__)

WRONG_USAGE = 2
UNFINISHED = 3
"""Something is unknown, unsent, unread or unwritten."""


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


def run_to_its_end(command: Coroutine[Any, Any, T], not_begun: Callable[[], None] = lambda: None) -> T:
    """What a command gives. `not_begun`: what it prints when it is interrupted before there is anything to tell of."""
    with in_its_words():
        try:
            return asyncio.run(_cancellable(command))
        except KeyboardInterrupt:
            before_it_began(not_begun)


def before_it_began(tell: Callable[[], None] = lambda: None) -> NoReturn:
    """Ends a process that was interrupted before there was anything to interrupt in order."""
    complain("Interrupted before it began.", INTERRUPTED)
    tell()
    leave(INTERRUPTED)


async def _cancellable(command: Coroutine[Any, Any, T]) -> T:
    """A command that the first signal cancels, until it handles them itself. Raises `KeyboardInterrupt` then."""
    task, interrupted = asyncio.current_task(), False

    def cancel(_: signal.Signals) -> None:
        nonlocal interrupted
        interrupted = True
        if task is not None:
            task.cancel()

    _on_signals(_Twice(cancel))
    try:
        return await command
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise


@contextmanager
def interruptible(run: "Run", view: "ProgressView") -> Iterator[None]:
    """The first signal interrupts in order, a second one ends the process as it stands."""

    def interrupt(number: signal.Signals) -> None:
        run.interrupt(f"interrupted by {number.name}")  # first: saying so may fail
        with suppress(OSError):
            view.say("Interrupted: waiting for what is in flight. Once more to leave at once.")

    def abandon() -> None:
        view.__exit__(None, None, None)  # gives the terminal its cursor back
        UPLOAD_ABANDONED.tell(log, run=run.report.run, error=KeyboardInterrupt.__name__)

    _on_signals(_Twice(interrupt, abandon))
    try:
        yield
    finally:
        _on_signals(lambda _: None)  # it is over: what is left is to close and to say so


class _Twice:
    """What a signal does: the first one `interrupt`, the second one `abandon`, and then the process ends."""

    def __init__(self, interrupt: Callable[[signal.Signals], None], abandon: Callable[[], None] = lambda: None) -> None:
        self._interrupt = interrupt
        self._abandon = abandon
        self._caught = False

    def __call__(self, number: signal.Signals) -> None:
        if self._caught:
            self._abandon()
            os._exit(INTERRUPTED)
        self._caught = True
        self._interrupt(number)


def _on_signals(handle: Callable[[signal.Signals], None]) -> None:
    """From now on. An event loop without signals, as on Windows, is cancelled by KeyboardInterrupt instead."""
    with suppress(NotImplementedError):
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, handle, number)


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
