"""What rows and invoices add up to: to the cent, with tax on the net or in the gross, by floats as by decimals."""

import decimal
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.wire import encode
from cashin_async.rules import check
from tests.rules.invoices import GONE, RULES, found, invoice_with, messages, with_row

Found = list[tuple[str, str | None]]
TAX: Found = [("sum-row", "InvoiceRows[0].Tax")]
TOTAL: Found = [("sum-row", "InvoiceRows[0].Total")]

SUMS = ("NetAmount", "DiscAmount", "RoundAmount", "TaxAmount", "TotalAmount")
SUMS_OF_ROWS = ("Nto", "Tax", "Round", "Total")


def row(rate: Any, nto: Any, tax: Any, total: Any, rounding: Any = GONE) -> dict[str, Any]:
    return with_row(VatPercent=rate, Nto=nto, Tax=tax, Total=total, Round=rounding)


# -- a row


@pytest.mark.parametrize(
    ("rate", "nto", "tax", "total", "rounding"),
    [
        pytest.param(24, 100, 24, 124, GONE, id="net"),
        pytest.param(24, 80.65, 19.35, 100, GONE, id="gross"),
        pytest.param(24, 100, 19.35, 100, GONE, id="the tax is in Nto"),
        pytest.param(24, 99.99, 19.35, 100, 0.01, id="the tax is in Nto, with a cent in Round"),
        pytest.param(25.5, 3, 0.77, 3.77, GONE, id="half up"),
        pytest.param(25.5, 3, 0.76, 3.76, GONE, id="half even, within 0.01"),
        pytest.param(25.5, 0.06, 0.01, 0.07, GONE, id="a price that no net gives"),
        pytest.param(25.5, 0.06, 0.02, 0.07, -0.01, id="with the cent in Round"),
        pytest.param(13.5, 100, 13.5, 113.5, 0, id="a reduced rate"),
        pytest.param(10, 0.05, 0.01, 0.06, GONE, id="cents"),
        pytest.param(24, -100, -24, -124, GONE, id="credited"),
        pytest.param(24, -80.65, -19.35, -100, GONE, id="gross credited"),
        pytest.param(24, -100, -19.35, -100, GONE, id="credited, the tax is in Nto"),
        pytest.param(24, 100, 23.99, 123.99, GONE, id="0.01 less tax"),
        pytest.param(24, 100, 24.01, 124.01, GONE, id="0.01 more tax"),
        pytest.param(24, 100, 19.36, 100, GONE, id="0.01 more of it in Nto"),
        pytest.param(24, 0, 0, 0, 0, id="zero"),
        pytest.param(24, GONE, GONE, GONE, GONE, id="text"),
        pytest.param(24, None, None, None, None, id="text with nulls"),
        pytest.param(24, 100, GONE, GONE, GONE, id="net alone"),
        pytest.param(24, GONE, 24, GONE, GONE, id="tax alone"),
        pytest.param(24, GONE, GONE, 124, GONE, id="total alone"),
        pytest.param(24, None, None, 124, 1, id="total and Round"),
        pytest.param(24, 100, GONE, 124, GONE, id="no tax"),
        pytest.param(24, 100, 24, GONE, GONE, id="no total"),
        pytest.param(24, 100, 24, None, 5, id="no total but Round"),
        pytest.param(GONE, 100, 77, 177, GONE, id="no rate"),
        pytest.param(None, 100, 77, 177, GONE, id="a rate of null"),
        pytest.param(24, 10.0, 2.4, 12.4, GONE, id="one decimal"),
        pytest.param(24, 123456789012.34, 29629629362.96, 153086418375.3, GONE, id="billions"),
        pytest.param(25.5, 1e15, 2.55e14, 1.255e15, GONE, id="10^15"),
        pytest.param(25.5, 999999999999800, 254999999999949, 1254999999999749, GONE, id="fifteen digits"),
        pytest.param(24, 1e30, 24e28, 124e28, GONE, id="10^30"),
    ],
)
def test_right_rows(rate: Any, nto: Any, tax: Any, total: Any, rounding: Any) -> None:
    invoice = row(rate, nto, tax, total, rounding) | {"InvoiceDate": "2024-01-31" if rate == 24 else "2026-02-03"}
    invoice["PaymentTermsCode"] = None
    assert found(invoice) == []


@pytest.mark.parametrize(
    ("rate", "nto", "tax", "total", "rounding", "expected"),
    [
        pytest.param(25.5, 100, 25.5, 125.51, 0, TOTAL, id="a cent more"),
        pytest.param(25.5, 100, 25.5, 125.49, 0, TOTAL, id="a cent less"),
        pytest.param(25.5, 100, 25.5, 125.5, 0.01, TOTAL, id="a cent in Round"),
        pytest.param(25.5, 100, 25.5, 125.5, -0.01, TOTAL, id="a cent out of Round"),
        pytest.param(25.5, 100, 25.5, 0, GONE, TOTAL, id="a total of 0"),
        pytest.param(25.5, 100, 25.52, 125.52, GONE, TAX, id="0.02 more tax"),
        pytest.param(25.5, 100, 25.48, 125.48, GONE, TAX, id="0.02 less tax"),
        pytest.param(25.5, 100, 25.52, GONE, GONE, TAX, id="no total to compare with"),
        pytest.param(25.5, 100, 25.52, 125.5, GONE, [*TAX, *TOTAL], id="both"),
        pytest.param(25.5, 100, -25.5, 74.5, GONE, TAX, id="tax the other way"),
        pytest.param(25.5, -100, 25.5, -74.5, GONE, TAX, id="net the other way"),
        pytest.param(25.5, 100, 0, 100, GONE, TAX, id="no tax"),
        pytest.param(25.5, 0, 25.5, 25.5, GONE, TAX, id="nothing but tax"),
        pytest.param(0, 100, 0.02, 100.02, GONE, TAX, id="tax at 0 %"),
        pytest.param(0, 100, 0.01, 100, GONE, TOTAL, id="0 % is not in Nto"),
        pytest.param(25.5, 100, 20.34, 100, GONE, [*TAX, *TOTAL], id="0.02 more than Nto holds"),
        pytest.param(25.5, 100, 20.3, 100, GONE, [*TAX, *TOTAL], id="0.02 less than Nto holds"),
        pytest.param(25.5, 100, 20.32, 100.01, GONE, [*TAX, *TOTAL], id="the tax is in Nto, but a cent more"),
        pytest.param(25.5, -100, -20.34, -100, GONE, [*TAX, *TOTAL], id="credited"),
        pytest.param(GONE, 100, 77, 178, GONE, TOTAL, id="no rate, and it still adds up to something"),
        pytest.param(25.5, 100.005, 25.5, 125.5, GONE, [("sum-row", "InvoiceRows[0].Nto")], id="decimals of Nto"),
        pytest.param(25.5, 100, 25.505, 125.5, GONE, TAX, id="decimals of Tax"),
        pytest.param(25.5, 100, 25.5, 125.505, GONE, TOTAL, id="decimals of Total"),
        pytest.param(
            25.5, 100, 25.5, 125.5, 0.001, [("sum-row", "InvoiceRows[0].Round")], id="decimals of Round, taken for 0"
        ),
        pytest.param(25.5, 100, 20.32, 120.32, GONE, TAX, id="the tax in Nto, on top of it"),
        pytest.param(25.5, 1e13, 2.55e12, 12550000000000.01, GONE, TOTAL, id="a cent of 10^13"),
        pytest.param(25.5, 1e13, 2549999999999.98, 12549999999999.98, GONE, TAX, id="two cents of tax on 10^13"),
    ],
)
def test_wrong_rows(rate: Any, nto: Any, tax: Any, total: Any, rounding: Any, expected: Found) -> None:
    invoice = row(rate, nto, tax, total, rounding) | {"Description": "AVL 72 a §"}
    assert found(invoice) == expected


def test_what_is_said_of_rows() -> None:
    assert messages(row(25.5, 100, 25.5, 125.49)) == ["Nto + Tax + Round is 0.01 more than Total"]
    assert messages(row(25.5, 100, 25.5, 126.5)) == ["Nto + Tax + Round is 1.00 less than Total"]
    assert messages(row(25.5, 100, 25.5, 126.51)) == ["Nto + Tax + Round is over 1.00 less than Total"]
    assert messages(row(25.5, 100, 25.5, -1e13)) == ["Nto + Tax + Round is over 1.00 more than Total"]
    assert messages(row(25.5, 100, 26.5, 126.5)) == ["is more than 0.01 off VatPercent of Nto"]
    assert messages(row(25.5, 100, 25.505, GONE)) == ["has more than two decimals"]


def test_prices_and_quantities_may_have_more_decimals() -> None:
    assert found(with_row(Price=0.12345, Qty=810.0445, Discount=1.001, DiscountPercent=0.125)) == []


def test_rates_that_hold_more_than_their_tax() -> None:
    """At the edge, exactly 0.01 off, in either reading."""
    assert found(row(25.5, 2, 0.5, 2.5)) == []
    assert found(row(25.5, 2, 0.52, 2.52)) == []
    assert found(row(25.5, 2, 0.49, 2.49)) == TAX
    assert found(row(25.5, 2, 0.53, 2.53)) == TAX
    assert found(row(25.5, 12.55, 2.56, 12.55)) == []
    assert found(row(25.5, 12.55, 2.54, 12.55)) == []
    assert found(row(25.5, 12.55, 2.57, 12.55)) == [*TAX, *TOTAL]
    assert found(row(25.5, 12.55, 2.53, 12.55)) == [*TAX, *TOTAL]


def test_rows_are_told_by_their_place() -> None:
    wrong = {"Nto": 100, "Tax": 25.5, "Total": 125.51}
    rows = [{}, {"Description": "text"}, {"VatPercent": 25.5, **wrong}, {"VatPercent": 10, "Nto": 1, "Tax": 1}]
    changes = {"InvoiceRows": rows, "NetAmount": 201, "TaxAmount": 52, "TotalAmount": 253}
    assert found(invoice_with(changes)) == [("sum-row", "InvoiceRows[2].Total"), ("sum-row", "InvoiceRows[3].Tax")]


# -- an invoice


def of_sums(**changes: Any) -> dict[str, Any]:
    return invoice_with(changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"RoundAmount": 0.49, "TotalAmount": 125.99}, id="rounded up"),
        pytest.param({"RoundAmount": -0.5, "TotalAmount": 125}, id="rounded down"),
        pytest.param({"RoundAmount": 0.99, "TotalAmount": 126.49}, id="0.99 up"),
        pytest.param({"RoundAmount": -0.99, "TotalAmount": 124.51}, id="0.99 down"),
        pytest.param({"RoundAmount": GONE}, id="no RoundAmount"),
        pytest.param({"RoundAmount": None, "DiscAmount": None}, id="nulls"),
        pytest.param({"NetAmount": GONE, "TotalAmount": 7}, id="no NetAmount"),
        pytest.param({"TaxAmount": GONE, "TotalAmount": 7}, id="no TaxAmount"),
        pytest.param({"TotalAmount": GONE}, id="no TotalAmount"),
        pytest.param({"TotalAmount": None}, id="a TotalAmount of null"),
        pytest.param(dict.fromkeys(SUMS, GONE), id="no sums"),
        pytest.param(dict.fromkeys(SUMS), id="sums of null"),
        pytest.param({"InvoiceRows": GONE, "NetAmount": 1, "TaxAmount": 2, "TotalAmount": 3}, id="no rows"),
        pytest.param({"InvoiceRows": None, "NetAmount": 1, "TaxAmount": 2, "TotalAmount": 3}, id="rows of null"),
        pytest.param({"InvoiceRows": [], "NetAmount": 1, "TaxAmount": 2, "TotalAmount": 3}, id="an empty list"),
        pytest.param({"DiscAmount": 10, "NetAmount": 90, "TotalAmount": 115.5}, id="a discount taken off"),
        pytest.param({"DiscAmount": 10}, id="a discount that was taken off before"),
        pytest.param({"InvoiceRows": [{"Nto": GONE}], "NetAmount": 7, "TotalAmount": 32.5}, id="a row without Nto"),
        pytest.param({"InvoiceRows": [{"Tax": None}], "TaxAmount": 7, "TotalAmount": 107}, id="a row without Tax"),
    ],
)
def test_right_sums(changes: dict[str, Any]) -> None:
    assert found(of_sums(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"TotalAmount": 125.49}, [("sum-invoice", "TotalAmount")], id="a cent less"),
        pytest.param({"TotalAmount": 125.51}, [("sum-invoice", "TotalAmount")], id="a cent more"),
        pytest.param({"TotalAmount": 0}, [("sum-invoice", "TotalAmount")], id="nothing"),
        pytest.param({"RoundAmount": 0.01}, [("sum-invoice", "TotalAmount")], id="a cent in RoundAmount"),
        pytest.param(
            {"RoundAmount": 1, "TotalAmount": 126.5}, [("sum-invoice", "RoundAmount")], id="a whole euro of rounding"
        ),
        pytest.param(
            {"RoundAmount": -1, "TotalAmount": 124.5}, [("sum-invoice", "RoundAmount")], id="a whole euro less"
        ),
        pytest.param(
            {"TaxAmount": 25.51, "TotalAmount": 125.51}, [("sum-invoice", "TaxAmount")], id="another tax than the rows'"
        ),
        pytest.param({"TaxAmount": 0, "TotalAmount": 100}, [("sum-invoice", "TaxAmount")], id="no tax"),
        pytest.param({"NetAmount": 99.99, "TotalAmount": 125.49}, [("sum-net", "NetAmount")], id="a cent of net"),
        pytest.param({"NetAmount": 0, "TotalAmount": 25.5}, [("sum-net", "NetAmount")], id="a net of 0"),
        pytest.param(
            {"DiscAmount": 10, "NetAmount": 110, "TotalAmount": 135.5},
            [("sum-net", "NetAmount")],
            id="a discount put on",
        ),
        pytest.param(
            {"DiscAmount": 10, "NetAmount": 90.01, "TotalAmount": 115.51},
            [("sum-net", "NetAmount")],
            id="a discount but for a cent",
        ),
        pytest.param({"NetAmount": 100.001}, [("sum-invoice", "NetAmount")], id="decimals of NetAmount"),
        pytest.param({"TaxAmount": 25.505}, [("sum-invoice", "TaxAmount")], id="decimals of TaxAmount"),
        pytest.param({"TotalAmount": 125.505}, [("sum-invoice", "TotalAmount")], id="decimals of TotalAmount"),
        pytest.param({"RoundAmount": 0.001}, [("sum-invoice", "RoundAmount")], id="decimals of RoundAmount"),
        pytest.param({"DiscAmount": 0.001}, [("sum-invoice", "DiscAmount")], id="decimals of DiscAmount"),
        pytest.param(
            {"InvoiceRows": [{"Nto": 100.001}], "NetAmount": 7, "TotalAmount": 32.5},
            [("sum-row", "InvoiceRows[0].Nto")],
            id="a row that cannot be counted in cents",
        ),
    ],
)
def test_wrong_sums(changes: dict[str, Any], expected: Found) -> None:
    assert found(of_sums(**changes)) == expected


def test_what_is_said_of_sums() -> None:
    assert messages(of_sums(TotalAmount=125.49)) == [
        "NetAmount + TaxAmount + RoundAmount is 0.01 more than TotalAmount"
    ]
    assert messages(of_sums(TaxAmount=125.5, TotalAmount=225.5)) == [
        "the rows' Tax adds up to over 1.00 less than TaxAmount"
    ]
    assert messages(of_sums(NetAmount=90, TotalAmount=115.5)) == [
        "the rows' Nto adds up to over 1.00 more than NetAmount"
    ]
    assert messages(of_sums(RoundAmount=1, TotalAmount=126.5)) == ["is 1.00 or more"]


@pytest.mark.parametrize(
    "invoice",
    [
        {"NetAmount": 0, "TaxAmount": 0, "TotalAmount": 77345.77},
        {"NetAmount": 77345.77, "TaxAmount": 0, "TotalAmount": 0},
        {"NetAmount": 0, "TaxAmount": 77345.77, "InvoiceRows": [{"VatPercent": 0, "Nto": 0, "Tax": 0, "Total": 0}]},
        {"NetAmount": 0, "InvoiceRows": [{"VatPercent": 0, "Nto": 77345.77, "Tax": 0, "Total": 77345.77}]},
        {"InvoiceRows": [{"VatPercent": 0, "Nto": 0, "Tax": 0, "Total": 77345.77}]},
    ],
    ids=str,
)
def test_a_difference_from_nothing_is_not_told(invoice: dict[str, Any]) -> None:
    told = messages(invoice)
    assert told
    assert not [message for message in told if "7734" in message or "77,3" in message]


def test_all_rows_count() -> None:
    rows = [
        {},
        {"Description": "text", "Text": "text"},
        {"VatPercent": 10, "Nto": 10, "Tax": 1, "Total": 11},
        {"VatPercent": 25.5, "Nto": -1, "Tax": -0.26, "Total": -1.26},
    ]
    right = {"InvoiceRows": rows, "NetAmount": 109, "TaxAmount": 26.24, "TotalAmount": 135.24}
    assert found(invoice_with(right)) == []
    short = right | {"NetAmount": 110, "TaxAmount": 26.5, "TotalAmount": 136.5}
    assert found(invoice_with(short)) == [("sum-invoice", "TaxAmount"), ("sum-net", "NetAmount")]


def test_a_row_that_does_not_tell_its_sums_leaves_the_invoices_alone() -> None:
    rows = [{}, {"VatPercent": 10, "Total": 11}]
    changes = {"InvoiceRows": rows, "NetAmount": 110, "TaxAmount": 26.5, "TotalAmount": 136.5}
    assert found(invoice_with(changes)) == []


def test_three_small_rows_by_row_and_by_group() -> None:
    """0.33 at 25.5 %: 0.24 by row; 0.25 by group is another sum than the rows'."""
    rows = [{"VatPercent": 25.5, "Nto": 0.33, "Tax": 0.08, "Round": 0, "Total": 0.41}] * 3
    by_row = {"InvoiceRows": rows, "NetAmount": 0.99, "TaxAmount": 0.24, "TotalAmount": 1.23}
    assert found(invoice_with(by_row)) == []
    by_group = by_row | {"TaxAmount": 0.25, "TotalAmount": 1.24}
    assert found(invoice_with(by_group)) == [("sum-invoice", "TaxAmount")]


def test_rows_that_hold_their_tax_add_up_without_it() -> None:
    rows = [{"VatPercent": 25.5, "Nto": 125.5, "Tax": 25.5, "Total": 125.5}] * 2
    changes: dict[str, Any] = {"InvoiceRows": rows, "NetAmount": 200, "TaxAmount": 51, "TotalAmount": 251}
    assert found(invoice_with(changes)) == []
    assert found(invoice_with(changes | {"NetAmount": 251, "TotalAmount": 302})) == [("sum-net", "NetAmount")]


# -- however the amounts are given

cents = st.integers(-(10**7), 10**7).map(lambda whole: Decimal(whole).scaleb(-2))
near = st.sampled_from(["0", "0.01", "-0.01", "0.02", "1", "0.001"]).map(Decimal)
rates = st.sampled_from(["0", "10", "13.5", "14", "24", "25.5", "19"]).map(Decimal)


@st.composite
def invoices_of_cents(draw: st.DrawFn) -> SalesInvoice:
    """Right, or nearly so."""
    rows, nets, taxes = [], Decimal(0), Decimal(0)
    for rate, nto in draw(st.lists(st.tuples(rates, cents), max_size=3)):
        tax, rounding = round(nto * rate / 100, 2) + draw(near), draw(st.sampled_from([Decimal(0), Decimal("0.01")]))
        total = nto + tax + rounding + draw(near)
        rows.append(InvoiceRow(vat_percent=rate, nto=nto, tax=tax, round=rounding, total=total))
        nets, taxes = nets + nto, taxes + tax
    return SalesInvoice(
        invoice_number=1,
        net_amount=nets + draw(near),
        tax_amount=taxes + draw(near),
        round_amount=draw(near),
        total_amount=nets + taxes + draw(near),
        invoice_rows=rows,
    )


@given(invoices_of_cents())
def test_decimals_and_floats_give_the_same(invoice: SalesInvoice) -> None:
    """And so do the checks themselves, when they are given the decimals."""
    problems = check(invoice, RULES)
    assert check(encode(invoice), RULES) == problems
    assert check(msgspec.to_builtins(invoice), RULES) == problems
    assert RULES._judge(invoice, lambda: invoice) == problems


@pytest.mark.parametrize("traps", [[], [decimal.Inexact], [decimal.FloatOperation]])
def test_the_callers_decimal_context_changes_nothing(traps: list[Any]) -> None:
    row = InvoiceRow(
        vat_percent=Decimal("25.5"), nto=Decimal("1234567.88"), tax=Decimal("314814.81"), total=Decimal("1549382.69")
    )
    invoice = SalesInvoice(
        invoice_number=1,
        net_amount=row.nto,
        tax_amount=row.tax,
        total_amount=row.total,
        invoice_rows=[row],
    )
    with decimal.localcontext(decimal.Context(prec=3, traps=traps)):
        assert check(invoice, RULES) == check(encode(invoice), RULES) == []
        assert RULES._judge(invoice, lambda: invoice) == []


@given(st.dictionaries(st.sampled_from(SUMS), st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_any_floats_are_judged(sums: dict[str, float | None]) -> None:
    data = json.dumps({"InvoiceNumber": 1, **sums}).encode()
    assert check(data) == RULES.explain(data)


@given(st.dictionaries(st.sampled_from(SUMS_OF_ROWS), st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_any_floats_of_rows_are_judged(sums: dict[str, float | None]) -> None:
    data = json.dumps({"InvoiceNumber": 1, "InvoiceRows": [{"VatPercent": 25.5, **sums}]}).encode()
    assert check(data) == RULES.explain(data)


TAX_AMOUNT: Found = [("sum-invoice", "TaxAmount")]

# -- what an unpublished convention may mean is no error


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"InvoiceRows": [{"Nto": 125.5, "Total": GONE}]}, []),
        ({"InvoiceRows": [{"Nto": 125.5, "Total": None}]}, []),
        ({"InvoiceRows": [{"Nto": 125.5, "Total": 125.5, "VatPercent": GONE}]}, []),
        (
            {"InvoiceRows": [{"Nto": 125.5, "Total": 125.51, "VatPercent": GONE}]},
            [("sum-row", "InvoiceRows[0].Total"), ("sum-net", "NetAmount")],
        ),
        ({"InvoiceRows": [{"Nto": GONE, "Tax": GONE, "Total": GONE, "Round": GONE}]}, []),
        (
            {"InvoiceRows": [dict.fromkeys(("Nto", "Tax", "Total", "Round", "VatPercent", "Price", "Qty"), GONE)]},
            [],
        ),
        ({"InvoiceRows": [{}, {"Text": "toimitettu 3.2."}]}, []),
        ({"InvoiceRows": [{}, {"VatPercent": 25.5, "Price": 10}]}, []),
        ({"InvoiceRows": [{}, {"Nto": 0, "Tax": 0, "Total": 0}], "TaxAmount": 25.4, "RoundAmount": 0.1}, TAX_AMOUNT),
        ({"DiscAmount": 10, "NetAmount": 90, "TaxAmount": 22.95, "TotalAmount": 112.95}, [("sum-net", "TaxAmount")]),
    ],
)
def test_what_a_convention_may_mean(changes: dict[str, Any], expected: Found) -> None:
    assert found(invoice_with(changes)) == expected
