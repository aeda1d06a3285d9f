"""What every ledger promises, whatever it is written to."""

import asyncio
from collections.abc import Sequence

import pytest

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, Known, Ledger, NumberState, Part
from tests.ledger.conftest import LATER, RUN, batch

ACCEPTED, REJECTED, UNKNOWN, UNSENT = (
    NumberState.ACCEPTED,
    NumberState.REJECTED,
    NumberState.UNKNOWN,
    NumberState.UNSENT,
)


async def leased(ledger: Ledger, *numbers: int, run: str = RUN) -> int:
    (lease,) = await ledger.lease(run, [batch(*numbers)])
    return lease


async def ended(ledger: Ledger, state: NumberState, *numbers: int, run: str = RUN, reason: str | None = None) -> None:
    """Numbers that went out and ended alike."""
    await ledger.settle(await ledger.post(await leased(ledger, *numbers, run=run)), [Part(state, reason)])


async def states(ledger: Ledger, *numbers: int) -> list[NumberState | None]:
    known = await ledger.known(numbers)
    return [known[number].state if number in known else None for number in numbers]


# -- leases


async def test_nothing_is_known_of_a_new_number(ledger: Ledger) -> None:
    assert await ledger.known([1, 2**63 - 1]) == {}
    assert await ledger.known([]) == {}


async def test_a_lease_is_on_record_with_digests_and_run(ledger: Ledger) -> None:
    await ledger.lease(RUN, [([3, 1], [-(2**63), 10]), ([2], [2**63 - 1])])
    assert await ledger.known([1, 2, 3, 4]) == {
        1: Known(NumberState.LEASED, 10, RUN),
        2: Known(NumberState.LEASED, 2**63 - 1, RUN),
        3: Known(NumberState.LEASED, -(2**63), RUN),
    }


async def test_numbers_and_digests_may_be_of_any_sequence(ledger: Ledger) -> None:
    from array import array

    numbers: Sequence[int] = array("q", range(100, 700))
    (lease,) = await ledger.lease(RUN, [(numbers, array("q", numbers))])
    part = await ledger.post(lease, array("q", range(100, 300)))
    await ledger.settle(part, [Part(REJECTED, "no", array("q", [100, 150])), Part(ACCEPTED)])
    known = await ledger.known(numbers)
    assert [known[number].digest for number in numbers] == list(numbers)
    assert await ledger.in_state(REJECTED) == [100, 150]


async def test_a_post_is_marked(ledger: Ledger) -> None:
    lease = await leased(ledger, 1, 2)
    assert await ledger.post(lease) == lease
    assert await ledger.known([1, 2]) == {
        1: Known(NumberState.POSTING, -1000, RUN),
        2: Known(NumberState.POSTING, -2000, RUN),
    }


async def test_a_part_of_a_lease_goes_alone(ledger: Ledger) -> None:
    lease = await leased(ledger, 1, 2, 3)
    part = await ledger.post(lease, [2])
    assert part != lease
    assert await states(ledger, 1, 2, 3) == [NumberState.LEASED, NumberState.POSTING, NumberState.LEASED]
    await ledger.settle(part, [Part(REJECTED, "bad")])
    await ledger.settle(await ledger.post(lease), [Part(ACCEPTED)])
    assert await states(ledger, 1, 2, 3) == [ACCEPTED, REJECTED, ACCEPTED]


async def test_all_of_a_lease_as_a_part_is_the_lease(ledger: Ledger) -> None:
    lease = await leased(ledger, 1, 2)
    assert await ledger.post(lease, [2, 1]) == lease
    assert await states(ledger, 1, 2) == [NumberState.POSTING] * 2


async def test_what_is_taken_back_may_go_again(ledger: Ledger) -> None:
    lease = await ledger.post(await leased(ledger, 1))
    ledger.take_back(lease)
    assert await states(ledger, 1) == [NumberState.LEASED]
    await ledger.post(lease)
    assert await states(ledger, 1) == [NumberState.POSTING]


async def test_parts_of_a_lease_end_each_its_own_way(ledger: Ledger) -> None:
    lease = await ledger.post(await leased(ledger, 1, 2, 3, 4, 5))
    await ledger.settle(lease, [Part(ACCEPTED), Part(REJECTED, "bad", [2, 4]), Part(UNKNOWN, "lost", [5])])
    assert await states(ledger, 1, 2, 3, 4, 5) == [ACCEPTED, REJECTED, ACCEPTED, REJECTED, UNKNOWN]
    known = await ledger.known([2, 5])
    assert known == {2: Known(REJECTED, -2000, RUN, "bad"), 5: Known(UNKNOWN, -5000, RUN, "lost")}


async def test_what_is_named_in_no_part_stays_open(ledger: Ledger) -> None:
    lease = await ledger.post(await leased(ledger, 1, 2, 3))
    await ledger.settle(lease, [Part(ACCEPTED, None, [1])])
    await ledger.settle(lease, [])
    assert await states(ledger, 1, 2, 3) == [ACCEPTED, NumberState.POSTING, NumberState.POSTING]
    await ledger.settle(lease, [Part(UNSENT, "stopped", [3]), Part(ACCEPTED)])
    assert await states(ledger, 1, 2, 3) == [ACCEPTED, ACCEPTED, UNSENT]


async def test_parts_that_leave_nothing_end_the_lease(ledger: Ledger) -> None:
    lease = await ledger.post(await leased(ledger, 1, 2))
    await ledger.settle(lease, [Part(ACCEPTED, None, [1]), Part(REJECTED, "bad", [2]), Part(UNKNOWN)])
    assert await states(ledger, 1, 2) == [ACCEPTED, REJECTED]
    with pytest.raises(LedgerError, match="is not open"):
        await ledger.post(lease)


async def test_a_lease_that_has_ended_is_no_lease(ledger: Ledger) -> None:
    lease = await ledger.post(await leased(ledger, 1, 2))
    await ledger.settle(lease, [Part(ACCEPTED)])
    for write in (ledger.post(lease), ledger.post(lease, [1]), ledger.settle(lease, [Part(UNSENT)])):
        with pytest.raises(LedgerError, match="is not open"):
            await write
    assert await states(ledger, 1, 2) == [ACCEPTED, ACCEPTED]
    assert ledger.failure is None


@pytest.mark.parametrize("numbers", [[3], [1, 1], [1, 2, 3]])
async def test_a_lease_has_its_own_numbers_only(ledger: Ledger, numbers: list[int]) -> None:
    lease = await leased(ledger, 1, 2)
    await leased(ledger, 3)
    for write in (ledger.post(lease, numbers), ledger.settle(lease, [Part(ACCEPTED, None, numbers)])):
        with pytest.raises(LedgerError, match="does not hold"):
            await write
    assert await states(ledger, 1, 2, 3) == [NumberState.LEASED] * 3


# -- what may be leased


@pytest.mark.parametrize("batches", [[batch(1, 2, 1)], [batch(1, 2), batch(3, 2)]])
async def test_a_number_is_leased_once_only(ledger: Ledger, batches: list[tuple[Sequence[int], Sequence[int]]]) -> None:
    with pytest.raises(LedgerError, match="twice"):
        await ledger.lease(RUN, batches)
    assert await ledger.known([1, 2, 3]) == {}
    assert ledger.failure is None


async def test_what_must_not_be_sent_is_never_leased(ledger: Ledger) -> None:
    await ended(ledger, ACCEPTED, 1)
    await ended(ledger, UNKNOWN, 2)
    await leased(ledger, 3)
    await ledger.post(await leased(ledger, 4))
    for number in (1, 2, 3, 4):
        with pytest.raises(LedgerError, match=f"invoice {number} is [a-z]+ on record: it must not be sent"):
            await ledger.lease(LATER, [batch(8), batch(number, 9)])
    assert await states(ledger, 1, 2, 3, 4) == [ACCEPTED, UNKNOWN, NumberState.LEASED, NumberState.POSTING]
    assert await states(ledger, 8, 9) == [None, None], "a lease is all or nothing"


async def test_what_did_not_go_through_may_be_leased_anew(ledger: Ledger) -> None:
    await ended(ledger, REJECTED, 1, reason="bad")
    await ended(ledger, UNSENT, 2, reason="stopped")
    await ledger.note(RUN, NumberState.INVALID, "no date", {3: 30})
    await ended(ledger, UNKNOWN, 4)
    await ledger.decide(RUN, NumberState.RELEASED, "absent", [4])
    lease = await ledger.post(await leased(ledger, 1, 2, 3, 4, run=LATER))
    assert await states(ledger, 1, 2, 3, 4) == [NumberState.POSTING] * 4
    await ledger.settle(lease, [Part(ACCEPTED)])
    assert await ledger.in_state(ACCEPTED) == [1, 2, 3, 4]
    assert [known.digest for known in (await ledger.known([1, 2, 3, 4])).values()] == [-1000, -2000, -3000, -4000]


async def test_being_unsent_changes_nothing_that_is_known(ledger: Ledger) -> None:
    await ended(ledger, REJECTED, 1, reason="bad")
    await ledger.note(RUN, NumberState.INVALID, "no date", {2: None})
    await ended(ledger, UNKNOWN, 3)
    await ledger.decide(RUN, NumberState.RELEASED, "absent", [3])
    before = await ledger.known([1, 2, 3])
    (lease,) = await ledger.lease(LATER, [([4, 3, 2, 1], [44, 33, 22, 11])])
    assert [known.digest for known in (await ledger.known([1, 2, 3, 4])).values()] == [11, 22, 33, 44]
    part = await ledger.post(lease, [1, 4])
    ledger.take_back(part)
    await ledger.settle(part, [Part(UNSENT, "key refused")])
    await ledger.settle(lease, [Part(UNSENT, "key refused")])
    assert await ledger.known([1, 2, 3]) == before
    assert await ledger.known([4]) == {4: Known(UNSENT, 44, LATER, "key refused")}


async def test_what_was_known_together_is_restored_one_by_one(ledger: Ledger) -> None:
    await ended(ledger, REJECTED, 1, 2, 3, reason="bad")
    one, two = await leased(ledger, 1, run=LATER), await leased(ledger, 2, run=LATER)
    await ledger.settle(one, [Part(ACCEPTED)])
    await ledger.note(LATER, ACCEPTED, "by hand", {3: None})
    await ledger.settle(two, [Part(UNSENT, "stopped")])
    assert await ledger.known([2]) == {2: Known(REJECTED, -2000, RUN, "bad")}
    assert await states(ledger, 1, 3) == [ACCEPTED, ACCEPTED]


async def test_any_other_end_replaces_what_was_known(ledger: Ledger) -> None:
    await ended(ledger, REJECTED, 1, 2, 3, reason="bad")
    (lease,) = await ledger.lease(LATER, [([1, 2, 3], [11, 22, 33])])
    await ledger.settle(lease, [Part(REJECTED, "worse", [1]), Part(UNKNOWN, "lost", [2]), Part(ACCEPTED)])
    known = await ledger.known([1, 2, 3])
    assert (known[1], known[2]) == (Known(REJECTED, 11, LATER, "worse"), Known(UNKNOWN, 22, LATER, "lost"))
    assert (known[3].state, known[3].digest) == (ACCEPTED, 33)


# -- without a request


async def test_invalid_is_noted_only_where_nothing_else_is_known(ledger: Ledger) -> None:
    await ended(ledger, ACCEPTED, 1)
    await ended(ledger, REJECTED, 2)
    await ended(ledger, UNKNOWN, 3)
    await leased(ledger, 4)
    before = await ledger.known([1, 2, 3, 4])
    await ledger.note(RUN, NumberState.INVALID, "no date", dict.fromkeys((1, 2, 3, 4, 5), 50))
    assert await ledger.known([1, 2, 3, 4]) == before
    assert await ledger.known([5]) == {5: Known(NumberState.INVALID, 50, RUN, "no date")}
    await ledger.note(LATER, NumberState.INVALID, "no name", {5: None})
    assert await ledger.known([5]) == {5: Known(NumberState.INVALID, None, LATER, "no name")}


async def test_accepted_is_noted_by_hand_unless_it_is_to_be_decided(ledger: Ledger) -> None:
    await ended(ledger, ACCEPTED, 1)
    await ended(ledger, REJECTED, 2)
    await ended(ledger, UNKNOWN, 3)
    await leased(ledger, 4)
    before = await ledger.known([1, 3, 4])
    await ledger.note(LATER, ACCEPTED, "by hand", {1: None, 2: None, 3: None, 4: None, 5: 55})
    assert await ledger.known([1, 3, 4]) == before
    known = await ledger.known([2, 5])
    assert [(one.state, one.digest) for one in known.values()] == [(ACCEPTED, None), (ACCEPTED, 55)]
    assert await ledger.in_state(ACCEPTED) == [1, 2, 5]
    with pytest.raises(LedgerError):
        await ledger.lease(LATER, [batch(2)])
    await ledger.note(LATER, ACCEPTED, None, {})


async def test_only_the_unknown_are_decided(ledger: Ledger) -> None:
    await ended(ledger, UNKNOWN, 1, 2, 3, reason="lost")
    await ended(ledger, ACCEPTED, 4)
    await ended(ledger, REJECTED, 5)
    await ledger.post(await leased(ledger, 6))
    assert await ledger.decide(LATER, NumberState.RELEASED, "absent", [7, 6, 5, 4, 3, 3]) == [3]
    assert await ledger.decide(LATER, ACCEPTED, "found", [1, 3]) == [1]
    assert await ledger.decide(LATER, ACCEPTED, "found", [1, 3]) == []
    assert await states(ledger, 1, 2, 3, 4, 5) == [ACCEPTED, UNKNOWN, NumberState.RELEASED, ACCEPTED, REJECTED]
    known = await ledger.known([1, 3])
    assert known[3] == Known(NumberState.RELEASED, -3000, LATER, "absent")
    assert known[1].digest == -1000


async def test_a_run_that_is_cut_off_leaves_nothing_open(ledger: Ledger) -> None:
    await ended(ledger, REJECTED, 1, reason="bad")
    await leased(ledger, 1, 2)
    lease = await leased(ledger, 3, 4)
    await ledger.post(lease, [3])
    other = await leased(ledger, 5, run=LATER)
    await ledger.abandon(RUN)
    assert await states(ledger, 1, 2, 3, 4) == [REJECTED, UNSENT, UNKNOWN, UNSENT]
    await ledger.settle(await ledger.post(other), [Part(ACCEPTED)])
    await ledger.abandon(RUN)
    assert await states(ledger, 5) == [ACCEPTED]


# -- reading


async def test_numbers_in_a_state_come_in_pages(ledger: Ledger) -> None:
    for start in (500, 100, 300):
        await ended(ledger, UNKNOWN, *range(start, start + 50))
        await ended(ledger, ACCEPTED, *range(start + 50, start + 60))
    everything = [*range(100, 150), *range(300, 350), *range(500, 550)]
    assert await ledger.in_state(UNKNOWN) == everything
    assert await ledger.in_state(UNKNOWN, 120, 40) == [*range(121, 150), *range(300, 311)]
    assert await ledger.in_state(UNKNOWN, 549) == []
    assert await ledger.in_state(NumberState.RELEASED) == []
    assert await ledger.in_state(NumberState.PLANNED) == []


async def test_a_part_may_be_named_in_any_order(ledger: Ledger) -> None:
    lease = await leased(ledger, *range(400, 420))
    await ledger.settle(lease, [Part(UNKNOWN, None, [410, 401, 405]), Part(ACCEPTED)])
    assert await ledger.in_state(UNKNOWN) == [401, 405, 410]


@pytest.mark.parametrize("state", [NumberState.LEASED, NumberState.POSTING])
async def test_numbers_in_play_are_listed(ledger: Ledger, state: NumberState) -> None:
    await ended(ledger, REJECTED, 1)
    lease = await leased(ledger, 2, 1)
    if state is NumberState.POSTING:
        await ledger.post(lease)
    assert await ledger.in_state(state) == [1, 2]
    assert await ledger.in_state(REJECTED) == []


async def test_the_accepted_are_given_later_ones_first(ledger: Ledger) -> None:
    assert await ledger.recently_accepted() == []
    await ended(ledger, ACCEPTED, *range(900, 950))
    await ended(ledger, ACCEPTED, 5)
    await ended(ledger, UNKNOWN, 7)
    assert await ledger.recently_accepted(3) == [5, 949, 948]
    assert len(await ledger.recently_accepted()) == 10
    assert sorted(await ledger.recently_accepted(100)) == [5, *range(900, 950)]


# -- the rest


async def test_calls_may_overlap(ledger: Ledger) -> None:
    async def one(start: int) -> None:
        lease = await leased(ledger, *range(start, start + 10))
        part = await ledger.post(lease, [start])
        await ledger.post(lease)
        ledger.take_back(lease)
        await ledger.post(lease)
        await ledger.settle(part, [Part(REJECTED, "bad")])
        await ledger.settle(lease, [Part(ACCEPTED)])

    await asyncio.gather(*(one(start) for start in range(10_000, 0, -100)))
    assert len(await ledger.in_state(ACCEPTED, limit=10_000)) == 900
    assert len(await ledger.in_state(REJECTED)) == 100
    assert ledger.failure is None


async def test_facts_of_a_run_may_be_saved_again_and_again(ledger: Ledger) -> None:
    await ledger.save_run(RUN, {"read": 1})
    await ledger.save_run(RUN, {"read": 2, "ended": None})


async def test_the_first_key_is_admitted_again_and_again(ledger: Ledger) -> None:
    await ledger.admit_key("a-key")
    await ledger.admit_key("a-key")


async def test_it_may_be_closed_twice(ledger: Ledger) -> None:
    await leased(ledger, 1)
    await ledger.close()
    await ledger.close()


def test_an_account_says_whose_it_is() -> None:
    assert str(Account("production", "ACME")) == "ACME at production"
    assert str(Account("production")) == "the unlabelled creditor at production"
