"""What a ledger says, read from outside: beside its writer, after a crash, and without touching it."""

import json
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger import status
from cashin_async.ledger.base import NumberState, Part
from cashin_async.ledger.layout import MIGRATIONS
from cashin_async.ledger.sqlite import SqliteLedger
from cashin_async.ledger.status import LedgerStatus, Query, read_status
from tests.ledger.conftest import ACCOUNT, LATER, RUN, batch, copy_as_it_is, names, open_sqlite

ACCEPTED, UNKNOWN, RELEASED = NumberState.ACCEPTED, NumberState.UNKNOWN, NumberState.RELEASED
LABELLED = replace(ACCOUNT, creditor="ACME")


async def two_nights(place: Path) -> SqliteLedger:
    """Two runs: of the first, 20 are accepted and 15 unknown; of the second, 3 are rejected and 2 in flight."""
    ledger = await open_sqlite(place, account=LABELLED)
    await ledger.save_run(RUN, {"read": 35, "ended": "2026-01-05T02:10:00+00:00"})
    lease, lost, back = await ledger.lease(RUN, [batch(*range(1, 21)), batch(*range(21, 36)), batch(40)])
    await ledger.settle(lease, [Part(ACCEPTED)])
    await ledger.settle(lost, [Part(UNKNOWN, "no answer")])
    await ledger.settle(back, [Part(UNKNOWN, "no answer")])
    await ledger.decide(LATER, RELEASED, "absent", [40])
    lease, posted = await ledger.lease(LATER, [batch(50, 51, 52), batch(60, 61)])
    await ledger.settle(lease, [Part(NumberState.REJECTED, "bad")])
    await ledger.post(posted)
    return ledger


async def test_it_says_what_there_is_while_it_is_written(tmp_path: Path) -> None:
    ledger = await two_nights(tmp_path / "ledger.db")
    seen = read_status(tmp_path / "ledger.db")
    await ledger.close()
    assert (seen.place, seen.account, seen.version) == (ledger.place, LABELLED, len(MIGRATIONS))
    assert seen.states == {ACCEPTED: 20, NumberState.REJECTED: 3, UNKNOWN: 15, NumberState.POSTING: 2, RELEASED: 1}
    assert (seen.unknown, seen.released) == (tuple(range(21, 31)), (40,))
    later, first = seen.runs
    assert (first.run, first.states) == (RUN, {ACCEPTED: 20, UNKNOWN: 15})
    assert first.facts == {"read": 35, "ended": "2026-01-05T02:10:00+00:00"}
    assert (later.run, later.states) == (LATER, {NumberState.POSTING: 2, NumberState.REJECTED: 3, RELEASED: 1})
    assert later.facts == {}
    assert timedelta(0) <= datetime.now(UTC) - first.began < timedelta(minutes=1)
    assert [run.run for run in read_status(tmp_path / "ledger.db", runs=1).runs] == [LATER]


async def test_it_is_one_json_object(tmp_path: Path) -> None:
    ledger = await two_nights(tmp_path / "ledger.db")
    said = json.loads(json.dumps(read_status(tmp_path / "ledger.db").as_dict()))
    await ledger.close()
    assert {key: said[key] for key in ("ledger", "environment", "creditor", "version")} == {
        "ledger": str(tmp_path / "ledger.db"),
        "environment": "http://127.0.0.1:8765",
        "creditor": "ACME",
        "version": 1,
    }
    assert said["writer"]["pid"] == os.getpid()
    assert said["states"] == {"posting": 2, "accepted": 20, "rejected": 3, "unknown": 15, "released": 1}
    assert said["unsettled"]["unknown"] == {"count": 15, "first": list(range(21, 31))}
    assert said["unsettled"]["released"] == {"count": 1, "first": [40]}
    assert [run["run"] for run in said["runs"]] == [LATER, RUN]
    assert said["runs"][1]["facts"]["read"] == 35
    assert said["runs"][1]["states"] == {"accepted": 20, "unknown": 15}


async def test_it_says_who_writes(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    writer = read_status(tmp_path / "ledger.db").writer
    assert writer is not None
    assert writer.pid == os.getpid()
    assert timedelta(0) <= datetime.now(UTC) - writer.since < timedelta(minutes=1)
    await ledger.close()
    assert read_status(tmp_path / "ledger.db").writer is None


async def test_after_a_crash_it_shows_what_it_finds(tmp_path: Path) -> None:
    ledger = await two_nights(tmp_path / "ledger.db")
    copy = copy_as_it_is(tmp_path / "ledger.db", tmp_path / "crashed.db")
    await ledger.close()
    for _ in range(2):
        found = read_status(copy)
        assert (found.states[NumberState.POSTING], found.writer) == (2, None)
    ledger = await open_sqlite(copy, account=LABELLED)
    assert await ledger.in_state(UNKNOWN, 50) == [60, 61]
    await ledger.close()


async def test_a_closed_ledger_is_left_as_it_is(tmp_path: Path) -> None:
    await (await two_nights(tmp_path / "ledger.db")).close()
    before = (tmp_path / "ledger.db").read_bytes()
    os.chmod(tmp_path, 0o500)
    assert read_status(tmp_path / "ledger.db").states[ACCEPTED] == 20
    os.chmod(tmp_path, 0o700)
    assert names(tmp_path) == ["ledger.db", "ledger.db.lock"], "files of the reader's would shut the owner out"
    assert (tmp_path / "ledger.db").read_bytes() == before


@pytest.mark.parametrize("fails", [False, True])
async def test_one_that_is_opened_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    place = tmp_path / "ledger.db"
    await (await two_nights(place)).close()
    modes: list[str] = []

    def read(path: Path, mode: str, query: Query[LedgerStatus]) -> LedgerStatus:
        if not modes:
            os.utime(path, (1, 1))  # as a checkpoint would
            if fails:
                modes.append(mode)
                raise LedgerError("half of it was new")
        modes.append(mode)
        return really_read(path, mode, query)

    really_read = status._read
    monkeypatch.setattr(status, "_read", read)
    assert read_status(place).states[ACCEPTED] == 20
    assert modes == ["mode=ro&immutable=1", "mode=ro"]


async def test_readers_and_the_writer_do_not_disturb_each_other(sqlite: SqliteLedger) -> None:
    seen: list[int] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            count = sum(read_status(sqlite.place).states.values())
            assert count % 10 == 0, "half a transaction"
            seen.append(count)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for start in range(0, 3000, 10):
            (lease,) = await sqlite.lease(RUN, [batch(*range(start + 1, start + 11))])
            await sqlite.settle(await sqlite.post(lease), [Part(ACCEPTED)])
    finally:
        over.set()
        reader.join()
    assert seen == sorted(seen)
    assert len(seen) > 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda place: None, "does not exist"),
        (lambda place: place.mkdir(), "is no file"),
        (lambda place: place.touch(), "is empty"),
        (lambda place: place.write_bytes(b"InvoiceNumber\n" * 1000), "it is no ledger"),
    ],
)
def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path, make: object, said: str) -> None:
    assert callable(make)
    make(tmp_path / "ledger.db")
    with pytest.raises(LedgerError, match=f"^ledger {tmp_path / 'ledger.db'} .*{said}"):
        read_status(tmp_path / "ledger.db")


def test_the_database_of_another_program_is_no_ledger(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other, other:
        other.execute("CREATE TABLE song (title TEXT)")
    with pytest.raises(LedgerError, match="is the database of another program"):
        read_status(tmp_path / "ledger.db")


async def test_another_layout_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db", migrations=[*MIGRATIONS, ["CREATE TABLE later (x)"]])
    await ledger.close()
    with pytest.raises(LedgerError, match="newer cashin-async"):
        read_status(tmp_path / "ledger.db")
    monkeypatch.setattr("cashin_async.ledger.status.MIGRATIONS", [*MIGRATIONS, [], []])
    with pytest.raises(LedgerError, match="is older"):
        read_status(tmp_path / "ledger.db")
