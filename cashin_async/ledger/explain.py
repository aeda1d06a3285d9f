"""What an error of the file means to the person who has to mend it."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from cashin_async.errors import LedgerError

_LITTLE = 1_048_576  # bytes: a disk with less is full; SQLite tells a full disk from a broken one only at times

_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_BUSY: "another program holds it locked",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup (a new ledger knows nothing of what was sent)",
    sqlite3.SQLITE_NOTADB: "it is no ledger, or its beginning is damaged",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "permission is denied",
    sqlite3.SQLITE_IOERR: "its disk fails",
}
_OF_THE_SYSTEM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
}


DAMAGE = (ValueError, KeyError, IndexError, TypeError)
"""What reading a file raises that holds something else than was written; UnicodeDecodeError and such among them."""


def explained(error: Exception, place: Path, doing: str = "written") -> LedgerError:
    """The error to raise in place of one of SQLite's or the system's."""
    if isinstance(error, LedgerError):
        return error
    return LedgerError(f"ledger {place} cannot be {doing}: {_meaning(error, place)}")


def _meaning(error: Exception, place: Path) -> str:
    if isinstance(error, OSError):
        return _OF_THE_SYSTEM.get(error.errno or 0, error.strerror or type(error).__name__)
    code: int = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_IOERR and _is_full(place):
        return _MEANINGS[sqlite3.SQLITE_FULL]
    if code & 0xFF in _MEANINGS:
        return f"{_MEANINGS[code & 0xFF]} ({getattr(error, 'sqlite_errorname', '')})"
    if isinstance(error, DAMAGE):
        return f"{_MEANINGS[sqlite3.SQLITE_CORRUPT]} ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(os.path.dirname(place)).free < _LITTLE
    except OSError:
        return False
