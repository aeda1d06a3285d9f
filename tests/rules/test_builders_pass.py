"""Whatever the builders make passes every rule: as a struct, and as the JSON that travels."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.wire import encode
from cashin_async.rules import RuleSet, bank_barcode, check, credit_note, due_date, reference_for, rf_reference
from cashin_async.rules.terms import consumer_interest_limit
from cashin_async.rules.vat import vat_rates

IBAN = "FI3715903000000776"
RULES = RuleSet(iban=IBAN)
LARGEST_IN_A_BARCODE = Decimal("999999.99")

days = st.dates(date(2000, 1, 1), date(2040, 1, 1))
prices = st.one_of(
    st.decimals(min_value=0, max_value=1000, places=2),
    st.decimals(min_value=-100, max_value=10**7, places=6),
    st.integers(1, 200).map(lambda odd: 2 * odd + 1),  # half a cent of tax at 25.5 and 13.5 %
)
quantities = st.just(1) | st.integers(-10, 1000) | st.decimals(min_value=-10, max_value=1000, places=3)
discounts: st.SearchStrategy[dict[str, Decimal]] = st.one_of(
    st.builds(dict),
    st.fixed_dictionaries({"discount": st.decimals(min_value=0, max_value=50, places=2)}),
    st.fixed_dictionaries({"discount_percent": st.decimals(min_value=0, max_value=100, places=2)}),
)


@st.composite
def rows(draw: st.DrawFn, issued: date) -> InvoiceRow:
    """With a rate of the day of supply, which is up to two years before the invoice."""
    supplied = draw(st.none() | st.integers(0, 730).map(lambda before: issued - timedelta(days=before)))
    rate = draw(st.sampled_from([Decimal(0), *vat_rates(supplied or issued)]))
    given: dict[str, Any] = dict(draw(discounts))
    if not rate:
        given |= {"vat_reason": "AVL 72 a §"}
    if supplied:
        given |= {draw(st.sampled_from(["delivery_date", "end_date"])): supplied}
    build = InvoiceRow.from_gross if draw(st.booleans()) else InvoiceRow.from_net
    return build(draw(prices), rate, quantity=draw(quantities), **given)


@st.composite
def invoices(draw: st.DrawFn) -> SalesInvoice:
    number, issued = draw(st.integers(1, 10**18)), draw(days)
    of_consumer = draw(st.booleans())
    terms = draw(st.integers(14, 60) if of_consumer else st.integers(0, 30))
    reference = reference_for(number)
    invoice = SalesInvoice(
        invoice_number=number,
        invoice_date=issued,
        due_date=due_date(issued, terms),
        payment_terms_code=terms,
        currency="EUR",
        reference=draw(st.sampled_from([reference, rf_reference(reference)])),
        finvoice_specification="B2C" if of_consumer else "B2B",
        invoice_rows=draw(st.lists(rows(issued), min_size=1, max_size=4)),
    ).with_totals()
    assert isinstance(invoice.total_amount, Decimal)
    if invoice.total_amount < 0:
        return replace(invoice, credited_invoice_information="1")
    limit = consumer_interest_limit(due_date(issued, terms))
    barcode = bank_barcode(invoice, IBAN) if invoice.total_amount <= LARGEST_IN_A_BARCODE else UNSET
    return replace(invoice, virtual_bank_barcode=barcode, interest_number=UNSET if limit is None else limit)


def assert_right(invoice: SalesInvoice) -> None:
    assert check(invoice, RULES) == []
    assert check(encode(invoice), RULES) == []


@given(invoices())
def test_an_invoice_that_was_built_passes(invoice: SalesInvoice) -> None:
    assert_right(invoice)


@given(invoices(), st.integers(0, 3650))
def test_its_credit_note_passes(invoice: SalesInvoice, later: int) -> None:
    assert isinstance(invoice.invoice_number, int)
    assert isinstance(invoice.invoice_date, date)
    note = credit_note(invoice, number=invoice.invoice_number + 1, issued=invoice.invoice_date + timedelta(days=later))
    assert_right(note)
    assert_right(note.with_totals())


def test_the_rules_would_tell() -> None:
    """An empty list above says something: one cent, one digit, one day are found."""
    issued = date(2026, 2, 3)
    row = InvoiceRow.from_net(100, "25.5")
    right = SalesInvoice(
        invoice_number=251600001,
        invoice_date=issued,
        due_date=due_date(issued, 14),
        payment_terms_code=14,
        reference=reference_for(251600001),
        invoice_rows=[row],
    ).with_totals()
    right = replace(right, virtual_bank_barcode=bank_barcode(right, IBAN))
    assert_right(right)
    off = Decimal("0.01")
    spoiled: list[tuple[str, dict[str, Any]]] = [
        ("sum-invoice", {"total_amount": right.total_amount + off}),  # type: ignore[operator]
        ("sum-row", {"invoice_rows": [replace(row, total=row.total + off)]}),  # type: ignore[operator]
        ("vat-rate", {"invoice_rows": [replace(row, vat_percent=Decimal(19))]}),
        ("reference", {"reference": "2516000017"}),
        ("barcode", {"due_date": due_date(issued, 15)}),
    ]
    for rule, changes in spoiled:
        assert rule in {problem.rule for problem in check(replace(right, **changes), RULES)}
