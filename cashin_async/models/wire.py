"""Between invoices and the JSON that travels: encode one, validate one that is JSON already.

A JSON line that is valid goes out as the bytes it came in. `number_of` therefore checks and keeps
nothing but the number. It reads amounts as floats, which are only checked and then dropped: that is
faster than `Decimal`, and, unlike `Decimal`, does not take the JSON string "100" for a number.
"""

import json
import math
import re
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from msgspec import UNSET

from cashin_async.errors import InvalidInvoice
from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.models.shape import invoice_decoder

LARGEST_NUMBER = 2**63 - 1
"""The largest invoice number that can be followed: eight bytes, signed, as databases store it."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_escaped_ascii = re.compile(rb"\\u00[4-7]", re.IGNORECASE)
_surrogate = re.compile(rb"\\u[dD][89a-fA-F]")
_any_case_number = re.compile(rb'"invoicenumber"\s*:', re.IGNORECASE)
_JSON_TYPES = {"float": "number", "int": "whole number", "str": "string", "bool": "true or false", "decimal": "number"}
_json_words = re.compile(r"\b(float|int|str|bool|decimal)\b")
_UNKNOWN = "Object contains unknown field "
_plain_name = re.compile(r"(?!\w*\d{3})[A-Za-z_]\w{0,39}", re.ASCII)


def encode(invoice: SalesInvoice) -> bytes:
    """An invoice as a JSON object: compact UTF-8, every digit of a decimal kept.

    Raises `InvalidInvoice` when a value has no JSON form (NaN, an object of an unknown type) or the wrong type: a
    struct does not look at what it is built from, so this looks at what would travel.
    """
    data = encode_unchecked(invoice)
    try:
        _checked(data, allow_unknown_fields=False)
    except InvalidInvoice:
        _refuse_non_finite(invoice)
        raise
    return data


def encode_unchecked(invoice: SalesInvoice) -> bytes:
    """The same for whoever looks at what comes of it: a value of the wrong type travels as it is.

    But for NaN in a float: it would travel as null, and nobody could tell any more. Raises as `encode` does.
    """
    return _in_milliseconds(invoice, encode_to_check(invoice))


def encode_to_check(invoice: SalesInvoice) -> bytes:
    """The same for whoever does not send it: the date-times are not in the form of the vendor's example."""
    data = _encode(invoice)
    if b"null" in data and _has_floats(invoice):
        _refuse_non_finite(invoice)
    return data


def _encode(invoice: Any) -> bytes:
    try:
        return _encoder.encode(invoice)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise InvalidInvoice(f"cannot be encoded: {type(error).__name__}") from None


def encode_mapping(invoice: Mapping[str, Any], allow_unknown_fields: bool = False) -> tuple[int, bytes]:
    """The number and the JSON of an invoice given as a dict of the published names, raising like `encode`.

    Amounts may be int, float, Decimal or a decimal string; they travel as numbers. With
    `allow_unknown_fields` the dict goes out as it is, and an amount must be a number.
    """
    if allow_unknown_fields:
        data = encode_mapping_unchecked(invoice, allow_unknown_fields)
        return number_of(data, allow_unknown_fields), data
    struct = _converted(invoice)
    data = encode(struct)
    return valid_number(struct.invoice_number), data


def encode_mapping_unchecked(invoice: Mapping[str, Any], allow_unknown_fields: bool = False) -> bytes:
    """The same as `encode_unchecked` for a dict."""
    if not allow_unknown_fields:
        struct = _converted(invoice)
        return _in_milliseconds(struct, _encode(struct))
    data = _encode(invoice)
    _refuse_non_finite(invoice)
    return data


def _converted(invoice: Mapping[str, Any]) -> SalesInvoice:
    try:
        return msgspec.convert(invoice if type(invoice) is dict else dict(invoice), SalesInvoice)
    except msgspec.MsgspecError as error:
        raise InvalidInvoice(_explain(str(error))) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInvoice(f"cannot be encoded: {type(error).__name__}") from None


def _in_milliseconds(invoice: SalesInvoice, data: bytes) -> bytes:
    """The published date-times have milliseconds ("...22.123Z"), the encoder writes microseconds."""
    for moment, name in ((invoice.order_date, b'"OrderDate":"'), (invoice.issue_date, b'"IssueDate":"')):
        if isinstance(moment, datetime) and moment.microsecond and moment.microsecond % 1000 == 0:
            # the name cannot stand inside a JSON string, where a quote has a backslash before it
            end = data.find(name) + len(name) + len("2019-08-24T14:15:22.123")
            if data.startswith(b"000Z", end):
                data = data[:end] + data[end + 3 :]
    return data


def _has_floats(invoice: SalesInvoice) -> bool:
    """Whether anything may be a float, against its type."""
    values = msgspec.structs.astuple
    types: set[type] = {
        *map(type, values(invoice))
    }  # a set: each comparison with a type takes three times as long as its hash
    rows: Any = invoice.invoice_rows or ()
    for row in rows if isinstance(rows, list | tuple) else [rows]:
        if not isinstance(row, InvoiceRow):
            return True
        types.update(map(type, values(row)))
    return float in types


def _refuse_non_finite(invoice: Any) -> None:
    """NaN and infinity have no JSON form: as Decimal they are no JSON, as float they would travel as null."""
    todo = [("", invoice)]
    while todo:
        path, value = todo.pop()
        if (isinstance(value, Decimal) and not value.is_finite()) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise InvalidInvoice(f"{path} is not a finite number") from None
        if isinstance(value, msgspec.Struct):
            value = dict(zip(value.__struct_encode_fields__, msgspec.structs.astuple(value), strict=True))
        if isinstance(value, Mapping):
            todo += [(f"{path}.{name}".lstrip("."), member) for name, member in value.items()]
        elif isinstance(value, (list, tuple)):
            todo += [(f"{path}[{index}]", member) for index, member in enumerate(value)]


def valid_number(number: object) -> int:
    """The invoice number, when it is one that can be followed: a whole number from 1 to 2**63 - 1."""
    if number is UNSET or number is None:
        raise InvalidInvoice("InvoiceNumber is missing")
    if type(number) is not int:
        raise InvalidInvoice("InvoiceNumber is not a whole number")
    if not 0 < number <= LARGEST_NUMBER:
        raise InvalidInvoice(f"InvoiceNumber is not between 1 and {LARGEST_NUMBER}")
    return number


def number_of(data: bytes, allow_unknown_fields: bool = False) -> int:
    """Check that `data` is one JSON invoice of the published names and types; give its number.

    Raises `InvalidInvoice` with the field's path and what is wrong, never with a value.
    """
    return valid_number(_checked(data, allow_unknown_fields))


def numbers_of(lines: Sequence[bytes], allow_unknown_fields: bool = False) -> tuple[list[int | None], dict[int, str]]:
    """`number_of` each of them: the numbers, and by their places what is wrong with those that have none."""
    if not allow_unknown_fields and (valid := _numbers_if_all_are_valid(lines)) is not None:
        return valid, {}
    numbers: list[int | None] = []
    problems: dict[int, str] = {}
    for place, line in enumerate(lines):
        try:
            numbers.append(number_of(line, allow_unknown_fields))
        except InvalidInvoice as error:
            numbers.append(None)
            problems[place] = error.reason
    return numbers, problems


def _numbers_if_all_are_valid(lines: Sequence[bytes]) -> list[int | None] | None:
    """The usual case in two thirds of the time: no Python runs for a line but a hook that notes its number."""
    found: list[Any] = []
    try:
        deque(map(_noting_decoder(found).decode, lines), maxlen=0)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    # each has one at least, since it is required there: so if there are as many as lines, none has two
    if len(found) != len(lines) or {*map(type, found)} - {int}:
        return None
    return found if not found or (min(found) > 0 and max(found) <= LARGEST_NUMBER) else None


class _NumberAlone(msgspec.Struct):
    number: int = msgspec.field(name="InvoiceNumber")


_glance = msgspec.json.Decoder(_NumberAlone)


def glance_numbers(lines: Sequence[bytes]) -> list[int | None]:
    """The numbers of invoices of which nothing else is checked: a third of the time. None for what cannot be read."""
    try:
        numbers = [invoice.number for invoice in map(_glance.decode, lines)]
        if not numbers or (min(numbers) > 0 and max(numbers) <= LARGEST_NUMBER):
            return list(numbers)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return [_glance_number(line) for line in lines]


def _glance_number(line: bytes) -> int | None:
    try:
        return valid_number(_glance.decode(line).number)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidInvoice):
        return None


def _checked(data: bytes, allow_unknown_fields: bool) -> Any:
    """Check everything but the number, and give it as it stands."""
    try:
        number = invoice_decoder(allow_unknown_fields).decode(data).invoice_number
        if allow_unknown_fields:
            data.decode()  # what is in an unknown field was skipped unread
    except msgspec.MsgspecError as error:
        if "truncated" in str(error) and _surrogate.search(data):
            raise InvalidInvoice("is not JSON: half of a surrogate pair") from None
        raise InvalidInvoice(_explain(str(error))) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidInvoice(f"is not JSON: {type(error).__name__}") from None
    if _may_repeat_number(data, allow_unknown_fields):
        _refuse_repeated_keys(data)
    return number


def _may_repeat_number(data: bytes, any_case: bool) -> bool:
    if any_case and len(_any_case_number.findall(data)) > 1:
        return True
    return data.count(b'"InvoiceNumber"') > 1 or (b"\\" in data and _escaped_ascii.search(data) is not None)


def _refuse_repeated_keys(data: bytes) -> None:
    """Two `InvoiceNumber` keys: which one the server would take is anybody's guess."""

    def names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key.lower() for key, _ in pairs]
        if keys.count("invoicenumber") > 1:
            raise InvalidInvoice("InvoiceNumber stands more than once in the invoice")
        return dict(pairs)

    try:
        json.loads(data, object_pairs_hook=names, parse_int=float)
    except (ValueError, RecursionError):
        raise InvalidInvoice("InvoiceNumber may stand more than once: the line cannot be read to tell") from None


def _explain(message: str) -> str:
    """msgspec's message with the wire path first."""
    field, message = explained(message)
    return f"{field}: {message}" if field else message


def may_be_shown(name: str) -> bool:
    """Whether a name that is not published is a plain word: three digits in a row may be an account, or a person."""
    return _plain_name.fullmatch(name) is not None


def well_formed(text: str) -> str:
    """`text` without halves of surrogate pairs, which UTF-8 has not: names of files may have them."""
    return text.encode(errors="backslashreplace").decode()


def explained(message: str) -> tuple[str, str]:
    """The wire path in msgspec's message, empty for the whole, and its words in ours.

    A name that is no plain word is not repeated.
    """
    message, _, path = message.partition(" - at `$")
    message = _json_words.sub(lambda word: _JSON_TYPES[word[0]], message) if message.startswith("Expected") else message
    message = message.replace("Input data was truncated", "is cut short: the JSON does not end")
    if message.startswith(_UNKNOWN) and not may_be_shown(message[len(_UNKNOWN) :].strip("`")):
        message = "Object contains an unknown field"
    return path.rstrip("`").lstrip(".").replace("[...]", "[]"), message


class _Noted:
    """The type of an invoice number that is handed to a hook, as often as it stands in an invoice."""


_NOTED = _Noted()


@cache
def _noting_shape() -> type[msgspec.Struct]:
    fields = msgspec.structs.fields(invoice_decoder(False).type)
    noting = [
        (field.name, _Noted) if field.name == "invoice_number" else (field.name, field.type, UNSET) for field in fields
    ]
    names = {field.name: field.encode_name for field in fields}
    return msgspec.defstruct("SalesInvoice", noting, kw_only=True, forbid_unknown_fields=True, rename=names, gc=False)


def _noting_decoder(found: list[Any]) -> "msgspec.json.Decoder[Any]":
    def note(_: type, number: Any) -> _Noted:
        append(number)
        return _NOTED

    append = found.append
    return msgspec.json.Decoder(_noting_shape(), dec_hook=note)
