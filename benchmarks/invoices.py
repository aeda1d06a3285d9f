"""The work: invoices in the shape that the vendor has published, 73 fields and one row of 29, 2.85 KB as a JSON line.

They are made from the published example; number, reference, customer and names differ from one to the next, and invoice
i is the same on every machine. As lines they look as Python's `json.dumps` writes them. As objects each is made when it
is asked for: a program that encodes the same objects over and over is faster than one that meets each once, and
nobody's invoices come twice.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from cashin_async import InvoiceRow, SalesInvoice
from cashin_async.rules import bank_barcode, reference_for

EXAMPLE = Path(__file__).parents[1] / "tests" / "data" / "published_invoice.json"
FIRST_NUMBER = 251_600_001
_FIRST = ("Maija", "Matti", "Essi", "Teppo", "Kalle", "Liisa", "Väinö", "Äly", "Örjan", "Helmi", "Onni")
_LAST = ("Meikäläinen", "Esimerkki", "Testaaja", "Kuvitelma", "Lainen-Malli", "Mäkelä", "Virtanen")

_PUBLISHED: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))[0]
_STRUCT = msgspec.convert(_PUBLISHED, SalesInvoice)


def _fields(struct: msgspec.Struct, *, published: bool) -> dict[str, Any]:
    """A struct's values by the names of its fields, in Python or as published."""
    names = struct.__struct_encode_fields__ if published else struct.__struct_fields__
    return dict(zip(names, msgspec.structs.astuple(struct), strict=True))


assert isinstance(_STRUCT.invoice_rows, list)
_KEYWORDS, _WIRE = _fields(_STRUCT, published=False), _fields(_STRUCT, published=True)
_ROW_KEYWORDS, _ROW_WIRE = (_fields(_STRUCT.invoice_rows[0], published=published) for published in (False, True))


def _varied(place: int) -> tuple[int, str, str, str]:
    """Number, reference, customer and name of the invoice at `place`, which counts from 0."""
    number = FIRST_NUMBER + place
    name = f"{_FIRST[place % len(_FIRST)]} {_LAST[place % len(_LAST)]}"
    return number, f"{number}7", str(place % 10_000), name


def keywords(count: int) -> Iterator[dict[str, Any]]:
    """Arguments for `SalesInvoice`, the row still without its object; amounts are Decimal, days are date."""
    for place in range(count):
        number, reference, customer, name = _varied(place)
        yield {
            **_KEYWORDS,
            "invoice_number": number,
            "reference": reference,
            "sales_customer_code": customer,
            "sales_name": name,
            "billing_name1": name,
        }


def structs(count: int) -> Iterator[SalesInvoice]:
    """Built one by one from keyword arguments."""
    for arguments in keywords(count):
        arguments["invoice_rows"] = [InvoiceRow(**_ROW_KEYWORDS)]
        yield SalesInvoice(**arguments)


async def structs_async(count: int) -> AsyncIterator[SalesInvoice]:
    """The same, as from a database's cursor that has its rows at hand."""
    for invoice in structs(count):
        yield invoice


def dicts(count: int) -> Iterator[dict[str, Any]]:
    """By the published names; amounts are Decimal, days are date."""
    for place in range(count):
        number, reference, customer, name = _varied(place)
        yield {
            **_WIRE,
            "InvoiceNumber": number,
            "Reference": reference,
            "SalesCustomerCode": customer,
            "SalesName": name,
            "BillingName1": name,
            "InvoiceRows": [{**_ROW_WIRE}],
        }


def lines(count: int, first: int = 0) -> Iterator[bytes]:
    """JSON Lines, each with its line feed."""
    holes = {"InvoiceNumber": 1, "Reference": 2, "SalesCustomerCode": 3, "SalesName": 4, "BillingName1": 4}
    text = json.dumps({**_PUBLISHED, **{name: f"<{hole}>" for name, hole in holes.items()}}, ensure_ascii=False)
    text = text.replace("%", "%%").replace('"<1>"', "%(number)d")
    for hole, name in ((2, "reference"), (3, "customer"), (4, "name")):
        text = text.replace(f"<{hole}>", f"%({name})s")
    for place in range(first, first + count):
        number, reference, customer, name = _varied(place)
        line = text % {"number": number, "reference": reference, "customer": customer, "name": name}
        yield line.encode() + b"\n"


def write(path: Path, count: int) -> None:
    """A file of JSON Lines."""
    with path.open("wb") as file:
        file.writelines(lines(count))


CREDITOR = "FI3715903000000776"
_CORRECT = {
    "InvoiceDate": "2026-02-03",
    "DueDate": "2026-02-17",
    "NetAmount": 100,
    "TaxAmount": 25.5,
    "TotalAmount": 125.5,
}
_CORRECT_ROW = {
    "VatPercent": 25.5,
    "Tax": 25.5,
    "Total": 125.5,
    "StartDate": "2026-02-03",
    "EndDate": "2026-02-03",
    "DeliveryDate": "2026-02-03",
}
_LOADED = {"SalesIdentifier": "131052A308T", "FinvoiceAccount": "003723327487", "FinvoiceOVT": "OKOYFIHH"}


def correct(count: int, *, loaded: bool = False) -> Iterator[dict[str, Any]]:
    """The same with a right reference, right sums, and days that the rules know all about; as JSON has the values.

    `loaded`: with a bar code, a personal code and an e-invoice address too, so that no rule has nothing to look at.
    """
    row = {**_PUBLISHED["InvoiceRows"][0], **_CORRECT_ROW}
    for place in range(count):
        number, _, customer, name = _varied(place)
        names = {"SalesCustomerCode": customer, "SalesName": name, "BillingName1": name, "InvoiceRows": [{**row}]}
        own = {"InvoiceNumber": number, "Reference": reference_for(number), **names}
        invoice = {**_PUBLISHED, **_CORRECT, **own}
        if loaded:
            invoice |= _LOADED
            invoice["VirtualBankBarcode"] = bank_barcode(msgspec.convert(invoice, SalesInvoice), CREDITOR)
        yield invoice


def write_correct(path: Path, count: int) -> None:
    with path.open("wb") as file:
        file.writelines(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in correct(count))
