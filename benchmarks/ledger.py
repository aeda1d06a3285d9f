"""What the ledger costs: uploads with it and without it, in turns, against one sink; and what a second upload costs.

    python benchmarks/ledger.py [--invoices 100000] [--rounds 7]

Every figure is a ratio of two speeds of the same round, its median over the rounds with minimum and maximum. Where
there are two processors, sink and client are kept apart.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cashin_async import CashIn, Settings
from cashin_async.client import json_lines
from cashin_async.models.wire import encode
from cashin_async.simulator.samples import sample_invoices

HERE = Path(__file__).parent


@contextmanager
def sink(delay: float) -> Iterator[str]:
    """The sink's address."""
    process = subprocess.Popen([sys.executable, HERE / "sink.py", "0", str(delay)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) > 1:
            os.sched_setaffinity(process.pid, processors[:1])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def upload(path: Path, url: str, ledger: str, chunk_size: int) -> float:
    """Invoices a second, the opening and the closing of the ledger not counted: they come once a night."""

    async def work() -> float:
        settings = Settings(base_url=url, chunk_size=chunk_size, chunk_bytes=4_000_000, ledger=ledger)
        async with CashIn("benchmark-key", settings=settings) as cashin:
            run = await cashin.invoices.prepare(path)
            report = await run.run()
            assert report.ok, report
            return report.invoices_per_second

    return asyncio.run(work())


def read(path: Path) -> float:
    """Invoices a second that are only read and validated."""

    async def work() -> float:
        started, count = time.perf_counter(), 0
        async for batch in json_lines(Settings(base_url="http://localhost"), path).batches():
            count += len(batch)
        return count / (time.perf_counter() - started)

    return asyncio.run(work())


def show(name: str, ratios: list[float]) -> None:
    print(f"{name:76}{statistics.median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def compare(path: Path, folder: Path, delay: float, chunk_size: int, rounds: int, order: str = "") -> None:
    ratios = []
    with sink(delay) as url:
        for round_ in range(rounds):
            place = str(folder / f"{path.stem}-{delay}-{chunk_size}-{round_}.db")
            without = upload(path, url, "none", chunk_size)
            ratios.append(upload(path, url, place, chunk_size) / without)
    answers = f"answers after {delay * 1000:.0f} ms" if delay else "answers at once"
    show(f"with the ledger, of without it; {answers}, chunks of {chunk_size}{order}", ratios)


def again(path: Path, folder: Path, rounds: int, count: int) -> None:
    with sink(0.0) as url:
        place = folder / "again.db"
        upload(path, url, str(place), 100)
        print(f"{'bytes an invoice in the file, chunks of 100':76}{place.stat().st_size / count:6.1f}")
        ratios = [upload(path, url, str(place), 100) / read(path) for _ in range(rounds)]
    show("all duplicates, of reading and validating alone", ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(0, processors[1:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "invoices.jsonl"
        with path.open("wb") as file:
            file.writelines(encode(invoice) + b"\n" for invoice in sample_invoices(options.invoices))
        print(
            f"{options.invoices:,} invoices of {path.stat().st_size / options.invoices:,.0f} bytes,"
            f" {options.rounds} rounds"
        )
        for delay in (0.05, 0.0):
            for chunk_size in (100, 500):
                compare(path, folder, delay, chunk_size, options.rounds)
        shuffled = folder / "shuffled.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        random.Random(1).shuffle(lines)
        shuffled.write_bytes(b"".join(lines))
        compare(shuffled, folder, 0.0, 100, options.rounds, ", numbers in no order")
        again(path, folder, options.rounds, options.invoices)


if __name__ == "__main__":
    main()
