"""What an attack on the engine found, so that it stays mended."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from cashin_async import CashIn, InvoiceUnknown, InvoiceUnsent, Progress, SalesInvoice, SourceError
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, MakeBench


async def test_a_cancellation_of_something_else_in_the_source_loses_nothing(bench: MakeBench) -> None:
    async def source() -> AsyncIterator[SalesInvoice]:
        for invoice in sample_invoices(250, start=FIRST):
            yield invoice
        other = asyncio.create_task(asyncio.sleep(9))
        await asyncio.sleep(0.02)
        other.cancel()
        await other

    table = await bench("latency=0.1")
    with pytest.raises(SourceError) as caught:
        await table.cashin.invoices.upload(source())
    report = caught.value.report
    assert report is not None
    table.check(report)
    assert (report.read, report.accepted, report.source_errors) == (250, 250, 1)


async def test_a_sync_source_that_raises_a_cancellation_is_a_source_error(bench: MakeBench) -> None:
    def source() -> Iterator[SalesInvoice]:
        yield from sample_invoices(5, start=FIRST)
        raise asyncio.CancelledError

    table = await bench()
    with pytest.raises(SourceError) as caught:
        await table.cashin.invoices.upload(source())
    assert caught.value.report is not None
    assert caught.value.report.accepted == 5


async def test_a_key_provider_that_raises_a_cancellation_stops_the_run(bench: MakeBench) -> None:
    asked = 0

    async def provider() -> str:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise asyncio.CancelledError
        return "key"

    table = await bench("key-refused@3+", api_key=provider)
    report = await table.upload(1000)
    assert report.accepted + report.unsent == 1000
    assert report.unsent > 0


async def test_the_stream_tells_of_everything_that_was_read_before_a_stop(bench: MakeBench) -> None:
    table = await bench(deadline=0.2)
    told = 0
    lines = [b"broken"] * 30 + [b'{"InvoiceNumber": %d}' % number for number in range(1, 200)]
    async with table.cashin.invoices.uploading(lines) as outcomes:
        async for _ in outcomes:
            told += 1
            await asyncio.sleep(0.02)
    assert told == outcomes.report.read


class _Detached(Mapping[str, Any]):
    """A row whose database session is gone."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("detached")

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_object_that_raises_is_invalid_and_ends_nothing(bench: MakeBench, asynchronous: bool) -> None:
    strange = SalesInvoice(invoice_number=7, invoice_rows=[{"ProdCode": None}])  # type: ignore[list-item]
    released = memoryview(b"{}")
    released.release()
    given: list[Any] = [{"InvoiceNumber": 1}, _Detached(), released, {"InvoiceNumber": 2}, strange]

    async def one_by_one() -> AsyncIterator[Any]:
        for invoice in given:
            yield invoice

    table = await bench()
    report = await table.cashin.invoices.upload(one_by_one() if asynchronous else given)
    assert report.invalid >= 2
    assert report.accepted + report.invalid == report.read == 5
    assert {1, 2} <= set(table.simulator.store.numbers)


async def test_a_display_that_breaks_at_the_end_does_not_cost_the_report(bench: MakeBench) -> None:
    def show(progress: Progress) -> None:
        if progress.done == 30:
            raise BrokenPipeError

    table = await bench()
    report = await table.upload(30, on_progress=show, progress_every=10)
    assert report.accepted == 30


async def test_a_refusal_of_a_create_after_a_retried_503_is_unknown(bench: MakeBench) -> None:
    table = await bench("503-before@1", "413-items=1@2", retry_503=True)
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create([{"InvoiceNumber": 1}, {"InvoiceNumber": 2}])


async def test_a_callers_timeout_bounds_a_slow_key_provider_too(bench: MakeBench) -> None:
    async def provider() -> str:
        await asyncio.sleep(3)
        return "key"

    table = await bench(api_key="key")
    async with CashIn("key", base_url=table.simulator.url):
        cashin = CashIn(provider, base_url=table.simulator.url)
        with pytest.raises(InvoiceUnsent, match="timeout"):
            await asyncio.wait_for(cashin.invoices.create({"InvoiceNumber": 1}, timeout=0.1), 1)


async def test_a_deadline_does_not_wait_for_a_key(bench: MakeBench) -> None:
    asked = 0

    async def provider() -> str:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.sleep(5)
        return "key"

    table = await bench("key-refused@2+", api_key=provider, deadline=0.2)
    report = await asyncio.wait_for(table.cashin.invoices.upload(sample_invoices(50, start=FIRST)), 2)
    assert (report.accepted, report.unsent) == (10, 40)


async def test_a_client_closed_in_mid_upload_still_gives_the_report(bench: MakeBench) -> None:
    table = await bench("latency=0.05", retries=1)
    task = asyncio.create_task(table.cashin.invoices.upload(sample_invoices(1000, start=FIRST)))
    await table.requests(3)
    await table.cashin.aclose()
    report = await asyncio.wait_for(task, 10)
    assert report.read == 1000
    assert report.accepted + report.unknown + report.unsent == 1000
    assert report.unsent > 0
