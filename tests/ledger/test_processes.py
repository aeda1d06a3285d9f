"""One writer at a time, and what a process leaves that is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from cashin_async.errors import LedgerError, LedgerInUse
from cashin_async.ledger import lock
from cashin_async.ledger.base import NumberState
from cashin_async.ledger.lock import WriterLock, holder, lock_file
from cashin_async.ledger.status import read_status
from tests.ledger.conftest import open_sqlite

_OTHER_PROCESS = """
import asyncio, sys
from tests.ledger.conftest import RUN, batch, open_sqlite

async def main(place):
    ledger = await open_sqlite(place)
    one, two, three = await ledger.lease(RUN, [batch(1), batch(2), batch(3, 4)])
    await ledger.post(one)
    await ledger.post(two)
    ledger.take_back(two)
    await ledger.post(three, [4])
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await ledger.close()

asyncio.run(main(sys.argv[1]))
"""


@asynccontextmanager
async def another_process(place: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Has the ledger open, with 1 and 4 in flight, 2 and 3 leased; ends with its standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _OTHER_PROCESS, place),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    async with another_process(place) as process:
        with pytest.raises(LedgerInUse) as refused:
            await open_sqlite(place)
        since = datetime.now().astimezone().strftime("%Y-%m-%d")
        assert str(refused.value).startswith(f"ledger {place} is in use by process {process.pid} since {since}")
        status = read_status(place)
        assert status.writer is not None
        assert status.writer.pid == process.pid
        assert status.states == {NumberState.LEASED: 2, NumberState.POSTING: 2}
    ledger = await open_sqlite(place)
    assert await ledger.in_state(NumberState.UNKNOWN) == [1, 4]
    await ledger.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
async def test_a_killed_process_lets_go_and_what_was_in_flight_is_unknown(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    async with another_process(place) as process:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    status = read_status(place)
    assert (status.writer, status.states) == (None, {NumberState.LEASED: 2, NumberState.POSTING: 2})
    ledger = await open_sqlite(place)
    assert await ledger.in_state(NumberState.UNKNOWN) == [1, 4]
    assert await ledger.in_state(NumberState.UNSENT) == [2, 3]
    await ledger.close()


async def test_a_second_client_of_the_same_process_is_refused(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    with pytest.raises(LedgerInUse, match=f"in use by process {os.getpid()} since"):
        await open_sqlite(tmp_path / "ledger.db")
    await ledger.close()
    await (await open_sqlite(tmp_path / "ledger.db")).close()


async def test_of_many_that_open_at_once_one_gets_it(tmp_path: Path) -> None:
    opened = await asyncio.gather(*(open_sqlite(tmp_path / "ledger.db") for _ in range(8)), return_exceptions=True)
    got = [ledger for ledger in opened if not isinstance(ledger, BaseException)]
    assert len(got) == 1
    assert sum(isinstance(error, LedgerInUse) for error in opened) == 7
    await got[0].close()


def test_whoever_looks_does_not_keep_a_writer_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "ledger.db"
    WriterLock.take(place).release()
    file = os.open(lock_file(place), os.O_RDONLY)
    lock._try_lock(file, shared=True)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(file))  # the one who looks is done
    WriterLock.take(place).release()


def test_a_lock_stays_behind_unheld(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    assert holder(place) is None
    held = WriterLock.take(place)
    found = holder(place)
    assert found is not None
    assert found.pid == os.getpid()
    held.release()
    assert lock_file(place).read_text().startswith(f"{os.getpid()} 20")
    assert holder(place) is None


def test_a_lock_without_a_readable_text_is_a_lock(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    held = WriterLock.take(place)
    lock_file(place).write_text("?")
    with pytest.raises(LedgerInUse, match="is in use by another process"):
        WriterLock.take(place)
    held.release()


async def test_where_there_are_no_locks_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(file: int, *, shared: bool) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock, "_try_lock", none)
    with pytest.raises(LedgerError, match="cannot be opened: No locks available"):
        await open_sqlite(tmp_path / "ledger.db")
