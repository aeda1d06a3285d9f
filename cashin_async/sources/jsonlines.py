"""JSON Lines: one invoice a line, from files and standard input, in constant memory.

A valid line goes out as the bytes it came in, so that no digit is lost and nothing is encoded twice.
"""

import errno
import os
import stat
import sys
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from io import BufferedReader
from typing import Any, cast

from anyio import to_thread

from cashin_async.errors import InvalidInvoice
from cashin_async.models.wire import glance_numbers, number_of, numbers_of
from cashin_async.sources.lines import LineSplitter
from cashin_async.sources.source import Batch, Place, Record, SourceProblem

_READ = 1_048_576  # bytes that a thread reads at a time, where they are there: waking it costs as much as reading them
_BLOCK = 262_144  # bytes between two turns of the event loop: some ninety invoices, a millisecond of work
_SIGNATURE = 4  # bytes that tell one form from another; a pipe may deliver them one by one
_ROOM = 1024  # bytes of blanks around a line that are not counted as a part of it
_BOM = b"\xef\xbb\xbf"
_SIGNATURES = {
    b"\x1f\x8b": "is compressed with gzip: pipe it in unpacked, as `-`: gunzip -c FILE | ...",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: pipe it in unpacked, as `-`: zstd -dc FILE | ...",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"PAR1": "is a Parquet file, not JSON Lines",
    b"\xff\xfe": "is UTF-16: convert it to UTF-8 first",
    b"\xfe\xff": "is UTF-16: convert it to UTF-8 first",
}

Path = str | os.PathLike[str]


class JsonLines:
    """Files of JSON Lines, one after the other; `-` is standard input.

    A line that is no valid invoice is a record with a problem, and the next one is read. A line longer than
    `longest` bytes is such a record too, and never in memory as a whole. A file that cannot be read, or not to
    its end, is noted in `problems`, and the next one is read.
    """

    def __init__(
        self,
        *files: Path,
        longest: int = 1_048_574,
        allow_unknown_fields: bool = False,
        stdin: BufferedReader | None = None,
    ) -> None:
        self.problems: list[SourceProblem] = []
        self.failure: BaseException | None = None
        self.glances = False
        self.wanted: int | None = None
        self.empty_files: list[str] = []
        """Files in which there was no line with anything on it."""
        self._names = [os.fspath(file) for file in files]
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._stdin = stdin
        self._line = 0  # lines of all files so far: what a record is known by
        self._starts: list[int] = []
        self._started: list[str] = []
        self._bytes_read = 0
        self._bytes_in_all = self._size_of_all()

    def _size_of_all(self) -> int | None:
        try:
            sizes = [os.stat(name) for name in self._names]
        except OSError:
            return None
        return sum(size.st_size for size in sizes) if all(stat.S_ISREG(size.st_mode) for size in sizes) else None

    def share_read(self) -> float | None:
        return self._bytes_read / self._bytes_in_all if self._bytes_in_all else None

    def locate(self, ref: Any) -> Place:
        file = bisect_right(self._starts, ref) - 1
        return Place(self._started[file], ref - self._starts[file] + 1)

    async def batches(self) -> AsyncIterator[Batch]:
        for name in self._names:
            self._starts.append(self._line)
            self._started.append("<stdin>" if name == "-" else name)
            problems, found = len(self.problems), False
            try:
                async with aclosing(self._lines(name)) as some:
                    async for lines in some:
                        batch = self._batch(lines)
                        found = found or bool(batch)
                        yield batch
            except OSError as error:
                self._note(error.strerror or type(error).__name__)
            if not found and len(self.problems) == problems:
                self.empty_files.append(self._started[-1])

    def _note(self, reason: str) -> None:
        line = self._line - self._starts[-1]
        self.problems.append(SourceProblem(reason, self._started[-1], line + 1 if line else None))

    async def _lines(self, name: str) -> AsyncGenerator[list[bytes | None], None]:
        file = _Blocks(name, self._stdin)
        try:
            splitter = LineSplitter(self._longest + _ROOM)
            data = await _in_thread(file.read)
            start = bytes(data)
            while data and len(start) < _SIGNATURE:
                data = await _in_thread(file.read)
                start += data
            if why_not := _other_form(start):
                self._note(why_not)
                return
            data = memoryview(start.removeprefix(_BOM))
            self._bytes_read += len(start) - len(data)
            while data:
                block = 2 * _BLOCK if self.glances else _BLOCK  # a glance takes less than half the time
                for place in range(0, len(data), block):
                    some = data[place : place + block]
                    self._bytes_read += len(some)
                    yield splitter.feed(some)
                data = await _in_thread(file.read)
            yield splitter.end()
        finally:
            file.close()

    def _batch(self, lines: list[bytes | None]) -> Batch:
        first, self._line = self._line, self._line + len(lines)
        stripped = [line and line.strip() for line in lines]
        if not all(stripped) or len(max(cast(list[bytes], stripped), key=len, default=b"")) > self._longest:
            return self._batch_with_gaps(first, stripped)
        refs, good = range(first, self._line), cast(list[bytes], stripped)
        if self.glances:
            return Batch(refs, glance_numbers(good), good, unchecked=True)
        numbers, problems = numbers_of(good, self._allow_unknown_fields)
        return Batch(refs, numbers, good, problems)

    def _batch_with_gaps(self, first: int, lines: list[bytes | None]) -> Batch:
        """The same where some lines are empty or too long."""
        refs: list[int] = []
        kept: list[bytes] = []
        too_long = {}
        for ref, line in enumerate(lines, first):
            if line is None or len(line) > self._longest:
                too_long[len(refs)] = f"is longer than {self._longest} bytes (chunk_bytes)"
                line = b"-"
            if line:
                refs.append(ref)
                kept.append(line)
        numbers, problems = numbers_of(kept, self._allow_unknown_fields)
        for place in too_long:
            kept[place] = b""
        return Batch(refs, numbers, kept, problems | too_long)

    def _record(self, ref: int, line: bytes) -> Record:
        try:
            return Record(ref, number_of(line, self._allow_unknown_fields), line)
        except InvalidInvoice as error:
            return Record(ref, None, line, error.reason)

    def left_over(self) -> Batch:
        return Batch((), (), [])

    def check(self, record: Record) -> Record:
        return self._record(record.ref, record.encoded)


class _Blocks:
    """A file read block by block in threads, any of which may be left behind in a read that never returns."""

    def __init__(self, name: str, stdin: BufferedReader | None) -> None:
        self._name = name
        self._stdin = stdin
        self._file: BufferedReader | None = None
        self._buffer = memoryview(bytearray(_READ))
        self._reading = False
        self._closed = False

    def read(self) -> memoryview:
        """The next bytes, there until the next read; none at the end. `OSError` when there are none to be had."""
        self._reading = True
        try:
            if self._file is None:
                self._file = self._open()
            size: int | None = self._file.readinto1(self._buffer)
            if size is None:
                raise OSError(errno.EAGAIN, "is in non-blocking mode: there is no telling where it ends")
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


async def _in_thread(read: Callable[[], memoryview]) -> memoryview:
    return await to_thread.run_sync(read, abandon_on_cancel=True)


def _other_form(start: bytes) -> str | None:
    """Why a file that starts like this is not JSON Lines, or None."""
    for signature, why in _SIGNATURES.items():
        if start.startswith(signature):
            return why
    if b"\0" in start[:_SIGNATURE] or (b"\0" in start[:1024] and not start.lstrip(_BOM + b" \r\n\t").startswith(b"{")):
        return "is a binary file, not JSON Lines"
    return None
