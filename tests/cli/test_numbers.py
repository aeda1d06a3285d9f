"""Invoice numbers as people hand them over to `settle`."""

import io
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.cli.numbers import read_numbers
from tests.cli.conftest import MARKER, invoice

LARGEST = 2**63 - 1


def read(*given: str) -> list[int]:
    context: Any = None
    return [number for numbers in read_numbers(context, context, given) for number in numbers]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7", [7]),
        ("7,9,", [7, 9]),
        ("7-9,3", [7, 8, 9, 3]),
        ("7-7", [7]),
        (f"{LARGEST - 1}-{LARGEST}", [LARGEST - 1, LARGEST]),
    ],
)
def test_lists_and_ranges(text: str, numbers: list[int]) -> None:
    assert read(text) == numbers


def test_several_of_them(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_text("5\n")
    assert read("1-2", str(path), "9") == [1, 2, 5, 9]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0", "0 is not between 1 and 9223372036854775807"),
        (str(LARGEST + 1), "is not between"),
        ("9" * 5000, "is not between"),
        ("1-" + "9" * 5000, "is not between"),
        ("9-8", "9-8 is no range"),
        ("1-1000001", "a range of 1,000,001 numbers"),
        ("1,x", "1,x: No such file or directory; and it is no list of numbers such as 1001,1005-1010"),
        ("1;2", "No such file"),
        ("-5", "No such file"),
        ("", "No such file"),
        ("/", "Is a directory"),
        ("a\0b", "null"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    with pytest.raises(click.BadParameter, match=why):
        read(text)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(b"\xef\xbb\xbf 12\r\n\n13\n" + invoice(14, ',"Own":{"InvoiceNumber":99}') + b"\n  15  ")
    assert read(str(path)) == [12, 13, 14, 15]


@pytest.mark.parametrize(
    "line",
    [
        MARKER.encode(),
        b"12 13",
        b"0",
        b'"12"',
        b"{}",
        f'{{"InvoiceNumber":"{MARKER}"}}'.encode(),
        b'{"InvoiceNumber":1,"InvoiceNumber":2}',
        b"\xff",
        b"9" * 5000,
    ],
)
def test_a_line_that_holds_none(tmp_path: Path, line: bytes) -> None:
    """Nothing is settled by a file that cannot be read as a whole, and what is in it is not repeated."""
    path = tmp_path / "numbers.txt"
    path.write_bytes(b"12\n" + line)
    with pytest.raises(click.BadParameter) as raised:
        read(str(path))
    assert f"{path}:2" in raised.value.message
    assert MARKER not in raised.value.message
    assert len(raised.value.message) < 250


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"7\n8")))
    assert read("-") == [7, 8]
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.BadParameter, match="closed"):
        read("-")


@given(st.lists(st.integers(1, LARGEST), min_size=1))
def test_whatever_is_listed_is_read(numbers: list[int]) -> None:
    assert read(",".join(map(str, numbers))) == numbers
