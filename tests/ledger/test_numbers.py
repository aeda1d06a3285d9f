"""The index of numbers: what a dict would say, in sixteen bytes an invoice."""

import random
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.ledger.numbers import Claim, NumberIndex

LAST = 2**63 - 1


class SmallBlocks(NumberIndex):
    """The same with blocks so small that a short test splits many of them."""

    _FULL = 2


def model(claims: Sequence[tuple[int, int]]) -> list[Claim]:
    known: dict[int, int] = {}
    said = []
    for number, content in claims:
        if number not in known:
            said.append(Claim.NEW)
        else:
            said.append(Claim.SAME if known[number] == content else Claim.OTHER)
        known.setdefault(number, content)
    return said


def check(index: NumberIndex, claims: Sequence[tuple[int, int]]) -> None:
    said = model(claims)
    assert [index.claim(number, content) for number, content in claims] == said
    assert len(index) == said.count(Claim.NEW)


_numbers = st.one_of(st.integers(1, 40), st.integers(1, LAST))
_any_claims = st.lists(st.tuples(_numbers, st.integers(-1, 1)))


@given(_any_claims)
def test_it_says_what_a_dict_would(claims: list[tuple[int, int]]) -> None:
    check(NumberIndex(), claims)


@given(_any_claims)
def test_it_says_what_a_dict_would_across_many_small_blocks(claims: list[tuple[int, int]]) -> None:
    check(SmallBlocks(), claims)


ORDERS: dict[str, Callable[[int], int]] = {
    "rising": lambda place: place + 1,
    "falling": lambda place: 20_000 - place,
    "rising from both ends": lambda place: place if place % 2 else 20_000 - place,
    "rising with gaps filled later": lambda place: place * 2 if place < 5_000 else (place - 5_000) * 2 + 1,
    "always in the middle": lambda place: 10_000 + (place if place % 2 else -place),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("blocks", [NumberIndex, SmallBlocks])
def test_in_every_order_each_is_new_once(order: Callable[[int], int], blocks: type[NumberIndex]) -> None:
    numbers = [order(place) for place in range(10_000)]
    index = blocks()
    check(index, [(number, number) for number in [*numbers, *numbers]])
    assert max(map(len, index._numbers)) <= 2 * index._FULL, "an insertion would move more than a block"


@given(st.integers(0, 2**32), st.integers(3_000, 6_000), st.sampled_from([500, 5_000, 2**63]))
def test_large_shuffled_inputs_with_repetitions(seed: int, count: int, largest: int) -> None:
    chance = random.Random(seed)
    check(NumberIndex(), [(chance.randrange(largest), chance.randrange(2)) for _ in range(count)])


@pytest.mark.parametrize("number", [1, LAST])
@pytest.mark.parametrize("digest", [-(2**63), 2**63 - 1])
def test_the_ends_of_the_range_are_kept(number: int, digest: int) -> None:
    index = NumberIndex()
    assert index.claim(number, digest) is Claim.NEW
    assert index.claim(number, digest) is Claim.SAME
    assert index.claim(number, 0) is Claim.OTHER
    assert (index.get(number), index.largest) == (digest, number)


def test_a_conflict_does_not_change_what_is_known() -> None:
    index = NumberIndex()
    index.claim(7, 1)
    assert index.claim(7, 2) is Claim.OTHER
    assert index.claim(7, 1) is Claim.SAME
    assert len(index) == 1


_batches = st.lists(st.dictionaries(_numbers, st.integers(-3, 3), max_size=9))


@given(_batches, st.sampled_from([NumberIndex, SmallBlocks]), st.booleans())
def test_putting_many_at_once_is_putting_one_after_the_other(
    batches: list[dict[int, int]], blocks: type[NumberIndex], rising: bool
) -> None:
    index, known = blocks(), dict[int, int]()
    for batch in batches:
        items = sorted(batch.items()) if rising else list(batch.items())
        index.put_all([number for number, _ in items], [digest for _, digest in items])
        known.update(batch)
    assert {number: index.get(number) for number in known} == known
    assert list(index.above(0)) == sorted(known)
    assert (len(index), index.largest) == (len(known), max(known, default=0))
    assert max(map(len, index._numbers), default=0) <= 2 * index._FULL
    assert index._largest == [numbers[-1] for numbers in index._numbers]


@given(st.lists(_numbers, unique=True), _numbers)
def test_numbers_above_another_are_given_in_order(numbers: list[int], bound: int) -> None:
    index = SmallBlocks()
    for number in numbers:
        index.put(number, 1)
    assert list(index.above(bound)) == sorted(number for number in numbers if number > bound)


def test_what_was_never_claimed_has_no_digest() -> None:
    index = NumberIndex()
    assert (index.get(5), index.largest) == (None, 0)
    index.put_all([4, 6], [40, 60])
    assert (index.get(3), index.get(5), index.get(7)) == (None, None, None)
    index.put(4, 41)
    assert (index.get(4), len(index)) == (41, 2)


def bytes_an_invoice(numbers: Sequence[int], at_once: int = 1) -> float:
    """Memory that an index of `numbers` takes, once all are claimed, or put `at_once`."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        index = NumberIndex()
        for start in range(0, len(numbers), at_once):
            some = numbers[start : start + at_once]
            if at_once == 1:
                index.claim(some[0], some[0] ^ 0x5DEECE66D)
            else:
                index.put_all(some, some)
        return (tracemalloc.get_traced_memory()[0] - before) / len(index)
    finally:
        tracemalloc.stop()


def test_rising_numbers_take_seventeen_bytes_at_most() -> None:
    numbers = range(251_600_000, 251_800_000)
    assert 16 <= bytes_an_invoice(numbers) <= 17
    assert 16 <= bytes_an_invoice(numbers, at_once=100) <= 17


def test_shuffled_numbers_take_eighteen_bytes_at_most() -> None:
    chance = random.Random(1)
    assert 16 <= bytes_an_invoice([chance.getrandbits(60) for _ in range(200_000)]) <= 18
