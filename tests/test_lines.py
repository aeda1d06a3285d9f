"""Blocks of bytes into lines: nothing is lost, nothing too long is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.sources.lines import LineSplitter


def split(blocks: list[bytes], longest: int) -> list[bytes | None]:
    splitter = LineSplitter(longest)
    return [line for block in blocks for line in splitter.feed(block)] + splitter.end()


def model(data: bytes, longest: int) -> list[bytes | None]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line if len(line) <= longest else None for line in lines]


_blocks = st.lists(st.text("ab\n", max_size=12).map(str.encode), max_size=12)


@given(_blocks, st.integers(1, 8))
def test_wherever_the_blocks_are_cut_the_lines_are_the_same(blocks: list[bytes], longest: int) -> None:
    assert split(blocks, longest) == model(b"".join(blocks), longest)


@pytest.mark.parametrize(
    ("blocks", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"one"], [b"one"]),
        ([b"one\n"], [b"one"]),
        ([b"one\ntwo"], [b"one", b"two"]),
        ([b"on", b"e\ntw", b"o\n"], [b"one", b"two"]),
        ([b"\n\n"], [b"", b""]),
        ([b"12345\n"], [b"12345"]),
        ([b"123456\n1"], [None, b"1"]),
        ([b"123456"], [None]),
        ([b"123", b"456", b"789\n1\n"], [None, b"1"]),
        ([b"123456", b"7"], [None]),
        ([b"123456", b"\n", b"1"], [None, b"1"]),
        ([b"123456", b"7\n234567"], [None, None]),
        ([b"12345\r\n"], [None]),
    ],
)
def test_lines_of_five_bytes_at_most(blocks: list[bytes], lines: list[bytes | None]) -> None:
    assert split(blocks, 5) == lines


def test_a_line_comes_as_soon_as_it_ends() -> None:
    splitter = LineSplitter(100)
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.feed(b"o\n") == [b"two"]
    assert splitter.end() == []


def test_a_line_without_end_is_not_held() -> None:
    splitter = LineSplitter(10)
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
    held = [value for value in vars(splitter).values() if isinstance(value, bytes)]
    assert sum(map(len, held)) <= 10
    assert splitter.feed(b"\nnext\n") == [None, b"next"]
