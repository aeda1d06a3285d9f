"""The thread that writes: what goes together, what waits for whom, and what happens when it cannot write."""

import asyncio
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Known, NumberState, Part
from cashin_async.ledger.book import Book, Kind
from cashin_async.ledger.explain import explained
from cashin_async.ledger.sqlite import SqliteLedger
from tests.ledger.conftest import RUN, batch, names, open_sqlite

ALL_ACCEPTED = [Part(NumberState.ACCEPTED)]


class Gate:
    """Holds the thread, so that work gathers behind it."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self._open, entered = threading.Event(), threading.Event()

        def hold(_: object) -> None:
            entered.set()
            self._open.wait(10)

        held = ledger._writer.ask(hold, Kind.READ)
        entered.wait(10)
        held.add_done_callback(lambda held: held.cancelled() or held.exception())  # that of its group

    def open(self) -> None:
        self._open.set()


async def on_thread(ledger: SqliteLedger, do: Callable[[sqlite3.Connection], Any]) -> Any:
    return await ledger._writer.ask(lambda book: do(book._sql), Kind.READ)


async def traced(ledger: SqliteLedger) -> list[str]:
    """What SQLite is told from now on: transactions, and how they are synced."""
    said: list[str] = []

    def trace(statement: str) -> None:
        if statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA synchronous")):
            said.append(statement)

    await on_thread(ledger, lambda sql: sql.set_trace_callback(trace))
    return said


async def fill_the_disk(ledger: SqliteLedger, pages: int = 0) -> None:
    """The file may grow by so many pages, and no more."""

    def limit(sql: sqlite3.Connection) -> None:
        (now,) = sql.execute("PRAGMA page_count").fetchone()
        sql.execute(f"PRAGMA max_page_count = {now + pages}").fetchone()

    await on_thread(ledger, limit)


def many(start: int, count: int = 20_000) -> tuple[range, range]:
    return range(start, start + count), range(start, start + count)


# -- groups


async def test_what_waits_goes_into_one_transaction(sqlite: SqliteLedger) -> None:
    leases = await sqlite.lease(RUN, [batch(number) for number in range(1, 21)])
    said = await traced(sqlite)
    gate = Gate(sqlite)
    posts = asyncio.gather(*map(sqlite.post, leases))
    await asyncio.sleep(0)
    gate.open()
    await posts
    assert said == ["PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE", "COMMIT"]


async def test_only_leases_and_decisions_are_synced(sqlite: SqliteLedger) -> None:
    said = await traced(sqlite)

    async def synced() -> bool:
        assert said[-2:] == ["BEGIN IMMEDIATE", "COMMIT"]
        (level,) = await on_thread(sqlite, lambda sql: sql.execute("PRAGMA synchronous").fetchone())
        assert level in (1, 2)
        return bool(level == 2)

    (lease, other) = await sqlite.lease(RUN, [batch(1), batch(2)])
    assert await synced()
    await sqlite.post(lease)
    assert not await synced()
    await sqlite.settle(lease, [Part(NumberState.UNKNOWN)])
    assert not await synced()
    await sqlite.decide(RUN, NumberState.ACCEPTED, None, [1])
    assert await synced()
    sqlite.take_back(other)
    await sqlite.note(RUN, NumberState.INVALID, None, {9: None})
    assert not await synced()
    await sqlite.note(RUN, NumberState.ACCEPTED, None, {8: None})
    assert await synced()
    await sqlite.save_run(RUN, {})
    assert not await synced()


async def test_what_needs_no_sync_does_not_wait_for_one(sqlite: SqliteLedger) -> None:
    (lease, other) = await sqlite.lease(RUN, [batch(1), batch(2)])
    await sqlite.post(other)
    said = await traced(sqlite)
    gate = Gate(sqlite)
    waiting = asyncio.gather(sqlite.post(lease), sqlite.lease(RUN, [batch(3)]), sqlite.settle(other, ALL_ACCEPTED))
    await asyncio.sleep(0)
    gate.open()
    await waiting
    assert said == ["BEGIN IMMEDIATE", "COMMIT", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT"]


async def test_one_that_is_refused_does_not_disturb_the_others(sqlite: SqliteLedger) -> None:
    await sqlite.note(RUN, NumberState.ACCEPTED, None, {1: 1})
    gate = Gate(sqlite)
    calls = [sqlite.lease(RUN, [batch(2)]), sqlite.lease(RUN, [batch(1)]), sqlite.lease(RUN, [batch(3)])]
    together = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    gate.open()
    one, refused, other = await together
    assert isinstance(refused, LedgerError)
    assert await sqlite.in_state(NumberState.LEASED) == [2, 3]
    assert (isinstance(one, list), isinstance(other, list), sqlite.failure) == (True, True, None)


async def test_new_numbers_are_known_to_be_new_without_asking_the_thread(sqlite: SqliteLedger) -> None:
    await sqlite.note(RUN, NumberState.ACCEPTED, None, {100: 1})
    gate = Gate(sqlite)
    assert await asyncio.wait_for(sqlite.known(range(101, 200)), 1) == {}
    lease = asyncio.ensure_future(sqlite.lease(RUN, [batch(150)]))
    await asyncio.sleep(0)
    known = asyncio.ensure_future(sqlite.known([120, 150]))
    gate.open()
    assert list(await known) == [150]
    await lease


# -- cancelled


async def cancelled(call: "asyncio.Future[Any]", gate: Gate) -> None:
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    gate.open()


async def test_a_lease_nobody_waits_for_any_more_ends_at_once(sqlite: SqliteLedger) -> None:
    await sqlite.note(RUN, NumberState.INVALID, "bad", {1: 1})
    await cancelled(asyncio.ensure_future(sqlite.lease(RUN, [batch(1), batch(2)])), Gate(sqlite))
    known = await sqlite.known([1, 2])
    assert (known[1].state, known[2].state) == (NumberState.INVALID, NumberState.UNSENT)
    await sqlite.lease(RUN, [batch(1, 2)])


async def test_a_post_nobody_waits_for_any_more_is_taken_back(sqlite: SqliteLedger) -> None:
    (lease,) = await sqlite.lease(RUN, [batch(1, 2, 3)])
    await cancelled(asyncio.ensure_future(sqlite.post(lease)), Gate(sqlite))
    assert await sqlite.in_state(NumberState.LEASED) == [1, 2, 3]
    await cancelled(asyncio.ensure_future(sqlite.post(lease, [1, 3])), Gate(sqlite))
    assert await sqlite.in_state(NumberState.LEASED) == [1, 2, 3]
    await sqlite.post(lease)
    await sqlite.settle(lease, [Part(NumberState.UNKNOWN, None, [3]), *ALL_ACCEPTED])
    assert await sqlite.in_state(NumberState.ACCEPTED) == [1, 2]
    assert sqlite.failure is None


async def test_an_outcome_nobody_waits_for_any_more_is_written(sqlite: SqliteLedger) -> None:
    (lease,) = await sqlite.lease(RUN, [batch(1)])
    await cancelled(asyncio.ensure_future(sqlite.settle(lease, ALL_ACCEPTED)), Gate(sqlite))
    assert await sqlite.in_state(NumberState.ACCEPTED) == [1]


async def test_closing_writes_what_waits_even_when_it_is_cancelled(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    (lease,) = await ledger.lease(RUN, [batch(1)])
    gate = Gate(ledger)
    settling = asyncio.ensure_future(ledger.settle(lease, ALL_ACCEPTED))
    await asyncio.sleep(0)
    await cancelled(asyncio.ensure_future(ledger.close()), gate)
    await settling
    await ledger.close()
    assert names(tmp_path) == ["ledger.db", "ledger.db.lock"]


def test_a_loop_that_ends_before_the_ledger_harms_nobody(tmp_path: Path) -> None:
    async def begin() -> SqliteLedger:
        ledger = await open_sqlite(tmp_path / "ledger.db")
        gate = Gate(ledger)
        asyncio.ensure_future(ledger.lease(RUN, [batch(1)]))  # noqa: RUF006
        await asyncio.sleep(0)
        threading.Timer(0.05, gate.open).start()
        return ledger

    async def end(ledger: SqliteLedger) -> list[int]:
        unsent = await ledger.in_state(NumberState.UNSENT)
        await ledger.close()
        return unsent

    assert asyncio.run(end(asyncio.run(begin()))) == [1]


async def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    await ledger.note(RUN, NumberState.INVALID, None, {1: 1})
    await ledger.close()
    ledger.take_back(7)
    for call in (ledger.lease(RUN, [batch(5)]), ledger.known([1]), ledger.save_run(RUN, {})):
        with pytest.raises(LedgerError, match=r"ledger\.db is closed"):
            await call


# -- when it cannot be written


async def test_a_full_disk_stops_all_writing_and_outcomes_are_tried_once_more(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    (one, two, back) = await ledger.lease(RUN, [batch(1), batch(2, 3), batch(4)])
    await ledger.post(one)
    await ledger.post(two)
    await ledger.post(back)
    await fill_the_disk(ledger)
    with pytest.raises(LedgerError, match=r"ledger /.*/ledger\.db cannot be written: the disk is full"):
        await ledger.lease(RUN, [many(100)])
    assert "the disk is full" in str(ledger.failure)
    for call in (
        ledger.settle(one, ALL_ACCEPTED),
        ledger.settle(two, [Part(NumberState.UNSENT, "stopped", [2])]),
        ledger.lease(RUN, [batch(50)]),
        ledger.note(RUN, NumberState.INVALID, None, {60: 1}),
        ledger.post(two),
    ):
        with pytest.raises(LedgerError, match="the disk is full"):
            await call
    ledger.take_back(back)
    assert await ledger.in_state(NumberState.POSTING) == [1, 2, 3, 4], "it can still be read"
    await fill_the_disk(ledger, pages=100)
    await ledger.close()
    ledger = await open_sqlite(tmp_path / "ledger.db")
    assert (await ledger.known([1, 2, 3]))[2] == Known(NumberState.UNSENT, -2000, RUN, "stopped")
    assert await ledger.in_state(NumberState.ACCEPTED) == [1]
    assert await ledger.in_state(NumberState.UNKNOWN) == [3]
    assert await ledger.in_state(NumberState.UNSENT) == [2, 4]
    assert await ledger.known([50, 60, 100]) == {}
    await ledger.close()


async def test_outcomes_of_leases_that_were_split_are_tried_once_more(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    await ledger.note(RUN, NumberState.INVALID, "bad", dict.fromkeys((1, 2, 3, 4), 7))
    (lease,) = await ledger.lease(RUN, [batch(1, 2, 3, 4)])
    part = await ledger.post(lease, [1, 2])
    gate = Gate(ledger)
    await fill_the_disk_behind(ledger)
    calls = [
        ledger.post(lease, [3]),
        ledger.settle(part, [Part(NumberState.ACCEPTED, None, [1])]),
        ledger.note(RUN, NumberState.INVALID, None, dict.fromkeys(many(100)[0])),
    ]
    failing = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    gate.open()
    assert [type(error) for error in await failing] == [LedgerError] * 3, "they were in one transaction"
    ledger.take_back(lease)
    for call in (ledger.settle(part, [Part(NumberState.UNSENT, "stopped")]), ledger.abandon(RUN)):
        with pytest.raises(LedgerError):
            await call
    await fill_the_disk(ledger, pages=100)
    await ledger.close()
    ledger = await open_sqlite(tmp_path / "ledger.db")
    assert await ledger.in_state(NumberState.ACCEPTED) == [1]
    assert await ledger.in_state(NumberState.INVALID) == [2, 3, 4]
    await ledger.close()


async def fill_the_disk_behind(ledger: SqliteLedger) -> None:
    """The same, as work that waits its turn."""

    def limit(book: Book) -> None:
        (now,) = book._sql.execute("PRAGMA page_count").fetchone()
        book._sql.execute(f"PRAGMA max_page_count = {now}").fetchone()

    ledger._writer.tell(limit)


async def test_outcomes_that_cannot_be_written_at_the_end_are_unknown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    (lease, other) = await ledger.lease(RUN, [batch(1, 2), batch(3)])
    await ledger.post(lease)
    await ledger.post(other)
    await fill_the_disk(ledger)
    with pytest.raises(LedgerError):
        await ledger.lease(RUN, [many(100)])
    reason = "x" * 100_000  # for which there is no page
    with pytest.raises(LedgerError):
        await ledger.settle(lease, [Part(NumberState.REJECTED, reason)])
    with pytest.raises(LedgerError):
        await ledger.settle(other, ALL_ACCEPTED)
    with caplog.at_level(logging.ERROR):
        await ledger.close()
    assert "ledger.lost requests=2" in caplog.text
    ledger = await open_sqlite(tmp_path / "ledger.db")
    assert await ledger.in_state(NumberState.UNKNOWN) == [1, 2, 3]
    await ledger.close()


@pytest.mark.parametrize("step", ["begin", "commit"])
@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), OSError(28, "full"), KeyError(1)])
async def test_whatever_fails_nothing_is_reported_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    (lease,) = await ledger.lease(RUN, [batch(1)])

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Book, step, fail)
        with pytest.raises(LedgerError, match=r"ledger\.db cannot be written") as failed:
            await ledger.post(lease)
    assert failed.value.__cause__ is error
    assert await ledger.in_state(NumberState.LEASED) == [1]
    ledger.take_back(lease)
    await ledger.close()


async def test_a_failed_mark_that_nobody_waits_for_is_a_failure(sqlite: SqliteLedger) -> None:
    sqlite.take_back(12345)
    await sqlite.known([])
    with pytest.raises(LedgerError, match="12345"):
        await sqlite.lease(RUN, [batch(1)])
    assert "12345" in str(sqlite.failure)


async def test_failing_to_read_does_not_stop_writing(sqlite: SqliteLedger) -> None:
    await sqlite.note(RUN, NumberState.ACCEPTED, None, {1: 1})
    with pytest.raises(LedgerError, match="cannot be read"):
        await on_thread(sqlite, lambda sql: sql.execute("SELECT nothing"))
    (lease,) = await sqlite.lease(RUN, [batch(5)])
    assert sqlite.failure is None
    await sqlite.settle(await sqlite.post(lease), ALL_ACCEPTED)


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_ledger_taken_away_is_missed_before_the_next_lease(sqlite: SqliteLedger, how: str) -> None:
    (lease,) = await sqlite.lease(RUN, [batch(1)])
    os.rename(sqlite.place, f"{sqlite.place}.away")
    if how == "replaced":
        os.close(os.open(sqlite.place, os.O_CREAT))
    await sqlite.post(lease)
    with pytest.raises(LedgerError, match="was moved, deleted or replaced"):
        await sqlite.lease(RUN, [batch(2)])
    with pytest.raises(LedgerError, match="was moved, deleted or replaced"):
        await sqlite.post(lease)


async def test_another_program_that_writes_is_waited_for(sqlite: SqliteLedger) -> None:
    other = sqlite3.connect(sqlite.place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    lease = asyncio.ensure_future(sqlite.lease(RUN, [batch(1)]))
    await asyncio.sleep(0.05)
    assert not lease.done()
    other.execute("ROLLBACK")
    other.close()
    assert len(await lease) == 1


class Usage(NamedTuple):
    free: int


def input_output_error() -> sqlite3.Error:
    """As SQLite gives for a disk that is full, when it was not writing its own file."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR | 19 << 8, "SQLITE_IOERR_SHMSIZE"
    return error


@pytest.mark.parametrize(("free", "said"), [(0, "the disk is full"), (10**9, r"its disk fails \(SQLITE_IOERR_SHMSIZE")])
def test_a_full_disk_is_told_from_a_broken_one(monkeypatch: pytest.MonkeyPatch, free: int, said: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    with pytest.raises(LedgerError, match=said):
        raise explained(input_output_error(), Path("/var/ledger.db"))


def test_a_disk_that_cannot_be_asked_is_a_broken_one(tmp_path: Path) -> None:
    assert "its disk fails" in str(explained(input_output_error(), tmp_path / "none" / "ledger.db"))


_ON_A_SMALL_DISK = """
import asyncio, resource, signal, sys
from cashin_async.errors import LedgerError
from tests.ledger.conftest import RUN, open_sqlite
from tests.ledger.test_writer import ALL_ACCEPTED, batch, many

async def main(place, room):
    ledger = await open_sqlite(place)
    (lease,) = await ledger.lease(RUN, [batch(1, 2)])
    await ledger.post(lease)
    if room:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    failed = ""
    start = 100
    while not failed:
        try:
            await ledger.lease(RUN, [many(start)])
        except LedgerError as error:
            failed = str(error)
        start += 20_000
    try:
        await ledger.settle(lease, ALL_ACCEPTED)
    except LedgerError as error:
        assert str(error) == failed == ledger.failure, (error, failed, ledger.failure)
    await ledger.close()
    print(failed)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def on_a_small_disk(place: Path, room: int = 0) -> str:
    """What a process says that writes more than there is room for."""
    command = [sys.executable, "-W", "error", "-c", _ON_A_SMALL_DISK, str(place), str(room)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def check_after_a_full_disk(place: Path, to: Path) -> None:
    """With room again: what was leased first is known, and none of the rest is forgotten half-way."""
    for end in ("", "-wal"):
        if (part := place.with_name(place.name + end)).exists():
            to.with_name(to.name + end).write_bytes(part.read_bytes())
    ledger = await open_sqlite(to)
    known = await ledger.known([1, 2])
    assert known[1].state in (NumberState.ACCEPTED, NumberState.UNKNOWN)
    assert known[1].state is known[2].state
    await ledger.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
async def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    said = await asyncio.to_thread(on_a_small_disk, tmp_path / "ledger.db", 1_000_000)
    assert "ledger.db cannot be written" in said
    await check_after_a_full_disk(tmp_path / "ledger.db", tmp_path / "copy.db")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes small disks")
async def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if await asyncio.to_thread(lambda: subprocess.run(mount, capture_output=True).returncode):
        pytest.skip("this root may not mount")
    try:
        assert "the disk is full" in await asyncio.to_thread(on_a_small_disk, disk / "ledger.db")
        await check_after_a_full_disk(disk / "ledger.db", tmp_path / "copy.db")
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", str(disk)], check=True)


# -- a fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
async def test_a_fork_has_neither_thread_nor_lock(sqlite: SqliteLedger) -> None:
    child = os.fork()
    if not child:
        code = 1
        try:
            asyncio.run(sqlite.save_run(RUN, {}))
        except LedgerError as error:
            code = 0 if "open it anew" in str(error) else 2
        finally:
            os._exit(code)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert status == 0
    await sqlite.lease(RUN, [batch(1)])
