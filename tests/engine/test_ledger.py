"""Uploads and single requests over one ledger, in memory and in a file: the same again sends nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from cashin_async import CashIn, InvoiceRejected, InvoiceUnknown, LedgerInUse, SalesInvoice, Settings, UploadReport
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, QUICK, Bench, MakeBench


def invoices(count: int, start: int = FIRST) -> list[SalesInvoice]:
    return list(sample_invoices(count, start=start))


def changed(invoice: SalesInvoice) -> dict[str, Any]:
    return {"InvoiceNumber": invoice.invoice_number, "NetAmount": 7}


async def upload(table: Bench, what: Iterable[Any], **options: Any) -> UploadReport:
    report = await table.cashin.invoices.upload(what, **options)
    assert sum(report.counts.values()) == report.read
    assert table.simulator.store.twice == ()
    return report


def states(report: UploadReport) -> dict[int | None, str]:
    return {failure.number: str(failure.state) for failure in report.failures}


async def test_the_same_again_sends_nothing(bench: MakeBench, ledger: str) -> None:
    table = await bench(ledger=ledger)
    await upload(table, invoices(1000))
    requests = table.simulator.requests
    again = await upload(table, invoices(1000))
    assert (again.duplicate, again.exit_code, table.simulator.requests) == (1000, 0, requests)
    assert again.ledger == (None if ledger == "none" else ledger)


async def test_only_what_is_new_goes(bench: MakeBench, ledger: str) -> None:
    table = await bench(ledger=ledger)
    everything = invoices(400)
    await upload(table, everything[100:250])
    more = await upload(table, everything)
    assert (more.accepted, more.duplicate) == (250, 150)


async def test_three_nights_in_a_row(bench: MakeBench, ledger: str) -> None:
    poison = FIRST + 5
    table = await bench(f"poison={poison}", ledger=ledger, retry_rejected=False)
    first = await upload(table, invoices(50))
    assert (first.accepted, states(first)) == (49, {poison: "rejected"})

    night = invoices(60)
    second = await upload(table, [changed(night[3]), *night[:3], *night[4:]])  # an accepted one changed, one unmended
    assert states(second) == {FIRST + 3: "rejected", poison: "rejected"}
    assert (second.duplicate, second.accepted) == (48, 10)
    reasons = {failure.number: failure.reason or "" for failure in second.failures}
    assert "accepted before with other content" in reasons[FIRST + 3]
    assert "retry_rejected" in reasons[poison]

    table.simulator.clear_faults()
    third = await upload(table, [night[3], changed(night[5]), *night[:3], night[4], *night[6:]])
    assert (third.accepted, third.duplicate, third.exit_code) == (1, 59, 0)
    assert table.simulator.store.invoice(poison)["NetAmount"] == 7


@pytest.mark.parametrize("apart", [0, 300])
@pytest.mark.parametrize(("fault", "ends"), [(f"fail-object={FIRST}", "rejected"), ("drop-after@1", "unknown")])
async def test_what_stands_twice_is_a_duplicate_also_where_the_first_is_as_it_was_before(
    bench: MakeBench, ledger: str, fault: str, ends: str, apart: int
) -> None:
    table = await bench(fault, ledger=ledger)
    one, *others = invoices(1 + apart)
    for _ in range(2):
        report = await upload(table, [one, *others, one])
        assert states(report)[FIRST] == ends
        assert [failure.number for failure in report.failures].count(FIRST) == 1


async def test_retry_rejected_sends_it_unchanged(bench: MakeBench, ledger: str) -> None:
    table = await bench(f"poison={FIRST}", ledger=ledger)
    await upload(table, invoices(1))
    table.simulator.clear_faults()
    assert (await upload(table, invoices(1))).rejected == 1
    assert (await upload(table, invoices(1), retry_rejected=True)).accepted == 1


async def test_unknown_is_never_sent_again(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-before@2", ledger=ledger, concurrency=1)
    first = await upload(table, invoices(300))
    assert first.unknown == 100
    again = await upload(table, invoices(300))
    assert (again.duplicate, again.unknown, again.exit_code) == (200, 100, 3)
    mended = await upload(table, [changed(invoice) for invoice in invoices(300)])
    assert (mended.rejected, mended.unsent) == (200, 100)
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(invoices(300)[50])


async def test_unsent_goes_the_next_time(bench: MakeBench, ledger: str) -> None:
    table = await bench("status=404@3+", ledger=ledger, concurrency=1)
    table.simulator.clear_faults()
    table.simulator.fault("key-refused@3+")
    first = await upload(table, invoices(500))
    assert (first.accepted, first.unsent) == (110, 390)
    table.simulator.clear_faults()
    assert (await upload(table, invoices(500))).accepted == 390


async def test_two_uploads_of_the_same_at_once(bench: MakeBench, ledger: str) -> None:
    table = await bench("latency=0.01", ledger=ledger)
    one, two = await asyncio.gather(upload(table, invoices(700)), upload(table, list(reversed(invoices(700)))))
    assert one.accepted + two.accepted == len(table.simulator.store) == 700
    assert one.duplicate + two.duplicate == 700


async def test_two_requests_of_the_same_at_once_are_one(bench: MakeBench, ledger: str) -> None:
    table = await bench("latency=0.05", ledger=ledger)
    create = table.cashin.invoices.create
    receipts = await asyncio.gather(*[create(invoices(1)) for _ in range(5)])
    assert sorted(receipt.uploaded_invoices_count for receipt in receipts) == [0, 0, 0, 0, 1]
    assert table.simulator.requests == 1
    with pytest.raises(InvoiceRejected, match="other content"):
        await create(changed(invoices(1)[0]))


async def test_overlapping_requests_do_not_wait_for_each_other_for_ever(bench: MakeBench, ledger: str) -> None:
    table = await bench("latency=0.02", ledger=ledger)
    a, b, c = invoices(3)
    create = table.cashin.invoices.create
    async with asyncio.timeout(5):
        receipts = await asyncio.gather(create([a, b]), create([b, c]), create([c, a]), create([c, b, a]))
    assert sum(receipt.uploaded_invoices_count for receipt in receipts) == 3
    assert table.simulator.store.twice == ()


async def test_the_second_claimant_sends_what_the_first_could_not(bench: MakeBench, ledger: str) -> None:
    table = await bench("latency=0.05", "bad-request@1", ledger=ledger)
    invoice = invoices(1)[0]
    first = asyncio.create_task(table.cashin.invoices.create(invoice))
    await asyncio.sleep(0)
    second = asyncio.create_task(table.cashin.invoices.create(changed(invoice)))
    with pytest.raises(InvoiceRejected):
        await first
    assert (await second).uploaded_invoices_count == 1


async def test_a_cancelled_request_is_unknown(bench: MakeBench, ledger: str) -> None:
    table = await bench("hang-after@1", ledger=ledger, timeout=30)
    task = asyncio.create_task(table.cashin.invoices.create(invoices(1)))
    await table.requests(1)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(invoices(1))
    assert table.simulator.requests == 1


@pytest.mark.parametrize("where", ["courier.judge", "admission.Admission.finish"])
async def test_a_fault_of_our_own_behind_the_answer_makes_nothing_unsent(
    bench: MakeBench, ledger: str, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The invoice was accepted, and nobody came to know: it must not go again."""

    def broken(*_: object, **__: object) -> None:
        raise IndexError

    table = await bench(ledger=ledger)
    with monkeypatch.context() as patched:
        patched.setattr(f"cashin_async.bulk.{where}", broken)
        with pytest.raises(IndexError):
            await table.cashin.invoices.create(invoices(1))
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(invoices(1))
    assert table.simulator.requests == 1


async def test_a_run_cut_off_leaves_the_ledger_true(bench: MakeBench, ledger: str) -> None:
    table = await bench("hang-after@3+", ledger=ledger, timeout=30, drain_timeout=30, concurrency=2)
    task = asyncio.create_task(table.cashin.invoices.upload(invoices(1000)))
    await table.requests(4)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    table.simulator.clear_faults()
    again = await upload(table, invoices(1000))
    assert (again.duplicate, again.unknown, again.accepted) == (110, 200, 690)


async def test_a_number_twice_in_one_request_is_told(bench: MakeBench, ledger: str) -> None:
    table = await bench(ledger=ledger)
    twice = [*invoices(3), changed(invoices(1)[0]), *invoices(3)]
    report = await upload(table, twice)
    assert (report.accepted, report.rejected, report.duplicate) == (3, 1, 3)


async def test_a_conflict_does_not_stand_in_the_way_of_the_duplicate_behind_it(bench: MakeBench, ledger: str) -> None:
    table = await bench(ledger=ledger)
    invoice = invoices(1)[0]
    await upload(table, [invoice])
    report = await upload(table, [changed(invoice), invoice, changed(invoice), invoice])
    assert (report.rejected, report.duplicate) == (2, 2)


async def test_digest_without_leaves_a_stamp_out(bench: MakeBench, ledger: str) -> None:
    table = await bench(ledger=ledger, digest_without="IssueDate")
    await upload(table, [{"InvoiceNumber": 5, "NetAmount": 1, "IssueDate": "2026-01-01T00:00:00Z"}])
    stamped = await upload(table, [{"InvoiceNumber": 5, "NetAmount": 1, "IssueDate": "2026-01-02T00:00:00Z"}])
    assert stamped.duplicate == 1
    other = await upload(table, [{"InvoiceNumber": 5, "NetAmount": 2, "IssueDate": "2026-01-02T00:00:00Z"}])
    assert other.rejected == 1


async def test_what_a_process_has_done_the_next_one_knows(bench: MakeBench, tmp_path: Path) -> None:
    place = str(tmp_path / "ledger.db")
    table = await bench(ledger=place)
    await upload(table, invoices(100))
    await table.cashin.aclose()
    settings = Settings(base_url=table.simulator.url, ledger=place, **QUICK)
    async with CashIn("key", settings=settings) as cashin:
        report = await cashin.invoices.upload(invoices(120))
        assert (report.duplicate, report.accepted) == (100, 20)
        async with CashIn("key", settings=settings) as other:
            with pytest.raises(LedgerInUse):
                await other.invoices.upload(invoices(1))


# -- what an attack found


async def absent(numbers: Any) -> dict[int, str]:
    return dict.fromkeys(numbers, "cannot_tell")


async def test_nobody_waits_for_what_another_task_settles(bench: MakeBench, ledger: str) -> None:
    """Each held a doubt that the other waited for; one that stood twice in an input waited for itself."""
    table = await bench("latency=0.05", "drop-after@1-2", ledger=ledger, settle_after=0.2)
    x, y = invoices(2)
    requests = [asyncio.create_task(table.cashin.invoices.create(one)) for one in (x, y)]
    await table.requests(1)
    async with asyncio.timeout(10):
        uploads = [upload(table, what, lookup=absent) for what in ([x, x, y], [y, y, x])]
        reports = await asyncio.gather(*uploads)
        await asyncio.gather(*requests, return_exceptions=True)
    assert all(report.read == 3 for report in reports)
    assert all(states(report).keys() == {FIRST, FIRST + 1} for report in reports)


async def test_a_request_refused_as_a_whole_leaves_the_innocents_free(bench: MakeBench, ledger: str) -> None:
    table = await bench(f"poison={FIRST}", ledger=ledger)
    with pytest.raises(InvoiceRejected):
        await table.cashin.invoices.create(invoices(3))
    report = await upload(table, invoices(3))
    assert (report.accepted, states(report)) == (2, {FIRST: "rejected"})


async def test_a_first_request_that_is_cut_short_does_not_lock_the_ledger(bench: MakeBench, ledger: str) -> None:
    for after in (0.0, 0.005, 0.01, 0.02, 0.04, 0.08):
        table = await bench(ledger=ledger if ledger == "none" else f"{ledger}-{after}")
        task = asyncio.create_task(table.cashin.invoices.create(invoices(1)))
        await asyncio.sleep(after)
        task.cancel()
        await asyncio.wait([task])
        assert (await table.cashin.invoices.create({"InvoiceNumber": 5})).uploaded_invoices_count == 1


async def test_what_became_unknown_meanwhile_is_not_settled_too_early(bench: MakeBench, ledger: str) -> None:
    """Absence counted from the run's beginning: a request of a moment ago was taken for lost, and sent again."""
    table = await bench(ledger=ledger, settle_after=0.5)
    everything = invoices(21)

    async def source() -> AsyncIterator[SalesInvoice]:
        for invoice in everything[:20]:
            yield invoice
        await asyncio.sleep(0.6)
        table.simulator.fault(f"apply-late=0.35@{table.simulator.requests + 1}")
        with pytest.raises(InvoiceUnknown):
            await table.cashin.invoices.create(everything[20])
        yield everything[20]

    async def look_up(numbers: Any) -> dict[int, str]:
        return {number: "exists" if number in table.simulator.store else "absent" for number in numbers}

    report = await table.cashin.invoices.upload(source(), lookup=look_up)
    await asyncio.sleep(0.4)
    assert table.simulator.store.twice == ()
    assert (report.accepted, report.exit_code) == (21, 0)
