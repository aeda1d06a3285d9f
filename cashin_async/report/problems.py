"""What a check finds: counted by rule while it runs, shown when it has ended. And a rule, explained."""

import json
import logging
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cashin_async.events import CHECK_ENDED, CHECK_PROGRESSED
from cashin_async.report.frame import Frame, SafeConsole, can_redraw, printable
from cashin_async.report.progress import bar, duration
from cashin_async.rules import RULES, Problem, Rule, Severity
from cashin_async.sources.source import Place, SourceProblem

log = logging.getLogger(__name__)

SHOWN = 10
"""Examples a rule that are kept; the others are counted."""

UNREADABLE = Rule(
    code="unreadable",
    severity=Severity.ERROR,
    summary="An input can be opened, and read to its end.",
    detail="What was read of it is checked, and so are the other inputs. The exit code is 2, since not every invoice"
    " could be judged. It cannot be switched off.",
    source="cashin-async: what is not read cannot be judged",
    right="cashin-async check invoices.jsonl",
    wrong="cashin-async check a-file-that-does-not-exist.jsonl",
)
"""No rule of an invoice, but explained like one."""

CONFLICT = Rule(
    code="conflict",
    severity=Severity.ERROR,
    summary="A number stands for one invoice only.",
    detail="A number that stands again with other content is a conflict: an upload sends one of them, and rejects the"
    " others. In CSV, and in a table with columns of `Row.`, they are most often the rows of one invoice that do not"
    " stand side by side. The same content again is a duplicate, which is no problem: it is sent once. It cannot be"
    " switched off.",
    source="cashin-async: no number is sent twice",
    right="1;Books, 1;Postage, 2;Books",
    wrong="1;Books, 2;Books, 1;Postage",
)
"""No rule of an invoice by itself, but explained like one."""

EXPLAINED = {**RULES, CONFLICT.code: CONFLICT, UNREADABLE.code: UNREADABLE}
"""Whatever a check can report, by its code."""

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_INDENT = 4
_DRAWN_EVERY = 0.25  # seconds between two drawings of the live line
_BAR = 60  # columns
_LINE_EVERY = 5.0  # seconds between two plain lines: a log of an hour has 720 of them


# -- what is counted


@dataclass(slots=True)
class Found:
    """The problems of one rule and severity: how many, and the first of them."""

    rule: str
    severity: Severity
    count: int = 0
    examples: list[Problem] = field(default_factory=list)


class Tally:
    """What a check has found so far. It grows with the number of rules, not with that of invoices or problems."""

    def __init__(self) -> None:
        self.read = 0
        """Invoices, and lines that are none."""
        self.with_errors = 0
        """Invoices with an error at least; they may have warnings too."""
        self.with_warnings = 0
        """Invoices with a warning at least."""
        self.unreadable = 0
        """Inputs that could not be read to their end."""
        self.problems = 0
        self._with_any = 0
        self._found: dict[tuple[str, Severity], Found] = {}

    @property
    def clean(self) -> int:
        """Invoices without a problem."""
        return self.read - self._with_any

    def add(self, problems: Sequence[Problem]) -> None:
        """The problems of one invoice, one at least."""
        self._with_any += 1
        severities = [problem.severity for problem in problems]
        self.with_errors += Severity.ERROR in severities
        self.with_warnings += Severity.WARNING in severities
        for problem in problems:
            self._count(problem)

    def add_unreadable(self, problem: Problem) -> None:
        """An input that could not be read to its end."""
        self.unreadable += 1
        self._count(problem)

    def _count(self, problem: Problem) -> None:
        self.problems += 1
        kind = problem.rule, problem.severity
        found = self._found.get(kind)
        if found is None:
            found = self._found[kind] = Found(*kind)
        found.count += 1
        if found.count <= SHOWN:
            found.examples.append(problem)

    @property
    def found(self) -> list[Found]:
        """By rule: errors first, then the most frequent."""
        return sorted(self._found.values(), key=lambda one: (one.severity is not Severity.ERROR, -one.count, one.rule))

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints last."""
        by_rule: dict[str, int] = {}
        for one in self.found:
            by_rule[one.rule] = by_rule.get(one.rule, 0) + one.count
        return {
            "read": self.read,
            "clean": self.clean,
            "with_errors": self.with_errors,
            "with_warnings": self.with_warnings,
            "by_rule": by_rule,
        }

    @property
    def exit_code(self) -> int:
        """0 without errors, 1 with; 2 when not everything could be judged."""
        if self.unreadable:
            return 2
        return 1 if self.with_errors else 0


def located(problems: Sequence[Problem], place: Place) -> list[Problem]:
    """The same, with the place of their invoice."""
    file = _text(place.file)
    return [msgspec.structs.replace(problem, file=file, line=place.line) for problem in problems]


def no_invoice(reason: str) -> Problem:
    """A line of which the rules can say nothing."""
    return Problem(rule="type", severity=Severity.ERROR, message=reason)


def conflict(number: int) -> Problem:
    """An invoice whose number stands before it with other content."""
    return Problem(
        invoice_number=number,
        field="InvoiceNumber",
        rule=CONFLICT.code,
        severity=CONFLICT.severity,
        message="stands already with other content: only one would be sent (in CSV, sort the lines by InvoiceNumber)",
    )


def unreadable(problem: SourceProblem) -> Problem:
    """An input, or the rest of one, that no rule has seen."""
    file = None if problem.file is None else _text(problem.file)
    return Problem(
        file=file, line=problem.line, rule=UNREADABLE.code, severity=UNREADABLE.severity, message=problem.reason
    )


def _text(text: str) -> str:
    """`text` without halves of surrogate pairs, which UTF-8 has not: names of files may have them."""
    return text.encode(errors="backslashreplace").decode()


def json_line(problem: Problem) -> str:
    """A problem as one line of JSON. ASCII: no terminal or locale can change it."""
    return json.dumps(msgspec.structs.asdict(problem))


# -- what is said at the end


def print_problems(tally: Tally, console: Console, seconds: float, interrupted: bool = False) -> None:
    """A table of the rules with the first problems of each, and the verdict. On a terminal cut to its height."""
    found = tally.found
    if found:
        _print_table(found, console)
        console.print()
        hint = f"What a rule is, and how to switch it: cashin-async check --explain {shlex.quote(found[0].rule)}"
        console.print(Text(printable(hint), style="dim"), soft_wrap=True)
    style = "bold red" if tally.exit_code else "bold yellow" if found else "bold green"
    console.print(Text(verdict(tally, seconds, interrupted), style=style), soft_wrap=True)


def _print_table(found: Sequence[Found], console: Console) -> None:
    terminal = console.is_terminal
    shown = _examples_that_fit(found, console) if terminal else SHOWN
    names, *headings = _headings(found)
    console.print(Text(names, style="dim"), soft_wrap=True)
    for one, heading in zip(found, headings, strict=True):
        console.print(Text(heading, style=f"bold {_STYLES[one.severity]}"), soft_wrap=True)
        for line in _example_lines(one, shown):
            example = Padding(Text(line), (0, 0, 0, _INDENT), expand=False) if terminal else Text(" " * _INDENT + line)
            console.print(example, soft_wrap=not terminal)


def verdict(tally: Tally, seconds: float, interrupted: bool = False) -> str:
    """The check in one line."""
    if not (tally.read or interrupted):
        return "Nothing could be read." if tally.unreadable else "There was no invoice to check."
    return (
        f"{'Interrupted: ' if interrupted else ''}{tally.read:,} {'invoice' if tally.read == 1 else 'invoices'} read,"
        f" {tally.clean:,} clean, {tally.with_errors:,} with errors, {tally.with_warnings:,} with warnings"
        f"{_unread(tally.unreadable)}; {duration(seconds)}, {_pace(tally.read, seconds)}"
    )


def _unread(inputs: int) -> str:
    return f"; {inputs:,} {'input' if inputs == 1 else 'inputs'} not read to the end" if inputs else ""


def _pace(read: int, seconds: float) -> str:
    return f"{read / seconds if seconds else 0:,.0f} invoices/s"


def _headings(found: Sequence[Found]) -> list[str]:
    """The columns' names, then a line for each rule."""
    rows = [("rule", "severity", "problems")]
    rows += [(printable(one.rule), str(one.severity), f"{one.count:,}") for one in found]
    first, second, third = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [f"{rule:{first}}  {severity:{second}}  {count:>{third}}" for rule, severity, count in rows]


def _example_lines(found: Found, shown: int) -> Iterator[str]:
    yield from map(_line_of, found.examples[:shown])
    if left := found.count - len(found.examples[:shown]):
        yield f"and {left:,} more"


def _line_of(problem: Problem) -> str:
    """Where, which invoice, which field, and what is wrong."""
    place = ":".join(str(part) for part in (problem.file, problem.line) if part is not None)
    number = "" if problem.invoice_number is None else f"({problem.invoice_number})"
    where = " ".join(part for part in (place, number, problem.field) if part)
    return printable(f"{where}: {problem.message}" if where else problem.message)


def _examples_that_fit(found: Sequence[Found], console: Console) -> int:
    """How many examples a rule the terminal has room for, one at least."""
    width = max(1, console.width - _INDENT)

    def height(shown: int) -> int:
        lines = [line for one in found for line in _example_lines(one, shown)]
        return len(found) + sum(-(-len(line) // width) for line in lines)

    room = console.height - 6  # the columns' names, a blank line, the hint, two lines of verdict and the next prompt
    return next((shown for shown in range(SHOWN, 1, -1) if height(shown) <= room), 1)


# -- a rule


def print_rule(rule: Rule, console: Console) -> None:
    """All there is to know of a rule, and how to switch it."""
    console.print(Text(f"{rule.code} ({rule.severity})", style=f"bold {_STYLES[rule.severity]}"))
    console.print(Text(rule.summary))
    if rule.detail:
        console.print()
        console.print(Text(rule.detail))
    console.print()
    for name, text in (("Source", rule.source), ("Right", rule.right), ("Wrong", rule.wrong)):
        console.print(Text.assemble((f"{name + ':':8}", "dim"), text), soft_wrap=True)
    if rule.code in RULES:
        console.print()
        console.print(Text("To switch it off, or to warning or error:", style="dim"))
        for text in (
            f"cashin-async check --rule {rule.code}=off FILE...",
            f'CASHIN_RULE_SEVERITIES="{rule.code}=off"',
            f'RuleSet(severities={{"{rule.code}": "off"}})',
        ):
            console.print(Text(f"    {text}"), soft_wrap=True)


# -- while it runs


class CheckView:
    """One calm live view on a terminal, a line every few seconds elsewhere. On stderr."""

    def __init__(self, quiet: bool, logged: bool = False) -> None:
        """`logged`: events in place of lines."""
        self._console = SafeConsole(stderr=True, highlight=False, markup=False)
        self._logged = logged
        self._frame = Frame(self._console) if can_redraw(self._console) and not logged else None
        self._every = float("inf") if quiet else _DRAWN_EVERY if self._frame else _LINE_EVERY
        self._next = time.monotonic() + self._every

    def __enter__(self) -> "CheckView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave nothing behind on the terminal. May be called twice."""
        if self._frame is not None:
            self._frame.close()

    @property
    def due(self) -> bool:
        """Whether it is time to show something."""
        return time.monotonic() >= self._next

    def show(self, tally: Tally, seconds: float, share_read: float | None) -> None:
        """What is found after `seconds`. `share_read` of the input is from 0 to 1; None when there is no telling."""
        self._next = time.monotonic() + self._every
        if self._logged:
            left = None if not share_read else round(seconds / share_read - seconds)
            CHECK_PROGRESSED.tell(
                log, read=tally.read, problems=tally.problems, seconds=round(seconds, 3), seconds_left=left
            )
            return
        line = progress_line(tally, seconds, share_read)
        if self._frame is not None:
            width = min(_BAR, self._console.width - 1)
            self._frame.draw([bar(share_read, width, self._console.options.ascii_only), Text(line)])
        else:
            with suppress(OSError):  # nobody reads it
                self._console.print(line, soft_wrap=True)


def log_check_end(tally: Tally, seconds: float, interrupted: bool) -> None:
    """A check as an event, when it has ended."""
    CHECK_ENDED.tell(
        log,
        read=tally.read,
        clean=tally.clean,
        with_errors=tally.with_errors,
        with_warnings=tally.with_warnings,
        unreadable=tally.unreadable,
        seconds=round(seconds, 3),
        interrupted=interrupted,
    )


def progress_line(tally: Tally, seconds: float, share_read: float | None) -> str:
    """How far a check is."""
    problems = f"{tally.problems:,} {'problem' if tally.problems == 1 else 'problems'}"
    seconds_left = seconds / share_read - seconds if share_read else 0.0
    left = f", about {duration(seconds_left)} left" if seconds_left >= 1 else ""
    return f"{tally.read:,} read, {problems}, {_pace(tally.read, seconds)}{left}"
