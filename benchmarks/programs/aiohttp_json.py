"""aiohttp and the standard library's json."""

import asyncio
from typing import Any

import aiohttp

from benchmarks.invoices import dicts
from benchmarks.programs.job import Job, chunks
from benchmarks.programs.json_bodies import encode


def gather(job: Job) -> int:
    """A task for each chunk; the connector bounds how many go at once."""

    async def main() -> int:
        connector = aiohttp.TCPConnector(limit=job.concurrency)
        headers = {"X-Api-Key": "benchmark-key", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(job.url, connector=connector, headers=headers) as session:

            async def send(chunk: list[dict[str, Any]]) -> int:
                async with session.post("/v2/gensalesinvoices", data=encode(chunk)) as response:
                    response.raise_for_status()
                    return int((await response.json())["UploadedInvoicesCount"])

            return sum(await asyncio.gather(*map(send, chunks(dicts(job.count), job.chunk))))

    return asyncio.run(main())
