"""What a ledger has on record of one run: each number that the run was the last to touch, and what it is now."""

import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import SETTLES, Account, NumberState
from cashin_async.ledger.lock import Holder, holder
from cashin_async.ledger.status import RunStatus, account_in, read_ledger, runs_in

_PAGE = 10_000  # rows that are fetched together
_THIS = "(SELECT id FROM run WHERE name = :run)"


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run as the ledger has it at one moment.

    Not in it: what has no number, what broke a rule, what a later run has settled or sent again.
    """

    place: str
    account: Account
    writer: Holder | None
    """Who writes the ledger now."""
    status: RunStatus
    newest: bool
    """Whether no later upload is on record."""
    _numbers: "array[int]"
    """Rising."""
    _chunks: "array[int]"
    _states: Mapping[int, tuple[NumberState, str | None]]
    """By chunk, the state and the reason."""
    doubtful: "array[int]"
    """Numbers that earlier runs left unknown and that still are, rising: this run may have counted some of them."""
    released: "array[int]"
    """Numbers of the whole ledger that are released and still to be sent, rising."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, NumberState, str | None]]:
        """Each number, rising, with its state and the reason of that."""
        states = self._states
        for number, chunk in zip(self._numbers, self._chunks, strict=True):
            yield number, *states[chunk]


def read_run(place: str | os.PathLike[str], run: str | None = None) -> RecordedRun:
    """What the ledger at `place` has of `run`, or of its newest upload. Read beside its writer, changing nothing.

    Raises `LedgerError` as `read_status` does, and when there is no such run or it is no upload.
    """
    return read_ledger(place, lambda sql, path, _: _recorded(sql, path, run))


def _recorded(sql: sqlite3.Connection, path: Path, run: str | None) -> RecordedRun:
    runs = list(runs_in(sql, None))
    uploads = [one for one in runs if "read" in one.facts and not one.run.endswith(SETTLES)]
    named = uploads if run is None else [one for one in uploads if one.run == run]
    if not named:
        raise LedgerError(f"ledger {path}: {_why_none(run, any(one.run == run for one in runs))}")
    chunks = {
        chunk: (NumberState(state), reason)
        for chunk, state, reason in sql.execute(
            "SELECT chunk.id, state, reason FROM chunk JOIN run ON run.id = chunk.run WHERE run.name = ? AND size > 0",
            (named[0].run,),
        )
    }
    numbers, of = _numbers(sql, f"run = {_THIS} AND size > 0", named[0].run)
    doubtful, _ = _numbers(sql, f"state = 'unknown' AND run < {_THIS}", named[0].run)
    released, _ = _numbers(sql, "state = 'released'", named[0].run)
    newest = named[0] is uploads[0]
    return RecordedRun(
        str(path), account_in(sql), holder(path), named[0], newest, numbers, of, chunks, doubtful, released
    )


def _why_none(run: str | None, on_record: bool) -> str:
    if run is None:
        return "no upload is on record"
    if on_record:
        return "that run is no upload, but settled, or sent invoices one by one: there is no report of it"
    return "it has no such run: `cashin-async status` lists them"


def _numbers(sql: sqlite3.Connection, which: str, run: str) -> tuple["array[int]", "array[int]"]:
    """The numbers of such chunks, rising, and the chunk of each: one scan from the lowest to the highest of them."""
    such = f"FROM chunk WHERE {which}"
    rows = sql.execute(
        f"SELECT number, chunk FROM number WHERE chunk IN (SELECT id {such}) "  # noqa: S608
        f"AND number BETWEEN (SELECT min(low) {such}) AND (SELECT max(high) {such}) ORDER BY number",
        {"run": run},
    )
    numbers, chunks = array("q"), array("q")
    while page := rows.fetchmany(_PAGE):
        columns: Sequence[tuple[int, ...]] = tuple(zip(*page, strict=True))
        numbers.extend(columns[0])
        chunks.extend(columns[1])
    return numbers, chunks
