"""requests, the standard library's json and threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from benchmarks.invoices import dicts
from benchmarks.programs.job import Job, chunks
from benchmarks.programs.json_bodies import encode


def threads(job: Job) -> int:
    """A pool of threads that share one session."""
    with requests.Session() as session, ThreadPoolExecutor(job.concurrency) as pool:
        session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=job.concurrency))
        session.headers.update({"X-Api-Key": "benchmark-key", "Content-Type": "application/json"})

        def send(chunk: list[dict[str, Any]]) -> int:
            response = session.post(f"{job.url}/v2/gensalesinvoices", data=encode(chunk), timeout=60)
            response.raise_for_status()
            return int(response.json()["UploadedInvoicesCount"])

        return sum(pool.map(send, chunks(dicts(job.count), job.chunk)))
