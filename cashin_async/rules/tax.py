"""VAT: which rates there are, when they were in force, and what 0 % asks for."""

from bisect import bisect_right
from datetime import date
from typing import Any

from msgspec import UNSET

from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.rules.finding import Finding
from cashin_async.rules.vat import CHANGES, EVER_IN_FORCE, in_force


def check_vat(invoice: SalesInvoice, found: list[Finding]) -> None:
    for place, row in enumerate(invoice.invoice_rows or ()):
        rate: Any = row.vat_percent
        if rate is None or rate is UNSET:
            continue
        path = f"InvoiceRows[{place}].VatPercent"
        if not rate:
            if row.nto and not row.text and not invoice.description:
                found.append(Finding("vat-reason", path, "is 0, and neither Text nor Description says why"))
        elif rate not in EVER_IN_FORCE:
            found.append(Finding("vat-rate", path, "was never a rate in Finland"))
        elif problem := _problem_of_date(rate, row, invoice):
            found.append(Finding("vat-date", path, problem))


def _problem_of_date(rate: Any, row: InvoiceRow, invoice: SalesInvoice) -> str | None:
    supplied, field = _supply(row, invoice)
    if supplied and in_force(rate, supplied) is False:
        return f"was not in force on {field}"
    start, end = row.start_date, row.end_date
    if start and end and bisect_right(CHANGES, start) < bisect_right(CHANGES, end):  # a change is in between
        return _problem_of_period(rate, start, end)
    return None


def _supply(row: InvoiceRow, invoice: SalesInvoice) -> tuple[Any, str]:
    """The day of supply, and the field that says it."""
    if row.delivery_date:
        return row.delivery_date, "DeliveryDate"
    return (row.end_date, "EndDate") if row.end_date else (invoice.invoice_date, "InvoiceDate")


def _problem_of_period(rate: Any, start: date, end: date) -> str | None:
    if in_force(rate, start) is not False and in_force(rate, end) is not False:
        return None
    return "was in force for a part of StartDate to EndDate only: one row for each rate"
