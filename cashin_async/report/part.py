"""A file that takes its place only when it is whole."""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

ENDING = ".part"


class PartFile:
    """Written beside its place, as `PATH.part`, and moved into it at the end.

    Each write is with the system when it returns, so that what was written outlives a process that is killed. After
    one that fails nothing more is written, `failure` says why, and what stands at the place stays there; the lines
    that were written are beside it.

    Raises `OSError` when it cannot be begun: the folder is missing or not writable, the place is no plain file, or
    what is beside it is one of `inputs`, which would be lost.
    """

    def __init__(self, place: str | os.PathLike[str], inputs: Iterable[str] = (), mode: int = 0o666) -> None:
        self.place = os.path.realpath(place)
        """The absolute path, behind all links: what a link leads to is replaced, not the link."""
        self.part = self.place + ENDING
        self.failure: str | None = None
        _refuse_other_kinds(self.place)
        if is_input(self.part, inputs):
            raise OSError(errno.EEXIST, f"{self.part} is an input, and would be overwritten")
        with suppress(FileNotFoundError):
            os.unlink(self.part)  # of a run that was killed; made anew, it has the mode from its first byte on
        self._file = open(self.part, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
        self._written = 0
        self._moved = False

    @property
    def path(self) -> str:
        """Where it is now."""
        return self.place if self._moved else self.part

    @property
    def explained_failure(self) -> str | None:
        """Why it is not in its place, and where to find what could be written."""
        if self.failure is None:
            return None
        left = f"what could be written is in {self.part}" if self._written else "nothing could be written"
        return f"{self.place}: {self.failure}; {left}"

    @property
    def empty(self) -> bool:
        """Whether nothing was written."""
        return not self._written

    def write(self, data: bytes) -> bool:
        """Whether these lines are in the file, all of them."""
        if self.failure is None:
            left = memoryview(data)
            try:
                while left:
                    left = left[self._file.write(left) :]
                self._written += len(data)
            except OSError as error:
                self._fail(error)
                self._keep_whole_lines(data[: len(data) - len(left)])
        return self.failure is None

    def _keep_whole_lines(self, data: bytes) -> None:
        self._written += data.rfind(b"\n") + 1
        with suppress(OSError):
            self._file.truncate(self._written)

    def move(self) -> None:
        """Move it into its place."""
        if self.failure is None:
            try:
                os.fsync(self._file.fileno())
                self._refuse_a_stranger()
                self._file.close()
                os.replace(self.part, self.place)
                self._moved = True
            except OSError as error:
                self._fail(error)
        self.close()

    def close(self) -> None:
        """Leave it beside its place, unless it was moved; without anything in it, it is taken away."""
        if self._file.closed:
            return
        with suppress(OSError):
            self._file.close()
        if self.empty:
            with suppress(OSError):
                os.unlink(self.part)

    def _refuse_a_stranger(self) -> None:
        """Another process that was given the same path has put its own file there."""
        if not os.path.samestat(os.fstat(self._file.fileno()), os.lstat(self.part)):
            raise OSError(errno.EEXIST, "another process writes the same file")

    def _fail(self, error: OSError) -> None:
        self.failure = error.strerror or type(error).__name__


def is_input(place: str | os.PathLike[str], inputs: Iterable[str]) -> bool:
    """Whether one of `inputs` is the file at `place`, by whatever name; `-` is standard input."""
    for name in inputs:
        with suppress(OSError):
            if os.path.samestat(os.stat(place), os.fstat(0) if name == "-" else os.stat(name)):
                return True
    return False


def _refuse_other_kinds(place: str) -> None:
    """To replace a device would be fatal, `/dev/null` for one."""
    with suppress(FileNotFoundError):
        mode = os.stat(place).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "Is not a plain file")
