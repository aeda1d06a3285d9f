"""Parquet files, a part of a row group at a time; needs the extra `parquet`.

They are read from their end, where the table of contents stands, so there has to be a file: no standard input, nothing
packed around it.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from anyio import to_thread

from cashin_async.sources.arrow import AT_ONCE, ArrowInvoices, read, size_of
from cashin_async.sources.compression import FREE
from cashin_async.sources.source import Batch, CannotReadOn


class ParquetFile:
    """The rows of a file, each known by its place from 0.

    Only a part of a row group is in memory. What a damaged file still gives is given.
    """

    def __init__(
        self,
        name: str | PathLike[str],
        *,
        longest: int = 1_048_574,
        allow_unknown_fields: bool = False,
        max_unpack: float = 1000.0,
    ) -> None:
        self.line = 0
        self._name = name
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._max_unpack = max_unpack
        self._length: int | None = None

    def share_read(self) -> float | None:
        """How much of it has been read, from 0 to 1; None when there is no telling."""
        return self.line / self._length if self._length else None

    async def batches(self) -> AsyncIterator[Batch]:
        """The invoices. Raises `CannotReadOn` when the file, or what is left of it, cannot be read; `OSError`."""
        file = await to_thread.run_sync(self._open)
        self._length = file.metadata.num_rows
        invoices = ArrowInvoices(file.schema_arrow, self._longest, self._allow_unknown_fields)
        tables = self._tables(file)

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
            return pq.ParquetFile(
                self._name,
                pre_buffer=False,  # else all that was read stays in memory
                coerce_int96_timestamp_unit="us",  # in nanoseconds, what is after 2262 would be another date
            )

    def _tables(self, file: "pq.ParquetFile") -> Iterator["pa.RecordBatch"]:
        """Group by group: a batch of two of them would be lost with the second one."""
        texts = pq.ParquetFile(self._name, metadata=file.metadata, pre_buffer=False, read_dictionary=_texts(file))
        most, unpacked = max(FREE, self._max_unpack * os.stat(self._name).st_size), 0
        for group in range(file.metadata.num_row_groups):
            values = _values(file, group)
            self._stop_at(most, unpacked + values)  # which take a byte each, most of them
            row = max(1, values // max(1, file.metadata.row_group(group).num_rows)) * _longest_text(texts, group)
            for table in file.iter_batches(max(1, min(AT_ONCE, FREE // row)), row_groups=[group]):
                unpacked += size_of(table)
                self._stop_at(most, unpacked)
                yield table

    def _stop_at(self, most: float, unpacked: float) -> None:
        if unpacked > most:
            raise CannotReadOn(f"unpacks to more than {self._max_unpack:g} times its size (max_unpack)")

    @contextmanager
    def _intact(self, rows: int) -> Iterator[None]:
        """Arrow's own words may quote what it read."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            behind = f" behind row {rows}" if rows else ""
            raise CannotReadOn(f"is a damaged Parquet file, or none{behind}: {type(error).__name__}") from None


def _texts(file: "pq.ParquetFile") -> list[str]:
    """The paths of the columns that may hold texts."""
    columns = map(file.schema.column, range(len(file.schema)))
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _values(file: "pq.ParquetFile", group: int) -> int:
    """How many there are in a group: a single row may have most of them."""
    columns = file.metadata.row_group(group)
    return sum(columns.column(place).num_values for place in range(columns.num_columns))


def _longest_text(file: "pq.ParquetFile", group: int) -> int:
    """Bytes of the longest text in the dictionaries of a group, 1 at least: what stands there once may be in every row.

    They are there as a whole with the first rows. Only what is no dictionary is read twice.
    """
    first = next(file.iter_batches(AT_ONCE, row_groups=[group]), None)
    return max(map(_longest, first.columns), default=1) if first is not None else 1


def _longest(values: Any) -> int:
    if pa.types.is_dictionary(values.type):
        return pc.max(pc.binary_length(values.dictionary)).as_py() or 1
    if pa.types.is_nested(values.type):
        inner = values.flatten()
        return max(map(_longest, inner if isinstance(inner, list) else [inner]), default=1)
    return 1
