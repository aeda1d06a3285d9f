"""One request of one invoice or a few, for whoever awaits it: claimed, put on record, sent, told."""

import logging
from collections.abc import Awaitable
from dataclasses import replace

import anyio

from cashin_async.bulk.apportion import apportion
from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.courier import Courier, Trip
from cashin_async.bulk.engine import parts_of
from cashin_async.bulk.inspection import Inspection
from cashin_async.bulk.knowledge import WAIT, Next, Ruling, rule, rule_held
from cashin_async.bulk.outcome import Settled, State
from cashin_async.bulk.verdict import Then, Verdict
from cashin_async.errors import InvalidInvoice, LedgerError
from cashin_async.events import LEDGER_FAILED
from cashin_async.ledger.base import Known, NumberState, Part
from cashin_async.ledger.claims import Claims
from cashin_async.models.receipt import UploadReceipt

log = logging.getLogger(__name__)


class Single:
    """The way of one request."""

    def __init__(
        self, chunk: Chunk, claims: Claims, trip: Trip, run: str, retry_rejected: bool, inspection: Inspection
    ) -> None:
        self.settled: list[Settled] = []
        """The outcomes that are known so far."""
        self.receipt: UploadReceipt | None = None
        self.status: int | None = None
        self._chunk = chunk
        self._claims = claims
        self._ledger = claims.ledger
        self._trip = trip
        self._run = run
        self._retry_rejected = retry_rejected
        self._inspection = inspection
        self._claimed: list[int] = []

    async def send(self, courier: Courier) -> None:
        """See every invoice through to its outcome.

        Raises `LedgerError`, or `InvalidInvoice` for a broken rule, before anything is sent, and nothing later.
        """
        try:
            chunk = await self._claim()
            self._inspect(chunk)
            if len(chunk) and self._trip.stopped is None:
                (chunk.lease,) = await self._ledger.lease(self._run, [(chunk.numbers, chunk.digests)])
            if len(chunk):
                await self._deliver(chunk, courier)
        finally:
            self._claims.release(self._claimed)

    async def _claim(self) -> Chunk:
        """The invoices that may go. Numbers are claimed in rising order: no two requests wait for each other."""
        places = []
        for place in sorted(range(len(self._chunk)), key=self._chunk.numbers.__getitem__):
            ruling = await self._ruling(place)
            if ruling.next is Next.SEND:
                places.append(place)
            else:
                self._end(ruling.state, place, ruling.reason)
        places.sort()
        return self._chunk if len(places) == len(self._chunk) else self._chunk.pick(places)

    def _inspect(self, chunk: Chunk) -> None:
        if refusals := self._inspection.refusals(chunk.encoded):
            reasons = list(refusals.values())
            raise InvalidInvoice("; ".join(reasons[:3]), [chunk.numbers[place] for place in refusals])

    async def _ruling(self, place: int) -> Ruling:
        number, digest = self._chunk.numbers[place], self._chunk.digests[place]
        while self._trip.stopped is None:
            (found,) = await self._claims.claim(self, [number], [digest])
            if found is None or isinstance(found, Known):
                self._claimed.append(number)
                return rule(found, digest, None, retry_rejected=self._retry_rejected)
            ruling = rule_held(found[1], digest, ours=False, in_doubt=self._claims.in_doubt(number))
            if ruling.next is not Next.WAIT:
                return ruling
            with self._trip.until_stopped():
                await self._claims.released(number)
        return replace(WAIT, next=Next.KEEP_BACK, reason=f"{self._trip.stopped}, while another task had its number")

    def _end(self, state: State, place: int, reason: str) -> None:
        self.settled.append(Settled(state, [self._chunk.numbers[place]], [self._chunk.refs[place]], reason))

    async def _deliver(self, chunk: Chunk, courier: Courier) -> None:
        try:
            delivery = await courier.deliver(chunk, self._trip, whole=True)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._cut_off(chunk)
            raise
        verdict = _as_a_whole(delivery.verdict)
        settled = apportion(chunk, verdict, delivery.exchange)
        with anyio.CancelScope(shield=True):
            if verdict is delivery.verdict:
                await self._record(chunk, settled)
            else:  # who of them is at fault is not known: each may go again
                await self._record(chunk, apportion(chunk, delivery.verdict, delivery.exchange))
        self.settled += settled
        self.receipt, self.status = verdict.receipt, verdict.status

    async def _cut_off(self, chunk: Chunk) -> None:
        """Cancelled on the way: what was in flight may have been applied."""
        state = NumberState.UNKNOWN if chunk.in_flight or chunk.in_doubt else NumberState.UNSENT
        if chunk.lease is not None:
            await self._guarded(self._ledger.settle(chunk.lease, [Part(state, "its request was cancelled")]))

    async def _record(self, chunk: Chunk, settled: list[Settled]) -> None:
        if chunk.lease is not None:
            await self._guarded(self._ledger.settle(chunk.lease, parts_of(chunk, settled)))

    async def _guarded(self, writing: Awaitable[None]) -> None:
        """What the server said is told, also when it cannot be recorded: nothing further is sent then."""
        try:
            await writing
        except LedgerError as error:
            LEDGER_FAILED.tell(log, reason=str(error))


def _as_a_whole(verdict: Verdict) -> Verdict:
    """Nobody bisects or splits here: what is refused together is rejected together."""
    if verdict.then in (Then.BISECT, Then.SPLIT) and verdict.rest is not State.UNKNOWN:
        return replace(verdict, rest=State.REJECTED)
    return verdict
