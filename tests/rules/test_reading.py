"""Invoices that are not as published: every wrong field is told, the rest is judged, and nothing ever raises."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.errors import InvalidInvoice
from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.invoice import wire_name
from cashin_async.models.wire import encode, encode_mapping, number_of
from cashin_async.rules import Problem, RuleSet, Severity, check
from tests.rules.invoices import GONE, INVOICE, ROW, RULES, invoice_with

Told = list[tuple[str, str | None, str]]
PERMISSIVE = RuleSet(iban=RULES.iban, allow_unknown_fields=True)
NUMBER_OR_NULL = "Expected `number | null`, got `string`"
NAMES = [wire_name(name) for name in SalesInvoice.__struct_fields__]
ROW_NAMES = [wire_name(name) for name in InvoiceRow.__struct_fields__]


def told(invoice: Any, rules: RuleSet = RULES) -> Told:
    problems = check(invoice, rules)
    assert rules.explain(invoice) == problems
    return [(problem.rule, problem.field, problem.message) for problem in problems]


def by_both(changes: Mapping[str, Any], rules: RuleSet = RULES) -> Told:
    """Of the JSON; a dict, which may have its amounts in strings, has the same fields wrong."""
    invoice = invoice_with(changes)
    of_json = told(json.dumps(invoice).encode(), rules)
    assert [(rule, field) for rule, field, _ in told(invoice, rules)] == [(rule, field) for rule, field, _ in of_json]
    return of_json


# -- types


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TotalAmount": "125,50"}, [("type", "TotalAmount", NUMBER_OR_NULL)]),
        ({"TotalAmount": True}, [("type", "TotalAmount", "Expected `number | null`, got `true or false`")]),
        ({"SalesName": 7}, [("type", "SalesName", "Expected `string | null`, got `whole number`")]),
        ({"SalesName": ["x"]}, [("type", "SalesName", "Expected `string | null`, got `array`")]),
        ({"DueDate": "17.2.2026"}, [("type", "DueDate", "Invalid RFC3339 encoded date")]),
        ({"DueDate": "2026-02-30"}, [("type", "DueDate", "Invalid RFC3339 encoded date")]),
        ({"PaymentTermsCode": 14.5}, [("type", "PaymentTermsCode", "Expected `whole number | null`, got `number`")]),
        (
            {"SalesIdentifier": 1.5},
            [("type", "SalesIdentifier", "Expected `whole number | string | null`, got `number`")],
        ),
        ({"InvoiceNumber": "251600001"}, [("number", "InvoiceNumber", "Expected `whole number | null`, got `string`")]),
        ({"InvoiceNumber": 1.5}, [("number", "InvoiceNumber", "Expected `whole number | null`, got `number`")]),
        ({"InvoiceNumber": True}, [("number", "InvoiceNumber", "Expected `whole number | null`, got `true or false`")]),
        ({"InvoiceRows": 7}, [("type", "InvoiceRows", "Expected `array | null`, got `whole number`")]),
        ({"InvoiceRows": {"Qty": 1}}, [("type", "InvoiceRows", "Expected `array | null`, got `object`")]),
        ({"InvoiceRows": "rows"}, [("type", "InvoiceRows", "Expected `array | null`, got `string`")]),
        ({"Own": 1}, [("type", "Own", "is not a published field")]),
        ({"invoiceNumber": 1}, [("type", "invoiceNumber", "is not a published field")]),
        ({"Own name": 1}, [("type", None, "is not a published field")]),
        ({"FI2112345600000785": 1}, [("type", None, "is not a published field")]),
        ({"": 1}, [("type", None, "is not a published field")]),
    ],
    ids=str,
)
def test_a_wrong_field_is_told_and_the_rest_is_right(changes: dict[str, Any], expected: Told) -> None:
    assert by_both(changes) == expected


def test_a_wrong_field_of_a_row_has_its_place() -> None:
    rows = [{}, {**ROW, "VatPercent": "24 %"}, {**ROW, "Own": 1, "Own 2": 2}]
    assert by_both({"InvoiceRows": rows, "TaxAmount": GONE, "NetAmount": GONE}) == [
        ("type", "InvoiceRows[1].VatPercent", NUMBER_OR_NULL),
        ("type", "InvoiceRows[2].Own", "is not a published field"),
        ("type", "InvoiceRows[2]", "is not a published field"),
    ]


@pytest.mark.parametrize("row", [None, 7, "row", '{"Qty": 1}', [], [["Qty", 1]], True], ids=repr)
def test_rows_that_are_none(row: Any) -> None:
    invoice = {**INVOICE, "InvoiceRows": [ROW, row]}
    for one in (
        invoice,
        json.dumps(invoice).encode(),
        SalesInvoice(invoice_number=1, invoice_rows=[InvoiceRow(), row]),
    ):
        assert told(one) == [("type", "InvoiceRows[1]", "is not a row")]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """One field does not hide another, and what can be read is judged by the rules."""
    found = by_both(
        {
            "SalesName": 7,
            "NetAmount": "seventy",
            "Reference": "2516000017",
            "SalesPostalCode": "6510",
            "DueDate": "x",
            "InvoiceRows": [{"VatPercent": 19, "Tax": 19, "Total": 119.01, "Qty": "1 kpl"}, {"Nto": "x", "Total": 7}],
            "Own": None,
        }
    )
    assert sorted((rule, field or "") for rule, field, _ in found) == [
        ("postal-code", "SalesPostalCode"),
        ("reference", "Reference"),
        ("sum-row", "InvoiceRows[0].Total"),
        ("type", "DueDate"),
        ("type", "InvoiceRows[0].Qty"),
        ("type", "InvoiceRows[1].Nto"),
        ("type", "NetAmount"),
        ("type", "Own"),
        ("type", "SalesName"),
        ("vat-rate", "InvoiceRows[0].VatPercent"),
    ]


def test_the_number_of_a_broken_invoice_is_known_when_it_can_be_read() -> None:
    (problem,) = check(invoice_with({"SalesName": 7}))
    assert problem == Problem(
        invoice_number=INVOICE["InvoiceNumber"],
        field="SalesName",
        rule="type",
        severity=Severity.ERROR,
        message="Expected `string | null`, got `whole number`",
    )
    for number in ("1", None, GONE, 1.5, True):
        assert {problem.invoice_number for problem in check(invoice_with({"InvoiceNumber": number}))} == {None}


def test_a_number_that_is_wrong_is_told_once() -> None:
    """By its type, and not as missing on top of that."""
    assert [rule for rule, _, _ in by_both({"InvoiceNumber": "1", "SalesName": 7})] == ["number", "type"]
    assert [rule for rule, _, _ in by_both({"InvoiceNumber": GONE, "SalesName": 7})] == ["type", "number"]
    assert [rule for rule, _, _ in by_both({"InvoiceNumber": 0, "SalesName": 7})] == ["type", "number"]


def test_types_can_be_switched() -> None:
    broken = invoice_with({"SalesName": 7, "Reference": "2516000017"})
    assert [rule for rule, _, _ in told(broken, RuleSet(severities={"type": "off"}))] == ["reference"]
    (problem, _) = check(broken, RuleSet(severities={"type": "warning"}))
    assert problem.severity is Severity.WARNING


# -- names that are not published


def test_unknown_fields_that_are_allowed() -> None:
    changes = {"Own": {"x": [1, None]}, "Own name": 1, "InvoiceRows": [{"Own": 1}], "Reference": "2516000017"}
    assert [rule for rule, _, _ in by_both(changes, PERMISSIVE)] == ["reference"]
    assert by_both(changes | {"Reference": "2516000013"}, PERMISSIVE) == []
    assert by_both(changes | {"SalesName": 7}, PERMISSIVE) == [
        ("type", "SalesName", "Expected `string | null`, got `whole number`"),
        ("reference", "Reference", "check digit is 7, 3 would be right"),
    ]


def test_a_dict_that_goes_out_as_it_is_has_numbers_for_amounts() -> None:
    in_strings = invoice_with({"NetAmount": "100.00", "InvoiceRows": [{"Nto": "100.00"}]})
    assert told(in_strings) == []
    assert told(in_strings, PERMISSIVE) == [
        ("type", "InvoiceRows[0].Nto", NUMBER_OR_NULL),
        ("type", "NetAmount", NUMBER_OR_NULL),
    ]


def test_a_dict_of_decimals_and_strings() -> None:
    assert told(invoice_with({"NetAmount": Decimal("100.00"), "TaxAmount": "25.50"})) == []
    assert told(invoice_with({"NetAmount": "99.99", "RoundAmount": "0.01"})) == [
        ("sum-net", "NetAmount", "the rows' Nto adds up to 0.01 more than NetAmount")
    ]
    broken = {"SalesName": 7, "NetAmount": "100", "InvoiceRows": [{"Nto": "100", "Total": "125.51"}]}
    assert [(rule, field) for rule, field, _ in told(invoice_with(broken))] == [
        ("type", "SalesName"),
        ("sum-row", "InvoiceRows[0].Total"),
    ]


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_any_mapping(kind: Any) -> None:
    assert told(kind(invoice_with({}))) == []
    assert told(kind(invoice_with({"SalesName": 7})))[0][0] == "type"
    rows = [kind({**ROW, "Qty": []})]
    assert told(kind({**INVOICE, "InvoiceRows": rows}))[0][1] == "InvoiceRows[0].Qty"


@pytest.mark.parametrize("key", [2, None, 1.5, (1, 2), b"x", "\ud800", "x" * 41, "Own-name", "Avain1234"], ids=repr)
def test_names_that_are_no_plain_words_are_not_repeated(key: Any) -> None:
    for value in (1, object()):
        (problem,) = check({**INVOICE, key: value})
        assert (problem.rule, problem.field) == ("type", None)
        (problem,) = check({**INVOICE, "InvoiceRows": [{**ROW, key: value}]})
        assert (problem.rule, problem.field) == ("type", "InvoiceRows[0]")


@pytest.mark.parametrize("key", ["Own", "own_name", "ExtendedField11", "X" * 40])
def test_names_that_are_plain_words_are(key: str) -> None:
    assert [field for _, field, _ in told({**INVOICE, key: 1})] == [key]


# -- structs, which take whatever they are built of


def built(**values: Any) -> SalesInvoice:
    return SalesInvoice(invoice_number=1, **values)


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"sales_name": 7}, "SalesName", "Expected `string | null`, got `whole number`"),
        ({"net_amount": "76"}, "NetAmount", NUMBER_OR_NULL),
        ({"net_amount": True}, "NetAmount", "Expected `number | null`, got `true or false`"),
        ({"net_amount": Decimal("NaN")}, "NetAmount", "is not a finite number"),
        ({"net_amount": Decimal("sNaN")}, "NetAmount", "is not a finite number"),
        ({"net_amount": Decimal("Infinity")}, "NetAmount", "is not a finite number"),
        ({"net_amount": float("nan")}, "NetAmount", "is not a finite number"),
        ({"net_amount": float("-inf")}, "NetAmount", "is not a finite number"),
        ({"interest_number": Decimal("NaN")}, "InterestNumber", "is not a finite number"),
        ({"sales_name": object()}, "SalesName", "cannot be encoded: TypeError"),
        ({"sales_name": "\ud800"}, "SalesName", "cannot be encoded: UnicodeEncodeError"),
        ({"due_date": datetime(2026, 2, 17, tzinfo=UTC)}, "DueDate", "Invalid RFC3339 encoded date"),
        ({"due_date": "17.2.2026"}, "DueDate", "Invalid RFC3339 encoded date"),
        ({"order_date": date(2026, 2, 17)}, "OrderDate", "Invalid RFC3339 encoded datetime"),
        ({"auto_advancement": True}, "AutoAdvancement", "Expected `whole number | null`, got `true or false`"),
        ({"auto_advancement": 1.5}, "AutoAdvancement", "Expected `whole number | null`, got `number`"),
        ({"invoice_rows": 7}, "InvoiceRows", "Expected `array | null`, got `whole number`"),
        ({"invoice_rows": [InvoiceRow(), InvoiceRow(qty="1")]}, "InvoiceRows[1].Qty", NUMBER_OR_NULL),  # type: ignore[arg-type]
        ({"invoice_rows": [InvoiceRow(qty=Decimal("NaN"))]}, "InvoiceRows[0].Qty", "is not a finite number"),
        (
            {"invoice_rows": [InvoiceRow(vat_percent=Decimal("sNaN"))]},
            "InvoiceRows[0].VatPercent",
            "is not a finite number",
        ),
        ({"invoice_rows": [InvoiceRow(text=object())]}, "InvoiceRows[0].Text", "cannot be encoded: TypeError"),  # type: ignore[arg-type]
        ({"invoice_rows": [{"Qty": "1"}]}, "InvoiceRows[0].Qty", NUMBER_OR_NULL),
        ({"invoice_rows": [{"Own": 1}]}, "InvoiceRows[0].Own", "is not a published field"),
        (
            {"invoice_rows": [SalesInvoice(invoice_number=1)]},
            "InvoiceRows[0].InvoiceNumber",
            "is not a published field",
        ),
    ],
)
def test_structs_of_wrong_types(values: dict[str, Any], field: str, message: str) -> None:
    """Also after a right one of the same types was seen."""
    right = {name: _right(value) for name, value in values.items()}
    for _ in range(2):
        assert told(built(**values)) == [("type", field, message)]
        check(built(**right))


def _right(value: Any) -> Any:
    """A value of the same type that can travel."""
    if isinstance(value, Decimal | float):
        return type(value)(1)
    if isinstance(value, list) and value and isinstance(value[-1], InvoiceRow):
        return [InvoiceRow(qty=Decimal(1), vat_percent=Decimal(24))]
    return "x" if isinstance(value, str) else None


def test_several_wrong_types_of_a_struct() -> None:
    invoice = built(
        sales_name=7,
        reference="2516000017",
        net_amount=Decimal("NaN"),
        invoice_rows=[InvoiceRow(qty=float("inf"), vat_percent=Decimal(19))],  # type: ignore[arg-type]
    )
    assert [(rule, field) for rule, field, _ in told(invoice)] == [
        ("type", "InvoiceRows[0].Qty"),
        ("type", "NetAmount"),
        ("type", "SalesName"),
        ("reference", "Reference"),
        ("vat-rate", "InvoiceRows[0].VatPercent"),
    ]


def test_amounts_of_a_struct_may_be_floats() -> None:
    """Against their type, but they travel as the same numbers."""
    right = built(net_amount=100.0, tax_amount=25.5, total_amount=125.5)
    assert told(right) == []
    wrong = built(net_amount=100.0, tax_amount=25.5, total_amount=125.51)
    assert [(rule, field) for rule, field, _ in told(wrong)] == [("sum-invoice", "TotalAmount")]


def test_bytes_travel_as_base64() -> None:
    assert told(built(sales_name=b"Maija")) == []


class OwnInvoice(SalesInvoice):
    """A caller's own, with a field more."""

    own: str = "x"


class NamedInvoice(SalesInvoice):
    """A caller's own, with nothing more."""


def test_subclasses() -> None:
    assert told(NamedInvoice(invoice_number=1, reference="2516000017"))[0][0] == "reference"
    assert told(OwnInvoice(invoice_number=1)) == [("type", "Own", "is not a published field")]


# -- bytes that are no invoice


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"x",
        b"null",
        b"7",
        b'"invoice"',
        b"[]",
        b"[{}]",
        b'{"InvoiceNumber":1',
        b'{"InvoiceNumber":1}{"InvoiceNumber":2}',
        b'{"InvoiceNumber":1,}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"InvoiceRows":' + b"[" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_json_object(data: bytes) -> None:
    problems = check(data, RULES)
    assert [(problem.rule, problem.field, problem.invoice_number) for problem in problems] == [("type", None, None)]
    assert problems[0].message
    assert RULES.explain(data) == problems


@pytest.mark.parametrize(
    "member",
    [
        rb'"SalesName":"\ud83d"',
        b'"SalesName":"\xe4"',
        b'"Own":"\xe4"',
        b'"SalesName":7,"SalesName":"x"',
        b'"InvoiceRows":[7],"InvoiceRows":[]',
        b'"NetAmount":1e999',
        b'"NetAmount":NaN',
        b'"InvoiceRows":[{"Qty":1e999}]',
        b'"Own":' + b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda data: repr(data[:30]),
)
@pytest.mark.parametrize("rules", [RULES, PERMISSIVE], ids=["strict", "permissive"])
def test_what_is_no_invoice_for_a_reason_of_its_own(member: bytes, rules: RuleSet) -> None:
    problems = check(b'{"InvoiceNumber":1,%b}' % member, rules)
    assert {problem.rule for problem in problems} == {"type"}


@pytest.mark.parametrize(
    "data",
    [
        b'{"InvoiceNumber":1,"InvoiceNumber":2}',
        b'{"InvoiceNumber":1,"InvoiceNumber":1}',
        rb'{"InvoiceNumber":1,"Invoice\u004eumber":2}',
    ],
)
def test_a_number_that_stands_twice(data: bytes) -> None:
    assert told(data) == [("number", "InvoiceNumber", "stands more than once in the invoice")]


def test_a_number_that_stands_twice_in_another_case() -> None:
    data = b'{"InvoiceNumber":1,"invoicenumber":2}'
    assert told(data) == [("type", "invoicenumber", "is not a published field")]
    assert told(data, PERMISSIVE) == [("number", "InvoiceNumber", "stands more than once in the invoice")]


def test_inspecting_what_has_other_types_raises() -> None:
    for data in (b"x", b'{"TotalAmount":"x"}', b"[]"):
        with pytest.raises(msgspec.MsgspecError):
            RULES.inspect(data)


# -- whatever comes

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary(max_size=4)
    | st.dates()
    | st.datetimes()
    | st.sampled_from(["2516000013", "125.50", "2026-02-03", "FI2112345600000785", "131052A308T", "\ud800", object()])
)
keys = st.sampled_from(NAMES) | st.sampled_from(ROW_NAMES) | st.text(max_size=5) | st.integers() | st.none()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.tuples(inner),
    max_leaves=8,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ROW_NAMES), inner, max_size=3),
    max_leaves=8,
)
rows = values | st.lists(st.dictionaries(st.sampled_from(ROW_NAMES), values, max_size=4) | values, max_size=3)


def assert_problems(problems: Any) -> None:
    assert isinstance(problems, list)
    for problem in problems:
        assert type(problem) is Problem
        assert type(problem.message) is str
        assert problem.field is None or type(problem.field) is str
        assert type(problem.severity) is Severity
        assert problem.invoice_number is None or type(problem.invoice_number) is int
        json.dumps(msgspec.structs.asdict(problem)).encode()
        msgspec.json.encode(problem)


def refused(problems: list[Problem]) -> bool:
    return any(problem.rule in ("type", "number") for problem in problems)


@given(st.dictionaries(keys, values, max_size=4), st.sampled_from([RULES, PERMISSIVE]), rows)
def test_any_dict(changes: dict[Any, Any], rules: RuleSet, rows: Any) -> None:
    """It is refused when it could not be sent, and else by no type."""
    invoice = {**INVOICE, "InvoiceRows": rows, **changes}
    problems = check(invoice, rules)
    assert_problems(problems)
    assert_problems(rules.explain(invoice))
    try:
        encode_mapping(invoice, rules.allow_unknown_fields)
    except InvalidInvoice:
        assert refused(problems)
    else:
        assert not refused(problems)


@given(st.dictionaries(st.sampled_from(SalesInvoice.__struct_fields__), values, max_size=4), rows)
def test_any_struct(fields: dict[str, Any], rows: Any) -> None:
    invoice = SalesInvoice(**{"invoice_number": 1, "invoice_rows": rows, **fields})
    problems = check(invoice, RULES)
    assert_problems(problems)
    assert_problems(RULES.explain(invoice))
    try:
        encode(invoice)
    except (InvalidInvoice, TypeError):
        assert refused(problems)
    else:
        assert not any(problem.rule == "type" for problem in problems)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), json_values, max_size=5), json_values)
def test_any_json(changes: dict[str, Any], rows: Any) -> None:
    data = json.dumps({"InvoiceNumber": 1, "InvoiceRows": rows, **changes}).encode()
    for rules in (RULES, PERMISSIVE):
        problems = check(data, rules)
        assert_problems(problems)
        try:
            number_of(data, rules.allow_unknown_fields)
        except InvalidInvoice:
            assert refused(problems)
        else:
            assert not refused(problems)
            assert rules.explain(data) == problems == rules.inspect(data)


@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda data: b'{"SalesName":"%b"}' % data))
def test_any_bytes(data: bytes) -> None:
    for rules in (RULES, PERMISSIVE):
        problems = check(data, rules)
        assert_problems(problems)
        assert refused(problems)
        assert_problems(rules.explain(data))
