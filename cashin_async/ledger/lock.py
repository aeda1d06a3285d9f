"""One writer at a time: a lock on a file beside the ledger, which the kernel lets go of when its process ends."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from weakref import WeakSet

from cashin_async.errors import LedgerInUse

_TRIES = 5
_PAUSE = 0.02  # seconds between tries: `holder` holds the lock for some microseconds
_FAR = 1 << 30  # Windows: a locked byte cannot be read, so it is one behind the text

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int, *, shared: bool) -> None:
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(file: int, *, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


_TAKEN = (BlockingIOError, PermissionError)  # on Windows the latter


class Holder(NamedTuple):
    """Who writes a ledger."""

    pid: int
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} since {self.since.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def lock_file(place: Path) -> Path:
    """It stays when the lock is let go of: whoever removed it might remove the next writer's."""
    return place.with_name(f"{place.name}.lock")


class WriterLock:
    """The lock of one ledger, from `take` to `release`."""

    def __init__(self, file: int) -> None:
        self._file = file
        _held.add(self)

    @classmethod
    def take(cls, place: Path) -> "WriterLock":
        """Raises `LedgerInUse` when somebody has it, in this process or in another."""
        file = os.open(lock_file(place), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file, place)
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, f"{os.getpid()} {datetime.now(UTC).isoformat()}\n".encode())
        except BaseException:
            os.close(file)
            raise
        return cls(file)

    def release(self) -> None:
        _held.discard(self)
        os.close(self._file)


_held: WeakSet[WriterLock] = WeakSet()


def _release_in_child() -> None:
    """A fork has the lock, too, and would keep it beyond its parent's end."""
    for lock in list(_held):
        lock.release()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_release_in_child)


def _lock(file: int, place: Path) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            _try_lock(file, shared=False)
        except _TAKEN:
            if not tries_left:
                by = _read(file) or "another process"
                raise LedgerInUse(
                    f"ledger {place} is in use by {by}: wait until that ends, one writes at a time"
                ) from None
            time.sleep(_PAUSE)
        else:
            return


def holder(place: Path) -> Holder | None:
    """Who writes the ledger now; None when nobody does, or nobody can tell."""
    try:
        file = os.open(lock_file(place), os.O_RDONLY)
    except OSError:
        return None
    try:
        _try_lock(file, shared=True)
    except _TAKEN:
        return _read(file)
    else:
        return None
    finally:
        os.close(file)


def _read(file: int) -> Holder | None:
    os.lseek(file, 0, os.SEEK_SET)
    pid, _, since = os.read(file, 100).decode(errors="replace").strip().partition(" ")
    try:
        return Holder(int(pid), datetime.fromisoformat(since))
    except ValueError:
        return None
