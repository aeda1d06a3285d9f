"""Invoices a second and the time left, from values: no clock."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async import Progress, State
from cashin_async.report.progress import duration, rounded
from cashin_async.report.speed import Meter, Speed


def progress(seconds: float, done: int, total: int = 100_000, **other: object) -> Progress:
    """All of `total` is read."""
    given: dict[str, object] = {
        "read": total,
        "counts": {**dict.fromkeys(State, 0), State.ACCEPTED: done},
        "in_flight": 1,
        "window": 1,
        "requests": 1,
        "retries": 0,
        "held_for": 0.0,
        "seconds": seconds,
        "share_read": 1.0,
    }
    return Progress(**{**given, **other})  # type: ignore[arg-type]


def metered(*seen: Progress) -> Meter:
    meter = Meter()
    for one in seen:
        meter.note(one)
    return meter


def test_now_is_the_last_few_seconds_and_overall_the_run() -> None:
    meter = metered(*(progress(t / 4, min(t, 40) * 250) for t in range(81)))  # 1,000 a second for 10 s, then nothing
    assert meter.now == 0.0
    assert meter.overall == 500.0
    meter = metered(*(progress(t / 4, t * 250) for t in range(81)))
    assert meter.now == meter.overall == 1000.0


def test_nothing_was_seen_yet() -> None:
    meter = Meter()
    assert (meter.now, meter.overall, meter.left) == (0.0, 0.0, None)
    meter.note(progress(0.0, 0))
    assert (meter.now, meter.overall, meter.left) == (0.0, 0.0, None)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 1000)), max_size=300))
def test_the_speed_is_between_the_slowest_and_the_fastest_step_and_memory_is_flat(
    steps: list[tuple[float, int]],
) -> None:
    speed, seconds, done = Speed(5.0), 0.0, 0
    for step, count in steps:
        seconds, done = seconds + step, done + count
        speed.note(seconds, done)
        assert speed.value >= 0
        assert len(speed._seen) <= 202
    if seconds > 0 and len(steps) == 1:
        assert speed.value == pytest.approx(done / seconds)


def test_the_time_left_is_what_is_left_by_the_pace() -> None:
    meter = metered(*(progress(t / 4, t * 250) for t in range(41)))
    assert meter.left == pytest.approx(90.0, rel=0.01)


@pytest.mark.parametrize(
    "told_nothing",
    [progress(2.0, 1000), progress(9.0, 0), progress(9.0, 10, share_read=None), progress(9.0, 10, stopped="over")],
)
def test_there_may_be_no_telling(told_nothing: Progress) -> None:
    assert metered(told_nothing).left is None


def test_a_hold_adds_what_it_has_to_go() -> None:
    assert metered(progress(10.0, 10_000, held_for=30.0)).left == pytest.approx(120.0)


def test_the_time_left_does_not_jump() -> None:
    """The server is five times slower from one moment on, and then stands still for half a minute."""
    meter, done, shown = Meter(), 0.0, []
    for quarter in range(1200):
        seconds = quarter / 4
        done += 250 if seconds < 30 else 0 if 100 < seconds < 130 else 50
        meter.note(progress(seconds, int(done), total=500_000))
        if meter.left is not None:
            shown.append(meter.left)
    jumps = [abs(after - before) / before for before, after in pairwise(shown)]
    assert max(jumps) < 0.03, "a quarter of a second moves it by 3 % at most"
    assert shown[-1] == pytest.approx((500_000 - done) / 200, rel=0.1), "and in the end it is right"


def test_an_estimate_is_no_more_exact_than_it_can_be() -> None:
    assert [duration(rounded(s)) for s in (0.2, 7.0, 61.0, 299.0, 301.0, 500.0, 3700.0)] == [
        "5 s",
        "5 s",
        "1 min 0 s",
        "5 min 0 s",
        "5 min 0 s",
        "8 min 30 s",
        "1 h 0 min",
    ]
