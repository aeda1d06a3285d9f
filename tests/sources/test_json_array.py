"""A JSON array: every value as it was, whatever is wrong with one item, and wherever the blocks are cut."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cashin_async import Place
from cashin_async.sources.jsonarray import JsonArray
from cashin_async.sources.source import CannotReadOn, Record
from tests.sources.conftest import MakeDesk, files_of, line, reasons
from tests.sources.test_line_splitter import cut

MARKER = "Zxqmarker"


def read(*blocks: bytes, longest: int = 100_000, allow_unknown_fields: bool = False) -> tuple[list[Record], str | None]:
    """The records, and why it could not be read on."""
    form = JsonArray(longest, allow_unknown_fields)
    records: list[Record] = []
    try:
        for block in blocks:
            records += form.feed(memoryview(block))
        records += form.end()
    except CannotReadOn as reason:
        assert form.line == len(records)
        return records, str(reason)
    assert [record.ref for record in records] == list(range(form.line))
    return records, None


def array(*items: bytes) -> bytes:
    return b"[" + b",".join(items) + b"]"


VALUES: dict[str, tuple[str, str]] = {
    "a decimal": ("1.50", "1.50"),
    "a whole number as one": ("100", "100"),
    "a whole number as a decimal": ("100.0", "100.0"),
    "no amount at all": ("0", "0"),
    "less than nothing": ("-0.10", "-0.10"),
    "more digits than a float has": ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
    "a whole number of many digits": ("123456789012345678901234567890", "123456789012345678901234567890"),
    "an exponent": ("1E5", "1E+5"),
    "a small exponent": ("1.50e-3", "0.00150"),
    "null": ("null", "null"),
}


@pytest.mark.parametrize(("given_value", "expected"), VALUES.values(), ids=VALUES)
def test_amounts_keep_every_digit(given_value: str, expected: str) -> None:
    (record,), why = read(f'[{{"InvoiceNumber": 1, "TotalAmount": {given_value}}}]'.encode())
    assert record == (0, 1, f'{{"InvoiceNumber":1,"TotalAmount":{expected}}}'.encode(), None, False)
    assert why is None


def test_what_is_absent_null_or_nested_stays_so_and_the_order_too() -> None:
    item = (
        '{"SalesName":null,"InvoiceNumber":4,"DueDate":"2026-01-31","InvoiceRows":[{"Total":1.50,"Qty":1.0},{}],'
        '"BillingName1":"Meikäläinen \\"ä\\" / \\n","Status":""}'
    ).encode()
    assert read(array(item))[0] == [(0, 4, item, None, False)]
    spaced = json.dumps([json.loads(item)], indent=4).encode()
    assert json.loads(read(spaced)[0][0].encoded) == json.loads(item)


def test_unknown_fields_travel_when_they_are_allowed() -> None:
    item = line(1, ',"Zzz":{"a":[1.10,null,true,false,{}],"b":[]}')
    assert read(array(item), allow_unknown_fields=True)[0][0].encoded == item
    assert "unknown field" in (read(array(item))[0][0].problem or "")


BAD_ITEMS: dict[str, tuple[bytes, str]] = {
    "a number": (b"17", "Expected `object`"),
    "a string": (f'"{MARKER}"'.encode(), "Expected `object`, got `string`"),
    "null": (b"null", "Expected `object`, got `null`"),
    "true": (b"true", "Expected `object`"),
    "an array": (array(line(1)), "Expected `object`, got `array`"),
    "an empty object": (b"{}", "InvoiceNumber is missing"),
    "a wrong type": (f'{{"InvoiceNumber":1,"TotalAmount":"{MARKER}"}}'.encode(), "TotalAmount: Expected `number"),
    "a wrong type in a row": (b'{"InvoiceNumber":1,"InvoiceRows":[{},{"Qty":"x"}]}', "InvoiceRows[1].Qty: Expected"),
    "two numbers": (b'{"InvoiceNumber":1,"InvoiceNumber":2}', "InvoiceNumber stands more than once"),
    "two numbers, one escaped": (b'{"InvoiceNumber":1,"\\u0049nvoiceNumber":2}', "InvoiceNumber stands more than once"),
    "a field twice": (b'{"InvoiceNumber":1,"SalesName":"a","SalesName":"b"}', "SalesName stands more than once"),
    "a field twice in a row": (b'{"InvoiceNumber":1,"InvoiceRows":[{"Qty":1,"Qty":1}]}', "Qty stands more than once"),
    "a field with a value in its name twice": (b'{"FI2112345":1,"FI2112345":2}', "a field stands more than once"),
    "half of a pair": (b'{"InvoiceNumber":1,"SalesName":"\\ud800"}', "half of a surrogate pair"),
    "half of a pair and text": (b'{"InvoiceNumber":1,"SalesName":"\\uD83Dx"}', "half of a surrogate pair"),
    "two first halves": (b'{"InvoiceNumber":1,"SalesName":"\\ud83d\\ud83d\\ude00"}', "half of a surrogate pair"),
    "the other half of a pair": (b'{"InvoiceNumber":1,"SalesName":"x\\uDC00"}', "half of a surrogate pair"),
    "both halves the wrong way round": (b'{"a":"\\udc00\\ud800"}', "half of a surrogate pair"),
    "half of a pair alone": (b'"\\ud800"', "half of a surrogate pair"),
    "nested too deeply": (b'{"InvoiceNumber":' + b"[" * 500 + b"]" * 500 + b"}", "nested more than 100 levels"),
    "too deeply, objects": (b'{"InvoiceNumber":1,"a":' + b'{"a":' * 200 + b"1" + b"}" * 201, "nested more than 100"),
    "too long": (b'{"InvoiceNumber":1,"SalesName":"' + b"x" * 5000 + b'"}', "is longer than 4000 bytes (chunk_bytes)"),
    "much too long": (b'{"InvoiceNumber":1,"a":[' + b"1," * 200_000 + b"1]}", "is longer than 4000 bytes"),
    "too long and nothing else": (b'"' + b"x" * 70_000 + b'"', "is longer than 4000 bytes"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_ITEMS.values(), ids=BAD_ITEMS)
@pytest.mark.parametrize("block", [1, 1000, 10_000_000])
def test_a_bad_item_is_named_and_stops_nothing(bad: bytes, reason: str, block: int) -> None:
    data = array(line(11), bad, line(12))
    block = max(block, len(data) // 500)
    blocks = [data[at : at + block] for at in range(0, len(data), block)]
    (first, wrong, last), why = read(*blocks, longest=4000)
    assert (first.number, wrong.number, last.number, why) == (11, None, 12, None)
    assert reason in (wrong.problem or "")
    assert MARKER not in (wrong.problem or "")
    assert wrong.encoded == b"" or json.loads(wrong.encoded) == json.loads(bad), "never another than came"


@pytest.mark.parametrize(
    "text",
    [
        "\\ud83d\\ude00",
        "x\\uD83D\\uDE00\\ud83d\\ude01",
        "\\\\ud800",
        "\\\\\\\\ud800",
        "\\\\\\ud83d\\ude00",
        "\\u00e4\\/",
    ],
)
@pytest.mark.parametrize("block", [1, 2, 5, 1000])
def test_whole_pairs_and_what_only_looks_like_half_of_one(text: str, block: int) -> None:
    data = array(f'{{"InvoiceNumber":1,"SalesName":"{text}"}}'.encode())
    (record,), why = read(*[data[at : at + block] for at in range(0, len(data), block)])
    assert (record.problem, why) == (None, None)
    assert json.loads(record.encoded) == json.loads(data)[0]


BROKEN: dict[str, tuple[bytes, str]] = {
    "nonsense": (b"nonsense]", "is no JSON from here on"),
    "a word in an item": (b'{"InvoiceNumber":nonsense}]', "is no JSON from here on"),
    "NaN": (b'{"InvoiceNumber":3,"TotalAmount":NaN}]', "is no JSON from here on"),
    "a missing comma": (b'{"InvoiceNumber":3 "Status":"H"}]', "is no JSON from here on"),
    "a comma too many": (b",]", "is no JSON from here on"),
    "a comment": (b"/* */]", "is no JSON from here on"),
    "Latin-1": ('{"SalesName":"Meikäläinen"}]'.encode("latin-1"), "not in UTF-8"),
    "an exponent beyond all measure": (b"1e99999999999999999999]", "is no JSON from here on"),
    "a number without end": (b"1" * 5000 + b"]", "has more than 1000 digits in a row"),
    "digits without end in a text": (b'"' + b"1" * 100_000, "has more than 1000 digits in a row"),
    "a text without end": (b'{"SalesName":"' + b"x" * 300_000, "has a value in it that is longer than 4000 bytes"),
    "a name without end": (b'{"' + b"x" * 300_000, "has a value in it that is longer than 4000 bytes"),
    "levels without end": (b"[" * 300_000, "has a value in it that is longer than 4000 bytes"),
    "objects without end": (b'{"a":' * 100_000, "has a value in it that is longer than 4000 bytes"),
    "blanks without end": (b" " * 300_000, "has a value in it that is longer than 4000 bytes"),
    "the end in an item": (b'{"InvoiceNumber":3', "is cut short"),
    "the end in an escape": (b'{"InvoiceNumber":3,"SalesName":"\\ud8', "is cut short"),
    "the end behind a comma": (b" ", "is cut short"),
}


@pytest.mark.parametrize(("rest", "reason"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("block", [1, 1000, 10_000_000])
def test_where_it_breaks_off_what_was_complete_counts(rest: bytes, reason: str, block: int) -> None:
    data = b"[" + line(1) + b"," + line(2) + b"," + rest
    block = max(block, len(data) // 500)
    records, why = read(*[data[at : at + block] for at in range(0, len(data), block)], longest=4000)
    assert [record.number for record in records] == [1, 2]
    assert reason in (why or "")
    assert "SalesName" not in (why or "")


@pytest.mark.parametrize("digits", [1000, 1001])
@pytest.mark.parametrize("block", [1, 7, 300, 999, 1001, 5000])
def test_digits_in_a_row_are_counted_across_blocks(digits: int, block: int) -> None:
    """A number of 5,000 digits would end the whole process."""
    data = b'[{"InvoiceNumber":1,"TotalAmount":0.' + b"1" * digits + b"}]"
    records, why = read(*[data[at : at + block] for at in range(0, len(data), block)])
    assert len(records) == (digits <= 1000)
    assert (why is None) == (digits <= 1000)


@pytest.mark.parametrize("behind", [b"x", b"[]", b", {}", b"\n\n{}", b"]"])
@pytest.mark.parametrize("block", [1, 1000])
def test_something_behind_the_end_is_a_problem_and_the_items_count(behind: bytes, block: int) -> None:
    data = array(line(1)) + b" \n" + behind
    records, why = read(*[data[at : at + block] for at in range(0, len(data), block)])
    assert [record.number for record in records] == [1]
    assert why == "has something behind the end of the array"


@pytest.mark.parametrize("data", [b"[]", b" [ ] \n", b"[\n\n]\n\n"])
def test_an_empty_array_has_nothing_in_it(data: bytes) -> None:
    assert read(data) == ([], None)


def test_an_end_that_is_long_in_coming_is_an_end() -> None:
    records, why = read(b"[" + line(1) + b" " * 200_000 + b"]", longest=4000)
    assert [record.number for record in records] == [1]
    assert why is None


def test_what_comes_behind_what_is_no_json_is_not_looked_at() -> None:
    records, why = read(b"[" + line(1) + b",x", line(2) + b"]")
    assert [record.number for record in records] == [1]
    assert why == "is no JSON from here on, or not in UTF-8"


@pytest.mark.parametrize("data", [b"", b"  \n"])
def test_no_array_at_all_is_one_that_is_cut_short(data: bytes) -> None:
    assert read(data) == ([], "is cut short: the array does not end")


@pytest.mark.parametrize("data", [b'{"Invoices":[]}', b"  {}"])
def test_an_object_around_it_is_not_guessed(data: bytes) -> None:
    records, why = read(data)
    assert records == []
    assert "is a JSON object, not an array" in (why or "")


def test_anything_else_is_no_array() -> None:
    assert read(b" ", b" 17") == ([], "is no JSON array: it does not begin with [")


ITEMS = st.lists(
    st.one_of(
        st.integers(1, 10**6).map(line),
        st.sampled_from([bad for bad, _ in BAD_ITEMS.values() if len(bad) < 2000]),
        st.text(max_size=50).map(lambda text: msgspec.json.encode({"InvoiceNumber": 5, "SalesName": text})),
        st.text(max_size=50).map(lambda text: json.dumps({"InvoiceNumber": 6, "SalesName": text}).encode()),
        st.just(b'{"InvoiceNumber":7,"a":"' + b"y" * 3000 + b'"}'),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(items=ITEMS, at=st.lists(st.integers(0, 9000), max_size=30), space=st.sampled_from([b"", b" ", b"\r\n\t"]))
@example(items=[b'"\\ud83d\\ude00"'], at=range(20), space=b"")
def test_no_border_between_two_blocks_shows(items: list[bytes], at: list[int], space: bytes) -> None:
    data = b"[" + space + (space + b"," + space).join(items) + space + b"]"
    whole, why = read(data, longest=2000)
    assert read(*cut(data, at), longest=2000) == (whole, why)
    assert len(whole) == len(items)
    assert why is None


# -- as a file


async def test_places_are_those_of_items_counted_on_from_file_to_file(desk: MakeDesk, tmp_path: Path) -> None:
    first, second, third = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.jsonl"
    first.write_bytes(array(line(1), b"17", line(2)))
    second.write_bytes(json.dumps([json.loads(line(3)), {}], indent=2).encode())
    third.write_bytes(line(4) + b"\n\nbad")
    table = await desk()
    report = await table.upload([first, second, third])
    assert table.numbers == [1, 2, 3, 4]
    assert list(reasons(report)) == [f"{first}:2", f"{second}:2", f"{third}:3"]
    assert report.failures[0].source == Place(str(first), 2)


async def test_an_array_without_an_invoice_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[]\n")
    source = files_of(path)
    assert [batch async for batch in source.batches() if batch] == []
    assert source.empty_files == [str(path)]


async def test_where_an_array_breaks_off_is_told_by_item(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b",".join(map(line, range(1, 251))) + b",{]")
    table = await desk()
    report = await table.upload(path)
    assert table.numbers == list(range(1, 251))
    assert (report.source_errors, report.exit_code) == (1, 3)
    assert str(report.problems[0]) == f"{path}:251: is no JSON from here on, or not in UTF-8"


def run_with(backend: str, path: Path) -> "subprocess.CompletedProcess[str]":
    code = "import sys; from cashin_async.cli import main; main(['check', *sys.argv[1:]])"
    environment: dict[str, Any] = {**os.environ, "IJSON_BACKEND": backend}
    environment.pop("PYTHONWARNINGS", None)
    return subprocess.run(
        [sys.executable, "-c", code, str(path), str(path)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_with_the_slow_backend_alone_it_is_said_once_and_works(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(array(b'{"InvoiceNumber":1,"TotalAmount":1.50}', b'{"InvoiceNumber":2,"SalesName":"\\ud800"}'))
    done = run_with("python", path)
    assert done.stderr.count("ijson has only its slow backend 'python'") == 1
    assert 'pip install "cashin-async[json-array]"' in done.stderr
    assert "half of a surrogate pair" in done.stdout
    assert "slow" not in run_with("yajl2_c", path).stderr


async def test_an_array_whose_packing_is_cut_short_counts_up_to_there(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(array(*map(line, range(1, 251))), 0)[:-2000])
    table = await desk()
    report = await table.upload(path)
    assert table.numbers == list(range(1, len(table.numbers) + 1))
    assert len(table.numbers) > 200
    assert (report.invalid, report.source_errors) == (0, 1)
    assert "is cut short: the gzip data does not end" in report.problems[0].reason
    assert report.problems[0].line == len(table.numbers) + 1
