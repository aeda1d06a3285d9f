"""When an invoice is to be paid, what it costs to be late, and what it credits."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import UNSET

from cashin_async.models.invoice import SalesInvoice
from cashin_async.rules.finding import Finding
from cashin_async.rules.party import is_business, is_consumer
from cashin_async.rules.terms import half_year

CONSUMER_DAYS = 14
BUSINESS_DAYS = 30


def check_dates(invoice: SalesInvoice, found: list[Finding]) -> None:
    issued, due = invoice.invoice_date, invoice.due_date
    if not issued or not due:
        return
    days = (due - issued).days
    if days < 0:
        found.append(Finding("due-before-issued", "DueDate", "is before InvoiceDate"))
        return
    code = invoice.payment_terms_code
    if type(code) is int and code != days:
        found.append(Finding("payment-terms", "PaymentTermsCode", f"DueDate is {_days(days)} after InvoiceDate"))
    if days < CONSUMER_DAYS:
        if is_consumer(invoice):
            found.append(Finding("consumer-terms", "DueDate", f"{_days(days)} to pay, a consumer has {CONSUMER_DAYS}"))
    elif days > BUSINESS_DAYS and is_business(invoice) and not is_consumer(invoice):
        message = f"{_days(days)} to pay: more than {BUSINESS_DAYS} are to be agreed upon expressly"
        found.append(Finding("business-terms", "DueDate", message))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def check_interest(
    invoice: SalesInvoice, found: list[Finding], *, limits: Mapping[tuple[int, bool], Decimal | None]
) -> None:
    """`limits`: what a consumer can be held to, by `half_year`."""
    interest, when = invoice.interest_number, invoice.due_date or invoice.invoice_date
    if not interest or not when or not is_consumer(invoice):
        return
    limit = limits.get(half_year(when))
    if limit is not None and float(interest) > float(limit):
        found.append(Finding("consumer-interest", "InterestNumber", f"is above {limit} %, a consumer's limit then"))


def check_credit_note(invoice: SalesInvoice, found: list[Finding]) -> None:
    total = invoice.total_amount
    if total is None or total is UNSET or total >= 0 or invoice.credited_invoice_information:
        return
    found.append(Finding("credit-note", "CreditedInvoiceInformation", "is missing, while TotalAmount is below 0"))
