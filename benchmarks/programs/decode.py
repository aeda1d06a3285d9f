"""A list of invoices from JSON into types, three ways in turns."""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.invoices import lines
from benchmarks.programs.job import Job
from benchmarks.programs.pydantic_models import INVOICES
from cashin_async import SalesInvoice

_TURNS = 3


def in_turns(job: Job) -> int:
    data = b"[" + b",".join(map(bytes.strip, lines(job.count))) + b"]"
    decoder = msgspec.json.Decoder(list[SalesInvoice])
    ways: dict[str, Callable[[bytes], list[Any]]] = {
        "msgspec": decoder.decode,
        "json_pydantic": lambda data: INVOICES.validate_python(json.loads(data)),
        "pydantic": INVOICES.validate_json,
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_TURNS):
        for name, decode in ways.items():
            gc.collect()
            started = time.perf_counter()
            invoices = decode(data)
            took[name].append(time.perf_counter() - started)
            assert len(invoices) == job.count
            del invoices
    for name, times in took.items():
        job.found[name] = sorted(times)[_TURNS // 2]
    return job.count
