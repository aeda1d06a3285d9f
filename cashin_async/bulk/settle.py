"""Settles what is `unknown`, by look-up, beside the sending and through the same admission.

A look-up counts only once it has told, in this run, an accepted number from one that was never used. That it finds a
number counts at once; that it does not, only `settle_after` seconds after the exchange in question ended, or after
this run took the ledger up: the server may still be at work on it.
"""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from cashin_async.bulk.calibration import Absences, Calibration, unused_number
from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.courier import Trip
from cashin_async.bulk.gate import Gate
from cashin_async.bulk.headers import retry_after
from cashin_async.bulk.lookup import Found, LookUp, judge_look_up, read_answers
from cashin_async.bulk.outcome import Settled, State
from cashin_async.bulk.verdict import Proof, Then, Verdict
from cashin_async.errors import LedgerError
from cashin_async.events import DOUBT_SETTLED, LOOKUP_FAILED, LOOKUP_REFUSED, LOOKUP_TRUSTED, Thinned
from cashin_async.ledger.base import Known, Ledger, NumberState
from cashin_async.ledger.claims import Claims
from cashin_async.models.wire import LARGEST_NUMBER
from cashin_async.settings import Settings
from cashin_async.transport.exchange import Answered, Exchange

log = logging.getLogger(__name__)

_TRIES = 3  # times that a look-up which cannot tell is asked again once absence counts
_AGAIN = 2.0  # seconds between them, and between two tries to find out whether it can be trusted, at most
_LEAST = 0.05  # seconds between them, at least
_AGAIN_AT_ONCE = 5  # accepted numbers called absent that are asked about again with each batch
_PAGE = 100  # numbers of earlier runs that are settled together


class Asker(Protocol):
    """A look-up, whatever is behind it."""

    batch: int
    """How many numbers one call may ask about."""

    async def ask(self, numbers: Sequence[int]) -> tuple[Mapping[int, Found], Verdict | None]:
        """What it says of each, and what admission is to learn from the exchange. Raises nothing but cancellation."""
        ...


class Template:
    """The shipped look-up: one GET a number."""

    batch = 1

    def __init__(self, get: Callable[[int], Awaitable[Exchange]]) -> None:
        self._get = get

    async def ask(self, numbers: Sequence[int]) -> tuple[Mapping[int, Found], Verdict | None]:
        (number,) = numbers
        exchange = await self._get(number)
        return {number: judge_look_up(exchange, number)}, _pushback(exchange)


class Callback:
    """A look-up of the user's own."""

    batch = _PAGE

    def __init__(self, look_up: LookUp, timeout: float) -> None:
        self._look_up = look_up
        self._timeout = timeout
        self._thinned = Thinned(log)

    async def ask(self, numbers: Sequence[int]) -> tuple[Mapping[int, Found], Verdict | None]:
        answers: object = None
        try:
            with anyio.fail_after(self._timeout):
                answers = await self._look_up(numbers)
        except Exception as error:  # the user's own code may raise anything; its words may quote anything
            kind = type(error).__name__
            self._thinned.tell(LOOKUP_FAILED, kind, error=kind)
        return read_answers(numbers, answers), None


def _pushback(exchange: Exchange) -> Verdict | None:
    """A look-up that is told to slow down tells all senders."""
    if isinstance(exchange, Answered) and exchange.status in (429, 503):
        why = f"HTTP {exchange.status} for a look-up"
        wait = retry_after(exchange)
        return Verdict(Proof.NOT_SENT, Then.AGAIN, State.UNKNOWN, why, pushback=True, wait=wait, slower=True)
    return None


@dataclass(eq=False)
class Doubt:
    """Numbers that are unknown, with their invoices where this run has them."""

    numbers: Sequence[int]
    due: float
    """From when on absence counts, on the event loop's clock."""
    reason: str = ""
    chunk: Chunk | None = None
    same: bool = True
    """Whether the invoices are what the numbers stand for; else they are other ones under the same numbers."""
    singly: bool = False
    """Whether they were refused together, so that each is to go on its own."""
    answer: str | None = None
    ask_at: float = 0.0
    tries: int = 0
    """Times it was asked about since absence counts."""


class Settler:
    """The doubts of one run: asks about them until each is settled, or nothing more can be told."""

    def __init__(
        self,
        trip: Trip,
        claims: Claims,
        gate: Gate,
        asker: Asker,
        settings: Settings,
        run: str,
        tell: Callable[[Settled], Awaitable[None]],
        send: Callable[[Chunk], Awaitable[None]],
    ) -> None:
        self.accepted: list[int] = []
        """Numbers of earlier runs that turned out to be accepted."""
        self.released: list[int] = []
        """Numbers of earlier runs that turned out not to be."""
        self._trip = trip
        self._claims = claims
        self._ledger: Ledger = claims.ledger
        self._gate = gate
        self._asker = asker
        self._settings = settings
        self._run = run
        self._tell = tell
        self._send = send
        self._random = random.Random()  # noqa: S311 - picks an example
        self._calibration = Calibration()
        self._standings_told: set[str | None] = set()
        self._rounds = 0
        self._missed: set[int] = set()  # accepted, and called absent: while there is one, no absence counts
        self._absences = Absences()
        self._accepted_since: dict[int, float] = {}
        self._doubts: list[Doubt] = []
        self._seen: set[int] = set()
        self._unknown_before: set[int] = set()
        self._kept_bytes = 0
        self._sending = 0
        self._all_sent = False
        self._news = anyio.Event()
        self._due = anyio.current_time() + settings.settle_after
        self._pause = max(_LEAST, min(_AGAIN, settings.settle_after / 3))

    @property
    def doubtful(self) -> int:
        """Numbers that still are to be settled."""
        return sum(len(doubt.numbers) for doubt in self._doubts)

    @property
    def next_ask(self) -> float | None:
        """When the next doubt is looked up, on the event loop's clock."""
        return min((doubt.ask_at for doubt in self._doubts), default=None)

    def add(self, doubt: Doubt) -> bool:
        """Take up a doubt; False when there is no room to keep its invoices."""
        size = doubt.chunk.size if doubt.chunk else 0
        if self._kept_bytes + size > self._settings.settle_bytes:
            return False
        self._kept_bytes += size
        self._doubts.append(doubt)
        self._seen.update(doubt.numbers)
        self._news.set()
        return True

    def due(self, numbers: Sequence[int]) -> float:
        """From when on their absence counts. What was unknown when this run began was so from then on at the latest;
        of anything else the exchange may have ended just now.
        """
        return (
            self._due
            if self._unknown_before.issuperset(numbers)
            else anyio.current_time() + self._settings.settle_after
        )

    async def begin(self) -> None:
        """Note what is unknown already, before anything is sent."""
        async for numbers in self._pages():
            self._unknown_before.update(numbers)

    async def _pages(self) -> AsyncIterator[list[int]]:
        after = 0
        while numbers := await self._ledger.in_state(NumberState.UNKNOWN, after, _PAGE):
            after = numbers[-1]
            yield numbers

    async def all_sent(self) -> None:
        """Nothing more will be sent but what is released: now for what earlier runs have left."""
        try:
            async for numbers in self._pages():
                if left := await self._claim([number for number in numbers if number not in self._seen]):
                    self.add(Doubt(left, self.due(left)))
        finally:
            self._all_sent = True
            self._news.set()

    async def _claim(self, numbers: list[int]) -> list[int]:
        """Those that nobody else has in hand, and that are still unknown: ours now."""
        found = await self._claims.claim(self, numbers, [0] * len(numbers))
        ours = [n for n, one in zip(numbers, found, strict=True) if one is None or isinstance(one, Known)]
        unknown = [
            number
            for number, one in zip(numbers, found, strict=True)
            if isinstance(one, Known) and one.state is NumberState.UNKNOWN
        ]
        self._claims.doubt(unknown)
        self._claims.release([number for number in ours if number not in set(unknown)])
        return unknown

    async def run(self) -> None:
        """Until all was sent and no doubt is left. After a stop nothing is asked any more: doubts end as they are."""
        async with anyio.create_task_group() as sending:
            while not (self._all_sent and not self._doubts and not self._sending):
                try:
                    await self._step(sending)
                except LedgerError as error:
                    self._trip.stop(str(error))

    async def _step(self, sending: TaskGroup) -> None:
        ready = self._doubts if self._trip.stopped is not None else self._ready()
        if not ready:
            await self._wait()
        elif self._trip.stopped is not None:
            await self._give_up_all("")
        elif await self._trusted():
            for doubt in ready:
                for chunk in await self._look_up(doubt):
                    self._sending += 1
                    sending.start_soon(self._send_again, chunk)

    def _ready(self) -> list[Doubt]:
        now = anyio.current_time()
        return [doubt for doubt in self._doubts if doubt.ask_at <= now]

    async def _wait(self) -> None:
        self._news = anyio.Event()
        next_ask = self.next_ask
        await self._trip.wait(self._news, None if next_ask is None else next_ask - anyio.current_time())

    async def _send_again(self, chunk: Chunk) -> None:
        try:
            await self._send(chunk)
        finally:
            self._sending -= 1
            self._news.set()

    # -- may the look-up be believed

    @property
    def refused(self) -> str | None:
        """Why nothing that the look-up says counts in this run, if that is so."""
        return self._calibration.refused

    async def _trusted(self) -> bool:
        """Whether the look-up's answers count by now. If they never will, every doubt ends as it is."""
        if not self._calibration.trusted and self._calibration.refused is None:
            await self._ask_with_probes([])
            self._rounds += self._all_sent and not self._sending  # else more may be accepted yet that it can find
        if self._calibration.trusted:
            return True
        if self._calibration.refused is not None or self._rounds >= _TRIES:
            self._tell_standing(self._calibration.doubt)
            await self._give_up_all(f"; {self._calibration.doubt}")
        for doubt in self._doubts:
            doubt.ask_at = max(doubt.ask_at, anyio.current_time() + self._pause)
        return False

    async def _ask_with_probes(self, numbers: Sequence[int]) -> dict[int, Found]:
        """What the look-up says of the numbers; nothing, unless it was right about others whose answer is known.

        Those are asked about last, so that a look-up which breaks in the middle is found out.
        """
        accepted = await self._ledger.recently_accepted()
        unused = await self._never_used(accepted)
        probes = self._calibration.probes(accepted, unused)
        now, young = anyio.current_time(), self._settings.settle_after
        too_young = [one for one in accepted if now - self._accepted_since.setdefault(one, now) < young]
        answers = await self._ask(numbers)
        told = await self._ask([*probes, *sorted(self._missed - set(probes))[:_AGAIN_AT_ONCE]])
        self._missed |= {number for number in accepted if told.get(number) is Found.ABSENT}
        self._missed -= {number for number in told if told[number] is Found.EXISTS}
        answers |= told
        counts = self._calibration.record(answers, too_young)
        if counts or self._calibration.refused is not None:
            self._tell_standing(self._calibration.refused)
        return answers if counts else {}

    def _tell_standing(self, doubt: str | None) -> None:
        """Log once that the look-up counts, or why it does not."""
        if doubt not in self._standings_told:
            self._standings_told.add(doubt)
            if doubt is None:
                LOOKUP_TRUSTED.tell(log)
            else:
                LOOKUP_REFUSED.tell(log, reason=doubt)

    async def _never_used(self, accepted: Sequence[int]) -> list[int]:
        """Two numbers that the ledger does not know; longer ones, where all of a length are taken."""
        if not accepted:
            return []
        drawn = [unused_number(accepted, self._random.randrange) for _ in range(2)]
        drawn += [10 * number for number in drawn if 10 * number <= LARGEST_NUMBER]
        known = await self._ledger.known(drawn)
        return [number for number in drawn if number not in known][:2]

    # -- one doubt

    async def _look_up(self, doubt: Doubt) -> list[Chunk]:
        """Ask about its numbers and act on what is said; what is given back is to be sent."""
        counts = anyio.current_time() >= doubt.due
        answers = await self._ask_with_probes(doubt.numbers)
        exist = [number for number in doubt.numbers if answers.get(number) is Found.EXISTS]
        counts_absent = counts and not self._missed
        missing = [number for number in doubt.numbers if counts_absent and answers.get(number) is Found.ABSENT]
        absent = self._absences.confirm(missing)
        chunks = []
        if exist:
            exist = await self._ledger.decide(self._run, NumberState.ACCEPTED, "found by a look-up", exist)
            await self._found(doubt, exist)
        if absent:
            absent = await self._ledger.decide(self._run, NumberState.RELEASED, "a look-up did not find it", absent)
            chunks = await self._absent(doubt, absent)
        if exist or absent:
            DOUBT_SETTLED.tell(log, accepted=len(exist), released=len(absent))
        self._leave(doubt, {*exist, *absent})
        if doubt.numbers:
            doubt.tries += counts and not missing  # what is missing is to be missed several times
            doubt.ask_at = doubt.due if not counts else anyio.current_time() + self._pause
            if doubt.tries >= _TRIES:
                await self._give_up(doubt, f"; {self._calibration.doubt or self._why_not()}")
        return chunks

    def _why_not(self) -> str:
        if self._missed:
            return "the look-up did not find an accepted invoice, so that it finds none proves nothing"
        return "the look-up cannot tell"

    async def _ask(self, numbers: Sequence[int]) -> dict[int, Found]:
        answers: dict[int, Found] = {}
        size = self._asker.batch
        todo = [numbers[start : start + size] for start in range(0, len(numbers), size)]

        async def work() -> None:
            while todo:
                part = todo.pop()
                ticket = await self._trip.enter(self._gate, len(part))
                if ticket is None:
                    return
                pushback = None
                try:
                    with self._trip.until_stopped():
                        said, pushback = await self._asker.ask(part)
                        answers.update(said)
                finally:
                    if pushback is None:
                        self._gate.leave(ticket)
                    else:
                        self._gate.finish(ticket, pushback)

        async with anyio.create_task_group() as asking:
            for _ in range(min(self._settings.concurrency, len(todo))):
                asking.start_soon(work)
        return answers

    async def _found(self, doubt: Doubt, numbers: list[int]) -> None:
        if doubt.chunk is None:
            self.accepted += numbers
        elif doubt.same:
            await self._end(doubt, State.ACCEPTED, None, numbers)
        else:
            await self._end(
                doubt, State.REJECTED, "its number is taken: a look-up found it, with other content", numbers
            )

    async def _absent(self, doubt: Doubt, numbers: list[int]) -> list[Chunk]:
        if doubt.chunk is None:
            self.released += numbers
            return []
        self._claims.resume(numbers)
        chunk = _without_lease(doubt.chunk, numbers)
        chunk.attempts += 1
        if chunk.attempts > self._settings.retries:
            reason = f"released by a look-up, and given up after {chunk.attempts} tries (retries): {doubt.reason}"
            await self._end(doubt, State.UNSENT, reason, numbers)
            return []
        return [_without_lease(chunk, [number]) for number in numbers] if doubt.singly else [chunk]

    async def _give_up_all(self, why: str) -> None:
        for doubt in list(self._doubts):
            await self._give_up(doubt, why)

    async def _give_up(self, doubt: Doubt, why: str) -> None:
        if doubt.chunk is not None:
            state = State.UNKNOWN if doubt.same else State.UNSENT
            await self._end(doubt, state, doubt.reason + why, list(doubt.numbers))
        self._leave(doubt, set(doubt.numbers))

    async def _end(self, doubt: Doubt, state: State, reason: str | None, numbers: list[int]) -> None:
        assert doubt.chunk is not None  # noqa: S101 - for the type checker
        chunk = _without_lease(doubt.chunk, numbers)
        answer = doubt.answer if state is State.UNKNOWN else None
        await self._tell(Settled(state, chunk.numbers, chunk.refs, reason, answer, chunk.encoded))

    def _leave(self, doubt: Doubt, numbers: set[int]) -> None:
        """These are in doubt no more."""
        if doubt.chunk is None:
            self._claims.release(list(numbers))
        doubt.numbers = [number for number in doubt.numbers if number not in numbers]
        if doubt.chunk is not None:
            self._kept_bytes -= doubt.chunk.size
            doubt.chunk = _without_lease(doubt.chunk, doubt.numbers)
            self._kept_bytes += doubt.chunk.size
        if not doubt.numbers:
            if doubt.chunk is not None:
                self._kept_bytes -= doubt.chunk.size
            self._doubts.remove(doubt)


def _without_lease(chunk: Chunk, numbers: Iterable[int]) -> Chunk:
    """Those of a chunk's invoices that have these numbers, to be put on record anew before they are sent."""
    wanted = set(numbers)
    part = chunk.pick([place for place, number in enumerate(chunk.numbers) if number in wanted])
    part.lease, part.part, part.in_doubt = None, False, False
    return part
