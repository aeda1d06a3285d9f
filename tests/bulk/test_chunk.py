"""Invoices cut into request bodies: nobody is lost, nobody comes twice, limits hold."""

import json
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.chunk import Chunk, Chunker, Columns


@dataclass(frozen=True)
class Piece:
    """One invoice of a stream, with what the server teaches before it comes: nothing, or that a chunk is too large."""

    encoded: bytes
    too_large: int = 0
    """The length of a chunk that the server refuses now; 0 for none."""


def encoded(number: int, size: int = 0) -> bytes:
    return b'{"InvoiceNumber":%d,"X":"%s"}' % (number, b"x" * size)


def chunk_of(*sizes: int) -> Chunk:
    chunk = Chunk()
    for number, size in enumerate(sizes, 1):
        chunk.append(number, encoded(number, size), f"ref {number}")
    return chunk


def fed(chunker: Chunker, sizes: list[int]) -> list[Chunk]:
    chunks = []
    for number, size in enumerate(sizes, 1):
        chunks += chunker.add(number, encoded(number, size), f"ref {number}")
    return [*chunks, *chunker.rest()]


_sizes = st.lists(st.integers(0, 120), max_size=60)


@given(st.lists(_sizes, max_size=6), st.integers(1, 12), st.integers(25, 600), st.integers(1, 12), st.integers(0, 5))
def test_many_at_a_time_are_cut_like_one_by_one(
    batches: list[list[int]], invoices: int, size: int, first: int, taught: int
) -> None:
    """Also when the server teaches a lower limit between two batches."""
    one_by_one, together = Chunker(invoices, size, first), Chunker(invoices, size, first)
    expected: list[Chunk] = []
    got: list[Chunk] = []
    number = 0
    for place, sizes in enumerate(batches):
        numbers = [number := number + 1 for _ in sizes]
        lines = [encoded(each, length) for each, length in zip(numbers, sizes, strict=True)]
        if place == taught and got:
            one_by_one.learn(expected[-1])
            together.learn(got[-1])
        for each, line in zip(numbers, lines, strict=True):
            expected += one_by_one.add(each, line, f"ref {each}", -each)
        got += together.add_all(
            Columns(numbers, lines, [f"ref {each}" for each in numbers], [-each for each in numbers])
        )
    columns = [(chunk.numbers, chunk.encoded, chunk.refs, chunk.digests, chunk.size) for chunk in got + together.rest()]
    assert columns == [
        (chunk.numbers, chunk.encoded, chunk.refs, chunk.digests, chunk.size) for chunk in expected + one_by_one.rest()
    ]
    assert all(chunk.size == len(chunk.body()) for chunk in got)


@given(_sizes, st.integers(1, 12), st.integers(25, 600), st.integers(1, 12))
def test_every_invoice_is_in_exactly_one_chunk_and_every_limit_holds(
    sizes: list[int], invoices: int, size: int, first: int
) -> None:
    chunker = Chunker(invoices, size, first)
    kept = [length for length in sizes if not chunker.too_large(encoded(99, length))]
    chunks = fed(chunker, kept)
    assert [number for chunk in chunks for number in chunk.numbers] == list(range(1, len(kept) + 1))
    assert all(0 < len(chunk) <= invoices and chunk.size <= size for chunk in chunks)
    assert all(len(chunk) <= first for chunk in chunks[:1])


@given(_sizes, st.integers(1, 12), st.integers(40, 600), st.integers(1, 12))
def test_a_body_is_the_json_array_of_its_invoices_and_size_its_length(
    sizes: list[int], invoices: int, size: int, first: int
) -> None:
    chunks = fed(Chunker(invoices, size, first), sizes)
    sent = [invoice for chunk in chunks for invoice in json.loads(chunk.body())]
    assert sent == [json.loads(encoded(number, length)) for number, length in enumerate(sizes, 1)]
    for chunk in chunks:
        assert chunk.size == len(chunk.body())
        assert [invoice["InvoiceNumber"] for invoice in json.loads(chunk.body())] == chunk.numbers
        assert chunk.refs == [f"ref {number}" for number in chunk.numbers]


@given(_sizes, st.integers(2, 12), st.integers(60, 600))
def test_chunks_are_as_full_as_the_limits_allow(sizes: list[int], invoices: int, size: int) -> None:
    chunks = fed(Chunker(invoices, size, invoices), sizes)
    for chunk, following in pairwise(chunks):
        assert len(chunk) == invoices or chunk.size + 1 + len(following.encoded[0]) > size


def test_the_first_chunk_is_small_and_the_others_are_not() -> None:
    assert [len(chunk) for chunk in fed(Chunker(100, 10**6, 10), [0] * 250)] == [10, 100, 100, 40]


def test_the_first_chunk_is_no_larger_than_the_others() -> None:
    assert [len(chunk) for chunk in fed(Chunker(3, 10**6, 10), [0] * 7)] == [3, 3, 1]


def test_a_full_chunk_does_not_wait_for_the_next_invoice() -> None:
    chunker = Chunker(2, 10**6, 2)
    assert chunker.add(1, encoded(1), None) == []
    assert [chunk.numbers for chunk in chunker.add(2, encoded(2), None)] == [[1, 2]]
    assert chunker.rest() == []


def test_one_invoice_may_complete_two_chunks() -> None:
    chunker = Chunker(5, 200, 5)
    chunker.add(1, encoded(1, 50), None)
    chunker.learn(chunk_of(0, 0))
    assert [chunk.numbers for chunk in chunker.add(2, encoded(2, 150), None)] == [[1], [2]]


def test_nothing_in_nothing_out() -> None:
    assert Chunker(5, 200, 5).rest() == []


@pytest.mark.parametrize(("more", "too_large"), [(0, False), (1, True)])
def test_an_invoice_is_too_large_when_its_body_alone_is(more: int, too_large: bool) -> None:
    chunk = chunk_of(10)
    assert Chunker(5, len(chunk.body()), 5).too_large(encoded(1, 10 + more)) is too_large


@pytest.mark.parametrize(("more", "chunks"), [(0, 1), (1, 2)])
def test_the_size_limit_is_the_bodys_to_the_byte(more: int, chunks: int) -> None:
    limit = len(chunk_of(10, 20, 30).body())
    assert len(fed(Chunker(5, limit, 5), [10, 20, 30 + more])) == chunks


# -- what the server teaches


def test_a_refused_chunk_teaches_half_its_count() -> None:
    chunker = Chunker(100, 10**6, 100)
    chunker.learn(chunk_of(*[50] * 9))
    assert [len(chunk) for chunk in fed(chunker, [0] * 12)] == [5, 5, 2]


def test_a_refused_chunk_teaches_half_its_bytes() -> None:
    chunker = Chunker(100, 10**6, 100)
    refused = chunk_of(*[100] * 20)
    chunker.learn(refused)
    assert all(chunk.size <= refused.size // 2 + 1 for chunk in fed(chunker, [300] * 9))


def test_a_count_that_was_learned_is_never_unlearned() -> None:
    chunker = Chunker(100, 10**6, 100)
    chunker.learn(chunk_of(*[900] * 4))
    chunker.learn(chunk_of(*[500] * 50))
    assert [len(chunk) for chunk in fed(chunker, [0] * 5)] == [2, 2, 1]


def test_a_size_that_was_learned_is_never_unlearned() -> None:
    chunker = Chunker(100, 10**6, 100)
    refused = chunk_of(*[0] * 50)
    chunker.learn(refused)
    chunker.learn(chunk_of(*[900] * 60))
    assert all(chunk.size <= refused.size // 2 + 1 for chunk in fed(chunker, [100] * 20))


def test_lessons_come_down_to_single_invoices_and_no_further() -> None:
    chunker = Chunker(100, 10**6, 100)
    for _ in range(12):
        chunker.learn(chunk_of(0, 0))
    assert [len(chunk) for chunk in fed(chunker, [0, 900, 0])] == [1, 1, 1]


def test_an_invoice_above_a_learned_size_goes_alone_and_is_not_invalid() -> None:
    chunker = Chunker(100, 1000, 100)
    chunker.learn(chunk_of(0, 0))
    assert not chunker.too_large(encoded(1, 500))
    assert [len(chunk) for chunk in fed(chunker, [500, 500])] == [1, 1]


@pytest.mark.parametrize(
    ("sizes", "fits"), [([0, 0], True), ([0, 0, 0], False), ([0, 400], False), ([400], True), ([0], True)]
)
def test_a_chunk_cut_earlier_fits_or_does_not(sizes: list[int], fits: bool) -> None:
    chunker = Chunker(100, 10**6, 100)
    assert chunker.fits(chunk_of(*sizes))
    chunker.learn(chunk_of(50, 50, 50, 50))
    assert chunker.fits(chunk_of(*sizes)) is fits


_pieces = st.builds(Piece, st.integers(0, 60).map(lambda size: encoded(7, size)), st.sampled_from([0, 0, 0, 0, 3, 6]))


@given(st.lists(_pieces, max_size=60), st.integers(1, 12), st.integers(100, 600))
def test_a_chunk_begun_after_a_lesson_heeds_it(pieces: list[Piece], invoices: int, size: int) -> None:
    chunker = Chunker(invoices, size, invoices)
    chunks: list[Chunk] = []
    begun_at, taught_at = 0, -1
    for place, piece in enumerate(pieces):
        if piece.too_large:
            chunker.learn(chunk_of(*[0] * piece.too_large))
            taught_at = place
        done = chunker.add(place, piece.encoded, None)
        for chunk in done:
            assert begun_at < taught_at or chunker.fits(chunk)
            begun_at = chunk.numbers[-1] + 1
        chunks += done
    chunks += chunker.rest()
    assert [number for chunk in chunks for number in chunk.numbers] == list(range(len(pieces)))


# -- pieces


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.data())
def test_a_split_keeps_everything(sizes: list[int], data: st.DataObject) -> None:
    chunk = chunk_of(*sizes)
    chunk.attempts, chunk.in_doubt, chunk.sent = 3, True, True
    first = data.draw(st.integers(0, len(sizes)))
    for parts in (chunk.split(first), chunk.halves()):
        assert [number for part in parts for number in part.numbers] == chunk.numbers
        assert [ref for part in parts for ref in part.refs] == chunk.refs
        assert [invoice for part in parts for invoice in part.encoded] == chunk.encoded
        assert all((part.attempts, part.in_doubt, part.sent) == (3, True, True) for part in parts)
        assert all(part.size == len(part.body()) for part in parts if len(part))
    assert len(chunk.split(first)[0]) == first


@pytest.mark.parametrize(("count", "halves"), [(2, (1, 1)), (3, (2, 1)), (10, (5, 5)), (1, (1, 0))])
def test_halves_are_halves(count: int, halves: tuple[int, int]) -> None:
    first, second = chunk_of(*[0] * count).halves()
    assert (len(first), len(second)) == halves


def test_a_piece_is_marked_without_its_sibling() -> None:
    first, second = chunk_of(0, 0).halves()
    first.in_doubt = True
    first.append(9, b"{}", None)
    assert (second.in_doubt, second.numbers) == (False, [2])


@pytest.mark.parametrize("places", [[], [0], [1, 2], [2, 0], [0, 1, 2]])
def test_columns_without_some(places: list[int]) -> None:
    columns = Columns([1, 2, 3], [b"a", b"b", b"c"], range(3), [-1, -2, -3])
    left = columns.without(places)
    assert list(zip(*left, strict=True)) == [
        row for place, row in enumerate(zip(*columns, strict=True)) if place not in places
    ]
