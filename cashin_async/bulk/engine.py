"""One upload: reads, cuts, sends, settles. What it decides is decided in the pure modules beside it.

One task reads the source and hands chunks over, `concurrency` workers send them. A worker keeps the pieces of
a chunk that was refused or too large on a stack of its own, so that never more than `concurrency` + 1 chunks
are in memory, whatever the input.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from cashin_async.bulk.chunk import Chunk, Chunker
from cashin_async.bulk.courier import Courier, Trip
from cashin_async.bulk.numbers import Claim, NumberIndex, digest
from cashin_async.bulk.outcome import Progress, Settled, State, UploadReport
from cashin_async.bulk.settlement import settle
from cashin_async.bulk.verdict import Then
from cashin_async.settings import Settings
from cashin_async.sources.source import Record, Source

log = logging.getLogger(__name__)

_TURN = 64  # records between two turns of the event loop, when none of them fills a chunk


def _run_id() -> str:
    """Sorts by time, and two runs of one second differ."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Run:
    """One upload, from its first invoice to the last outcome."""

    def __init__(self, source: Source, courier: Courier, settings: Settings, limit: int | None = None) -> None:
        self.report = UploadReport(_run_id(), locate=source.locate)
        self.source = source
        self._courier = courier
        self._settings = settings
        self._limit = limit
        self.tell: Callable[[Settled], Awaitable[None]] | None = None
        """Awaited with every group of outcomes."""
        self._untold: list[Settled] = []
        self._chunker = Chunker(settings.chunk_size, settings.chunk_bytes, settings.first_chunk)
        self._numbers = NumberIndex()
        self._planned = 0
        self._read = 0
        self._refusals_in_a_row = 0
        self._trip = Trip(settings)
        self._trip.on_stop = self._stop_reading
        self._reading = anyio.CancelScope()
        self._started = anyio.current_time()

    # -- from outside

    async def run(
        self, on_progress: Callable[[Progress], None] | None = None, progress_every: float = 0.25
    ) -> UploadReport:
        """The whole upload. Raises nothing for what happens to invoices: that is in the report.

        `on_progress` is called every `progress_every` seconds, and once at the end.
        """
        self._courier.gate.admission.restart()
        timer = None
        if (deadline := self._settings.deadline) is not None:
            why = f"the deadline of {deadline:g} s is over (deadline)"
            timer = asyncio.get_running_loop().call_later(deadline, self._trip.stop, why, False)
        log.info("upload.began run=%s", self.report.run)
        try:
            async with anyio.create_task_group() as watching:
                if on_progress is not None:
                    watching.start_soon(self._show, on_progress, progress_every)
                await self._upload()
                watching.cancel_scope.cancel()
            if self.report.read != self._read:
                raise RuntimeError(f"{self._read - self.report.read} invoices have no outcome")
        finally:
            if timer is not None:
                timer.cancel()
            self._close_report()
        if on_progress is not None:
            try:
                on_progress(self.progress())
            except Exception:  # a broken display must not cost the report
                log.exception("progress.failed")
        log.info("upload.ended run=%s %s", self.report.run, repr(self.report))  # not the report: a record would keep it
        return self.report

    async def _upload(self) -> None:
        async with anyio.create_task_group() as tasks:
            send, receive = anyio.create_memory_object_stream[Chunk](0)
            for _ in range(self._settings.concurrency):
                tasks.start_soon(self._work, receive.clone())
            receive.close()
            tasks.start_soon(self._read_all, send)

    async def _show(self, on_progress: Callable[[Progress], None], every: float) -> None:
        try:
            while True:
                on_progress(self.progress())
                await anyio.sleep(every)
        except Exception:  # a broken display must not cost the upload
            log.exception("progress.failed")

    def interrupt(self, why: str = "interrupted") -> None:
        """Stop reading, let what is in flight be answered, report the rest as `unsent`."""
        self.report.interrupted = True
        self._trip.stop(why, read_on=False)

    def progress(self) -> Progress:
        """The run as it is now."""
        gate = self._courier.gate
        return Progress(
            read=self._read,
            counts=dict(self.report._counts),
            in_flight=self._trip.in_flight,
            window=int(gate.admission.window),
            requests=self._trip.requests,
            retries=self._trip.retries,
            held_for=gate.held_for(),
            seconds=anyio.current_time() - self._started,
            share_read=self.source.share_read(),
            stopped=self._trip.stopped,
        )

    def _close_report(self) -> None:
        report, trip = self.report, self._trip
        report.seconds = anyio.current_time() - self._started
        report.requests, report.retries, report.max_in_flight = trip.requests, trip.retries, trip.max_in_flight
        report.stopped = trip.stopped
        report.problems = self.source.problems

    # -- reading

    async def _read_all(self, chunks: ObjectSendStream[Chunk]) -> None:
        async with chunks:
            with self._reading:
                self.report.read_to_end = False
                await self._read_source(chunks)
            for chunk in self._chunker.rest():
                await chunks.send(chunk)
            await self._tell_untold()

    async def _read_source(self, chunks: ObjectSendStream[Chunk]) -> None:
        since_turn = 0
        async with aclosing(self.source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                for record in batch:
                    for chunk in self._take(record):
                        since_turn = 0
                        with anyio.CancelScope(shield=True):  # workers take all that is handed over, also after a stop
                            await chunks.send(chunk)
                    if self._planned == self._limit:
                        return
                await self._tell_untold()
                since_turn += len(batch)
                if since_turn >= _TURN:
                    since_turn = 0
                    await anyio.lowlevel.checkpoint()
        self.report.read_to_end = True

    def _take(self, record: Record) -> list[Chunk]:
        """Give one record its place in a chunk, or its outcome."""
        self._read += 1
        number, encoded = record.number, record.encoded
        if number is None:
            self._keep_back(State.INVALID, record, record.problem)
        elif self._chunker.too_large(encoded):
            reason = f"is larger alone than a request may be: {len(encoded)} bytes (chunk_bytes)"
            self._keep_back(State.INVALID, record, reason)
        else:
            match self._numbers.claim(number, digest(encoded)):
                case Claim.NEW:
                    self._planned += 1
                    return self._chunker.add(number, encoded, record.ref)
                case Claim.SAME:
                    self._keep_back(State.DUPLICATE, record, "the same invoice stands earlier in this input")
                case Claim.OTHER:
                    reason = "its number is taken by a different invoice earlier in this input"
                    self._keep_back(State.REJECTED, record, reason)
        return []

    def _keep_back(self, state: State, record: Record, reason: str | None) -> None:
        settled = Settled(state, [record.number], [record.ref], reason)
        self.report.add(settled)
        if self.tell is not None:
            self._untold.append(settled)

    def _stop_reading(self, read_on: bool) -> None:
        """After a stop the input is read on, so that each invoice has its outcome: for `drain_timeout`."""
        if read_on:
            self._reading.deadline = min(self._reading.deadline, anyio.current_time() + self._settings.drain_timeout)
        else:
            self._reading.cancel()

    # -- sending

    async def _work(self, chunks: ObjectReceiveStream[Chunk]) -> None:
        async with chunks:
            async for chunk in chunks:
                todo = [chunk]
                while todo:
                    todo.extend(reversed(await self._send(todo.pop())))

    async def _send(self, chunk: Chunk) -> list[Chunk]:
        """Send a chunk; what is given back are the pieces of it that have to go on their own."""
        if not self._chunker.fits(chunk):
            return list(chunk.halves())
        delivery = await self._courier.deliver(chunk, self._trip)
        chunk, verdict = delivery.chunk, delivery.verdict
        rest = [delivery.rest] if delivery.rest else []
        if verdict.then is Then.SPLIT:
            self._chunker.learn(chunk)
            log.info("chunk.split %d invoices, %d bytes are too large", len(chunk), chunk.size)
        if verdict.then in (Then.SPLIT, Then.BISECT):
            return [*chunk.halves(), *rest]
        settled = settle(chunk, verdict, delivery.exchange)
        if verdict.then is Then.STOP:
            self._trip.stop(settled[-1].reason or verdict.reason)
        self._count_refusals(chunk, settled)
        await self._settle(settled)
        return rest

    def _count_refusals(self, chunk: Chunk, settled: list[Settled]) -> None:
        if any(part.state is State.ACCEPTED for part in settled):
            self._refusals_in_a_row = 0
        elif len(chunk) == 1 and settled[0].state is State.REJECTED:
            self._refusals_in_a_row += 1
            if self._refusals_in_a_row >= self._settings.stop_after_refusals:
                count = self._refusals_in_a_row
                self._trip.stop(f"{count} single refusals in a row without one acceptance (stop_after_refusals)")

    async def _settle(self, settled: list[Settled]) -> None:
        for part in settled:
            self.report.add(part)
        if self.tell is not None:
            for part in settled:
                await self._say(part)

    async def _tell_untold(self) -> None:
        untold, self._untold = self._untold, []
        with anyio.CancelScope(shield=True):  # a stop ends the reading, not the telling of what was read
            for part in untold:
                await self._say(part)

    async def _say(self, settled: Settled) -> None:
        if self.tell is not None:
            try:
                await self.tell(settled)
            except anyio.BrokenResourceError:  # nobody listens any more
                self.tell = None
