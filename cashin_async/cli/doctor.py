"""`cashin-async doctor`: is everything there that an upload needs?"""

import json
from typing import Any

import click

from cashin_async.cli.candidates import files
from cashin_async.cli.options import OWN_DEFAULTS, account, connection
from cashin_async.cli.process import leave, run_to_its_end, write

PROBLEM = 1
"""As `check`: what was looked at has to be mended. 2 is wrong usage of this command itself."""


@click.command()
@click.argument("ledger", required=False, shell_complete=files)
@account
@connection
@click.option("--offline", is_flag=True, help="Ask nobody outside of this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(ledger: str | None, offline: bool, as_json: bool, **options: Any) -> None:
    """Look whether everything is there that an upload needs, and say what to do where it is not.

    Python and packages, inputs, settings and where they come from, the key (whether there is one, never which), the
    way to the API as far as it can be tried without the key, the clock, and the ledger: LEDGER, or the one that the
    settings mean. Nothing is changed.

    \b
    Exit code: 0 no problem, warnings or not; 1 problems; 2 wrong usage.
    """
    from cashin_async.doctor.examination import Asked, diagnose
    from cashin_async.doctor.finding import Mark

    asked = Asked(ledger, offline, options, OWN_DEFAULTS)
    findings = run_to_its_end(diagnose(asked))
    if as_json:
        from cashin_async.report.doctor import diagnosis_as_dict

        write(lambda: click.echo(json.dumps(diagnosis_as_dict(findings))))
    else:
        from cashin_async.report.doctor import print_diagnosis
        from cashin_async.report.frame import SafeConsole

        write(lambda: print_diagnosis(findings, SafeConsole(highlight=False, markup=False)))
    leave(PROBLEM if any(finding.mark is Mark.PROBLEM for finding in findings) else 0)
