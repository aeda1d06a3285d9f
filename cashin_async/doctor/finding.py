"""What a check found, and how one that fails itself is told."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """An upload would run, perhaps not as meant."""
    PROBLEM = "problem"
    """An upload would not run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis."""

    area: str
    mark: Mark
    what: str
    """What was found. No secret, and no value that is wrong: it may be a secret in the wrong place."""
    todo: str = ""
    """What to do about it, naming the setting or the command."""

    def as_dict(self) -> dict[str, str]:
        return {"area": self.area, "mark": str(self.mark), "what": self.what, "todo": self.todo}


@dataclass(frozen=True, slots=True)
class Area:
    """What several findings are about."""

    name: str

    def ok(self, what: str, todo: str = "") -> Finding:
        return Finding(self.name, Mark.OK, what, todo)

    def warning(self, what: str, todo: str = "") -> Finding:
        return Finding(self.name, Mark.WARNING, what, todo)

    def problem(self, what: str, todo: str = "") -> Finding:
        return Finding(self.name, Mark.PROBLEM, what, todo)


Check = Callable[[], Iterable[Finding]]


def found_by(area: Area, check: Check) -> list[Finding]:
    """What `check` finds. That it failed is a finding too, which says where and not of what: that may be secret."""
    findings = []
    try:
        for finding in check():
            findings.append(finding)  # noqa: PERF402 - those before the failure are kept
    except Exception as error:
        findings.append(failed(area, error))
    return findings


def failed(area: Area, error: Exception) -> Finding:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return area.problem(
        f"could not be looked at: {type(error).__name__} at {where.filename}:{where.lineno}",
        "this is an error of cashin-async: report it with this line",
    )
