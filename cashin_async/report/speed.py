"""How fast an upload goes and how long it will take, from its progress as it is shown now and then. Pure."""

import math
from collections import deque

from cashin_async.bulk.outcome import Progress

NOW = 5.0
"""Seconds that "now" is: shorter, and the figure jumps with each answer of 100 invoices."""
_LATELY = 60.0  # seconds that the time left goes by: a hold or a slower server shows in it, a slow answer does not
_SETTLES = 5.0  # seconds in which the time that is shown moves most of the way to what is reckoned anew
_EARLY = 3.0  # seconds of a run in which there is no telling: the window of requests still opens


class Speed:
    """Something a second, over the last `span` seconds."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._seen: deque[tuple[float, int]] = deque([(0.0, 0)])

    def note(self, seconds: float, done: int) -> None:
        """So many were done after `seconds`, which never fall. However often it is called, a hundred are kept."""
        seen = self._seen
        if len(seen) > 1 and seconds - seen[-2][0] < self._span / 100:
            seen.pop()
        seen.append((seconds, done))
        while len(seen) > 2 and seen[1][0] <= seconds - self._span:
            seen.popleft()

    @property
    def value(self) -> float:
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        return (after - before) / (ended - began) if ended > began else 0.0


class Meter:
    """What an upload's view shows that one `Progress` alone does not tell."""

    def __init__(self) -> None:
        self.overall = 0.0
        """Invoices a second since the run began."""
        self.left: float | None = None
        """Seconds that it will still take, about; None when there is no telling."""
        self._now = Speed(NOW)
        self._lately = Speed(_LATELY)
        self._seconds = 0.0

    @property
    def now(self) -> float:
        """Invoices a second in the last few seconds."""
        return self._now.value

    def note(self, progress: Progress) -> None:
        """Take in how it stands."""
        self._now.note(progress.seconds, progress.done)
        self._lately.note(progress.seconds, progress.done)
        self.overall = progress.done / progress.seconds if progress.seconds else 0.0
        self._move(self._reckoned(progress), progress.seconds - self._seconds)
        self._seconds = progress.seconds

    def _reckoned(self, progress: Progress) -> float | None:
        """By the pace of the last minute, on top of the hold in force."""
        pace = self._lately.value or self.overall
        if not (progress.share_read and pace) or progress.seconds < _EARLY or progress.stopped:
            return None
        return progress.held_for + max(0.0, progress.read / progress.share_read - progress.done) / pace

    def _move(self, reckoned: float | None, passed: float) -> None:
        """Time passes in what is shown, and it nears what is reckoned: it does not jump."""
        if reckoned is None or self.left is None:
            self.left = reckoned
            return
        expected = max(0.0, self.left - passed)
        self.left = expected + (reckoned - expected) * -math.expm1(-passed / _SETTLES)
