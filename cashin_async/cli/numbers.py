"""Invoice numbers as people hand them over: a list, ranges, or a file."""

import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import click

from cashin_async.errors import InvalidInvoice
from cashin_async.models.wire import LARGEST_NUMBER, number_of

_LARGEST_RANGE = 1_000_000  # a slip of the finger makes a billion of them
_NUMBERS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*,?", re.ASCII)


def read_numbers(_: click.Context, __: click.Parameter, given: Sequence[str]) -> list["array[int]"]:
    """An option's values: numbers and ranges with commas between, or else a file, one number a line or JSON Lines."""
    try:
        return [array("q", _read(text)) for text in given]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read(text: str) -> Iterator[int]:
    if _NUMBERS.fullmatch(text):
        yield from _listed(text)
        return
    try:
        with _opened(text) as file:
            yield from _read_lines(file, "<stdin>" if text == "-" else text)
    except OSError as error:
        raise ValueError(f"{text}: {error.strerror}; and it is no list of numbers such as 1001,1005-1010") from None


def _opened(name: str) -> AbstractContextManager[Iterable[bytes]]:
    if name == "-":
        if sys.stdin is None:
            raise OSError(0, "standard input is closed")
        return nullcontext(sys.stdin.buffer)
    return open(name, "rb")


def _listed(text: str) -> Iterator[int]:
    for one in text.strip(",").split(","):
        first, _, last = one.partition("-")
        numbers = range(_valid(first), _valid(last or first) + 1)
        if not numbers:
            raise ValueError(f"{one} is no range: its end comes before its beginning")
        if len(numbers) > _LARGEST_RANGE:
            raise ValueError(f"{one} is a range of {len(numbers):,} numbers: name at most {_LARGEST_RANGE:,}")
        yield from numbers


def _valid(text: str) -> int:
    if not _is_valid(text):
        raise ValueError(f"{text[:40]} is not between 1 and {LARGEST_NUMBER}")
    return int(text)


def _is_valid(digits: str | bytes) -> bool:
    return len(digits) <= len(str(LARGEST_NUMBER)) and 0 < int(digits) <= LARGEST_NUMBER


def _read_lines(lines: Iterable[bytes], name: str) -> Iterator[int]:
    for place, line in enumerate(lines, 1):
        if stripped := (line.removeprefix(b"\xef\xbb\xbf") if place == 1 else line).strip():
            yield _number_on(stripped, f"{name}:{place}")


def _number_on(line: bytes, place: str) -> int:
    if line.isdigit() and _is_valid(line):
        return int(line)
    try:
        return number_of(line, allow_unknown_fields=True)
    except InvalidInvoice as error:
        why = f"{place} is neither an invoice number, from 1 to {LARGEST_NUMBER}, nor an invoice: {error.reason}"
        raise ValueError(why) from None
