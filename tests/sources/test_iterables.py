"""The caller's own invoices: every form, every iterable, each outcome tied to the object that came."""

import asyncio
import gc
import time
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cashin_async import Outcome, SalesInvoice, SourceError, State
from cashin_async.sources.iterables import Invoice
from tests.sources.conftest import Desk, MakeDesk, line


def struct(number: int) -> SalesInvoice:
    return SalesInvoice(invoice_number=number, sales_name="Essi", total_amount=Decimal("100.10"))


def mapping(number: int) -> dict[str, Any]:
    return {"InvoiceNumber": number, "SalesName": "Essi", "TotalAmount": Decimal("100.10")}


def mixed(count: int) -> list[Any]:
    """Structs, dicts and bytes by turns, numbered from 1."""
    kinds = (struct, mapping, line)
    return [kinds[number % 3](number) for number in range(1, count + 1)]


async def as_it_comes(invoices: list[Any]) -> AsyncIterator[Any]:
    for invoice in invoices:
        yield invoice
        if id(invoice) % 3:
            await asyncio.sleep(0)


class Cursor:
    """An iterable without a length that is no iterator either."""

    def __init__(self, invoices: list[Any]) -> None:
        self._invoices = invoices

    def __iter__(self) -> Iterator[Any]:
        return iter(self._invoices)


class AsyncCursor:
    """The same, async, with an iterator that has no aclose."""

    def __init__(self, invoices: list[Any]) -> None:
        self._left = deque(invoices)

    def __aiter__(self) -> "AsyncCursor":
        return self

    async def __anext__(self) -> Any:
        if not self._left:
            raise StopAsyncIteration
        return self._left.popleft()


FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "generator": lambda invoices: (invoice for invoice in invoices),
    "iterator": iter,
    "cursor": Cursor,
    "async generator": as_it_comes,
    "async cursor": AsyncCursor,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_any_iterable_of_any_form(desk: MakeDesk, form: Callable[[list[Any]], Any]) -> None:
    table = await desk()
    given = mixed(500)
    seen = await table.outcomes(form(given))
    assert [one.state for one in seen] == [State.ACCEPTED] * 500
    assert sorted(map(id, (one.source for one in seen))) == sorted(map(id, given)), "the caller's own objects"
    assert table.numbers == list(range(1, 501))
    assert table.received.count(b'"TotalAmount":100.10') == 500, "no digit is lost on any way"


async def test_an_empty_iterable(desk: MakeDesk) -> None:
    table = await desk()
    for form in FORMS.values():
        report = await table.upload(form([]))
        assert (report.read, report.requests, report.exit_code) == (0, 0, 0)


async def test_bytes_travel_as_they_are(desk: MakeDesk) -> None:
    table = await desk()
    first = b'{"TotalAmount":1.10, "InvoiceNumber":1}'
    given = [b" " + first + b"\n", bytearray(line(2)), memoryview(line(3))]
    assert (await table.upload(given)).accepted == 3
    assert table.received == b"[" + b",".join([first, line(2), line(3)]) + b"]"


WRONG: dict[str, tuple[Any, str]] = {
    "None": (None, "is a NoneType, not a SalesInvoice, a dict or bytes"),
    "a number": (5, "is a int, not"),
    "text": ('{"InvoiceNumber":1}', "is a str, not"),
    "a list": ([1], "is a list, not"),
    "a path": (Path("Zxqmarker"), "Path, not a SalesInvoice"),
    "some object": (object(), "is a object, not"),
    "bytes of no JSON": (b"Zxqmarker", "malformed"),
    "no bytes": (b"", "cut short"),
    "two in one": (line(1) + b"\n" + line(2), "trailing characters"),
    "an empty dict": ({}, "InvoiceNumber is missing"),
    "an empty struct": (SalesInvoice(), "InvoiceNumber is missing"),
    "an unknown key": ({"InvoiceNumber": 1, "InvoiceNr": 1}, "unknown field `InvoiceNr`"),
    "a key that is none": ({"InvoiceNumber": 1, 2: 3}, "Expected"),
    "a wrong type in a dict": ({"InvoiceNumber": 1, "SalesName": 5}, "SalesName: Expected `string"),
    "a wrong type in a row": (
        {"InvoiceNumber": 1, "InvoiceRows": [{"Qty": "Zxqmarker"}]},
        "InvoiceRows[0].Qty",
    ),
    "a wrong type in a struct": (SalesInvoice(invoice_number=1, total_amount="Zxqmarker"), "TotalAmount"),  # type: ignore[arg-type]
    "a wrong number in a struct": (SalesInvoice(invoice_number="1"), "not a whole number"),  # type: ignore[arg-type]
    "true for a number": (SalesInvoice(invoice_number=True), "not a whole number"),
    "no finite amount": ({"InvoiceNumber": 1, "TotalAmount": float("nan")}, "not a finite number"),
    "an object inside": ({"InvoiceNumber": 1, "SalesName": object()}, "SalesName"),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
async def test_what_is_no_invoice_is_invalid_and_stops_nothing(desk: MakeDesk, wrong: Any, reason: str) -> None:
    table = await desk()
    report = await table.upload([line(11), wrong, struct(12)])
    assert (report.read, report.accepted, report.invalid, report.exit_code) == (3, 2, 1, 1)
    assert table.numbers == [11, 12]
    (failure,) = report.failures
    assert failure.source is wrong
    assert reason in (failure.reason or "")
    assert "Zxqmarker" not in (failure.reason or "")


NO_ITERABLES: dict[str, tuple[Any, str]] = {
    "text": ("invoices.jsonl", "file name into a Path"),
    "a dict": ({"InvoiceNumber": 1}, "put a single one into a list"),
    "an invoice": (SalesInvoice(invoice_number=1), "put a single one into a list"),
    "bytes": (b'{"InvoiceNumber":1}', "put a single one into a list"),
    "a bytearray": (bytearray(b"{}"), "put a single one into a list"),
    "None": (None, "iterable of invoices, not NoneType"),
    "a number": (5, "iterable of invoices, not int"),
}


@pytest.mark.parametrize(("wrong", "words"), NO_ITERABLES.values(), ids=NO_ITERABLES)
async def test_what_is_no_iterable_of_invoices_is_a_type_error(desk: MakeDesk, wrong: Any, words: str) -> None:
    table = await desk()
    with pytest.raises(TypeError, match=words):
        await table.cashin.invoices.upload(wrong)
    assert table.simulator.requests == 0


async def test_a_stream_of_what_is_no_iterable_leaves_nothing_open(desk: MakeDesk) -> None:
    table = await desk()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(TypeError, match="iterable of invoices"):
            async with table.cashin.invoices.uploading(None):  # type: ignore[arg-type]
                pass
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


async def test_a_path_is_json_lines(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(line(1) + b"\n" + line(2))
    assert (await (await desk()).upload(path)).accepted == 2


class DatabaseAway(RuntimeError):
    pass


def breaks(invoices: list[Any]) -> Iterator[Any]:
    yield from invoices
    raise DatabaseAway("Zxqmarker")


async def breaks_async(invoices: list[Any]) -> AsyncIterator[Any]:
    for invoice in invoices:
        yield invoice
    raise DatabaseAway("Zxqmarker")


class BreaksAtOnce:
    """A query that is run, and fails, when it is iterated over."""

    def __init__(self, _: list[Any]) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        raise DatabaseAway("Zxqmarker")


class BreaksAtOnceAsync:
    def __init__(self, _: list[Any]) -> None:
        pass

    def __aiter__(self) -> AsyncIterator[Any]:
        raise DatabaseAway("Zxqmarker")


def check_broken(error: SourceError, table: Desk, count: int) -> None:
    report = error.report
    assert report is not None
    assert isinstance(error.__cause__, DatabaseAway)
    assert "DatabaseAway" in str(error)
    assert "Zxqmarker" not in str(error), "an exception's words may quote an invoice"
    assert (report.accepted, report.read, report.source_errors, report.exit_code) == (count, count, 1, 3)
    assert table.numbers == list(range(1, count + 1))


@pytest.mark.parametrize("form", [breaks, breaks_async])
@pytest.mark.parametrize("count", [0, 1, 64, 250])
async def test_an_iterable_that_raises(desk: MakeDesk, form: Callable[[list[Any]], Any], count: int) -> None:
    table = await desk()
    with pytest.raises(SourceError) as caught:
        await table.cashin.invoices.upload(form(mixed(count)))
    check_broken(caught.value, table, count)
    assert f"after {count} invoices" in str(caught.value)


@pytest.mark.parametrize("form", [breaks, breaks_async])
async def test_a_stream_of_an_iterable_that_raises(desk: MakeDesk, form: Callable[[list[Any]], Any]) -> None:
    table = await desk()
    seen: list[Outcome] = []

    async def listen() -> None:
        async with table.cashin.invoices.uploading(form(mixed(250))) as outcomes:
            async for outcome in outcomes:
                seen.append(outcome)  # noqa: PERF401 - what came before the exception counts

    with pytest.raises(SourceError) as caught:
        await listen()
    assert len(seen) == 250
    check_broken(caught.value, table, 250)


@pytest.mark.parametrize("form", [BreaksAtOnce, BreaksAtOnceAsync])
async def test_an_iterable_that_cannot_even_begin(desk: MakeDesk, form: Callable[[list[Any]], Any]) -> None:
    table = await desk()
    with pytest.raises(SourceError) as caught:
        await table.cashin.invoices.upload(form([]))
    check_broken(caught.value, table, 0)


async def test_an_async_generator_is_closed_when_the_upload_ends_early(desk: MakeDesk) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            number = 0
            while True:
                number += 1
                yield line(number)
        finally:
            await asyncio.sleep(0)
            closed.set()

    report = await (await desk()).upload(endless(), limit=25)
    assert (report.read, report.accepted) == (25, 25)
    assert closed.is_set()


async def test_an_invoice_goes_while_the_next_one_is_awaited(desk: MakeDesk) -> None:
    table = await desk(chunk_size=1)
    first_is_there = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield line(1)
        await first_is_there.wait()
        yield line(2)

    async with table.cashin.invoices.uploading(slow()) as outcomes:
        seen = []
        async for outcome in outcomes:
            seen.append(outcome.number)
            first_is_there.set()
    assert seen == [1, 2]


class Queue:
    """Consumed by reading: what is taken out and not told is lost to its owner."""

    def __init__(self) -> None:
        self.taken = 0

    def __aiter__(self) -> "Queue":
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        self.taken += 1
        return line(self.taken)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.taken += 1
            yield line(self.taken)


@pytest.mark.parametrize("limit", [1, 25, 64, 130])
@pytest.mark.parametrize("form", [lambda queue: queue, iter], ids=["async", "sync"])
async def test_with_a_limit_nothing_is_taken_that_is_not_sent(
    desk: MakeDesk, form: Callable[[Queue], Any], limit: int
) -> None:
    table, queue = await desk(), Queue()
    for nth in (1, 2):
        report = await table.cashin.invoices.upload(form(queue), limit=limit)
        assert (report.read, report.accepted) == (limit, limit)
        assert queue.taken == nth * limit
    assert table.numbers == list(range(1, 2 * limit + 1))


async def test_what_was_taken_when_the_upload_is_interrupted_is_told(desk: MakeDesk) -> None:
    table, queue = await desk("latency=0.05", chunk_size=10), Queue()
    run = await table.cashin.invoices.prepare(queue)
    task = asyncio.create_task(run.run())
    async with asyncio.timeout(30):
        while table.simulator.requests < 3:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.005)
    run.interrupt()
    report = await task
    assert report.unsent
    assert report.read == queue.taken


async def times_out() -> AsyncIterator[bytes]:
    async with asyncio.timeout(0.1):
        for number in range(1, 1_000_000):
            yield line(number)


async def loses_a_task() -> AsyncIterator[bytes]:
    async def fail() -> None:
        await asyncio.sleep(0.05)
        raise ValueError("the database is gone")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fail())
        for number in range(1, 1_000_000):
            yield line(number)


@pytest.mark.parametrize("ends", [times_out, loses_a_task])
async def test_a_generator_that_is_cancelled_by_its_own_timeout_while_others_send(
    desk: MakeDesk, ends: Callable[[], AsyncIterator[bytes]]
) -> None:
    table = await desk("latency=0.02", chunk_size=10)
    with pytest.raises(SourceError, match="the iterable raised CancelledError after") as caught:
        async with asyncio.timeout(20):
            await table.cashin.invoices.upload(ends())
    report = caught.value.report
    assert report is not None
    assert report.read == report.accepted > 0


async def test_the_reason_for_an_object_that_has_changed_since_is_that_of_its_bytes(desk: MakeDesk) -> None:
    async def reused() -> AsyncIterator[dict[str, Any]]:
        invoice = mapping(1)
        invoice["InvoiceNumber"] = 0
        yield invoice
        invoice["InvoiceNumber"] = "two"
        yield invoice

    seen = await (await desk()).outcomes(reused())
    assert ["between 1 and" in (one.reason or "") for one in seen] == [True, False]


@pytest.mark.parametrize("kind", [struct, mapping, line])
async def test_duplicates_and_conflicts_within_one_input(desk: MakeDesk, kind: Callable[[int], Invoice]) -> None:
    table = await desk()
    spoiled = {"InvoiceNumber": 7, "Nope": 1}
    mended, again = kind(7), kind(7)
    other: Invoice = {"InvoiceNumber": 7, "SalesName": "Maija"}
    seen = await table.outcomes([spoiled, mended, again, other, kind(8)])
    by_object = {id(one.source): one for one in seen}
    assert by_object[id(spoiled)].state == "invalid"
    assert by_object[id(mended)].state == "accepted", "an invalid one before it does not take its number"
    assert by_object[id(again)].state == "duplicate"
    assert by_object[id(other)].state == "rejected"
    assert "different invoice" in (by_object[id(other)].reason or "")
    assert by_object[id(again)].number == by_object[id(other)].number == 7
    assert table.simulator.store.twice == ()
    assert table.simulator.store.invoice(7)["SalesName"] == "Essi", "the first one counts"


async def test_the_same_invoice_in_another_form_is_a_duplicate(desk: MakeDesk) -> None:
    as_bytes = b'{"InvoiceNumber":1,"TotalAmount":100.10,"SalesName":"Essi"}'
    report = await (await desk()).upload([struct(1), mapping(1), as_bytes])
    assert (report.accepted, report.duplicate) == (1, 2)


async def test_the_same_invoice_spelled_otherwise_errs_to_the_safe_side(desk: MakeDesk) -> None:
    """Its keys stand in another order: reported as a conflict, and in no case sent again."""
    report = await (await desk()).upload([struct(1), line(1)])
    assert (report.accepted, report.rejected) == (1, 1)


async def test_an_object_that_is_changed_after_it_was_read(desk: MakeDesk) -> None:
    """A generator may fill the same dict again and again: each is encoded when it is read."""

    def reused() -> Iterator[dict[str, Any]]:
        invoice = mapping(1)
        for number in range(1, 301):
            invoice["InvoiceNumber"] = number
            yield invoice

    table = await desk()
    assert (await table.upload(reused())).accepted == 300
    assert table.numbers == list(range(1, 301))


@pytest.mark.parametrize("limit", [1, 10, 11, 64, 65, 250])
async def test_a_limit(desk: MakeDesk, limit: int) -> None:
    table = await desk()
    report = await table.upload(iter(mixed(300)), limit=limit)
    assert report.accepted == len(table.simulator.store) == limit
    assert table.numbers == list(range(1, limit + 1))


async def test_duplicates_and_invalid_ones_do_not_count_towards_a_limit(desk: MakeDesk) -> None:
    report = await (await desk()).upload([b"broken", line(1), line(1), line(2), line(3)], limit=2)
    assert (report.read, report.accepted, report.duplicate, report.invalid) == (4, 2, 1, 1)


@pytest.mark.parametrize("fault", ["hang-before@4+", "latency=0.05"])
async def test_a_generator_is_not_run_far_ahead_of_the_answers(desk: MakeDesk, fault: str) -> None:
    advanced = 0
    ahead = []

    def counting() -> Iterator[bytes]:
        nonlocal advanced
        for number in range(1, 1_000_000):
            advanced = number
            yield line(number)

    table = await desk(fault, concurrency=4, chunk_size=50, timeout=30, drain_timeout=0.1)
    run = await table.cashin.invoices.prepare(counting())
    task = asyncio.create_task(run.run())
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        ahead.append(advanced - run.progress().done)
        await asyncio.sleep(0.005)
    run.interrupt()
    report = await task
    assert report.unsent
    assert max(ahead) <= (4 + 2) * 50 + 64, "concurrency + 2 chunks, and one batch"
    assert max(ahead) >= 50


async def test_invalid_ones_alone_do_not_run_ahead_of_a_listener(desk: MakeDesk) -> None:
    """Outcomes that need no server are held back too while nobody takes them."""
    advanced = 0

    def broken() -> Iterator[bytes]:
        nonlocal advanced
        for _ in range(100_000):
            advanced += 1
            yield b"broken"

    table = await desk()
    async with table.cashin.invoices.uploading(broken()) as outcomes:
        async for _ in outcomes:
            await asyncio.sleep(0.1)
            assert advanced <= 1000
            break
    assert outcomes.report.read <= 1000
