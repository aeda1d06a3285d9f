"""The rate that the server bears, learned from what it lets pass before it says 429.

Nothing is paced before the first pushback. The rate is then the most requests that passed within a span in front of
it: a second, or longer when the server is seen to refuse for longer. Who was paced already and is refused all the
same loses at least 5 %, and 15 % when it was right after a hold. What is learned holds for a minute; then the rate
rises, ever faster, until the next pushback. A count of next to nothing tells next to nothing: its rate rises at once.
"""

import math
from collections import deque

MARGIN = 0.99
"""The share of a rate that is used. R + 1 requests then span 1.01 s: none is refused for overtaking by 10 ms."""

_SPAN = 1.0  # seconds: what limits are commonly counted over
_LONGEST_SPAN = 60.0  # limits a minute are paced; a quota for longer says by its Retry-After when it is back
_SLOWEST = MARGIN / _LONGEST_SPAN
_SLACK = 0.25  # of a span: how far requests that overtake one another, and rounding, may shift what is counted
_REMEMBERED = 4096  # requests: 68 a second for a minute
_DECREASE = 0.95  # for servers that let bursts pass: what they let pass says how we sent, not what they bear
_SOON = 5.0  # seconds after a hold: refused again by then, such a server bears much less
_DECREASE_SOON = 0.85
_FALL = 0.5  # at most, by a count over one second: one refusal right after a hold may be for two sent too close
_LITTLE = 0.1  # of the rate, or of the span: a count of what used no more than that says nothing of the rate
_FEW = 5  # requests: where they must be evenly spaced, one or two pass, whatever the rate
_QUIET = 60.0  # seconds at one rate: a rise ends in a hold, commonly of a second, which is 2 % of it
_RISE = 30.0  # seconds to twice the rate, as many again to 16 times
_RISE_OF_FEW = 5.0  # the same for a rate learned from few
_MOST_DOUBLINGS = 30.0  # a thousand million times: no limit any more


class Pace:
    """What pushbacks taught. Times in seconds on one clock; rates in requests a second."""

    def __init__(self) -> None:
        self._passed: deque[float] = deque(maxlen=_REMEMBERED)
        self._in_front: list[float] = []  # what had passed at the pushback, and what of its flight passed since
        self._learned: float | None = None
        self._quiet = _QUIET
        self._rise = _RISE
        self._borne: float | None = None  # what had been learned when the pushback came
        self._met: float | None = None  # what it had risen to
        self._lasted = 0.0  # the time since the hold before
        self._span = _SPAN
        self._refused_at = float("-inf")  # when the first that was refused was sent
        self._heard_at = float("-inf")  # when that was heard: what was sent until then is of the same flight
        self._refusing = 0.0  # how long the server has been refusing since, and asks to wait still
        self._nothing_passed = False  # since the pushback
        self._holding = False
        self._resumed_at = float("-inf")

    def at(self, now: float) -> float | None:
        """How fast to send; None when nothing is known."""
        if self._learned is None:
            return None
        rising = max(0.0, now - self._resumed_at - self._quiet) / self._rise
        return self._learned * math.pow(2.0, min(rising * rising, _MOST_DOUBLINGS))

    def passed(self, sent: float) -> None:
        """The request sent at `sent` was not pushed back."""
        self._passed.append(sent)
        if sent > self._heard_at:
            self._nothing_passed = False
            return
        self._in_front.append(sent)
        if not self._holding:
            self._learn()  # of the flight that the rate is learned from, and slower than the hold

    def refused(self, sent: float, now: float, asked: float) -> None:
        """The request sent at `sent` was pushed back, and asked to wait so long. Those of one flight count once."""
        if sent <= self._heard_at:
            return
        if self._nothing_passed:
            self._span = max(self._span, sent - self._refused_at)
            self._refusing = sent - self._refused_at + asked
        elif sent - self._refused_at > (1 + _SLACK) * _SPAN:  # else what was sent before the hold still counts there
            self._borne, self._met = self._learned, self.at(sent)
            self._lasted = sent - self._resumed_at
            refused_again = self._borne is not None and self._lasted < self._refusing
            self._span = max(_SPAN, self._refusing) if refused_again else _SPAN
            self._refusing = asked
            self._refused_at = sent
            self._in_front = list(self._passed)
        self._heard_at = now
        self._nothing_passed = self._holding = True

    def resume(self, now: float) -> None:
        """No hold is in force and somebody is about to send."""
        if self._holding:
            self._holding = False
            self._resumed_at = now
            self._learn()

    def _learn(self) -> None:
        passed, span, used = self._most_passed()
        counted = MARGIN * passed / span if passed else None
        idle = self._lasted > _SOON and self._met is not None and passed < _LITTLE * self._met * span
        few = (passed < _FEW and (self._borne is None or idle)) or (span > _SPAN and used < _LITTLE * span)
        self._quiet, self._rise = (0.0, _RISE_OF_FEW) if few else (_QUIET, _RISE)
        if self._borne is None or self._met is None:
            self._learned = counted
            return
        most = (_DECREASE if self._lasted > _SOON else _DECREASE_SOON) * self._met
        if self._met > self._borne:  # only what it rose by was too much
            most = max(most, self._borne)
        least = max(_SLOWEST, _FALL * self._borne if span <= _SPAN else 0.0)
        self._learned = max(least, most if counted is None else min(most, counted))

    def _most_passed(self) -> tuple[int, float, float]:
        """The most requests of any one span in front of the pushback; the span, and how much of it was used."""
        if not self._in_front:
            return 0, _SPAN, 0.0
        used = max(0.0, self._refused_at - min(self._in_front))
        span = min(self._span, _LONGEST_SPAN)
        if len(self._in_front) >= _REMEMBERED:  # no further back than memory goes
            span = max(_SPAN, min(span, used))
        since = self._refused_at - (1 + _SLACK) * span
        sent = sorted(time for time in self._in_front if since < time <= self._heard_at)
        most = first = 0
        for last, time in enumerate(sent):
            while sent[first] <= time - span:
                first += 1
            most = max(most, last - first + 1)
        return most, span, used
