"""How fast a run was, over time: a few columns, however long it takes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST = 120  # points: as many bars as a page shows well, and 2 KB to save each second
_FIRST = 0.05  # seconds a point, at first: a run of a second has twenty


@dataclass(frozen=True, slots=True)
class Past:
    """Some columns of one length: at each place stands what happened in the `every` seconds from `place * every` on."""

    every: float
    done: Sequence[int]
    """Invoices that had their outcome, failed ones among them; not those that were given up."""
    failed: Sequence[int]
    """Those of them that are rejected, invalid or unknown."""
    held: Sequence[float]
    """Seconds in which nobody was to send."""

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "every": self.every,
            "done": list(self.done),
            "failed": list(self.failed),
            "held": [round(seconds, 2) for seconds in self.held],
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> "Past":
        """What `as_dict` gave. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        past = cls(float(saved["every"]), [*saved["done"]], [*saved["failed"]], [*saved["held"]])
        whole = all(type(count) is int for count in (*past.done, *past.failed))
        if not whole or past.every <= 0 or not len(past.done) == len(past.failed) == len(past.held):
            raise ValueError("no history")
        return cls(past.every, past.done, past.failed, [float(seconds) for seconds in past.held])


class History:
    """Filled while a run goes on. When it is full, two neighbours become one: memory is flat, sums stay exact.

    Times are seconds since the run began.
    """

    def __init__(self, first: float = _FIRST, most: int = _MOST) -> None:
        self._every = first
        self._most = most
        self._done: list[int] = []
        self._failed: list[int] = []
        self._held: list[float] = []

    def add(self, now: float, done: int, failed: int) -> None:
        """`done` invoices have their outcome, `failed` of them a failing one."""
        place = self._place(now)
        self._done[place] += done
        self._failed[place] += failed

    def hold(self, now: float, seconds: float) -> None:
        """Everybody was held for `seconds` up to `now`."""
        now = max(0.0, now)
        self._place(now)
        began = max(0.0, now - seconds)
        for place in range(int(began / self._every), len(self._held)):
            start = place * self._every
            self._held[place] += max(0.0, min(now, start + self._every) - max(began, start))

    def past(self, now: float) -> Past:
        """The columns up to `now`."""
        self._place(now)
        return Past(self._every, tuple(self._done), tuple(self._failed), tuple(self._held))

    def _place(self, now: float) -> int:
        while now >= self._every * self._most:
            self._every *= 2
            self._done = _by_twos(self._done)
            self._failed = _by_twos(self._failed)
            self._held = _by_twos(self._held)
        place = int(now / self._every)
        if (more := place + 1 - len(self._done)) > 0:
            self._done += [0] * more
            self._failed += [0] * more
            self._held += [0.0] * more
        return place


def _by_twos(column: list[Any]) -> list[Any]:
    return [sum(column[place : place + 2]) for place in range(0, len(column), 2)]
