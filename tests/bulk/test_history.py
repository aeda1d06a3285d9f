"""How fast a run was: sums stay exact, and memory flat, however long it takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.history import History, Past

TIMES = st.floats(0, 1e7)


def test_each_outcome_stands_in_its_interval() -> None:
    history = History(first=1.0, most=4)
    history.add(0.0, 5, 0)
    history.add(0.9, 5, 1)
    history.add(2.0, 7, 7)
    assert history.past(3.5) == Past(1.0, (10, 0, 7, 0), (1, 0, 7, 0), (0.0, 0.0, 0.0, 0.0))


def test_when_it_is_full_two_neighbours_become_one() -> None:
    history = History(first=1.0, most=4)
    for second in range(4):
        history.add(second, 1 + second, second)
    history.add(4.0, 100, 50)
    assert history.past(4.0) == Past(2.0, (3, 7, 100), (1, 5, 50), (0.0, 0.0, 0.0))


def test_a_hold_lies_where_it_was() -> None:
    history = History(first=1.0, most=8)
    history.hold(3.25, 2.0)
    assert history.past(4.5).held == (0.0, 0.75, 1.0, 0.25, 0.0)
    history.hold(4.5, 0.5)
    assert history.past(4.5).held == (0.0, 0.75, 1.0, 0.25, 0.5)


def test_a_hold_that_began_before_the_run_counts_from_its_beginning() -> None:
    history = History(first=1.0, most=8)
    history.hold(1.5, 60.0)
    assert history.past(1.5).held == (1.0, 0.5)


@given(st.lists(st.tuples(TIMES, st.integers(0, 1000), st.integers(0, 10))))
def test_sums_stay_exact_and_it_stays_small(added: list[tuple[float, int, int]]) -> None:
    history = History()
    for now, done, failed in added:
        history.add(now, done, failed)
    past = history.past(max((now for now, _, _ in added), default=0.0))
    assert sum(past.done) == sum(done for _, done, _ in added)
    assert sum(past.failed) == sum(failed for _, _, failed in added)
    assert 1 <= len(past.done) == len(past.failed) == len(past.held) <= 120


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 100))))
def test_the_time_held_is_all_there(holds: list[tuple[float, float]]) -> None:
    history = History()
    for now, seconds in holds:
        history.hold(now, seconds)
    assert sum(history.past(0).held) == pytest.approx(sum(min(now, seconds) for now, seconds in holds), abs=1e-3)


def test_what_is_saved_is_small_and_comes_back() -> None:
    history = History()
    for second in range(7 * 24 * 3600):
        history.add(second, 8_000, 3)
    past = history.past(7 * 24 * 3600)
    saved = json.dumps(past.as_dict())
    assert len(saved) < 3_000
    assert Past.of(json.loads(saved)).as_dict() == past.as_dict()


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"every": 0, "done": [], "failed": [], "held": []},
        {"every": 1, "done": [1], "failed": [], "held": [0]},
        {"every": 1, "done": ["1"], "failed": [0], "held": [0]},
        {"every": 1, "done": 5, "failed": [0], "held": [0]},
    ],
)
def test_what_is_no_history_is_refused(saved: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Past.of(saved)
