"""Rows from prices, totals from rows, bar codes and credit notes from invoices."""

from copy import deepcopy
from datetime import date, datetime
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import asdict

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.wire import encode
from cashin_async.rules import check
from cashin_async.rules.barcode import parse_bank_barcode
from cashin_async.rules.builders import bank_barcode, credit_note
from cashin_async.rules.reference import problem_of_reference
from cashin_async.rules.vat import EVER_IN_FORCE

IBAN = "FI3715903000000776"
PUBLISHED_BARCODE = "479440520200360820048831500000000868516259619897100612"
"""Test invoice 1 of Finance Finland's Bank Bar Code Guide."""
CENT = Decimal("0.01")
BOTH = pytest.mark.parametrize("build", [InvoiceRow.from_net, InvoiceRow.from_gross], ids=["net", "gross"])

prices = st.decimals(min_value=-(10**7), max_value=10**7, places=6) | st.integers(0, 10**6)
quantities = st.decimals(min_value=-1000, max_value=1000, places=3) | st.integers(-10, 10)
rates = st.sampled_from(sorted(map(str, EVER_IN_FORCE - {0})))
discounts: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict),
    st.fixed_dictionaries({"discount": st.decimals(min_value=-100, max_value=100, places=2)}),
    st.fixed_dictionaries({"discount_percent": st.decimals(min_value=0, max_value=100, places=2)}),
)


def amounts(row: InvoiceRow) -> list[Decimal]:
    """Nto, Tax, Round, Total."""
    found = [amount for amount in (row.nto, row.tax, row.round, row.total) if isinstance(amount, Decimal)]
    assert len(found) == 4
    return found


def texts(*numbers: object) -> list[str]:
    return [str(number) for number in numbers]


@st.composite
def rows(draw: st.DrawFn) -> InvoiceRow:
    build = InvoiceRow.from_gross if draw(st.booleans()) else InvoiceRow.from_net
    return build(draw(prices), draw(rates), quantity=draw(quantities), **draw(discounts))


# -- rows


@given(rows())
def test_a_row_adds_up(row: InvoiceRow) -> None:
    nto, tax, rounded, total = amounts(row)
    assert nto + tax + rounded == total
    assert isinstance(row.vat_percent, Decimal)
    assert abs(tax - row.vat_percent * nto / 100) <= CENT
    assert all(amount % CENT == 0 for amount in amounts(row))
    assert not any(amount.is_signed() and not amount for amount in amounts(row))
    assert rounded == 0


@given(prices, quantities, discounts, rates, st.booleans())
def test_the_rows_sum_is_the_price_times_the_quantity_less_the_discount(
    price: Decimal, quantity: Decimal, discount: dict[str, Any], rate: str, gross: bool
) -> None:
    row = (InvoiceRow.from_gross if gross else InvoiceRow.from_net)(price, rate, quantity=quantity, **discount)
    full = Fraction(price) * Fraction(quantity)
    exact = full - Fraction(discount.get("discount", 0)) - full * Fraction(discount.get("discount_percent", 0)) / 100
    asked = row.total if gross else row.nto
    assert isinstance(asked, Decimal)
    assert abs(Fraction(asked) - exact) <= Fraction(1, 200)
    assert [row.price, row.qty, row.vat_percent] == [price, quantity, Decimal(rate)]
    assert row.discount == discount.get("discount", 0)
    assert row.discount_percent == discount.get("discount_percent", 0)


@BOTH
def test_a_row_travels_as_numbers(build: Any) -> None:
    row = build("19.90", "25.5", quantity=2, description="Huoltotyö", unit="h", delivery_date=date(2026, 2, 1))
    sent = encode(SalesInvoice(invoice_number=1, invoice_rows=[row]))
    assert b'"Qty":2,"Price":19.90,"Discount":0,' in sent
    assert b'"DiscountPercent":0,"Unit":"h"' in sent
    assert row.text is UNSET


def test_from_net() -> None:
    row = InvoiceRow.from_net("3.3333", "25.5", quantity="3", discount="1.00")
    assert texts(*amounts(row)) == ["9.00", "2.30", "0", "11.30"]
    assert texts(row.qty, row.price, row.vat_percent) == ["3", "3.3333", "25.5"]
    assert texts(row.discount, row.discount_percent) == ["1.00", "0"]


def test_from_gross() -> None:
    row = InvoiceRow.from_gross(Decimal("10.05"), 24, quantity=-2, discount_percent="12.5")
    assert texts(*amounts(row)) == ["-14.19", "-3.40", "0", "-17.59"]
    assert texts(row.discount, row.discount_percent) == ["0", "12.5"]


def test_a_gross_price_that_no_net_gives() -> None:
    """Rules: 20 % of gross prices at 25.5 % have no net of two decimals."""
    gross = [Decimal(cents).scaleb(-2) for cents in range(1, 1256)]
    from_nets = {InvoiceRow.from_net(net, "25.5").total for net in gross}
    assert sum(price not in from_nets for price in gross) == 255
    assert all(InvoiceRow.from_gross(price, "25.5").total == price for price in gross)


@BOTH
def test_a_row_needs_no_context(build: Any) -> None:
    with localcontext(Context(prec=1, Emax=1, Emin=-1)):
        row = build("123456.789", "25.5", quantity=3)
    usual = build("123456.789", "25.5", quantity=3)
    assert amounts(row) == amounts(usual)
    assert sum(amounts(usual)[:3]) == usual.total


@BOTH
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_no_vat_needs_a_reason(build: Any, reason: str | None) -> None:
    with pytest.raises(ValueError, match="0 % VAT needs a vat_reason"):
        build(100, 0, vat_reason=reason, description="Vienti")


@BOTH
def test_the_reason_is_the_rows_text(build: Any) -> None:
    row = build(100, "0.0", vat_reason="AVL 72 a §")
    assert row.text == "AVL 72 a §"
    assert amounts(row) == [100, 0, 0, 100]
    assert build(100, 24, vat_reason="margin scheme").text == "margin scheme"
    assert build(100, 24, text="for May").text == "for May"
    with pytest.raises(TypeError, match="text"):
        build(100, 0, vat_reason="AVL 72 a §", text="for May")


@BOTH
@pytest.mark.parametrize("name", ["price", "vat_percent", "quantity", "discount", "discount_percent"])
def test_a_float_is_refused_by_name(build: Any, name: str) -> None:
    given: dict[str, Any] = {"price": 100, "vat_percent": 24} | {name: 0.5}
    with pytest.raises(TypeError, match=f"^{name} is a float: give Decimal, int or str$"):
        build(**given)
    with pytest.raises(ValueError, match=f"^{name} is not a finite number$"):
        build(**given | {name: "NaN"})


@BOTH
@pytest.mark.parametrize("name", ["qty", "nto", "tax", "round", "total", "colour"])
def test_a_field_that_is_computed_or_unknown_is_refused(build: Any, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        build(100, 24, **{name: Decimal(1)})


@BOTH
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"discount": 1, "discount_percent": 1}, "give discount or discount_percent, not both"),
        ({"discount": 0, "discount_percent": 0}, "give discount or discount_percent, not both"),
        ({"discount": "0.001"}, "discount has more than two decimals"),
        ({"discount_percent": "100.01"}, "discount_percent is not between 0 and 100"),
        ({"discount_percent": "-0.01"}, "discount_percent is not between 0 and 100"),
        ({"vat_percent": "-24"}, "the VAT rate is below 0"),
        ({"price": "9" * 34, "quantity": "9" * 34}, "amount has more than 34 digits"),
    ],
    ids=str,
)
def test_what_makes_no_row(build: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**{"price": 100, "vat_percent": 24} | given)


@BOTH
def test_discounts_end_at_all_of_it(build: Any) -> None:
    assert amounts(build(100, 24, discount_percent=100)) == [0, 0, 0, 0]
    assert amounts(build(100, 24, discount_percent=0)) == amounts(build(100, 24))


# -- totals


@given(st.lists(rows(), min_size=1, max_size=5))
def test_totals_are_the_sums_of_the_rows(made: list[InvoiceRow]) -> None:
    invoice = SalesInvoice(invoice_number=7, disc_amount=Decimal(3), invoice_rows=made)
    before = deepcopy(asdict(invoice))
    with_totals = invoice.with_totals()
    sums = [sum(column) for column in zip(*map(amounts, made), strict=True)]
    assert sums == [with_totals.net_amount, with_totals.tax_amount, with_totals.round_amount, with_totals.total_amount]
    assert asdict(invoice) == before
    changed = {name for name, value in asdict(with_totals).items() if value != before[name]}
    assert changed == {"net_amount", "tax_amount", "round_amount", "total_amount"}


def test_totals_need_no_context_and_replace_what_was_there() -> None:
    row = InvoiceRow(nto=Decimal("123456.78"), tax=1, round=Decimal("-0.02"), total="123457.76")  # type: ignore[arg-type]
    with localcontext(Context(prec=2)):
        invoice = SalesInvoice(total_amount=Decimal(5), invoice_rows=[row, row]).with_totals()
    assert texts(invoice.net_amount, invoice.tax_amount) == ["246913.56", "2"]
    assert texts(invoice.round_amount, invoice.total_amount) == ["-0.04", "246915.52"]


def test_a_row_of_text_has_no_amounts() -> None:
    made = [InvoiceRow(description="For May"), InvoiceRow.from_net(1, 24), InvoiceRow(nto=None, tax=None)]
    invoice = SalesInvoice(invoice_rows=made).with_totals()
    assert (invoice.total_amount, invoice.invoice_rows) == (Decimal("1.24"), made)


@pytest.mark.parametrize("none", [UNSET, None, [], [InvoiceRow()]], ids=str)
def test_no_totals_without_rows(none: Any) -> None:
    with pytest.raises(ValueError, match=r"^InvoiceRows: there is no row with amounts$"):
        SalesInvoice(invoice_rows=none).with_totals()


def test_a_row_may_lack_its_rounding() -> None:
    row = InvoiceRow(nto=Decimal(100), tax=Decimal("25.5"), total=Decimal("125.5"))
    assert SalesInvoice(invoice_rows=[row]).with_totals().total_amount == Decimal("125.5")


def test_a_net_that_holds_the_tax_is_taken_without_it() -> None:
    row = InvoiceRow(
        vat_percent=Decimal("25.5"), nto=Decimal(100), tax=Decimal("20.32"), round=Decimal(0), total=Decimal(100)
    )
    invoice = SalesInvoice(invoice_number=1, invoice_date=date(2026, 2, 3), invoice_rows=[row, row]).with_totals()
    assert (invoice.net_amount, invoice.tax_amount, invoice.total_amount) == (
        Decimal("159.36"),
        Decimal("40.64"),
        Decimal(200),
    )
    assert check(invoice) == []


@pytest.mark.parametrize("name", ["nto", "tax", "total"])
@pytest.mark.parametrize("missing", [UNSET, None], ids=str)
def test_what_a_row_lacks_is_named(name: str, missing: Any) -> None:
    lacking = InvoiceRow(**dict.fromkeys(("nto", "tax", "round", "total"), Decimal(0)) | {name: missing})
    with pytest.raises(ValueError, match=rf"^InvoiceRows\[1\]\.{name.capitalize()} is missing$"):
        SalesInvoice(invoice_rows=[InvoiceRow.from_net(1, 24), lacking]).with_totals()


def test_a_float_in_a_row_is_named() -> None:
    row = InvoiceRow(nto=0.1, tax=Decimal(0), round=Decimal(0), total=Decimal(0))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^InvoiceRows\[0\]\.Nto is a float"):
        SalesInvoice(invoice_rows=[row]).with_totals()


# -- bar codes


def invoice(**fields: Any) -> SalesInvoice:
    given: dict[str, Any] = {"reference": "86851 62596 19897", "total_amount": Decimal("4883.15")}
    return SalesInvoice(**given | {"due_date": date(2010, 6, 12), "currency": "EUR"} | fields)


def test_the_guides_bar_code() -> None:
    assert bank_barcode(invoice(), "FI79 4405 2020 0360 82") == PUBLISHED_BARCODE
    assert bank_barcode(invoice(currency=UNSET), "FI7944052020036082") == PUBLISHED_BARCODE
    assert bank_barcode(invoice(currency=None), "FI7944052020036082") == PUBLISHED_BARCODE


def test_a_bar_code_of_version_5() -> None:
    made = bank_barcode(invoice(reference="RF09 8685 1625 9619 897"), "FI79 4405 2020 0360 82")
    assert made == "579440520200360820048831509000000868516259619897100612"


@pytest.mark.parametrize("unset", [UNSET, None], ids=str)
def test_no_amount_and_no_date(unset: Any) -> None:
    barcode = parse_bank_barcode(bank_barcode(invoice(total_amount=unset, due_date=unset), IBAN))
    assert (barcode.iban, barcode.cents, barcode.due) == (IBAN, None, None)


def test_the_largest_amount() -> None:
    assert parse_bank_barcode(bank_barcode(invoice(total_amount=Decimal("999999.99")), IBAN)).cents == 99_999_999


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reference": UNSET}, "Reference is missing"),
        ({"reference": None}, "Reference is missing"),
        ({"reference": ""}, "Reference is missing"),
        ({"reference": "2516000017"}, "check digit"),
        ({"currency": "SEK"}, "Currency is not EUR"),
        ({"currency": ""}, "Currency is not EUR"),
        ({"total_amount": Decimal("0.001")}, "TotalAmount has more than two decimals"),
        ({"total_amount": Decimal("-0.01")}, "negative"),
        ({"total_amount": Decimal(1_000_000)}, "above 999,999.99"),
    ],
    ids=str,
)
def test_what_has_no_bar_code(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bank_barcode(invoice(**fields), IBAN)


# -- credit notes


def sold() -> SalesInvoice:
    """Every field that a credit note treats in a way of its own, and some that it keeps."""
    made = [
        InvoiceRow.from_net("100.00", 24, quantity=3, discount="10.00", description="Työ", unit="h"),
        InvoiceRow.from_gross("9.99", 14, discount_percent=5, delivery_date=date(2024, 7, 31)),
        InvoiceRow.from_net(1, 24, start_date=date(2024, 8, 1), end_date=date(2024, 8, 15)),
        InvoiceRow(description="Kiitos"),
    ]
    return SalesInvoice(
        invoice_number=251600002,
        invoice_date=date(2024, 8, 20),
        due_date=date(2024, 9, 3),
        payment_terms_code=14,
        reference="2516000013",
        disc_amount=Decimal("10.00"),
        interest_type="V",
        interest_number=Decimal("11.5"),
        auto_advancement=1,
        virtual_bank_barcode="4" * 54,
        invoice_copy_url="https://example.com/1.pdf",
        issue_date=datetime(2024, 8, 20, 12, 0),
        invoice_type="I",
        currency="EUR",
        sales_customer_code="C-1",
        invoice_rows=made,
    ).with_totals()


def test_a_credit_note() -> None:
    original = sold()
    before = deepcopy(asdict(original))
    note = credit_note(original, number=251600003, issued=date(2026, 2, 3))
    expected = before | {
        "invoice_number": 251600003,
        "invoice_date": date(2026, 2, 3),
        "reference": "2516000039",
        "credited_invoice_information": "251600002",
        "net_amount": -before["net_amount"],
        "disc_amount": Decimal("-10.00"),
        "round_amount": 0,
        "tax_amount": -before["tax_amount"],
        "total_amount": -before["total_amount"],
    }
    for unset in ("due_date", "payment_terms_code", "virtual_bank_barcode", "invoice_copy_url", "interest_type"):
        expected[unset] = UNSET
    expected |= dict.fromkeys(("interest_number", "auto_advancement", "issue_date"), UNSET)
    assert asdict(note) | {"invoice_rows": None} == expected | {"invoice_rows": None}
    assert asdict(original) == before
    assert problem_of_reference("2516000039") is None
    assert note.with_totals() == note


def test_the_rows_of_a_credit_note() -> None:
    original = sold()
    note = credit_note(original)
    assert isinstance(original.invoice_rows, list)
    assert isinstance(note.invoice_rows, list)
    assert len(note.invoice_rows) == 4
    for row, credited in zip(original.invoice_rows[:3], note.invoice_rows, strict=False):
        kept = asdict(credited).keys() - {"qty", "discount", "nto", "tax", "round", "total", "delivery_date"}
        assert all(getattr(row, name) == getattr(credited, name) for name in kept)
        assert amounts(credited) == [-amount for amount in amounts(row)]
        assert (row.qty, row.discount) == (-credited.qty, -credited.discount)  # type: ignore[operator]
        assert not any(str(amount).startswith("-0") and not amount for amount in amounts(credited))
    days = [row.delivery_date for row in note.invoice_rows]
    assert days == [date(2024, 8, 20), date(2024, 7, 31), UNSET, date(2024, 8, 20)]
    assert note.invoice_rows[3] == InvoiceRow(description="Kiitos", delivery_date=date(2024, 8, 20))
    assert all(row is not copy for row, copy in zip(original.invoice_rows, note.invoice_rows, strict=True))


def test_what_is_not_given_is_not_made_up() -> None:
    note = credit_note(sold())
    assert note.invoice_number is note.invoice_date is note.reference is UNSET
    assert note.credited_invoice_information == "251600002"


def test_the_caller_has_the_last_word() -> None:
    note = credit_note(sold(), number=5, due_date=date(2026, 3, 1), reference="13", invoice_type="C")
    assert (note.invoice_number, note.due_date, note.reference, note.invoice_type) == (5, date(2026, 3, 1), "13", "C")
    with pytest.raises(TypeError, match="colour"):
        credit_note(sold(), colour="red")


@pytest.mark.parametrize("missing", [UNSET, None], ids=str)
def test_a_credit_note_names_what_it_credits(missing: Any) -> None:
    with pytest.raises(ValueError, match="InvoiceNumber is missing"):
        credit_note(SalesInvoice(invoice_number=missing))


def test_a_number_that_no_reference_is_made_of() -> None:
    with pytest.raises(ValueError, match="positive"):
        credit_note(sold(), number=0)


@pytest.mark.parametrize("missing", [UNSET, None, []], ids=str)
def test_a_credit_note_of_little(missing: Any) -> None:
    """What is unset or null stays so."""
    note = credit_note(SalesInvoice(invoice_number=1, invoice_rows=missing, total_amount=None))
    assert (note.invoice_rows, note.total_amount, note.net_amount) == (missing, None, UNSET)


def test_a_credit_note_of_what_has_no_date_and_no_decimals() -> None:
    """A struct does not look at what it is built of; what goes out is looked at."""
    row = InvoiceRow(qty=2, nto=0.0, tax=0.5, total=None)  # type: ignore[arg-type]
    note = credit_note(SalesInvoice(invoice_number=1, invoice_rows=[row]))
    assert isinstance(note.invoice_rows, list)
    credited = note.invoice_rows[0]
    assert texts(credited.qty, credited.nto, credited.tax, credited.total) == ["-2", "0.0", "-0.5", "None"]
    assert credited.delivery_date is UNSET


@given(rows())
def test_a_credit_note_of_a_credit_note_takes_nothing_back(row: InvoiceRow) -> None:
    original = SalesInvoice(invoice_number=1, invoice_date=date(2026, 1, 2), invoice_rows=[row]).with_totals()
    once = credit_note(original, number=2)
    twice = credit_note(once, number=1, issued=date(2026, 1, 2))
    assert (original.total_amount, original.tax_amount) == (twice.total_amount, twice.tax_amount)
    assert isinstance(twice.invoice_rows, list)
    assert amounts(twice.invoice_rows[0]) == amounts(row)
    assert once.with_totals() == once


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": None}, "^Reference is missing"),
        ({"currency": "SEK"}, "^Currency is not EUR"),
        ({"total_amount": Decimal("0.001")}, "^TotalAmount has more than two decimals$"),
        ({"total_amount": "125,5"}, "^TotalAmount is not a decimal number$"),
    ],
)
def test_why_there_is_no_bar_code(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "invoice_number": 1,
        "reference": "1232",
        "currency": "EUR",
        "total_amount": Decimal(1),
    } | changes
    with pytest.raises(ValueError, match=message) as raised:
        bank_barcode(SalesInvoice(**fields), "FI3715903000000776")
    assert "125" not in str(raised.value)


def test_a_float_total_has_a_bar_code_too() -> None:
    invoice = SalesInvoice(reference="1232", total_amount=125.5)  # type: ignore[arg-type]
    assert parse_bank_barcode(bank_barcode(invoice, "FI3715903000000776")).cents == 12550


def test_why_there_is_no_credit_note() -> None:
    with pytest.raises(ValueError, match=r"^InvoiceNumber is missing"):
        credit_note(of=SalesInvoice())
