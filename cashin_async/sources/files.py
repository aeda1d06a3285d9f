"""Files and standard input, whatever their form: opened, unpacked, told apart, read one after the other.

blocks  ->  compression  ->  forms: which is it?  ->  jsonlines, jsonarray, delimited  ->  records with their places
in a thread                                           parquet reads its file by itself
"""

import os
import stat
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from io import BufferedReader
from typing import TYPE_CHECKING, Any

from cashin_async.errors import InvalidInvoice
from cashin_async.models.wire import number_of
from cashin_async.settings import Settings
from cashin_async.sources.blocks import Blocks, Reader, in_thread
from cashin_async.sources.compression import Unpacked, packing_of
from cashin_async.sources.forms import AT_ONCE, INSTALL_PYARROW, Format, form_of, format_of, tells, without_mark
from cashin_async.sources.source import Batch, CannotReadOn, Form, Place, Record, SourceProblem

if TYPE_CHECKING:
    from cashin_async.sources.parquet import ParquetFile

Path = str | os.PathLike[str]


class Files:
    """Several files, one after the other, read as the settings say; `-` is standard input.

    A file that cannot be read, or not to its end, is noted in `problems`, and the next one is read. One that is named
    twice is read twice.
    """

    def __init__(self, settings: Settings, *files: Path, stdin: BufferedReader | None = None) -> None:
        self.problems: list[SourceProblem] = []
        self.failure: BaseException | None = None
        self.glances = False
        self.wanted: int | None = None
        self.empty_files: list[str] = []
        """Files that have no invoice in them, good or bad."""
        self._settings = settings
        self._names = [os.fspath(file) for file in files]
        self._stdin = stdin
        self._line = 0  # lines, items and rows of all files so far: what a record is known by
        self._starts: list[int] = []
        self._started: list[str] = []
        self._sizes = [_size(name) for name in self._names]
        self._bytes_before = 0
        self._bytes_read = 0

    def share_read(self) -> float | None:
        sizes = [size for size in self._sizes if size is not None]
        if len(sizes) < len(self._names) or not sum(sizes):
            return None
        return (self._bytes_before + self._bytes_read) / sum(sizes)

    def locate(self, ref: Any) -> Place:
        """The file and, from 1, the line in it, or the item or row."""
        file = bisect_right(self._starts, ref) - 1
        return Place(self._started[file], ref - self._starts[file] + 1)

    async def batches(self) -> AsyncIterator[Batch]:
        for name, size in zip(self._names, self._sizes, strict=True):
            self._starts.append(self._line)
            self._started.append("<stdin>" if name == "-" else name)
            problems, found = len(self.problems), False
            try:
                async with aclosing(self._batches_of(name)) as batches:
                    async for batch in batches:
                        found = found or bool(batch)
                        yield batch
            except OSError as error:
                self._note(error.strerror or type(error).__name__)
            except CannotReadOn as error:
                self._note(str(error))
            if not found and len(self.problems) == problems:
                self.empty_files.append(self._started[-1])
            self._bytes_before += size or 0
            self._bytes_read = 0

    def _note(self, reason: str) -> None:
        line = self._line - self._starts[-1]
        self.problems.append(SourceProblem(reason, self._started[-1], line + 1 if line else None))

    async def _batches_of(self, name: str) -> AsyncGenerator[Batch, None]:
        blocks = Blocks(name, self._stdin)
        try:
            reader: Reader = blocks
            start = await _start(reader)
            if packing := packing_of(start):
                reader = Unpacked(packing, start, blocks.read, self._settings.max_unpack)
                start = await _start(reader)
            format_ = format_of(start, name, self._settings.input_format)
            if format_ is Format.PARQUET:
                batches = self._rows_of(name, packed=reader is not blocks)
            else:
                batches = self._fed(form_of(format_, self._settings), format_, start, reader)
            async with aclosing(batches):
                async for batch in batches:
                    yield batch
        finally:
            blocks.close()

    async def _fed(self, form: Form, format_: Format, start: bytes, reader: Reader) -> AsyncGenerator[Batch, None]:
        """What the form makes of it, a few milliseconds of work at a time."""
        data = memoryview(without_mark(start, format_))
        while data:
            before, size = self._bytes_read, reader.taken - self._bytes_read
            for place in range(0, len(data), AT_ONCE[format_]):
                some = data[place : place + AT_ONCE[format_]]
                self._bytes_read = before + size * (place + len(some)) // len(data)
                form.glances = self.glances
                yield self._placed(form.feed(some), form)
            try:
                data = await in_thread(reader.read)
            except (OSError, CannotReadOn):
                yield self._placed(form.cut_off(), form)
                raise
        try:
            yield self._placed(form.end(), form)
        except CannotReadOn as error:
            if error.batch:
                yield self._placed(error.batch, form)
            raise

    async def _rows_of(self, name: str, *, packed: bool) -> AsyncGenerator[Batch, None]:
        """The same of a Parquet file, which is read from its end."""
        size = _size(name)
        if packed or size is None:
            why = "it is packed once more" if packed else "what comes through a pipe has none before it is there"
            raise CannotReadOn(f"is a Parquet file, which is read from its end, and {why}: hand in a plain file")
        rows = _parquet_file(name, self._settings)
        async with aclosing(rows.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                self._bytes_read = int(size * (rows.share_read() or 0))
                yield self._placed(batch, rows)

    def _placed(self, batch: Batch, form: "Form | ParquetFile") -> Batch:
        """The same, its lines counted on from those of the files before."""
        first = self._starts[-1]
        self._line = first + form.line
        if not first:
            return batch
        refs = batch.refs
        if isinstance(refs, range):
            batch.refs = range(refs.start + first, refs.stop + first, refs.step)
        else:
            batch.refs = [first + ref for ref in refs]
        return batch

    def left_over(self) -> Batch:
        return Batch((), (), [])

    def check(self, record: Record) -> Record:
        try:
            number = number_of(record.encoded, self._settings.allow_unknown_fields)
        except InvalidInvoice as error:
            return Record(record.ref, None, record.encoded, error.reason)
        return Record(record.ref, number, record.encoded)


async def _start(reader: Reader) -> bytes:
    """As much of the beginning as tells the form, or all there is."""
    data = await in_thread(reader.read)
    start = bytes(data)
    while data and not tells(start):
        data = await in_thread(reader.read)
        start += data
    return start


def _parquet_file(name: str, settings: Settings) -> "ParquetFile":
    """A Parquet file, read as the settings say. Raises `CannotReadOn` where the library for it is missing."""
    try:
        from cashin_async.sources.parquet import ParquetFile
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyarrow":
            raise
        raise CannotReadOn(f"is a Parquet file, which needs: {INSTALL_PYARROW}") from None
    return ParquetFile(
        name,
        longest=settings.chunk_bytes - 2,
        allow_unknown_fields=settings.allow_unknown_fields,
        max_unpack=settings.max_unpack,
    )


def _size(name: str) -> int | None:
    """Bytes of a plain file; None for anything else, which may be without end."""
    with suppress(OSError):
        status = os.stat(name)
        if name != "-" and stat.S_ISREG(status.st_mode):
            return status.st_size
    return None
