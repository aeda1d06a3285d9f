"""This project."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks import invoices
from benchmarks.programs.job import Job
from cashin_async import CashIn, Settings
from cashin_async.client import Invoices
from cashin_async.sources.files import Files

_CHUNK_BYTES = 8_388_608
"""The number of invoices is to cut the chunks, not their size."""
_TICK = 0.001


def from_lines(job: Job) -> int:
    assert job.file is not None
    return _run(job, lambda: upload(job, job.file))


def from_structs(job: Job) -> int:
    return _run(job, lambda: upload(job, invoices.structs(job.count)))


def from_dicts(job: Job) -> int:
    return _run(job, lambda: upload(job, invoices.dicts(job.count)))


def from_async(job: Job) -> int:
    return _run(job, lambda: upload(job, invoices.structs_async(job.count)))


def only_read(job: Job) -> int:
    """Read and check the file, send nothing."""

    async def read() -> int:
        assert job.file is not None
        started, count = time.perf_counter(), 0
        async for batch in Files(settings_of(job), job.file).batches():
            assert not batch.problems, "they are to be valid"
            count += len(batch)
        job.found["run"] = time.perf_counter() - started
        return count

    return _run(job, read)


def settings_of(job: Job, **more: Any) -> Settings:
    own = {"chunk_size": job.chunk, "concurrency": job.concurrency, "ledger": job.ledger or "none"}
    own |= {"rules": "off"}  # the programs beside this one have none; what they cost is a scenario of its own
    return Settings(base_url=job.url, **{"chunk_bytes": _CHUNK_BYTES, **own, **job.settings, **more})


async def upload(job: Job, source: Invoices | None) -> int:
    assert source is not None
    started = time.perf_counter()
    async with CashIn("benchmark-key", settings=settings_of(job)) as cashin:
        ticking = asyncio.create_task(_tick(job)) if job.ticker else None
        report = await cashin.invoices.upload(source, limit=job.count)
        if ticking is not None:
            ticking.cancel()
    if job.handicap > 1:
        _hamper(job, time.perf_counter() - started)
    job.found["run"] = report.seconds * job.handicap
    job.found["requests"] = report.requests
    job.found["duplicates"] = report.duplicate
    report.raise_for_failures()
    return report.accepted


def _hamper(job: Job, seconds: float) -> None:
    ballast = bytearray(int(job.count * 1000 * (job.handicap - 1)))  # so much an invoice, as if outcomes were kept
    ballast[::4096] = b"x" * len(ballast[::4096])
    time.sleep(seconds * (job.handicap - 1))


async def _tick(job: Job) -> None:
    """Wake up every millisecond, and note how much later than that it was."""
    late = []
    try:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - due)
    finally:
        late.sort()
        job.found["lag_p99"], job.found["lag_max"] = late[len(late) * 99 // 100], late[-1]


def _run(job: Job, work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    if job.uvloop:
        import uvloop

        return uvloop.run(work())
    return asyncio.run(work())
