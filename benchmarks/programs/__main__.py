"""Run one program and print what it took: one line of JSON.

    python -m benchmarks.programs NAME JOB WARM

JOB is a `Job` as JSON. WARM invoices are sent first, outside the clock: what a program loads late, and what its
libraries set up once, has figures of its own (start-up). The clock stands around everything after that, the opening and
the closing of clients too.
"""

import gc
import json
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks.programs import PROGRAMS
from benchmarks.programs.job import Job


def peak_megabytes() -> float:
    """The most memory that this process has held.

    The kernel's own mark where there is one: getrusage's survives the exec, so that a child begins with its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def waited() -> float:
    """Seconds that the main thread could have run but for others on its core; 0 where nobody counts them."""
    status = Path("/proc/self/schedstat")
    return int(status.read_text().split()[1]) / 1e9 if status.exists() else 0.0


def main(name: str, text: str, warm: str) -> None:
    module, function = PROGRAMS[name]
    work = getattr(import_module(f"benchmarks.programs.{module}"), function)
    job = Job.parse(text)
    warmed = 0
    if int(warm):
        ledger = f"{job.ledger}.warm" if job.ledger else None
        warmed = work(replace(job, count=int(warm), ledger=ledger, ticker=False, handicap=1.0, at_least=0.0, found={}))
    if job.begin_at:
        import_module("cashin_async.transport.pool")  # what is loaded at the first request
        time.sleep(max(0.0, job.begin_at - time.time()))
    gc.collect()
    started, used, stood_by = time.perf_counter(), time.process_time(), waited()
    accepted = work(job)
    figures = {
        "invoices": accepted,
        "warmed": warmed,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - used,
        "waited": waited() - stood_by,
        "peak_mb": peak_megabytes(),
    }
    print(json.dumps(figures | job.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
