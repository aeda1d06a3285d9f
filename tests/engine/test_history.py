"""What a run notes of its own course: when what was done, and how long everybody was held."""

from pathlib import Path

import pytest

from cashin_async.bulk.history import Past
from cashin_async.ledger.recorded import read_run
from tests.engine.conftest import MakeBench


async def test_the_course_of_a_run_adds_up(bench: MakeBench) -> None:
    report = await (await bench("latency=0.02", "drop-after@4")).upload(1000)
    assert report.past is not None
    assert sum(report.past.done) == report.read == 1000
    assert sum(report.past.failed) == report.unknown == 100
    assert len(report.past.done) * report.past.every >= report.seconds
    assert report.began is not None
    assert (report.holds, report.held_seconds) == (0, 0.0)


async def test_what_is_given_up_is_no_work(bench: MakeBench) -> None:
    report = await (await bench("latency=0.05", concurrency=1, deadline=0.3)).upload(1000)
    assert report.unsent > 0
    assert report.past is not None
    assert sum(report.past.done) == report.read - report.unsent


async def test_holds_are_counted_and_timed(bench: MakeBench) -> None:
    report = await (await bench("429=1@3")).upload(1000)
    assert report.holds == 1
    assert report.held_seconds == pytest.approx(1.0, abs=0.1)
    assert report.past is not None
    assert sum(report.past.held) == pytest.approx(report.held_seconds, abs=0.01)
    held = [place for place, seconds in enumerate(report.past.held) if seconds > 0.01]
    assert held == [*range(held[0], held[-1] + 1)], "one hold, and no gap where it was noted"
    assert all(report.past.held[place] == pytest.approx(report.past.every) for place in held[1:-1])


async def test_a_second_run_of_a_client_counts_its_own_holds(bench: MakeBench) -> None:
    made = await bench("429=1@3")
    assert (await made.cashin.invoices.upload([{"InvoiceNumber": number} for number in range(1, 500)])).holds == 1
    again = await made.cashin.invoices.upload([{"InvoiceNumber": number} for number in range(501, 900)])
    assert (again.holds, again.held_seconds) == (0, 0.0)


async def test_the_ledger_keeps_it(bench: MakeBench, tmp_path: Path) -> None:
    report = await (await bench("drop-after@4")).upload(1000, ledger=tmp_path / "ledger.db")
    facts = read_run(tmp_path / "ledger.db").status.facts
    assert report.past is not None
    assert Past.of(facts["history"]).done == list(report.past.done)
    assert facts["kinds"] == [["unknown", None, "the connection was lost (ServerDisconnectedError)", 100]]
    assert report.began is not None
    assert facts["began"] == report.began.isoformat()
