"""One upload: reads, claims, cuts, leases, sends, settles. What it decides is decided in the pure modules beside it.

One task reads the source, one puts chunks on record a few ahead, workers send them. A worker keeps the pieces of a
chunk that was refused or too large on a stack of its own, so that the chunks in memory are bounded, whatever the input.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from cashin_async.bulk.apportion import apportion
from cashin_async.bulk.chunk import Chunk, Chunker
from cashin_async.bulk.courier import Courier, Trip
from cashin_async.bulk.diary import Diary
from cashin_async.bulk.inspection import Inspection
from cashin_async.bulk.intake import Intake
from cashin_async.bulk.outcome import Progress, Settled, State, UploadReport
from cashin_async.bulk.settle import Asker, Doubt, Settler
from cashin_async.bulk.verdict import Then, Verdict
from cashin_async.errors import LedgerError
from cashin_async.events import (
    CHUNK_SPLIT,
    PROGRESS_FAILED,
    where,
)
from cashin_async.ledger.base import SETTLES, NumberState, Part
from cashin_async.ledger.claims import Claims
from cashin_async.models.digest import Digest, digest_without
from cashin_async.settings import Settings
from cashin_async.sources.source import Batch, Source

log = logging.getLogger(__name__)

_MOST_AHEAD = 1600  # invoices on record ahead of their sending: what is behind them waits in memory
_LOW = 4  # leased chunks not sent yet: as long as there are more, or more chunks keep coming, a lease waits
_GATHER = 0.003  # seconds between two looks: what a sync costs is to be shared by many chunks
_KEPT = 8_388_608  # bytes: a body of 1 MiB, the default limit, for each of 8 requests in flight
_SAVE_EVERY = 1.0  # seconds between two notes of a run's counts in the ledger, for those who look from outside


def run_id() -> str:
    """Sorts by time, and two runs of one second differ."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def settlement_id() -> str:
    """The same of a run that settles only."""
    return f"{run_id()}{SETTLES}"


def _keep_memory_at_hand() -> None:
    """Let the C library keep what it is given back, instead of asking the system for each body's memory anew.

    glibc goes by the largest block that was given back so far. Nothing is touched here, so it costs nothing; without it
    every page of every body is mapped and cleared by the system.
    """
    bytes(_KEPT)


def digest_of(settings: Settings) -> Digest:
    """What tells one content from another, by these settings."""
    return digest_without([name.strip() for name in settings.digest_without.split(",") if name.strip()])


class Run:
    """One upload, from its first invoice to the last outcome."""

    def __init__(
        self,
        source: Source,
        claims: Claims,
        courier: Courier,
        settings: Settings,
        *,
        limit: int | None = None,
        retry_rejected: bool = False,
        asker: Asker | None = None,
        inspection: Inspection | None = None,
        run: str | None = None,
    ) -> None:
        self.report = UploadReport(run or run_id(), claims.ledger.place, locate=source.locate)
        self.source = source
        self._claims = claims
        self.ledger = claims.ledger
        self._courier = courier
        self._settings = settings
        self.tell: Callable[[Settled], Awaitable[None]] | None = None
        """Awaited with every group of outcomes."""
        self._chunker = Chunker(settings.chunk_size, settings.chunk_bytes, settings.first_chunk)
        self._inspection = inspection or Inspection()
        self._intake = Intake(
            self.report.run,
            claims,
            self._chunker,
            digest_of(settings),
            check=source.check,
            inspection=self._inspection,
            limit=limit,
            retry_rejected=retry_rejected,
            settles=asker is not None,
        )
        self._refusals_in_a_row = 0
        self._ahead = max(1, min(claims.ledger.ahead, _MOST_AHEAD // settings.chunk_size))
        self._trip = Trip(settings, claims.ledger)
        self._trip.on_stop = self._stop_reading
        self._settler: Settler | None = None
        if asker is not None:
            self._settler = Settler(
                self._trip,
                claims,
                courier.gate,
                asker,
                settings,
                self.report.run,
                tell=self._end,
                send=self._send_released,
            )
        self._reading = anyio.CancelScope()
        self._diary = Diary(self.report, source, courier.gate, self._trip, log)

    # -- from outside

    async def run(
        self, on_progress: Callable[[Progress], None] | None = None, progress_every: float = 0.25
    ) -> UploadReport:
        """The whole upload. Raises nothing for what happens to invoices: that is in the report.

        `on_progress` is called every `progress_every` seconds, and once at the end.
        """
        self._courier.gate.restart()
        _keep_memory_at_hand()
        timer = None
        if (deadline := self._settings.deadline) is not None:
            why = f"the deadline of {deadline:g} s is over (deadline)"
            timer = asyncio.get_running_loop().call_later(deadline, self._trip.stop, why, False)
        self._diary.begin()
        try:
            await self._save(self._diary.facts())
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._save_now_and_then)
                if on_progress is not None:
                    watching.start_soon(self._show, on_progress, progress_every)
                await self._upload()
                watching.cancel_scope.cancel()
            if self.report.read != self._intake.read:
                raise RuntimeError(f"{self._intake.read - self.report.read} invoices have no outcome")
        except BaseException as error:
            self._diary.log_abandoned(error)
            with anyio.CancelScope(shield=True):
                await self._guarded(self.ledger.abandon(self.report.run))
            raise
        finally:
            self._claims.abandon(self._intake)
            self._claims.abandon(self._settler)
            self._courier.thinned.tell_rest()
            if timer is not None:
                timer.cancel()
            self._close_report()
        await self._save(self._diary.last_facts())
        if on_progress is not None:
            try:
                on_progress(self.progress())
            except Exception as error:  # a broken display must not cost the report
                PROGRESS_FAILED.tell(log, error=type(error).__name__, where=where(error))
        self._diary.log_end()
        return self.report

    async def _upload(self) -> None:
        async with anyio.create_task_group() as settling:
            if self._settler is not None:
                await self._guarded(self._settler.begin())
                settling.start_soon(self._settler.run)
            async with anyio.create_task_group() as tasks:
                buffered = self._ahead - 1
                planned, to_lease = anyio.create_memory_object_stream[Chunk](buffered)
                leased, to_send = anyio.create_memory_object_stream[Chunk](buffered)
                for _ in range(self._settings.concurrency):
                    tasks.start_soon(self._work, to_send.clone())
                to_send.close()
                tasks.start_soon(self._lease_all, to_lease, leased)
                tasks.start_soon(self._read_all, planned)
            if self._settler is not None:
                await self._guarded(self._settler.all_sent())
        await self._guarded(self._list_released())

    async def _show(self, on_progress: Callable[[Progress], None], every: float) -> None:
        try:
            while True:
                on_progress(self.progress())
                await anyio.sleep(every)
        except Exception as error:  # a broken display must not cost the upload
            PROGRESS_FAILED.tell(log, error=type(error).__name__, where=where(error))

    def interrupt(self, why: str = "interrupted") -> None:
        """Stop reading, let what is in flight be answered, report the rest as `unsent`."""
        self.report.interrupted = True
        self._trip.stop(why, read_on=False)

    def progress(self) -> Progress:
        """The run as it is now."""
        gate, settler = self._courier.gate, self._settler
        next_ask = settler.next_ask if settler else None
        return Progress(
            read=self._intake.read,
            counts=dict(self.report._counts),
            in_flight=self._trip.in_flight,
            window=int(gate.admission.window),
            requests=self._trip.requests,
            retries=self._trip.retries,
            held_for=gate.held_for(),
            seconds=self._diary.seconds,
            share_read=self.source.share_read(),
            stopped=self._trip.stopped,
            in_doubt=settler.doubtful if settler else 0,
            next_ask=None if next_ask is None else max(0.0, next_ask - anyio.current_time()),
            last_failure=self._diary.last_failure,
        )

    def _close_report(self) -> None:
        report = self.report
        self._diary.close()
        report.problems = self.source.problems
        report.broken_rules = dict(self._inspection.broken.most_common())
        if self._settler is not None:
            report.settled_accepted, report.settled_released = self._settler.accepted, self._settler.released

    @property
    def lookup_refused(self) -> str | None:
        """Why nothing that the look-up says counts, if that is so."""
        return self._settler.refused if self._settler else None

    # -- the ledger

    async def _guarded(self, writing: Awaitable[Any]) -> bool:
        """Whether the ledger took it; if not, nothing more is sent."""
        try:
            await writing
        except LedgerError as error:
            self._trip.stop(str(error))
            return False
        return True

    async def _save(self, facts: Mapping[str, Any]) -> None:
        await self._guarded(self.ledger.save_run(self.report.run, facts))

    async def _save_now_and_then(self) -> None:
        while True:
            await anyio.sleep(_SAVE_EVERY)
            await self._save(self._diary.facts())

    async def _list_released(self) -> None:
        """What was released once, and is in no input since: nobody is to forget it."""
        after = 0
        while numbers := await self.ledger.in_state(NumberState.RELEASED, after):
            after = numbers[-1]
            self.report.released += [number for number in numbers if number not in self._intake.seen]

    # -- reading

    async def _read_all(self, planned: MemoryObjectSendStream[Chunk]) -> None:
        async with planned:
            with self._reading:
                self.report.read_to_end = False
                await self._read_source(planned)
            with anyio.move_on_after(self._settings.drain_timeout):  # it may wait for another task's number
                await self._take(self.source.left_over(), planned)
            for chunk in self._intake.rest():
                await planned.send(chunk)
            await self._tell_kept_back()
            self._diary.log_problems(self.source.problems)

    async def _read_source(self, planned: MemoryObjectSendStream[Chunk]) -> None:
        self.source.wanted = self._intake.wanted
        async with aclosing(self.source.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                await self._take(batch, planned)
                self.source.glances = self._intake.all_known and not self._settings.digest_without
                self.source.wanted = self._intake.wanted
                if self.source.wanted == 0:
                    return
                await anyio.lowlevel.checkpoint()
        self.report.read_to_end = True

    async def _take(self, batch: Batch, planned: MemoryObjectSendStream[Chunk]) -> None:
        try:
            async with aclosing(self._intake.take(batch)) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    with anyio.CancelScope(shield=True):  # what is cut goes on, also after a stop
                        await planned.send(chunk)
        except LedgerError as error:
            self._trip.stop(str(error), read_on=False)
        except anyio.BrokenResourceError:  # the run is cut off, and whoever would take it is gone
            self._reading.cancel()
        await self._tell_kept_back()
        self._diary.log_problems(self.source.problems)

    async def _tell_kept_back(self) -> None:
        with anyio.CancelScope(shield=True):  # a stop ends the reading, not the telling of what was read
            for reason, invoices in self._intake.invalid().items():
                await self._guarded(self.ledger.note(self.report.run, NumberState.INVALID, reason, invoices))
            for part in self._intake.kept_back():
                await self._tell(part)
            for reason, same, chunk in self._intake.doubts():
                assert self._settler is not None  # noqa: S101 - for the type checker
                await self._doubt(Doubt(chunk.numbers, self._settler.due(chunk.numbers), reason, chunk, same))

    def _stop_reading(self, read_on: bool) -> None:
        """After a stop the input is read on, so that each invoice has its outcome: for `drain_timeout`."""
        if read_on:
            self._reading.deadline = min(self._reading.deadline, anyio.current_time() + self._settings.drain_timeout)
        else:
            self._reading.cancel()

    # -- putting on record

    async def _lease_all(
        self, planned: MemoryObjectReceiveStream[Chunk], leased: MemoryObjectSendStream[Chunk]
    ) -> None:
        async with planned, leased:
            async for chunk in planned:
                batch, before = [chunk], 0
                while not self._gather(batch, planned):
                    if len(batch) == before and leased.statistics().current_buffer_used <= _LOW:
                        break  # no more are coming just now, and those who send are about to run out
                    before = len(batch)
                    await anyio.sleep(_GATHER)
                await self._lease(batch)
                for one in batch:
                    await leased.send(one)

    def _gather(self, batch: list[Chunk], planned: MemoryObjectReceiveStream[Chunk]) -> bool:
        """Take what is there; whether there is no point in waiting for more."""
        try:
            while len(batch) < self._ahead:
                batch.append(planned.receive_nowait())
        except anyio.WouldBlock:
            return False
        except anyio.EndOfStream:
            pass
        return True

    async def _lease(self, chunks: list[Chunk]) -> None:
        if self._trip.stopped is not None:
            return
        try:
            leases = await self.ledger.lease(self.report.run, [(chunk.numbers, chunk.digests) for chunk in chunks])
        except LedgerError as error:
            self._trip.stop(str(error))
        else:
            for chunk, lease in zip(chunks, leases, strict=True):
                chunk.lease = lease

    # -- sending

    async def _work(self, leased: MemoryObjectReceiveStream[Chunk]) -> None:
        async with leased:
            async for chunk in leased:
                await self._work_off(chunk)

    async def _work_off(self, chunk: Chunk) -> None:
        todo = [chunk]
        while todo:
            todo.extend(reversed(await self._send(todo.pop())))

    async def _send_released(self, chunk: Chunk) -> None:
        refused = [place for place, number in enumerate(chunk.numbers) if number in self._intake.refused]
        for place in refused:
            number, ref, encoded = chunk.numbers[place], chunk.refs[place], chunk.encoded[place]
            reason = self._intake.refused[number]
            await self._end(Settled(State.INVALID, [number], [ref], reason, encoded=[encoded]))
        if len(refused) < len(chunk):
            if refused:
                chunk = chunk.pick([place for place in range(len(chunk)) if place not in refused])
            await self._lease([chunk])
            await self._work_off(chunk)

    async def _send(self, chunk: Chunk) -> list[Chunk]:
        """Send a chunk; what is given back are the pieces of it that have to go on their own."""
        if not self._chunker.fits(chunk):
            return list(chunk.halves())
        delivery = await self._courier.deliver(chunk, self._trip)
        chunk, verdict = delivery.chunk, delivery.verdict
        rest = [delivery.rest] if delivery.rest else []
        if verdict.then is Then.SPLIT:
            self._chunker.learn(chunk)
            self._courier.thinned.tell(CHUNK_SPLIT, None, invoices=len(chunk), size=chunk.size)
        if verdict.then in (Then.SPLIT, Then.BISECT):
            return [*chunk.halves(), *rest]
        settled = apportion(chunk, verdict, delivery.exchange)
        if verdict.then is Then.STOP:
            self._trip.stop(verdict.reason)  # without the server's words: why a run stopped is logged
        self._count_refusals(chunk, settled)
        await self._settle(chunk, verdict, settled)
        return rest

    def _count_refusals(self, chunk: Chunk, settled: list[Settled]) -> None:
        if any(part.state is State.ACCEPTED for part in settled):
            self._refusals_in_a_row = 0
        elif len(chunk) == 1 and settled[0].state is State.REJECTED:
            self._refusals_in_a_row += 1
            if self._refusals_in_a_row >= self._settings.stop_after_refusals:
                count = self._refusals_in_a_row
                self._trip.stop(f"{count} single refusals in a row without one acceptance (stop_after_refusals)")

    # -- outcomes

    async def _settle(self, chunk: Chunk, verdict: Verdict, settled: list[Settled]) -> None:
        """On record first, then told."""
        ended = anyio.current_time()
        if chunk.lease is not None:
            await self._guarded(self.ledger.settle(chunk.lease, parts_of(chunk, settled)))
        for part in settled:
            if part.state is State.UNKNOWN and self._settler is not None and chunk.lease is not None:
                unknown = chunk.pick([chunk.numbers.index(number) for number in part.numbers if number is not None])
                due = ended + self._settings.settle_after
                doubt = Doubt(unknown.numbers, due, part.reason or "", unknown, answer=part.answer)
                doubt.singly = verdict.status in (402, 422)
                await self._doubt(doubt)
            else:
                await self._end(part)

    async def _doubt(self, doubt: Doubt) -> None:
        assert doubt.chunk is not None and self._settler is not None  # noqa: S101, PT018 - for the type checker
        self._intake.seen.update(doubt.numbers)
        self._claims.doubt(doubt.numbers)
        if not self._settler.add(doubt):
            chunk, state = doubt.chunk, State.UNKNOWN if doubt.same else State.UNSENT
            reason = f"{doubt.reason}; too much is in doubt to settle it in this run (settle_bytes)"
            await self._end(Settled(state, chunk.numbers, chunk.refs, reason, doubt.answer, chunk.encoded))

    async def _end(self, settled: Settled) -> None:
        """It is on record how these ended: their numbers are free for others to claim."""
        self._claims.release([number for number in settled.numbers if number is not None])
        await self._tell(settled)

    async def _tell(self, settled: Settled) -> None:
        """Count outcomes, and say them to whoever listens."""
        self.report.add(settled)
        self._diary.add(settled)
        if self.tell is not None:
            try:
                await self.tell(settled)
            except anyio.BrokenResourceError:  # nobody listens any more
                self.tell = None


def parts_of(chunk: Chunk, settled: list[Settled]) -> list[Part]:
    """The same for the ledger."""
    if len(settled) == 1 and not chunk.part:
        return [Part(NumberState(settled[0].state), settled[0].reason)]
    return [
        Part(NumberState(part.state), part.reason, [number for number in part.numbers if number is not None])
        for part in settled
    ]
