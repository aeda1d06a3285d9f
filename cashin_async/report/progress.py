"""An upload while it runs: one calm live view on a terminal, a line every few seconds elsewhere. On stderr."""

import logging
import os
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.text import Text

from cashin_async.bulk.outcome import Outcome, Progress, State
from cashin_async.events import UPLOAD_PROGRESSED
from cashin_async.report.frame import Frame, SafeConsole, can_redraw, cut_middle, ellipsis_of, printable
from cashin_async.report.speed import Meter
from cashin_async.sources.source import Place

log = logging.getLogger(__name__)

STYLES = {
    State.ACCEPTED: "green",
    State.REJECTED: "red",
    State.INVALID: "red",
    State.DUPLICATE: "dim",
    State.UNKNOWN: "bold yellow",
    State.UNSENT: "yellow",
}
_LINE_EVERY = 5.0  # seconds between two plain lines: a log of an hour has 720 of them
_COLUMN = 12  # "1,000,000/s" and a space; six of them fit into 80
_COLUMNS = (6, 3, 2)  # in a row, as many as there is room for; else one
_PERCENT = 5  # " 100%"
_LEFT = 28  # "  about 59 min 30 s left"
_NAME = 28  # columns of a file's name in the last failure: what is wrong with the invoice is to be read too


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


def progress_view(quiet: bool, logged: bool = False) -> ProgressView:
    """The view that suits where stderr goes; `logged`: nothing but log lines may go there."""
    if logged:
        return Unseen() if quiet else LoggedProgress()
    if quiet:
        return NoView()
    console = SafeConsole(stderr=True, highlight=False, markup=False)
    return LiveView(console) if can_redraw(console) else PlainLines(console)


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
    """Redraws a few lines in place, as often as it is shown something, and leaves nothing behind.

    It has as many lines at every moment, so that nothing on the screen jumps.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._frame = Frame(console)
        self._meter = Meter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frame.close()

    def show(self, progress: Progress) -> None:
        self._meter.note(progress)
        self._frame.draw(drawn(progress, self._meter, self._console))

    def say(self, text: str) -> None:
        self._frame.say(text)


class PlainLines(NoView):
    """A line now and then, without colour or cursor movement."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._meter = Meter()
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, progress: Progress) -> None:
        self._meter.note(progress)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            self.say(line(progress, self._meter))

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


class Unseen(NoView):
    """Shows nothing: what others say is in the log as events."""

    def say(self, text: str) -> None:
        return None


class LoggedProgress(Unseen):
    """An event now and then, for schedulers."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, progress: Progress) -> None:
        self._meter.note(progress)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            log_progress(progress, self._meter)


def log_progress(progress: Progress, meter: Meter) -> None:
    """Progress as an event. The reason of a failure is left out: it may hold words of the server."""
    count, failure = progress.counts, progress.last_failure
    UPLOAD_PROGRESSED.tell(
        log,
        read=progress.read,
        done=progress.done,
        accepted=count[State.ACCEPTED],
        rejected=count[State.REJECTED],
        invalid=count[State.INVALID],
        duplicate=count[State.DUPLICATE],
        unknown=count[State.UNKNOWN],
        unsent=count[State.UNSENT],
        requests=progress.requests,
        retries=progress.retries,
        in_flight=progress.in_flight,
        window=progress.window,
        invoices_per_second=round(meter.now, 1),
        invoices_per_second_overall=round(meter.overall, 1),
        seconds=round(progress.seconds, 3),
        seconds_left=None if meter.left is None else round(meter.left),
        held_for=round(progress.held_for, 1),
        in_doubt=progress.in_doubt,
        last_failure=None if failure is None else str(failure.state),
        last_failure_number=None if failure is None else failure.number,
        stopped=progress.stopped,
    )


def line(progress: Progress, meter: Meter) -> str:
    """Progress in one line."""
    parts = [
        f"{progress.read:,} read",
        *(f"{count:,} {state}" for state, count in progress.counts.items() if count),
        f"{progress.in_flight} in flight",
        f"{meter.now:,.0f} invoices/s now",
        f"{meter.overall:,.0f} overall",
        *([f"about {duration(rounded(meter.left))} left"] if meter.left else []),
        *_remarks(progress),
    ]
    return ", ".join(parts)


# -- the live view


class _Cell(NamedTuple):
    name: str
    value: str
    style: str = ""


def drawn(progress: Progress, meter: Meter, console: Console) -> list[Text]:
    """Progress as lines of the live view. How many there are depends on the terminal's width alone.

    Where the terminal is too low for all of them, it is the first that matter most.
    """
    columns = next((number for number in _COLUMNS if console.width > number * _COLUMN + 1), 1)
    width = min(console.width - 1, columns * _COLUMN)
    outcomes = [
        _Cell(str(state), f"{count:,}", STYLES[state] if count else "dim") for state, count in progress.counts.items()
    ]
    flow = [
        _Cell("read", f"{progress.read:,}"),
        _Cell("requests", f"{progress.requests:,}"),
        _Cell("in flight", f"{progress.in_flight:,}"),
        _Cell("window", f"{progress.window:,}"),
        _Cell("now", f"{meter.now:,.0f}/s"),
        _Cell("overall", f"{meter.overall:,.0f}/s"),
    ]
    return [
        *_how_far(progress, meter, width, columns < _COLUMNS[0], console.options.ascii_only),
        *_grid(outcomes, columns),
        *_grid(flow, columns),
        Text(),
        Text(", ".join(_remarks(progress)), style="yellow"),
        _last_failure(progress.last_failure, ellipsis_of(console)),
    ]


def _grid(cells: Sequence[_Cell], columns: int) -> list[Text]:
    """Names above values, aligned at the right."""
    lines = []
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        lines.append(Text("".join(f"{cell.name:>{_COLUMN}}" for cell in row), style="dim"))
        lines.append(Text.assemble(*((f"{cell.value:>{_COLUMN}}", cell.style) for cell in row)))
    return lines


def _how_far(progress: Progress, meter: Meter, width: int, narrow: bool, ascii_only: bool) -> list[Text]:
    """How much is done and how long it will take, side by side where there is room. Then an empty line."""
    share = None if progress.share_read is None else _share_done(progress)
    left = f"about {duration(rounded(meter.left))} left" if meter.left else f"{duration(progress.seconds)} so far"
    drawn_bar = bar(share, width - (0 if narrow else _LEFT), ascii_only)
    if narrow:
        return [drawn_bar, Text(f"{left:>{width}}"), Text()]
    return [drawn_bar.append(f"{left:>{_LEFT}}"), Text()]


def bar(share: float | None, width: int, ascii_only: bool = False) -> Text:
    """A share, from 0 to 1, as a bar and its percentage, which is 100 only at the end; empty when there is no telling.

    Its two parts differ without colour too.
    """
    if share is None:
        return Text(" " * width)
    done, rest = "#-" if ascii_only else "━─"
    room = max(0, width - _PERCENT)
    filled = int(room * min(1.0, share))
    return Text.assemble((done * filled, "green"), (rest * (room - filled), "dim"), f"{int(100 * min(1.0, share)):4d}%")


def _last_failure(failure: Outcome | None, ellipsis: str) -> Text:
    if failure is None:
        return Text()
    who = "" if failure.number is None else f" {failure.number}"
    if not who and isinstance(failure.source, Place):
        name = printable(os.path.basename(failure.source.file))
        who = f" {cut_middle(name, _NAME, ellipsis)}:{failure.source.line}"
    words = f"{failure.state}{who}: {printable(failure.reason or '')}"
    return Text.assemble(("last failure: ", "dim"), (words, STYLES[failure.state]))


def _remarks(progress: Progress) -> list[str]:
    remarks = []
    if progress.held_for > 0:
        remarks.append(f"the server asks to wait: {progress.held_for:.0f} s")
    if progress.in_doubt:
        again = "" if progress.next_ask is None else f", asked again in {progress.next_ask:.0f} s"
        remarks.append(f"{progress.in_doubt:,} in doubt{again}")
    if progress.retries:
        remarks.append(f"{progress.retries:,} {'request' if progress.retries == 1 else 'requests'} sent again")
    if progress.stopped:
        remarks.insert(0, f"stopping: {printable(progress.stopped)}")
    return remarks


def _share_done(progress: Progress) -> float:
    return (progress.share_read or 0.0) * progress.done / progress.read if progress.read else 0.0


def rounded(seconds: float) -> float:
    """As exact as an estimate is: to 5 s, above five minutes to half a minute, above an hour to five minutes."""
    step = 5 if seconds < 300 else 30 if seconds < 3600 else 300
    return max(step, step * round(seconds / step))


def duration(seconds: float) -> str:
    """Seconds for people: 42 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
