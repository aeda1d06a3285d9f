"""A figure: what was measured, once a round; and the goal that it has."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """Bounds, both inclusive."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def text(self, unit: str) -> str:
        if self.least is None:
            return f"at most {written(self.most, unit)}"
        if self.most is None:
            return f"at least {written(self.least, unit)}"
        return f"{written(self.least, unit)} to {written(self.most, unit)}"


@dataclass(slots=True)
class Figure:
    """`values`: one a round. What counts is their median; minimum and maximum say how far to trust it."""

    what: str
    values: list[float]
    unit: str = ""
    """Empty for a ratio."""
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.goal.met(self.median)

    def text(self) -> str:
        """Median (minimum to maximum)."""
        low, high = written(min(self.values)), written(max(self.values))
        return f"{written(self.median)} ({low} to {high}){self.unit and ' '}{self.unit}"

    def as_dict(self) -> dict[str, Any]:
        goal = None if self.goal is None else {"least": self.goal.least, "most": self.goal.most}
        bounds = {"median": self.median, "min": min(self.values), "max": max(self.values)}
        return {"what": self.what, "unit": self.unit, **bounds, "values": self.values, "goal": goal, "met": self.met}

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Figure":
        goal = Goal(**values["goal"]) if values["goal"] else None
        return cls(values["what"], values["values"], values["unit"], goal)


@dataclass(slots=True)
class Part:
    """What one scenario gives: figures for the table, and data for plots."""

    figures: list[Figure]
    data: dict[str, Any] = field(default_factory=dict)

    def rounds(self) -> int:
        """As many as there were, which may be fewer than asked for when time was up."""
        return max([len(figure.values) for figure in self.figures] or [int(self.data.get("rounds", 0))])


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round: both sides of a round met the same machine."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def written(value: float | None, unit: str = "") -> str:
    """Three digits that count, no more: the spread is larger than a fourth."""
    assert value is not None
    size = abs(value)
    text = f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    return f"{text} {unit}".strip()
