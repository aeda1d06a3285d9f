"""Unknowns settled by look-up while the upload runs: what is believed, what goes again, what is never billed twice."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from cashin_async import ConfigurationError, UploadReport
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, Bench, MakeBench, gap_after

COUNT, CHUNK = 2_000, 100
TEMPLATE = "/simulator/invoices/{InvoiceNumber}"
SETTLING = {"lookup_path": TEMPLATE, "settle_after": 0.6}


def states(report: UploadReport) -> dict[int | None, str]:
    return {failure.number: str(failure.state) for failure in report.failures}


def lookup_of(table: Bench) -> Callable[[Sequence[int]], Any]:
    """A look-up of one's own that says what is true."""

    async def look_up(numbers: Sequence[int]) -> Mapping[int, str]:
        return {number: "exists" if number in table.simulator.store else "absent" for number in numbers}

    return look_up


# -- the fault table, with a look-up

APPLIED = ["drop-after@4", "500-after@4", "502-after@4", "503-after@4", "504-after@4", "hang-after@4"]
LOST = ["drop-before@4", "500-before@4", "503-before@4", "hang-before@4"]


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("fault", [*APPLIED, *LOST])
async def test_whatever_was_lost_is_settled_and_everything_is_accepted_once(
    bench: MakeBench, concurrency: int, fault: str, ledger: str
) -> None:
    table = await bench(fault, concurrency=concurrency, ledger=ledger, chunk_size=CHUNK, **SETTLING)
    report = await table.upload(COUNT)
    assert (report.accepted, report.exit_code) == (COUNT, 0)
    assert len(table.simulator.store) == COUNT


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_hold_holds_with_a_look_up_too(bench: MakeBench, concurrency: int) -> None:
    table = await bench("latency=0.01", "429=1@4", concurrency=concurrency, **SETTLING)
    report = await table.upload(COUNT)
    assert (report.accepted, report.exit_code) == (COUNT, 0)
    assert gap_after(table.simulator, 4) > 0.99


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_size_is_learned_with_a_look_up_too(bench: MakeBench, concurrency: int) -> None:
    table = await bench("413-items=40", concurrency=concurrency, **SETTLING)
    report = await table.upload(COUNT)
    assert (report.accepted, report.exit_code) == (COUNT, 0)


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("fault", ["poison", "poison-402", "poison-422", "poison-402-partly", "poison-422-partly"])
async def test_exactly_the_poison_item_is_rejected(bench: MakeBench, concurrency: int, fault: str, ledger: str) -> None:
    poison = FIRST + 321
    table = await bench(f"{fault}={poison}", concurrency=concurrency, ledger=ledger, **SETTLING)
    report = await table.upload(COUNT)
    assert (report.accepted, report.rejected, report.exit_code) == (COUNT - 1, 1, 1)
    assert states(report) == {poison: "rejected"}


@pytest.mark.parametrize("fault", ["drop-after@4", "drop-before@4"])
async def test_a_look_up_of_ones_own(bench: MakeBench, fault: str, ledger: str) -> None:
    table = await bench(fault, ledger=ledger, settle_after=0.3)
    report = await table.upload(COUNT, lookup=lookup_of(table))
    assert (report.accepted, report.exit_code) == (COUNT, 0)


# -- what is believed


async def settle_with(bench: MakeBench, ledger: str, lookup: Callable[[Sequence[int]], Any], fault: str) -> Bench:
    """An upload that loses one answer, under a look-up that is not to be believed."""
    table = await bench(fault, ledger=ledger, settle_after=0.2, concurrency=2)
    report = await table.upload(500, lookup=lookup)
    assert (report.accepted, report.unknown, report.exit_code) == (400, 100, 3)
    reason = next(iter(report.failures)).reason or ""
    assert "look-up" in reason
    again = await table.cashin.invoices.upload(sample_invoices(500, start=FIRST), lookup=lookup)
    assert table.simulator.store.twice == ()
    assert (again.duplicate, again.unknown) == (400, 100)
    return table


@pytest.mark.parametrize("fault", ["drop-after@3", "drop-before@3"])
@pytest.mark.parametrize("says", ["exists", "absent", "cannot_tell", "nonsense", None, 404])
async def test_a_look_up_that_says_one_thing_to_everything_settles_nothing(
    bench: MakeBench, ledger: str, fault: str, says: Any
) -> None:
    async def look_up(numbers: Sequence[int]) -> Mapping[int, Any]:
        return dict.fromkeys(numbers, says)

    await settle_with(bench, ledger, look_up, fault)


async def test_a_look_up_that_raises_settles_nothing(bench: MakeBench, ledger: str) -> None:
    async def look_up(numbers: Sequence[int]) -> Mapping[int, Any]:
        raise ValueError("no such table")

    await settle_with(bench, ledger, look_up, "drop-after@3")


@pytest.mark.parametrize("lost", ["drop-after@3", "drop-before@3"])
@pytest.mark.parametrize(
    "lookup",
    ["lookup-always-200", "lookup-always-404", "lookup-echo", "lookup-garbage", "lookup-500", "lookup-status=401"],
)
async def test_a_path_that_tells_nothing_settles_nothing(bench: MakeBench, lost: str, lookup: str) -> None:
    table = await bench(lost, lookup, concurrency=2, lookup_path=TEMPLATE, settle_after=0.2)
    report = await table.upload(500)
    assert (report.accepted, report.unknown, report.exit_code) == (400, 100, 3)


@pytest.mark.parametrize("lookup", ["lookup-always-404@20%", "lookup-always-404@150+", "lookup-stale=0.3"])
async def test_a_path_that_fails_at_times_bills_nobody_twice(bench: MakeBench, ledger: str, lookup: str) -> None:
    table = await bench(
        "apply-late=0.3@3", lookup, ledger=ledger, concurrency=2, lookup_path=TEMPLATE, settle_after=0.5
    )
    report = await table.upload(500)
    assert report.accepted + report.unknown == 500


async def test_what_is_applied_late_is_found(bench: MakeBench, ledger: str) -> None:
    table = await bench("apply-late=0.3@3", ledger=ledger, concurrency=2, **SETTLING)
    report = await table.upload(500)
    assert (report.accepted, report.exit_code) == (500, 0)


async def test_a_look_up_that_is_told_to_wait_holds_everybody(bench: MakeBench) -> None:
    table = await bench("drop-after@3", "lookup-429=1@1", "latency=0.05", concurrency=2, **SETTLING)
    report = await table.upload(1500)
    assert (report.accepted, report.exit_code, report.seconds > 1.0) == (1500, 0, True)


async def test_absence_counts_only_after_settle_after(bench: MakeBench, ledger: str) -> None:
    """The server applies the lost request only after a while: asked at once, it would be sent twice."""
    table = await bench("drop-before@3", ledger=ledger, settle_after=0.8, concurrency=2)
    late: list[int] = []

    async def look_up(numbers: Sequence[int]) -> Mapping[int, str]:
        there = {number: number in table.simulator.store for number in numbers}
        return {number: "exists" if known else "absent" for number, known in there.items()}

    async def apply_late() -> None:
        await table.requests(3)
        await asyncio.sleep(0.3)
        late.extend(next(entry.numbers for entry in table.simulator.log if entry.request == 3))
        table.simulator.store.add(late, [b"{}"] * len(late))

    report, _ = await asyncio.gather(table.upload(500, lookup=look_up), apply_late())
    assert late
    assert (report.accepted, report.exit_code) == (500, 0)
    assert all(table.simulator.store.times(number) == 1 for number in late)


async def test_what_is_found_counts_at_once(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-after@3", ledger=ledger, settle_after=60.0, concurrency=2)
    async with asyncio.timeout(10):
        report = await table.upload(500, lookup=lookup_of(table))
    assert report.accepted == 500


async def test_nothing_accepted_yet_means_nothing_to_try_the_look_up_on(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-after", ledger=ledger, settle_after=0.1, breaker_after=0.2)
    report = await table.cashin.invoices.upload(sample_invoices(10, start=FIRST), lookup=lookup_of(table))
    assert report.unknown == 10
    assert "no accepted number is known" in (report.failures[0].reason or "")


# -- across runs


async def test_unknowns_of_an_earlier_run_are_settled_in_the_next(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-after@3", "drop-before@5", ledger=ledger, concurrency=1, settle_after=0.2)
    everything = list(sample_invoices(600, start=FIRST))
    first = await table.cashin.invoices.upload(everything)
    assert first.unknown == 200
    again = await table.cashin.invoices.upload(everything, lookup=lookup_of(table))
    assert (again.accepted, again.duplicate, again.exit_code) == (200, 400, 0)
    assert table.simulator.store.twice == ()
    assert len(table.simulator.store) == 600


async def test_released_numbers_that_are_missing_are_listed_until_they_were_sent(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-before@3", ledger=ledger, concurrency=1, settle_after=0.2)
    everything = list(sample_invoices(300, start=FIRST))
    lost = everything[110:210]
    assert (await table.cashin.invoices.upload(everything)).unknown == 100
    settled = await table.cashin.invoices.settle(lookup=lookup_of(table))
    assert (settled.accepted, settled.released, settled.unknown) == ([], [one.invoice_number for one in lost], [])

    other = await table.cashin.invoices.upload(sample_invoices(10, start=FIRST + 5_000))
    assert (other.accepted, other.exit_code, len(other.released)) == (10, 3, 100)

    some = await table.cashin.invoices.upload(lost[:40])
    assert (some.accepted, some.exit_code, len(some.released)) == (40, 3, 60)
    rest = await table.cashin.invoices.upload(everything)
    assert (rest.accepted, rest.duplicate, rest.released, rest.exit_code) == (60, 240, [], 0)
    assert table.simulator.store.twice == ()


async def test_other_content_under_an_unknown_number(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-after@2", "drop-before@3", ledger=ledger, concurrency=1, settle_after=0.2)
    everything = list(sample_invoices(210, start=FIRST))
    assert (await table.cashin.invoices.upload(everything)).unknown == 200
    changed = [{"InvoiceNumber": invoice.invoice_number, "NetAmount": 7} for invoice in everything]
    report = await table.cashin.invoices.upload(changed, lookup=lookup_of(table))
    taken = {failure.number for failure in report.failures if failure.state == "rejected"}
    assert taken == set(range(FIRST, FIRST + 110)), "accepted with other content"
    assert report.accepted == 100, "released, and so free for the new content"
    assert table.simulator.store.twice == ()


async def test_settling_needs_something_to_look_up_with(bench: MakeBench) -> None:
    table = await bench()
    with pytest.raises(ConfigurationError, match="lookup_path"):
        await table.cashin.invoices.settle()


async def test_an_interrupt_ends_the_waiting_for_settle_after(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-before@3", ledger=ledger, settle_after=300.0, concurrency=2)
    run = await table.cashin.invoices.prepare(sample_invoices(500, start=FIRST), lookup=lookup_of(table))
    task = asyncio.create_task(run.run())
    async with asyncio.timeout(10):
        while run.progress().done < 400 or (run.progress().next_ask or 0) < 290:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
        assert run.progress().in_doubt == 100
        run.interrupt()
        report = await task
    table.check(report)
    assert (report.accepted, report.unknown, report.exit_code) == (400, 100, 130)


async def test_more_in_doubt_than_is_kept_is_left_for_the_next_run(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-before@3", ledger=ledger, settle_after=0.2, concurrency=1, settle_bytes=1000)
    everything = list(sample_invoices(300, start=FIRST))
    report = await table.cashin.invoices.upload(everything, lookup=lookup_of(table))
    assert (report.accepted, report.unknown, report.exit_code) == (200, 100, 3)
    assert "settle_bytes" in (report.failures[0].reason or "")
    assert len(report.settled_released) == 100
    again = await table.cashin.invoices.upload(everything, lookup=lookup_of(table))
    assert (again.accepted, again.duplicate, again.exit_code) == (100, 200, 0)
