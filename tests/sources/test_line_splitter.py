"""`LineSplitter` against `bytes.split`, whatever the blocks."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cashin_async.sources.lines import LineSplitter
from tests.sources.conftest import dripping, files_of, line, places


def cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """`data` in blocks that end at these places."""
    edges = [0, *sorted(min(place, len(data)) for place in at), len(data)]
    return [data[low:high] for low, high in itertools.pairwise(edges) if low < high]


def split(blocks: Iterable[bytes], longest: int) -> list[bytes | None]:
    splitter = LineSplitter(longest)
    lines = [one for block in blocks for one in splitter.feed(block)]
    return lines + splitter.end()


def expected(data: bytes, longest: int) -> list[bytes | None]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [one if len(one) <= longest else None for one in lines]


DATA = st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"x")), max_size=30).map(b"\n".join)


@given(data=DATA, at=st.lists(st.integers(0, 1300), max_size=40), longest=st.integers(1, 45))
@example(data=b"", at=[], longest=1)
@example(data=b"\n\n\n", at=[1, 2], longest=1)
@example(data=b"abcdef", at=[2, 4], longest=3)
@example(data=b"abcdef\nab", at=[2, 4, 6, 7], longest=3)
@example(data=b"abc\nabcd\nabc", at=range(12), longest=3)
def test_lines_are_those_of_bytes_split(data: bytes, at: list[int], longest: int) -> None:
    assert split(cut(data, at), longest) == expected(data, longest)


@given(data=DATA, longest=st.integers(1, 45))
def test_byte_by_byte(data: bytes, longest: int) -> None:
    assert split((data[index : index + 1] for index in range(len(data))), longest) == expected(data, longest)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_places_whatever_the_reads_return(block: int, end: str) -> None:
    """A pipe gives what is in it just now: no border between two reads may show."""
    lines = [line(1), b"", b"x" * 50, line(2), b"   ", "{ä".encode(), line(3)]
    given_lines = end.encode().join(lines)
    source = files_of("-", stdin=dripping(given_lines, block))
    assert await places(source) == [
        ("<stdin>:1", 1),
        ("<stdin>:3", None),
        ("<stdin>:4", 2),
        ("<stdin>:6", None),
        ("<stdin>:7", 3),
    ]


@pytest.mark.parametrize("block", [1, 2, 3, 4, 1000])
async def test_a_byte_order_mark_whatever_the_reads_return(block: int) -> None:
    source = files_of("-", stdin=dripping(b"\xef\xbb\xbf" + line(1) + b"\n" + line(2), block))
    assert await places(source) == [("<stdin>:1", 1), ("<stdin>:2", 2)]
    assert source.problems == []


@pytest.mark.parametrize("block", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x1f\x8b\x08\x00rest\nof it", "gzip"),
        (b"\x28\xb5\x2f\xfdrest\nof it", "zstd"),
        ("{}\n{}".encode("utf-16"), "UTF-16"),
    ],
    ids=["gzip", "zstd", "utf-16"],
)
async def test_other_forms_are_recognised_whatever_the_reads_return(block: int, data: bytes, word: str) -> None:
    source = files_of("-", stdin=dripping(data, block))
    assert await places(source) == []
    assert [word in str(problem) for problem in source.problems] == [True]
