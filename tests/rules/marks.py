"""Values of a person that can be found again wherever they turn up, and invoices that are full of them."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.models.invoice import wire_name
from tests.rules.invoices import INVOICE, ROW

VALUES = {
    "name": "Zxqmarjatta Meikäläinen",
    "street": "Zxqpolku 17 A 23",
    "personal code": "131052A308T",
    "wrong personal code": "131052A308U",
    "personal code in small letters": "131052a308t",
    "business ID": "2332748-7",
    "wrong business ID": "2332748-8",
    "VAT number": "FI23327488",
    "OVT code": "003723327488",
    "account": "FI2112345600000785",
    "wrong account": "FI2212345600000785",
    "long account": "FI211234560000078500",
    "foreign account": "DE88370400440532013000",
    "account for print": "FI22 1234 5600 0007 85",
    "e-mail": "zxqmarjatta@example.com",
    "phone": "+358 40 7654321",
    "bar code": "421123456000007850001255000000000000002516000013260217",
    "wrong bar code": "422123456000007850009999000000000000009876543217260230",
    "RF bar code": "521123456000007850001255099000000000009876543217260217",
    "postal code": "651007654",
    "customer code": "Zxqasiakas6654",
    "intermediator": "ZXQFIHX",
    "reference": "9876543217",
    "reference for print": "98765 43217",
    "RF reference": "RF999876543217",
}
MARKS = (
    "zxqmarjatta",
    "zxqpolku",
    "131052",
    "2332748",
    "12345600",
    "1234 5600",
    "37040044",
    "7654321",
    "651007654",
    "zxqasiakas",
    "zxqfihx",
    "9876543",
    "98765 43",
)
"""What is looked for, in any case: a part of each value that cannot come there by chance."""

STRUCTS: tuple[type[SalesInvoice] | type[InvoiceRow], ...] = (SalesInvoice, InvoiceRow)


def assert_no_mark(text: str, *where: object) -> None:
    """Nor one that a program has escaped."""
    for form in (text, text.encode().decode("unicode_escape", errors="ignore")):
        shown = [mark for mark in MARKS if mark in form.lower()]
        assert not shown, f"{shown} in {where}: {text[:2000]!r}"


def text_fields(struct: type[SalesInvoice] | type[InvoiceRow]) -> list[str]:
    """By their wire names, those that may hold a string."""
    hints = struct.__annotations__
    return [wire_name(name) for name in struct.__struct_fields__ if str in get_args(hints[name])]


def other_fields(struct: type[SalesInvoice] | type[InvoiceRow]) -> list[str]:
    """Those that hold a number, a date or rows."""
    names = [wire_name(name) for name in struct.__struct_fields__]
    return [name for name in names if name not in text_fields(struct)]


def with_values(name: str, value: Any) -> Iterator[dict[str, Any]]:
    """Invoices with a value in a field, of the invoice and of a row, where there is one of that name."""
    if name in {wire_name(field) for field in SalesInvoice.__struct_fields__}:
        yield {**INVOICE, name: value}
    if name in {wire_name(field) for field in InvoiceRow.__struct_fields__}:
        yield {**INVOICE, "InvoiceRows": [ROW, {**ROW, name: value}]}


def readable_invoices() -> Iterator[dict[str, Any]]:
    """Of the published types: each value in each field that holds text; and each in all of them."""
    for struct in STRUCTS:
        for name in text_fields(struct):
            for value in VALUES.values():
                yield from with_values(name, value)
    for value in VALUES.values():
        row = {**ROW, **dict.fromkeys(text_fields(InvoiceRow), value)}
        yield {**INVOICE, **dict.fromkeys(text_fields(SalesInvoice), value), "InvoiceRows": [row]}
        country = {
            "SalesCountry": "FI",
            "BillingCountry": "FI",
            "DeliveryCountry": "FI",
            "FinvoiceSpecification": "B2C",
        }
        yield {**INVOICE, **dict.fromkeys(text_fields(SalesInvoice), value), **country}


def unreadable_invoices() -> Iterator[dict[str, Any]]:
    """Of wrong types: each value where a number, a date or a row should be, and in lists and objects."""
    for struct in STRUCTS:
        for value in VALUES.values():
            for name in other_fields(struct):
                yield from with_values(name, value)
            for name in ("SalesName", "SalesIdentifier", "NetAmount", "DueDate", "InvoiceNumber", "InvoiceRows", "Qty"):
                for wrapped in ([value], {value: value}, {"x": {value: [value]}}):
                    yield from with_values(name, wrapped)


def keyed_invoices() -> Iterator[dict[str, Any]]:
    """With each value as the name of a field, in an invoice and in a row; but for those that may be such a name."""
    for value in VALUES.values():
        for inside in (1, value, {value: value}) if not value.isalpha() else ():
            yield {**INVOICE, value: inside}
            yield {**INVOICE, "InvoiceRows": [{**ROW, value: inside}]}


def lines(invoices: Iterator[dict[str, Any]]) -> list[bytes]:
    """JSON Lines, each with a number of its own."""
    return [
        json.dumps({**invoice, "InvoiceNumber": number}, ensure_ascii=number % 2 == 0).encode()
        for number, invoice in enumerate(invoices, 100_001)
    ]


def cut_lines() -> list[bytes]:
    """Which end in the middle of a value, or are malformed behind it."""
    whole = [json.dumps({**INVOICE, "SalesName": value}, ensure_ascii=False).encode() for value in VALUES.values()]
    middle = [line[: line.index(b'"SalesName"') + len(b'"SalesName": "') + 7] for line in whole]
    return middle + [line[:-1] for line in whole] + [value.encode() for value in VALUES.values()]
