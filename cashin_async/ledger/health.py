"""Whether a ledger could be opened for writing, found out without changing anything, beside a writer too."""

import os
import shutil
import sqlite3
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from cashin_async.errors import LedgerError
from cashin_async.ledger.explain import DAMAGE, explained
from cashin_async.ledger.opening import check_log, check_place
from cashin_async.ledger.status import LedgerStatus, read_ledger, read_status

SQLITE = sqlite3.sqlite_version
"""Of the library that Python was built with."""
CHECK_SECONDS = 10.0
"""For the check of a file: it takes 0.6 s for ten million invoices, and a person waits for it."""
_STEPS = 100_000  # of SQLite's machine between two looks at the clock: about a millisecond


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """What was found out about one ledger."""

    place: Path
    exists: bool
    problem: str | None = None
    """Why it cannot be opened."""
    mode: int | None = None
    """The file's permissions, as in `chmod`; None where there is no file, and on Windows."""
    free: int | None = None
    """Bytes that are free on its disk."""
    whole: bool | None = None
    """Whether SQLite found the file whole; None when there was no time to find out."""
    status: LedgerStatus | None = None


def examine(place: str | os.PathLike[str], *, usual: bool = False, seconds: float = CHECK_SECONDS) -> LedgerHealth:
    """Look at the ledger at `place`. Raises nothing: what is wrong is the `problem`.

    `usual`: nobody named the place, so that folders that are missing will be made.
    """
    path = Path(os.path.realpath(place))
    exists, mode, free, whole, status = path.exists(), None, _free(path), None, None
    try:
        check_place(path if exists or not usual else _next_to_there(path), new=True)
        if exists:
            mode = stat.S_IMODE(path.stat().st_mode) if os.name == "posix" else None
            check_log(path)
            status = read_status(path, runs=1)
            whole = _is_whole(path, seconds)
    except (LedgerError, OSError, sqlite3.Error, *DAMAGE) as error:
        return LedgerHealth(path, exists, str(explained(error, path, "read")), mode, free)
    return LedgerHealth(path, exists, None, mode, free, whole, status)


def _next_to_there(path: Path) -> Path:
    """The same name in the first folder up from there that exists, in which the others would be made."""
    return next(parent for parent in path.parents if parent.exists()) / path.name


def _is_whole(path: Path, seconds: float) -> bool | None:
    """Raises `LedgerError` when it is damaged."""
    end = time.monotonic() + seconds

    def check(sql: sqlite3.Connection, path: Path, version: int) -> tuple[bool | None]:
        sql.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            [(verdict,)] = sql.execute("PRAGMA quick_check(1)")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return (None,)
        if verdict != "ok":
            raise LedgerError(f"ledger {path} is damaged ({verdict}): restore it from a backup")
        return (True,)

    (whole,) = read_ledger(path, check)
    return whole


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(next(folder for folder in path.parents if folder.exists())).free
    except OSError:
        return None
