"""Reads files in a process of its own, and prints what came of it: records, problems, and the memory that it took.

`python -m tests.sources.reading FILE [NAME=VALUE ...]`, with settings as names and values.
"""

import asyncio
import json
import sys
from typing import Any

from cashin_async import Settings
from cashin_async.sources.files import Files


def peak() -> int:
    """The most memory so far, in kilobytes. `ru_maxrss` would count that of the process which started this one."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


async def read(name: str, settings: Settings) -> dict[str, Any]:
    """What there is in a file, and how much the memory grew since its first invoices were read."""
    source = Files(settings, name)
    records = wrong = 0
    before: int | None = None
    async for batch in source.batches():
        records += len(batch)
        wrong += len(batch.problems)
        if before is None and records:
            before = peak()  # by now, all that is needed is loaded
    reasons = [problem.reason for problem in source.problems]
    return {"records": records, "wrong": wrong, "problems": reasons, "grown": peak() - (before or 0)}


if __name__ == "__main__":
    chosen = dict(argument.split("=") for argument in sys.argv[2:])
    settings = Settings.load({f"CASHIN_{name.upper()}": value for name, value in chosen.items()}, base_url="https://x")
    json.dump(asyncio.run(read(sys.argv[1], settings)), sys.stdout)
