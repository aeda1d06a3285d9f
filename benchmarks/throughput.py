"""JSON Lines end to end, against the same work on one blocking raw socket.

    python benchmarks/throughput.py [--invoices 100000] [--rounds 7]

Both read the same file, decode each line with its types, join chunks of 100, POST them to the same sink in a process
of its own, and read the receipts. They take turns; the ratio of the medians is the result, since this says more about
the program than about the machine. Where there are two processors, sink and client are kept apart.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec

from cashin_async import CashIn, SalesInvoice, Settings, UploadReceipt
from cashin_async.models.wire import encode
from cashin_async.simulator.samples import sample_invoices

CHUNK = 100


def raw_socket(path: Path, port: int) -> int:
    """The limit: no event loop, no duplicates found, no faults survived."""
    invoice = msgspec.json.Decoder(SalesInvoice)
    receipt = msgspec.json.Decoder(UploadReceipt)
    accepted = 0
    with path.open("rb") as lines, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stripped = map(bytes.strip, lines)
        while chunk := list(islice(stripped, CHUNK)):
            for line in chunk:
                invoice.decode(line)
            body = b"[" + b",".join(chunk) + b"]"
            head = b"POST /v2/gensalesinvoices HTTP/1.1\r\nHost: sink\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(head + body)
            accepted += receipt.decode(_answer(connection)).uploaded_invoices_count
    return accepted


def _answer(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"}" not in data:
        data += connection.recv(65536)
    return data.partition(b"\r\n\r\n")[2]


def this_project(path: Path, port: int) -> int:
    async def upload() -> int:
        settings = Settings(base_url=f"http://127.0.0.1:{port}", chunk_size=CHUNK)
        async with CashIn("benchmark-key", settings=settings) as cashin:
            return (await cashin.invoices.upload(path)).accepted

    return asyncio.run(upload())


def timed(work: Callable[[Path, int], int], path: Path, port: int, count: int) -> float:
    start = time.perf_counter()
    accepted = work(path, port)
    assert accepted == count, f"{accepted} of {count} accepted"
    return count / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "invoices.jsonl")
        with path.open("wb") as file:
            file.writelines(encode(invoice) + b"\n" for invoice in sample_invoices(options.invoices))
        sink = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("sink.py")], stdout=subprocess.PIPE, text=True
        )
        assert sink.stdout is not None
        try:
            port = int(sink.stdout.readline())
            if len(processors) > 1:
                os.sched_setaffinity(sink.pid, processors[:1])
                os.sched_setaffinity(0, processors[1:2])
            compare(path, port, options.invoices, options.rounds)
        finally:
            sink.terminate()
            sink.wait()
            sink.stdout.close()


def compare(path: Path, port: int, count: int, rounds: int) -> None:
    speeds: dict[str, list[float]] = {"raw socket": [], "cashin-async": []}
    for _ in range(rounds):
        speeds["raw socket"].append(timed(raw_socket, path, port, count))
        speeds["cashin-async"].append(timed(this_project, path, port, count))
    size = path.stat().st_size / count
    print(f"{count:,} invoices of {size:,.0f} bytes, chunks of {CHUNK}, {rounds} rounds; invoices a second")
    print(f"{'':14}{'median':>10}{'min':>10}{'max':>10}")
    for name, values in speeds.items():
        print(f"{name:14}{statistics.median(values):10,.0f}{min(values):10,.0f}{max(values):10,.0f}")
    ratios = [ours / raw for ours, raw in zip(speeds["cashin-async"], speeds["raw socket"], strict=True)]
    print(f"ratio, median of the rounds: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
