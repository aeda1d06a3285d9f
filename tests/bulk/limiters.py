"""Servers that allow so much and no more, and a client in front of them: in simulated time."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from cashin_async.bulk.admission import Admission, Ticket
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import Proof, Then, Verdict

RECEIPT = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted")


def too_many(wait: float | None) -> Verdict:
    return Verdict(Proof.REFUSED, Then.AGAIN, State.UNSENT, "HTTP 429", pushback=True, slower=True, wait=wait)


class Limiter(Protocol):
    """What a server lets pass."""

    def passes(self, now: float) -> bool:
        """Whether a request that arrives now is let in."""


class Sliding:
    """At most `most` in any `span` seconds; what is refused does not count. The simulator's `rate-limit`."""

    def __init__(self, most: int, span: float = 1.0, closed_until: float = 0.0) -> None:
        self.most = most
        self._span = span
        self._closed_until = closed_until
        self._passed: deque[float] = deque()

    def passes(self, now: float) -> bool:
        while self._passed and self._passed[0] <= now - self._span:
            self._passed.popleft()
        passes = now >= self._closed_until and len(self._passed) < self.most
        if passes:
            self._passed.append(now)
        return passes


class Fixed:
    """At most `most` in each `span` seconds of a clock that is `phase` ahead of ours."""

    def __init__(self, most: int, span: float = 1.0, phase: float = 0.0) -> None:
        self._most = most
        self._span = span
        self._phase = phase
        self._window = 0.0
        self._count = 0

    def passes(self, now: float) -> bool:
        window = (now + self._phase) // self._span
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        return self._count <= self._most


class Bucket:
    """A token bucket: `rate` a second, at most `burst` in hand. With a burst of 1: evenly spaced requests."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = 0.0

    def passes(self, now: float) -> bool:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        passes = self._tokens >= 1
        self._tokens -= passes
        return passes


class Places:
    """At most `most` at once, each of which takes `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._done: list[float] = []

    def passes(self, now: float) -> bool:
        self._done = [time for time in self._done if time > now]
        passes = len(self._done) < self._most
        if passes:
            self._done.append(now + self._seconds)
        return passes


class Client:
    """It always has more to send, waits for its turn, marks, sends: as gate and courier do it.

    `latency` +- `jitter` (a share of it), half of it before the limiter. The `mark` is what stands in the ledger
    before the first byte, timers are up to 1 ms late.
    """

    def __init__(
        self,
        limiter: Limiter,
        latency: float,
        *,
        jitter: float = 0.02,
        retry_after: float | None = 1.0,
        mark: float = 0.001,
        seed: int = 1,
        **options: Any,
    ) -> None:
        self.now = 0.0
        self.passed: list[float] = []
        self.refused: list[float] = []
        self.pushbacks: list[float] = []
        """When a flight was refused."""
        self.sent: list[float] = []
        self._limiter = limiter
        self._latency = latency
        self._jitter = jitter
        self._retry_after = retry_after
        self._mark = mark
        self._draw = random.Random(seed)
        self._admission = Admission(**options)
        self._more = 2 * int(options.get("concurrency", 8))
        self._waiting = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._ids = 0
        self._timer: float | None = None

    def until(self, end: float, *, idle: bool = False) -> "Client":
        """Let it run, with more to send or without."""
        self._wanted = 0 if idle else self._more
        self._open()
        while self._events and self._events[0][0] <= end:
            self.now, _, happen = heapq.heappop(self._events)
            happen()
        self.now = end
        return self

    def used(self, rate: float, start: float, seconds: float = 60.0) -> float:
        return self._count(self.passed, start, seconds) / (rate * seconds)

    def share_refused(self, start: float, seconds: float = 60.0) -> float:
        refused = self._count(self.refused, start, seconds)
        return refused / (refused + self._count(self.passed, start, seconds))

    @staticmethod
    def _count(times: list[float], start: float, seconds: float) -> int:
        return sum(start <= time < start + seconds for time in times)

    def _at(self, time: float, happen: Callable[[], None]) -> None:
        self._ids += 1
        heapq.heappush(self._events, (time, self._ids, happen))

    def _open(self) -> None:
        for _ in range(self._waiting, self._wanted):
            self._admission.arrive(100)
            self._waiting += 1
        for ticket in self._admission.admit(self.now):
            self._waiting -= 1
            self._at(self.now + self._mark * self._draw.uniform(0.5, 1), partial(self._post, ticket))
        check = self._admission.next_check(self.now)
        if check is not None and check != self._timer:
            self._timer = check
            self._at(check + self._draw.uniform(0, 0.001), self._open)

    def _post(self, ticket: Ticket) -> None:
        if self._admission.held_until > self.now:
            self._admission.leave(ticket)
            self._open()
            return
        self.sent.append(self.now)
        way = self._latency / 2 * self._draw.uniform(1 - self._jitter, 1 + self._jitter)
        self._at(self.now + way, partial(self._arrive, ticket, way))

    def _arrive(self, ticket: Ticket, way_back: float) -> None:
        self._at(self.now + way_back, partial(self._answer, ticket, self._limiter.passes(self.now)))

    def _answer(self, ticket: Ticket, passed: bool) -> None:
        (self.passed if passed else self.refused).append(self.now)
        if not passed and self._admission.held_until <= self.now:
            self.pushbacks.append(self.now)
        verdict = RECEIPT if passed else too_many(self._retry_after)
        self._admission.finish(ticket, verdict, self.now, self._draw.random())
        self._open()
