"""Takes one chunk through admission and its exchange, as often as the table says, to a verdict that stands."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import anyio

from cashin_async.bulk.admission import Admission, Ticket
from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.gate import Gate, Halted
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import Proof, Standing, Then, Verdict, judge
from cashin_async.errors import LedgerError
from cashin_async.events import EXCHANGE_FAILED, EXCHANGE_REFUSED, EXCHANGE_UNPROVEN, SENDING_STOPPED, Thinned
from cashin_async.ledger.base import Ledger
from cashin_async.settings import Settings
from cashin_async.transport.exchange import Answered, Exchange, NoProof
from cashin_async.transport.keyring import Keyring

log = logging.getLogger(__name__)


class Poster(Protocol):
    """What is needed of the transport."""

    keys: Keyring

    async def post(self, body: bytes) -> Exchange:
        """POST an array of invoices."""


class Trip:
    """What the chunks of one run, or of one `create`, share: counters, the retry budget, and the stop."""

    def __init__(self, settings: Settings, ledger: Ledger, drain_timeout: float | None = None) -> None:
        self.ledger = ledger
        self.requests = 0
        self.retries = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.stopped: str | None = None
        self.on_stop: Callable[[bool], None] = lambda read_on: None
        """Called at each stop, with whether the input is still to be read for its outcomes."""
        self.last_progress = anyio.current_time()
        self._budget = settings.retry_budget
        self._most_budget = settings.retry_budget
        self._drain_timeout = settings.drain_timeout if drain_timeout is None else drain_timeout
        self._waits: set[anyio.CancelScope] = set()
        self._flights: set[anyio.CancelScope] = set()

    def stop(self, why: str, read_on: bool = True) -> None:
        """Nothing more is sent. What is in flight has `drain_timeout` to be answered."""
        if self.stopped is None:
            self.stopped = why
            SENDING_STOPPED.tell(log, reason=why)
            until = anyio.current_time() + self._drain_timeout
            for flight in self._flights:
                flight.deadline = until
            for wait in self._waits:
                wait.cancel()
        self.on_stop(read_on)

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the trip is stopped meanwhile."""
        with _registered(self._waits):
            await anyio.sleep(seconds)

    async def wait(self, news: anyio.Event, seconds: float | None = None) -> None:
        """Wait for news, so many seconds at most, or until the trip is stopped."""
        with self.until_stopped(), anyio.move_on_after(seconds):
            await news.wait()

    def until_stopped(self) -> AbstractContextManager[None]:
        """What is waited for within is waited for no longer once the trip is stopped."""
        return _registered(self._waits)

    async def enter(self, gate: Gate, invoices: int) -> Ticket | None:
        """A ticket to send; None when the trip is stopped, or was while waiting."""
        ticket = None
        if self.stopped is None:
            turn = gate.arrive(invoices)
            try:
                if turn.comes.done():
                    return await turn.come()
                with _registered(self._waits):
                    ticket = await turn.come()
            except Halted as halt:
                self.stop(str(halt))
        if ticket is not None and self.stopped is not None:
            gate.leave(ticket)
            return None
        return ticket

    async def newer_key(self, keys: Keyring, refused: int) -> bool:
        """Whether there is a key newer than that of generation `refused`; False when the trip is stopped."""
        newer = False
        if self.stopped is None:
            with _registered(self._waits):
                newer = await keys.renew(refused)
        return newer

    async def mark(self, chunk: Chunk) -> bool:
        """Put on record that `chunk` is about to be in flight: before its first byte. False: it must not be sent."""
        if chunk.lease is None:
            self.stop("a chunk is not on record in the ledger")
            return False
        try:
            chunk.lease = await self.ledger.post(chunk.lease, chunk.numbers if chunk.part else None)
        except LedgerError as error:
            self.stop(str(error))
            return False
        chunk.part, chunk.in_flight = False, True
        return True

    def unmark(self, chunk: Chunk) -> None:
        """It was not applied: if it is put on record as such, a crash leaves it in no doubt."""
        chunk.in_flight = False
        if chunk.lease is not None and not chunk.in_doubt:
            self.ledger.take_back(chunk.lease)

    async def fly(self, poster: Poster, chunk: Chunk) -> Exchange:
        """One exchange; cut off `drain_timeout` after a stop."""
        exchange: Exchange = NoProof("cut off while in flight, drain_timeout after the stop")
        self.requests += 1
        self.retries += chunk.sent
        chunk.sent = True
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            with _registered(self._flights):
                exchange = await poster.post(chunk.body())
        finally:
            self.in_flight -= 1
        return exchange

    def earn(self) -> None:
        """An answer with proof came."""
        self.last_progress = anyio.current_time()
        self._budget = min(self._most_budget, self._budget + 1)

    def spend(self) -> bool:
        """Whether one more retry is in the budget."""
        self._budget -= 1
        return self._budget >= 0


@contextmanager
def _registered(scopes: set[anyio.CancelScope]) -> Iterator[None]:
    with anyio.CancelScope() as scope:
        scopes.add(scope)
        try:
            yield
        finally:
            scopes.discard(scope)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a chunk: the verdict that stands, and the exchange that it rests on."""

    chunk: Chunk
    verdict: Verdict
    exchange: Exchange | None = None
    rest: Chunk | None = None
    """What was not sent along, when a probe took one invoice out of the chunk."""


class Courier:
    """All exchanges of a client go through here, so that a hold holds every one of them."""

    def __init__(self, settings: Settings, poster: Poster, random_: Callable[[], float] = random.random) -> None:
        self._settings = settings
        self._poster = poster
        self._random = random_
        self._accepted_generations: set[int] = set()
        self.thinned = Thinned(log)
        """Logs what may happen at each request."""
        self.gate = Gate(
            Admission(
                concurrency=settings.concurrency,
                rate=settings.rate,
                invoice_rate=settings.invoice_rate,
                max_hold=settings.max_hold,
                backoff=settings.backoff,
                backoff_limit=settings.backoff_limit,
                breaker_row=settings.breaker_row,
                breaker_after=settings.breaker_after,
            ),
            random_,
        )

    async def deliver(self, chunk: Chunk, trip: Trip, whole: bool = False) -> Delivery:
        """Send `chunk` until a verdict stands, or until it is given up: then the verdict says so.

        Where only one invoice may go, to see whether the server is back, the others of the chunk come back
        as `rest`, unless it is to go `whole` or not at all.
        """
        rest: Chunk | None = None
        while True:
            ticket = await trip.enter(self.gate, len(chunk))
            if ticket is None:
                return Delivery(chunk, given_up(chunk, trip.stopped or "stopped"), rest=rest)
            if ticket.probe and len(chunk) > 1 and not whole:
                chunk, rest = chunk.split(1)
            try:
                if not await trip.mark(chunk):
                    self.gate.leave(ticket)
                    continue
                if self.gate.held_for() > 0 or trip.stopped is not None:  # meanwhile, as the mark was written
                    trip.unmark(chunk)
                    self.gate.leave(ticket)
                    continue
                exchange = await trip.fly(self._poster, chunk)
            except BaseException:
                self.gate.leave(ticket)
                raise
            verdict = self._judge(exchange, chunk)
            self.gate.finish(ticket, verdict)
            self._record(verdict, exchange, chunk, trip)  # until then it counts as in flight, whatever goes wrong here
            standing = await self._standing(verdict, exchange, chunk, trip)
            if standing is not None:
                return Delivery(chunk, standing, exchange, rest)

    def _judge(self, exchange: Exchange, chunk: Chunk) -> Verdict:
        key_accepted = isinstance(exchange, Answered) and exchange.generation in self._accepted_generations
        return judge(
            exchange,
            chunk.numbers,
            Standing(accepted=bool(self._accepted_generations), key_accepted=key_accepted),
            retry_503=self._settings.retry_503,
            on_refused=self._settings.on_refused,
            in_doubt=chunk.in_doubt,
        )

    def _record(self, verdict: Verdict, exchange: Exchange, chunk: Chunk, trip: Trip) -> None:
        if verdict.proof is Proof.APPLIED and isinstance(exchange, Answered):
            self._accepted_generations.add(exchange.generation)
        if verdict.proof is Proof.APPLIED or (verdict.proof is Proof.REFUSED and not verdict.pushback):
            trip.earn()
        if verdict.proof in (Proof.NOT_SENT, Proof.REFUSED):
            trip.unmark(chunk)
        if verdict.proof is Proof.NOTHING:
            chunk.in_doubt = True
        self._log(verdict, len(chunk))
        chunk.in_flight = False

    def _log(self, verdict: Verdict, invoices: int) -> None:
        """A pushback is logged as the hold that it begins, a 413 as the chunk that it splits."""
        status, reason = verdict.status, verdict.reason
        kind = status, reason.split(":")[0]  # what follows it may differ each time
        if verdict.rest is State.UNKNOWN:
            self.thinned.tell(EXCHANGE_UNPROVEN, kind, status=status, reason=reason, invoices=invoices)
        elif verdict.proof is Proof.NOT_SENT:
            self.thinned.tell(EXCHANGE_FAILED, kind, reason=reason, invoices=invoices)
        elif verdict.proof is Proof.REFUSED and not verdict.pushback and verdict.then is not Then.SPLIT:
            self.thinned.tell(EXCHANGE_REFUSED, kind, status=status, reason=reason, invoices=invoices)

    async def _standing(self, verdict: Verdict, exchange: Exchange, chunk: Chunk, trip: Trip) -> Verdict | None:
        """The verdict that stands; None when the chunk is to go again now."""
        if verdict.then is Then.RENEW_KEY:
            return await self._with_newer_key(verdict, exchange, chunk, trip)
        if verdict.then is not Then.AGAIN:
            return verdict
        if verdict.proof is Proof.REFUSED:
            return verdict if self._held_too_long(trip) else None
        chunk.attempts += 1
        if chunk.attempts > self._settings.retries:
            return replace(verdict, reason=f"{verdict.reason}; given up after {chunk.attempts} tries (retries)")
        if not trip.spend():
            trip.stop(f"the retry budget is spent (retry_budget), last: {verdict.reason}")
            return verdict
        if not verdict.pushback:
            most = min(self._settings.backoff_limit, self._settings.backoff * 2.0 ** (chunk.attempts - 1))
            await trip.pause(self._random() * most)
        return None

    async def _with_newer_key(self, verdict: Verdict, exchange: Exchange, chunk: Chunk, trip: Trip) -> Verdict | None:
        chunk.attempts += 1
        generation = exchange.generation if isinstance(exchange, Answered) else 0
        if chunk.attempts <= max(1, self._settings.retries) and await trip.newer_key(self._poster.keys, generation):
            return None
        if trip.stopped is not None:
            return None  # given up by the next turn
        trip.stop(f"{verdict.reason}, and {self._poster.keys.why_not or 'there is no newer one'}")
        return verdict

    def _held_too_long(self, trip: Trip) -> bool:
        silent = anyio.current_time() - trip.last_progress
        if silent > self._settings.max_hold:
            trip.stop(f"nothing but HTTP 429 for {silent:.0f} s (max_hold)")
        return trip.stopped is not None


def given_up(chunk: Chunk, why: str) -> Verdict:
    """The verdict on what is not sent, or not sent again."""
    rest = State.UNKNOWN if chunk.in_doubt else State.UNSENT
    return Verdict(Proof.NOTHING if chunk.in_doubt else Proof.NOT_SENT, Then.DONE, rest, why)
