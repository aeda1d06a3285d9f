"""The index of numbers: what a dict would say, in sixteen bytes an invoice."""

import hashlib
import random
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.numbers import Claim, NumberIndex, digest


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


_any_claims = st.lists(st.tuples(st.one_of(st.integers(0, 40), st.integers(0, 2**64 - 1)), st.integers(0, 2)))


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


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1, 2**64 - 1])
def test_the_ends_of_the_range_are_kept(number: int) -> None:
    index = NumberIndex()
    assert index.claim(number, 2**64 - 1) is Claim.NEW
    assert index.claim(number, 2**64 - 1) is Claim.SAME
    assert index.claim(number, 0) is Claim.OTHER


def test_a_conflict_does_not_change_what_is_known() -> None:
    index = NumberIndex()
    index.claim(7, 1)
    assert index.claim(7, 2) is Claim.OTHER
    assert index.claim(7, 1) is Claim.SAME
    assert len(index) == 1


def test_the_digest_is_eight_bytes_of_the_sha256() -> None:
    encoded = b'{"InvoiceNumber":1}'
    assert digest(encoded).to_bytes(8) == hashlib.sha256(encoded).digest()[:8]


def bytes_an_invoice(numbers: Sequence[int]) -> float:
    """Memory that an index of `numbers` takes, once all are claimed."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        index = NumberIndex()
        for number in numbers:
            index.claim(number, number ^ 0x5DEECE66D)
        return (tracemalloc.get_traced_memory()[0] - before) / len(index)
    finally:
        tracemalloc.stop()


def test_rising_numbers_take_seventeen_bytes_at_most() -> None:
    assert 16 <= bytes_an_invoice(range(251_600_000, 251_800_000)) <= 17


def test_shuffled_numbers_take_eighteen_bytes_at_most() -> None:
    chance = random.Random(1)
    assert 16 <= bytes_an_invoice([chance.getrandbits(60) for _ in range(200_000)]) <= 18
