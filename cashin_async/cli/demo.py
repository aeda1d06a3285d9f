"""`cashin-async demo`: everything at once against the built-in simulator."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from cashin_async.bulk.outcome import State, UploadReport
from cashin_async.cli import INTERRUPTED, candidates, logs
from cashin_async.cli.options import lang
from cashin_async.cli.process import interruptible, leave, run_to_its_end

if TYPE_CHECKING:
    from cashin_async.report.html import HtmlReport
    from cashin_async.report.reported import Reported
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
REPORT = "cashin-async-demo.html"
"""In the current folder, where whoever tries it finds it again."""
SETTLE_AFTER = 2.0  # seconds: nothing that this server was given takes longer

_FIRST = """\
Uploading {:,} correct invoices and a few bad ones to a server in this
process. About 5 in 100 requests go wrong: it applies them and then hangs, or
drops the connection, or answers 500; or it answers 429 or 503 and applies
nothing. It refuses two invoices.
"""
_AGAIN = """
The same upload again: the ledger knows what was accepted, a look-up settles
what is unknown, and only what the server provably does not have is sent.
"""
_REPORT = """
The report of the first upload, before anything was settled: open it in a browser.
Its ledger is gone with this demo: what the page says of `settle` is for yours.
{}"""


@dataclass(frozen=True)
class _Wanted:
    """What to show."""

    count: int
    seed: int
    quiet: bool
    report: str
    lang: str | None


def _check_html(context: click.Context, parameter: click.Parameter, path: str) -> str:
    from cashin_async.report.html import ENDING, ending_of

    if ending_of(path) != ENDING:
        raise click.BadParameter(f"{path!r} does not end in {ENDING}.")
    return path


@click.command()
@click.option(
    "--count", type=click.IntRange(min=1), default=10_000, show_default=True, help="Correct invoices to make."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other invoices and faults.")
@click.option(
    "--report",
    metavar="PATH.html",
    default=REPORT,
    show_default=True,
    callback=_check_html,
    shell_complete=candidates.files,
    help="Write the report of the first upload there.",
)
@lang
@click.option("--quiet", is_flag=True, help="No progress.")
@logs.log_options
def demo(count: int, seed: int, report: str, report_lang: str | None, quiet: bool) -> None:
    """Make invoices, start a server that misbehaves, upload, settle what is unknown, and look at what came of it.

    Nothing leaves this machine. The exit code is 0 when the demo ran to its end.
    """
    ended = run_to_its_end(_demo(_Wanted(count, seed, quiet, report, report_lang)))
    if ended.interrupted:
        leave(INTERRUPTED)


async def _demo(wanted: _Wanted) -> UploadReport:
    from cashin_async.report.frame import SafeConsole
    from cashin_async.report.summary import print_summary
    from cashin_async.settings import Settings
    from cashin_async.simulator.server import Simulator

    console, count = SafeConsole(), wanted.count
    refused = FIRST_NUMBER + count // 2
    faults = [*FAULTS, f"poison={refused}", f"fail-object={FIRST_NUMBER + count // 3}"]
    async with Simulator(faults=faults, seed=wanted.seed) as simulator:
        with TemporaryDirectory() as folder:
            first = Settings(
                base_url=simulator.url, timeout=2.0, ledger=f"{folder}/ledger.db", **_given(report_lang=wanted.lang)
            )
            again = replace(first, lookup_path="/simulator/invoices/{InvoiceNumber}", settle_after=SETTLE_AFTER)
            with closing(_begin_report(wanted, first)) as page:
                for words, settings in ((_FIRST.format(count), first), (_AGAIN, again)):
                    console.print(words, highlight=False)
                    report = await _upload(settings, wanted)
                    print_summary(report, console)
                    if settings is first:
                        page.finish(report)
                    if report.interrupted:
                        break
        _print_books(report, simulator.store, console)
    console.print(page.failure or _REPORT.format(page.place), highlight=False, soft_wrap=True, markup=False)
    return report


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _begin_report(wanted: _Wanted, settings: "Settings") -> "HtmlReport":
    from cashin_async import __version__
    from cashin_async.ledger.place import account_of
    from cashin_async.report.html import HtmlReport
    from cashin_async.report.reported import of_upload

    def describe(report: UploadReport) -> "Reported":
        return of_upload(report, account_of(settings))

    try:
        return HtmlReport(wanted.report, describe, settings.report_lang, __version__)
    except OSError as error:
        raise click.BadParameter(f"{wanted.report}: {error.strerror}", param_hint="--report") from None


async def _upload(settings: "Settings", wanted: _Wanted) -> UploadReport:
    from cashin_async.client import CashIn
    from cashin_async.report.progress import progress_view

    async with CashIn("demo-key", settings=settings) as cashin:
        run = await cashin.invoices.prepare(_invoices(wanted.count, wanted.seed))
        with progress_view(wanted.quiet, logs.wanted()) as view, interruptible(run, view):
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
