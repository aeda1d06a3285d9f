"""The caller's own invoices: any iterable, sync or async, of `SalesInvoice`, dict or bytes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from typing import Any

import msgspec

from cashin_async.errors import InvalidInvoice
from cashin_async.models.invoice import SalesInvoice
from cashin_async.models.wire import encode, encode_mapping, number_of, valid_number
from cashin_async.sources.source import Record, SourceProblem

Invoice = SalesInvoice | Mapping[str, Any] | bytes
"""An invoice as a struct, as a dict of the published names, or as the bytes of one JSON object."""

_BATCH = 64  # invoices taken from a sync iterable between two turns of the event loop: half a millisecond


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

    async def batches(self) -> AsyncIterator[list[Record]]:
        if isinstance(self._invoices, AsyncIterable):
            async for batch in self._batches_as_they_come(self._invoices):
                yield batch
        else:
            for batch in self._batches(self._invoices):
                yield batch

    def _batches(self, invoices: Iterable[Invoice]) -> Iterator[list[Record]]:
        iterator: Iterator[Invoice] | None = None
        going = True
        while going:
            batch: list[Record] = []
            try:
                if iterator is None:
                    iterator = iter(invoices)
                for invoice in iterator:
                    batch.append(self._record(invoice))
                    if len(batch) == _BATCH:
                        break
                else:
                    going = False
            except (Exception, asyncio.CancelledError) as error:  # nobody can cancel us here: it is the caller's own
                self._ended_by(error)
                going = False
            yield batch

    async def _batches_as_they_come(self, invoices: AsyncIterable[Invoice]) -> AsyncIterator[list[Record]]:
        iterator: AsyncIterator[Invoice] | None = None
        try:
            while True:
                try:
                    if iterator is None:
                        iterator = aiter(invoices)
                    invoice = await anext(iterator)
                except StopAsyncIteration:
                    return
                except (Exception, asyncio.CancelledError) as error:
                    if isinstance(error, asyncio.CancelledError) and _cancelled():
                        raise
                    self._ended_by(error)
                    return
                yield [self._record(invoice)]
        finally:
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()

    def _ended_by(self, error: BaseException) -> None:
        """The exception's own words may quote an invoice: its type is named, the rest is chained by the caller."""
        self.failure = error
        self.problems.append(SourceProblem(f"the iterable raised {type(error).__name__} after {self._count} invoices"))

    def _record(self, invoice: Invoice) -> Record:
        self._count += 1
        return read_invoice(invoice, self._allow_unknown_fields)


def _cancelled() -> bool:
    """Whether somebody cancels this very task; else a CancelledError is one that something awaited let through."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


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
