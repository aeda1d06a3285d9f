"""What a payment goes by: the number, the reference, the bar code, the accounts."""

from functools import lru_cache

from msgspec import UNSET

from cashin_async.errors import InvalidInvoice
from cashin_async.models.invoice import SalesInvoice
from cashin_async.models.money import cents
from cashin_async.models.wire import valid_number
from cashin_async.rules.account import looks_like_iban, luhn_holds, problem_of_iban
from cashin_async.rules.barcode import BankBarcode, parse_bank_barcode, problem_of_rf
from cashin_async.rules.finding import Finding
from cashin_async.rules.reference import digits_of, problem_of_reference

MOST_CENTS = 99_999_999
"""What a bar code has room for: 999,999.99 euros."""

_LONGEST_IBAN = 34
_SHORTEST = 4  # digits of a reference: a bar code does not tell how many zeros it begins with

_LUHN = "the account's own check digit is wrong: published accounts exist where it is"


def check_number(invoice: SalesInvoice, found: list[Finding]) -> None:
    try:
        valid_number(invoice.invoice_number)
    except InvalidInvoice as error:
        found.append(Finding("number", "InvoiceNumber", error.reason.removeprefix("InvoiceNumber ")))


def check_reference(invoice: SalesInvoice, found: list[Finding]) -> None:
    reference = invoice.reference
    if not reference:
        return
    if problem := problem_of_reference(reference):
        found.append(Finding("reference", "Reference", problem))
    if " " in reference:
        found.append(Finding("reference-spaces", "Reference", "has spaces, which are for print"))


def check_barcode(invoice: SalesInvoice, found: list[Finding], *, iban: str | None) -> None:
    """`iban`: the creditor's, valid and without spaces, when it is known."""
    written = invoice.virtual_bank_barcode
    if not written:
        return
    try:
        barcode = parse_bank_barcode(str(written))
    except ValueError as error:
        found.append(Finding("barcode", "VirtualBankBarcode", str(error)))
        return
    problems = (_amount(barcode, invoice), _reference(barcode, invoice), _due_date(barcode, invoice))
    found += [Finding("barcode", "VirtualBankBarcode", problem) for problem in problems if problem]
    _check_account("VirtualBankBarcode", barcode.iban, found)
    if iban is not None and barcode.iban != iban:
        found.append(Finding("barcode-account", "VirtualBankBarcode", "its account is not the creditor's"))


def _amount(barcode: BankBarcode, invoice: SalesInvoice) -> str | None:
    if invoice.total_amount is None or invoice.total_amount is UNSET:
        return None
    total = cents(invoice.total_amount)
    if barcode.cents is not None and total is not None and total > MOST_CENTS:
        return "there is none above 999,999.99 euros: it is left out"
    return None if barcode.cents in (None, total) else "its amount is not TotalAmount"


def _reference(barcode: BankBarcode, invoice: SalesInvoice) -> str | None:
    if problem := problem_of_rf(barcode):
        return problem
    if not invoice.reference:
        problem = problem_of_reference(barcode.reference.zfill(_SHORTEST)) if barcode.reference else None
        return f"the reference in it: {problem}" if problem else None
    digits = digits_of(invoice.reference)
    return None if digits is None or digits == barcode.reference else "its reference is not Reference"


def _due_date(barcode: BankBarcode, invoice: SalesInvoice) -> str | None:
    if barcode.due is None or not invoice.due_date or barcode.due == invoice.due_date:
        return None
    return "its due date is not DueDate"


def check_accounts(invoice: SalesInvoice, found: list[Finding]) -> None:
    if invoice.finvoice_account or invoice.finvoice_ovt:
        for field, text in (("FinvoiceAccount", invoice.finvoice_account), ("FinvoiceOVT", invoice.finvoice_ovt)):
            if isinstance(text, str) and looks_like_iban(text):
                _check_account(field, text, found)


def _check_account(field: str, iban: str, found: list[Finding]) -> None:
    problem = _problem_of_account(iban) if len(iban) <= _LONGEST_IBAN else ("iban", "the account is too long for one")
    if problem:
        rule, message = problem
        found.append(Finding(rule, field, message))


@lru_cache(1000)  # the creditor's account stands in every bar code
def _problem_of_account(iban: str) -> tuple[str, str] | None:
    if problem := problem_of_iban(iban):
        return "iban", f"the account {problem}"
    return None if luhn_holds(iban) else ("account-luhn", _LUHN)
