"""The command line. Each command is a call of the library."""

import click

from cashin_async.cli.demo import demo
from cashin_async.cli.settle import settle
from cashin_async.cli.simulator import simulator
from cashin_async.cli.status import status
from cashin_async.cli.upload import upload


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cashin-async")
def main() -> None:
    """Push any number of invoices to the Cash-In API: a proven outcome for each, nobody billed twice.

    New here? `cashin-async demo` shows it all against a built-in simulator.
    """


main.add_command(demo)
main.add_command(upload)
main.add_command(status)
main.add_command(settle)
main.add_command(simulator)
