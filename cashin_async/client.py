"""`CashIn`: opens and closes the session pool, and hands invoices to the engine."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Union, cast, get_args

import anyio
from anyio.abc import ObjectReceiveStream

from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.courier import Courier, Trip
from cashin_async.bulk.engine import Run, digest_of, run_id, settlement_id
from cashin_async.bulk.inspection import Inspection, Rules, said
from cashin_async.bulk.lookup import LookUp
from cashin_async.bulk.outcome import FAILURES, Outcome, Progress, Settled, State, UploadReport
from cashin_async.bulk.settle import Asker, Callback, Template
from cashin_async.bulk.single import Single
from cashin_async.errors import (
    ConfigurationError,
    InvalidInvoice,
    InvoiceError,
    InvoiceRejected,
    InvoiceUnknown,
    InvoiceUnsent,
    LedgerError,
    SourceError,
)
from cashin_async.events import LEDGER_FAILED, RULE_BROKEN
from cashin_async.ledger.base import Ledger, NumberState
from cashin_async.ledger.claims import Claims
from cashin_async.ledger.place import open_ledger, place_of
from cashin_async.models.receipt import UploadReceipt
from cashin_async.rules import Problem, RuleSet, severities_of
from cashin_async.settings import ApiKey, Environment, KeyProvider, Settings, key_from_env
from cashin_async.sources.files import Files
from cashin_async.sources.forms import INSTALL_PYARROW
from cashin_async.sources.iterables import Invoice, Iterables, read_invoice
from cashin_async.sources.source import Source
from cashin_async.transport.keyring import Keyring
from cashin_async.transport.lookup import LookUpByGet

log = logging.getLogger(__name__)

LedgerPlace = str | PathLike[str] | None
"""A ledger's file, or "none": remembered in memory for the client's lifetime. None: as the settings say."""

Invoices = Union[Iterable[Invoice | PathLike[str]], AsyncIterable[Invoice], PathLike[str], Files, "HasArrowStream"]
"""Any iterable of invoices; a path, or a list of paths, of files in any form that is read; or whatever has
`__arrow_c_stream__`: a table of pyarrow, polars, pandas or duckdb (docs/inputs.md)."""


if TYPE_CHECKING:
    from cashin_async.sources.arrow import HasArrowStream
    from cashin_async.transport.pool import SessionPool


class CashIn:
    """A client of the Cash-In API for one creditor account.

        async with CashIn.from_env() as cashin:
            report = await cashin.invoices.upload(invoices)

    `api_key` is the key, or a callable (sync, called in a thread, or async) that gives it: it is asked at first
    use, and once again after each 401, so that a key can be rotated while the process runs. Everything else is a
    setting: `base_url` or `environment="production"`, the label of the `creditor`, and `settings` for the others.
    `rule_set`: what invoices are checked by before they are sent; unset, every rule. Of what the settings say too,
    they have the last word.

    Every number that is handed over is remembered, in the ledger that `Settings.ledger` or the argument of a call
    names, else in memory for the client's lifetime: a number that was accepted is never sent again. A ledger is
    opened once and shared by all calls, and closed with the client.

    Raises `ConfigurationError` for what is missing or wrong.
    """

    def __init__(
        self,
        api_key: str | ApiKey | KeyProvider,
        *,
        base_url: str | None = None,
        environment: Environment | str | None = None,
        creditor: str | None = None,
        settings: Settings | None = None,
        rule_set: RuleSet | None = None,
    ) -> None:
        if settings is None:
            settings = Settings.load({}, base_url=base_url, environment=_environment(environment))
        elif base_url is not None or environment is not None:
            settings = replace(settings, base_url=base_url or "", environment=_environment(environment))
        if creditor is not None:
            settings = replace(settings, creditor=creditor)
        self.settings = settings
        self.rule_set = rule_set_of(settings, rule_set or RuleSet())
        self.invoices = SalesInvoices(self)
        self._keys = Keyring(api_key, settings.timeout)
        self._pool: SessionPool | None = None
        self._courier: Courier | None = None
        self._opened: dict[str, Claims] = {}
        self._admitted: set[str] = set()
        self._opening = asyncio.Lock()
        self._singles = f"{run_id()}-single"
        self._resources = AsyncExitStack()

    @classmethod
    def from_env(cls, **settings: Any) -> "CashIn":
        """A client of the key and the settings that environment variables hold; arguments win."""
        return cls(key_from_env(), settings=Settings.load(**settings))

    async def __aenter__(self) -> "CashIn":
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections and ledgers."""
        self._courier = self._pool = None
        self._opened.clear()
        self._admitted.clear()
        await self._resources.aclose()

    async def _open(self) -> Courier:
        await self._keys.current()
        if self._courier is None:
            from cashin_async.transport.pool import SessionPool  # loads aiohttp, a quarter of a second

            self._pool = await self._resources.enter_async_context(SessionPool(self.settings, self._keys))
            self._courier = Courier(self.settings, self._pool)
        return self._courier

    def _already_open(self, ledger: "LedgerPlace") -> tuple[Courier, Claims] | None:
        """What a call works with, when nothing is left to open."""
        place = place_of(self.settings, ledger)
        claims = self._opened.get(place)
        if self._courier is None or claims is None or place not in self._admitted:
            return None
        return self._courier, claims

    async def _open_ledger(self, ledger: "LedgerPlace") -> Claims:
        """The ledger for a call, opened at its first use. Raises `LedgerError`; `ConfigurationError` for a new key."""
        place = place_of(self.settings, ledger)
        async with self._opening:
            if place not in self._opened:
                with anyio.CancelScope(shield=True):  # between its opening and who will close it
                    opened = await open_ledger(self.settings, place)
                    self._resources.push_async_callback(_close, opened)
                    self._opened[place] = Claims(opened)
            claims = self._opened[place]
            if place not in self._admitted:
                await self._keys.check(claims.ledger.admit_key)
                if self._opened.get(place) is claims:  # not closed meanwhile
                    self._admitted.add(place)
            return claims

    def _asker(self, lookup: LookUp | None) -> Asker | None:
        """The look-up to settle with: the caller's own, else the template of the settings."""
        if lookup is not None:
            return Callback(lookup, self.settings.timeout)
        if self.settings.lookup_path is None:
            return None
        assert self._pool is not None  # noqa: S101 - for the type checker: `_open` was called
        return Template(LookUpByGet(self._pool, self.settings.lookup_path))

    def _inspection(self, rules: Rules | None, tell: Callable[[Problem], None] = lambda problem: None) -> Inspection:
        if rules not in (None, *get_args(Rules)):
            raise ConfigurationError(f"rules must be one of {', '.join(get_args(Rules))} (CASHIN_RULES)")
        return Inspection(rules or self.settings.rules, self.rule_set, tell)

    def __repr__(self) -> str:
        return f"CashIn(base_url={self.settings.base_url!r})"


async def _close(ledger: Ledger) -> None:
    try:
        await ledger.close()
    except LedgerError as error:
        LEDGER_FAILED.tell(log, reason=str(error))


def _environment(name: Environment | str | None) -> Environment | None:
    try:
        return None if name is None else Environment(name)
    except ValueError:
        known = ", ".join(Environment)
        raise ConfigurationError(f"environment must be {known}: of any other, give the base_url") from None


class SalesInvoices:
    """What can be done with invoices: `cashin.invoices`."""

    def __init__(self, client: CashIn) -> None:
        self._client = client

    async def create(
        self,
        invoice: Invoice | Sequence[Invoice],
        *,
        timeout: float | None = None,
        ledger: LedgerPlace = None,
        retry_rejected: bool | None = None,
        rules: Rules | None = None,
    ) -> UploadReceipt:
        """Create one invoice, or a few, in one request. Gives the server's receipt: every one is accepted.

        What provably did not arrive is sent again, as `Settings.retries` says; nothing else is. An invoice that was
        accepted before with the same content is not sent again, and not counted in the receipt; when none is left,
        no request is made and the receipt's counts are 0. While another task sends the same number, its outcome is
        waited for. `timeout`, in seconds, bounds it all, the waiting for a hold of the server's too. `rules`:
        "enforce", "warn" (in the log) or "off"; unset, as the settings say.

        Raises `InvalidInvoice` (nothing was sent), `InvoiceRejected`, `InvoiceUnknown` (it may have been accepted:
        do not just call again) or `InvoiceUnsent`, each with `.numbers`; of several outcomes the worst, in the
        order unknown, unsent, rejected.
        """
        client, settings = self._client, self._client.settings
        chunk = _one_chunk(invoice, settings)
        over = f"the caller's timeout of {timeout} s is over"
        began = anyio.current_time()
        opened: tuple[Courier, Claims] | None = client._already_open(ledger)
        if opened is None:
            with anyio.move_on_after(timeout):  # the first call asks for the key
                opened = await client._open(), await client._open_ledger(ledger)
        if opened is None:
            raise InvoiceUnsent(over, chunk.numbers)
        courier, claims = opened
        trip = Trip(settings, claims.ledger, drain_timeout=0.0)
        retry = settings.retry_rejected if retry_rejected is None else retry_rejected
        single = Single(chunk, claims, trip, client._singles, retry, client._inspection(rules, _log_problem))
        with _timer(None if timeout is None else began + timeout - anyio.current_time(), trip.stop, over):
            await single.send(courier)
        failed = [part for part in single.settled if part.state in FAILURES]
        if failed:
            _raise_worst(failed, single.status)
        return single.receipt or UploadReceipt(uploaded_invoices_count=0, failed_invoices_count=0)

    async def upload(
        self,
        invoices: Invoices,
        *,
        ledger: LedgerPlace = None,
        lookup: LookUp | None = None,
        retry_rejected: bool | None = None,
        rules: Rules | None = None,
        limit: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        progress_every: float = 0.25,
    ) -> UploadReport:
        """Upload any number of invoices; every one of them has its outcome in the report.

        `invoices`: any iterable, sync or async, of `SalesInvoice`, dict or bytes; or the path of a file, or a list of
        paths, each of them JSON Lines, a JSON array, CSV or Parquet (a path is taken as it is: it has no patterns); or
        a table of pyarrow, polars, pandas or duckdb, whose outcomes have the place of their row, from 0, as `.source`.
        `ledger`: its file, or "none"; unset, as the settings say, else in memory for the client's lifetime. The same
        upload again sends only what is proven not accepted. `lookup` settles what is unknown: an async callable from
        numbers to a mapping of each to "exists", "absent" or "cannot_tell"; unset, `Settings.lookup_path`.
        `retry_rejected`: send unchanged what was rejected or invalid before; unset, as the settings say.
        `rules`: "enforce" makes what breaks a rule `invalid`, "warn" counts it in `UploadReport.broken_rules` and tells
        the log, "off" does not look; unset, as the settings say.
        `limit`: send at most so many. `on_progress` is called every `progress_every` seconds.

        Raises `LedgerError` when the ledger cannot be opened: nothing was sent. Raises `SourceError`, with the
        report, when the input could not be read to its end; what was read has its outcomes. When the task is
        cancelled, what is in flight is answered first (`drain_timeout`); a second cancellation does not wait.
        """
        run = await self.prepare(
            invoices, ledger=ledger, lookup=lookup, retry_rejected=retry_rejected, rules=rules, limit=limit
        )
        await _see_through(asyncio.create_task(run.run(on_progress, progress_every)), run)
        _raise_source_error(run)
        return run.report

    @asynccontextmanager
    async def uploading(
        self,
        invoices: Invoices,
        *,
        ledger: LedgerPlace = None,
        lookup: LookUp | None = None,
        retry_rejected: bool | None = None,
        rules: Rules | None = None,
        limit: int | None = None,
    ) -> AsyncIterator["Outcomes"]:
        """The same as a stream: outcomes as they become known, each with its invoice or its place as `.source`.

        Leaving early stops the upload: what is in flight is answered first, `outcomes.report` has the counts.
        Iterating to the end raises `SourceError` as `upload` does.
        """
        run = await self.prepare(
            invoices, ledger=ledger, lookup=lookup, retry_rejected=retry_rejected, rules=rules, limit=limit
        )
        run.report.look()
        send, receive = anyio.create_memory_object_stream[Settled](1)
        run.tell = send.send
        task = asyncio.create_task(run.run())
        task.add_done_callback(lambda _: send.close())
        try:
            yield Outcomes(receive, run, task)
        finally:
            receive.close()
            if not task.done():
                run.interrupt("the caller stopped listening")
            await _see_through(task, run)

    async def settle(self, *, ledger: LedgerPlace = None, lookup: LookUp | None = None) -> "Settlement":
        """Settle what is unknown by look-up, and send nothing. Waits `settle_after` for what is not found to count.

        Raises `LedgerError`, or `ConfigurationError` when there is nothing to look up with.
        """
        run = await self.prepare([], ledger=ledger, lookup=lookup, settles=True)
        if self._client._asker(lookup) is None:
            raise ConfigurationError("there is no look-up to settle with: lookup, or the setting lookup_path")
        await _see_through(asyncio.create_task(run.run()), run)
        return await self._settlement(run)

    async def _settlement(self, run: Run) -> "Settlement":
        run.report.look()
        unknown: list[int] = []
        while more := await run.ledger.in_state(NumberState.UNKNOWN, unknown[-1] if unknown else 0):
            unknown += more
        return Settlement(run.report.settled_accepted, run.report.settled_released, unknown, run.lookup_refused)

    async def prepare(
        self,
        invoices: Invoices,
        *,
        ledger: LedgerPlace = None,
        lookup: LookUp | None = None,
        retry_rejected: bool | None = None,
        rules: Rules | None = None,
        limit: int | None = None,
        settles: bool = False,
    ) -> Run:
        """An upload that has not begun, for programs with signal handlers of their own.

        `await run.run()` is the upload and gives its report; meanwhile `run.interrupt()` ends it early and
        `run.progress()` tells where it is. With `settles` it is on record as one that only settles: not the upload
        that a report without a name is of.
        """
        if limit is not None and limit < 1:
            raise ConfigurationError(f"limit must be at least 1, not {limit}")
        client, settings = self._client, self._client.settings
        courier = await client._open()
        return Run(
            _source(invoices, settings),
            await client._open_ledger(ledger),
            courier,
            settings,
            limit=limit,
            retry_rejected=settings.retry_rejected if retry_rejected is None else retry_rejected,
            asker=client._asker(lookup),
            inspection=client._inspection(rules),
            run=settlement_id() if settles else None,
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of the numbers that were unknown."""

    accepted: list[int]
    """A look-up found them."""
    released: list[int]
    """It did not: their invoices go when they are in an input again."""
    unknown: list[int]
    """It could not tell: they stay as they are, for another look-up or a person's word."""
    refused: str | None = None
    """Why nothing that the look-up says counts, if that is so."""


class Outcomes:
    """The stream of `uploading`: one `Outcome` an invoice, in the order in which they become known."""

    def __init__(self, receive: ObjectReceiveStream[Settled], run: Run, task: "asyncio.Task[UploadReport]") -> None:
        self.report = run.report
        """The counts so far; complete when the stream has ended."""
        self._outcomes = self._stream(receive, run, task)

    def __aiter__(self) -> AsyncIterator[Outcome]:
        return self._outcomes

    async def _stream(
        self, receive: ObjectReceiveStream[Settled], run: Run, task: "asyncio.Task[UploadReport]"
    ) -> AsyncIterator[Outcome]:
        async for settled in receive:
            for outcome in settled.outcomes(run.source.locate):
                yield outcome
        await task
        _raise_source_error(run)


def _source(invoices: Invoices, settings: Settings) -> Source:
    if isinstance(invoices, Files):
        return invoices
    if isinstance(invoices, PathLike):
        return Files(settings, invoices)
    if isinstance(invoices, (list, tuple)) and invoices and all(isinstance(one, PathLike) for one in invoices):
        return Files(settings, *invoices)
    if hasattr(invoices, "__arrow_c_stream__"):  # before iterables, which such a table often is, of its columns
        return _arrow(cast("HasArrowStream", invoices), settings)
    items = cast(Iterable[Invoice] | AsyncIterable[Invoice], invoices)
    return Iterables(items, allow_unknown_fields=settings.allow_unknown_fields)


def _arrow(table: "HasArrowStream", settings: Settings) -> Source:
    try:
        from cashin_async.sources.arrow import ArrowStream
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyarrow":
            raise
        raise ConfigurationError(f"an Arrow table needs: {INSTALL_PYARROW}") from None
    return ArrowStream(table, longest=settings.chunk_bytes - 2, allow_unknown_fields=settings.allow_unknown_fields)


def rule_set_of(settings: Settings, rule_set: RuleSet) -> RuleSet:
    """The rules of a program as the settings have them: who runs it has the last word."""
    return replace(
        rule_set,
        severities={**rule_set.severities, **severities_of(settings.rule_severities)},
        iban=settings.creditor_iban or rule_set.iban,
        allow_unknown_fields=settings.allow_unknown_fields,
    )


def _one_chunk(invoice: Invoice | Sequence[Invoice], settings: Settings) -> Chunk:
    """The one request that `create` makes."""
    chunk = Chunk()
    digest = digest_of(settings)
    few = cast(Sequence[Invoice], invoice) if isinstance(invoice, (list, tuple)) else [cast(Invoice, invoice)]
    for one in few:
        record = read_invoice(one, settings.allow_unknown_fields)
        if record.number is None:
            raise InvalidInvoice(record.problem or "is not an invoice")
        if record.number in chunk.numbers:
            raise InvalidInvoice("stands twice in one request", [record.number])
        chunk.append(record.number, record.encoded, one, *digest([record.encoded]))
    if not chunk.numbers:
        raise InvalidInvoice("there is no invoice to create")
    if len(chunk) > settings.chunk_size or chunk.size > settings.chunk_bytes:
        reason = "too much for one request (chunk_size, chunk_bytes): upload() takes any number of invoices"
        raise InvalidInvoice(reason, chunk.numbers)
    return chunk


def _log_problem(problem: Problem) -> None:
    RULE_BROKEN.tell(log, invoice=problem.invoice_number, rule=problem.rule, problem=said(problem))


@contextmanager
def _timer(seconds: float | None, call: Callable[..., None], *arguments: Any) -> Iterator[None]:
    if seconds is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(seconds, call, *arguments)
    try:
        yield
    finally:
        timer.cancel()


async def _see_through(task: "asyncio.Task[UploadReport]", run: Run) -> None:
    """Wait for a run. Cancelled once, the run is interrupted and waited for; cancelled again, it is cut off."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.done():
            raise
        run.interrupt("cancelled")
        run.report.look()  # nobody will get it: the log has its counts
        with anyio.CancelScope(shield=True):
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                task.cancel()
                await asyncio.wait([task])
        raise


def _raise_source_error(run: Run) -> None:
    if run.report.problems:
        raise SourceError("; ".join(map(str, run.report.problems)), run.report) from run.source.failure


def _raise_worst(failed: list[Settled], status: int | None) -> NoReturn:
    kinds: dict[State, type[InvoiceError]] = {
        State.UNKNOWN: InvoiceUnknown,
        State.UNSENT: InvoiceUnsent,
        State.REJECTED: InvoiceRejected,
        State.INVALID: InvalidInvoice,
    }
    state, kind = next((state, kind) for state, kind in kinds.items() if any(part.state is state for part in failed))
    parts = [part for part in failed if part.state is state]
    numbers = [number for part in parts for number in part.numbers if number is not None]
    raise kind("; ".join(part.reason or "" for part in parts[:3]), numbers, status)
