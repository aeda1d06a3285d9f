"""What a ledger has on record of one run: each number that the run was the last to touch, and what it is now."""

import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.lock import Holder, holder
from cashin_async.ledger.status import RunStatus, account_in, read_ledger, runs_in

_PAGE = 10_000  # rows that are fetched together


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

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, NumberState, str | None]]:
        """Each number, rising, with its state and the reason of that."""
        states = self._states
        for number, chunk in zip(self._numbers, self._chunks, strict=True):
            yield number, *states[chunk]


def read_run(place: str | os.PathLike[str], run: str | None = None) -> RecordedRun:
    """What the ledger at `place` has of `run`, or of its newest upload. Read beside its writer, changing nothing.

    Raises `LedgerError` as `read_status` does, and when there is no such run.
    """
    return read_ledger(place, lambda sql, path, _: _recorded(sql, path, run))


def _recorded(sql: sqlite3.Connection, path: Path, run: str | None) -> RecordedRun:
    runs = list(runs_in(sql, None))
    # what only settles is a run too: it reads nothing, and is over
    uploads = [one for one in runs if one.facts.get("read") or ("read" in one.facts and "ended" not in one.facts)]
    named = [one for one in runs if one.run == run] if run is not None else uploads
    if not named:
        what = "no upload is on record" if run is None else "it has no such run: `cashin-async status` lists them"
        raise LedgerError(f"ledger {path}: {what}")
    chunks = {
        chunk: (NumberState(state), reason)
        for chunk, state, reason in sql.execute(
            "SELECT chunk.id, state, reason FROM chunk JOIN run ON run.id = chunk.run WHERE run.name = ? AND size > 0",
            (named[0].run,),
        )
    }
    numbers, of = _numbers(sql, named[0].run)
    account = account_in(sql)
    return RecordedRun(str(path), account, holder(path), named[0], named[0] in uploads[:1], numbers, of, chunks)


def _numbers(sql: sqlite3.Connection, run: str) -> tuple["array[int]", "array[int]"]:
    """A run's numbers, rising, and the chunk of each: one scan from the lowest to the highest that it may have."""
    such = "FROM chunk WHERE run = (SELECT id FROM run WHERE name = :run) AND size > 0"
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
