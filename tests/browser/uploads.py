"""An upload with every kind of failure, against the real simulator; and reports of a hundred thousand failures."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cashin_async import CashIn, Settings
from cashin_async.bulk.history import History
from cashin_async.bulk.outcome import Settled, State, UploadReport
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator
from cashin_async.sources.source import Place

FIRST = 251_600_001
NASTY_NAME = "laskut <img src=x onerror=alert()> \u2028 &amp;.jsonl"
_encode = msgspec.json.Encoder(decimal_format="number").encode
NASTY = '</script><script>alert()</script><!-- \u2028 \'"quoted"'


def every_failure(folder: Path, name: str = "laskut-2026-11.jsonl", count: int = 3_000) -> UploadReport:
    """Of `count` invoices 200 are unknown, three refused, 42 break one of two rules, one is cut short and one twice."""
    with ThreadPoolExecutor(1) as thread:  # the browser's driver has the event loop of this one
        return thread.submit(lambda: asyncio.run(_every_failure(folder, name, count))).result()


async def _every_failure(folder: Path, name: str, count: int) -> UploadReport:
    lines = [json.loads(_encode(invoice)) for invoice in sample_invoices(count, start=FIRST, seed=7)]
    for place in range(1000, 1030):
        lines[place]["Reference"] = f"{lines[place]['Reference'][:-1]}{(int(lines[place]['Reference'][-1]) + 1) % 10}"
    for place in range(1100, 1112):
        lines[place]["DueDate"] = "2001-01-01"
    file = folder / name
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [*lines, lines[0]])
    file.write_text(text + '{"InvoiceNumber": 1, "Total', encoding="utf-8")
    refused = [f"poison={FIRST + 1500}", f"fail-object={FIRST + 1700}", f"fail-object={FIRST + 1701}"]
    faults = ["latency=0.02", "429=1@9", "drop-after@12", "500-after@20", *refused]
    async with Simulator(faults=faults, seed=7) as simulator:
        settings = Settings(base_url=simulator.url, rules="enforce", concurrency=4)
        async with CashIn("key", settings=settings) as cashin:
            report = await cashin.invoices.upload(file, ledger=folder / "ledger.db")
    report.look()
    return report


def many_failures(count: int, first: int = FIRST, reasons: int = 400) -> UploadReport:
    """`count` failures in files of a night, of every kind, and as many invoices that got through."""
    report, history = (
        UploadReport("20260806T010000Z-abc123", "/var/lib/cashin/ledger.db", locate=lambda ref: ref),
        History(),
    )
    report.look()
    kinds = (
        (State.UNKNOWN, "no whole answer within timeout"),
        (State.REJECTED, "HTTP 400: no such customer: code {}"),
        (State.INVALID, "Reference: check digit is {}, 3 would be right (reference)"),
        (State.UNSENT, "HTTP 429: too many requests; given up after 8 tries (retries)"),
    )
    for start in range(0, count, 100):
        state, why = kinds[start // 100 % 4]
        places = [Place(f"night-{start // 50_000}.jsonl", start % 50_000 + one + 1) for one in range(100)]
        numbers = range(first + 3 * start, first + 3 * start + 300, 3)
        report.add(Settled(state, numbers, places, why.format(start // 100 % reasons)))
        report.add(Settled(State.ACCEPTED, numbers, places))
        history.add(start / 2000, 200, 100)
    report.seconds = count / 2000
    report.past = history.past(report.seconds)
    report.began = datetime(2026, 8, 6, 1, 0, tzinfo=UTC)
    return report
