"""`cashin-async demo`: everything at once against the built-in simulator."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cashin_async.bulk.outcome import State, UploadReport
from cashin_async.cli.upload import interruptible, leave, run_to_its_end

if TYPE_CHECKING:
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


@click.command()
@click.option(
    "--count", type=click.IntRange(min=1), default=10_000, show_default=True, help="Correct invoices to make."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other invoices and faults.")
@click.option("--quiet", is_flag=True, help="No progress.")
def demo(count: int, seed: int, quiet: bool) -> None:
    """Make invoices, start a server that misbehaves, upload, and look at what came of it.

    Nothing leaves this machine. The exit code is 0 when the demo ran to its end.
    """
    report = run_to_its_end(_demo(count, seed, quiet))
    if report.interrupted:
        leave(report)


async def _demo(count: int, seed: int, quiet: bool) -> UploadReport:
    from cashin_async.client import CashIn
    from cashin_async.report.progress import SafeConsole, progress_view
    from cashin_async.report.summary import print_summary
    from cashin_async.settings import Settings
    from cashin_async.simulator.server import Simulator

    console = SafeConsole()
    refused = FIRST_NUMBER + count // 2
    faults = [*FAULTS, f"poison={refused}", f"fail-object={FIRST_NUMBER + count // 3}"]
    async with Simulator(faults=faults, seed=seed) as simulator:
        console.print(
            f"Uploading {count:,} correct invoices and a few bad ones to a server in this\n"
            "process. About 5 in 100 requests go wrong: it applies them and then hangs, drops\n"
            "the connection or answers 500, or it answers 429 or 503. It refuses two invoices.\n",
            highlight=False,
        )
        settings = Settings(base_url=simulator.url, timeout=2.0)
        async with CashIn("demo-key", settings=settings) as cashin:
            run = await cashin.invoices.prepare(_invoices(count, seed))
            with progress_view(quiet) as view, interruptible(run, view):
                report = await run.run(view.show)
        print_summary(report, console)
        _print_books(report, simulator.store, console)
    return report


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
    accepted = {number for number in store.numbers if store.times(number)}
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
