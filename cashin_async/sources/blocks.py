"""The bytes of one file or of standard input, block by block."""

import errno
import sys
from collections.abc import Callable
from io import BufferedReader
from typing import Protocol, cast

from anyio import to_thread

READ = 1_048_576
"""Bytes that a thread reads at a time, where they are there: waking it costs as much as reading them."""


class Reader(Protocol):
    """Bytes in blocks, read by a thread."""

    taken: int
    """Bytes of the file that are read so far; packed ones, where it is packed."""

    def read(self) -> memoryview:
        """The next bytes, there until the next read; none at the end. Raises `OSError` or `CannotReadOn`."""
        ...


class Blocks:
    """A file read block by block in threads, any of which may be left behind in a read that never returns.

    `-` is standard input: `stdin`, or that of the process.
    """

    def __init__(self, name: str, stdin: BufferedReader | None) -> None:
        self.taken = 0
        self._name = name
        self._stdin = stdin
        self._file: BufferedReader | None = None
        self._buffer = memoryview(bytearray(READ))
        self._reading = False
        self._closed = False

    def read(self) -> memoryview:
        """The next bytes, there until the next read; none at the end. `OSError` when there are none to be had."""
        self._reading = True
        try:
            if self._closed:
                raise OSError(errno.EBADF, "is closed")
            if self._file is None:
                self._file = self._open()
            size: int | None = self._file.readinto1(self._buffer)
            if size is None:
                raise OSError(errno.EAGAIN, "is in non-blocking mode: there is no telling where it ends")
            self.taken += size
            return self._buffer[:size]
        finally:
            self._reading = False
            if self._closed:
                self.close()

    def close(self) -> None:
        """Now, or when the thread that still reads comes back: closing would wait for it."""
        self._closed = True
        if self._file is not None and not self._reading and self._name != "-":
            self._file.close()

    def _open(self) -> BufferedReader:
        if self._name != "-":
            return open(self._name, "rb")
        if self._stdin is None and sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return self._stdin or cast(BufferedReader, sys.stdin.buffer)


async def in_thread(read: Callable[[], memoryview]) -> memoryview:
    """What `read` gives, while others go on; left behind when the task is cancelled."""
    return await to_thread.run_sync(read, abandon_on_cancel=True)
