"""Which columns a table has: published names, `Row.` before those of a row, and what kind of value each holds. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import NamedTuple, get_args

import msgspec

from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.models.wire import may_be_shown
from cashin_async.sources.source import CannotReadOn

NUMBER_COLUMN = "InvoiceNumber"
ROWS = "InvoiceRows"
ROW = "Row."
"""What stands before the name of a row's column."""


class Kind(Enum):
    """What a column's values are."""

    WHOLE = "a whole number"
    NUMBER = "a number"
    DAY = "a date"
    MOMENT = "a date with a time"
    TEXT = "text"  # where the type is not published too: a number is never made of what may be a reference


_KINDS = {int: Kind.WHOLE, Decimal: Kind.NUMBER, date: Kind.DAY, datetime: Kind.MOMENT}


class Column(NamedTuple):
    """One column of an input."""

    place: int
    """Where it stands, from 0."""
    name: str
    """Of the field, as it travels."""
    kind: Kind

    @property
    def key(self) -> str:
        """What stands before the value in a JSON object."""
        return f"{msgspec.json.encode(self.name).decode()}:"


class Layout(NamedTuple):
    """The columns of an input, in the order of their fields: the same invoice gives the same bytes in any order."""

    heads: list[Column]
    """Those of the invoice, its number first."""
    rows: list[Column]
    """Those of a row."""
    nested: int | None = None
    """Where the column stands that holds all rows of an invoice."""


@cache
def kinds(struct: type[msgspec.Struct]) -> dict[str, Kind]:
    """By the published name, in the published order."""
    return {
        field.encode_name: _KINDS.get(get_args(field.type)[0], Kind.TEXT)
        for field in msgspec.structs.fields(struct)
        if field.encode_name != ROWS
    }


def layout_of(names: Sequence[str], allow_unknown_fields: bool = False) -> Layout:
    """The columns of these names, in whatever case they are written.

    Raises `CannotReadOn` for a name that is unknown, unless that is allowed, or stands twice, and when there is no
    invoice number. A name that is no plain word is not repeated.
    """
    heads: list[Column] = []
    rows: list[Column] = []
    nested: int | None = None
    for place, name in enumerate(names):
        if name.lower() == ROWS.lower():
            nested = place
        elif name.lower().startswith(ROW.lower()):
            rows.append(_column(place, name[len(ROW) :], InvoiceRow, allow_unknown_fields))
        else:
            heads.append(_column(place, name, SalesInvoice, allow_unknown_fields))
    _refuse_twice(heads)
    _refuse_twice(rows, ROW)
    if nested is not None and rows:
        raise CannotReadOn(f"has rows twice: in the column {ROWS}, and in columns of {ROW}...")
    if all(column.name != NUMBER_COLUMN for column in heads):
        raise CannotReadOn(f"has no column {NUMBER_COLUMN}: the first line names the columns")
    return Layout(_in_order(heads, SalesInvoice), _in_order(rows, InvoiceRow), nested)


def row_columns(names: Sequence[str], allow_unknown_fields: bool = False) -> list[Column]:
    """The same of a row's own columns, which have nothing before their names."""
    columns = [_column(place, name, InvoiceRow, allow_unknown_fields) for place, name in enumerate(names)]
    _refuse_twice(columns)
    return _in_order(columns, InvoiceRow)


def _column(place: int, name: str, struct: type[msgspec.Struct], allow_unknown_fields: bool) -> Column:
    if not name:
        raise CannotReadOn(f"column {place + 1} has no name")
    published = _published(struct).get(name.lower())
    if published is None and not allow_unknown_fields:
        called = f", {name}," if may_be_shown(name) else ""
        raise CannotReadOn(f"column {place + 1}{called} is no published field (allow_unknown_fields)")
    name = published or name
    return Column(place, name, kinds(struct).get(name, Kind.TEXT))


@cache
def _published(struct: type[msgspec.Struct]) -> dict[str, str]:
    return {name.lower(): name for name in kinds(struct)}


def _refuse_twice(columns: list[Column], prefix: str = "") -> None:
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise CannotReadOn(f"column {prefix}{name} stands twice" if may_be_shown(name) else "a column stands twice")


def _in_order(columns: list[Column], struct: type[msgspec.Struct]) -> list[Column]:
    order = {name: place for place, name in enumerate(kinds(struct))}
    return sorted(columns, key=lambda column: order.get(column.name, len(order)))
