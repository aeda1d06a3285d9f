"""One run as the ledger has it, read from outside."""

from pathlib import Path

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import NumberState
from cashin_async.ledger.recorded import read_run
from tests.ledger.conftest import LATER, RUN, open_sqlite
from tests.ledger.test_status import LABELLED, two_nights

REJECTED, RELEASED, UNKNOWN = NumberState.REJECTED, NumberState.RELEASED, NumberState.UNKNOWN


async def test_it_has_the_numbers_that_the_run_touched_last(tmp_path: Path) -> None:
    ledger = await two_nights(tmp_path / "ledger.db")
    first, later = read_run(tmp_path / "ledger.db", RUN), read_run(tmp_path / "ledger.db", LATER)
    await ledger.close()
    assert (first.place, first.account, first.writer is not None) == (ledger.place, LABELLED, True)
    assert (first.status.run, first.newest, len(first)) == (RUN, True, 35)
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
    assert not later.newest, "it is no upload: nothing was read"
    assert read_run(tmp_path / "ledger.db", RUN).writer is None


async def test_without_a_name_it_is_the_newest_upload(tmp_path: Path) -> None:
    await (await two_nights(tmp_path / "ledger.db")).close()
    assert read_run(tmp_path / "ledger.db").status.run == RUN


async def test_a_run_that_is_not_on_record(tmp_path: Path) -> None:
    await (await open_sqlite(tmp_path / "ledger.db")).close()
    with pytest.raises(LedgerError, match="no upload is on record"):
        read_run(tmp_path / "ledger.db")
    with pytest.raises(LedgerError, match="it has no such run"):
        read_run(tmp_path / "ledger.db", "yesterday")
    with pytest.raises(LedgerError, match="does not exist"):
        read_run(tmp_path / "nowhere.db")
