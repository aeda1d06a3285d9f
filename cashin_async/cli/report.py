"""`cashin-async report`: the report of any past run, from its ledger."""

import os
from typing import TYPE_CHECKING, Any

import click

from cashin_async.cli import candidates
from cashin_async.cli.options import account, check_ending, lang, ledger_named
from cashin_async.cli.process import Refused, in_its_words, write
from cashin_async.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cashin_async.ledger.recorded import RecordedRun
    from cashin_async.report.words import Lang


_VARIABLES = ("CASHIN_CONFIG", "CASHIN_REPORT_LANG")
_NOWHERE = "https://localhost"  # nothing is sent, but settings have an address


@click.command()
@click.argument("ledger", required=False, shell_complete=candidates.files)
@click.option(
    "-o",
    "--output",
    metavar="PATH.html|.json|.csv",
    required=True,
    callback=check_ending,
    shell_complete=candidates.files,
    help="Where to write it; the ending says in what form.",
)
@click.option("--run", metavar="ID", help="Which run; `cashin-async status` lists them. Unset: the newest upload.")
@lang
@account
def report(ledger: str | None, output: str, run: str | None, report_lang: str | None, **options: Any) -> None:
    """Write the report of a past run, from what its ledger has on record: a page for people, or JSON or CSV.

    Without LEDGER it is the account's usual one. No key is needed. An upload may run meanwhile, and the run may be one
    that was killed.

    \b
    .html: one page for people, with what needs a person, charts and a table; .json and .csv: every number of the
    run with its outcome as it is on record now. The ledger knows no file and no line, and nothing of what has no
    number or breaks a rule: `upload --report` tells these too.

    \b
    Exit code: 0; 2 when there is no such ledger or run, or the report cannot be written.
    """
    with in_its_words():
        from cashin_async.ledger.recorded import read_run
        from cashin_async.report.html import write_pieces
        from cashin_async.report.part import PartFile

        place = ledger_named(ledger, options)
        if os.path.realpath(output) == os.path.realpath(place):
            raise click.BadParameter(f"{output}: Is the ledger.", param_hint="--output")
        record = read_run(place, run)
        pieces = _pieces(record, output, chosen_lang(report_lang))
        try:
            file = PartFile(output)
        except OSError as error:
            raise click.BadParameter(f"{output}: {error.strerror}", param_hint="--output") from None
        write_pieces(file, pieces)
        if file.explained_failure is not None:
            raise Refused(file.explained_failure)
        write(lambda: click.echo(f"The report of run {record.status.run} is in {file.place}"))


def chosen_lang(given: str | None) -> "Lang":
    """The language that the option names, else the variable, the file of settings or the default."""
    env = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return Settings.load(env, base_url=_NOWHERE, report_lang=given).report_lang


def _pieces(record: "RecordedRun", output: str, lang: "Lang") -> "Iterator[bytes]":
    from cashin_async import __version__
    from cashin_async.report.html import ENDING, ending_of
    from cashin_async.report.outcomes import in_form
    from cashin_async.report.page import page
    from cashin_async.report.reported import of_record, rows_on_record, summary_of

    ending, reported = ending_of(output) or "", of_record(record)
    if ending == ENDING:
        return page(reported, lang, __version__)
    return in_form(ending, rows_on_record(record), summary_of(reported, record))
