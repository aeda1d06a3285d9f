"""Whether a ledger could be opened, found out without opening it for writing."""

import asyncio
import stat
from pathlib import Path

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger import filesystem, health, opening
from cashin_async.ledger.base import NumberState
from cashin_async.ledger.health import LedgerHealth, examine
from cashin_async.ledger.sqlite import SqliteLedger
from cashin_async.ledger.status import read_status
from tests.ledger.conftest import ACCOUNT, RUN, batch, names, open_sqlite


async def filled(place: Path, count: int = 1) -> Path:
    ledger = await open_sqlite(place)
    await ledger.note(RUN, NumberState.ACCEPTED, None, dict.fromkeys(range(1, count + 1), 7))
    await ledger.close()
    return place


async def test_a_ledger_at_rest_is_left_as_it_is(tmp_path: Path) -> None:
    place = await filled(tmp_path / "ledger.db")
    before, files = place.stat(), names(tmp_path)
    seen = examine(place)
    assert (seen.place, seen.exists, seen.problem, seen.whole) == (place, True, None, True)
    assert seen.mode == stat.S_IMODE(before.st_mode) == 0o600
    assert seen.free is not None
    assert seen.free > 0
    assert seen.status is not None
    assert seen.status.states == {NumberState.ACCEPTED: 1}
    assert (place.stat().st_mtime_ns, names(tmp_path)) == (before.st_mtime_ns, files)


async def test_beside_its_writer(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    await ledger.lease(RUN, [batch(1, 2)])
    seen = await asyncio.to_thread(examine, tmp_path / "ledger.db")
    await ledger.close()
    assert (seen.problem, seen.whole) == (None, True)
    assert seen.status is not None
    assert seen.status.writer is not None


async def test_a_check_that_takes_too_long_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_STEPS", 10)
    seen = examine(await filled(tmp_path / "ledger.db", count=2000), seconds=0.0)
    assert (seen.problem, seen.whole) == (None, None)


def test_there_is_none_yet(tmp_path: Path) -> None:
    assert examine(tmp_path / "ledger.db") == LedgerHealth(
        tmp_path / "ledger.db", False, free=examine(tmp_path / "other.db").free
    )
    assert examine(tmp_path / "not" / "made" / "yet.db", usual=True).problem is None
    assert "does not exist" in str(examine(tmp_path / "not" / "made" / "yet.db").problem)
    assert names(tmp_path) == []


async def test_what_opening_would_refuse_is_said_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await filled(tmp_path / "ledger.db")
    monkeypatch.setattr(opening, "network_type", lambda place: "nfs4")
    with pytest.raises(LedgerError) as refused:
        await SqliteLedger.open(place, ACCOUNT)
    assert examine(place).problem == str(refused.value)
    assert "network file system (nfs4)" in str(refused.value)
    assert filesystem.network_type(place) is None


@pytest.mark.parametrize("content", [b"", b"short", b"no ledger " * 200])
def test_what_is_no_ledger(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "ledger.db"
    place.write_bytes(content)
    seen = examine(place)
    assert seen.problem is not None
    assert str(place) in seen.problem
    assert place.read_bytes() == content


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in str(examine(tmp_path).problem)


@pytest.mark.parametrize("pages", [1, 5], ids=["the last page, which only the check reads", "more"])
async def test_damage(tmp_path: Path, pages: int) -> None:
    place = await filled(tmp_path / "ledger.db", count=3000)
    content = place.read_bytes()
    place.write_bytes(content[: -4096 * pages] + b"\xa5" * 4096 * pages)
    if pages == 1:
        assert read_status(place).states == {NumberState.ACCEPTED: 3000}
    seen = examine(place)
    assert seen.problem is not None
    assert "damaged" in seen.problem
    assert "backup" in seen.problem
