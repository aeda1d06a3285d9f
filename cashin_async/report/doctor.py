"""A diagnosis, for the terminal and as JSON."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from cashin_async.doctor.finding import Finding, Mark
from cashin_async.report.frame import printable

_STYLES = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.PROBLEM: "bold red"}
_INDENT, _MARK = 2, 9
_BESIDE = _INDENT + _MARK
_NARROWEST = 20  # columns: below that nothing can be read
_ARROW = "-> "


def print_diagnosis(findings: Sequence[Finding], console: Console) -> None:
    """Findings by area, what to do beneath each, and the verdict."""
    for area, group in groupby(findings, lambda finding: finding.area):
        console.print(Text(area, style="bold"))
        for finding in group:
            console.print(_lines(finding, console.width), soft_wrap=True)
    console.print()
    console.print(_verdict(findings))


def _lines(finding: Finding, width: int) -> Text:
    """The mark, and beside it what was found and what to do. A path or a command is left whole, to be copied."""
    lines = _wrapped(finding.what, width)
    mark = (f"{'':{_INDENT}}{finding.mark:{_MARK}}", _STYLES[finding.mark])
    text = Text.assemble(mark, lines[0])
    for line in lines[1:]:
        text.append(f"\n{'':{_BESIDE}}{line}")
    for place, line in enumerate(_wrapped(finding.todo, width - len(_ARROW)) if finding.todo else ()):
        text.append(f"\n{'':{_BESIDE}}{'' if place else _ARROW:{len(_ARROW)}}{line}", style="cyan")
    return text


def _wrapped(text: str, width: int) -> list[str]:
    room = max(width - _BESIDE, _NARROWEST)
    return textwrap.wrap(printable(text), room, break_long_words=False, break_on_hyphens=False)


def _verdict(findings: Sequence[Finding]) -> Text:
    marks = Counter(finding.mark for finding in findings)
    problems, warnings = marks[Mark.PROBLEM], marks[Mark.WARNING]
    if problems:
        return Text(f"{_count(problems, 'problem')} to mend, {_count(warnings, 'warning')}.", style="bold red")
    if warnings:
        return Text(f"No problem; {_count(warnings, 'warning')} to look at.", style="yellow")
    return Text("No problem.", style="green")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def diagnosis_as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """The object that `--json` prints."""
    marks = Counter(finding.mark for finding in findings)
    return {**{str(mark): marks[mark] for mark in Mark}, "findings": [finding.as_dict() for finding in findings]}
