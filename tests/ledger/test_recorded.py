"""One run as the ledger has it, read from outside."""

from pathlib import Path

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import SETTLES, NumberState
from cashin_async.ledger.recorded import read_run
from tests.ledger.conftest import LATER, RUN, open_sqlite
from tests.ledger.test_status import LABELLED, two_nights

REJECTED, RELEASED, UNKNOWN = NumberState.REJECTED, NumberState.RELEASED, NumberState.UNKNOWN


async def test_it_has_the_numbers_that_the_run_touched_last(tmp_path: Path) -> None:
    ledger = await two_nights(tmp_path / "ledger.db")
    await ledger.save_run(LATER, {"read": 5})
    first, later = read_run(tmp_path / "ledger.db", RUN), read_run(tmp_path / "ledger.db", LATER)
    await ledger.close()
    assert (first.place, first.account, first.writer is not None) == (ledger.place, LABELLED, True)
    assert (first.status.run, first.newest, len(first)) == (RUN, False, 35)
    assert list(first)[19:22] == [
        (20, NumberState.ACCEPTED, None),
        (21, UNKNOWN, "no answer"),
        (22, UNKNOWN, "no answer"),
    ]
    assert list(later) == [
        (40, RELEASED, "absent"),
        *((number, REJECTED, "bad") for number in (50, 51, 52)),
        *((number, NumberState.POSTING, None) for number in (60, 61)),
    ]
    assert later.newest
    assert (list(first.doubtful), list(later.doubtful)) == ([], [*range(21, 36)])
    assert list(first.released) == [40]
    assert read_run(tmp_path / "ledger.db", RUN).writer is None


async def test_without_a_name_it_is_the_newest_upload(tmp_path: Path) -> None:
    await (await two_nights(tmp_path / "ledger.db")).close()
    assert read_run(tmp_path / "ledger.db").status.run == RUN


async def test_one_that_read_nothing_is_an_upload_and_one_that_settles_is_none(tmp_path: Path) -> None:
    """Last night's input could not be opened: the report must not be that of the night before."""
    ledger = await two_nights(tmp_path / "ledger.db")
    await ledger.save_run("20260106", {"read": 0, "source_errors": 1, "ended": "2026-01-06T02:10:00+00:00"})
    await ledger.save_run(f"20260107{SETTLES}", {"read": 0, "ended": "2026-01-07T02:10:00+00:00"})
    await ledger.close()
    assert read_run(tmp_path / "ledger.db").status.run == "20260106"
    for run in (f"20260107{SETTLES}", LATER):
        with pytest.raises(LedgerError, match="that run is no upload"):
            read_run(tmp_path / "ledger.db", run)


async def test_a_run_that_is_not_on_record(tmp_path: Path) -> None:
    await (await open_sqlite(tmp_path / "ledger.db")).close()
    with pytest.raises(LedgerError, match="no upload is on record"):
        read_run(tmp_path / "ledger.db")
    with pytest.raises(LedgerError, match="it has no such run"):
        read_run(tmp_path / "ledger.db", "yesterday")
    with pytest.raises(LedgerError, match="does not exist"):
        read_run(tmp_path / "nowhere.db")
