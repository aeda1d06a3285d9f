"""Which form an input is, by its first bytes and the ending of its name; and what reads that form. Pure."""

import re
import warnings
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from cashin_async.sources.compression import packing_of
from cashin_async.sources.delimited import Csv
from cashin_async.sources.jsonlines import JsonLines
from cashin_async.sources.source import CannotReadOn, Form

if TYPE_CHECKING:
    from cashin_async.settings import Settings


class Format(StrEnum):
    """The forms that an input may have, as the setting `input_format` calls them."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


AT_ONCE = {Format.JSONL: 262_144, Format.JSON: 32_768, Format.CSV: 32_768}
"""Bytes between two turns of the event loop: some ninety invoices of JSON Lines, or ten of the others, whose reading
takes longer. That is a millisecond of work, or two."""
LOOK = 65_536
"""Bytes at most that are looked at: a line of CSV with the names of all fields has two thousand."""
INSTALL_PYARROW = 'pip install "cashin-async[parquet]"'
INSTALL_IJSON = 'pip install "cashin-async[json-array]"'

_SIGNATURE = 4  # bytes that tell most forms; a pipe may deliver them one by one
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_PARQUET = b"PAR1"
_OTHERS = {
    b"PK\x03\x04": "is a zip archive or an Excel workbook: unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook: save it as CSV",
    b"\xfd7zXZ": "is packed with xz: pipe it in unpacked, as `-`: xz -dc FILE | ...",
    b"BZh": "is packed with bzip2: pipe it in unpacked, as `-`: bunzip2 -c FILE | ...",
    b"ARROW1": "is an Arrow file: read it with pyarrow, and upload the table from Python",
}
_TAR, _TAR_AT = b"ustar", 257
_ENDINGS = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}
_PACKED_ENDINGS = (".gz", ".zst", ".zstd")
_for_excel = re.compile(r'"?sep=', re.IGNORECASE)
_header = re.compile(r'(?:^|[;,\t|])[ "]*InvoiceNumber[ "]*(?:[;,\t|]|$)', re.IGNORECASE)
_around_an_array = re.compile(rb'\{\s*"(?!InvoiceRows")[^"\\]*"\s*:\s*\[\s*[{\]]')


def tells(start: bytes) -> bool:
    """Whether these first bytes are enough to tell the form, and whether it is packed."""
    if len(start) < _SIGNATURE:
        return False
    text = start.removeprefix(_BOM).lstrip()
    lines = 2 if _for_excel.match(text[: _SIGNATURE + 1].decode("latin-1")) else 1
    return text.startswith(b"[") or text.count(b"\n") >= lines or len(start) >= LOOK or packing_of(start) is not None


def format_of(start: bytes, name: str, wanted: str = "auto") -> Format:
    """The form of an input that starts like this, unpacked; `name` is `-` for standard input.

    What is `wanted` counts, else what the name says, else what is seen. Raises `CannotReadOn` for what has none of
    these forms, with what to do about it.
    """
    format_ = None if wanted == "auto" else Format(wanted)
    if format_ is Format.PARQUET or (format_ is None and start.startswith(_PARQUET)):
        return Format.PARQUET
    _refuse_others(start)
    format_ = format_ or named(name)
    if format_ is Format.CSV:
        _refuse_no_table(start)
    if format_ in (Format.CSV, Format.PARQUET):
        return format_
    if start.startswith(_UTF_16):
        if format_ is None and _is_header(start.decode("utf-16", "ignore")):
            return Format.CSV
        raise CannotReadOn("is UTF-16 or UTF-32: convert it to UTF-8 first")
    _refuse_binary(start)
    if format_ is None:
        _refuse_no_table(start)
    return format_ or _seen(start.removeprefix(_BOM).lstrip(), name)


def named(name: str) -> Format | None:
    """What the ending of a name says, before one that says how it is packed."""
    return _ENDINGS.get(_ending(name))


def _ending(name: str) -> str:
    name = name.lower()
    for packed in _PACKED_ENDINGS:
        name = name.removesuffix(packed)
    return name[name.rfind(".") :] if "." in name else ""


def _seen(text: bytes, name: str) -> Format:
    if text.startswith(b"["):
        return Format.JSON
    if text.startswith(b"{"):
        if _around_an_array.match(text) or text.split(b"\n", 1)[0].strip() == b"{":
            raise CannotReadOn(
                "is one JSON object over all, or over several lines: hand in the array of the invoices alone, or one"
                " invoice a line (if it is JSON Lines all the same: input_format)"
            )
        return Format.JSONL
    return Format.CSV if _is_header(text.decode("latin-1")) or _ending(name) == ".txt" else Format.JSONL


def _is_header(text: str) -> bool:
    lines = [line for line in text[:LOOK].lstrip("\ufeff").splitlines() if line]
    if lines and _for_excel.match(lines[0]):
        del lines[0]
    return bool(lines) and _header.search(lines[0]) is not None


def _refuse_others(start: bytes) -> None:
    for signature, why in _OTHERS.items():
        if start.startswith(signature):
            raise CannotReadOn(why)
    if packing_of(start):
        raise CannotReadOn("holds a file that is packed once more: unpack it first")
    if start.startswith(_TAR, _TAR_AT):
        raise CannotReadOn("is a tar archive: unpack it first")


def _refuse_binary(start: bytes) -> None:
    text = start.removeprefix(_BOM).lstrip()
    if b"\0" in start[:_SIGNATURE] or (b"\0" in start[:1024] and not text.startswith((b"{", b"["))):
        raise CannotReadOn("is a binary file: it has no form that can be read")


def _refuse_no_table(start: bytes) -> None:
    text = start.removeprefix(_BOM).lstrip()
    if text.startswith(b"<"):
        raise CannotReadOn("is HTML or XML: save it as CSV")
    if b"\r" in text and b"\n" not in text and not text.startswith((b"{", b"[")):
        raise CannotReadOn("ends its lines with carriage returns alone: tr '\\r' '\\n' < FILE makes lines of them")


# -- what reads them


def form_of(format_: Format, settings: "Settings") -> Form:
    """A new reader of that form, as the settings say. Parquet has none: it is not read from its beginning to its end.

    Raises `CannotReadOn` where the library for it is missing.
    """
    longest = settings.chunk_bytes - 2  # with the brackets of the array around it that travels
    if format_ is Format.JSON:
        return _json_array(longest, settings.allow_unknown_fields)
    if format_ is Format.CSV:
        return Csv(
            longest,
            settings.allow_unknown_fields,
            delimiter=settings.csv_delimiter,
            decimal=settings.csv_decimal,
            encoding=settings.csv_encoding,
        )
    return JsonLines(longest, settings.allow_unknown_fields)


def without_mark(start: bytes, format_: Format) -> bytes:
    """The first bytes as the form is to have them: CSV knows what to do with a byte order mark."""
    return start if format_ is Format.CSV else start.removeprefix(_BOM)


def _json_array(longest: int, allow_unknown_fields: bool) -> Form:
    try:
        from cashin_async.sources.jsonarray import BACKEND, FAST_BACKEND, JsonArray
    except ModuleNotFoundError as error:
        if error.name != "ijson":
            raise
        raise CannotReadOn(f"is a JSON array, which needs: {INSTALL_IJSON}") from None
    if BACKEND != FAST_BACKEND:
        _warn_of_slow(BACKEND)
    return JsonArray(longest, allow_unknown_fields)


@cache
def _warn_of_slow(backend: str) -> None:
    warnings.warn(
        f"ijson has only its slow backend {backend!r} here: JSON arrays take several times as long. Its wheels bring"
        f" the fast one: {INSTALL_IJSON} --force-reinstall",
        RuntimeWarning,
        stacklevel=1,
    )
