"""Uploads against the real simulator over TCP, with short waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cashin_async import CashIn, Settings, State, UploadReport
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator

FIRST = 100_000
QUICK: dict[str, Any] = {
    "timeout": 1.6,
    "backoff": 0.01,
    "backoff_limit": 0.03,
    "breaker_after": 1.0,
    "drain_timeout": 0.3,
}


@dataclass
class Bench:
    """A simulator and a client of it."""

    simulator: Simulator
    cashin: CashIn

    async def upload(self, count: int = 1000, **options: Any) -> UploadReport:
        report = await self.cashin.invoices.upload(sample_invoices(count, start=FIRST), **options)
        self.check(report)
        return report

    async def requests(self, count: int) -> None:
        """Wait until the simulator has seen so many requests."""
        async with asyncio.timeout(30):
            while self.simulator.requests < count:  # noqa: ASYNC110 - the simulator has no event for it
                await asyncio.sleep(0.005)

    def check(self, report: UploadReport) -> None:
        """What holds after every upload, whatever the server did."""
        counts = report.counts
        store = self.simulator.store
        assert sum(counts.values()) == report.read
        assert store.twice == (), "somebody was billed twice"
        not_proven = {f.number for f in report.failures if f.state == "unknown"}
        never = {f.number for f in report.failures if f.state in ("rejected", "invalid", "unsent")}
        never -= {f.number for f in report.failures if "number is taken" in (f.reason or "")}
        taken = set(store.numbers)
        assert not taken & never, "reported as not accepted, but the server has it"
        assert len(taken - not_proven) == counts[State.ACCEPTED], "accepted without proof, or proof ignored"


def gap_after(simulator: Simulator, request: int) -> float:
    """Seconds between the arrival of a request and of the next one that was not on its way when it was answered.

    What arrives within 50 ms of an answer may have left before it was read. The arrival, since the client may read the
    answer before the server notes that it is over.
    """
    first = next(entry for entry in simulator.log if entry.request == request)
    end = first.until or 0.0
    return min(entry.at - first.at for entry in simulator.log if entry.at - end > 0.05)


MakeBench = Callable[..., Awaitable[Bench]]


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where it is: in memory, or a file."""
    return "none" if request.param == "memory" else str(tmp_path / "ledger.db")


@pytest.fixture
async def bench() -> AsyncIterator[MakeBench]:
    async with AsyncExitStack() as stack:

        async def make(*faults: str, api_key: Any = "key", **settings: Any) -> Bench:
            simulator = await stack.enter_async_context(Simulator(faults=faults))
            chosen = Settings(base_url=simulator.url, **{**QUICK, **settings})
            return Bench(simulator, await stack.enter_async_context(CashIn(api_key, settings=chosen)))

        yield make
