"""One upload, a stage more each time: what a stage costs is what it adds. The last one is the upload itself."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

from benchmarks.invoices import structs
from benchmarks.programs import ours
from benchmarks.programs.job import Job
from cashin_async import Settings
from cashin_async.bulk.courier import Courier
from cashin_async.bulk.engine import Run
from cashin_async.ledger.claims import Claims
from cashin_async.ledger.memory import MemoryLedger
from cashin_async.models.digest import digests
from cashin_async.models.wire import encode_unchecked
from cashin_async.sources.files import Files
from cashin_async.sources.iterables import Iterables
from cashin_async.sources.lines import LineSplitter
from cashin_async.sources.source import Source
from cashin_async.transport.exchange import Answered, Exchange
from cashin_async.transport.keyring import Keyring

_BLOCK = 262_144  # bytes, as the source has it

Stage = Callable[[], Awaitable[object]]


class _AtOnce:
    """Answers without a socket: all chunks have as many invoices."""

    def __init__(self, chunk: int) -> None:
        self.keys = Keyring("benchmark-key")
        self._receipt = b'{"UploadedInvoicesCount":%d,"FailedInvoicesCount":0,"FailedInvoices":null}' % chunk

    async def post(self, body: bytes) -> Exchange:
        await asyncio.sleep(0)
        return Answered(202, {"date": "Sat, 21 Nov 2026 12:00:00 GMT"}, self._receipt)


def of_lines(job: Job) -> int:
    file = job.file
    assert file is not None

    async def read() -> None:
        splitter = LineSplitter(_BLOCK)
        with file.open("rb") as opened:
            for block in iter(lambda: opened.read(_BLOCK), b""):
                splitter.feed(block)

    def source() -> Source:
        return Files(_settings(job), file)

    return asyncio.run(_all(job, {"read": read, **_from_source(job, source)}, ours.upload(job, file)))


def of_structs(job: Job) -> int:
    async def build() -> None:
        _drain(structs(job.count))

    async def encode() -> None:
        _drain(map(encode_unchecked, structs(job.count)))

    def source() -> Source:
        return Iterables(structs(job.count))

    stages = {"build": build, "encode": encode, **_from_source(job, source)}
    return asyncio.run(_all(job, stages, ours.upload(job, structs(job.count))))


def _from_source(job: Job, source: Callable[[], Source]) -> dict[str, Stage]:
    async def check() -> None:
        async for _ in source().batches():
            pass

    async def digest() -> None:
        async for batch in source().batches():
            digests(batch.encoded)

    async def engine() -> None:
        settings = _settings(job)
        courier = Courier(settings, _AtOnce(job.chunk))
        report = await Run(source(), Claims(MemoryLedger()), courier, settings).run()
        report.raise_for_failures()

    return {"check": check, "digest": digest, "engine": engine}


async def _all(job: Job, stages: dict[str, Stage], upload: Awaitable[int]) -> int:
    """Seconds that each stage adds go into what was found."""
    before = 0.0
    for name, stage in stages.items():
        started = time.perf_counter()
        await stage()
        so_far = time.perf_counter() - started
        job.found[name], before = so_far - before, so_far
    started = time.perf_counter()
    accepted = await upload
    job.found["transport"] = time.perf_counter() - started - before
    return accepted


def _settings(job: Job) -> Settings:
    return ours.settings_of(job, first_chunk=job.chunk)


def _drain(iterator: Iterator[object]) -> None:
    deque(iterator, maxlen=0)
