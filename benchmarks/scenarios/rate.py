"""A server that allows R requests in any one second and answers 429 beyond: how much of R is used, how much refused.

`rate` unset, the 60 seconds after the first 429 count: the client has then met the limit and has to find out where it
is. With `rate` set they are counted from the second second on. All cases of a round run side by side, since none of
them keeps a processor busy; all are loaded before the first begins, since loading does. Answers, refusals too, take
50 ms; chunks have 10 invoices; 8 may be in flight.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part

TITLE = "Learning a rate"
MINUTES = 12

_CHUNK = 10
_MORE = 8.0
"""Seconds that a run is longer than the span that counts, which begins with the first 429."""
_LOADING = 10.0
"""Seconds until the programs begin: the rate is learned in the first second, which is no time to load anything."""
_DELAY = 0.05
_USED, _REFUSED = Goal(least=0.95), Goal(most=2.0)
_USED_SET, _REFUSED_SET = Goal(least=0.98), Goal(most=0.0)

_HALVED_FROM = 40
"""Requests a second. With answers after 200 ms eight are in flight, and 16 may be."""
_FLIGHT = 0.2
"""Seconds: one round trip."""
_SETTLED_FOR = 5.0
"""Seconds over which the new rate must hold to count as settled: 100 requests."""


@dataclass(frozen=True, slots=True)
class Case:
    what: str
    rate: int
    known: bool
    retry_after: bool = False


CASES = (
    Case("R = 5, rate unset", 5, known=False),
    Case("R = 50, rate unset", 50, known=False),
    Case("R = 5, rate unset, with Retry-After", 5, known=False, retry_after=True),
    Case("R = 50, rate unset, with Retry-After", 50, known=False, retry_after=True),
    Case("R = 5, rate set", 5, known=True),
    Case("R = 50, rate set", 50, known=True),
)


def measure(arena: Arena) -> Part:
    span = 5.0 if arena.options.quick else 60.0
    file = arena.file(int(max(case.rate for case in CASES) * (span + _MORE)) * _CHUNK)
    used: dict[Case, list[float]] = {case: [] for case in CASES}
    refused: dict[Case, list[float]] = {case: [] for case in CASES}
    settled, refusals = [], []
    with ThreadPoolExecutor(len(CASES) + 1) as pool:
        for _ in arena.rounds(MINUTES):
            job = {"file": file, "begin_at": time.time() + _LOADING}
            halving = pool.submit(_halve, arena, job, span)
            held = pool.map(partial(_hold, arena, job, span), CASES)
            for case, (share, percent) in zip(CASES, held, strict=True):
                used[case].append(share)
                refused[case].append(percent)
            flights, refused_after = halving.result()
            settled.append(flights)
            refusals.append(refused_after)
    figures = []
    for case in CASES:
        figures.append(Figure(f"{case.what}: of R used", used[case], goal=_USED_SET if case.known else _USED))
        goal = _REFUSED_SET if case.known else _REFUSED
        figures.append(Figure(f"{case.what}: refused", refused[case], "%", goal))
    return Part(
        [
            *figures,
            Figure("capacity halves in mid-run: time to settle", settled, "flights", Goal(most=10)),
            Figure("the same: refused from then on", refusals, "requests"),
        ]
    )


def _upload(arena: Arena, requests: float, job: dict[str, Any], **terms: Any) -> dict[str, Any]:
    """What the sink saw. That nothing is lost, and nothing comes twice, `Arena.run` and the program check."""
    count = int(requests) * _CHUNK
    with arena.sink(**terms) as sink:
        taken = arena.run("ours-lines", sink, warm=0, count=count, chunk=_CHUNK, **job)
        assert taken["invoices"] == count, taken
        return sink.counts()


def _hold(arena: Arena, job: dict[str, Any], span: float, case: Case) -> tuple[float, float]:
    """The share of R that was used, and per cent of requests that were refused."""
    job = {**job, "settings": {"rate": float(case.rate)} if case.known else {}}
    requests = case.rate * (span + _MORE)
    counts = _upload(arena, requests, job, rate=case.rate, retry_after=case.retry_after, delay=_DELAY)
    allowed, refused = counts["allowed"], counts["refused"]
    began = refused[0] if refused and not case.known else 1.0
    used, hit = _within(allowed, began, span), _within(refused, began, span)
    return used / (case.rate * span), 100 * hit / max(1, used + hit)


def _halve(arena: Arena, job: dict[str, Any], span: float) -> tuple[float, float]:
    """Flights until the new rate is held (0.9 of it used, 5 % refused at most), and refusals since the halving."""
    at = span / 3
    requests = _HALVED_FROM * (at + (span - at) / 2)
    counts = _upload(arena, requests, {**job, "concurrency": 16}, rate=_HALVED_FROM, delay=_FLIGHT, halve_after=at)
    allowed, refused = counts["allowed"], counts["refused"]
    step = at
    while step < allowed[-1] - _SETTLED_FOR:
        used, hit = _within(allowed, step, _SETTLED_FOR), _within(refused, step, _SETTLED_FOR)
        if used >= 0.9 * _SETTLED_FOR * _HALVED_FROM / 2 and hit <= 0.05 * (used + hit):
            break
        step += _FLIGHT / 4
    return (step - at) / _FLIGHT, float(_within(refused, at, float("inf")))


def _within(times: Sequence[float], began: float, span: float) -> int:
    return sum(began < time <= began + span for time in times)
