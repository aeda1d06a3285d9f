"""VAT: rates that were never in force, rates that were not on the day of supply, and 0 % without a reason."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.rules.finding import Finding
from cashin_async.rules.tax import check_vat
from tests.rules.invoices import GONE, found, messages, with_row

Found = list[tuple[str, str | None]]
FIELD = "InvoiceRows[0].VatPercent"
DATE: Found = [("vat-date", FIELD)]
RATE: Found = [("vat-rate", FIELD)]
REASON: Found = [("vat-reason", FIELD)]
NO_SUMS = dict.fromkeys(("Nto", "Tax", "Total", "Round"), GONE)


def of_rate(rate: Any, **changes: Any) -> dict[str, Any]:
    """An invoice without other dates than these, and without sums."""
    dates = {name: changes.pop(name, None) for name in ("InvoiceDate", "DueDate")}
    return with_row(VatPercent=rate, **{**NO_SUMS, **changes}) | dates


@pytest.mark.parametrize("rate", [5, 6, 8, 9, 10, 12, 13, 13.5, 14, 17, 22, 23, 24, 25.5, GONE, None])
def test_rates_that_were_in_force_at_some_time(rate: Any) -> None:
    assert found(of_rate(rate)) == []


@pytest.mark.parametrize("rate", [19, 25, 20, 7, 25.4, 25.51, 25.555, 0.255, 2550, -24, 1, 0.01, 1e30])
def test_rates_that_never_were(rate: float) -> None:
    invoice = of_rate(rate, InvoiceDate="2026-02-03", DeliveryDate="2022-01-01")
    assert found(invoice) == RATE
    assert messages(invoice) == ["was never a rate in Finland"]


@pytest.mark.parametrize(
    ("rate", "day", "expected"),
    [
        (22, "2010-06-30", []),
        (22, "2010-07-01", DATE),
        (23, "2010-06-30", DATE),
        (23, "2010-07-01", []),
        (23, "2012-12-31", []),
        (23, "2013-01-01", DATE),
        (24, "2012-12-31", DATE),
        (24, "2013-01-01", []),
        (24, "2024-08-31", []),
        (24, "2024-09-01", DATE),
        (25.5, "2024-08-31", DATE),
        (25.5, "2024-09-01", []),
        (25.5, "2040-01-01", []),
        (14, "2025-12-31", []),
        (14, "2026-01-01", DATE),
        (13.5, "2025-12-31", DATE),
        (13.5, "2026-01-01", []),
        (10, "2013-01-01", []),
        (10, "2026-01-01", []),
        (10, "2012-12-31", DATE),
        (17, "2009-09-30", []),
        (17, "2009-10-01", DATE),
        (24, "1997-12-31", []),
        (25.5, "1994-01-01", []),
    ],
)
def test_rates_on_the_day_of_supply(rate: float, day: str, expected: Found) -> None:
    """Whichever field says it; before 1998 nothing is said."""
    for name in ("DeliveryDate", "EndDate", "InvoiceDate"):
        assert found(of_rate(rate, **{name: day})) == expected
        assert messages(of_rate(rate, **{name: day})) == [f"was not in force on {name}"] * len(expected)


OLD, NEW = "2024-08-31", "2024-09-01"


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"DeliveryDate": NEW, "EndDate": OLD, "InvoiceDate": OLD}, []),
        ({"DeliveryDate": OLD, "EndDate": NEW, "InvoiceDate": NEW}, DATE),
        ({"EndDate": NEW, "InvoiceDate": OLD}, []),
        ({"EndDate": OLD, "InvoiceDate": NEW}, DATE),
        ({"DeliveryDate": None, "EndDate": None, "InvoiceDate": NEW}, []),
        ({"StartDate": OLD, "InvoiceDate": NEW}, []),
        ({}, []),
        ({"DueDate": OLD}, []),
    ],
)
def test_which_day_is_the_day_of_supply(dates: dict[str, Any], expected: Found) -> None:
    assert found(of_rate(25.5, **dates)) == expected


@pytest.mark.parametrize(
    ("rate", "start", "end", "more", "expected"),
    [
        pytest.param(25.5, "2024-08-15", "2024-09-14", {}, DATE, id="across a change"),
        pytest.param(25.5, "2024-08-31", "2024-09-01", {}, DATE, id="the shortest across a change"),
        pytest.param(25.5, "2024-09-01", "2024-09-30", {}, [], id="from the day of the change"),
        pytest.param(24, "2024-08-01", "2024-08-31", {}, [], id="up to the day before it"),
        pytest.param(24, "2024-08-01", "2024-09-30", {"DeliveryDate": OLD}, DATE, id="delivered before the change"),
        pytest.param(10, "2024-08-15", "2026-02-14", {}, [], id="a rate that did not change"),
        pytest.param(14, "2024-08-15", "2025-02-14", {}, [], id="across changes of other rates"),
        pytest.param(14, "2025-12-15", "2026-01-14", {"DeliveryDate": "2025-12-31"}, DATE, id="a reduced rate"),
        pytest.param(13.5, "2025-12-15", "2026-01-14", {}, DATE, id="the reduced rate after it"),
        pytest.param(25.5, "2024-08-15", None, {}, [], id="no end"),
        pytest.param(25.5, None, "2024-09-14", {}, [], id="no start"),
        pytest.param(25.5, "2024-09-14", "2024-08-15", {"DeliveryDate": NEW}, [], id="the wrong way round"),
        pytest.param(22, "1997-12-15", "1998-01-14", {}, [], id="from before the table"),
        pytest.param(0, "2024-08-15", "2024-09-14", {}, [], id="0 %"),
    ],
)
def test_periods(rate: float, start: Any, end: Any, more: dict[str, Any], expected: Found) -> None:
    assert found(of_rate(rate, StartDate=start, EndDate=end, **more)) == expected


def test_what_is_said_of_periods() -> None:
    assert messages(of_rate(25.5, StartDate="2024-08-15", EndDate="2024-09-14")) == [
        "was in force for a part of StartDate to EndDate only: one row for each rate"
    ]
    assert messages(of_rate(24, StartDate="2024-08-15", EndDate="2024-09-14")) == ["was not in force on EndDate"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, REASON),
        ({"Text": None}, REASON),
        ({"Text": ""}, REASON),
        ({"Text": "AVL 72 a §"}, []),
        ({"Text": 72}, []),
        ({"Description": "Kuukausimaksu"}, REASON),
        ({"Nto": 0, "Total": 0}, []),
        ({"Nto": None, "Total": None}, []),
        ({"Nto": -100, "Total": -100}, REASON),
    ],
)
def test_no_tax_needs_a_reason(changes: dict[str, Any], expected: Found) -> None:
    """The row's own Description names the goods."""
    sums: dict[str, Any] = {"Nto": 100, "Tax": 0, "Total": 100}
    invoice = with_row(**{"VatPercent": 0, "Text": GONE, **sums, **changes})
    assert found(invoice) == expected
    assert messages(invoice) == ["is 0, and neither Text nor Description says why"] * len(expected)
    assert found({**invoice, "Description": "Yhteisömyynti"}) == []
    assert found({**invoice, "Description": ""}) == expected


def test_every_row_is_looked_at() -> None:
    rows = [{"VatPercent": rate, "DeliveryDate": "2026-02-03"} for rate in (25.5, 19, None, 24)]
    invoice = {**of_rate(25.5), "InvoiceRows": [*rows, {}]}
    assert found(invoice) == [
        ("vat-rate", "InvoiceRows[1].VatPercent"),
        ("vat-date", "InvoiceRows[3].VatPercent"),
    ]


@pytest.mark.parametrize("rate", ["25.5", "25.50", "24", "13.5", "10", "0", "-0", "19", "25.51"])
def test_decimals_and_floats_give_the_same(rate: str) -> None:
    def finds(rate: Any) -> list[Finding]:
        found: list[Finding] = []
        row = InvoiceRow(vat_percent=rate, nto=Decimal(1))
        check_vat(SalesInvoice(invoice_date=date(2026, 2, 3), invoice_rows=[row]), found)
        return found

    assert finds(float(rate)) == finds(Decimal(rate))
