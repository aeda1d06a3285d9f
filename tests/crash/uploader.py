"""A real process that uploads a file with a ledger, and may end itself at a point that chance would rarely hit.

    python -m tests.crash.uploader URL LEDGER FILE [--lookup] [--die POINT:N] [--concurrency N] [--largest-file BYTES]

It prints one JSON object: the report, and every failing number with its state.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cashin_async import CashIn, Settings
from cashin_async.bulk.courier import Trip
from cashin_async.ledger.sqlite import SqliteLedger

SETTLE_AFTER = 0.4  # longer than the server of these tests ever works on a request after its client is gone

POINTS: dict[str, tuple[type, str, str]] = {
    "before-lease": (SqliteLedger, "lease", "before"),
    "after-lease": (SqliteLedger, "lease", "after"),
    "before-mark": (SqliteLedger, "post", "before"),
    "between-mark-and-send": (SqliteLedger, "post", "after"),
    "after-answer": (Trip, "fly", "after"),
    "before-outcome": (SqliteLedger, "settle", "before"),
    "after-outcome": (SqliteLedger, "settle", "after"),
    "before-decision": (SqliteLedger, "decide", "before"),
    "after-decision": (SqliteLedger, "decide", "after"),
}
"""Where a process can end itself: a method, and whether at its beginning or its end."""


def die_at(point: str, count: int) -> None:
    """SIGKILL ourselves when this point is passed for the `count`-th time."""
    owner, name, when = POINTS[point]
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)
    passed = 0

    async def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        passed += 1
        if when == "before" and passed == count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = await original(*arguments, **named)
        if when == "after" and passed >= count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


async def upload(options: argparse.Namespace) -> dict[str, Any]:
    settings = Settings(
        base_url=options.url,
        ledger=options.ledger,
        lookup_path="/simulator/invoices/{InvoiceNumber}" if options.lookup else None,
        settle_after=SETTLE_AFTER,
        chunk_size=50,
        concurrency=options.concurrency,
        timeout=5.0,
    )
    async with CashIn("crash-key", settings=settings) as cashin:
        run = await cashin.invoices.prepare(Path(options.file))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, run.interrupt, f"interrupted by {number.name}")
        report = await run.run()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)  # too late to interrupt anything
        failures = [(failure.number, str(failure.state)) for failure in report.failures]
        return {
            **report.as_dict(),
            "code": report.exit_code,
            "stopped": report.stopped,
            "failures": failures,
            "released": report.released,
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("ledger")
    parser.add_argument("file")
    parser.add_argument("--lookup", action="store_true")
    parser.add_argument("--die", metavar="POINT:N")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--largest-file", type=int, metavar="BYTES", help="no file may grow beyond it: a full disk")
    options = parser.parse_args()
    if options.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest_file, options.largest_file))
    if options.die:
        point, _, count = options.die.partition(":")
        die_at(point, int(count))
    sys.stdout.write(json.dumps(asyncio.run(upload(options))))


if __name__ == "__main__":
    main()
