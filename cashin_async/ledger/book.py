"""What a ledger's file says and how it is written: SQL, for the one thread that owns the connection.

Every method runs inside a transaction of the caller's. One that refuses (`LedgerError`) has written nothing.
"""

import os
import secrets
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Known, NumberState, Part
from cashin_async.ledger.explain import explained
from cashin_async.ledger.lock import WriterLock
from cashin_async.ledger.transitions import (
    CUT_OFF,
    holds,
    may_be_noted,
    not_open,
    refuse_repetitions,
    refuse_unless_free,
)

_VALUES = 9_999  # a statement: more saves nothing; an old SQLite allows 999
_STATES = {str(state): state for state in NumberState}
_known = partial(tuple.__new__, Known)  # from an iterable, in C: a third of the time of `Known(...)`

# Columns as JSON, one row in all: the search runs outside the GIL, which fetching row by row takes for each.
_KNOWN = """
    SELECT json_group_array(number.number), json_group_array(number.digest), json_group_array(chunk.state),
           json_group_array(run.name), json_group_array(chunk.reason)
    FROM json_each(?) AS asked
    CROSS JOIN number ON number.number = asked.value
    CROSS JOIN chunk ON chunk.id = number.chunk
    CROSS JOIN run ON run.id = chunk.run
"""
_ON_RECORD = """
    SELECT number.number, chunk.state, number.chunk FROM json_each(?) AS asked
    CROSS JOIN number ON number.number = asked.value
    CROSS JOIN chunk ON chunk.id = number.chunk
"""


_SYNCED = ("PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 4000")
_NOT_SYNCED = ("PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0")
"""What syncs writes the log back too, after 16 MB: numbers in random order touch each page again and again. What does
not sync is never to wait for the disk: it may run in the event loop's thread."""


class Kind(IntEnum):
    """How safe an operation is when it is done."""

    READ = 0
    WRITE = 1
    """Against the end of the process: it is in the operating system's hands."""
    SYNCED = 2
    """Against a power cut."""


Row = tuple[int, int | None]
"""A number and its digest."""


def in_state(sql: sqlite3.Connection, state: NumberState, after: int, limit: int) -> list[int]:
    """Numbers in a state, rising, from above `after` on.

    A scan from the lowest to the highest that may be in the state: 60 ms a million.
    """
    such = f"FROM chunk WHERE state = '{state}'"  # not a parameter: the partial indexes are found by the literal
    rows = sql.execute(
        f"SELECT number FROM number WHERE number > ? AND chunk IN (SELECT id {such}) "  # noqa: S608
        f"AND number BETWEEN (SELECT min(low) {such}) AND (SELECT max(high) {such}) ORDER BY number LIMIT ?",
        (after, limit),
    )
    return [number for (number,) in rows]


def listed(numbers: Iterable[int]) -> str:
    """Numbers as one value, for `json_each`."""
    return msgspec.json.encode(list(numbers)).decode()


def _text(reason: str | None) -> str | None:
    """As the file can hold it: half a surrogate pair in a server's answer must not stop the record."""
    return reason and reason.encode(errors="replace").decode()


@dataclass(slots=True)
class _Held:
    """A lease that is open."""

    numbers: Sequence[int]
    again: bool
    """Of some of its numbers something was on record before."""


class Book:
    """The file as its writer sees it."""

    def __init__(self, place: Path, connection: sqlite3.Connection, lock: WriterLock) -> None:
        self._place = place
        self._sql = connection
        self._lock = lock
        self._file = os.stat(place)
        self._synced: bool | None = None
        self._token: str | None = None
        self._most_values = min(_VALUES, connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
        self.salt = b""
        """Of the hashes of keys."""
        self.recovered: Mapping[NumberState, int] = {}
        """What became of what the last writer left open: how many invoices are now UNKNOWN, how many UNSENT."""
        self.largest: int = self._one("SELECT coalesce(max(number), 0) FROM number")
        """No number above it is on record."""
        self._last_chunk: int = self._one("SELECT coalesce(max(id), 0) FROM chunk")
        self._last_before = self._last_chunk
        self._leases: dict[int, _Held] = {}
        self._runs: dict[str, int] = {}

    # -- transactions

    def begin(self, kind: Kind) -> None:
        if kind is Kind.READ:  # each query is one of its own
            return
        if self._synced is not (kind is Kind.SYNCED):
            self._synced = kind is Kind.SYNCED
            for pragma in _SYNCED if self._synced else _NOT_SYNCED:
                self._sql.execute(pragma)
        if self._synced and not self._is_in_place():
            raise LedgerError(f"ledger {self._place} was moved, deleted or replaced while it was in use")
        self._sql.execute("BEGIN IMMEDIATE")
        if self._synced and self._token is not None and self.meta("writer") != self._token:
            raise self._taken_over()

    def take_over(self) -> None:
        """From now on whoever wrote this file before can no longer: its lock was got round."""
        self._token = secrets.token_hex(8)
        self.set_meta("writer", self._token)

    def _taken_over(self) -> LedgerError:
        return LedgerError(f"ledger {self._place} was taken over by another process: was its lock file removed?")

    def commit(self) -> None:
        if self._sql.in_transaction:
            self._sql.execute("COMMIT")

    def undo(self) -> None:
        """Back to where the transaction began. What is remembered of the file is read anew."""
        self._leases.clear()
        self._runs.clear()
        with suppress(sqlite3.Error):
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    def _is_in_place(self) -> bool:
        """Whether the next one to open the ledger will find this very file."""
        try:
            return os.path.samestat(os.stat(self._place), self._file)
        except OSError:
            return False

    def explain(self, error: Exception, doing: str) -> LedgerError:
        return explained(error, self._place, doing)

    def close(self) -> None:
        """The last connection to close writes the WAL back and removes it."""
        with suppress(sqlite3.Error):
            self._sql.close()
        self._lock.release()

    # -- reading

    def known(self, numbers: Sequence[int]) -> dict[int, Known]:
        row = self._sql.execute(_KNOWN, (listed(numbers),)).fetchone()
        found, digests, states, runs, reasons = map(msgspec.json.decode, row)
        states = map(_STATES.__getitem__, states)
        return dict(zip(found, map(_known, zip(states, digests, runs, reasons, strict=True)), strict=True))

    def in_state(self, state: NumberState, after: int, limit: int) -> list[int]:
        return in_state(self._sql, state, after, limit)

    def recently_accepted(self, limit: int) -> list[int]:
        chunks, count = list[tuple[int, int, int]](), 0
        latest = self._sql.execute("SELECT id, size, low, high FROM chunk WHERE state = 'accepted' ORDER BY id DESC")
        while count < limit and (row := latest.fetchone()):
            chunks.append((row[0], row[2], row[3]))
            count += row[1]
        return self._numbers_of(chunks)[:limit]

    # -- leases

    def lease(self, run: str, batches: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
        rows = [sorted(zip(numbers, digests, strict=True)) for numbers, digests in batches]
        numbers = [number for batch in rows for number, _ in batch]
        refuse_repetitions(numbers)
        on_record = self._on_record(numbers)
        for number, (state, _) in on_record.items():
            refuse_unless_free(number, state)
        if on_record:
            return [self._lease(run, batch, on_record) for batch in rows]
        return self._lease_new(run, rows)

    def _lease_new(self, run: str, batches: Sequence[Sequence[Row]]) -> list[int]:
        """Numbers never seen before, as it mostly is: all chunks together, in few statements."""
        run_id, now = self._run(run), int(time.time())
        chunks: list[Any] = []
        values: list[int | None] = []
        leases = []
        for rows in batches:
            lease, numbers = self._next_chunk(), [number for number, _ in rows]
            chunks += (lease, run_id, NumberState.LEASED.value, len(rows), numbers[0], numbers[-1], None, now)
            values += [value for number, digest in rows for value in (number, lease, digest)]
            self._leases[lease] = _Held(numbers, False)
            self.largest = max(self.largest, numbers[-1])
            leases.append(lease)
        self._insert("INSERT INTO chunk", 8, chunks)
        self._insert("INSERT OR FAIL INTO number", 3, values)
        return leases

    def _insert(self, verb: str, columns: int, values: Sequence[Any]) -> None:
        """Many rows a statement, each of which waits for the GIL once."""
        row, step = f"({','.join('?' * columns)})", self._most_values // columns * columns
        for start in range(0, len(values), step):
            some = values[start : start + step]
            self._sql.execute(f"{verb} VALUES {','.join([row] * (len(some) // columns))}", some)

    def _lease(self, run: str, rows: Sequence[Row], on_record: Mapping[int, tuple[NumberState, int]]) -> int:
        numbers = [number for number, _ in rows]
        again = [number for number in numbers if number in on_record] if on_record else []
        if again:
            self._sql.execute(
                "INSERT INTO earlier SELECT number, chunk, digest FROM number "
                "WHERE number IN (SELECT value FROM json_each(?))",
                (listed(again),),
            )
            self._shrink(on_record[number][1] for number in again)
        lease = self._write(run, NumberState.LEASED, None, rows, replace=bool(again))
        self._leases[lease] = _Held(numbers, bool(again))
        return lease

    def post(self, lease: int, numbers: Sequence[int] | None) -> int:
        held = self._open(lease, numbers or ())
        if numbers is not None and len(numbers) < len(held.numbers):
            lease = self._split(lease, numbers)
        self._mark(lease, NumberState.POSTING)
        return lease

    def take_back(self, lease: int) -> None:
        self._open(lease)
        self._mark(lease, NumberState.LEASED)

    def give_up(self, leases: Sequence[int], why: str) -> None:
        """Undo a `lease`: nobody knows of it, so nothing was sent."""
        for lease in leases:
            self.settle(lease, [Part(NumberState.UNSENT, why)])

    def unpost(self, posted: Sequence[int], lease: int) -> None:
        """Undo a `post` of `lease` that gave `posted`: nobody knows of it, so nothing was sent."""
        for part in posted:
            if part == lease:
                self.take_back(lease)
            else:
                self._join(part, lease)

    def _join(self, posted: int, lease: int) -> None:
        moved, whole = self._leases.pop(posted), self._leases[lease]
        self._assign(moved.numbers, lease)
        self._sql.execute("UPDATE chunk SET size = size + ? WHERE id = ?", (len(moved.numbers), lease))
        self._sql.execute("DELETE FROM chunk WHERE id = ?", (posted,))
        self._leases[lease] = _Held(sorted([*whole.numbers, *moved.numbers]), whole.again or moved.again)

    def settle(self, lease: int, parts: Sequence[Part]) -> None:
        named = [number for part in parts for number in part.numbers or ()]
        left = len(self._open(lease, named).numbers)
        for part in parts:
            if part.numbers:
                left -= len(part.numbers)
                self._end(self._split(lease, part.numbers) if left else lease, part.state, part.reason)
        for part in parts:
            if part.numbers is None and left:
                left = 0
                self._end(lease, part.state, part.reason)

    def abandon(self, run: str) -> None:
        """End what a run that was cut off still has open."""
        leases = self._sql.execute(
            "SELECT id, state FROM chunk WHERE id > ? AND run = ? AND state IN ('leased', 'posting')",
            (self._last_before, self._run(run)),
        ).fetchall()
        for lease, state in leases:
            end = NumberState.UNKNOWN if state == NumberState.POSTING else NumberState.UNSENT
            self.settle(lease, [Part(end, CUT_OFF)])

    def _open(self, lease: int, numbers: Sequence[int] = ()) -> _Held:
        held = self._leases.get(lease) or self._read_lease(lease)
        if held is None or (numbers and not holds(held.numbers, numbers)):
            raise not_open(lease)
        return held

    def _read_lease(self, lease: int) -> _Held | None:
        """An open lease as the file has it; needed only after a transaction was undone."""
        if not self._one("SELECT count(*) FROM chunk WHERE id = ? AND state IN ('leased', 'posting')", lease):
            return None
        extent = self._sql.execute("SELECT id, low, high FROM chunk WHERE id = ?", (lease,)).fetchone()
        numbers = self._numbers_of([extent])[::-1]
        among = "SELECT count(*) FROM earlier WHERE number IN (SELECT value FROM json_each(?))"
        self._leases[lease] = _Held(numbers, bool(self._one(among, listed(numbers))))
        return self._leases[lease]

    def _mark(self, lease: int, state: NumberState) -> None:
        marked = self._sql.execute(
            "UPDATE chunk SET state = ?, changed = ? WHERE id = ? AND state IN ('leased', 'posting')",
            (state.value, int(time.time()), lease),
        )
        if not marked.rowcount:
            raise self._taken_over()

    def _split(self, lease: int, numbers: Sequence[int]) -> int:
        """Make some of a lease's numbers a lease of their own, in the same state."""
        held = self._leases[lease]
        low, high = min(numbers), max(numbers)
        part = self._next_chunk()
        self._sql.execute(
            "INSERT INTO chunk SELECT ?, run, state, ?, ?, ?, reason, changed FROM chunk WHERE id = ?",
            (part, len(numbers), low, high, lease),
        )
        self._assign(numbers, part)
        self._sql.execute("UPDATE chunk SET size = size - ? WHERE id = ?", (len(numbers), lease))
        gone = set(numbers)
        self._leases[lease] = _Held([number for number in held.numbers if number not in gone], held.again)
        self._leases[part] = _Held(sorted(numbers), held.again)
        return part

    def _end(self, lease: int, state: NumberState, reason: str | None) -> None:
        held = self._leases.pop(lease)
        if held.again:
            if state is NumberState.UNSENT:
                self._restore(lease, held.numbers)
            self._drop_earlier(held.numbers)
        ended = self._sql.execute(
            "UPDATE chunk SET state = ?, reason = ?, changed = ? WHERE id = ? AND state IN ('leased', 'posting')",
            (state.value, _text(reason), int(time.time()), lease),
        )
        if not ended.rowcount:
            raise self._taken_over()
        if held.again:
            self._sweep([lease])

    def _restore(self, lease: int, numbers: Sequence[int]) -> None:
        """What was on record of the numbers before they were leased is on record again."""
        before = self._sql.execute(
            "SELECT chunk, count(*) FROM earlier WHERE number IN (SELECT value FROM json_each(?)) GROUP BY chunk",
            (listed(numbers),),
        ).fetchall()
        self._sql.execute(
            "REPLACE INTO number SELECT number, chunk, digest FROM earlier "
            "WHERE number IN (SELECT value FROM json_each(?))",
            (listed(numbers),),
        )
        self._sql.executemany(
            "UPDATE chunk SET size = size + ? WHERE id = ?", [(size, chunk) for chunk, size in before]
        )
        restored = sum(size for _, size in before)
        self._sql.execute("UPDATE chunk SET size = size - ? WHERE id = ?", (restored, lease))

    def _drop_earlier(self, numbers: Sequence[int]) -> None:
        among = "FROM earlier WHERE number IN (SELECT value FROM json_each(?))"
        chunks = self._sql.execute(f"SELECT DISTINCT chunk {among}", (listed(numbers),)).fetchall()
        self._sql.execute(f"DELETE {among}", (listed(numbers),))
        self._sweep(chunk for (chunk,) in chunks)

    # -- without a lease

    def note(self, run: str, state: NumberState, reason: str | None, invoices: Mapping[int, int | None]) -> None:
        on_record = self._on_record(invoices)
        rows = sorted(
            (number, digest)
            for number, digest in invoices.items()
            if number not in on_record or may_be_noted(state, on_record[number][0])
        )
        if rows:
            again = [on_record[number][1] for number, _ in rows if number in on_record]
            self._write(run, state, reason, rows, replace=bool(again))
            self._shrink(again)
            self._sweep(again)

    def decide(self, run: str, state: NumberState, reason: str | None, numbers: Sequence[int]) -> list[int]:
        on_record = self._on_record(numbers)
        decided = sorted(number for number, (known, _) in on_record.items() if known is NumberState.UNKNOWN)
        if decided:
            left = [on_record[number][1] for number in decided]
            self._assign(decided, self._new_chunk(run, state, reason, decided))
            self._shrink(left)
            self._sweep(left)
        return decided

    def save_run(self, run: str, facts: str) -> None:
        self._sql.execute("UPDATE run SET facts = ? WHERE id = ?", (facts, self._run(run)))

    # -- the account

    def meta(self, name: str) -> Any:
        """A value that the file holds; None when it does not."""
        row = self._sql.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row and row[0]

    def set_meta(self, name: str, value: str | bytes | None) -> None:
        self._sql.execute("REPLACE INTO meta VALUES (?, ?)", (name, value))

    def admits(self, key: bytes, only_first: bool) -> bool:
        """Remember the hash of a key; or else, with `only_first`, whether it is remembered or there is none yet."""
        if only_first and self._one("SELECT count(*) FROM key_hash WHERE hash <> ?", key):
            return bool(self._one("SELECT count(*) FROM key_hash WHERE hash = ?", key))
        self._sql.execute("INSERT OR IGNORE INTO key_hash VALUES (?)", (key,))
        return True

    # -- after the last writer

    def recover(self, in_doubt: Mapping[NumberState, str], never_sent: str) -> None:
        """End the leases that the last writer left open; `in_doubt` gives the states of those that become unknown.

        The others become what they were before, or unsent.
        """
        again: dict[int, list[int]] = {}
        for lease, number in self._sql.execute("SELECT number.chunk, number FROM earlier JOIN number USING (number)"):
            again.setdefault(lease, []).append(number)
        counts = dict.fromkeys((NumberState.UNKNOWN, NumberState.UNSENT), 0)
        leases = self._sql.execute("SELECT id, state, size FROM chunk WHERE state IN ('leased', 'posting')").fetchall()
        for lease, state, size in leases:
            why = in_doubt.get(_STATES[state])
            end = NumberState.UNSENT if why is None else NumberState.UNKNOWN
            counts[end] += size
            # the end of a lease asks only for those of its numbers that are on record from before
            self._leases[lease] = _Held(again.get(lease, ()), lease in again)
            self._end(lease, end, why or never_sent)
        self.recovered = counts

    # -- rows

    def _one(self, query: str, *values: Any) -> Any:
        return self._sql.execute(query, values).fetchone()[0]

    def _on_record(self, numbers: Collection[int]) -> dict[int, tuple[NumberState, int]]:
        """State and chunk of those of the numbers that are on record."""
        if not numbers or min(numbers) > self.largest:
            return {}
        rows = self._sql.execute(_ON_RECORD, (listed(numbers),))
        return {number: (_STATES[state], chunk) for number, state, chunk in rows}

    def _numbers_of(self, chunks: Sequence[tuple[int, int, int]]) -> list[int]:
        """The numbers of some chunks (id, low, high): of later chunks first, of each the largest first. One scan."""
        ids = listed(id_ for id_, _, _ in chunks)
        low, high = min((low for _, low, _ in chunks), default=0), max((high for _, _, high in chunks), default=0)
        rows = self._sql.execute(
            "SELECT chunk, number FROM number "
            "WHERE number BETWEEN ? AND ? AND chunk IN (SELECT value FROM json_each(?)) ORDER BY 1 DESC, 2 DESC",
            (low, high, ids),
        )
        return [number for _, number in rows]

    def _run(self, name: str) -> int:
        if name not in self._runs:
            self._sql.execute("INSERT OR IGNORE INTO run (name, began) VALUES (?, ?)", (name, int(time.time())))
            self._runs[name] = self._one("SELECT id FROM run WHERE name = ?", name)
        return self._runs[name]

    def _next_chunk(self) -> int:
        self._last_chunk += 1
        return self._last_chunk

    def _new_chunk(self, run: str, state: NumberState, reason: str | None, numbers: Sequence[int]) -> int:
        """A row for rising numbers."""
        chunk = self._next_chunk()
        extent = (len(numbers), numbers[0], numbers[-1])
        row = (chunk, self._run(run), state.value, *extent, _text(reason), int(time.time()))
        self._sql.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return chunk

    def _write(self, run: str, state: NumberState, reason: str | None, rows: Sequence[Row], *, replace: bool) -> int:
        """A chunk with rows of its own. Gives its id."""
        numbers = [number for number, _ in rows]
        chunk = self._new_chunk(run, state, reason, numbers)
        # FAIL: no copy of each page for undoing the statement alone, the whole transaction is undone anyway
        verb = "REPLACE INTO number" if replace else "INSERT OR FAIL INTO number"
        self._insert(verb, 3, [value for number, digest in rows for value in (number, chunk, digest)])
        self.largest = max(self.largest, numbers[-1])
        return chunk

    def _assign(self, numbers: Sequence[int], chunk: int) -> None:
        self._sql.execute(
            "UPDATE number SET chunk = ? WHERE number IN (SELECT value FROM json_each(?))", (chunk, listed(numbers))
        )

    def _shrink(self, chunks: Iterable[int]) -> None:
        """Each of them has one number less."""
        self._sql.executemany("UPDATE chunk SET size = size - 1 WHERE id = ?", [(chunk,) for chunk in chunks])

    def _sweep(self, chunks: Iterable[int]) -> None:
        """Delete those that nothing refers to any more."""
        self._sql.execute(
            "DELETE FROM chunk WHERE id IN (SELECT value FROM json_each(?)) AND size = 0 "
            "AND NOT EXISTS (SELECT 1 FROM earlier WHERE earlier.chunk = chunk.id)",
            (listed(set(chunks)),),
        )
