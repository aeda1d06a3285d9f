"""Who has which number: one holder each, waiters woken, nothing left behind."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Known, NumberState
from cashin_async.ledger.claims import Claims
from cashin_async.ledger.memory import MemoryLedger

ONE, OTHER = object(), object()


async def accepted(ledger: MemoryLedger, *numbers: int) -> None:
    await ledger.note("run-1", NumberState.ACCEPTED, None, dict.fromkeys(numbers, 7))


async def test_a_new_number_is_the_holders() -> None:
    claims = Claims(MemoryLedger())
    assert await claims.claim(ONE, [1, 2], [10, 20]) == [None, None]
    assert claims.holds(ONE, 1)
    assert await claims.claim(OTHER, [2, 3], [21, 30]) == [(ONE, 20), None]
    assert not claims.holds(OTHER, 2)


async def test_what_is_on_record_is_told_and_held() -> None:
    ledger = MemoryLedger()
    await accepted(ledger, 5)
    claims = Claims(ledger)
    found = await claims.claim(ONE, [4, 5, 6], [1, 1, 1])
    assert found == [None, Known(NumberState.ACCEPTED, 7, ""), None]
    assert claims.holds(ONE, 5)


async def test_a_number_twice_in_one_call_is_held_by_its_first() -> None:
    claims = Claims(MemoryLedger())
    assert await claims.claim(ONE, [1, 1], [10, 11]) == [None, (ONE, 10)]


async def test_whoever_waits_is_woken_by_the_release() -> None:
    claims = Claims(MemoryLedger())
    await claims.claim(ONE, [1, 2], [10, 20])
    waiting = [asyncio.create_task(claims.released(1)) for _ in range(3)]
    await asyncio.sleep(0)
    claims.release([2])
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    claims.release([1])
    async with asyncio.timeout(1):
        await asyncio.gather(*waiting)
        await claims.released(1)  # nobody has it: at once


async def test_a_waiter_that_gives_up_leaves_the_others_waiting() -> None:
    claims = Claims(MemoryLedger())
    await claims.claim(ONE, [1], [10])
    patient, hasty = asyncio.create_task(claims.released(1)), asyncio.create_task(claims.released(1))
    await asyncio.sleep(0)
    hasty.cancel()
    await asyncio.sleep(0)
    claims.release([1])
    async with asyncio.timeout(1):
        await patient


async def test_a_holder_that_is_cut_off_lets_go_of_everything() -> None:
    claims = Claims(MemoryLedger())
    await claims.claim(ONE, [1, 2], [10, 20])
    await claims.claim(OTHER, [3], [30])
    claims.abandon(ONE)
    assert [claims.holds(ONE, 1), claims.holds(ONE, 2), claims.holds(OTHER, 3)] == [False, False, True]


class Broken(MemoryLedger):
    async def known(self, numbers: Sequence[int]) -> Mapping[int, Known]:
        raise LedgerError("cannot be read")


async def test_what_cannot_be_looked_up_is_not_held() -> None:
    claims = Claims(Broken())
    with pytest.raises(LedgerError):
        await claims.claim(ONE, [1], [10])
    assert not claims.holds(ONE, 1)


class Slow(MemoryLedger):
    async def known(self, numbers: Sequence[int]) -> Mapping[int, Known]:
        await asyncio.sleep(0)
        return await super().known(numbers)


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), max_size=6))
def test_a_number_has_one_holder_however_many_claim_it_at_once(wanted: list[list[int]]) -> None:
    async def race() -> None:
        claims = Claims(Slow())
        holders = [object() for _ in wanted]
        found = await asyncio.gather(
            *[claims.claim(holder, numbers, numbers) for holder, numbers in zip(holders, wanted, strict=True)]
        )
        got = [
            number
            for numbers, answers in zip(wanted, found, strict=True)
            for number, answer in zip(numbers, answers, strict=True)
            if answer is None
        ]
        assert sorted(got) == sorted({number for numbers in wanted for number in numbers})

    asyncio.run(race())
