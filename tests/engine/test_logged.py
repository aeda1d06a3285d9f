"""What a run logs, by its events' fields, and the last failure that its progress shows."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cashin_async import Place, Progress, State
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, MakeBench


class Events(logging.Handler):
    """What was logged, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def names(self) -> list[str]:
        return [record.event for record in self.records]  # type: ignore[attr-defined]

    def of(self, name: str) -> list[Any]:
        return [record for record in self.records if record.event == name]  # type: ignore[attr-defined]


@pytest.fixture
def events() -> Iterator[Events]:
    log, handler = logging.getLogger("cashin_async"), Events()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


async def test_a_calm_run_says_that_it_began_and_ended(bench: MakeBench, events: Events) -> None:
    report = await (await bench()).upload(300)
    assert [name for name in events.names if name != "window.changed"] == ["upload.began", "upload.ended"]
    began, ended = events.of("upload.began") + events.of("upload.ended")
    assert began.run == ended.run == report.run
    assert (ended.read, ended.accepted, ended.requests) == (300, 300, report.requests)
    assert events.of("window.changed")[0].window == 2


async def test_a_hold_is_told_once_however_many_answers_ask_for_it(bench: MakeBench, events: Events) -> None:
    await (await bench("429=0.3@20-22", "latency=0.1", chunk_size=10)).upload(240)
    began, ended = events.of("hold.began"), events.of("hold.ended")
    assert len(began) == len(ended) == 1
    assert began[0].reason == "HTTP 429: too many requests"
    assert began[0].seconds == pytest.approx(0.3, abs=0.01)
    assert 0.29 <= ended[0].seconds < 0.7
    assert not events.of("hold.extended")
    assert not events.of("exchange.refused"), "a pushback is told as a hold"


async def test_each_new_hold_is_told(bench: MakeBench, events: Events) -> None:
    await (await bench("429=0.05@3", "429=0.05@6", concurrency=1, chunk_size=10)).upload(70)
    assert [name for name in events.names if "hold" in name] == ["hold.began", "hold.ended"] * 2


async def test_the_breaker_is_told_from_its_opening_to_the_probe_that_closes_it(
    bench: MakeBench, events: Events
) -> None:
    await (await bench("drop-after@2-5", concurrency=1)).upload(1000)
    (opened,), (closed,) = events.of("breaker.opened"), events.of("breaker.closed")
    assert opened.reason.startswith("the connection was lost")
    assert closed.seconds >= 0
    assert events.names.index("breaker.opened") < events.names.index("breaker.closed")


async def test_a_breaker_that_gave_up_is_not_told_as_closed(bench: MakeBench, events: Events) -> None:
    await (await bench("drop-after@2+", concurrency=1, breaker_after=0.1)).upload(1000)
    assert events.of("breaker.opened")
    assert not events.of("breaker.closed")
    (stopped,) = events.of("sending.stopped")
    assert "breaker_after" in stopped.reason


async def test_what_happens_at_each_request_is_thinned_out_and_adds_up(bench: MakeBench, events: Events) -> None:
    """Every second of 200 requests is refused, as is every single invoice that was to blame."""
    table = await bench(*(f"poison={FIRST + place}" for place in range(0, 200, 2)), chunk_size=1, first_chunk=1,
                        stop_after_refusals=1000)  # fmt: skip
    report = await table.upload(200)
    assert report.rejected == 100
    refused = events.of("exchange.refused")
    assert [record.count for record in refused] == [1, 99], "the first at once, the others when the run has ended"
    assert events.names.index("exchange.refused") < events.names.index("upload.ended")
    assert events.names[-1] == "upload.ended"


async def test_a_receipt_that_does_not_add_up_is_no_proof_either(bench: MakeBench, events: Events) -> None:
    await (await bench("miscount=-1@2")).upload(300)
    (unproven,) = events.of("exchange.unproven")
    assert (unproven.status, unproven.invoices) == (202, 100)


async def test_a_server_that_is_not_there(bench: MakeBench, events: Events) -> None:
    table = await bench("drop-before@2")
    await table.simulator.__aexit__(None, None, None)
    report = await table.cashin.invoices.upload(sample_invoices(30, start=FIRST))
    assert report.unsent == 30
    counts = [record.count for record in events.of("exchange.failed")]
    assert counts[0] == 1
    assert sum(counts) > 3


async def test_the_last_failure_is_told_without_its_invoice(bench: MakeBench) -> None:
    table = await bench(f"poison={FIRST + 7}")
    invoices = list(sample_invoices(20, start=FIRST))
    seen: list[Progress] = []
    report = await table.cashin.invoices.upload(invoices, on_progress=seen.append)
    report.look()
    failure = seen[-1].last_failure
    assert failure is not None
    assert (failure.state, failure.number, failure.source) == (State.REJECTED, FIRST + 7, None)
    assert failure.reason is not None
    assert failure.reason.startswith("HTTP 400")
    assert seen[0].last_failure is None


async def test_the_last_failure_of_a_file_has_its_place(bench: MakeBench, tmp_path: Path) -> None:
    path = tmp_path / "laskut.jsonl"
    path.write_bytes(b'{"InvoiceNumber":1}\nbroken\n')
    seen: list[Progress] = []
    report = await (await bench()).cashin.invoices.upload(path, on_progress=seen.append)
    report.look()
    failure = seen[-1].last_failure
    assert failure is not None
    assert (failure.state, failure.number, failure.source) == (State.INVALID, None, Place(str(path), 2))


async def test_a_new_run_is_no_probe_that_closed_the_breaker_of_the_last_one(bench: MakeBench, events: Events) -> None:
    table = await bench("drop-after@2-9", concurrency=1, deadline=0.5, backoff=5.0, backoff_limit=5.0)
    (await table.cashin.invoices.upload(sample_invoices(1000, start=FIRST))).look()
    assert events.of("breaker.opened")
    table.simulator.clear_faults()
    (await table.cashin.invoices.upload(sample_invoices(100, start=FIRST + 5000))).look()
    assert not events.of("breaker.closed")
