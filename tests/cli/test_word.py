"""A person's word: what becomes of a number, whatever is on record of it."""

from cashin_async.cli.word import ACCEPTED, RELEASED, Word
from cashin_async.ledger.base import NumberState, Part
from cashin_async.ledger.memory import MemoryLedger

STATES: list[NumberState] = [state for state in NumberState if state is not NumberState.PLANNED]
NUMBERS: dict[NumberState, int] = {state: number for number, state in enumerate(STATES, 1)}
NEVER_SEEN = 99


async def ledger_with_every_state() -> MemoryLedger:
    """Each number as an upload leaves it, under the number that `NUMBERS` has for its state."""
    ledger = MemoryLedger()
    for state, number in NUMBERS.items():
        if state is NumberState.INVALID:
            await ledger.note("before", state, "is too large", {number: 7})
            continue
        (lease,) = await ledger.lease("before", [([number], [7])])
        if state is NumberState.LEASED:
            continue
        await ledger.post(lease)
        if state is NumberState.RELEASED:
            await ledger.settle(lease, [Part(NumberState.UNKNOWN, "no answer")])
            await ledger.decide("before", state, "a look-up did not find it", [number])
        elif state is not NumberState.POSTING:
            await ledger.settle(lease, [Part(state)])
    return ledger


async def states_of(ledger: MemoryLedger, *more: int) -> dict[int, NumberState]:
    return {number: known.state for number, known in (await ledger.known([*NUMBERS.values(), *more])).items()}


BEFORE = {number: state for state, number in NUMBERS.items() if state is not NumberState.UNSENT}
"""An unsent number that nothing else was known of is forgotten by a ledger in memory, or unsent: both may go."""


async def test_accepted() -> None:
    ledger = await ledger_with_every_state()
    word = Word(ledger, "by-hand", "/ledger.db")
    await word.accept([*NUMBERS.values(), NEVER_SEEN, NEVER_SEEN])
    states, report = await states_of(ledger, NEVER_SEEN), word.report
    in_play = {NumberState.LEASED, NumberState.POSTING}
    assert report.accepted == [NUMBERS[NumberState.UNKNOWN]]
    adopted = {NumberState.REJECTED, NumberState.INVALID, NumberState.UNSENT, NumberState.RELEASED}
    assert sorted(report.adopted) == sorted([NEVER_SEEN, *(NUMBERS[state] for state in adopted)])
    assert report.unchanged == {
        "accepted already": [NUMBERS[NumberState.ACCEPTED]],
        **{f"{state}: what becomes of them is not known yet": [NUMBERS[state]] for state in in_play},
    }
    assert {states[number] for state, number in NUMBERS.items() if state not in in_play} == {NumberState.ACCEPTED}
    assert all(states[NUMBERS[state]] is state for state in in_play)
    known = await ledger.known([NEVER_SEEN, NUMBERS[NumberState.UNKNOWN]])
    assert known[NEVER_SEEN].digest is None, "whatever its content is, it is not sent"
    assert known[NEVER_SEEN].reason == ACCEPTED


async def test_released() -> None:
    ledger = await ledger_with_every_state()
    word = Word(ledger, "by-hand", "/ledger.db")
    await word.release([*NUMBERS.values(), NEVER_SEEN])
    states, unknown = await states_of(ledger, NEVER_SEEN), NUMBERS[NumberState.UNKNOWN]
    assert word.report.released == [unknown]
    assert {number: states[number] for number in BEFORE} == {**BEFORE, unknown: NumberState.RELEASED}
    assert NEVER_SEEN not in states
    assert sorted(number for numbers in word.report.unchanged.values() for number in numbers) == sorted(
        {*NUMBERS.values(), NEVER_SEEN} - {unknown}
    )
    assert (await ledger.known([unknown]))[unknown].reason == RELEASED


async def test_many() -> None:
    ledger = MemoryLedger()
    word = Word(ledger, "by-hand", "/ledger.db")
    await word.accept(range(1, 12_346))
    await word.accept([5, 12_345])
    assert (len(word.report.adopted), word.report.unchanged) == (12_345, {"accepted already": [5, 12_345]})
    assert len(await ledger.in_state(NumberState.ACCEPTED, limit=20_000)) == 12_345
