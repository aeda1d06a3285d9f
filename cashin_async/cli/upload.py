"""`cashin-async upload`: files of invoices in, an outcome for every one."""

import json
import logging
import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cashin_async.bulk.outcome import Settled, UploadReport
from cashin_async.cli import candidates, logs
from cashin_async.cli.inputs import input_files
from cashin_async.cli.options import (
    OWN_DEFAULTS,
    account,
    check_ending,
    connection,
    flag,
    lang,
    ledger_of,
    look_up,
    rule_severities,
    setting,
    with_severities,
)
from cashin_async.cli.process import UNFINISHED, interruptible, leave, run_to_its_end, write
from cashin_async.events import FILE_FAILED
from cashin_async.settings import Settings, key_from_env

if TYPE_CHECKING:
    from rich.console import Console

    from cashin_async.bulk.engine import Run
    from cashin_async.report.failed import FailedInvoices
    from cashin_async.report.html import HtmlReport
    from cashin_async.report.outcomes import OutcomeReport

    Record = FailedInvoices | HtmlReport | OutcomeReport

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What to upload, and what to make of it."""

    files: tuple[str, ...]
    limit: int | None
    failed: str | None
    report: str | None
    as_json: bool
    quiet: bool


@click.command()
@input_files
@account
@setting(
    "--ledger",
    "ledger",
    str,
    "Its file, or none: nothing is remembered. Unset: the account's usual place.",
    shell_complete=candidates.files,
)
@flag("--new-ledger", "new_ledger", "In production, begin a ledger where there is none.")
@look_up
@flag("--retry-503", "retry_503", "Take 503 as 'not applied', as the vendor says, and send again.")
@flag("--retry-rejected", "retry_rejected", "Send unchanged what was rejected or invalid before.")
@setting("--chunk-size", "chunk_size", int, "Invoices a request.")
@setting("--chunk-bytes", "chunk_bytes", int, "Bytes a request's body may have.")
@setting("--compress", "compress", click.Choice(["gzip"]), "Send bodies compressed, where the server takes it.")
@setting("--concurrency", "concurrency", int, "Requests in flight at most.")
@setting("--rate", "rate", float, "Requests a second, fixed; unset: what the server bears.")
@setting("--invoice-rate", "invoice_rate", float, "Invoices a second, fixed.")
@setting("--timeout", "timeout", float, "Seconds for one whole exchange.")
@setting("--deadline", "deadline", float, "Seconds for the run; what is not sent by then is unsent.")
@click.option("--limit", type=click.IntRange(min=1), help="Send at most so many invoices.")
@setting("--rules", "rules", click.Choice(["off", "warn", "enforce"]), "What becomes of invoices that break a rule.")
@rule_severities
@flag("--allow-unknown-fields", "allow_unknown_fields", "Send unpublished fields as they are.")
@connection
@click.option(
    "--report",
    metavar="PATH.html|.json|.csv",
    callback=check_ending,
    shell_complete=candidates.files,
    help="Write there: .html a page for people, .json and .csv an outcome for each invoice.",
)
@lang
@click.option(
    "--failed",
    metavar="PATH.jsonl",
    shell_complete=candidates.files,
    help="Write what is not accepted there, as JSON Lines, to be mended and uploaded. May be an input that is such.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object, the last line on stdout.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@logs.log_options
def upload(
    files: tuple[str, ...],
    limit: int | None,
    failed: str | None,
    report: str | None,
    as_json: bool,
    quiet: bool,
    severities: str,
    **options: Any,
) -> None:
    """Upload invoices from files in any form that is read; `-` is standard input.

    Each FILE is JSON Lines, a JSON array, CSV or Parquet, packed with gzip or zstd or not; a pattern such as
    'in/*.csv' is all its files, sorted by name.

    The same command again sends only what is proven not accepted: the ledger remembers.

    The key comes from CASHIN_API_KEY, or from the file that CASHIN_API_KEY_FILE names. Every setting can also be
    an environment variable: CASHIN_ and its name in capitals.

    \b
    Exit code: 0 all accepted or duplicates; 1 some rejected or invalid; 3 some unknown or unsent, or an input
    not read to its end; 2 wrong usage or configuration; 130 interrupted.
    """
    wanted = Wanted(files, limit, failed, report, as_json, quiet)
    nothing = UploadReport("").as_dict() | {"run": None}
    leave(run_to_its_end(_upload(wanted, severities, options), lambda: _print_counts(wanted, nothing)))


def _print_counts(wanted: Wanted, counts: dict[str, Any]) -> None:
    if wanted.as_json:
        write(lambda: click.echo(json.dumps(counts)))


async def _upload(wanted: Wanted, severities: str, options: dict[str, Any]) -> int:
    from cashin_async.client import CashIn
    from cashin_async.report.frame import SafeConsole, printable
    from cashin_async.report.progress import progress_view
    from cashin_async.sources.files import Files

    settings = with_severities(Settings.load(defaults=OWN_DEFAULTS, **options), severities)
    async with CashIn(key_from_env(), settings=settings) as cashin:
        source = Files(cashin.settings, *wanted.files)
        run = await cashin.invoices.prepare(source, ledger=ledger_of(cashin.settings), limit=wanted.limit)
        with ExitStack() as stack:
            records = _open_records(wanted, run, settings, stack)
            with progress_view(wanted.quiet, logs.wanted()) as view, interruptible(run, view):
                if run.report.ledger is not None and not wanted.quiet:
                    with suppress(OSError):
                        view.say(printable(f"Ledger: {run.report.ledger}"))
                report = await run.run(view.show)
            for record in records:
                record.finish(report)
    _print_counts(wanted, report.as_dict())
    if not wanted.quiet and not (wanted.as_json and logs.wanted()):
        console = SafeConsole(stderr=wanted.as_json, highlight=False, markup=False)
        write(lambda: _summarise(report, source.empty_files, records, console))
    return _exit_code(report, records)


# -- the files that are written beside


def _open_records(wanted: Wanted, run: "Run", settings: Settings, stack: ExitStack) -> list["Record"]:
    """The files to write while the upload runs; opened before anything is sent."""
    from cashin_async.report.failed import FailedInvoices

    records: list[Record] = []

    def begin(path: str | None, option: str, open_record: Callable[[str], "Record"]) -> None:
        if path is not None:
            _refuse_shared_path(path, option, wanted, run.report.ledger)
            try:
                records.append(open_record(path))
            except OSError as error:
                raise click.BadParameter(f"{path}: {error.strerror}", param_hint=option) from None
            stack.callback(records[-1].close)

    begin(wanted.failed, "--failed", lambda path: FailedInvoices(path, wanted.files))
    begin(wanted.report, "--report", lambda path: _open_report(path, run, settings, wanted.files))

    async def tell(settled: Settled) -> None:
        for record in records:
            record.add(settled)

    if records:
        run.tell = tell
    return records


def _open_report(path: str, run: "Run", settings: Settings, files: Sequence[str]) -> "HtmlReport | OutcomeReport":
    from cashin_async import __version__
    from cashin_async.ledger.place import account_of
    from cashin_async.report.html import ENDING, HtmlReport, ending_of
    from cashin_async.report.outcomes import OutcomeReport
    from cashin_async.report.reported import of_upload

    if ending_of(path) != ENDING:
        return OutcomeReport(path, run.source.locate, files)
    return HtmlReport(
        path, lambda report: of_upload(report, account_of(settings)), settings.report_lang, __version__, files
    )


def _refuse_shared_path(path: str, option: str, wanted: Wanted, ledger: str | None) -> None:
    """Each file would replace the other one."""
    other = wanted.report if option == "--failed" else wanted.failed
    for name, taken in (("the ledger", ledger), ("--report" if option == "--failed" else "--failed", other)):
        if taken is not None and os.path.realpath(path) == os.path.realpath(taken):
            raise click.BadParameter(f"{path}: Is {name}.", param_hint=option)


def _exit_code(report: UploadReport, records: Sequence["Record"]) -> int:
    failed = [record for record in records if record.failure is not None]
    for record in failed:
        FILE_FAILED.tell(log, option=record.option, reason=record.failure)
    if not failed:
        return report.exit_code
    if not logs.wanted():
        lines = [f"Error: {record.option} {record.failure}" for record in failed]
        write(lambda: click.echo("\n".join(lines), err=True))
    return max(report.exit_code, UNFINISHED)


# -- what is said at the end


def _summarise(report: UploadReport, empty_files: list[str], records: Sequence["Record"], console: "Console") -> None:
    from cashin_async.report.frame import printable
    from cashin_async.report.summary import print_summary

    for file in empty_files:
        console.print(printable(f"{file}: is empty, there is no invoice in it"), style="yellow", soft_wrap=True)
    print_summary(report, console)
    for note in [note for record in records for note in record.notes()]:
        console.print(printable(note), soft_wrap=True)
    if report.ledger is None:
        console.print("Without a ledger nothing is remembered: uploading the same again bills again.", style="dim")
    elif report.unknown:
        command = f"cashin-async settle {shlex.quote(report.ledger)}"
        console.print(printable(f"What is unknown is never sent again until it is settled: {command}"), soft_wrap=True)
