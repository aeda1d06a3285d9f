"""`cashin-async status`: what a ledger holds, also while an upload writes it."""

import json
from typing import Any

import click

from cashin_async.cli.candidates import files
from cashin_async.cli.options import account, ledger_named
from cashin_async.cli.process import in_its_words, write


@click.command()
@click.argument("ledger", required=False, shell_complete=files)
@account
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all runs.")
def status(ledger: str | None, as_json: bool, **options: Any) -> None:
    """Show a ledger: counts by state and by run, and what is unsettled.

    Without LEDGER it is the account's usual one. No key is needed. An upload may run meanwhile.

    \b
    Exit code: 0; 2 when there is no such ledger, or it cannot be read.
    """
    with in_its_words():
        from cashin_async.ledger.status import read_status
        from cashin_async.report.frame import SafeConsole
        from cashin_async.report.status import SHOWN_RUNS, print_status

        found = read_status(ledger_named(ledger, options), None if as_json else SHOWN_RUNS + 1)
        if as_json:
            write(lambda: click.echo(json.dumps(found.as_dict())))
        else:
            write(lambda: print_status(found, SafeConsole(highlight=False, markup=False)))
