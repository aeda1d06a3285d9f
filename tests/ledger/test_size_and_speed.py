"""What the file takes and what asking it costs: as ratios, with wide margins."""

import asyncio
import random
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from cashin_async.ledger.base import Ledger, NumberState, Part
from cashin_async.ledger.book import in_state
from cashin_async.ledger.memory import MemoryLedger
from cashin_async.ledger.sqlite import SqliteLedger
from cashin_async.models.wire import encode, number_of
from cashin_async.simulator.samples import sample_invoices
from tests.ledger.conftest import RUN, names, open_sqlite
from tests.ledger.test_writer import on_thread

COUNT = 100_000
FIRST = 251_600_000


async def upload(ledger: Ledger, numbers: Sequence[int], size: int = 100) -> None:
    """All of it, in chunks, as an upload writes it."""
    digest = random.Random(1).getrandbits
    chunks = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    for start in range(0, len(chunks), 16):
        some = [(chunk, [digest(64) - 2**63 for _ in chunk]) for chunk in chunks[start : start + 16]]
        for lease in await ledger.lease(RUN, some):
            await ledger.post(lease)
            await ledger.settle(lease, [Part(NumberState.ACCEPTED)])


@pytest.mark.parametrize("shuffled", [False, True], ids=["rising", "shuffled"])
async def test_an_invoice_takes_thirty_two_bytes_at_most(tmp_path: Path, shuffled: bool) -> None:
    numbers = list(range(FIRST, FIRST + COUNT))
    if shuffled:
        random.Random(2).shuffle(numbers)
    ledger = await open_sqlite(tmp_path / "ledger.db")
    await upload(ledger, numbers)
    await ledger.close()
    assert (tmp_path / "ledger.db").stat().st_size / COUNT <= 32
    assert names(tmp_path) == ["ledger.db", "ledger.db.lock"]


async def test_in_memory_an_accepted_invoice_takes_eighteen_bytes_at_most() -> None:
    ledger = MemoryLedger()
    await upload(ledger, range(1, 10_001))
    tracemalloc.start()
    try:
        await upload(ledger, range(FIRST, FIRST + COUNT))
        assert tracemalloc.get_traced_memory()[0] / COUNT <= 18
    finally:
        tracemalloc.stop()


async def test_what_is_known_is_told_faster_than_lines_are_read(sqlite: SqliteLedger) -> None:
    numbers = list(range(FIRST, FIRST + 20_000))
    await upload(sqlite, numbers)
    lines = [encode(invoice) for invoice in sample_invoices(2_000)]

    def reading() -> float:
        started = time.perf_counter()
        for line in lines:
            number_of(line, False)
        return (time.perf_counter() - started) / len(lines)

    async def asking() -> float:
        started = time.perf_counter()
        for start in range(0, len(numbers), 500):
            assert len(await sqlite.known(numbers[start : start + 500])) == 500
        return (time.perf_counter() - started) / len(numbers)

    ratios = [await asking() / reading() for _ in range(3)]
    assert min(ratios) < 1


async def test_a_mark_costs_the_event_loop_next_to_nothing(sqlite: SqliteLedger) -> None:
    numbers = list(range(FIRST, FIRST + 40_000))
    chunks = [numbers[start : start + 100] for start in range(0, len(numbers), 100)]
    leases = await sqlite.lease(RUN, [(chunk, chunk) for chunk in chunks])
    before = time.thread_time()
    await asyncio.gather(*map(sqlite.post, leases))
    marks = time.thread_time() - before
    before = time.thread_time()
    for number in numbers:
        number_of(b'{"InvoiceNumber":%d}' % number, False)
    assert marks < 5 * (time.thread_time() - before)


async def test_the_unsettled_are_found_by_an_index(sqlite: SqliteLedger) -> None:
    said: list[str] = []

    def plan(sql: object) -> None:
        said.extend(row[3] for state in ("unknown", "released") for row in explain(sql, NumberState(state)))

    await on_thread(sqlite, plan)
    assert any("unknown_chunk" in step for step in said)
    assert any("released_chunk" in step for step in said)
    assert not [step for step in said if step == "SCAN number"]


def explain(sql: object, state: NumberState) -> list[tuple[int, int, int, str]]:
    """How SQLite looks for the numbers in a state."""

    class Explaining:
        def execute(self, query: str, values: object) -> list[tuple[int, int, int, str]]:
            rows.extend(sql.execute(f"EXPLAIN QUERY PLAN {query}", values))  # type: ignore[attr-defined]
            return []

    rows: list[tuple[int, int, int, str]] = []
    in_state(Explaining(), state, 0, 10)  # type: ignore[arg-type]
    return rows
