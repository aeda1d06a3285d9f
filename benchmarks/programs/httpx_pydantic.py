"""httpx and pydantic: once as most write it, once bounded."""

import asyncio

import httpx
from pydantic import BaseModel

from benchmarks.invoices import dicts
from benchmarks.programs.job import Job, chunks
from benchmarks.programs.pydantic_models import INVOICES, Invoice, Receipt

_HEADERS = {"X-Api-Key": "benchmark-key", "Content-Type": "application/json"}


def gather(job: Job) -> int:
    """All invoices as models, a task for each chunk, a semaphore for how many at once."""

    async def main() -> int:
        invoices = [Invoice.model_validate(one) for one in dicts(job.count)]
        semaphore = asyncio.Semaphore(job.concurrency)

        async def send(chunk: list[BaseModel]) -> int:
            async with semaphore:
                return await _post(client, chunk)

        async with _client(job) as client:
            return sum(await asyncio.gather(*map(send, chunks(invoices, job.chunk))))

    return asyncio.run(main())


def workers(job: Job) -> int:
    """As many workers as requests at once; each takes a chunk, makes its models, sends it."""
    source = chunks(dicts(job.count), job.chunk)

    async def work(client: httpx.AsyncClient) -> int:
        accepted = 0
        for chunk in source:
            accepted += await _post(client, [Invoice.model_validate(one) for one in chunk])
        return accepted

    async def main() -> int:
        async with _client(job) as client:
            return sum(await asyncio.gather(*(work(client) for _ in range(job.concurrency))))

    return asyncio.run(main())


def _client(job: Job) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    return httpx.AsyncClient(base_url=job.url, headers=_HEADERS, limits=limits, timeout=60)


async def _post(client: httpx.AsyncClient, chunk: list[BaseModel]) -> int:
    response = await client.post("/v2/gensalesinvoices", content=INVOICES.dump_json(chunk, by_alias=True))
    response.raise_for_status()
    return Receipt.model_validate_json(response.content).uploaded_invoices_count
