"""`cashin-async demo`: everything at once against the built-in simulator."""

from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from cashin_async.bulk.outcome import State, UploadReport
from cashin_async.cli.process import INTERRUPTED, interruptible, leave, run_to_its_end

if TYPE_CHECKING:
    from cashin_async.settings import Settings
    from cashin_async.simulator.store import Store

FIRST_NUMBER = 260_000_001
FAULTS = [
    "latency=0.005~0.03",
    "drop-after@1%",
    "503-before@1%",
    "500-after@1%",
    "429=1@1%",
    "hang-after@1%",
]
"""Five requests in a hundred go wrong, each in another way."""
SETTLE_AFTER = 2.0  # seconds: nothing that this server was given takes longer

_FIRST = """\
Uploading {:,} correct invoices and a few bad ones to a server in this
process. About 5 in 100 requests go wrong: it applies them and then hangs, or
drops the connection, or answers 500; or it answers 429 or 503 and applies
nothing. It refuses two invoices.
"""
_AGAIN = """
The same upload again: the ledger knows what was accepted, a look-up settles what
is unknown, and only what the server provably does not have is sent.
"""


@click.command()
@click.option(
    "--count", type=click.IntRange(min=1), default=10_000, show_default=True, help="Correct invoices to make."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other invoices and faults.")
@click.option("--quiet", is_flag=True, help="No progress.")
def demo(count: int, seed: int, quiet: bool) -> None:
    """Make invoices, start a server that misbehaves, upload, settle what is unknown, and look at what came of it.

    Nothing leaves this machine. The exit code is 0 when the demo ran to its end.
    """
    report = run_to_its_end(_demo(count, seed, quiet))
    if report.interrupted:
        leave(INTERRUPTED)


async def _demo(count: int, seed: int, quiet: bool) -> UploadReport:
    from cashin_async.report.progress import SafeConsole
    from cashin_async.report.summary import print_summary
    from cashin_async.settings import Settings
    from cashin_async.simulator.server import Simulator

    console = SafeConsole()
    refused = FIRST_NUMBER + count // 2
    faults = [*FAULTS, f"poison={refused}", f"fail-object={FIRST_NUMBER + count // 3}"]
    async with Simulator(faults=faults, seed=seed) as simulator:
        with TemporaryDirectory() as folder:
            first = Settings(base_url=simulator.url, timeout=2.0, ledger=f"{folder}/ledger.db")
            again = replace(first, lookup_path="/simulator/invoices/{InvoiceNumber}", settle_after=SETTLE_AFTER)
            for words, settings in ((_FIRST.format(count), first), (_AGAIN, again)):
                console.print(words, highlight=False)
                report = await _upload(settings, count, seed, quiet)
                print_summary(report, console)
                if report.interrupted:
                    break
        _print_books(report, simulator.store, console)
    return report


async def _upload(settings: "Settings", count: int, seed: int, quiet: bool) -> UploadReport:
    from cashin_async.client import CashIn
    from cashin_async.report.progress import progress_view

    async with CashIn("demo-key", settings=settings) as cashin:
        run = await cashin.invoices.prepare(_invoices(count, seed))
        with progress_view(quiet) as view, interruptible(run, view):
            return await run.run(view.show)


def _invoices(count: int, seed: int) -> Iterator[Any]:
    """Correct invoices, and after the first half: lines that are none, and an invoice once more."""
    from cashin_async.simulator.samples import bad_lines, sample_invoices

    for index, invoice in enumerate(sample_invoices(count, start=FIRST_NUMBER, seed=seed)):
        yield invoice
        if index == count // 2:
            yield from bad_lines(FIRST_NUMBER + 2 * count)
            yield invoice


def _print_books(report: UploadReport, store: "Store", console: Any) -> None:
    """Holds the report against what the server has in its own books."""
    accepted = set(store.numbers)
    unknown = {failure.number for failure in report.failures if failure.state is State.UNKNOWN}
    console.print(
        f"\nThe server's own books: {len(accepted):,} invoices, {len(store.twice):,} of them billed twice.",
        highlight=False,
    )
    if unknown:
        applied = len(unknown & accepted)
        console.print(
            f"Of the {len(unknown):,} unknown ones it has {applied:,}: to just send them again would bill those\n"
            f"people twice. The other {len(unknown) - applied:,} it does not have: to forget them would lose them.",
            highlight=False,
        )
