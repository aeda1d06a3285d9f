"""The ledger of a client without one: it remembers for the client's life, 16 bytes an accepted invoice."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from cashin_async.ledger.base import Known, Ledger, NumberState, Part
from cashin_async.ledger.numbers import NumberIndex
from cashin_async.ledger.transitions import (
    CUT_OFF,
    holds,
    may_be_noted,
    not_open,
    refuse_repetitions,
    refuse_unless_free,
)

_LATE = 1000  # accepted numbers that are kept in the order in which they came: more than anybody asks for


class _Note(NamedTuple):
    """What numbers that became so together share."""

    state: NumberState
    run: str
    reason: str | None
    vouched: bool = False
    """By a person, for the number alone: there is no digest."""


class _Lease:
    """Numbers in play. What was on record of them stays where it is until the lease ends."""

    __slots__ = ("digests", "numbers", "run", "state")

    def __init__(self, run: str, numbers: Sequence[int], digests: Sequence[int]) -> None:
        self.state = NumberState.LEASED
        self.run = run
        self.numbers = tuple(numbers)
        self.digests = tuple(digests)

    def part(self, numbers: Sequence[int]) -> "_Lease":
        """Take `numbers` out, as a lease of their own."""
        digests = dict(zip(self.numbers, self.digests, strict=True))
        part = _Lease(self.run, numbers, [digests.pop(number) for number in numbers])
        part.state = self.state
        self.numbers, self.digests = tuple(digests), tuple(digests.values())
        return part


class MemoryLedger(Ledger):
    """Remembers for the life of a client."""

    ahead = 1

    def __init__(self) -> None:
        self.place = None
        self.failure = None
        self._digests = NumberIndex()  # of every number on record; accepted, unless it is among the others
        self._others: dict[int, _Note] = {}
        self._leases: dict[int, _Lease] = {}
        self._in_play: dict[int, _Lease] = {}
        self._last_lease = 0
        self._late: deque[int] = deque(maxlen=_LATE)

    async def known(self, numbers: Sequence[int]) -> Mapping[int, Known]:
        found = {}
        for number in self._perhaps_known(numbers):
            if (known := self._known(number)) is not None:
                found[number] = known
        return found

    async def lease(self, run: str, batches: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
        self._check([number for numbers, _ in batches for number in numbers])
        return [self._hold(_Lease(run, numbers, digests)) for numbers, digests in batches]

    async def post(self, lease: int, numbers: Sequence[int] | None = None) -> int:
        held = self._open(lease, numbers or ())
        if numbers is not None and len(numbers) < len(held.numbers):
            held = held.part(numbers)
            lease = self._hold(held)
        held.state = NumberState.POSTING
        return lease

    def take_back(self, lease: int) -> None:
        self._open(lease).state = NumberState.LEASED

    async def settle(self, lease: int, parts: Sequence[Part]) -> None:
        held = self._open(lease, [number for part in parts for number in part.numbers or ()])
        for part in parts:
            if part.numbers is not None:
                self._end(held.part(part.numbers), part)
        for part in parts:
            if part.numbers is None:
                self._end(held, part)
                held.numbers = ()
        if not held.numbers:
            del self._leases[lease]

    async def note(self, run: str, state: NumberState, reason: str | None, invoices: Mapping[int, int | None]) -> None:
        with_digest, without = _Note(state, run, reason), _Note(state, run, reason, vouched=True)
        for number, digest in invoices.items():
            known = self._known(number)
            if known is not None and not may_be_noted(state, known.state):
                continue
            self._record([number], [digest or 0], without if digest is None else with_digest)

    async def decide(self, run: str, state: NumberState, reason: str | None, numbers: Sequence[int]) -> list[int]:
        note = _Note(state, run, reason)
        decided = sorted({number for number in numbers if self._state(number) is NumberState.UNKNOWN})
        self._record(decided, [self._digests.get(number) or 0 for number in decided], note)
        return decided

    async def abandon(self, run: str) -> None:
        for lease, held in list(self._leases.items()):
            if held.run == run:
                sent = held.state is NumberState.POSTING
                self._end(held, Part(NumberState.UNKNOWN if sent else NumberState.UNSENT, CUT_OFF))
                del self._leases[lease]

    async def in_state(self, state: NumberState, after: int = 0, limit: int = 1000) -> list[int]:
        candidates: Iterable[int]
        if state is NumberState.ACCEPTED:
            candidates = self._digests.above(after)
        else:
            candidates = sorted(number for number in self._others.keys() | self._in_play.keys() if number > after)
        return list(islice((number for number in candidates if self._state(number) is state), limit))

    async def recently_accepted(self, limit: int = 10) -> list[int]:
        return list(islice(reversed(self._late), limit))

    async def save_run(self, run: str, facts: Mapping[str, Any]) -> None:
        """Nothing is kept: nobody could ask for it."""

    async def admit_key(self, key: str) -> None:
        """Every key is admitted: the ledger lives no longer than its client."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    # -- single numbers

    def _perhaps_known(self, numbers: Sequence[int]) -> Sequence[int]:
        fresh = not numbers or (min(numbers) > self._digests.largest and self._in_play.keys().isdisjoint(numbers))
        return () if fresh else numbers

    def _known(self, number: int) -> Known | None:
        if (lease := self._in_play.get(number)) is not None:
            return Known(lease.state, lease.digests[lease.numbers.index(number)], lease.run)
        if (digest := self._digests.get(number)) is None:
            return None
        if (note := self._others.get(number)) is None:
            return Known(NumberState.ACCEPTED, digest, "")
        return Known(note.state, None if note.vouched else digest, note.run, note.reason)

    def _state(self, number: int) -> NumberState | None:
        known = self._known(number)
        return known and known.state

    def _check(self, numbers: Sequence[int]) -> None:
        refuse_repetitions(numbers)
        for number in self._perhaps_known(numbers):
            if (known := self._known(number)) is not None:
                refuse_unless_free(number, known.state)

    # -- leases

    def _open(self, lease: int, numbers: Sequence[int] = ()) -> _Lease:
        held = self._leases.get(lease)
        if held is None or (numbers and not holds(held.numbers, numbers)):
            raise not_open(lease)
        return held

    def _hold(self, lease: _Lease) -> int:
        self._last_lease += 1
        self._leases[self._last_lease] = lease
        self._in_play.update(dict.fromkeys(lease.numbers, lease))
        return self._last_lease

    def _end(self, lease: _Lease, part: Part) -> None:
        for number in lease.numbers:
            del self._in_play[number]
        if part.state is NumberState.UNSENT:
            lease = lease.part([number for number in lease.numbers if self._digests.get(number) is None])
        self._record(lease.numbers, lease.digests, _Note(part.state, lease.run, part.reason))

    def _record(self, numbers: Sequence[int], digests: Sequence[int], note: _Note) -> None:
        self._digests.put_all(numbers, digests)
        if note.state is NumberState.ACCEPTED:
            self._late.extend(numbers)
        if note.state is not NumberState.ACCEPTED or note.vouched:
            self._others.update(dict.fromkeys(numbers, note))
        elif self._others:
            for number in numbers:
                self._others.pop(number, None)
