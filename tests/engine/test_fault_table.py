"""The six rows of the fault table: 10,000 invoices, chunks of 500, one fault server, nobody billed twice."""

from pathlib import Path

import pytest

from cashin_async import UploadReport
from tests.engine.conftest import FIRST, MakeBench, gap_after

pytestmark = pytest.mark.parametrize("concurrency", [1, 8])

COUNT, CHUNK = 10_000, 500
TABLE = {"chunk_size": CHUNK, "chunk_bytes": 4_000_000}


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "none" if request.param == "memory" else str(tmp_path / "ledger.db")


def numbers(report: UploadReport, state: str) -> set[int | None]:
    return {failure.number for failure in report.failures if failure.state == state}


@pytest.mark.parametrize(
    "fault", ["drop-after@4", "500-after@4", "502-after@4", "503-after@4", "504-after@4", "hang-after@4"]
)
async def test_applied_but_not_confirmed_is_unknown_and_the_rest_is_sent(
    bench: MakeBench, concurrency: int, fault: str, ledger: str
) -> None:
    table = await bench(fault, concurrency=concurrency, ledger=ledger, **TABLE)
    report = await table.upload(COUNT)
    assert (report.accepted, report.unknown, report.exit_code) == (COUNT - CHUNK, CHUNK, 3)
    assert len(table.simulator.store) == COUNT
    assert numbers(report, "unknown") == set(next(e.numbers for e in table.simulator.log if e.request == 4))


@pytest.mark.parametrize("form", ["429=1@4", "429-date=2@4"])
async def test_nothing_is_sent_inside_a_hold_but_what_was_in_flight(
    bench: MakeBench, concurrency: int, form: str, ledger: str
) -> None:
    table = await bench("latency=0.01", form, concurrency=concurrency, ledger=ledger, **TABLE)
    report = await table.upload(COUNT)
    assert (report.accepted, report.exit_code) == (COUNT, 0)
    # a date has whole seconds, so that of two seconds at least one is left of it
    assert gap_after(table.simulator, 4) > 0.99


async def test_a_limit_of_200_items_is_learned_and_everything_delivered(
    bench: MakeBench, concurrency: int, ledger: str
) -> None:
    table = await bench("413-items=200", concurrency=concurrency, ledger=ledger, **TABLE)
    report = await table.upload(COUNT)
    assert (report.accepted, report.exit_code) == (COUNT, 0)
    refused = [entry for entry in table.simulator.log if entry.reply == "413"]
    assert len(refused) <= 2 * concurrency + 2, "the size is learned once, not found out for every chunk"


async def test_exactly_the_poison_item_is_rejected(bench: MakeBench, concurrency: int, ledger: str) -> None:
    poison = FIRST + 4_321
    table = await bench(f"poison={poison}", concurrency=concurrency, ledger=ledger, **TABLE)
    report = await table.upload(COUNT)
    assert (report.accepted, report.rejected, report.exit_code) == (COUNT - 1, 1, 1)
    assert numbers(report, "rejected") == {poison}
