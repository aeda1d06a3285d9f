"""Ledgers against a dict, in any order of calls: with crashes, new starts of the machine, and power cuts."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Known, Ledger, NumberState, Part
from cashin_async.ledger.memory import MemoryLedger
from cashin_async.ledger.sqlite import SqliteLedger
from cashin_async.ledger.status import read_status
from cashin_async.ledger.transitions import FREE
from tests.ledger.conftest import copy_as_it_is, open_sqlite

T = TypeVar("T")

NUMBERS = [*range(1, 7), 2**40, 2**63 - 1]
RUNS = ["run-1", "run-2", "run-3"]
ENDS = [NumberState.ACCEPTED, NumberState.REJECTED, NumberState.UNKNOWN, NumberState.UNSENT]
REASONS = [None, "one", "another"]

_numbers = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=6, unique=True)
_digests = st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
_runs = st.sampled_from(RUNS)
_reasons = st.sampled_from(REASONS)


@dataclass
class Lease:
    run: str
    state: NumberState
    numbers: set[int]


@dataclass
class Model:
    """What is on record, in the plainest form."""

    known: dict[int, Known] = field(default_factory=dict)
    before: dict[int, Known | None] = field(default_factory=dict)
    """Of numbers in play: what was known of them."""
    leases: dict[int, Lease] = field(default_factory=dict)
    at_the_server: set[int] = field(default_factory=set)
    """Numbers that went out, with no proof that they were not applied."""

    def is_free(self, number: int) -> bool:
        return number not in self.known or self.known[number].state in FREE

    def record(self, number: int, state: NumberState, run: str, reason: str | None, digest: int | None) -> None:
        self.known[number] = Known(state, digest, run, reason)

    def lease(self, lease: int, run: str, invoices: Mapping[int, int]) -> None:
        self.leases[lease] = Lease(run, NumberState.LEASED, set(invoices))
        for number, digest in invoices.items():
            self.before[number] = self.known.get(number)
            self.record(number, NumberState.LEASED, run, None, digest)

    def mark(self, lease: int, state: NumberState) -> None:
        self.leases[lease].state = state
        numbers = self.leases[lease].numbers
        for number in numbers:
            self.known[number] = self.known[number]._replace(state=state)
        if state is NumberState.POSTING:
            self.at_the_server |= numbers
        else:
            self.at_the_server -= numbers

    def split(self, lease: int, part: int, numbers: set[int]) -> None:
        whole = self.leases[lease]
        self.leases[part] = Lease(whole.run, whole.state, numbers)
        whole.numbers -= numbers

    def end(self, lease: int, numbers: set[int], state: NumberState, reason: str | None) -> None:
        held = self.leases[lease]
        for number in numbers:
            before = self.before.pop(number)
            if state is NumberState.UNSENT and before is not None:
                self.known[number] = before
            else:
                self.record(number, state, held.run, reason, self.known[number].digest)
        held.numbers -= numbers
        if not held.numbers:
            del self.leases[lease]
        if state in FREE:
            self.at_the_server -= numbers

    def recover(self, in_doubt: Mapping[NumberState, str], never_sent: str) -> None:
        for lease, held in list(self.leases.items()):
            why = in_doubt.get(held.state)
            state = NumberState.UNSENT if why is None else NumberState.UNKNOWN
            self.end(lease, set(held.numbers), state, why or never_sent)

    def crash(self) -> None:
        in_doubt = {NumberState.POSTING: "was in flight when its process ended"}
        self.recover(in_doubt, "was about to be sent when its process ended")

    def reboot(self) -> None:
        in_doubt = {
            NumberState.POSTING: "was in flight when its machine went down",
            NumberState.LEASED: "may have been in flight when its machine went down",
        }
        self.recover(in_doubt, "")


class LedgerMachine(RuleBasedStateMachine):
    """Every call, in any order."""

    ledger: Ledger
    keeps_runs = True

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = Model()

    def wait(self, awaitable: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await awaitable

        return self.loop.run_until_complete(awaited())

    def synced(self) -> None:
        """What was just written is on the disk."""

    def teardown(self) -> None:
        self.wait(self.ledger.close())
        self.loop.close()

    def a_lease(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model.leases)))

    def some_of(self, data: st.DataObject, lease: int) -> list[int]:
        numbers = sorted(self.model.leases[lease].numbers)
        return data.draw(st.lists(st.sampled_from(numbers), min_size=1, unique=True))

    @rule(run=_runs, numbers=_numbers, digest=_digests, batches=st.integers(1, 3))
    def lease(self, run: str, numbers: list[int], digest: int, batches: int) -> None:
        invoices = [numbers[start::batches] for start in range(batches) if numbers[start::batches]]
        call = self.ledger.lease(run, [(some, [digest] * len(some)) for some in invoices])
        if not all(map(self.model.is_free, numbers)):
            with pytest.raises(LedgerError):
                self.wait(call)
            return
        for lease, some in zip(self.wait(call), invoices, strict=True):
            assert lease not in self.model.leases
            self.model.lease(lease, run, dict.fromkeys(some, digest))
        self.synced()

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def post(self, data: st.DataObject) -> None:
        lease = self.a_lease(data)
        assert self.wait(self.ledger.post(lease)) == lease
        self.model.mark(lease, NumberState.POSTING)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def post_a_part(self, data: st.DataObject) -> None:
        lease = self.a_lease(data)
        numbers = self.some_of(data, lease)
        part = self.wait(self.ledger.post(lease, numbers))
        if part != lease:
            assert part not in self.model.leases
            self.model.split(lease, part, set(numbers))
        self.model.mark(part, NumberState.POSTING)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        lease = self.a_lease(data)
        self.ledger.take_back(lease)
        self.model.mark(lease, NumberState.LEASED)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data(), reason=_reasons, whole=st.booleans())
    def settle(self, data: st.DataObject, reason: str | None, whole: bool) -> None:
        lease = self.a_lease(data)
        left = set(self.model.leases[lease].numbers)
        parts = []
        for state in data.draw(st.lists(st.sampled_from(ENDS), max_size=2)):
            if left:
                numbers = data.draw(st.lists(st.sampled_from(sorted(left)), unique=True))
                left -= set(numbers)
                parts.append(Part(state, reason, numbers))
        if whole:
            parts.insert(0, Part(data.draw(st.sampled_from(ENDS)), reason))
        self.wait(self.ledger.settle(lease, parts))
        for part in sorted(parts, key=lambda part: part.numbers is None):
            ended = set(part.numbers) if part.numbers is not None else left
            if ended:
                self.model.end(lease, set(ended), part.state, reason)

    @rule(run=_runs, numbers=_numbers, digest=st.none() | _digests, reason=_reasons, by_hand=st.booleans())
    def note(self, run: str, numbers: list[int], digest: int | None, reason: str | None, by_hand: bool) -> None:
        state = NumberState.ACCEPTED if by_hand else NumberState.INVALID
        self.wait(self.ledger.note(run, state, reason, dict.fromkeys(numbers, digest)))
        for number in numbers:
            known = self.model.known.get(number)
            if known is None or known.state is NumberState.INVALID or (by_hand and known.state in FREE):
                self.model.record(number, state, run, reason, digest)
        if by_hand:
            self.synced()

    @rule(run=_runs, numbers=_numbers, reason=_reasons, found=st.booleans())
    def decide(self, run: str, numbers: list[int], reason: str | None, found: bool) -> None:
        state = NumberState.ACCEPTED if found else NumberState.RELEASED
        decided = self.wait(self.ledger.decide(run, state, reason, numbers))
        unknown = [n for n in numbers if n in self.model.known and self.model.known[n].state is NumberState.UNKNOWN]
        assert decided == sorted(unknown)
        for number in decided:
            self.model.record(number, state, run, reason, self.model.known[number].digest)
        if not found:
            self.model.at_the_server -= set(decided)
        self.synced()

    @rule(run=_runs)
    def abandon(self, run: str) -> None:
        self.wait(self.ledger.abandon(run))
        for lease, held in list(self.model.leases.items()):
            if held.run == run:
                state = NumberState.UNKNOWN if held.state is NumberState.POSTING else NumberState.UNSENT
                self.model.end(lease, set(held.numbers), state, "its run was cut off")

    @invariant()
    def knows_what_the_model_knows(self) -> None:
        known = self.wait(self.ledger.known(NUMBERS))
        assert {number: self.seen(one) for number, one in known.items()} == {
            number: self.seen(one) for number, one in self.model.known.items()
        }
        assert self.ledger.failure is None

    def seen(self, known: Known) -> Known:
        if not self.keeps_runs and known.state is NumberState.ACCEPTED:
            return known._replace(run="", reason=None)
        return known

    @invariant()
    def nothing_that_may_be_at_the_server_is_free(self) -> None:
        assert not [number for number in self.model.at_the_server if self.model.is_free(number)]

    @rule(state=st.sampled_from(NumberState), after=st.sampled_from([0, 4, *NUMBERS]), limit=st.integers(1, 20))
    def in_state(self, state: NumberState, after: int, limit: int) -> None:
        numbers = sorted(n for n, known in self.model.known.items() if known.state is state and n > after)
        assert self.wait(self.ledger.in_state(state, after, limit)) == numbers[:limit]

    @rule(limit=st.integers(1, 20))
    def recently_accepted(self, limit: int) -> None:
        accepted = {number for number, known in self.model.known.items() if known.state is NumberState.ACCEPTED}
        recent = self.wait(self.ledger.recently_accepted(limit))
        assert len(recent) == len(set(recent)) == min(limit, len(accepted))
        assert accepted.issuperset(recent)


class MemoryMachine(LedgerMachine):
    keeps_runs = False

    @initialize()
    def begin(self) -> None:
        self.ledger = MemoryLedger()


class SqliteMachine(LedgerMachine):
    """In a file, which is all that a crash leaves."""

    ledger: SqliteLedger

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.files = 0
        self.boots = 0

    @initialize()
    def begin(self) -> None:
        self.open(self.folder / "ledger.db")

    def open(self, place: Path) -> None:
        self.place = place
        self.ledger = self.wait(open_sqlite(place, f"boot-{self.boots}"))
        self.synced()

    def synced(self) -> None:
        self.synced_model = deepcopy(self.model)
        self.synced_length = self.wal.stat().st_size

    @property
    def wal(self) -> Path:
        return self.place.with_name(f"{self.place.name}-wal")

    def copied(self) -> Path:
        """The files as they are: the process is dead, and another one finds them."""
        self.wait(self.ledger.known(NUMBERS))  # the last mark, for which nobody waited, is written
        self.files += 1
        copy = copy_as_it_is(self.place, self.folder / f"ledger-{self.files}.db")
        self.wait(self.ledger.close())
        return copy

    @rule()
    def close_and_open(self) -> None:
        self.wait(self.ledger.close())
        assert not self.wal.exists()
        self.model.crash()
        self.open(self.place)

    @rule()
    def crash(self) -> None:
        copy = self.copied()
        self.model.crash()
        self.open(copy)

    @rule()
    def reboot(self) -> None:
        copy = self.copied()
        self.boots += 1
        self.model.reboot()
        self.open(copy)

    @rule(share=st.floats(0, 1))
    def power_cut(self, share: float) -> None:
        """Of what was written since the last sync, a part is on the disk."""
        copy = self.copied()
        wal = copy.with_name(f"{copy.name}-wal")
        length = wal.stat().st_size
        os.truncate(wal, int(self.synced_length + share * (length - self.synced_length)))
        self.boots += 1
        at_the_server = self.model.at_the_server
        certain = {n for n, known in self.synced_model.known.items() if known.state is NumberState.ACCEPTED}
        before = self.model
        self.model = self.synced_model
        self.model.reboot()
        self.open(copy)
        known = self.wait(self.ledger.known(NUMBERS))
        assert all(known[number].state is NumberState.ACCEPTED for number in certain)
        assert not [n for n in at_the_server if n not in known or known[n].state in FREE], "it would be sent again"
        self.adopt(known, before, at_the_server)

    def adopt(self, known: Mapping[int, Known], before: Model, at_the_server: set[int]) -> None:
        """Go on from what the disk had: each number is as at the last sync or as it was at the end, or in doubt."""
        for number, one in known.items():
            ends = [self.model.known.get(number), before.known.get(number), before.before.get(number)]
            assert one in ends or one.state is NumberState.UNKNOWN or one.state in FREE
        self.model = Model(dict(known), at_the_server=set(at_the_server))
        self.synced()

    @rule()
    def status(self) -> None:
        self.wait(self.ledger.known(NUMBERS))
        seen = read_status(self.place)
        states = [known.state for known in self.model.known.values()]
        assert seen.states == {state: states.count(state) for state in set(states)}
        assert list(seen.unknown) == self.wait(self.ledger.in_state(NumberState.UNKNOWN, limit=10))
        runs = {run.run: run.states for run in seen.runs if run.states}
        counted = {(known.run, known.state) for known in self.model.known.values()}
        assert {(run, state) for run, counts in runs.items() for state in counts} == counted

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


_slow = [HealthCheck.too_slow, HealthCheck.filter_too_much]

TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=_slow)
TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=_slow)
