"""What rows and invoices add up to, in whole cents."""

from typing import Any

from msgspec import UNSET

from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.models.money import cents
from cashin_async.rules.finding import Finding

_ONE = 100
"""One unit of the currency in cents."""
_MOST_SHOWN = 100
"""Cents of a difference that are told: what rounding, a row off by a few cents or a forgotten one make. A larger one
may be the very amount, where it stands beside zeros."""
_WHOLE = 10_000
"""What hundredths of a percent are parts of: whole numbers, since a product with a float is not exact."""


_Sums = tuple[int, int]
"""Net and tax, in cents."""
_NO_SUMS: _Sums = (0, 0)
"""Of a row of text."""


def check_amounts(invoice: SalesInvoice, found: list[Finding]) -> None:
    net = tax = 0
    all_told, some_told = True, False
    for place, row in enumerate(invoice.invoice_rows or ()):
        told = _check_row(row, place, found)
        if told is None:
            all_told = False
        elif told is not _NO_SUMS:
            some_told = True
            net += told[0]
            tax += told[1]
    _check_sums(invoice, (net, tax) if all_told and some_told else None, found)


def _check_row(row: InvoiceRow, place: int, found: list[Finding]) -> _Sums | None:
    """The net and the tax of a row, if it tells them."""
    nto = _in_cents(row.nto, "sum-row", "Nto", place, found)
    tax = _in_cents(row.tax, "sum-row", "Tax", place, found)
    total = _in_cents(row.total, "sum-row", "Total", place, found)
    rounding = _in_cents(row.round, "sum-row", "Round", place, found) or 0
    if nto is None or tax is None:
        is_text = nto is tax is total is None and not rounding and not row.vat_percent
        return _NO_SUMS if is_text else None
    rate = _in_hundredths(row.vat_percent)
    tax_fits = rate is None or abs(nto * rate - _WHOLE * tax) <= _WHOLE
    off = 0 if total is None else nto + tax + rounding - total
    if tax_fits and not off:
        return nto, tax
    if total in (None, nto + rounding) and _may_hold_its_tax(nto, tax, rate):
        return nto - tax, tax
    if not tax_fits:
        found.append(Finding("sum-row", _path(place, "Tax"), "is more than 0.01 off VatPercent of Nto"))
    if off:
        found.append(Finding("sum-row", _path(place, "Total"), f"Nto + Tax + Round is {_by(off)} than Total"))
    return nto, tax


def _in_hundredths(rate: Any) -> int | None:
    """None also for a rate of more than two decimals: there is none, which is for another rule to tell."""
    return None if rate is None or rate is UNSET else cents(rate)


def _may_hold_its_tax(nto: int, tax: int, rate: int | None) -> bool:
    """Whether `tax` is the tax in `nto`: whether Nto is with or without it is not published."""
    if not rate:
        return rate is None
    return abs(nto * rate - tax * (_WHOLE + rate)) <= _WHOLE + rate


def _check_sums(invoice: SalesInvoice, of_rows: tuple[int, int] | None, found: list[Finding]) -> None:
    net = _in_cents(invoice.net_amount, "sum-invoice", "NetAmount", None, found)
    tax = _in_cents(invoice.tax_amount, "sum-invoice", "TaxAmount", None, found)
    total = _in_cents(invoice.total_amount, "sum-invoice", "TotalAmount", None, found)
    rounding = _in_cents(invoice.round_amount, "sum-invoice", "RoundAmount", None, found)
    discount = _in_cents(invoice.disc_amount, "sum-invoice", "DiscAmount", None, found)
    if rounding and abs(rounding) >= _ONE:
        found.append(Finding("sum-invoice", "RoundAmount", "is 1.00 or more"))
    if net is not None and tax is not None and total is not None and (off := net + tax + (rounding or 0) - total):
        message = f"NetAmount + TaxAmount + RoundAmount is {_by(off)} than TotalAmount"
        found.append(Finding("sum-invoice", "TotalAmount", message))
    if of_rows is None:
        return
    if tax is not None and (off := of_rows[1] - tax):
        rule = "sum-net" if discount else "sum-invoice"  # what it takes off, and from which tax, is not published
        found.append(Finding(rule, "TaxAmount", f"the rows' Tax adds up to {_by(off)} than TaxAmount"))
    if net is not None and net not in (of_rows[0], of_rows[0] - (discount or 0)):
        message = f"the rows' Nto adds up to {_by(of_rows[0] - net)} than NetAmount"
        found.append(Finding("sum-net", "NetAmount", message))


def _in_cents(amount: Any, rule: str, field: str, place: int | None, found: list[Finding]) -> int | None:
    """None when it is not there, or has more than two decimals, which is a finding."""
    if not amount:
        return None if amount is None or amount is UNSET else 0
    in_cents = cents(amount)
    if in_cents is None:
        found.append(Finding(rule, field if place is None else _path(place, field), "has more than two decimals"))
    return in_cents


def _path(place: int, field: str) -> str:
    return f"InvoiceRows[{place}].{field}"


def _by(off: int) -> str:
    """By how much, never how much it is: 0.01 more, over 1.00 less."""
    told = min(abs(off), _MOST_SHOWN)
    by = f"{'over ' if abs(off) > told else ''}{told // _ONE}.{told % _ONE:02}"
    return f"{by} {'more' if off > 0 else 'less'}"
