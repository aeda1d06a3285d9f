"""The caller's own invoices: any iterable, sync or async, of `SalesInvoice`, dict or bytes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from contextlib import aclosing, suppress
from typing import Any

import anyio
import msgspec

from cashin_async.errors import InvalidInvoice
from cashin_async.models.invoice import SalesInvoice
from cashin_async.models.wire import (
    encode,
    encode_mapping,
    encode_mapping_unchecked,
    encode_unchecked,
    number_of,
    numbers_of,
    valid_number,
)
from cashin_async.sources.source import Batch, Record, SourceProblem

Invoice = SalesInvoice | Mapping[str, Any] | bytes
"""An invoice as a struct, as a dict of the published names, or as the bytes of one JSON object."""

_BATCH = 64  # invoices at most between two turns of the event loop
_SLICE = 0.001  # seconds of making and encoding them, likewise; checking them takes half as long again


class Iterables:
    """Invoices from `invoices`, each known by the very object that came.

    A sync iterable is advanced in the event loop's thread: one that waits for a database is better made async.
    An iterable that raises ends there; what came before goes on.
    """

    def __init__(
        self, invoices: Iterable[Invoice] | AsyncIterable[Invoice], *, allow_unknown_fields: bool = False
    ) -> None:
        if isinstance(invoices, (str, bytes, bytearray, Mapping, msgspec.Struct)):
            raise TypeError(
                "expected an iterable of invoices: put a single one into a list, and a file name into a Path"
            )
        if not isinstance(invoices, (Iterable, AsyncIterable)):
            raise TypeError(f"expected an iterable of invoices, not {type(invoices).__name__}")
        self.problems: list[SourceProblem] = []
        self.failure: BaseException | None = None
        self.glances = False
        self.wanted: int | None = None
        self._left_over = _Some(allow_unknown_fields)
        self._invoices = invoices
        self._allow_unknown_fields = allow_unknown_fields
        self._count = 0
        self._length = len(invoices) if isinstance(invoices, Sized) else None

    def share_read(self) -> float | None:
        return self._count / self._length if self._length else None

    def locate(self, ref: Any) -> Any:
        return ref

    def check(self, record: Record) -> Record:
        return record

    def left_over(self) -> Batch:
        some, self._left_over = self._left_over, _Some(self._allow_unknown_fields)
        return self._batch(some)

    async def batches(self) -> AsyncIterator[Batch]:
        if isinstance(self._invoices, AsyncIterable):
            async with aclosing(self._as_they_come(self._invoices)) as arriving:
                async for some in arriving:
                    yield self._batch(some)
        else:
            for some in self._in_turns(self._invoices):
                yield self._batch(some)

    def _batch(self, some: "_Some") -> Batch:
        self._count += len(some)
        return some.batch()

    def _most(self) -> int:
        """Invoices that may be taken from the caller now: what nobody wants stays there."""
        return _BATCH if self.wanted is None else min(_BATCH, self.wanted)

    def _in_turns(self, invoices: Iterable[Invoice]) -> Iterator["_Some"]:
        iterator: Iterator[Invoice] | None = None
        going = True
        while going:
            some, until, most = _Some(self._allow_unknown_fields), time.perf_counter() + _SLICE, self._most()
            try:
                if iterator is None:
                    iterator = iter(invoices)
                for invoice in iterator:
                    some.add(invoice)
                    if len(some) == most or time.perf_counter() > until:
                        break
                else:
                    going = False
            except (Exception, asyncio.CancelledError) as error:  # nobody can cancel us here: it is the caller's own
                self._ended_by(error, len(some))
                going = False
            yield some

    async def _as_they_come(self, invoices: AsyncIterable[Invoice]) -> AsyncGenerator["_Some", None]:
        """What is there by now: a task reads, so that waiting for an invoice keeps back none that came before."""
        arrivals = _Arrivals(self._allow_unknown_fields)
        reader = asyncio.create_task(self._read(invoices, arrivals))
        try:
            while some := await arrivals.take(self._most(), read_on=self.wanted is None):
                yield some
        finally:
            arrivals.reading.cancel()
            try:
                await asyncio.wait([reader])
            finally:
                arrivals.closing.cancel()  # who is cancelled waits no longer for what the caller's iterable still does
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([reader])
                self._left_over = arrivals.some
            reader.result()

    async def _read(self, invoices: AsyncIterable[Invoice], arrivals: "_Arrivals") -> None:
        iterator: AsyncIterator[Invoice] | None = None
        try:
            with arrivals.reading:
                iterator = aiter(invoices)
                while True:
                    await arrivals.room()
                    arrivals.add(await anext(iterator))
        except StopAsyncIteration:
            pass
        except (Exception, asyncio.CancelledError) as error:  # who cancels us uses the scopes: it is the caller's own
            self._ended_by(error, len(arrivals.some))
        finally:
            try:
                with arrivals.closing:
                    if isinstance(iterator, AsyncGenerator):
                        await iterator.aclose()
            except (Exception, asyncio.CancelledError, BaseExceptionGroup) as error:  # of a task group around a `yield`
                if self.failure is None:
                    self._ended_by(error, len(arrivals.some))
            finally:
                arrivals.end()

    def _ended_by(self, error: BaseException, not_counted: int) -> None:
        """The exception's own words may quote an invoice: its type is named, the rest is chained by the caller."""
        self.failure = error
        count = self._count + not_counted
        self.problems.append(SourceProblem(f"the iterable raised {type(error).__name__} after {count} invoices"))


class _Some:
    """Invoices, encoded one by one as they come, since the caller may change an object later; checked together."""

    def __init__(self, allow_unknown_fields: bool) -> None:
        self._allow_unknown_fields = allow_unknown_fields
        self._invoices: list[Invoice] = []
        self._encoded: list[bytes] = []
        self._problems: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._invoices)

    def add(self, invoice: Invoice) -> None:
        try:
            encoded = _unchecked(invoice, self._allow_unknown_fields)
        except Exception:  # the caller's own object may raise anything
            encoded = b""
            problem = read_invoice(invoice, self._allow_unknown_fields).problem
            self._problems[len(self._invoices)] = problem or "cannot be read"
        self._invoices.append(invoice)
        self._encoded.append(encoded)

    def batch(self) -> Batch:
        numbers, problems = numbers_of(self._encoded, self._allow_unknown_fields)
        for place in problems.keys() - self._problems.keys():
            self._problems[place] = self._explained(self._invoices[place], self._encoded[place], problems[place])
            if isinstance(self._invoices[place], (SalesInvoice, Mapping)):
                self._encoded[place] = b""
        return Batch(self._invoices, numbers, self._encoded, self._problems)

    def _explained(self, invoice: Invoice, encoded: bytes, problem: str) -> str:
        """Of the object there is more to say than of its bytes, unless it has changed since."""
        with suppress(Exception):
            if _unchecked(invoice, self._allow_unknown_fields) == encoded:
                return read_invoice(invoice, self._allow_unknown_fields).problem or problem
        return problem


class _Arrivals:
    """Invoices between the task that reads them and the one that takes all there are."""

    def __init__(self, allow_unknown_fields: bool) -> None:
        self.reading = anyio.CancelScope()
        self.closing = anyio.CancelScope()
        self.some = _Some(allow_unknown_fields)
        self._allow_unknown_fields = allow_unknown_fields
        self._most = 0
        self._until = 0.0
        self._news = asyncio.Event()
        self._free = asyncio.Event()
        self._ended = False

    async def room(self) -> None:
        """Wait until one more is wanted."""
        if len(self.some) >= self._most or (self.some and time.perf_counter() > self._until):
            self._free.clear()
            await self._free.wait()

    def add(self, invoice: Invoice) -> None:
        if not self.some:
            self._until = time.perf_counter() + _SLICE
        self.some.add(invoice)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def take(self, most: int, *, read_on: bool) -> _Some:
        """One at least, and `most` at most; none at the end. The reader may `read_on` until this is called again."""
        self._most = most
        self._free.set()
        await self._news.wait()
        some, self.some = self.some, _Some(self._allow_unknown_fields)
        if not self._ended:
            self._news.clear()
        if read_on:
            self._free.set()
        else:
            self._most = 0
        return some


def _unchecked(invoice: Invoice, allow_unknown_fields: bool) -> bytes:
    """The bytes that are to be checked."""
    if isinstance(invoice, SalesInvoice):
        return encode_unchecked(invoice)
    if isinstance(invoice, Mapping):
        return encode_mapping_unchecked(invoice, allow_unknown_fields)
    return bytes(invoice).strip() if isinstance(invoice, (bytes, bytearray, memoryview)) else b""


def read_invoice(invoice: Invoice, allow_unknown_fields: bool = False) -> Record:
    """An invoice in any of its forms as a record, known by the object itself."""
    try:
        number, encoded = _encoded(invoice, allow_unknown_fields)
    except InvalidInvoice as error:
        encoded = bytes(invoice) if isinstance(invoice, (bytes, bytearray, memoryview)) else b""
        return Record(invoice, None, encoded, error.reason)
    except Exception as error:  # the caller's own object may raise anything
        return Record(invoice, None, b"", f"cannot be read: {type(error).__name__}")
    return Record(invoice, number, encoded)


def _encoded(invoice: Invoice, allow_unknown_fields: bool) -> tuple[int, bytes]:
    if isinstance(invoice, SalesInvoice):
        return valid_number(invoice.invoice_number), encode(invoice)
    if isinstance(invoice, Mapping):
        return encode_mapping(invoice, allow_unknown_fields)
    if isinstance(invoice, (bytes, bytearray, memoryview)):
        encoded = bytes(invoice).strip()
        return number_of(encoded, allow_unknown_fields), encoded
    raise InvalidInvoice(f"is a {type(invoice).__name__}, not a SalesInvoice, a dict or bytes")
