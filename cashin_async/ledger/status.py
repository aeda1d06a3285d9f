"""What a ledger says, for people: read beside the writer, or after its end, without changing anything."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.book import in_state
from cashin_async.ledger.explain import DAMAGE, explained
from cashin_async.ledger.layout import MIGRATIONS
from cashin_async.ledger.lock import Holder, holder
from cashin_async.ledger.opening import version_of

T = TypeVar("T")

FOR_REPORTS = ("history", "kinds")
"""Facts that are long, and say little to a program."""
_FIRST = 10  # numbers that are shown of many


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run, and what the numbers that it touched last are now."""

    run: str
    began: datetime
    """When the ledger first heard of it."""
    facts: Mapping[str, Any]
    """As saved last (`save_run`); empty before that."""
    states: Mapping[NumberState, int]

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "began": self.began.isoformat(),
            "facts": {name: fact for name, fact in self.facts.items() if name not in FOR_REPORTS},
            "states": _named(self.states),
        }


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """A ledger at one moment."""

    place: str
    account: Account
    version: int
    """Of the file's layout."""
    writer: Holder | None
    """Who writes it now; None when nobody does."""
    states: Mapping[NumberState, int]
    """How many numbers are in which state. LEASED or POSTING without a writer: the last one ended in the middle, and
    the next one to open the ledger decides what they are."""
    unknown: tuple[int, ...]
    """The first numbers that are UNKNOWN."""
    released: tuple[int, ...]
    """The first numbers that are RELEASED: they wait for their invoices to be in an input again."""
    runs: tuple[RunStatus, ...]
    """The newest first."""

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        unsettled = {NumberState.UNKNOWN: self.unknown, NumberState.RELEASED: self.released}
        return {
            "ledger": self.place,
            "environment": self.account.environment,
            "creditor": self.account.creditor,
            "version": self.version,
            "writer": self.writer and {"pid": self.writer.pid, "since": self.writer.since.isoformat()},
            "states": _named(self.states),
            "unsettled": {
                str(state): {"count": self.states.get(state, 0), "first": list(first)}
                for state, first in unsettled.items()
            },
            "runs": [run.as_dict() for run in self.runs],
        }


def read_status(place: str | os.PathLike[str], runs: int | None = None) -> LedgerStatus:
    """What the ledger at `place` says, with its newest `runs`, or all.

    Raises `LedgerError` when there is no such file, or it is no ledger, or one of another version.
    """
    return read_ledger(place, lambda sql, path, version: _status(sql, path, version, runs))


Query = Callable[[sqlite3.Connection, Path, int], T]
"""From a connection, the file and its layout's version."""


def read_ledger(place: str | os.PathLike[str], query: Query[T]) -> T:
    """What `query` finds in the ledger at `place`, as of one moment and without changing anything.

    Raises `LedgerError` when there is no such file, or it is no ledger, or one of another version.
    """
    path = Path(os.path.realpath(place))
    if not path.is_file():
        why = "is no file" if path.exists() else "does not exist"
        raise LedgerError(f"ledger {path} {why}: check its path (LEDGER), or whose it is (base_url, creditor)")
    if (found := _read_at_rest(path, query)) is None:
        found = _read(path, "mode=ro", query)
    return found


def _read_at_rest(path: Path, query: Query[T]) -> T | None:
    """Of a ledger that is closed: then SQLite leaves no files beside it, nor needs to. None: it is open."""
    if path.with_name(f"{path.name}-wal").exists():
        return None
    before = os.stat(path)
    try:
        found = _read(path, "mode=ro&immutable=1", query)
    except LedgerError:
        if _is_as(before, path):
            raise
        return None
    return found if _is_as(before, path) else None


def _is_as(before: os.stat_result, path: Path) -> bool:
    """Whether nobody has written the file in the meantime."""
    after = os.stat(path)
    return (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)


def _read(path: Path, mode: str, query: Query[T]) -> T:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, isolation_level=None)) as sql:
            sql.execute("BEGIN")  # all of it as of one moment
            version = version_of(sql, path, len(MIGRATIONS))
            if version < len(MIGRATIONS):
                raise LedgerError(f"ledger {path} is {'older: the next upload renews it' if version else 'empty'}")
            return query(sql, path, version)
    except (sqlite3.Error, *DAMAGE) as error:
        raise explained(error, path, "read") from error


def _status(sql: sqlite3.Connection, path: Path, version: int, runs: int | None) -> LedgerStatus:
    return LedgerStatus(
        place=str(path),
        account=account_in(sql),
        version=version,
        writer=holder(path),
        states=_counts(sql.execute("SELECT state, sum(size) FROM chunk GROUP BY state")),
        unknown=tuple(in_state(sql, NumberState.UNKNOWN, 0, _FIRST)),
        released=tuple(in_state(sql, NumberState.RELEASED, 0, _FIRST)),
        runs=tuple(runs_in(sql, runs)),
    )


def account_in(sql: sqlite3.Connection) -> Account:
    """Whose ledger it is."""
    meta = dict(sql.execute("SELECT name, value FROM meta"))
    return Account(meta["environment"], meta["creditor"])


def runs_in(sql: sqlite3.Connection, limit: int | None) -> Iterator[RunStatus]:
    """The newest runs, or all: the newest first."""
    newest = sql.execute("SELECT id, name, began, facts FROM run ORDER BY id DESC LIMIT ?", (limit or -1,)).fetchall()
    states: dict[int, list[tuple[str, int]]] = {}
    for run, state, count in sql.execute("SELECT run, state, sum(size) FROM chunk GROUP BY run, state"):
        states.setdefault(run, []).append((state, count))
    for run, name, began, facts in newest:
        since = datetime.fromtimestamp(began, UTC)
        known = msgspec.json.decode(facts or "{}", type=dict[str, Any])
        yield RunStatus(name, since, known, _counts(states.get(run, ())))


def _counts(rows: Any) -> dict[NumberState, int]:
    counts = {NumberState(state): count for state, count in rows if count}
    return {state: counts[state] for state in NumberState if state in counts}


def _named(states: Mapping[NumberState, int]) -> dict[str, int]:
    return {str(state): count for state, count in states.items()}
