"""Opening a ledger's file for writing: every reason not to is found before anything is sent."""

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.book import Book, Kind
from cashin_async.ledger.explain import DAMAGE, explained
from cashin_async.ledger.filesystem import network_type, sync_folder
from cashin_async.ledger.layout import APPLICATION_ID, Migration
from cashin_async.ledger.lock import WriterLock
from cashin_async.ledger.wal import is_damaged

_BUSY = 10.0  # seconds to wait for a program that has the file locked: a backup, a database shell
_SMALLEST = 512  # bytes; SQLite takes a smaller file for an empty one, and would write over it
_NAMED_BY = "(--ledger, setting ledger)"
_PRAGMAS = (
    "fullfsync = ON",  # macOS: without it a sync ends in the drive's cache
    "checkpoint_fullfsync = ON",
    "cache_size = -8000",  # 8 MB
)


def open_book(
    place: Path, account: Account, new: bool, boot: Callable[[], str | None], migrations: Sequence[Migration]
) -> Book:
    """The ledger at `place`, locked, whole, of this version and account, and without open leases.

    Raises `LedgerError`, and `LedgerInUse` when another writer has it.
    """
    try:
        check_place(place, new)
        lock = WriterLock.take(place)
    except OSError as error:
        raise explained(error, place, "opened") from error
    connection = None
    try:
        check_log(place)
        connection = _connect(place)
        _check_content(connection, place, new, len(migrations))
        _migrate(connection, place, migrations)
        sync_folder(place.parent)
        book = Book(place, connection, lock)
        book.begin(Kind.SYNCED)
        _bind(book, place, account)
        _recover(book, boot())
        book.commit()
    except BaseException as error:
        if connection is not None:
            connection.close()
        lock.release()
        if isinstance(error, (sqlite3.Error, OSError, *DAMAGE)):
            raise explained(error, place, "opened") from error
        raise
    return book


# -- the file


def check_place(place: Path, new: bool) -> None:
    """Raises `LedgerError` when there can be no ledger at `place`, or when there is none and none may be begun."""
    if kind := network_type(place):
        raise LedgerError(
            f"ledger {place} is on a network file system ({kind}): put it on a disk of this machine {_NAMED_BY}"
        )
    if place.is_dir():
        raise LedgerError(f"ledger {place} is a folder: name a file {_NAMED_BY}")
    if not place.parent.is_dir():
        raise LedgerError(
            f"ledger {place} cannot be opened: the folder {place.parent} does not exist: make it, or name another "
            f"place {_NAMED_BY}"
        )
    if not place.exists() and not new:
        raise _missing(place, "does not exist")
    if place.exists() and not place.is_file():
        raise LedgerError(f"ledger {place} is no file: name another {_NAMED_BY}")
    if place.exists() and 0 < place.stat().st_size < _SMALLEST:
        raise LedgerError(f"ledger {place} cannot be opened: it is no ledger: name another file {_NAMED_BY}")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise LedgerError(
            f"ledger {place} cannot be opened: the folder {place.parent} is read-only: let this user write it, or move "
            f"the ledger {_NAMED_BY}"
        )
    if place.exists() and place.stat().st_nlink > 1:
        raise LedgerError(
            f"ledger {place} has a second name (a hard link), by which another could write it: remove one"
        )
    if place.exists() and not os.access(place, os.R_OK | os.W_OK):
        raise LedgerError(
            f"ledger {place} cannot be opened: the file is read-only: let this user write it (chmod u+rw)"
        )


def check_log(place: Path) -> None:
    """After a restart of the machine its last frames may be lost; in one and the same session they cannot be."""
    log = place.with_name(f"{place.name}-wal")
    started = time.time() - time.monotonic()
    if log.exists() and log.stat().st_mtime > started and is_damaged(log):
        raise LedgerError(
            f"ledger {place} cannot be opened: {log.name} is damaged, and marks of what was sent stand in it. "
            "Put both back from a backup. Without one, find out what the server has, move that file away, and say "
            "what is there: cashin-async settle --accepted FILE"
        )


def _missing(place: Path, why: str) -> LedgerError:
    return LedgerError(
        f"ledger {place} {why}: check its path (--ledger), or begin a new one with --new-ledger. A fresh ledger knows "
        "nothing of yesterday: what was sent before would be sent again"
    )


def _connect(place: Path) -> sqlite3.Connection:
    os.close(os.open(place, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives the files beside it the same mode
    return sqlite3.connect(
        f"{place.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY, check_same_thread=False
    )


def version_of(connection: sqlite3.Connection, place: Path, newest: int) -> int:
    """The version of the file's layout, 0 when it is empty. Raises `LedgerError` for anything but a ledger."""
    application, version, tables = (
        connection.execute(query).fetchone()[0]
        for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        raise LedgerError(f"ledger {place} is the database of another program: name another file {_NAMED_BY}")
    if version > newest:
        raise LedgerError(
            f"ledger {place} was written by a newer cashin-async (layout {version}, known here: {newest}): upgrade"
        )
    return int(version)


def _check_content(connection: sqlite3.Connection, place: Path, new: bool, newest: int) -> None:
    if not version_of(connection, place, newest) and not new:
        raise _missing(place, "is empty")
    # 0.06 s for a million invoices, 0.6 s for ten million
    [(verdict,)] = connection.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise LedgerError(f"ledger {place} is damaged ({verdict}): restore it from a backup")


def _migrate(connection: sqlite3.Connection, place: Path, migrations: Sequence[Migration]) -> None:
    [(mode,)] = connection.execute("PRAGMA journal_mode = WAL")
    if mode != "wal":
        raise LedgerError(
            f"ledger {place} cannot be opened: its file system cannot share memory: use another disk {_NAMED_BY}"
        )
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    for statement in (statement for migration in migrations[version:] for statement in migration):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


# -- what it holds


def _bind(book: Book, place: Path, account: Account) -> None:
    """The first to open a ledger says whose it is, and may name the creditor later."""
    if book.meta("environment") is None:
        book.set_meta("environment", account.environment)
        book.set_meta("salt", secrets.token_bytes(16))
    book.salt = book.meta("salt")
    held = Account(book.meta("environment"), book.meta("creditor"))
    if held.environment != account.environment:
        raise LedgerError(
            f"ledger {place} is of {held.environment}, not of {account.environment}: name another file {_NAMED_BY}, or "
            "mend the address (base_url, environment)"
        )
    if held.creditor is None:
        book.set_meta("creditor", account.creditor)
    elif account.creditor is None:
        raise LedgerError(
            f"ledger {place} is of the creditor {held.creditor}: say so with --creditor {held.creditor} "
            "(setting creditor), or name another file"
        )
    elif held.creditor != account.creditor:
        raise LedgerError(
            f"ledger {place} is of the creditor {held.creditor}, not of {account.creditor}: name another file "
            f"{_NAMED_BY}, or the other creditor (--creditor, setting creditor)"
        )


def _recover(book: Book, boot: str | None) -> None:
    if boot is not None and book.meta("boot") == boot:
        in_doubt = {NumberState.POSTING: "was in flight when its process ended"}
    else:  # the marks of the last seconds may be lost
        in_doubt = {
            NumberState.POSTING: "was in flight when its machine went down",
            NumberState.LEASED: "may have been in flight when its machine went down",
        }
    book.recover(in_doubt, "was about to be sent when its process ended")
    book.set_meta("boot", boot)
    book.take_over()
