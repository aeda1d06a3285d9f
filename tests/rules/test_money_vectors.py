"""Every vector about VAT and interest: what was published, or computed by the rules that were."""

import json
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.money import half_up, tax_in_gross, tax_of_net
from cashin_async.rules.terms import REFERENCE_RATES, consumer_interest_limit, due_date
from cashin_async.rules.vat import EVER_IN_FORCE, in_force, vat_rates

DATA = Path(__file__).parents[1] / "data"
VECTORS = json.loads((DATA / "rule_vectors.json").read_text(encoding="utf-8"))["vectors"]
PUBLISHED: dict[str, Any] = json.loads(
    (DATA / "published_invoice.json").read_text(encoding="utf-8"), parse_float=Decimal
)[0]


def of_kind(kind: str, count: int) -> pytest.MarkDecorator:
    """`given` and `expected` of each vector of a kind; there are so many."""
    vectors = [vector for vector in VECTORS if vector["kind"] == kind]
    assert len(vectors) == count
    cases = [pytest.param(vector["input"], vector["expect"], id=named(vector["input"]) or kind) for vector in vectors]
    return pytest.mark.parametrize(("given", "expected"), cases)


def named(given: Any) -> str:
    return "-".join(map(str, given.values())) if isinstance(given, dict) else ""


@of_kind("vat_rate_on_date", 8)
def test_a_rate_on_a_day(given: dict[str, str], expected: dict[str, bool]) -> None:
    day = date.fromisoformat(given["supply_date"])
    assert in_force(Decimal(given["rate"]), day) is expected["in_force"]
    assert in_force(float(given["rate"]), day) is expected["in_force"]


@of_kind("vat_rates_fi", 1)
def test_the_table_of_rates(given: None, expected: list[dict[str, str]]) -> None:
    for rates in expected:
        table = tuple(Decimal(rates[name]) for name in ("standard", "reduced1", "reduced2"))
        assert vat_rates(date.fromisoformat(rates["from"])) == table
        assert set(table) <= EVER_IN_FORCE


@of_kind("vat_rounding", 8)
def test_tax_is_rounded_half_up(given: dict[str, str], expected: dict[str, str]) -> None:
    net, rate = Decimal(given["net"]), Decimal(given["rate"])
    assert tax_of_net(net, rate) == Decimal(expected["half_up"])
    assert tax_of_net(-net, rate) == -Decimal(expected["half_up"])
    assert half_up(net * rate / 100) == Decimal(expected["half_up"])
    row = InvoiceRow.from_net(net, rate)
    assert (row.nto, row.tax) == (net, Decimal(expected["half_up"]))


@of_kind("vat_rounding", 8)
def test_what_others_would_make_of_it(given: dict[str, str], expected: dict[str, str]) -> None:
    """The wrong columns are what Decimal's default and a float give: where they differ, ours is neither."""
    half_even = (Decimal(given["net"]) * Decimal(given["rate"]) / 100).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    of_floats = round(float(given["net"]) * float(given["rate"]) / 100, 2)
    assert half_even == Decimal(expected["half_even_WRONG"])
    assert of_floats == float(expected["float_round"])


def test_the_vectors_tell_the_three_apart() -> None:
    columns = [vector["expect"] for vector in VECTORS if vector["kind"] == "vat_rounding"]
    assert sum(column["half_up"] != column["half_even_WRONG"] for column in columns) == 4
    assert sum(column["half_up"] != column["float_round"] for column in columns) == 4


@of_kind("interest_reference_rate", 5)
def test_reference_rates(given: dict[str, str], expected: dict[str, str]) -> None:
    start = date.fromisoformat(given["half_year_from"])
    end = date(start.year, 6, 30) if start.month == 1 else date(start.year, 12, 31)
    assert REFERENCE_RATES[start] == Decimal(expected["reference"])
    assert consumer_interest_limit(start) == consumer_interest_limit(end) == Decimal(expected["statutory"])


@of_kind("vat_line_vs_group", 2)
def test_rows_are_rounded_one_by_one(given: dict[str, str], expected: dict[str, str]) -> None:
    count, net = given["rows"].split(" x ")
    rows = [InvoiceRow.from_net(net, given["rate"]) for _ in range(int(count))]
    invoice = SalesInvoice(invoice_rows=rows).with_totals()
    assert invoice.tax_amount == Decimal(expected["sum_of_row_vat"])
    assert isinstance(invoice.net_amount, Decimal)
    assert tax_of_net(invoice.net_amount, Decimal(given["rate"])) == Decimal(expected["vat_of_sum"])


@of_kind("vat_from_gross", 2)
def test_tax_is_taken_from_a_gross_price(given: dict[str, str], expected: dict[str, str]) -> None:
    gross, rate = Decimal(given["gross"]), Decimal(given["rate"])
    net, tax = Decimal(expected["net"]), Decimal(expected["tax"])
    assert tax_in_gross(gross, rate) == tax
    row = InvoiceRow.from_gross(gross, rate)
    assert [row.nto, row.tax, row.round, row.total] == [net, tax, 0, gross]
    assert net + tax_of_net(net, rate) == Decimal(expected["net_plus_vat_of_net"]) != gross


@of_kind("example_consistency", 1)
def test_the_published_example(given: str, expected: dict[str, Any]) -> None:
    """What holds in it and what does not: it is neither a net nor a gross invoice, and no builder makes such a one."""
    row = PUBLISHED["InvoiceRows"][0]
    net, tax, rounded, total = (PUBLISHED[name] for name in ("NetAmount", "TaxAmount", "RoundAmount", "TotalAmount"))
    rate = Decimal(row["VatPercent"])
    holds = [
        net + tax + rounded == total,
        row["Total"] == total,
        row["Tax"] == tax,
        row["Qty"] * row["Price"] - row["Discount"] == row["Nto"],
        row["Tax"] == tax_of_net(Decimal(row["Nto"]), rate),
    ]
    fails = [
        row["Nto"] + row["Tax"] + row["Round"] == row["Total"],
        row["Nto"] == net,
        tax == tax_of_net(Decimal(net), rate),
        tax == tax_in_gross(Decimal(total), rate),
    ]
    assert holds == [True] * len(expected["holds"])
    assert fails == [False] * len(fails)
    assert (len(PUBLISHED) - 1, len(row)) == (expected["header_keys_excluding_rows"], expected["row_keys"])
    assert list(PUBLISHED.values()).count(None) == expected["null_headers"]
    issued, due = date.fromisoformat(PUBLISHED["InvoiceDate"]), date.fromisoformat(PUBLISHED["DueDate"])
    assert due_date(issued, PUBLISHED["PaymentTermsCode"]) == date(2022, 2, 3) != due
    made = InvoiceRow.from_gross(row["Price"], rate, quantity=row["Qty"])
    assert made.tax == tax_in_gross(Decimal(total), rate) == Decimal("19.35")


def repaired(row: InvoiceRow) -> dict[str, str]:
    """The example's amounts, as its one row says."""
    invoice = SalesInvoice(invoice_rows=[row]).with_totals()
    header = {"NetAmount": invoice.net_amount, "TaxAmount": invoice.tax_amount, "TotalAmount": invoice.total_amount}
    amounts = {"Nto": row.nto, "Tax": row.tax, "Total": row.total} | header
    return {name: f"{amount:.2f}" for name, amount in amounts.items()}


@of_kind("example_repaired_net", 1)
def test_the_example_from_its_net_price(given: dict[str, int], expected: dict[str, str]) -> None:
    assert repaired(InvoiceRow.from_net(given["Price"], given["VatPercent"], quantity=given["Qty"])) == expected


@of_kind("example_repaired_gross", 1)
def test_the_example_from_its_gross_price(given: dict[str, int], expected: dict[str, str]) -> None:
    assert repaired(InvoiceRow.from_gross(given["Price"], given["VatPercent"], quantity=given["Qty"])) == expected
