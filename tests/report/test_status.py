"""A ledger on the terminal: at most 80 columns, whatever is on record."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cashin_async.bulk.outcome import State
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.lock import Holder
from cashin_async.ledger.status import LedgerStatus, RunStatus
from cashin_async.report.status import SHOWN_RUNS, print_status

NOW = datetime(2026, 8, 6, 8, 0, tzinfo=UTC)
ENDED: dict[str, Any] = {"ended": NOW.isoformat()}


def run(facts: dict[str, Any], began: datetime = NOW, **states: int) -> RunStatus:
    named = {NumberState(name): count for name, count in states.items()}
    return RunStatus("20260806T080000Z-abc123", began, facts, named)


def shown(*runs: RunStatus, writer: Holder | None = None, **states: int) -> str:
    status = LedgerStatus(
        place="/ledger.db",
        account=Account("production", "ACME"),
        version=1,
        writer=writer,
        states={NumberState(name): count for name, count in states.items()},
        unknown=tuple(range(1, 1 + min(10, states.get("unknown", 0)))),
        released=tuple(range(1, 1 + min(10, states.get("released", 0)))),
        runs=runs,
    )
    out = io.StringIO()
    print_status(status, Console(file=out, width=80, highlight=False, markup=False))
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
    return out.getvalue()


def test_an_empty_ledger() -> None:
    assert shown() == "/ledger.db, of ACME at production\nNo invoice is on record.\n"


def test_every_state_has_its_meaning() -> None:
    numbers = {str(state): 1_000_000 for state in NumberState if state is not NumberState.PLANNED}
    for writer in (None, Holder(1, NOW)):
        lines = shown(writer=writer, **numbers).splitlines()
        for state in numbers:
            (line,) = [line for line in lines if line.startswith(f"1,000,000  {state} ")]
            assert line.partition(state)[2].strip(), "no meaning"
    assert "unknown: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 999,990 more" in lines


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (run({**ENDED, **{str(state): 2 for state in State}}), ", ".join(f"2 {state}" for state in State)),
        (run({**ENDED, "accepted": 5, "unknown": 2}, accepted=5), "5 accepted, 2 unknown"),
        (run({**ENDED, "unknown": 2}, unknown=1, released=1), "2 unknown; unsettled now: 1 unknown, 1 released"),
        (run({**ENDED, "accepted": 0}, accepted=12), "12 accepted"),
        (run(ENDED), "nothing"),
        (run({}, accepted=3), "3 accepted"),
        (run({**ENDED, "accepted": 1, "interrupted": True}), "1 accepted; interrupted"),
        (run({**ENDED, "unsent": 1, "stopped": "HTTP 401"}), "1 unsent; stopped: HTTP 401"),
        (run({"accepted": 1}), "1 accepted; cut off"),
    ],
)
def test_what_became_of_a_run(one: RunStatus, said: str) -> None:
    assert said in " ".join(shown(one).replace(one.run, "").split())


def test_a_run_under_way_and_one_before_it() -> None:
    facts = {"accepted": 1}
    text = shown(run(facts), run(facts, NOW - timedelta(hours=1)), writer=Holder(7, NOW + timedelta(seconds=0.7)))
    assert "in use by process 7 since 2026-08-06" in text
    first, second = [line for line in text.splitlines() if "1 accepted" in line]
    assert "under way" in first
    assert "cut off" in second


def test_many_runs() -> None:
    text = shown(*[run({**ENDED, "accepted": 1})] * (SHOWN_RUNS + 1))
    assert text.count("1 accepted") == SHOWN_RUNS
    assert "... and earlier ones: --json has them all" in text


def test_what_others_wrote_does_not_steer_the_terminal() -> None:
    assert "\x1b" not in shown(run({**ENDED, "stopped": "\x1b[2J"}))
