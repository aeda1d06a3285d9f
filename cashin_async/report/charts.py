"""Two charts as SVG: how fast a run was, and what became of its invoices. Pure.

Colours are classes, which the page's style sheet knows for light and dark.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

from cashin_async.bulk.history import Past
from cashin_async.bulk.outcome import State
from cashin_async.report.markup import Markup, element
from cashin_async.report.words import LANGS, Lang, duration, number

ORDER = (State.ACCEPTED, State.DUPLICATE, State.UNKNOWN, State.REJECTED, State.INVALID, State.UNSENT)
"""What is well stands first, what needs somebody together at the end."""

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 16, 12, 30
_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)  # what people count in
_TIMES = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
)
_LEAST = 4.0  # units of width: what is there is to be seen, be it one in a million
_BAR_WIDTH, _BAR_HEIGHT = 1000.0, 28


def throughput(past: Past, seconds: float, labelled_by: str) -> Markup:
    """Invoices a second over a run of `seconds`: a bar an interval, what failed on its foot, holds shaded behind."""
    bars = _intervals(past, seconds)
    top = _round_up(peak(past, seconds))
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    span = max(seconds, bars[-1].end) if bars else 1.0

    def across(second: float) -> float:
        return _LEFT + wide * second / span

    def up(rate: float) -> float:
        return _TOP + high - high * rate / top

    return element(
        "svg",
        _levels(top, up),
        _moments(span, across),
        _holds(past, across),
        _bars(((bar.begin, bar.end, bar.done) for bar in bars), across, up, "bar-done"),
        _bars(((bar.begin, bar.end, bar.failed) for bar in bars), across, up, "bar-failed"),
        element("line", class_="axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_TOP + high, y2=_TOP + high),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=labelled_by,
        class_="throughput",
    )


def _levels(top: float, up: Callable[[float], float]) -> Iterator[Markup]:
    """Lines across, each with its figure."""
    for share in (0.0, 0.5, 1.0):
        y = up(top * share)
        yield element("line", class_="grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_at(y), y2=_at(y))
        decimals = 0 if top >= 10 or top * share == int(top * share) else 2
        yield from _text(lambda lang, s=share, d=decimals: number(top * s, lang, d), _LEFT - 8, y + 4, "end")  # type: ignore[misc]


def _moments(span: float, across: Callable[[float], float]) -> Iterator[Markup]:
    """Figures of time below, at most six and the beginning."""
    step = next((step for step in _TIMES if span / step <= 6), 86400 * math.ceil(span / 86400 / 6))
    for place in range(int(span / step) + 1):
        second = place * step
        anchor = "end" if across(second) > _WIDTH - 40 else "middle"
        yield from _text(lambda lang, s=second: _clock(s, lang), across(second), _HEIGHT - 10, anchor)  # type: ignore[misc]


def _clock(second: float, lang: Lang) -> str:
    if second < 60:
        decimals = len(f"{second:.2f}".rstrip("0").partition(".")[2])
        return f"{number(second, lang, decimals)}\u00a0s"
    if second < 3600 and second % 60 == 0:
        return f"{second // 60:.0f}\u00a0min"
    if second % 3600 == 0:
        return f"{number(second // 3600, lang)}\u00a0h"
    return duration(second, lang)


def _holds(past: Past, across: Callable[[float], float]) -> Iterator[Markup]:
    """A shade behind where everybody was held: intervals that were so for at least half of them, joined."""
    held = [False, *(seconds >= past.every / 2 for seconds in past.held), False]
    edges = [place for place, (one, other) in enumerate(pairwise(held)) if one != other]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        x, width = across(begin * past.every), across(end * past.every) - across(begin * past.every)
        yield element("rect", class_="held", x=_at(x), y=_TOP, width=_at(width), height=_HEIGHT - _TOP - _BOTTOM)


class _Interval(NamedTuple):
    """Seconds, and what was done in them."""

    begin: float
    end: float
    done: int
    failed: int

    @property
    def rate(self) -> float:
        return self.done / (self.end - self.begin)


def _intervals(past: Past, seconds: float) -> list[_Interval]:
    """What the chart shows as bars. The last one ends with the run; one below half the others' length joins the one
    before it, for a few invoices in a moment are no speed."""
    every = past.every
    bars = [
        _Interval(place * every, (place + 1) * every, done, failed)
        for place, (done, failed) in enumerate(zip(past.done, past.failed, strict=True))
    ]
    if seconds <= 0 or not bars or not bars[-1].begin <= seconds < bars[-1].end:
        return bars
    last = bars.pop()._replace(end=seconds)
    if bars and seconds - last.begin < every / 2:
        before = bars.pop()
        last = _Interval(before.begin, seconds, before.done + last.done, before.failed + last.failed)
    return [*bars, last]


def _bars(
    counts: Iterable[tuple[float, float, int]],
    across: Callable[[float], float],
    up: Callable[[float], float],
    kind: str,
) -> Iterator[Markup]:
    foot = up(0.0)
    for begin, end, count in counts:
        if count:
            x, y = across(begin), up(count / (end - begin))
            width = across(end) - x
            gap = min(1.0, width / 5)
            height = max(foot - y, 1.5)  # one invoice is to be seen beside ten thousand
            yield element(
                "rect", class_=kind, x=_at(x), y=_at(foot - height), width=_at(width - gap), height=_at(height)
            )


def _text(said: Callable[[Lang], str], x: float, y: float, anchor: str) -> Iterator[Markup]:
    """The same place in both languages, of which the style sheet shows one."""
    for lang in LANGS:
        yield element("text", said(lang), class_="t", lang=lang, x=_at(x), y=_at(y), text_anchor=anchor)


def outcomes(counts: Mapping[State, int], labelled_by: str) -> Markup:
    """One bar, in which each outcome has its share; what is few has a little more, so that it is seen."""
    there = [state for state in ORDER if counts[state]]
    widths = _shares([counts[state] for state in there])
    lefts = accumulate(widths, initial=0.0)
    return element(
        "svg",
        (
            element("rect", class_=f"part {state}", x=_at(x), y=0, width=_at(max(width - 2, 1)), height=_BAR_HEIGHT)
            for state, x, width in zip(there, lefts, widths, strict=False)
        ),
        viewBox=f"0 0 {_BAR_WIDTH:.0f} {_BAR_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_labelledby=labelled_by,
        class_="outcomes",
    )


def _shares(counts: list[int]) -> list[float]:
    """Widths that fill the bar: in proportion, but none below the least."""
    whole = sum(counts)
    widths = [max(2 * _LEAST, _BAR_WIDTH * count / whole) for count in counts]
    largest = max(range(len(widths)), key=widths.__getitem__, default=None)
    if largest is not None:
        widths[largest] -= sum(widths) - _BAR_WIDTH
    return widths


def peak(past: Past, seconds: float) -> float:
    """The most invoices a second of any interval of a run of `seconds`."""
    return max((bar.rate for bar in _intervals(past, seconds)), default=0.0)


def _round_up(value: float) -> float:
    """The next figure that people count in."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (*_STEPS, 20) if step * power >= value)


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
