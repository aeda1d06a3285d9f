"""Parquet files, a part of a row group at a time; needs the extra `parquet`.

They are read from their end, where the table of contents stands, so there has to be a file: no standard input, nothing
packed around it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from os import PathLike

import pyarrow as pa
import pyarrow.parquet as pq
from anyio import to_thread

from cashin_async.sources.arrow import AT_ONCE, ArrowInvoices, read
from cashin_async.sources.source import Batch, CannotReadOn


class ParquetFile:
    """The rows of a file, each known by its place from 0.

    Only a part of a row group is in memory. What a damaged file still gives is given.
    """

    def __init__(
        self, name: str | PathLike[str], *, longest: int = 1_048_574, allow_unknown_fields: bool = False
    ) -> None:
        self.line = 0
        self._name = name
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._length: int | None = None

    def share_read(self) -> float | None:
        """How much of it has been read, from 0 to 1; None when there is no telling."""
        return self.line / self._length if self._length else None

    async def batches(self) -> AsyncIterator[Batch]:
        """The invoices. Raises `CannotReadOn` when the file, or what is left of it, cannot be read; `OSError`."""
        file = await to_thread.run_sync(self._open)
        self._length = file.metadata.num_rows
        invoices = ArrowInvoices(file.schema_arrow, self._longest, self._allow_unknown_fields)
        tables = _tables(file)

        def following() -> "pa.RecordBatch | None":  # may outlast this, so nothing is closed by hand
            with self._intact(invoices.line):
                return next(tables, None)

        async for batch in read(following, invoices):
            self.line = invoices.line
            yield batch

    def _open(self) -> "pq.ParquetFile":
        with open(self._name, "rb"):  # whatever is wrong with opening it has words of its own
            pass
        with self._intact(0):
            return pq.ParquetFile(self._name, pre_buffer=False)  # else all that was read stays in memory

    @contextmanager
    def _intact(self, rows: int) -> Iterator[None]:
        """Arrow's own words may quote what it read."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            behind = f" behind row {rows}" if rows else ""
            raise CannotReadOn(f"is a damaged Parquet file, or none{behind}: {type(error).__name__}") from None


def _tables(file: "pq.ParquetFile") -> Iterator["pa.RecordBatch"]:
    """Group by group: a batch of two of them would be lost with the second one."""
    for group in range(file.metadata.num_row_groups):
        yield from file.iter_batches(AT_ONCE, row_groups=[group])
