"""A log that was damaged after it was written is told from one that a crash cut short."""

from pathlib import Path

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, NumberState, Part
from cashin_async.ledger.sqlite import SqliteLedger
from cashin_async.ledger.wal import is_damaged

ACCOUNT = Account("test")


@pytest.fixture
async def abandoned(tmp_path: Path) -> Path:
    """A copy of a ledger as its process left it when it was killed."""
    ledger = await SqliteLedger.open(tmp_path / "a.db", ACCOUNT, new=True)
    for start in range(1, 2001, 100):
        numbers = list(range(start, start + 100))
        (lease,) = await ledger.lease("run", [(numbers, numbers)])
        await ledger.post(lease)
        await ledger.settle(lease, [Part(NumberState.ACCEPTED)])
    copy = tmp_path / "copy.db"
    for end in ("", "-wal"):
        copy.with_name(copy.name + end).write_bytes((tmp_path / f"a.db{end}").read_bytes())
    await ledger.close()
    return copy


def wal_of(place: Path) -> Path:
    return place.with_name(f"{place.name}-wal")


async def test_a_whole_log_is_read(abandoned: Path) -> None:
    assert not is_damaged(wal_of(abandoned))
    ledger = await SqliteLedger.open(abandoned, ACCOUNT)
    assert len(await ledger.in_state(NumberState.ACCEPTED, 0, 5000)) == 2000
    await ledger.close()


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9])
async def test_a_flipped_bit_in_the_middle_is_an_error(abandoned: Path, share: float) -> None:
    content = bytearray(wal_of(abandoned).read_bytes())
    content[int(len(content) * share)] ^= 1
    wal_of(abandoned).write_bytes(content)
    with pytest.raises(LedgerError, match=r"copy\.db-wal is damaged.*settle --accepted"):
        await SqliteLedger.open(abandoned, ACCOUNT)
    assert wal_of(abandoned).read_bytes() == content, "left as it was found"


@pytest.mark.parametrize("cut", [1, 100, 4000, 4120])
async def test_a_log_that_was_cut_short_is_none(abandoned: Path, cut: int) -> None:
    content = wal_of(abandoned).read_bytes()
    wal_of(abandoned).write_bytes(content[:-cut])
    assert not is_damaged(wal_of(abandoned))
    await (await SqliteLedger.open(abandoned, ACCOUNT)).close()


async def test_whoever_got_round_the_lock_takes_over(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    first = await SqliteLedger.open(place, ACCOUNT, new=True)
    (lease,) = await first.lease("run-1", [([1, 2], [1, 2])])
    place.with_name("ledger.db.lock").unlink()
    second = await SqliteLedger.open(place, ACCOUNT)
    with pytest.raises(LedgerError, match="taken over"):
        await first.post(lease)
    with pytest.raises(LedgerError):
        await first.lease("run-1", [([3], [3])])
    (mine,) = await second.lease("run-2", [([1, 2, 3], [1, 2, 3])])
    await second.settle(mine, [Part(NumberState.ACCEPTED)])
    await first.close()
    await second.close()


async def test_a_second_name_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    await (await SqliteLedger.open(place, ACCOUNT, new=True)).close()
    (tmp_path / "other.db").hardlink_to(place)
    with pytest.raises(LedgerError, match="second name"):
        await SqliteLedger.open(place, ACCOUNT)
