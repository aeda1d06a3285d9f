"""The same invoices as whatever a program may hold them in."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from cashin_async import SalesInvoice
from cashin_async.models.wire import encode
from cashin_async.simulator.samples import sample_invoices
from cashin_async.sources.source import Record

COUNT = 60


def samples(count: int = COUNT) -> list[SalesInvoice]:
    return list(sample_invoices(count))


def encoded(invoices: list[SalesInvoice]) -> list[bytes]:
    """As dicts, structs and JSON Lines travel."""
    return [encode(invoice) for invoice in invoices]


def values(invoices: list[Any]) -> list[Any]:
    """JSON with amounts as Decimal, for which 1.50 is 1.5."""
    return [json.loads(invoice, parse_float=Decimal, parse_int=Decimal) for invoice in invoices]


def nested(invoices: list[SalesInvoice]) -> list[dict[str, Any]]:
    """Dicts by the published names; amounts are Decimal, days are date."""
    return [_named(invoice) for invoice in invoices]


def _named(struct: msgspec.Struct) -> dict[str, Any]:
    fields = zip(struct.__struct_encode_fields__, msgspec.structs.astuple(struct), strict=True)
    return {
        name: [_named(row) for row in value] if isinstance(value, list) else value
        for name, value in fields
        if value is not msgspec.UNSET
    }


def flat(invoices: list[SalesInvoice]) -> Iterator[dict[str, Any]]:
    """A dict for each line: the invoice's own fields stand in the first one, and some of them in all."""
    for invoice in nested(invoices):
        rows = invoice.pop("InvoiceRows")
        for place, row in enumerate(rows):
            head = {name: value if place == 0 or name < "I" else None for name, value in invoice.items()}
            yield {**head, "InvoiceNumber": invoice["InvoiceNumber"]} | {f"Row.{name}": row[name] for name in row}


def as_csv(invoices: list[SalesInvoice], delimiter: str, decimal: str, encoding: str, thousands: str = "") -> bytes:
    """As a spreadsheet writes it."""
    lines = list(flat(invoices))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, lines[0], delimiter=delimiter)
    writer.writeheader()
    for line in lines:
        writer.writerow({name: _cell(value, decimal, thousands) for name, value in line.items()})
    return out.getvalue().encode(encoding)


def _cell(value: Any, decimal: str, thousands: str) -> Any:
    if isinstance(value, Decimal):
        return f"{value:,}".replace(".", "#").replace(",", thousands).replace("#", decimal)
    return value


async def records(source: Any) -> list[Record]:
    return [record async for batch in source.batches() for record in batch]
