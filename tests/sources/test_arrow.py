"""Arrow tables: each value by its own type, and whatever is wrong with a row stops nothing else."""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas
import polars
import pyarrow as pa
import pytest

from cashin_async import SourceError
from cashin_async.sources.arrow import ArrowStream
from tests.sources.conftest import MakeDesk
from tests.sources.tables import records

MARKER = "Zxqmarker"
NOON = dt.datetime(2026, 1, 31, 12, 0, 0, 123000)
MIDNIGHT = dt.datetime(2026, 1, 31)


async def one(column: str, values: Any, **options: Any) -> Any:
    """The member that a column's only value becomes, or what is wrong with it."""
    (record,) = await records(ArrowStream(pa.table({"InvoiceNumber": [1], column: values}), **options))
    if record.problem is not None:
        return record.problem
    assert record.number == 1
    return record.encoded.removeprefix(b'{"InvoiceNumber":1,').removesuffix(b"}").decode().partition(":")[2]


@pytest.mark.parametrize(
    ("column", "value", "type_", "json_"),
    [
        ("TotalAmount", Decimal("1.50"), pa.decimal128(18, 2), "1.50"),
        ("TotalAmount", Decimal("-12345678901234567890.12345"), pa.decimal256(60, 5), "-12345678901234567890.12345"),
        ("TotalAmount", 3, pa.int8(), "3"),
        ("TotalAmount", 3, pa.uint64(), "3"),
        ("TotalAmount", 100.1, pa.float64(), "100.1"),
        ("TotalAmount", 100.1, pa.float32(), "100.1"),
        ("TotalAmount", 100, pa.float64(), "100.0"),
        ("TotalAmount", "1.50", pa.string(), "1.50"),
        ("TotalAmount", None, pa.float64(), "null"),
        ("TotalAmount", None, pa.null(), "null"),
        ("TotalAmount", float("nan"), pa.float64(), "TotalAmount is not a finite number"),
        ("TotalAmount", float("inf"), pa.float32(), "TotalAmount is not a finite number"),
        ("TotalAmount", MARKER, pa.string(), "TotalAmount: Expected `number | null`, got `string`"),
        ("TotalAmount", True, pa.bool_(), "TotalAmount: Expected `number | null`, got `true or false`"),
        ("PaymentTermsCode", 14, pa.float64(), "14"),
        ("PaymentTermsCode", 12345678901, pa.float64(), "12345678901"),
        ("PaymentTermsCode", 2.0**60, pa.float64(), "PaymentTermsCode: Expected `whole number | null`, got `number`"),
        ("PaymentTermsCode", 1.5, pa.float64(), "PaymentTermsCode: Expected `whole number | null`, got `number`"),
        ("PaymentTermsCode", Decimal("14.00"), pa.decimal128(9, 2), "14"),
        ("PaymentTermsCode", 2.0**24 - 1, pa.float32(), "16777215"),
        (
            "PaymentTermsCode",
            251600001.0,
            pa.float32(),
            "PaymentTermsCode: Expected `whole number | null`, got `number`",
        ),
        ("PaymentTermsCode", 2047.0, pa.float16(), "2047"),
        ("PaymentTermsCode", 2049.0, pa.float16(), "PaymentTermsCode: Expected `whole number | null`, got `number`"),
        ("TotalAmount", Decimal("0E-18"), pa.decimal128(38, 18), "0.000000000000000000"),
        ("TotalAmount", Decimal("0.0000001"), pa.decimal128(20, 7), "0.0000001"),
        ("TotalAmount", Decimal("12300"), pa.decimal128(20, -2), "12300"),
        ("DueDate", 1_769_817_600_000 + 3_600_000, pa.date64(), "DueDate: Invalid RFC3339 encoded date"),
        ("InvoiceRows", None, pa.null(), "null"),
        ("InvoiceRows", [], pa.list_(pa.null()), "[]"),
        ("InvoiceRows", None, pa.list_(pa.null()), "null"),
        ("InvoiceRows", [None], pa.large_list(pa.null()), "InvoiceRows[0]: Expected `object`, got `null`"),
        ("SalesName", 'a"\\\n\x01ä€', pa.string(), r'"a\"\\\n\u0001ä€"'),
        ("SalesName", "ä", pa.large_string(), '"ä"'),
        ("SalesName", "longer than twelve bytes", pa.string_view(), '"longer than twelve bytes"'),
        ("SalesName", "a", pa.dictionary(pa.int8(), pa.string()), '"a"'),
        ("BillingPostalCode", "00100", pa.string(), '"00100"'),
        ("BillingPostalCode", 100, pa.int64(), "BillingPostalCode: Expected `string | null`, got `whole number`"),
        ("SalesIdentifier", 17, pa.int64(), "17"),
        ("DueDate", dt.date(2026, 1, 31), pa.date32(), '"2026-01-31"'),
        ("DueDate", dt.date(2026, 1, 31), pa.date64(), '"2026-01-31"'),
        ("DueDate", "2026-01-31", pa.string(), '"2026-01-31"'),
        ("DueDate", MIDNIGHT, pa.timestamp("ns"), '"2026-01-31"'),
        ("DueDate", MIDNIGHT, pa.timestamp("s"), '"2026-01-31"'),
        ("DueDate", NOON, pa.timestamp("us"), "DueDate: Invalid RFC3339 encoded date"),
        ("OrderDate", NOON, pa.timestamp("us"), '"2026-01-31T12:00:00.123"'),
        ("OrderDate", NOON, pa.timestamp("ns", "UTC"), '"2026-01-31T12:00:00.123Z"'),
        ("OrderDate", MIDNIGHT, pa.timestamp("us", "UTC"), '"2026-01-31T00:00:00Z"'),
        ("OrderDate", NOON.replace(microsecond=123456), pa.timestamp("us"), '"2026-01-31T12:00:00.123456"'),
    ],
)
async def test_a_value_travels_by_its_own_type(column: str, value: Any, type_: Any, json_: str) -> None:
    assert await one(column, pa.array([value], type_)) == json_


@pytest.mark.parametrize("number", [251600001.0, 2.0**24])
async def test_a_number_that_a_narrow_float_has_changed_is_never_sent(number: float) -> None:
    for columns in ({}, {"Row.Qty": [1]}):
        table = pa.table({"InvoiceNumber": pa.array([number], pa.float32()), **columns})
        (record,) = await records(ArrowStream(table))
        assert (record.number, record.problem is None) == (None, False)


@pytest.mark.parametrize("allow", [False, True])
async def test_the_index_of_a_pandas_frame_does_not_travel(allow: bool) -> None:
    frame = pandas.DataFrame({"InvoiceNumber": [3, 1, 2], "TotalAmount": [1.5, 2, 3]})
    for made in (
        frame.sort_values("InvoiceNumber"),
        frame[frame.InvoiceNumber != 1],
        pandas.concat([frame, frame]),
        frame.set_index(["TotalAmount"], append=True),
    ):
        done = await records(ArrowStream(made, allow_unknown_fields=allow))
        assert [json.loads(record.encoded).keys() for record in done] == [
            {"InvoiceNumber", "TotalAmount"} for _ in range(len(made))
        ]


@pytest.mark.parametrize(
    ("columns", "longest"),
    [
        ({"InvoiceRows": [[{"Text": "x" * 3000}], [{"Text": "y"}]]}, 2000),
        ({"InvoiceRows": [[{"Text": None}] * 300, [{"Text": None}]]}, 2000),
        ({"InvoiceRows": pa.array([[{"Text": None}] * 2, None], pa.list_(pa.struct([("Text", pa.string())])))}, 45),
        ({"SalesName": ["x" * 3000, "y"]}, 2000),
        ({"SalesName": ["x" * 3000, "y"], "Row.Qty": [1, 2]}, 2000),
        ({"SalesName": pa.array(["x" * 3000, "y"]).dictionary_encode()}, 2000),
    ],
)
async def test_an_invoice_that_is_too_long_is_told_and_the_next_one_is_read(columns: Any, longest: int) -> None:
    first, other = await records(ArrowStream(pa.table({"InvoiceNumber": [1, 2], **columns}), longest=longest))
    assert (first.number, first.encoded, first.problem) == (None, b"", f"is longer than {longest} bytes (chunk_bytes)")
    assert (other.number, other.problem) == (2, None)


async def test_an_invoice_that_is_as_long_as_may_be_is_read() -> None:
    table = pa.table({"InvoiceNumber": [1], "InvoiceRows": [[{"Qty": 1, "Price": 2}] * 20]})
    (record,) = await records(ArrowStream(table))
    (again,) = await records(ArrowStream(table, longest=len(record.encoded)))
    assert again == record
    (refused,) = await records(ArrowStream(table, longest=len(record.encoded) - 1))
    assert refused.problem is not None


async def test_a_date_with_a_time_costs_its_own_row_alone() -> None:
    days = pa.array([86_400_000, 86_400_001], pa.date64())
    done = await records(ArrowStream(pa.table({"InvoiceNumber": [1, 2], "DueDate": days})))
    assert [record.number for record in done] == [1, None]


async def test_the_invoice_before_a_table_broke_may_not_be_all() -> None:
    def batches() -> Iterator[Any]:
        yield pa.record_batch({"InvoiceNumber": [1, 2, 2], "Row.Text": ["a", "b", "c"]})
        raise RuntimeError(MARKER)

    schema = pa.schema([("InvoiceNumber", pa.int64()), ("Row.Text", pa.string())])
    source = ArrowStream(pa.RecordBatchReader.from_batches(schema, batches()))
    assert [(record.ref, record.number, record.problem) for record in await records(source)] == [
        (0, 1, None),
        (1, None, "may not be all: the input breaks off behind it"),
    ]
    assert len(source.problems) == 1


async def test_memory_is_that_of_the_rows_at_hand_where_a_dictionary_has_a_text_once() -> None:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 1_000_000]))
    sizes = [
        len(batch)
        async for batch in ArrowStream(pa.table({"InvoiceNumber": range(1, 1001), "SalesName": text})).batches()
    ]
    assert sum(sizes) == 1000
    assert max(sizes) < 10, "rows of a megabyte that were made JSON of at once"


async def test_a_date_of_a_zone_is_the_day_there_and_a_time_is_told_in_utc() -> None:
    midnight = pa.array([MIDNIGHT - dt.timedelta(hours=2)], pa.timestamp("us", "Europe/Helsinki"))
    assert await one("DueDate", midnight) == '"2026-01-31"'
    assert await one("OrderDate", midnight) == '"2026-01-30T22:00:00Z"'


async def test_text_that_is_no_utf8_is_told() -> None:
    for text in (b"\xff\xfe", b'"\xff'):
        sizes = bytes([0, 0, 0, 0, len(text), 0, 0, 0])
        column = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(sizes), pa.py_buffer(text)])
        assert "not JSON: UnicodeDecodeError" in await one("SalesName", column)


ROWS = pa.list_(pa.struct([("Qty", pa.float64()), ("Description", pa.string())]))


@pytest.mark.parametrize(
    ("rows", "json_"),
    [
        (None, "null"),
        ([], "[]"),
        (
            [{"Qty": 1, "Description": "x"}, {"Qty": None}],
            '[{"Description":"x","Qty":1.0},{"Description":null,"Qty":null}]',
        ),
        ([None], "InvoiceRows[0]: Expected `object`, got `null`"),
        ([{"Qty": float("nan")}], "InvoiceRows[].Qty is not a finite number"),
    ],
)
@pytest.mark.parametrize("many", [pa.list_, pa.large_list])
async def test_rows_stand_in_a_list_of_structs(rows: Any, json_: str, many: Any) -> None:
    assert await one("InvoiceRows", pa.array([rows], many(ROWS.value_type))) == json_


async def test_rows_of_a_slice_are_those_of_its_own_invoices() -> None:
    table = pa.table(
        {"InvoiceNumber": [1, 2, 3], "InvoiceRows": pa.array([[{"Qty": 1}], None, [{"Qty": 3}] * 2], ROWS)}
    )
    done = [json.loads(record.encoded)["InvoiceRows"] for record in await records(ArrowStream(table.slice(1)))]
    assert done == [None, [{"Qty": 3, "Description": None}] * 2]


async def test_flat_rows_are_consecutive_lines_and_null_is_absent_there() -> None:
    frame = polars.DataFrame(
        {
            "InvoiceNumber": [1, 1, 2, None, 3, 4, 4],
            "SalesName": ["Essi", None, "x", None, "y", "a", "b"],
            "Row.Qty": [1.0, 2.5, None, 3.0, float("nan"), None, None],
        }
    )
    assert [
        (record.ref, record.number, record.problem or record.encoded) for record in await records(ArrowStream(frame))
    ] == [
        (0, 1, b'{"InvoiceNumber":1,"SalesName":"Essi","InvoiceRows":[{"Qty":1.0},{"Qty":2.5}]}'),
        (2, None, "may have a row in line 4, which has no readable InvoiceNumber"),
        (3, None, "InvoiceNumber is missing"),
        (4, None, "Row.Qty is not a finite number"),
        (5, None, "line 7, column SalesName: differs from the first line of the invoice"),
    ]


async def test_missing_values_of_pandas_are_null_and_whole_numbers_among_them_stay_whole() -> None:
    frame = pandas.DataFrame({"InvoiceNumber": [1, None], "TotalAmount": [float("nan"), 2.5], "SalesName": ["a", None]})
    assert [record.encoded for record in await records(ArrowStream(frame))] == [
        b'{"InvoiceNumber":1,"TotalAmount":null,"SalesName":"a"}',
        b'{"InvoiceNumber":null,"TotalAmount":2.5,"SalesName":null}',
    ]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"SalesName": ["x"]}, "has no column InvoiceNumber"),
        ({"InvoiceNumber": [1], "Foo": [1]}, "column 2, Foo, is no published field"),
        ({"InvoiceNumber": [1], "SalesName": [b"x"]}, "column SalesName is of the Arrow type binary"),
        ({"InvoiceNumber": [1], "SalesName": [["x"]]}, "column SalesName is of the Arrow type list"),
        ({"InvoiceNumber": [1], "OrderDate": [dt.time(1)]}, "column OrderDate is of the Arrow type time64"),
        (
            {"InvoiceNumber": [1], "DueDate": pa.array([0], pa.timestamp("s", "Mars/Olympus"))},
            "column DueDate is of a time zone that is not known here",
        ),
        ({"InvoiceNumber": [1], "InvoiceRows": ["[]"]}, "column InvoiceRows is of the Arrow type string"),
        ({"InvoiceNumber": [1], "InvoiceRows": [[1]]}, "column InvoiceRows is of the Arrow type list"),
        ({"InvoiceNumber": [1], "InvoiceRows": [[{}]]}, "InvoiceRows is a list of structs that have no fields"),
        ({"InvoiceNumber": [1], "InvoiceRows": [[{"Quantity": 1}]]}, "column 1, Quantity, is no published field"),
        ({"InvoiceNumber": [1], "InvoiceRows": [[{"Text": [1]}]]}, "column InvoiceRows.Text is of the Arrow type list"),
        ({"InvoiceNumber": [1], "InvoiceRows": [[{"Qty": 1}]], "Row.Qty": [1]}, "has rows twice"),
    ],
)
async def test_a_table_that_is_none_of_invoices_is_not_read(desk: MakeDesk, columns: Any, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        await (await desk()).cashin.invoices.upload(pa.table(columns))


async def test_what_came_before_a_table_broke_goes_on(desk: MakeDesk) -> None:
    def batches() -> Iterator[Any]:
        yield pa.record_batch({"InvoiceNumber": pa.array([1, 2, 3])})
        raise RuntimeError(MARKER)

    office = await desk()
    report = await office.upload(
        pa.RecordBatchReader.from_batches(pa.schema([("InvoiceNumber", pa.int64())]), batches())
    )
    assert (report.accepted, report.source_errors) == (3, 1)
    assert MARKER not in str(report.problems[0])


async def test_outcomes_have_the_place_of_their_row(desk: MakeDesk) -> None:
    frame = polars.DataFrame({"InvoiceNumber": [5, None, 7]})
    outcomes = await (await desk()).outcomes(frame)
    assert {outcome.source: str(outcome.state) for outcome in outcomes} == {0: "accepted", 1: "invalid", 2: "accepted"}


async def test_how_much_is_read_is_told_where_the_table_has_a_length() -> None:
    table = pa.table({"InvoiceNumber": range(1, 3001)})
    for source, shares in ((ArrowStream(table), [0, 1]), (ArrowStream(table.to_reader()), [None, None])):
        before = source.share_read()
        assert len(await records(source)) == 3000
        assert [before, source.share_read()] == shares


async def test_a_limit_holds(desk: MakeDesk) -> None:
    office = await desk()
    assert (await office.upload(polars.DataFrame({"InvoiceNumber": range(1, 5001)}), limit=10)).accepted == 10


def test_without_pyarrow_the_line_that_installs_it_is_told() -> None:
    program = """
import asyncio, sys
sys.modules["pyarrow"] = None
from cashin_async import CashIn, ConfigurationError

class Table:
    def __arrow_c_stream__(self, requested_schema=None): ...

async def main():
    async with CashIn("key", base_url="http://127.0.0.1:9") as cashin:
        try:
            await cashin.invoices.upload(Table())
        except ConfigurationError as error:
            print(error)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == 'an Arrow table needs: pip install "cashin-async[parquet]"\n', done.stderr
