"""Reading the same invoices in each form that an input may have, and checking them; nothing is sent."""

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.arena import Arena, Taken
from benchmarks.figures import Figure, Part, ratios

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TITLE = "Reading each form"
MINUTES = 6


def measure(arena: Arena) -> Part:
    lines = arena.file(arena.options.invoices)
    taken: dict[str, list[Taken]] = {form: [] for form in _WRITERS}
    files = {form: lines.with_suffix(f".{form}") for form in _WRITERS}
    for form, file in files.items():
        if file != lines:
            arena.say(f"writing {file.name}")
            _WRITERS[form](lines, file)
    for _ in arena.rounds(MINUTES):
        for form, file in files.items():
            taken[form].append(arena.run("ours-read", warm=0, file=file))
    for file in files.values():
        if file != lines:
            file.unlink()
    speeds = {form: [one["invoices"] / one["run"] for one in all_] for form, all_ in taken.items()}
    return Part(
        [
            *(Figure(f"{form}: read and checked", speeds[form], "invoices a second") for form in _WRITERS),
            *(
                Figure(f"{form}, of JSON Lines", ratios(speeds[form], speeds["jsonl"]))
                for form in _WRITERS
                if form != "jsonl"
            ),
            *(Figure(f"{form}: peak memory", [one["peak_mb"] for one in taken[form]], "MB") for form in _WRITERS),
        ]
    )


def _keep(_: Path, __: Path) -> None:
    """The lines are what they are."""


def _gzipped(lines: Path, file: Path) -> None:
    with lines.open("rb") as source, gzip.open(file, "wb", 6) as packed:
        packed.writelines(source)


def _with_zstd(lines: Path, file: Path) -> None:
    with lines.open("rb") as source, zstd.open(file, "wb") as packed:
        packed.writelines(source)


def _array(lines: Path, file: Path) -> None:
    with lines.open("rb") as source, file.open("wb") as array:
        before = b"["
        for line in source:
            array.write(before + line)
            before = b","
        array.write(b"]")


def _csv(lines: Path, file: Path) -> None:
    with file.open("w", newline="") as opened:
        writer: csv.DictWriter[str] | None = None
        for flat in map(_flat, _invoices(lines)):
            if writer is None:
                writer = csv.DictWriter(opened, list(flat), delimiter=";")
                writer.writeheader()
            writer.writerow(flat)


def _flat(invoice: dict[str, Any]) -> dict[str, Any]:
    """With the columns of its only row."""
    (row,) = invoice.pop("InvoiceRows")
    return {**invoice, **{f"Row.{name}": value for name, value in row.items()}}


def _parquet(lines: Path, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    invoices, writer = _invoices(lines), None
    while some := list(islice(invoices, 10_000)):
        table = pa.Table.from_pylist(some)
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table.cast(table.schema))
    if writer is not None:
        writer.close()


def _invoices(lines: Path) -> Iterator[dict[str, Any]]:
    with lines.open("rb") as source:
        yield from map(json.loads, source)


_WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "jsonl": _keep,
    "jsonl.gz": _gzipped,
    "jsonl.zst": _with_zstd,
    "json": _array,
    "csv": _csv,
    "parquet": _parquet,
}
"""By the ending of the name."""
