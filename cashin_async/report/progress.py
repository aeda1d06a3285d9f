"""An upload while it runs: one calm live view on a terminal, a line every few seconds elsewhere. On stderr."""

import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cashin_async.bulk.outcome import Progress, State

STYLES = {
    State.ACCEPTED: "green",
    State.REJECTED: "red",
    State.INVALID: "red",
    State.DUPLICATE: "dim",
    State.UNKNOWN: "bold yellow",
    State.UNSENT: "yellow",
}
_LINE_EVERY = 5.0  # seconds between two plain lines: a log of an hour has 720 of them


class SafeConsole(Console):
    """A console that falls silent when nobody reads it any more; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class ProgressView(Protocol):
    """Shows an upload's progress; used as a context manager around it."""

    def __enter__(self) -> "ProgressView": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, progress: Progress) -> None:
        """The upload stands so."""

    def say(self, text: str) -> None:
        """A line that stays."""


def progress_view(quiet: bool) -> ProgressView:
    """The view that suits where stderr goes."""
    if quiet:
        return NoView()
    console = SafeConsole(stderr=True, highlight=False, markup=False)
    return LiveView(console) if console.is_terminal else PlainLines(console)


class NoView:
    """Shows nothing but what is said."""

    def __enter__(self) -> "NoView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, progress: Progress) -> None:
        return None

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class LiveView(NoView):
    """Redraws a few lines in place, and leaves nothing behind."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False)

    def __enter__(self) -> "LiveView":
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, progress: Progress) -> None:
        self._live.update(drawn(progress), refresh=True)

    def say(self, text: str) -> None:
        self._live.console.print(text, soft_wrap=True)


class PlainLines(NoView):
    """A line now and then, without colour or cursor movement."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, progress: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            self.say(line(progress))

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def line(progress: Progress) -> str:
    """Progress in one line."""
    parts = [
        f"{progress.read:,} read",
        *(f"{count:,} {state}" for state, count in progress.counts.items() if count),
        f"{progress.in_flight} in flight",
        f"{_pace(progress):,.0f} invoices/s",
        *_remarks(progress),
    ]
    return ", ".join(parts)


def drawn(progress: Progress) -> RenderableType:
    """Progress as the live view draws it, in at most 80 columns."""
    outcomes = Table.grid(padding=(0, 2))
    outcomes.add_row(*(Text(str(state), style=STYLES[state]) for state in State))
    outcomes.add_row(*(Text(f"{progress.counts[state]:,}", style=STYLES[state]) for state in State))
    first = Text(f"{progress.read:,} read, {progress.done:,} done, {_pace(progress):,.0f} invoices/s")
    second = Text(
        f"{progress.in_flight} requests in flight (window {progress.window}),"
        f" {progress.requests:,} sent, {progress.retries:,} again",
        style="dim",
    )
    remarks = Text(", ".join(_remarks(progress)), style="yellow")
    bar = Table.grid()  # a bar alone would not end its line
    if progress.share_read is not None:
        bar.add_row(ProgressBar(1.0, min(1.0, _share_done(progress)), width=60))
    return Group(bar, first, outcomes, second, *([remarks] if remarks else []))


def _remarks(progress: Progress) -> list[str]:
    remarks = []
    if progress.seconds_left is not None and progress.done < progress.read / (progress.share_read or 1):
        remarks.append(f"about {duration(progress.seconds_left)} left")
    if progress.held_for > 0:
        remarks.append(f"the server asks to wait: {progress.held_for:.0f} s")
    if progress.in_doubt:
        again = "" if progress.next_ask is None else f", asked again in {progress.next_ask:.0f} s"
        remarks.append(f"{progress.in_doubt:,} in doubt{again}")
    if progress.stopped:
        remarks.append(f"stopping: {progress.stopped}")
    return remarks


def _pace(progress: Progress) -> float:
    return progress.done / progress.seconds if progress.seconds else 0.0


def _share_done(progress: Progress) -> float:
    return (progress.share_read or 0.0) * progress.done / progress.read if progress.read else 0.0


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
