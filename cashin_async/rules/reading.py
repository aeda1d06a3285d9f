"""An invoice as the rules read it: of its JSON the fields that they look at; of a broken one what can be read."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, cast

import msgspec
from msgspec import UNSET

from cashin_async.errors import InvalidInvoice
from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.models.shape import invoice_decoder, row_decoder, shape
from cashin_async.models.wire import encode, encode_mapping, explained, may_be_shown, number_of
from cashin_async.rules.finding import Finding

_FIELDS = frozenset(
    (
        "invoice_number invoice_date due_date payment_terms_code net_amount disc_amount round_amount tax_amount "
        "total_amount reference description sales_postal_code sales_country sales_identifier interest_number "
        "virtual_bank_barcode finvoice_specification finvoice_account finvoice_ovt billing_postal_code "
        "billing_country delivery_postal_code delivery_country credited_invoice_information invoice_rows"
    ).split()
)
_ROW_FIELDS = frozenset("vat_percent nto tax round total text start_date end_date delivery_date".split())
"""What the rules look at; the rest is skipped, which halves the time."""

_NUMBER = "InvoiceNumber"
_UNKNOWN = "is not a published field"
_unreadable = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
_encoder = msgspec.json.Encoder(decimal_format="number")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


@cache
def _lean_decoder() -> "msgspec.json.Decoder[Any]":
    row = shape(InvoiceRow, allow_unknown_fields=True, only=_ROW_FIELDS)
    return msgspec.json.Decoder(shape(SalesInvoice, allow_unknown_fields=True, row=row, only=_FIELDS))


def read(data: bytes) -> SalesInvoice:
    """What the rules look at of a JSON invoice that has the published types; amounts as floats."""
    return cast(SalesInvoice, _lean_decoder().decode(data))


def read_strictly(data: bytes) -> SalesInvoice:
    """All of a JSON invoice; amounts as floats. Raises `msgspec.MsgspecError` for what has not the published types."""
    return cast(SalesInvoice, invoice_decoder(False).decode(data))


def read_whole(data: bytes, allow_unknown_fields: bool) -> SalesInvoice:
    """The whole of it, amounts as exact decimals. Names that are not published are left out."""
    if allow_unknown_fields:
        data = _published_alone(data)
    return msgspec.json.decode(data, type=SalesInvoice)


def _published_alone(data: bytes) -> bytes:
    members = _members.decode(data)
    if rows := _rows_of(members.get("InvoiceRows")):
        known = [_known(_members.decode(row), InvoiceRow) for row in rows]
        members["InvoiceRows"] = msgspec.Raw(msgspec.json.encode(known))
    return msgspec.json.encode(_known(members, SalesInvoice))


def _known(members: dict[str, msgspec.Raw], struct: type[msgspec.Struct]) -> dict[str, msgspec.Raw]:
    names = _names(struct)
    return {name: raw for name, raw in members.items() if name in names}


@cache
def _names(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct))


# -- what is not as published

Written = bytes | SalesInvoice | Mapping[str, Any]
"""An invoice as JSON, as a struct, or as a dict of the published names."""


def read_in_parts(invoice: Written, allow_unknown_fields: bool) -> tuple[SalesInvoice | None, list[Finding]]:
    """What can be read of an invoice, and what cannot: each field is tried alone, or one would hide the others."""
    found: list[Finding] = []
    of_a_dict = isinstance(invoice, Mapping) and not allow_unknown_fields  # else it goes out as it is
    try:
        members = _members_of(invoice)
    except _unreadable:
        return None, [Finding("type", None, _reason(invoice, allow_unknown_fields) or "is not a JSON object")]
    rows = _rows_of(members.get("InvoiceRows"))
    if rows is not None:
        decoder = row_decoder(allow_unknown_fields)
        readable_rows = [_readable_row(row, place, decoder, found, of_a_dict) for place, row in enumerate(rows)]
        members["InvoiceRows"] = msgspec.Raw(msgspec.json.encode(readable_rows))
    readable = _readable(members, SalesInvoice, invoice_decoder(allow_unknown_fields), "", found, of_a_dict)
    if not found and (reason := _reason(invoice, allow_unknown_fields)):
        found.append(_finding_of(reason))
    return read(msgspec.json.encode(readable)), found


def _finding_of(reason: str) -> Finding:
    if reason.startswith(_NUMBER):
        return Finding("number", _NUMBER, reason.removeprefix(_NUMBER).lstrip())
    return Finding("type", None, reason)


def _reason(invoice: Written, allow_unknown_fields: bool) -> str | None:
    """What is wrong with the whole, such as a key that stands twice."""
    try:
        if isinstance(invoice, SalesInvoice):
            encode(invoice)
        elif isinstance(invoice, Mapping):
            encode_mapping(invoice, allow_unknown_fields)
        else:
            number_of(invoice, allow_unknown_fields)
    except InvalidInvoice as error:
        by_its_names = not isinstance(invoice, bytes) and not error.reason.startswith(_NUMBER)
        return "cannot be encoded" if by_its_names else error.reason  # names may be values
    return None


def _members_of(invoice: Any) -> dict[str, Any]:
    """The fields by their wire names, whatever they hold."""
    if isinstance(invoice, msgspec.Struct):
        pairs = zip(invoice.__struct_encode_fields__, msgspec.structs.astuple(invoice), strict=True)
        return {name: value for name, value in pairs if value is not UNSET}
    return dict(invoice) if isinstance(invoice, Mapping) else _members.decode(invoice)


def _rows_of(rows: Any) -> Sequence[Any] | None:
    if isinstance(rows, msgspec.Raw) and bytes(rows).startswith(b"["):
        return _elements.decode(rows)
    return rows if isinstance(rows, list | tuple) else None


def _readable_row(
    row: Any, place: int, decoder: "msgspec.json.Decoder[Any]", found: list[Finding], of_a_dict: bool
) -> dict[str, msgspec.Raw]:
    path = f"InvoiceRows[{place}]"
    try:
        members = _members_of(row) if isinstance(row, msgspec.Raw | msgspec.Struct | Mapping) else None
    except _unreadable:
        members = None
    if members is None:
        found.append(Finding("type", path, "is not a row"))
        return {}
    return _readable(members, InvoiceRow, decoder, f"{path}.", found, of_a_dict and isinstance(row, Mapping))


def _readable(
    members: Mapping[str, Any],
    struct: type[msgspec.Struct],
    decoder: "msgspec.json.Decoder[Any]",
    path: str,
    found: list[Finding],
    of_a_dict: bool,
) -> dict[str, msgspec.Raw]:
    readable = {}
    for name, value in members.items():
        if isinstance(value, float | Decimal) and not Decimal(value).is_finite():
            found.append(Finding("type", _shown(path, name), "is not a finite number"))  # as a float it travels as null
            continue
        try:
            data = _encoded(name, value, struct, of_a_dict)
            decoder.decode(data)
        except _unreadable as error:
            found.append(_finding(path, name, error))
        else:
            (readable[name],) = _members.decode(data).values()
    return readable


def _encoded(name: str, value: Any, struct: type[msgspec.Struct], of_a_dict: bool) -> bytes:
    if of_a_dict and name in _names(struct) and not isinstance(value, msgspec.Raw):
        return _encoder.encode(msgspec.convert({name: value}, struct))  # takes an amount in a string for a number
    return _encoder.encode({name: value})


def _finding(path: str, name: Any, error: Exception) -> Finding:
    if not isinstance(error, msgspec.MsgspecError):
        return Finding("type", _shown(path, name), f"cannot be encoded: {type(error).__name__}")
    field, message = explained(str(error))
    if not field:  # the name is wrong, or the JSON
        message = _UNKNOWN if message.startswith("Object contains") else message
        return Finding("type", _shown(path, name), message)
    return Finding("number" if name == _NUMBER else "type", f"{path}{field}", message)


def _shown(path: str, name: Any) -> str | None:
    """Where a field is, without its name if that is no plain word."""
    return f"{path}{name}" if isinstance(name, str) and may_be_shown(name) else path.rstrip(".") or None
