"""An upload when it has ended, in words for the terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cashin_async.bulk.grouping import Kind, kind_of, kinds_of
from cashin_async.bulk.outcome import Failures, Outcome, State, UploadReport
from cashin_async.report.frame import printable
from cashin_async.report.progress import STYLES, duration
from cashin_async.rules import RULES
from cashin_async.sources.source import Place

_SHOWN = 10  # kinds of failures, and invoices a kind: what a screen still holds

MEANINGS = {
    State.ACCEPTED: "the server has them",
    State.REJECTED: "refused by the server, or the number is taken: mend them",
    State.INVALID: "never sent: mend them",
    State.DUPLICATE: "never sent: the same invoice came before",
    State.UNKNOWN: "may be accepted or not: find out before sending again",
    State.UNSENT: "not sent or not applied: send them again",
}


def print_summary(report: UploadReport, console: Console) -> None:
    """The verdict, the six counts, and the first failures of each kind."""
    console.print(Text(verdict(report), style="bold green" if report.ok else "bold yellow"))
    table = Table.grid(padding=(0, 2))
    for state, count in report.counts.items():
        style = STYLES[state] if count else "dim"
        table.add_row(Text(f"{count:,}", justify="right", style=style), Text(str(state), style=style), MEANINGS[state])
    console.print(table)
    for line in failure_lines(report):
        console.print(Text(printable(line)), soft_wrap=True)
    for line in settled_lines(report):
        console.print(Text(line), soft_wrap=True)
    if report.broken_rules:
        console.print(Text(rules_line(report), style="yellow"), soft_wrap=True)
    for problem in report.problems:
        console.print(Text(printable(f"input not read to its end: {problem}"), style="red"), soft_wrap=True)
    if not report.read_to_end:
        console.print(Text("The input was not read to its end: what follows in it has no outcome."), soft_wrap=True)
    console.print(
        Text(
            f"{duration(report.seconds)}, {report.invoices_per_second:,.0f} invoices/s, {_requests(report.requests)}"
            f" ({report.retries:,} again, {report.max_in_flight} at once)\nrun {report.run}",
            style="dim",
        ),
        soft_wrap=True,
    )


def verdict(report: UploadReport) -> str:
    """The upload in one sentence."""
    counts = report.counts
    if report.interrupted:
        return f"Interrupted: {counts[State.ACCEPTED]:,} of the {report.read:,} invoices read are accepted."
    if report.stopped:
        return f"Stopped: {report.stopped}."
    done = _accounted_for(report)
    if report.ok:
        return f"{done}."
    if left := report.read - report.accepted - report.duplicate:
        return (
            f"{report.accepted:,} of {report.read:,} invoices are accepted, {_duplicates(report)}{_need(left)} a look."
        )
    if report.released:
        return f"{done}, but {len(report.released):,} released before {_are(report.released)} still to be sent."
    return f"{done}, but not every input could be read to its end." if report.read else "Nothing could be read."


def _accounted_for(report: UploadReport) -> str:
    if not report.read:
        return "There was no invoice to upload"
    if report.read == 1:
        return "The invoice is a duplicate" if report.duplicate else "The invoice is accepted"
    invoices = "invoices" if report.read_to_end else "invoices read"
    if not report.duplicate:
        return f"All {report.read:,} {invoices} are accepted"
    duplicates = f"{report.duplicate:,} duplicate{'' if report.duplicate == 1 else 's'}"
    return f"All {report.read:,} {invoices} are accounted for: {report.accepted:,} accepted, {duplicates}"


def settled_lines(report: UploadReport) -> Iterator[str]:
    """What a look-up told of earlier runs, and what of it is still to be sent."""
    kinds = (
        ("unknown before; a look-up found them, they are accepted", report.settled_accepted),
        ("unknown before; a look-up did not find them, they are released", report.settled_released),
        (f"released and not in {_input(report)}; they are still to be uploaded", report.released),
    )
    for kind, numbers in kinds:
        if numbers:
            yield f"{len(numbers):,} {kind}\n    {few(numbers)}"


def rules_line(report: UploadReport) -> str:
    """Which rules are broken, how often."""
    counts = ", ".join(f"{rule} {count:,}" for rule, count in report.broken_rules.items())
    return f"rules broken: {counts} (`cashin-async check` shows where, `check --explain RULE` tells of one)"


def _input(report: UploadReport) -> str:
    return "this input" if report.read_to_end and not report.problems else "what was read of this input"


def few(numbers: Sequence[int], count: int | None = None) -> str:
    """The first of them, and how many more there are: of `count`, when they are not all."""
    left = (len(numbers) if count is None else count) - min(len(numbers), _SHOWN)
    return ", ".join(map(str, numbers[:_SHOWN])) + (f" and {left:,} more" if left else "")


def _are(numbers: Sequence[int]) -> str:
    return "is" if len(numbers) == 1 else "are"


def _duplicates(report: UploadReport) -> str:
    if not report.duplicate:
        return ""
    return f"{report.duplicate:,} {'is a duplicate' if report.duplicate == 1 else 'are duplicates'}, "


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"


def _need(count: int) -> str:
    return f"{count:,} need{'s' if count == 1 else ''}"


def failure_lines(report: UploadReport) -> Iterator[str]:
    """The failures by kind, unknown ones first, each kind with its first invoices."""
    kinds = kinds_of(report.failures.reasons)
    first = _first_of(report.failures, dict(kinds[:_SHOWN]))
    for kind, count in kinds[:_SHOWN]:
        yield f"{kind.state}: {_said_of(kind, report.failures)}"
        more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
        yield "    " + ", ".join(map(_named, first[kind])) + more
    if (left := len(kinds) - _SHOWN) > 0:
        yield f"... and {left:,} more {'reason' if left == 1 else 'reasons'}"


def _first_of(failures: Failures, counts: Mapping[Kind, int]) -> dict[Kind, list[Outcome]]:
    """The first failures of each kind."""
    first: dict[Kind, list[Outcome]] = {kind: [] for kind in counts}
    wanted = sum(min(count, _SHOWN) for count in counts.values())
    for failure in failures:
        if not wanted:
            break
        some = first.get(kind_of(failure.state, failure.reason))
        if some is not None and len(some) < _SHOWN:
            some.append(failure)
            wanted -= 1
    return first


def _said_of(kind: Kind, failures: Failures) -> str | None:
    """Their one reason, else what their reasons have in common."""
    reasons = [reason for state, reason in failures.reasons if kind_of(state, reason) == kind]
    if len(reasons) == 1:
        return reasons[0]
    if kind.rule is None:
        return kind.words
    summary = f"{RULES[kind.rule].summary} " if kind.rule in RULES else ""
    return f"{summary}({kind.rule}; {len(reasons):,} different reasons, the first: {reasons[0]})"


def _named(failure: Outcome) -> str:
    """An invoice by its number, and by its place when there is one."""
    number = "" if failure.number is None else str(failure.number)
    if isinstance(failure.source, Place):
        return f"{failure.source} ({number})" if number else str(failure.source)
    return number or "one without a number"
