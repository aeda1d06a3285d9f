"""Ledgers to test: what the protocol promises, every one of them keeps."""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cashin_async.ledger.base import Account, Ledger
from cashin_async.ledger.memory import MemoryLedger
from cashin_async.ledger.sqlite import SqliteLedger

ACCOUNT = Account("http://127.0.0.1:8765")
RUN = "20260105T020000Z-a1b2c3"
LATER = "20260106T020000Z-d4e5f6"


async def open_sqlite(place: Path, boot: str | None = "boot-1", **options: Any) -> SqliteLedger:
    """A ledger on a machine that was started as `boot`."""
    options.setdefault("account", ACCOUNT)
    return await SqliteLedger.open(place, new=True, boot=lambda: boot, **options)


def copy_as_it_is(place: Path, to: Path) -> Path:
    """The file and its WAL as the operating system has them now: what is left when the process is killed."""
    for end in ("", "-wal"):
        part = place.with_name(place.name + end)
        if part.exists():
            shutil.copy(part, to.with_name(to.name + end))
    return to


def names(folder: Path) -> list[str]:
    """The files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def batch(*numbers: int) -> tuple[Sequence[int], Sequence[int]]:
    """Numbers with digests that can be told from them."""
    return numbers, [-number * 1000 for number in numbers]


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    """Each ledger there is, new."""
    opened: Ledger = MemoryLedger() if request.param == "memory" else await open_sqlite(tmp_path / "ledger.db")
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    """A new one in a file."""
    opened = await open_sqlite(tmp_path / "ledger.db")
    yield opened
    await opened.close()
