"""Parts of an invoice that follow from it: its bank bar code, its credit note."""

from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from cashin_async.models.invoice import Day, InvoiceRow, Number, SalesInvoice
from cashin_async.models.money import cents, exact, negated
from cashin_async.rules.barcode import make_bank_barcode
from cashin_async.rules.reference import reference_for

_NEGATED = ("net_amount", "disc_amount", "round_amount", "tax_amount", "total_amount")
_NEGATED_OF_ROWS = ("qty", "discount", "nto", "tax", "round", "total")
"""Price and percentages stay: quantity × price less discount is the row's sum again."""

_THE_CALLERS = (
    "due_date",
    "payment_terms_code",
    "virtual_bank_barcode",
    "invoice_copy_url",
    "interest_type",
    "interest_number",
    "auto_advancement",
    "issue_date",
)
"""They decide what happens to a debtor, or are of the invoice that is credited alone: the caller gives them."""


def bank_barcode(invoice: SalesInvoice, iban: str) -> str:
    """The 54 digits for VirtualBankBarcode: the creditor's account, the invoice's Reference, TotalAmount and DueDate.

    Without TotalAmount it says no amount, without DueDate no date. Raises ValueError for an invoice without Reference,
    one in another currency than EUR, an amount that is negative, above 999,999.99 or of more than two decimals, and
    whatever `make_bank_barcode` refuses: then the field is left out.
    """
    if not invoice.reference:
        raise ValueError("Reference is missing: a bank bar code has one")
    if invoice.currency not in (UNSET, None, "EUR"):
        raise ValueError("Currency is not EUR: a bank bar code is in euros")
    due = invoice.due_date
    return make_bank_barcode(
        iban=iban,
        cents=_cents_of(invoice.total_amount),
        reference=invoice.reference,
        due=due if isinstance(due, date) else None,
    )


def _cents_of(amount: Number) -> int | None:
    if amount is None or amount is UNSET:
        return None
    whole = cents(amount if isinstance(amount, float) else exact(amount, "TotalAmount"))
    if whole is None:
        raise ValueError("TotalAmount has more than two decimals")
    return whole


def credit_note(
    of: SalesInvoice, *, number: int | None = None, issued: date | None = None, **fields: Any
) -> SalesInvoice:
    """An invoice that takes all of another one back; that one is not changed.

    Its quantities, discounts and amounts are negated, prices and percentages are kept, and it names what it credits.
    InvoiceNumber and the Reference made of it are set when `number` is given (an invoice needs one before it is sent),
    InvoiceDate when `issued` is. A row keeps its day of supply, and with it its VAT rate: one without DeliveryDate and
    EndDate gets the InvoiceDate of the invoice that is credited.

    Unset are DueDate, PaymentTermsCode, VirtualBankBarcode, InvoiceCopyUrl, InterestType, InterestNumber,
    AutoAdvancement and IssueDate. InvoiceType stays, since its codes are not published. `fields` are set last, by
    their Python names.

    Raises ValueError when `of` has no InvoiceNumber, or no reference can be made of `number`; TypeError for a field
    that is unknown.
    """
    if of.invoice_number is None or of.invoice_number is UNSET:
        raise ValueError("InvoiceNumber is missing: a credit note names what it credits")
    rows = of.invoice_rows
    changes: dict[str, Any] = {
        **_the_other_way(of, _NEGATED),
        **dict.fromkeys(_THE_CALLERS, UNSET),
        "credited_invoice_information": str(of.invoice_number),
        "invoice_number": UNSET if number is None else number,
        "reference": UNSET if number is None else reference_for(number),
        "invoice_date": UNSET if issued is None else issued,
        "invoice_rows": [_credited(row, of.invoice_date) for row in rows] if rows else rows,
    }
    return replace(of, **(changes | fields))


def _credited(row: InvoiceRow, supplied: Day) -> InvoiceRow:
    changes = _the_other_way(row, _NEGATED_OF_ROWS)
    if supplied and not row.delivery_date and not row.end_date:
        changes["delivery_date"] = supplied
    return replace(row, **changes)


def _the_other_way(struct: SalesInvoice | InvoiceRow, names: tuple[str, ...]) -> dict[str, Any]:
    amounts = {name: getattr(struct, name) for name in names}
    return {name: _negated(amount) for name, amount in amounts.items() if amount is not None and amount is not UNSET}


def _negated(amount: Decimal | int | float) -> Decimal | int | float:
    return negated(amount) if isinstance(amount, Decimal) else 0 - amount  # 0 - 0.0 is 0.0, -0.0 travels as such
