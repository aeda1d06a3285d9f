"""Encoding invoices, and checking those that are JSON already: messages name the field and show no value."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.errors import InvalidInvoice
from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.wire import LARGEST_NUMBER, encode, encode_mapping, number_of, numbers_of, valid_number
from cashin_async.sources.iterables import read_invoice

PUBLISHED = (Path(__file__).parents[1] / "data" / "published_invoice.json").read_bytes()
PRIVATE = "Salaisuus"  # stands for a value of a person


def refused(refuse: Callable[[], Any]) -> str:
    """The message; fails when it shows a value."""
    with pytest.raises(InvalidInvoice) as raised:
        refuse()
    message = str(raised.value)
    assert message == raised.value.reason
    assert PRIVATE not in message
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return message


# -- encode

MILLISECONDS = [
    (123_000, "2019-08-24T14:15:22.123Z"),
    (120_000, "2019-08-24T14:15:22.120Z"),
    (1_000, "2019-08-24T14:15:22.001Z"),
    (0, "2019-08-24T14:15:22Z"),
    (123_456, "2019-08-24T14:15:22.123456Z"),
]


@pytest.mark.parametrize(("microseconds", "text"), MILLISECONDS)
def test_date_times_are_sent_in_milliseconds_as_published(microseconds: int, text: str) -> None:
    moment = datetime(2019, 8, 24, 14, 15, 22, microseconds, tzinfo=UTC)
    sent = json.loads(encode(SalesInvoice(order_date=moment, issue_date=moment, sales_name="000Z")))
    assert sent == {"OrderDate": text, "SalesName": "000Z", "IssueDate": text}


def test_one_date_time_may_be_there_without_the_other() -> None:
    moment = datetime(2019, 8, 24, 14, 15, 22, 5_000, tzinfo=UTC)
    assert encode(SalesInvoice(issue_date=moment)) == b'{"IssueDate":"2019-08-24T14:15:22.005Z"}'
    assert encode(SalesInvoice(order_date=moment)) == b'{"OrderDate":"2019-08-24T14:15:22.005Z"}'


def test_a_date_time_of_another_zone_keeps_its_moment() -> None:
    moment = datetime(2019, 8, 24, 17, 15, 22, 123_000, tzinfo=timezone(timedelta(hours=3)))
    sent = json.loads(encode(SalesInvoice(order_date=moment)))
    assert datetime.fromisoformat(sent["OrderDate"]) == moment


LOOKALIKES = [
    '"OrderDate":"2019-08-24T14:15:22.123000Z"',
    'x","OrderDate":"2019-08-24T14:15:22.123000Z","y":"',
    "OrderDate",
    '\\"OrderDate\\":\\"2019-08-24T14:15:22.123000Z',
    "2019-08-24T14:15:22.123000Z",
    "NaN",
    "Infinity Oy",
]


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_text_that_looks_like_something_else_travels_untouched(text: str) -> None:
    moment = datetime(2019, 8, 24, 14, 15, 22, 123_000, tzinfo=UTC)
    invoice = SalesInvoice(
        status=text,
        order_identifier=text,
        order_date=moment,
        sales_name=text,
        invoice_rows=[InvoiceRow(description=text, text=text)],
    )
    assert json.loads(encode(invoice)) == {
        "Status": text,
        "OrderIdentifier": text,
        "OrderDate": "2019-08-24T14:15:22.123Z",
        "SalesName": text,
        "InvoiceRows": [{"Description": text, "Text": text}],
    }


@given(st.text(st.characters(exclude_categories=["Cs"])), st.datetimes(timezones=st.just(UTC)))
def test_any_text_travels_beside_any_date_time(text: str, moment: datetime) -> None:
    invoice = SalesInvoice(order_identifier=text, order_date=moment, agreement_identifier=text, issue_date=moment)
    sent = json.loads(encode(invoice))
    assert sent["OrderIdentifier"] == sent["AgreementIdentifier"] == text
    assert sent["OrderDate"] == sent["IssueDate"]
    assert datetime.fromisoformat(sent["OrderDate"]) == moment


NON_FINITE = ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("text", NON_FINITE)
def test_a_decimal_that_is_no_number_is_refused_by_its_name(text: str) -> None:
    assert "NetAmount" in refused(lambda: encode(SalesInvoice(net_amount=Decimal(text))))
    row = InvoiceRow(qty=Decimal(text))
    message = refused(lambda: encode(SalesInvoice(invoice_rows=[InvoiceRow(), row])))
    assert "InvoiceRows[1].Qty" in message


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_float_that_is_no_number_is_refused_and_not_sent_as_null(amount: float) -> None:
    assert "NetAmount" in refused(lambda: encode(SalesInvoice(net_amount=amount)))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [[{"Qty": 1}], ({"Qty": 1},), 7, "rows"], ids=repr)
def test_rows_of_another_type_never_raise_anything_else(rows: Any) -> None:
    for name in ("Meikäläinen", "Infinity Oy", "NaN"):
        try:
            encode(SalesInvoice(sales_name=name, invoice_rows=rows))
        except InvalidInvoice as error:
            assert name not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "wrong",
    [
        {"net_amount": "Salaisuus"},
        {"sales_name": 7},
        {"auto_advancement": True},
        {"invoice_rows": 7},
        {"due_date": "x"},
    ],
    ids=repr,
)
def test_an_object_with_values_of_wrong_types_never_leaves(wrong: dict[str, Any]) -> None:
    """The same data as a dict or as a line is invalid, too."""
    record = read_invoice(SalesInvoice(invoice_number=1, **wrong))
    assert record.problem
    assert PRIVATE not in record.problem


@pytest.mark.parametrize(
    "value", [object(), {object()}, "\ud800", 2**70 * 1j], ids=["object", "set", "lone surrogate", "complex"]
)
def test_a_value_that_has_no_json_form_is_refused(value: Any) -> None:
    assert "cannot be encoded" in refused(lambda: encode(SalesInvoice(sales_name=value, status=PRIVATE)))


def test_a_value_that_holds_itself_is_refused() -> None:
    rows: list[Any] = []
    rows.append(rows)
    assert "cannot be encoded" in refused(lambda: encode(SalesInvoice(invoice_rows=rows)))


# -- dicts


def test_a_dict_of_published_names_is_the_invoice() -> None:
    published = json.loads(PUBLISHED)[0]
    number, encoded = encode_mapping(MappingProxyType(published))
    assert number == 251600002
    assert json.loads(encoded) == published


@pytest.mark.parametrize(
    ("amount", "sent"), [(100, b"100"), (100.5, b"100.5"), (Decimal("100.10"), b"100.10"), ("100.10", b"100.10")]
)
def test_an_amount_of_a_dict_travels_as_a_number(amount: Any, sent: bytes) -> None:
    assert encode_mapping({"InvoiceNumber": 1, "NetAmount": amount}) == (
        1,
        b'{"InvoiceNumber":1,"NetAmount":%s}' % sent,
    )


def test_a_dict_with_fields_of_its_own_goes_out_as_it_is_when_allowed() -> None:
    invoice = {"Own": [1, {"x": None}], "InvoiceNumber": 7, "NetAmount": Decimal("1.10")}
    assert encode_mapping(invoice, allow_unknown_fields=True) == (
        7,
        b'{"Own":[1,{"x":null}],"InvoiceNumber":7,"NetAmount":1.10}',
    )


BAD_DICTS: dict[str, tuple[dict[Any, Any], str]] = {
    "unknown field": ({"InvoiceNumber": 1, "Own": PRIVATE}, "Own"),
    "wrong type": ({"InvoiceNumber": 1, "NetAmount": PRIVATE}, "NetAmount"),
    "true for a whole number": ({"InvoiceNumber": 1, "AutoAdvancement": True}, "AutoAdvancement"),
    "wrong type in a row": ({"InvoiceNumber": 1, "InvoiceRows": [{"Qty": 1}, {"Qty": PRIVATE}]}, "].Qty: "),
    "not a number": ({"InvoiceNumber": 1, "NetAmount": float("nan")}, "NetAmount"),
    "infinite in a row": ({"InvoiceNumber": 1, "InvoiceRows": [{"Qty": Decimal("Infinity")}]}, "InvoiceRows[0].Qty"),
    "no number": ({"NetAmount": 1}, "InvoiceNumber is missing"),
    "number too large": ({"InvoiceNumber": 2**63}, "InvoiceNumber"),
    "number in a string": ({"InvoiceNumber": "1"}, "InvoiceNumber"),
    "a key that is no string": ({"InvoiceNumber": 1, 2: PRIVATE}, ""),
}


@pytest.mark.parametrize(("invoice", "named"), BAD_DICTS.values(), ids=BAD_DICTS)
def test_a_bad_dict_is_refused_by_the_name_of_its_field(invoice: dict[Any, Any], named: str) -> None:
    assert named in refused(lambda: encode_mapping(invoice))


@pytest.mark.parametrize(
    "invoice",
    [
        pytest.param({"InvoiceNumber": 1, "Own": object()}, id="object"),
        pytest.param({"InvoiceNumber": 1, "NetAmount": Decimal("NaN")}, id="NaN"),
        pytest.param({"InvoiceNumber": 1, "NetAmount": "1.10"}, id="amount in a string"),
        pytest.param({"InvoiceNumber": 1, "NetAmount": float("nan")}, id="float NaN"),
        pytest.param({"Own": 1}, id="no number"),
    ],
)
def test_a_bad_dict_is_refused_with_unknown_fields_allowed_too(invoice: dict[str, Any]) -> None:
    assert refused(lambda: encode_mapping(invoice, allow_unknown_fields=True))


class Row(dict[str, Any]):
    """A caller's own mapping, as lazy database rows are, that fails when it is read."""

    def keys(self) -> Any:
        raise ValueError(PRIVATE)


def test_a_mapping_that_cannot_be_read_is_refused() -> None:
    assert refused(lambda: encode_mapping(MappingProxyType(Row()))) == "cannot be encoded: ValueError"


# -- numbers


@pytest.mark.parametrize("number", [1, 251600002, LARGEST_NUMBER])
def test_numbers_that_can_be_followed(number: int) -> None:
    assert valid_number(number) == number
    assert number_of(b'{"InvoiceNumber":%d}' % number) == number


@pytest.mark.parametrize("number", [None, 0, -1, 2**63, 2**64, True, 1.0, "1", Decimal(1)], ids=repr)
def test_numbers_that_cannot_be_followed(number: object) -> None:
    assert "InvoiceNumber" in refused(lambda: valid_number(number))


# -- lines


def test_the_published_example_is_a_good_line() -> None:
    assert number_of(PUBLISHED.strip().removeprefix(b"[").removesuffix(b"]")) == 251600002


def line(*members: str) -> bytes:
    return ("{" + ",".join(('"InvoiceNumber":1', *members)) + "}").encode()


BAD_LINES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ""),
    "broken": (line('"SalesName":"Salaisuus"')[:-1], "JSON"),
    "cut in a string": (b'{"InvoiceNumber":1,"SalesName":"Salaisu', "JSON"),
    "malformed": (line('"SalesName":Salaisuus'), "JSON"),
    "two objects": (line() + line('"SalesName":"Salaisuus"'), "JSON"),
    "array": (b"[" + line('"SalesName":"Salaisuus"') + b"]", "array"),
    "string": (b'"Salaisuus"', "string"),
    "null": (b"null", "null"),
    "not UTF-8": (b'{"InvoiceNumber":1,"SalesName":"Salaisuus \xe4"}', "JSON"),
    "half of a surrogate pair": (line(r'"SalesName":"Salaisuus \ud83d"'), "JSON"),
    "a BOM": (b"\xef\xbb\xbf" + line('"SalesName":"Salaisuus"'), "JSON"),
    "unknown field": (line('"Own":"Salaisuus"'), "`Own`"),
    "unknown field whose name is no word": (line('"Salaisuus: `tieto`":1'), "unknown field"),
    "unknown field named by a personal code": (line('"131052-308T":1'), "an unknown field"),
    "unknown field named by an account": (line('"FI2112345600000785":1'), "an unknown field"),
    "unknown field with a very long name": (line('"' + "Salaisuus" * 9 + '":1'), "unknown field"),
    "unknown field in a row": (line('"InvoiceRows":[{"Own":"Salaisuus"}]'), "InvoiceRows["),
    "published name in another case": (line('"salesName":"Salaisuus"'), "`salesName`"),
    "number for a text": (line('"SalesName":1'), "SalesName: "),
    "text for an amount": (line('"NetAmount":"100"'), "NetAmount: "),
    "text that is no amount": (line('"NetAmount":"Salaisuus"'), "NetAmount: "),
    "true for an amount": (line('"NetAmount":true'), "NetAmount: "),
    "an amount beyond all numbers": (line('"NetAmount":1e999'), "NetAmount: "),
    "an amount of 5000 digits": (line('"NetAmount":' + "1" * 5000), "NetAmount: "),
    "true for a whole number": (line('"AutoAdvancement":true'), "AutoAdvancement: "),
    "a fraction for a whole number": (line('"PaymentTermsCode":14.5'), "PaymentTermsCode: "),
    "an object for a text": (line('"SalesName":{"a":"Salaisuus"}'), "SalesName: "),
    "a day that is none": (line('"InvoiceDate":"Salaisuus"'), "InvoiceDate: "),
    "a day that is not in the calendar": (line('"InvoiceDate":"2022-02-30"'), "InvoiceDate: "),
    "a moment that is none": (line('"OrderDate":"2022-01-20 Salaisuus"'), "OrderDate: "),
    "rows that are none": (line('"InvoiceRows":{"Qty":1}'), "InvoiceRows: "),
    "a row that is none": (line('"InvoiceRows":["Salaisuus"]'), "InvoiceRows["),
    "wrong type in a row": (line('"InvoiceRows":[{"Qty":1},{"Price":"Salaisuus"}]'), "].Price: "),
    "deep nesting": (line('"SalesReference":' + "[" * 100_000 + "]" * 100_000), ""),
    "number missing": (b'{"SalesName":"Salaisuus"}', "InvoiceNumber is missing"),
    "number null": (b'{"InvoiceNumber":null}', "InvoiceNumber is missing"),
    "number zero": (b'{"InvoiceNumber":0}', "InvoiceNumber is not between"),
    "number negative": (b'{"InvoiceNumber":-5}', "InvoiceNumber is not between"),
    "number too large": (b'{"InvoiceNumber":9223372036854775808}', "InvoiceNumber is not between"),
    "number far too large": (b'{"InvoiceNumber":1' + b"0" * 50 + b"}", "InvoiceNumber"),
    "number of 5000 digits": (b'{"InvoiceNumber":' + b"1" * 5000 + b"}", "InvoiceNumber"),
    "number in a string": (b'{"InvoiceNumber":"1"}', "InvoiceNumber: "),
    "number a fraction": (b'{"InvoiceNumber":1.5}', "InvoiceNumber: "),
    "number true": (b'{"InvoiceNumber":true}', "InvoiceNumber: "),
    "number twice": (line('"InvoiceNumber":2'), "InvoiceNumber stands more than once"),
    "number twice, the same": (line('"InvoiceNumber":1'), "InvoiceNumber stands more than once"),
    "number twice, one escaped": (line(r'"Invoice\u004eumber":2'), "InvoiceNumber stands more than once"),
    "number twice, one escaped in capitals": (line(r'"Invoice\u004Eumber":2'), "InvoiceNumber stands more than once"),
    "number twice, the first escaped": (rb'{"\u0049nvoiceNumber":2,"InvoiceNumber":1}', "more than once"),
    "number twice, all of it escaped": (
        line('"' + "".join(f"\\u{ord(letter):04x}" for letter in "InvoiceNumber") + '":2'),
        "more than once",
    ),
}


@pytest.mark.parametrize(("data", "named"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_refused_by_the_path_of_its_field(data: bytes, named: str) -> None:
    message = refused(lambda: number_of(data))
    assert named in message
    assert message
    assert "1111" not in message


GOOD_LINES = {
    "white space": b' {"InvoiceNumber" :\t1 } ',
    "null everywhere": b'{"InvoiceNumber":1,"NetAmount":null,"InvoiceRows":null,"OrderDate":null}',
    "no rows": b'{"InvoiceNumber":1,"InvoiceRows":[]}',
    "a whole number for an amount": b'{"InvoiceNumber":1,"NetAmount":100}',
    "an amount in powers of ten": b'{"InvoiceNumber":1,"NetAmount":1.5E+2}',
    "thirty digits": b'{"InvoiceNumber":1,"NetAmount":0.123456789012345678901234567890}',
    "escapes in a value": rb'{"InvoiceNumber":1,"SalesName":"Meik\u00e4l\u00e4inen \u004e"}',
    "the name of the number in a value": b'{"InvoiceNumber":1,"SalesName":"InvoiceNumber","Status":"InvoiceNumber"}',
    "escapes in the only key": rb'{"Invoice\u004eumber":1}',
    "a number for an open field": b'{"InvoiceNumber":1,"SalesReference":12}',
    "a text for an open field": b'{"InvoiceNumber":1,"SalesReference":"12"}',
}


@pytest.mark.parametrize("allowed", [False, True], ids=["published only", "unknown fields allowed"])
@pytest.mark.parametrize("data", GOOD_LINES.values(), ids=GOOD_LINES)
def test_a_good_line_gives_its_number(data: bytes, allowed: bool) -> None:
    assert number_of(data, allowed) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(line('"Own":{"a":[1,null,true,"x"]}'), id="at the top"),
        pytest.param(line('"InvoiceRows":[{"Qty":1,"Own":1}]'), id="in a row"),
        pytest.param(line('"InvoiceRows":[{"InvoiceNumber":5},{"InvoiceNumber":6}]'), id="number once more in rows"),
        pytest.param(line('"invoicenumbers":5'), id="almost the same name"),
        pytest.param(line(r'"Own":"\u004e"'), id="an escaped letter"),
    ],
)
def test_fields_of_their_own_are_let_through_when_allowed(data: bytes) -> None:
    assert number_of(data, allow_unknown_fields=True) == 1
    if b"\\" not in data:
        refused(lambda: number_of(data))


@pytest.mark.parametrize(
    ("data", "named"),
    [
        pytest.param(line('"invoicenumber":2'), "more than once", id="number in another case"),
        pytest.param(line('"INVOICENUMBER" : 2'), "more than once", id="number in capitals"),
        pytest.param(line(r'"invoice\u006eumber":2'), "more than once", id="number in another case, escaped"),
        pytest.param(line('"InvoiceNumber":2'), "more than once", id="number twice"),
        pytest.param(b'{"invoicenumber":2}', "InvoiceNumber is missing", id="number in another case only"),
        pytest.param(line('"NetAmount":"Salaisuus"'), "NetAmount: ", id="wrong type"),
        pytest.param(b'{"InvoiceNumber":1,"Own":"Salaisuus \xe4"}', "JSON", id="not UTF-8 in a field of its own"),
        pytest.param(b'{"InvoiceNumber":1,"Own":"Salaisuus \xe4 \\u004e"}', "", id="not UTF-8 beside an escape"),
        pytest.param(line('"Own":"Salaisuus'), "JSON", id="cut short in a field of its own"),
        pytest.param(line('"Own":' + "[" * 100_000 + "]" * 100_000), "JSON", id="deep nesting"),
    ],
)
def test_allowing_unknown_fields_allows_nothing_else(data: bytes, named: str) -> None:
    assert named in refused(lambda: number_of(data, allow_unknown_fields=True))


@pytest.mark.parametrize("depth", [*range(850, 1001), 10_000])
def test_at_no_depth_of_nesting_a_second_number_slips_through(depth: int) -> None:
    data = line('"Own":' + "[" * depth + "]" * depth, r'"invoice\u006eumber":2')
    assert refused(lambda: number_of(data, allow_unknown_fields=True))


@given(st.one_of(st.binary(), st.text().map(str.encode)), st.booleans())
def test_no_bytes_raise_anything_but_invalid_invoice(data: bytes, allowed: bool) -> None:
    try:
        assert number_of(data, allowed) > 0
    except InvalidInvoice as error:
        assert error.reason  # noqa: PT017


@given(
    st.dictionaries(
        st.sampled_from(["InvoiceNumber", "NetAmount", "SalesName", "OrderDate", "InvoiceRows", "Own"]),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.just("Salaisuus")),
            lambda inner: st.one_of(
                st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["Qty", "Own"]), inner, max_size=2)
            ),
        ),
    ),
    st.booleans(),
)
def test_no_message_shows_a_value(invoice: dict[str, Any], allowed: bool) -> None:
    data = json.dumps(invoice).encode()
    try:
        number_of(data, allowed)
    except InvalidInvoice as error:
        assert PRIVATE not in str(error)  # noqa: PT017


ONE_BY_ONE = [
    b'{"InvoiceNumber":3}',
    b'{"InvoiceNumber":3,"InvoiceNumber":4}',
    b'{"InvoiceNumber":3,"Invoice\\u004eumber":4}',
    b'{"Invoice\\u004eumber":4}',
    b'{"InvoiceNumber":null}',
    b'{"InvoiceNumber":1.0}',
    b'{"InvoiceNumber":true}',
    b'{"InvoiceNumber":"1"}',
    b'{"InvoiceNumber":0}',
    b'{"InvoiceNumber":9223372036854775808}',
    b'{"InvoiceNumber":99999999999999999999999}',
    b'{"InvoiceNumber":5,"Nope":1}',
    b'{"SalesName":"\\ud800"}',
    b"{}",
    b"",
    b"[1]",
    b"[" * 100_000,
    b"\xff",
]


@given(
    st.lists(st.sampled_from(ONE_BY_ONE) | st.integers(1, 99).map(lambda n: b'{"InvoiceNumber":%d}' % n)), st.booleans()
)
def test_many_lines_are_judged_like_one_by_one(lines: list[bytes], allow_unknown_fields: bool) -> None:
    def alone(line: bytes) -> tuple[int | None, str | None]:
        try:
            return number_of(line, allow_unknown_fields), None
        except InvalidInvoice as error:
            return None, error.reason

    numbers, problems = numbers_of(lines, allow_unknown_fields)
    assert [(number, problems.get(place)) for place, number in enumerate(numbers)] == list(map(alone, lines))


def test_one_repeated_number_does_not_make_up_for_a_missing_one() -> None:
    lines = [b'{"InvoiceNumber":3,"InvoiceNumber":4}', b"{}"]
    assert numbers_of(lines)[0] == [None, None]
