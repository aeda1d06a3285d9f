"""What a ledger holds, for the terminal."""

from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cashin_async.bulk.outcome import State
from cashin_async.ledger.base import NumberState
from cashin_async.ledger.status import LedgerStatus, RunStatus
from cashin_async.report.frame import printable
from cashin_async.report.progress import STYLES
from cashin_async.report.summary import few

SHOWN_RUNS = 10

_SECOND = timedelta(seconds=1)  # a run's beginning is on record in whole seconds
_STYLES = {state.value: style for state, style in STYLES.items()}
_IN_PLAY = {
    NumberState.LEASED: "about to be sent",
    NumberState.POSTING: "in flight, no answer yet",
}
_LEFT = {
    NumberState.LEASED: "left behind: the next run finds out that they were not sent",
    NumberState.POSTING: "left behind in flight: they will be unknown to the next run",
}
_MEANINGS = {
    NumberState.ACCEPTED: "the server has them: never sent again",
    NumberState.REJECTED: "refused by the server: mend them",
    NumberState.INVALID: "never sent: mend them",
    NumberState.UNKNOWN: "may be accepted or not: settle them, they are not sent before",
    NumberState.UNSENT: "not sent or not applied: upload them again",
    NumberState.RELEASED: "were unknown, are not accepted: upload them again",
}


def print_status(status: LedgerStatus, console: Console) -> None:
    """Counts by state, what is unsettled, and the latest runs."""
    console.print(Text(printable(f"{status.place}, of {status.account}"), style="bold"), soft_wrap=True)
    if status.writer is not None:
        console.print(Text(f"in use by {status.writer}"), soft_wrap=True)
    console.print(_states(status))
    for state, first in ((NumberState.UNKNOWN, status.unknown), (NumberState.RELEASED, status.released)):
        if first:
            console.print(Text(f"{state}: {few(first, status.states.get(state, 0))}"), soft_wrap=True)
    if status.runs:
        console.print()
        console.print(_runs(status))
    if len(status.runs) > SHOWN_RUNS:
        console.print(Text("... and earlier ones: --json has them all", style="dim"))


def _states(status: LedgerStatus) -> Table:
    table = Table.grid(padding=(0, 2))
    meanings = _MEANINGS | (_LEFT if status.writer is None else _IN_PLAY)
    for state, count in status.states.items():
        style = _STYLES.get(state.value, "")
        row = (Text(f"{count:,}", justify="right", style=style), Text(str(state), style=style))
        table.add_row(*row, meanings.get(state, ""))
    if not status.states:
        table.add_row("No invoice is on record.")
    return table


def _runs(status: LedgerStatus) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("run", "began", "what became of its invoices"):
        table.add_column(name, no_wrap=name != "what became of its invoices")
    for run in status.runs[:SHOWN_RUNS]:
        table.add_row(printable(run.run), f"{run.began.astimezone():%Y-%m-%d %H:%M}", printable(_became(run, status)))
    return table


def _became(run: RunStatus, status: LedgerStatus) -> str:
    outcomes = [f"{run.facts[state]:,} {state}" for state in State if run.facts.get(state)]
    states = [f"{count:,} {state}" for state, count in run.states.items()]
    left = [one for one in states if one.endswith((" unknown", " released"))]
    unsettled = f"; unsettled now: {', '.join(left)}" if outcomes and left else ""
    ending = f"; {why}" if (why := _ending(run, status)) else ""
    return (", ".join(outcomes or states) or "nothing") + unsettled + ending


def _ending(run: RunStatus, status: LedgerStatus) -> str:
    """How a run ended, when not as it should; single requests belong to no run that ends."""
    if run.facts.get("interrupted"):
        return "interrupted"
    if why := run.facts.get("stopped"):
        return f"stopped: {why}"
    if run.facts.get("ended") or not run.facts:
        return ""
    return "under way" if status.writer is not None and run.began >= status.writer.since - _SECOND else "cut off"
