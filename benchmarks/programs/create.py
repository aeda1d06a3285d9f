"""`create` beside a bare POST, one after the other, on two warm connections."""

import asyncio
import statistics
import time
from collections.abc import Awaitable

import aiohttp

from benchmarks.invoices import structs
from benchmarks.programs.job import Job
from cashin_async import CashIn, SalesInvoice, Settings
from cashin_async.models.wire import encode

_WARM = 100


def beside_bare_post(job: Job) -> int:
    return asyncio.run(_in_turns(job))


async def _in_turns(job: Job) -> int:
    headers = {"X-Api-Key": "benchmark-key", "Content-Type": "application/json"}
    url = f"{job.url}/v2/gensalesinvoices"
    created: list[float] = []
    posted: list[float] = []

    async def create(invoice: SalesInvoice) -> int:
        return (await cashin.invoices.create(invoice)).uploaded_invoices_count

    async def post(body: bytes) -> int:
        async with session.post(url, data=body, headers=headers) as response:
            await response.read()
            return int(response.status == 202)

    accepted = 0
    async with (
        CashIn("benchmark-key", settings=Settings(base_url=job.url, rules="off")) as cashin,
        aiohttp.ClientSession() as session,
    ):
        for invoice in structs(_WARM + job.count):
            body = b"[" + encode(invoice) + b"]"
            accepted += await _timed(create(invoice), created)
            accepted += await _timed(post(body), posted)
    for name, times in (("create", created[_WARM:]), ("post", posted[_WARM:])):
        job.found[name] = statistics.median(times)
        job.found[f"{name}_p99"] = sorted(times)[len(times) * 99 // 100]
    return accepted


async def _timed(call: Awaitable[int], times: list[float]) -> int:
    started = time.perf_counter()
    result = await call
    times.append(time.perf_counter() - started)
    return result
