"""Made-up invoices that are correct: for demos, benchmarks and tests, never for a debtor.

Correct means: a reference with its check digit (7-3-1), sums exact to the cent with tax rounded half up,
a VAT rate in force on the date of supply, a due date that is the terms after the invoice date, consumer
terms of at least 14 days (Act 385/2015). Names, streets and addresses are invented, mail goes to
example.com (RFC 2606), and no e-invoice address is given. `AutoAdvancement` and interest are left out:
they decide what happens to a debtor.
"""

import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import msgspec

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.wire import encode

FIRST_NUMBER = 251_600_001
FIRST_DAY = date(2025, 11, 1)
DAYS = 120
"""The invoice dates lie on both sides of 2026-01-01, when 14 % became 13.5 %."""

_TERMS = (14, 21, 30)
_PEOPLE = (
    ("Maija Meikäläinen", "maija.meikalainen@example.com"),
    ("Matti Meikäläinen", "matti.meikalainen@example.com"),
    ("Essi Esimerkki", "essi.esimerkki@example.com"),
    ("Teppo Testaaja", "teppo.testaaja@example.com"),
    ("Kalle Kuvitelma", "kalle.kuvitelma@example.com"),
    ("Liisa Lainen-Malli", "liisa.lainen-malli@example.com"),
)
_STREETS = ("Esimerkkikatu", "Mallitie", "Testikuja", "Kuvitelmanpolku")
_TOWNS = (("00100", "HELSINKI"), ("20100", "TURKU"), ("33100", "TAMPERE"), ("65100", "VAASA"), ("90100", "OULU"))
_PRODUCTS = (
    ("Kuukausimaksu", "kpl", 1999, "standard"),
    ("Asennus", "h", 6300, "standard"),
    ("Huoltokäynti", "kpl", 8950, "standard"),
    ("Tietokirja", "kpl", 2735, "reduced"),
    ("Bussilippu", "kpl", 330, "reduced"),
    ("Säilytyslaatikko", "kpl", 700, "standard"),
)
"""Description, unit, net price in cents, kind of rate."""

_NIL = Decimal(0)


class _Line(NamedTuple):
    """One row's amounts, computed once for each product, quantity and rate."""

    description: str
    unit: str
    quantity: Decimal
    price: Decimal
    rate: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal
    net_cents: int
    tax_cents: int


def sample_invoices(count: int, start: int = FIRST_NUMBER, seed: int = 0) -> Iterator[SalesInvoice]:
    """`count` invoices numbered from `start`; the same ones for the same arguments, on every machine."""
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing depends on its secrecy
    for number in range(start, start + count):
        yield sample_invoice(number, rng)


def sample_invoice(number: int, rng: random.Random) -> SalesInvoice:
    """One invoice to a consumer, with one to three rows. `number` has at most 19 digits, as references do."""
    name, mail = rng.choice(_PEOPLE)
    street = f"{rng.choice(_STREETS)} {rng.randint(1, 99)}"
    postal_code, city = rng.choice(_TOWNS)
    issued, terms = rng.randrange(DAYS), rng.choice(_TERMS)
    invoice_date = _day(issued)
    lines = [rng.choice(_lines(invoice_date.year)) for _ in range(rng.randint(1, 3))]
    net = sum(line.net_cents for line in lines)
    tax = sum(line.tax_cents for line in lines)
    return SalesInvoice(
        invoice_number=number,
        status="H",
        invoice_date=invoice_date,
        due_date=_day(issued + terms),
        payment_terms_code=terms,
        invoice_language="FI",
        currency="EUR",
        net_amount=_euros(net),
        disc_amount=_NIL,
        round_amount=_NIL,
        tax_amount=_euros(tax),
        total_amount=_euros(net + tax),
        reference=_reference(number),
        sales_name=name,
        sales_street_address=street,
        sales_postal_code=postal_code,
        sales_city=city,
        sales_country="FI",
        sales_type="H",
        sales_customer_code=str(number % 10_000),
        sales_email=mail,
        invoice_type="I",
        finvoice_specification="B2C",
        billing_name1=name,
        billing_street_addr1=street,
        billing_postal_code=postal_code,
        billing_city=city,
        billing_country="FI",
        billing_email_address=mail,
        invoice_rows=[_row(line, invoice_date) for line in lines],
    )


def bad_lines(start: int = FIRST_NUMBER) -> list[bytes]:
    """JSON Lines, each broken in its own way: cut short, no object, an unknown field, a wrong type, no number."""
    whole = [encode(invoice) for invoice in sample_invoices(3, start)]
    unknown, wrong, missing = (json.loads(line) for line in whole)
    unknown["InvoiceNr"] = unknown["InvoiceNumber"]
    wrong["TotalAmount"] = "one hundred"
    del missing["InvoiceNumber"]
    objects: list[Any] = [[start], unknown, wrong, missing]
    return [whole[0][: len(whole[0]) // 2], *map(msgspec.json.encode, objects)]


def _row(line: _Line, supplied: date) -> InvoiceRow:
    return InvoiceRow(
        description=line.description,
        vat_percent=line.rate,
        qty=line.quantity,
        price=line.price,
        discount=_NIL,
        nto=line.net,
        tax=line.tax,
        round=_NIL,
        total=line.total,
        type="I",
        discount_percent=_NIL,
        unit=line.unit,
        vat_type="N",
        currency="EUR",
        delivery_date=supplied,
    )


@cache
def _lines(year: int) -> tuple[_Line, ...]:
    return tuple(_line(*product, quantity, year) for product in _PRODUCTS for quantity in (1, 2, 3))


def _line(description: str, unit: str, price: int, kind: str, quantity: int, year: int) -> _Line:
    """Amounts in whole cents; the tax is rounded half up (EN 16931)."""
    permille = _permille(kind, year)
    net = price * quantity
    tax = (net * permille + 500) // 1000
    rate = Decimal(permille) / 10
    return _Line(
        description, unit, Decimal(quantity), _euros(price), rate, _euros(net), _euros(tax), _euros(net + tax), net, tax
    )


def _permille(kind: str, year: int) -> int:
    """25.5 % since 2024-09-01; 14 % became 13.5 % on 2026-01-01 (bills HE 61/2024, HE 141/2024, HE 93/2025)."""
    if kind == "standard":
        return 255
    return 140 if year < 2026 else 135


@cache
def _day(offset: int) -> date:
    return FIRST_DAY + timedelta(days=offset)


def _euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _reference(number: int) -> str:
    """The number and its check digit: weights 7, 3, 1 from the right complete the sum to the next ten."""
    digits = f"{number:03d}"
    backwards = digits[::-1]
    weighed = 7 * sum(map(int, backwards[0::3])) + 3 * sum(map(int, backwards[1::3])) + sum(map(int, backwards[2::3]))
    return f"{digits}{-weighed % 10}"
