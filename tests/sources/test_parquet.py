"""Parquet files: read part by part, and what a damaged one still gives is given."""

import datetime as dt
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cashin_async import Place, SourceError
from cashin_async.sources.parquet import ParquetFile
from tests.sources.conftest import MakeDesk, reasons
from tests.sources.tables import records

COUNT = 6000


def write(path: Path, numbers: Any, **options: Any) -> Path:
    names = [random.Random(number or 0).randbytes(20).hex() for number in numbers]  # does not pack
    pq.write_table(pa.table({"InvoiceNumber": list(numbers), "SalesName": names}), path, **options)
    return path


async def test_several_files_are_read_one_after_the_other_and_rows_are_named_by_their_place(
    desk: MakeDesk, tmp_path: Path
) -> None:
    one, other = write(tmp_path / "a.parquet", [1, None, 3]), write(tmp_path / "b", [4, None])
    office = await desk()
    report = await office.upload([one, other])
    assert office.numbers == [1, 3, 4]
    assert reasons(report) == {f"{one}:2": "InvoiceNumber is missing", f"{other}:2": "InvoiceNumber is missing"}
    assert report.failures[0].source == Place(str(one), 2)


async def test_what_stands_before_the_damage_is_uploaded_and_so_is_the_next_file(
    desk: MakeDesk, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.parquet", range(1, COUNT + 1), row_group_size=2000, compression="snappy")
    data = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(2).column(1).data_page_offset
    data[start : start + 2000] = bytes(2000)
    path.write_bytes(data)
    office = await desk(chunk_size=1000)
    with pytest.raises(SourceError, match="damaged Parquet file, or none behind row 4000") as caught:
        await office.cashin.invoices.upload([path, write(tmp_path / "b.parquet", [COUNT + 1])])
    assert caught.value.report is not None
    assert caught.value.report.accepted == 4001
    assert office.numbers == [*range(1, 4001), COUNT + 1]


async def test_the_invoice_before_the_damage_is_told_where_it_may_have_more_rows(
    desk: MakeDesk, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"InvoiceNumber": [place // 3 + 1 for place in range(900)], "Row.Text": [*map(str, range(900))]})
    pq.write_table(table, path, row_group_size=300, compression="snappy")
    data = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    office = await desk()
    report = await office.upload(path)
    assert (report.read, report.accepted, report.invalid, report.source_errors) == (100, 99, 1, 1)
    assert reasons(report) == {f"{path}:298": "may not be all: the input breaks off behind it"}


async def test_a_date_beyond_what_nanoseconds_can_count_is_that_date(tmp_path: Path) -> None:
    moments = pa.array([dt.datetime(2026, 1, 1, 8), dt.datetime(9999, 12, 31)], pa.timestamp("us"))
    table = pa.table({"InvoiceNumber": [1, 2], "OrderDate": moments})
    pq.write_table(table, tmp_path / "a", use_deprecated_int96_timestamps=True)
    assert [record.encoded for record in await records(ParquetFile(tmp_path / "a"))] == [
        b'{"InvoiceNumber":1,"OrderDate":"2026-01-01T08:00:00"}',
        b'{"InvoiceNumber":2,"OrderDate":"9999-12-31T00:00:00"}',
    ]


async def test_the_index_that_pandas_wrote_does_not_travel(tmp_path: Path) -> None:
    pandas.DataFrame({"InvoiceNumber": [3, 1, 2]}).sort_values("InvoiceNumber").to_parquet(tmp_path / "a")
    done = await records(ParquetFile(tmp_path / "a", allow_unknown_fields=True))
    assert [record.encoded for record in done] == [b'{"InvoiceNumber":%d}' % number for number in (1, 2, 3)]


@pytest.mark.parametrize("keep", [4, 100, -1])
async def test_a_file_that_is_cut_short_is_named(desk: MakeDesk, tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "a.parquet", range(1, 100))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"a\.parquet: is a damaged Parquet file, or none"):
        await (await desk()).cashin.invoices.upload(path)


async def test_a_file_that_is_no_parquet_is_named(desk: MakeDesk, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"InvoiceNumber\n1\n")
    with pytest.raises(SourceError, match="is a damaged Parquet file, or none"):
        await (await desk(input_format="parquet")).cashin.invoices.upload(tmp_path / "a")


async def test_a_file_that_is_packed_once_more_is_refused(desk: MakeDesk, tmp_path: Path) -> None:
    packed = tmp_path / "a.parquet.gz"
    packed.write_bytes(gzip.compress(write(tmp_path / "a.parquet", [1]).read_bytes()))
    with pytest.raises(SourceError, match="read from its end"):
        await (await desk()).cashin.invoices.upload(packed)


async def test_a_file_of_another_table_is_named_by_its_column(desk: MakeDesk, tmp_path: Path) -> None:
    pq.write_table(pa.table({"InvoiceNumber": [1], "Amount": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet: column 2, Amount, is no published field"):
        await (await desk()).cashin.invoices.upload(tmp_path / "a.parquet")


async def test_how_much_is_read_is_told(desk: MakeDesk, tmp_path: Path) -> None:
    shares: list[float | None] = []
    office = await desk(chunk_size=100)
    await office.upload(
        write(tmp_path / "a.parquet", range(1, COUNT + 1)),
        on_progress=lambda progress: shares.append(progress.share_read),
        progress_every=0.001,
    )
    assert shares[-1] == 1
    assert shares == sorted(shares, key=lambda share: share or 0)


READ_ALL = """
import asyncio, pathlib, sys
from cashin_async.sources.parquet import ParquetFile

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024

async def main():
    peaks = []
    for path in sys.argv[1:]:
        async for _ in ParquetFile(path).batches():
            pass
        peaks.append(peak())
    print(peaks[1] - peaks[0])

asyncio.run(main())
"""


HUGE = "x" * 1_000_000


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"SalesName": [HUGE] * 1024}, "unpacks to more than 1000 times its size (max_unpack)"),
        ({"InvoiceRows": [None] + [[{"Text": HUGE}]] * 1023}, "unpacks to more than 1000 times its size (max_unpack)"),
        ({"InvoiceRows": [[{"Text": "a"}] * 2_000_000] + [None] * 1023}, None),
    ],
)
def test_a_small_file_that_unpacks_to_much_takes_little_memory(tmp_path: Path, columns: Any, reason: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"InvoiceNumber": range(1, 1025), **columns}), path, compression="zstd")
    assert path.stat().st_size < 20_000
    done = subprocess.run(
        [sys.executable, "-m", "tests.sources.reading", path], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(done.stdout)
    assert told["problems"] == ([reason] if reason else [])
    assert told["grown"] < 100_000, "kilobytes"
    assert told["wrong"] == (0 if reason else 1)


async def test_how_much_a_file_may_unpack_to_is_a_setting(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"InvoiceNumber": range(1, 201), "SalesName": ["x" * 100_000] * 200}), path)
    with pytest.raises(SourceError, match="unpacks to more than 1000 times"):
        await (await desk()).cashin.invoices.upload(path)
    assert (await (await desk(max_unpack=1e6)).upload(path)).accepted == 200


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    text = pa.array([f"{'x' * 2000}{number}" for number in range(1000)])
    schema = pa.schema([("InvoiceNumber", pa.int64()), ("SalesName", pa.string())])
    for name, groups in (("small", 5), ("large", 50)):
        with pq.ParquetWriter(tmp_path / name, schema, compression="none", use_dictionary=False) as writer:
            for group in range(groups):
                numbers = pa.array(range(group * 1000 + 1, group * 1000 + 1001))
                writer.write_table(pa.table([numbers, text], schema=schema), row_group_size=1000)
    assert (tmp_path / "large").stat().st_size > 100_000_000
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, tmp_path / "small", tmp_path / "large"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 30, "megabytes more for 90 megabytes more to read"
