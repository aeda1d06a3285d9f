"""The same invoices in every form give the same JSON."""

from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cashin_async.sources.arrow import ArrowStream
from cashin_async.sources.delimited import Csv
from cashin_async.sources.iterables import Iterables
from cashin_async.sources.parquet import ParquetFile
from tests.sources.conftest import MakeDesk
from tests.sources.tables import COUNT, as_csv, encoded, flat, nested, records, samples, values

INVOICES = samples()
EXPECTED = encoded(INVOICES)


def table() -> Any:
    return pa.Table.from_pylist(nested(INVOICES))


def flat_table() -> Any:
    return pa.Table.from_pylist(list(flat(INVOICES)))


def relation(arrow: Any) -> Any:
    return duckdb.sql("select * from arrow")


TABLES = {
    "pyarrow, nested": table,
    "pyarrow, flat": flat_table,
    "a reader of pyarrow": lambda: table().to_reader(max_chunksize=7),
    "a flat reader of pyarrow": lambda: flat_table().to_reader(max_chunksize=1),
    "polars, nested": lambda: polars.from_arrow(table()),
    "polars, flat": lambda: polars.from_arrow(flat_table()),
    "pandas, nested": lambda: table().to_pandas(),
    "pandas, flat": lambda: flat_table().to_pandas(),
    "duckdb, nested": lambda: relation(table()),
    "duckdb, flat": lambda: relation(flat_table()),
}


async def test_dicts_are_the_witness() -> None:
    assert [record.encoded for record in await records(Iterables(nested(INVOICES)))] == EXPECTED


@pytest.mark.parametrize(
    ("delimiter", "decimal", "thousands", "encoding"),
    [
        (";", ",", "", "cp1252"),
        (";", ",", "\u00a0", "cp1252"),
        (";", ",", ".", "utf-8-sig"),
        (",", ".", "", "utf-8"),
        (",", ".", ",", "utf-8"),
        ("\t", ".", " ", "utf-16"),
        ("|", ",", "", "utf-8"),
    ],
)
def test_csv_gives_the_same_bytes(delimiter: str, decimal: str, thousands: str, encoding: str) -> None:
    data = as_csv(INVOICES, delimiter, decimal, encoding, thousands)
    form = Csv()
    done = [*form.feed(memoryview(data)), *form.end()]
    assert [record.problem for record in done if record.problem] == []
    assert [record.encoded for record in done] == EXPECTED


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
async def test_a_table_gives_the_same_values(make: Any) -> None:
    source = ArrowStream(make())
    done = await records(source)
    assert (source.problems, [record.problem for record in done if record.problem]) == ([], [])
    assert values([record.encoded for record in done]) == values(EXPECTED)


@pytest.mark.parametrize("make", [table, flat_table])
async def test_a_parquet_file_gives_the_same_values(make: Any, tmp_path: Path) -> None:
    pq.write_table(make(), tmp_path / "x.parquet", row_group_size=7)
    done = await records(ParquetFile(tmp_path / "x.parquet"))
    assert values([record.encoded for record in done]) == values(EXPECTED)


async def test_the_same_upload_in_another_form_sends_nothing_twice(desk: MakeDesk, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(as_csv(INVOICES, ";", ",", "cp1252"))
    office = await desk()
    assert (await office.upload(nested(INVOICES))).accepted == COUNT
    report = await office.cashin.invoices.upload(tmp_path / "x.csv")
    assert (report.read, report.duplicate) == (COUNT, COUNT)


@pytest.mark.parametrize("make", [table, lambda: pandas.DataFrame(flat(INVOICES)), TABLES["polars, nested"]])
async def test_a_table_just_works(desk: MakeDesk, make: Any) -> None:
    office = await desk()
    report = await office.upload(make())
    assert (report.read, report.accepted) == (COUNT, COUNT)
