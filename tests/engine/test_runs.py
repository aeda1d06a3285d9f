"""Whole uploads: what is read, when they end early, what they tell while they run."""

import asyncio
import gc
import math
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import anyio
import pytest

from cashin_async import Progress, SalesInvoice, SourceError, State, UnseenFailures, UploadFailed
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, MakeBench, gap_after


def invoices(count: int, start: int = FIRST) -> list[SalesInvoice]:
    return list(sample_invoices(count, start=start))


async def test_a_clean_upload(bench: MakeBench) -> None:
    table = await bench("latency=0.005")
    report = await table.upload(2000)
    assert report.ok
    assert (report.read, report.accepted, report.requests, report.retries) == (2000, 2000, 21, 0)
    assert 1 < table.simulator.max_in_flight <= report.max_in_flight <= 8
    assert table.simulator.log[0].count == 10, "the first chunk is a small one"
    assert table.simulator.log[1].at > (table.simulator.log[0].until or 0), "and it goes alone"
    report.raise_for_failures()


async def test_nothing_to_upload(bench: MakeBench) -> None:
    table = await bench()
    report = await table.upload(0)
    assert (report.ok, report.read, report.requests) == (True, 0, 0)


async def test_duplicates_and_conflicts_within_one_input(bench: MakeBench) -> None:
    table = await bench()
    one, two = invoices(2)
    other = invoices(1, start=FIRST)[0]
    other.total_amount, other.invoice_number = two.total_amount, two.invoice_number
    broken = b'{"InvoiceNumber": 7, "Nope": 1}'
    mended = b'{"InvoiceNumber": 7}'
    report = await table.cashin.invoices.upload([one, two, one, other, broken, mended])
    table.check(report)
    assert (report.accepted, report.duplicate, report.rejected, report.invalid) == (3, 1, 1, 1)
    conflict = next(failure for failure in report.failures if failure.state == "rejected")
    assert conflict.source is other
    assert "different" in (conflict.reason or "")


async def test_an_invoice_larger_than_a_request_is_invalid(bench: MakeBench) -> None:
    table = await bench(chunk_bytes=2000)
    large = b'{"InvoiceNumber": 9, "SalesName": "%s"}' % (b"x" * 3000)
    small = [b'{"InvoiceNumber": %d}' % number for number in range(1, 9)]
    report = await table.cashin.invoices.upload([*small[:4], large, *small[4:]])
    assert (report.accepted, report.invalid) == (8, 1)
    assert "chunk_bytes" in (report.failures[0].reason or "")


async def test_limit_sends_so_many(bench: MakeBench) -> None:
    table = await bench()
    report = await table.upload(1000, limit=10)
    assert (report.read, report.accepted, len(table.simulator.store)) == (10, 10, 10)
    assert not report.read_to_end


async def test_a_deadline_leaves_the_rest_unsent(bench: MakeBench) -> None:
    table = await bench("429=60@4+", deadline=0.2)
    report = await table.upload(1000)
    assert report.accepted + report.unsent == report.read
    assert report.unsent > 0
    assert report.seconds < 1
    assert "deadline" in (report.stopped or "")
    assert report.exit_code == 3


async def test_a_stop_reads_on_so_that_each_invoice_has_its_outcome(bench: MakeBench) -> None:
    table = await bench("key-refused@3+", drain_timeout=30)
    report = await table.upload(50_000)
    assert report.read == 50_000
    assert report.read_to_end


async def test_a_stop_does_not_wait_for_a_source_that_never_ends(bench: MakeBench) -> None:
    async def endless() -> AsyncIterator[SalesInvoice]:
        for invoice in sample_invoices(300, start=FIRST):
            yield invoice
        await asyncio.Event().wait()

    table = await bench("key-refused@2+", drain_timeout=0.5)
    report = await asyncio.wait_for(table.cashin.invoices.upload(endless()), 5)
    assert (report.read, report.accepted, report.unsent) == (300, 10, 290)
    assert not report.read_to_end


async def test_cancelling_waits_for_what_is_in_flight(bench: MakeBench) -> None:
    table = await bench("latency=0.1")
    run = await table.cashin.invoices.prepare(invoices(3000))
    task = asyncio.create_task(run.run())
    await table.requests(3)
    run.interrupt()
    report = await task
    table.check(report)
    assert report.exit_code == 130
    assert report.unknown == 0
    assert 0 < report.accepted < 3000
    assert report.accepted == table.simulator.store.accepted


@pytest.mark.parametrize("how", ["asyncio.timeout", "anyio.move_on_after", "task.cancel"])
async def test_cancellation_of_the_caller_drains_and_propagates(bench: MakeBench, how: str) -> None:
    table = await bench("latency=0.1")
    seen: list[Progress] = []
    work = table.cashin.invoices.upload(invoices(5000), on_progress=seen.append, progress_every=0.01)

    async def expire(limit: asyncio.Timeout | anyio.CancelScope) -> None:
        await table.requests(3)  # by the server's count: no fixed time is long enough on a busy machine
        if isinstance(limit, asyncio.Timeout):
            limit.reschedule(0)
        else:
            limit.deadline = 0

    if how == "asyncio.timeout":

        async def with_a_limit() -> None:
            async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
                group.create_task(expire(limit))
                await work

        with pytest.raises(TimeoutError):
            await with_a_limit()
    elif how == "anyio.move_on_after":
        async with asyncio.TaskGroup() as group:
            with anyio.move_on_after(math.inf) as scope:
                group.create_task(expire(scope))
                await work
        assert scope.cancelled_caught
    else:
        task = asyncio.create_task(work)
        await table.requests(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    store = table.simulator.store
    assert store.accepted > 0
    assert seen[-1].counts[State.ACCEPTED] == store.accepted, "what was in flight was answered and counted"
    assert seen[-1].counts[State.UNKNOWN] == 0
    await asyncio.sleep(0.05)
    assert store.accepted == seen[-1].counts[State.ACCEPTED], "nothing goes out afterwards"


async def test_a_second_cancellation_does_not_wait(bench: MakeBench) -> None:
    table = await bench("hang-after@2+", timeout=30, drain_timeout=30)
    task = asyncio.create_task(table.cashin.invoices.upload(invoices(500)))
    await table.requests(2)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


async def test_what_is_cut_off_in_flight_is_unknown(bench: MakeBench) -> None:
    table = await bench("hang-after@2+", timeout=30, drain_timeout=0.1, concurrency=2)
    run = await table.cashin.invoices.prepare(invoices(500))
    task = asyncio.create_task(run.run())
    await table.requests(3)
    run.interrupt()
    report = await asyncio.wait_for(task, 2)
    table.check(report)
    assert (report.accepted, report.unknown) == (10, 200)
    assert "drain_timeout" in (report.failures[0].reason or "")


async def test_memory_is_bounded_by_the_chunks_in_flight(bench: MakeBench) -> None:
    advanced = 0

    def source() -> Iterator[SalesInvoice]:
        nonlocal advanced
        for invoice in sample_invoices(100_000, start=FIRST):
            advanced += 1
            yield invoice

    table = await bench("hang-before@6+", timeout=30, drain_timeout=0.1, concurrency=4)
    run = await table.cashin.invoices.prepare(source())
    task = asyncio.create_task(run.run())
    await table.requests(6)
    await asyncio.sleep(0.1)
    answered = run.progress().done
    assert advanced <= answered + (4 + 2) * 100 + 64, "more is in memory than the chunks in flight and two on their way"
    run.interrupt()
    table.check(await task)


async def test_the_stream_ties_each_outcome_to_the_callers_object(bench: MakeBench) -> None:
    table = await bench(f"poison={FIRST + 100}")
    given = invoices(500)
    async with table.cashin.invoices.uploading([*given, given[0], b"broken"]) as outcomes:
        seen = [outcome async for outcome in outcomes]
    assert len(seen) == outcomes.report.read == 502
    assert {id(one.source) for one in seen if isinstance(one.source, SalesInvoice)} == set(map(id, given))
    assert all(one.source.invoice_number == one.number for one in seen if isinstance(one.source, SalesInvoice))
    assert sorted(one.state for one in seen if one.state != "accepted") == ["duplicate", "invalid", "rejected"]


async def test_a_slow_listener_slows_the_upload_down(bench: MakeBench) -> None:
    table = await bench()
    async with table.cashin.invoices.uploading(sample_invoices(5000, start=FIRST)) as outcomes:
        async for _ in outcomes:
            await asyncio.sleep(0.1)
            assert len(table.simulator.store) < 1500
            break
    assert outcomes.report.interrupted
    assert outcomes.report.accepted == len(table.simulator.store)


async def test_leaving_the_stream_by_an_exception_stops_the_upload(bench: MakeBench) -> None:
    table = await bench("latency=0.02")

    async def fail() -> None:
        async with table.cashin.invoices.uploading(sample_invoices(5000, start=FIRST)) as outcomes:
            async for _ in outcomes:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    requests = table.simulator.requests
    await asyncio.sleep(0.1)
    assert 0 < table.simulator.requests == requests < 50


async def test_a_source_that_breaks_off_raises_at_the_end_with_the_report(bench: MakeBench) -> None:
    def source() -> Iterator[SalesInvoice]:
        yield from sample_invoices(250, start=FIRST)
        raise RuntimeError("Maija's database is away")

    table = await bench()
    with pytest.raises(SourceError) as caught:
        await table.cashin.invoices.upload(source())
    report = caught.value.report
    assert report is not None
    assert (report.accepted, report.source_errors, report.exit_code) == (250, 1, 3)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "Maija" not in str(caught.value)


async def test_progress_adds_up_at_every_moment(bench: MakeBench) -> None:
    table = await bench("latency=0.01", f"poison={FIRST + 700}")
    seen: list[Progress] = []
    await table.upload(3000, on_progress=seen.append, progress_every=0.005)
    assert len(seen) > 3
    for before, after in pairwise(seen):
        assert before.done <= after.done <= after.read
        assert before.read <= after.read
    assert seen[-1].done == seen[-1].read == 3000
    assert seen[0].share_read is None, "a generator has no length"


async def test_a_broken_display_does_not_cost_the_upload(bench: MakeBench, caplog: Any) -> None:
    def show(_: Progress) -> None:
        if not caplog.records or not caplog.records[-1].message.startswith("progress.failed"):
            raise ZeroDivisionError

    table = await bench()
    report = await table.upload(100, on_progress=show)
    assert report.accepted == 100
    assert "progress.failed" in caplog.text


async def test_failures_nobody_looked_at_warn(bench: MakeBench) -> None:
    table = await bench()

    async def upload_and_drop() -> None:
        await table.cashin.invoices.upload([b"broken"])
        await asyncio.sleep(0)  # the loop lets go of the task
        gc.collect()

    with pytest.warns(UnseenFailures, match="1 failures that nobody looked at"):
        await upload_and_drop()


async def test_failures_somebody_looked_at_do_not(bench: MakeBench) -> None:
    table = await bench()
    for look in ("failures", "ok", "rejected", "exit_code"):
        report = await table.cashin.invoices.upload([b"broken"])
        getattr(report, look)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del report
            gc.collect()


async def test_raise_for_failures(bench: MakeBench) -> None:
    table = await bench(f"poison={FIRST}")
    report = await table.cashin.invoices.upload(invoices(5))
    with pytest.raises(UploadFailed, match=f"1 rejected; {FIRST}: HTTP 400") as caught:
        report.raise_for_failures()
    assert caught.value.report is report


async def test_two_uploads_and_creates_of_one_client_share_the_admission(bench: MakeBench) -> None:
    table = await bench("latency=0.01", "429=1@6", concurrency=3)
    first, second, receipt = await asyncio.gather(
        table.cashin.invoices.upload(invoices(800)),
        table.cashin.invoices.upload(invoices(800, start=FIRST + 10_000)),
        table.cashin.invoices.create(invoices(1, start=FIRST + 50_000)[0]),
    )
    assert (first.accepted, second.accepted, receipt.uploaded_invoices_count) == (800, 800, 1)
    assert table.simulator.max_in_flight <= 3
    assert gap_after(table.simulator, 6) > 0.99


async def test_a_second_run_of_a_client_begins_small_again(bench: MakeBench) -> None:
    table = await bench()
    await table.upload(500)
    before = table.simulator.requests
    await table.cashin.invoices.upload(invoices(500, start=FIRST + 1000))
    assert table.simulator.log[before].count == 10
    assert table.simulator.log[before + 1].at > (table.simulator.log[before].until or 0)


async def test_settings_can_be_replaced(bench: MakeBench) -> None:
    table = await bench()
    assert replace(table.cashin.settings, chunk_size=7).chunk_size == 7
    assert repr(table.cashin) == f"CashIn(base_url='{table.simulator.url}')"
