"""CSV: every cell by its column's type, and whatever is wrong with a line stops nothing else and bills nobody half."""

import csv
import gzip
import io
import json
import random
import tracemalloc
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cashin_async.sources.delimited import Csv
from cashin_async.sources.source import CannotReadOn, Record
from tests.sources.conftest import MakeDesk

MARKER = "Zxqmarker"


def read(data: bytes, cuts: Any = (), **options: Any) -> tuple[list[Record], str | None]:
    """The records, and why the rest was not read, fed in blocks cut at some places."""
    form, records = Csv(**options), list[Record]()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    try:
        for start, end in pairwise(places):
            records += form.feed(memoryview(data)[start:end])
        records += form.end()
    except CannotReadOn as error:
        return [*records, *(error.batch or ())], str(error)
    return records, None


def table(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def told(data: bytes, **options: Any) -> list[tuple[int, str]]:
    """Each record's line, from 1, and its JSON or what is wrong with it."""
    records, unread = read(data, **options)
    assert unread is None
    assert all((record.number is None) == (record.problem is not None) for record in records)
    return [(record.ref + 1, record.problem or record.encoded.decode()) for record in records]


def test_an_invoice_is_its_line_and_rows_are_consecutive_lines_of_its_number() -> None:
    data = table(
        "InvoiceNumber;TotalAmount;SalesName;Row.Description;Row.Qty",
        "1;150,50;Essi Oy;Työ;1,5",
        "1;;;Tarvike;2",
        "1;150,50;Essi Oy;;",
        "2;3,00;;;",
    )
    assert told(data) == [
        (
            2,
            '{"InvoiceNumber":1,"TotalAmount":150.50,"SalesName":"Essi Oy","InvoiceRows":'
            '[{"Description":"Työ","Qty":1.5},{"Description":"Tarvike","Qty":2}]}',
        ),
        (5, '{"InvoiceNumber":2,"TotalAmount":3.00}'),
    ]


def test_values_are_what_their_published_fields_are() -> None:
    header = (
        "InvoiceNumber;PaymentTermsCode;Reference;BillingPostalCode;InvoiceDate;OrderDate;SalesIdentifier;NetAmount"
    )
    line = "0012;14,0;0012345;00100;31.1.2026;2026-01-31T08:00:00Z;0400-000000;1 234,50"
    assert told(table(header, line)) == [
        (
            2,
            '{"InvoiceNumber":12,"InvoiceDate":"2026-01-31","OrderDate":"2026-01-31T08:00:00Z","PaymentTermsCode":14,'
            '"NetAmount":1234.50,"Reference":"0012345","SalesIdentifier":"0400-000000","BillingPostalCode":"00100"}',
        )
    ]


def test_columns_may_stand_in_any_order_and_case_and_give_the_same_bytes() -> None:
    one = table("InvoiceNumber,SalesName,TotalAmount,Row.Qty,Row.Text", "1,Essi,2.50,1,x")
    other = table("row.text,TOTALAMOUNT,salesname,ROW.QTY,invoicenumber", "x,2.50,Essi,1,1")
    assert told(one) == told(other)


@pytest.mark.parametrize(("name", "mark"), [(";", ";"), (",", ","), ("tab", "\t"), ("|", "|")])
def test_the_delimiter_is_found_or_set(name: str, mark: str) -> None:
    data = table(mark.join(("SalesName", "InvoiceNumber")), mark.join(('"a;b,c|d\te"', "1")))
    assert told(data) == told(data, delimiter=name) == [(2, '{"InvoiceNumber":1,"SalesName":"a;b,c|d\\te"}')]
    other = next(known for known in (";", ",") if known != name)
    assert "published field" in (read(data, delimiter=other)[1] or "")


def test_the_line_with_which_excel_is_told_the_delimiter_is_not_the_header() -> None:
    assert told(table('"sep=|"', "InvoiceNumber|SalesName", "1|x")) == [(3, '{"InvoiceNumber":1,"SalesName":"x"}')]
    assert told(table("sep=|", "InvoiceNumber|SalesName", "1|x")) == [(3, '{"InvoiceNumber":1,"SalesName":"x"}')]


def test_quoted_cells_hold_delimiters_quotation_marks_and_line_feeds() -> None:
    data = b'InvoiceNumber,SalesName,SalesCity\r\n1,"a ""b"", c\r\nd",x\r\n2,5" pipe,"y\n"\r\n3,,"z"'
    assert told(data) == [
        (2, '{"InvoiceNumber":1,"SalesName":"a \\"b\\", c\\r\\nd","SalesCity":"x"}'),
        (4, '{"InvoiceNumber":2,"SalesName":"5\\" pipe","SalesCity":"y\\n"}'),
        (6, '{"InvoiceNumber":3,"SalesCity":"z"}'),
    ]


def test_text_stays_as_it_is_but_a_cell_of_blanks_is_empty() -> None:
    assert told(table("InvoiceNumber;SalesName;SalesCity", "1; x ;  ", "2;\x7fä\\;\t")) == [
        (2, '{"InvoiceNumber":1,"SalesName":" x "}'),
        (3, '{"InvoiceNumber":2,"SalesName":"\x7fä\\\\"}'),
    ]


def test_a_text_that_looks_like_json_stays_a_text() -> None:
    cell = '"\\"",""SalesName"":"""",""TotalAmount"":1}'
    (record,) = read(table("InvoiceNumber;SalesName;SalesCity", f'1;"{cell[1:-1]}";x'))[0]
    assert record.number == 1
    assert b'"TotalAmount":' not in record.encoded


def test_blank_lines_and_lines_of_delimiters_are_no_invoices() -> None:
    data = table("", "InvoiceNumber;SalesName;", "", "1;a;", ";;", " ; ;", "1;;", "2;b;", ";;", "", "")
    assert [line for line, _ in told(data)] == [4, 8]


def test_a_file_without_lines_has_no_invoices() -> None:
    assert read(b"") == read(b"\n\r\n") == read(table("InvoiceNumber")) == ([], None)


# -- what is wrong with a column


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("InvoiceNumber;InvoiceNr", "column 2, InvoiceNr, is no published field (allow_unknown_fields)"),
        ("InvoiceNumber;Row.Quantity", "column 2, Quantity, is no published field (allow_unknown_fields)"),
        ("InvoiceNumber;FI21 1234 5600", "column 2 is no published field (allow_unknown_fields)"),
        ("InvoiceNumber;SalesName;salesname", "column SalesName stands twice"),
        ("InvoiceNumber;Row.Qty;row.qty", "column Row.Qty stands twice"),
        ("InvoiceNumber;;SalesName", "column 2 has no name"),
        ("InvoiceNumber;InvoiceRows", "column InvoiceRows: a cell holds no rows"),
        ("SalesName;TotalAmount", "has no column InvoiceNumber"),
        ("1;Essi", "column 1 is no published field"),
        ("x" * 70_000, "has no column InvoiceNumber"),
        ('"InvoiceNumber', "has no column InvoiceNumber"),
        ("I\0n\0v\0o\0i\0c\0e\0N\0u\0m\0b\0e\0r\0", "UTF-16 without a byte order mark"),
        (";".join(["InvoiceNumber", *map(str, range(2000))]), "is no published field"),
    ],
)
def test_a_header_that_is_none_is_refused_before_anything_is_read(header: str, reason: str) -> None:
    records, unread = read(table(header, "1;2;3"))
    assert records == []
    assert reason in (unread or "")


def test_unknown_columns_travel_as_text_where_that_is_allowed() -> None:
    data = table('InvoiceNumber;Own "x";Row.Own', "1;007;8")
    assert told(data, allow_unknown_fields=True) == [
        (2, '{"InvoiceNumber":1,"Own \\"x\\"":"007","InvoiceRows":[{"Own":"8"}]}')
    ]


# -- what is wrong with a line

HEADER = "InvoiceNumber;TotalAmount;DueDate;SalesName"
ROWS = "InvoiceNumber;SalesName;Row.Description;Row.Qty"
BAD_LINES = {
    "no number": (f";1,50;;{MARKER}", "InvoiceNumber is missing"),
    "a number that is none": (f"{MARKER};1,50;;", "column InvoiceNumber: is no number"),
    "a fraction for a number": ("1,5;1,50;;", "InvoiceNumber is not a whole number"),
    "zero": ("0;1,50;;", "InvoiceNumber is not between 1 and"),
    "too large": ("9223372036854775808;1,50;;", "InvoiceNumber is not between 1 and"),
    "an amount that is none": (f"1;{MARKER};;", "column TotalAmount: is no number"),
    "an amount with the other mark": ("1;1.50;;", "column TotalAmount: does not fit the decimal mark of the file"),
    "a date that is none": (f"1;;{MARKER};", "DueDate: Invalid"),
    "a day that is none": ("1;;31.2.2026;", "DueDate: Invalid"),
    "too few cells": (f"1;1,50;{MARKER}", "has 3 cells, and the header 4"),
    "too many cells": (f"1;1,50;;{MARKER};", "has 5 cells, and the header 4"),
    "a broken quotation": (f'1;1,50;;"{MARKER}"x', "quotation mark"),
    "a carriage return": (f"1;1,50;;{MARKER}\rx", "carriage return"),
    "a cell that is too long": ("1;1,50;;" + "x" * 140_000, "too long a cell"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_named_and_stops_nothing(bad: str, reason: str) -> None:
    records, unread = read(table(HEADER, "7;1,50;;a", bad, "8;2,50;;b"), decimal=",")
    assert unread is None
    assert [(record.ref, record.number) for record in records] == [(1, 7), (2, None), (3, 8)]
    assert reason in (records[1].problem or "")
    assert MARKER not in (records[1].problem or "")


def test_what_could_be_converted_is_kept_for_mending_and_nothing_of_the_others() -> None:
    records, _ = read(table(HEADER, "1;1,50;soon;x", "2;oops;;x"))
    assert [record.encoded for record in records] == [
        b'{"InvoiceNumber":1,"DueDate":"soon","TotalAmount":1.50,"SalesName":"x"}',
        b"",
    ]


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        # a later line of the same invoice
        (["1;a;x;1", "1;b;y;2", "2;c;z;3"], ["line 3, column SalesName: differs", "2"]),
        (["1;;x;1", "1;b;y;2", "2;c;z;3"], ["line 3, column SalesName: differs", "2"]),
        (["1;a;x;1", "1;;y;oops", "2;c;z;3"], ["line 3, column Row.Qty: is no number", "2"]),
        (["1;a;x;1", "1;;y", "1;;z;3", "2;c;z;3"], ["line 3, has 3 cells", "2"]),
        # a line without a number: whose row is it?
        (["1;a;x;1", ";;y;2", "2;c;z;3"], ["may have a row in line 3", "InvoiceNumber is missing", "2"]),
        (["1;a;x;1", ";a;y;2", "2;c;z;3"], ["may have a row in line 3", "InvoiceNumber is missing", "2"]),
        (["1;a;x;1", ";c;y;2", "2;c;z;3"], ["1", "InvoiceNumber is missing", "may have a row in line 3"]),
        (["1;a;x;1", "oops;c;y;2", "2;;z;3"], ["1", "is no number", "may have a row in line 3"]),
        (["1;a;x;1", ";b;y;2", "2;c;z;3"], ["1", "InvoiceNumber is missing", "2"]),
        (["1;a;x;1", "In all;;;", "2;c;z;3"], ["1", "is no number", "2"]),
        # a line feed that nobody quoted has made two lines of one
        (
            ["1;a;x;1", "2;c", "d;z;3", "2;;y;3", "3;e;;"],
            ["1", "has 2 cells", "has 3 cells", "may begin in line 4", "3"],
        ),
        (["2;c", "100;z;3", "2;;y;3", "3;e;;"], ["has 2 cells", "has 3 cells", "has lines before this one", "3"]),
        (
            ["11", "91;N11;5", "11;;y;3", "3;e;;"],
            ["has 1 cells", "may begin in line 2", "has lines before this one", "3"],
        ),
        (["15", "85;N15;2;5", "15;;y;3", "3;e;;"], ["has 1 cells", "may begin in line 2", "has lines before", "3"]),
        (["1", "2;N12;y;5", "12;;y;3", "3;e;;"], ["has 1 cells", "may begin in line 2", "has lines before", "3"]),
        # a number that has lost the delimiter behind it, or got one into it
        (["12;a;x;1", "1289;b;x", "13;c;y;2"], ["may go on in line 3", "has 3 cells", "13"]),
        (["1289;b;x", "12;a;x;1", "13;c;y;2"], ["has 3 cells", "has lines before this one", "13"]),
        (["13;a;x;1", "1;3;;y;5", "14;c;y;2"], ["may go on in line 3", "has 5 cells", "has lines before this"]),
        # a line feed that is missing behind a cell between quotation marks
        (
            ["12;a;;", '13;a;x;"1"', '13;;x;"2"14;b;x;"1"', '14;;x;"2"', "15;c;;"],
            ["12", "quotation mark", "may begin in line 4", "15"],
        ),
        (['11;a;x;"1"12;b;x;"1"', "12;;y;2", "12;;z;3", "13;c;;"], ["quotation mark", "may begin in line 2", "13"]),
        # a quotation mark that swallowed the beginning of the next invoice
        (['1;a;"x;1', '2;c;"y";2', "2;;z;3", "3;e;;"], ["quotation mark", "may begin in line 2", "3"]),
    ],
)
def test_nobody_is_billed_for_half_an_invoice(lines: list[str], outcome: list[str]) -> None:
    records, unread = read(table(ROWS, *lines))
    assert unread is None
    assert len(records) == len(outcome)
    for record, expected in zip(records, outcome, strict=True):
        assert str(record.number) == expected or expected in (record.problem or "")


def test_what_is_cut_off_within_a_number_may_be_a_row_of_the_invoice_before() -> None:
    records, unread = read(b'"InvoiceNumber";"SalesName";"Row.Text"\n"10";"n";"a"\n"11";"n";"a"\n"1')
    assert [record.number for record in records] == [10, None, None]
    assert "may go on in line 4" in (records[1].problem or "")
    assert "nobody can tell where line 4 ends" in (unread or "")


def test_the_lines_that_a_quotation_mark_hides_are_named() -> None:
    assert told(table(HEADER, '1;;;"a', "2;;;b", "3;;;c", '4;;;"d"', "5;;;e"))[0] == (
        2,
        "has a quotation mark or a carriage return where none may be, or too long a cell; it hides lines 3 to 5",
    )
    assert told(table(HEADER, '1;;;"a', '2;;;"d"', "5;;;e"))[0][1].endswith("; it hides line 3")


def test_where_the_number_is_not_the_first_column_a_delimiter_too_many_hides_whose_line_it_is() -> None:
    header = "SalesName;InvoiceNumber;Row.Description"
    records, _ = read(table(header, "a;1;x", "a;b;2;y", "c;3;z", "d;4;z"))
    assert [record.number for record in records] == [None, None, None, 4]
    assert "may go on in line 3" in (records[0].problem or "")
    assert "may begin in line 3" in (records[2].problem or "")


@pytest.mark.parametrize("header", [HEADER, ROWS])
def test_a_line_of_one_cell_may_be_a_piece_of_either_line_beside_it(header: str) -> None:
    """`7;1,50;;a` and `b` below it may have been `7;1,50;;a b`, and `1` and `8;...` may have been `18;...`."""
    records, _ = read(table(header, "6;;;", "7;;;1", "1", "8;;;2", "9;;;"))
    assert [record.number for record in records] == [6, None, None, None, 9]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, dict[int, int]]:
    """A table with one character too many, too few, or another; and how many rows each number had."""
    rows = draw(st.lists(st.integers(1, 3), min_size=2, max_size=6))
    number_first, repeated = draw(st.booleans()), draw(st.booleans())
    lines = ["InvoiceNumber;SalesName;Row.Text;Row.Qty" if number_first else "SalesName;InvoiceNumber;Row.Text;Row.Qty"]
    for number, count in enumerate(rows, 11):
        for row in range(count):
            name = draw(st.sampled_from([f"n{number}", f'"n{number}"'])) if repeated or not row else ""
            begin = [str(number), name] if number_first else [name, str(number)]
            lines.append(";".join([*begin, *(draw(st.sampled_from([cell, f'"{cell}"'])) for cell in "x1")]))
    text = "".join(f"{line}\n" for line in lines)
    at = draw(st.integers(len(lines[0]) + 1, len(text) - 1))
    given, other = text[at] in ';"\n', draw(st.sampled_from(';"\n'))
    changes = [other + text[at], *(["", other] if given else [])]
    text = text[:at] + draw(st.sampled_from(changes)) + text[at + 1 :]
    return text, dict(enumerate(rows, 11))


@settings(max_examples=1000)
@given(damaged())
def test_one_character_that_is_wrong_makes_nobody_a_bill_with_a_row_less(given: tuple[str, dict[int, int]]) -> None:
    text, rows = given
    for record in read(text.encode())[0]:
        if record.number is not None:
            assert len(json.loads(record.encoded)["InvoiceRows"]) == rows[record.number]


def test_the_same_number_further_down_is_another_record() -> None:
    assert [record.number for record in read(table(HEADER, "1;1,50;;", "2;1,50;;", "1;1,50;;"))[0]] == [1, 2, 1]


def test_something_below_no_name_is_told() -> None:
    assert told(table("InvoiceNumber;", "1;", "2;x"))[1] == (3, "has something in a column without a name")


# -- the decimal mark


def test_an_amount_that_can_be_read_in_two_ways_is_not_read() -> None:
    data = table("InvoiceNumber;TotalAmount", "1;1,234", "2;5", "3;1.234")
    assert [record.number for record in read(data)[0]] == [None, 2, None]
    assert "csv_decimal" in (read(data)[0][0].problem or "")
    assert [record.encoded.split(b":")[-1] for record in read(data, decimal=",")[0]] == [b"1.234}", b"5}", b"1234}"]
    assert [record.encoded.split(b":")[-1] for record in read(data, decimal=".")[0]] == [b"1234}", b"5}", b"1.234}"]


def test_one_number_that_shows_the_mark_is_enough_wherever_it_stands_in_the_first_look() -> None:
    data = table("InvoiceNumber;TotalAmount;Row.Price", "1;1,234;", "2;;0,5")
    assert [record.encoded.split(b":")[2][:6] for record in read(data)[0]] == [b"1.234}", b'[{"Pri']


def test_a_line_whose_cells_may_stand_in_the_wrong_columns_shows_no_mark() -> None:
    data = table("InvoiceNumber;SalesName;TotalAmount", "1;a;1,234", "2;b;c;", "3;d;0.5;")
    assert [record.number for record in read(data)[0]] == [None, None, None]
    assert "csv_decimal" in (read(data)[0][0].problem or "")


def test_a_mark_that_shows_behind_the_first_look_is_not_taken_for_what_came_before() -> None:
    lines = [f"{number};1,234;{'x' * 1000}" for number in range(1, 100)]
    data = table("InvoiceNumber;TotalAmount;SalesName", *lines, "100;0,50;y", "101;1,234;z")
    records = read(data)[0]
    assert [record.number for record in records] == [None] * 99 + [100, None]
    assert all("csv_decimal" in (record.problem or "") for record in records if record.number is None)


def test_where_some_show_the_one_and_some_the_other_each_is_read_if_it_can_be_in_one_way_only() -> None:
    data = table("InvoiceNumber;TotalAmount", "1;1,50", "2;1.50", "3;1,234")
    assert [record.number for record in read(data)[0]] == [1, 2, None]


# -- what never ends


def test_a_quotation_that_never_closes_ends_the_reading_within_a_bound() -> None:
    data = table(HEADER, "1;1,50;;a", '2;1,50;;"b', *[f"{number};1,50;;c" for number in range(3, 20_000)])
    records, unread = read(data, cuts=range(0, len(data), 10_000))
    assert [record.number for record in records] == [1, None]
    assert "line 3" in (unread or "")
    assert (unread or "").count("quotation mark") == 1
    assert read(data) == (records, unread), "where blocks are cut makes a difference"
    early = read(data, longest=10_000)
    assert early == read(data, cuts=range(0, len(data), 1000), longest=10_000)
    assert [record.number for record in early[0]] == [1, None]


def test_a_quotation_that_is_open_at_the_end_is_no_end() -> None:
    records, unread = read(table(HEADER, "1;1,50;;a", '2;1,50;;"b', "3;1,50;;c"))
    assert "nobody can tell where line 3 ends" in (unread or "")
    assert [(record.ref, record.number) for record in records] == [(1, 1), (2, None)]


def test_a_line_or_an_invoice_that_is_too_long_is_named_and_the_next_one_is_read() -> None:
    rows = [f"2;;{'r' * 90};1" for _ in range(20)]
    data = table(ROWS, "1;a;;", *rows, "3;b;;", f"4;{'n' * 2000};;", "5;c;;", "6;d;;")
    records, unread = read(data, longest=1000)
    assert unread is None
    read_at = [(record.ref + 1, record.number) for record in records]
    assert read_at == [(2, 1), (3, None), (23, None), (24, None), (25, None), (26, 6)]
    assert "is longer than 1000 bytes (chunk_bytes)" in (records[1].problem or "")


def test_a_line_that_is_too_long_and_has_quotation_marks_ends_the_reading() -> None:
    records, unread = read(table(HEADER, "1;1,50;;a", f'2;1,50;;"{"b" * 2000}"', "3;1,50;;c"), longest=1000)
    assert [record.number for record in records] == [1, None]
    assert "nobody can tell where line 3 ends" in (unread or "")


@pytest.mark.parametrize("header", ["InvoiceNumber" + 8000 * ";", "InvoiceNumber;" + ";".join(map(str, range(499)))])
def test_lines_are_not_made_as_wide_as_a_header_of_nothing(header: str) -> None:
    data = table(header, *map(str, range(1, 5_000)))
    tracemalloc.start()
    records, _ = read(data, allow_unknown_fields=True)
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()
    assert len(records) == 4_999


def test_a_table_of_more_columns_than_there_are_fields_by_far_is_refused() -> None:
    header = ";".join(["InvoiceNumber", *map(str, range(500))])
    assert read(table(header, "1"), allow_unknown_fields=True) == ([], "has more than 500 columns")


@pytest.mark.parametrize("line", ["7;a;x;1\n", "7;a;x;1", '7;a;"x;1\n', ";;;\n", "oops;a;x;1\n"])
def test_what_never_ends_is_not_kept(line: str) -> None:
    """An invoice, a line, a quotation, blank lines, and lines that cannot be read."""
    form, block = Csv(longest=10_000), line.encode() * 500

    def feed(times: int) -> int:
        """The bytes that are held afterwards."""
        with suppress(CannotReadOn):
            for _ in range(times):
                form.feed(memoryview(block))
        return tracemalloc.get_traced_memory()[0]

    form.feed(memoryview(table(ROWS)))
    tracemalloc.start()
    before = feed(20)
    assert feed(100) - before < 50_000
    tracemalloc.stop()


@pytest.mark.parametrize(("header", "last"), [("InvoiceNumber;SalesName", 3), ("InvoiceNumber;Row.Text", None)])
def test_where_the_input_breaks_off_what_is_whole_is_given(header: str, last: int | None) -> None:
    data = table(header, "1;a", "2;b", "3;c") + b"4;half"
    form = Csv()
    records = [*form.feed(memoryview(data)), *form.cut_off()]
    assert [(record.ref, record.number) for record in records] == [(1, 1), (2, 2), (3, last)]


async def test_a_packed_table_that_is_cut_short_counts_up_to_there(desk: MakeDesk, tmp_path: Path) -> None:
    lines = [f"{number};1,50;;{random.Random(number).randbytes(30).hex()}" for number in range(1, 501)]
    whole = gzip.compress(table(HEADER, *lines))
    (tmp_path / "x.csv.gz").write_bytes(whole[: len(whole) // 2])
    office = await desk()
    report = await office.upload(tmp_path / "x.csv.gz")
    assert report.source_errors == 1
    assert (report.accepted, report.invalid) == (report.read, 0)
    assert 200 < report.read < 300
    assert office.numbers == [*range(1, report.read + 1)]


def test_where_the_input_breaks_off_before_its_first_line_has_ended_there_is_nothing() -> None:
    for start in (b"", b"Invoice", b"SalesName\n1"):
        form = Csv()
        assert len(form.feed(memoryview(start))) == len(form.cut_off()) == 0


# -- where blocks are cut

CELLS = st.one_of(
    st.sampled_from(["", "1", "1,50", "1.50", "1,234", "31.1.2026", '"', "a;b", "x\ny", "x\r\ny", " ", "ä", "€"]),
    st.text(st.characters(codec="cp1252", exclude_characters="\r"), max_size=5),
)
LINES = st.lists(st.tuples(st.integers(1, 4).map(str), CELLS, CELLS, CELLS, CELLS), max_size=12)


def written(lines: Any, encoding: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerows([["InvoiceNumber", "TotalAmount", "SalesName", "Row.Description", "Row.Qty"], *lines])
    return out.getvalue().encode(encoding)


@settings(max_examples=300)
@given(LINES, st.binary(max_size=20), st.lists(st.integers(0, 400)), st.sampled_from(["utf-8", "cp1252", "utf-16"]))
@example([("1", "", '"', "", "")], b'"', [5], "utf-8")
def test_it_does_not_matter_where_blocks_are_cut(lines: Any, damage: bytes, cuts: list[int], encoding: str) -> None:
    data = written(lines, encoding)
    data = data[: len(data) // 2] + damage + data[len(data) // 2 :]
    assert read(data, cuts) == read(data)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r")), min_size=1))
def test_what_a_program_wrote_by_the_rules_is_read_text_by_text(texts: list[str]) -> None:
    """Python's own writer and JSON's own reader as the witnesses."""
    lines = [(str(number), "", text, "", "") for number, text in enumerate(texts, 1)]
    records, unread = read(written(lines, "utf-8"))
    assert unread is None
    assert [json.loads(record.encoded) for record in records] == [
        {"InvoiceNumber": number, **({"SalesName": text} if text.strip() else {})}
        for number, text in enumerate(texts, 1)
    ]
