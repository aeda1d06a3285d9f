"""A run as its ledger has it: also one of an older version, and one that could not note how it ended."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cashin_async.bulk.grouping import Kind
from cashin_async.bulk.history import Past
from cashin_async.bulk.outcome import State
from cashin_async.errors import LedgerError
from cashin_async.ledger.base import SETTLES, NumberState, Part
from cashin_async.ledger.lock import Holder
from cashin_async.ledger.recorded import RecordedRun, read_run
from cashin_async.report.reported import Ending, Reported, of_record, rows_on_record, summary_of
from tests.ledger.conftest import LATER, RUN, batch, open_sqlite

BEGAN = datetime(2026, 8, 6, 1, tzinfo=UTC)
ENDED = {"began": BEGAN.isoformat(), "ended": "2026-08-06T01:10:00+00:00", "read": 4, "accepted": 2, "unknown": 2}
WRITER = Holder(1, datetime(2026, 8, 6, tzinfo=UTC))


async def recorded(place: Path, facts: dict[str, Any]) -> RecordedRun:
    """1 and 2 are accepted, 3 is unknown, 4 in flight, 5 about to be sent."""
    ledger = await open_sqlite(place)
    await ledger.save_run(RUN, facts)
    accepted, lost, posted, _ = await ledger.lease(RUN, [batch(1, 2), batch(3), batch(4), batch(5)])
    await ledger.settle(accepted, [Part(NumberState.ACCEPTED)])
    await ledger.settle(lost, [Part(NumberState.UNKNOWN, "no answer")])
    await ledger.post(posted)
    record = replace(read_run(ledger.place or ""), writer=None)
    await ledger.close()
    return record


async def of(tmp_path: Path, facts: dict[str, Any], **changes: Any) -> Reported:
    return of_record(replace(await recorded(tmp_path / "ledger.db", facts), **changes))


async def test_a_run_that_ended(tmp_path: Path) -> None:
    kinds = [["unknown", None, "no answer", 2], ["invalid", "reference", "", 7]]
    history = {"every": 0.5, "done": [3, 1], "failed": [1, 1], "held": [0, 0.25]}
    facts = {**ENDED, "kinds": kinds, "history": history, "holds": 2, "held_seconds": 1.5, "read_to_end": True}
    told = await of(tmp_path, facts)
    assert (told.ending, told.read, told.failed, told.ok) == (Ending.WHOLE, 4, 2, False)
    cut_off = "the run was cut off while it was in flight"
    unknown = [(Kind(State.UNKNOWN, None, why), 1) for why in ("no answer", cut_off)]
    assert told.kinds == [*unknown, (Kind(State.INVALID, "reference", ""), 7)]
    assert told.past == Past(0.5, [3, 1], [1, 1], [0.0, 0.25])
    assert (told.holds, told.held_seconds) == (2, 1.5)
    assert told.began == BEGAN
    assert told.from_ledger


@pytest.mark.parametrize("kinds", [None, 7, [["unknown", None]], [["lost", None, "x", 1]]])
@pytest.mark.parametrize("history", [None, [], {"every": 1}])
async def test_one_of_another_version_has_what_there_is(tmp_path: Path, kinds: Any, history: Any) -> None:
    told = await of(tmp_path, {**ENDED, "kinds": kinds, "history": history})
    assert told.past is None
    assert [kind.state for kind, _ in told.kinds] == [State.UNKNOWN, State.UNKNOWN, State.UNSENT]


async def test_one_that_was_cut_off_counts_what_is_on_record(tmp_path: Path) -> None:
    told = await of(tmp_path, {"read": 1, "accepted": 1, "invalid": 3})
    assert told.ending is Ending.CUT_OFF
    assert told.counts == dict(zip(State, (2, 0, 3, 0, 2, 1), strict=True))
    assert not told.read_to_end
    assert [row.number for row in told.rows()] == [3, 4, 5]


async def test_what_it_did_not_note_is_not_told(tmp_path: Path) -> None:
    history = {"every": 1.0, "done": [3, 1], "failed": [0, 0], "held": [0, 0]}
    told = await of(tmp_path, {"read": 4, "accepted": 4, "seconds": 2.0, "max_in_flight": 0, "history": history})
    assert told.max_in_flight is None
    assert told.per_second == 2.0, "of what was noted, not of what is on record by now"


async def test_what_is_unknown_since_an_earlier_run_is_listed(tmp_path: Path) -> None:
    """A later run only met the numbers again: they stay the earlier one's."""
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place)
    (lost,) = await ledger.lease(RUN, [batch(1, 2, 3)])
    await ledger.settle(lost, [Part(NumberState.UNKNOWN, "no answer")])
    await ledger.save_run(LATER, {"read": 3, "unknown": 3, "ended": "2026-08-06T01:10:00+00:00", "kinds": []})
    (third,) = await ledger.lease("third", [batch(7)])
    await ledger.settle(third, [Part(NumberState.UNKNOWN, "of a later run")])
    told = of_record(read_run(place, LATER))
    assert [(row.number, row.state) for row in told.rows()] == [(number, "unknown") for number in (1, 2, 3)]
    assert [count for _, count in told.kinds] == [3]
    assert (told.failed, told.settled_since) == (3, 0)
    await ledger.decide(f"x{SETTLES}", NumberState.ACCEPTED, "found", [1, 2])
    told = of_record(read_run(place, LATER))
    assert ([row.number for row in told.rows()], told.failed, told.settled_since) == ([3], 1, 2)
    await ledger.decide(f"x{SETTLES}", NumberState.RELEASED, "absent", [3])
    told = of_record(read_run(place, LATER))
    assert (list(told.rows()), told.kinds, told.failed, told.settled_since) == ([], [], 0, 3)
    assert (told.counts[State.UNKNOWN], told.released, list(told.released_numbers)) == (3, 1, [3])
    assert not told.ok
    await ledger.close()


async def test_numbers_that_it_released_are_no_outcomes_of_it(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place)
    (lost,) = await ledger.lease(RUN, [batch(1, 2)])
    await ledger.settle(lost, [Part(NumberState.UNKNOWN, "no answer")])
    await ledger.save_run(LATER, {"read": 0})
    await ledger.decide(LATER, NumberState.RELEASED, "absent", [1, 2])
    record = replace(read_run(place, LATER), writer=None)
    told = of_record(record)
    assert (told.read, list(told.rows()), told.released) == (0, [], 2)
    summary = summary_of(told, record)
    assert (summary["read"], summary["unsent"], summary["released"]) == (0, 0, 2)
    await ledger.close()


@pytest.mark.parametrize("facts", [{"accepted": "many"}, {"seconds": []}, {"read": 1, "requests": None}])
async def test_damaged_facts_are_said_to_be_damaged(tmp_path: Path, facts: dict[str, Any]) -> None:
    with pytest.raises(LedgerError, match="are damaged"):
        await of(tmp_path, {**ENDED, **facts})


async def test_one_under_way_lists_nothing_that_is_on_its_way(tmp_path: Path) -> None:
    told = await of(tmp_path, {"read": 3, "accepted": 2, "unknown": 1}, writer=WRITER)
    assert told.ending is Ending.UNDER_WAY
    assert [row.number for row in told.rows()] == [3]


async def test_one_of_which_another_is_under_way_since_was_cut_off(tmp_path: Path) -> None:
    assert (await of(tmp_path, {"read": 3}, writer=WRITER, newest=False)).ending is Ending.CUT_OFF


@pytest.mark.parametrize(
    ("facts", "ending"),
    [
        ({"interrupted": True, "stopped": "interrupted by SIGINT"}, Ending.INTERRUPTED),
        ({"interrupted": False, "stopped": "HTTP 401"}, Ending.STOPPED),
        ({}, Ending.WHOLE),
    ],
)
async def test_how_it_ended(tmp_path: Path, facts: dict[str, Any], ending: Ending) -> None:
    assert (await of(tmp_path, {**ENDED, **facts})).ending is ending


async def test_rows_for_programs_hold_all_of_it(tmp_path: Path) -> None:
    record = await recorded(tmp_path / "ledger.db", ENDED)
    assert [(row.number, row.state) for row in rows_on_record(record)] == [
        (1, "accepted"),
        (2, "accepted"),
        (3, "unknown"),
        (4, "unknown"),
        (5, "unsent"),
    ]
