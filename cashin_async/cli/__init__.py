"""The command line. Each command is a call of the library."""

from importlib import import_module

import click

COMMANDS = {
    "demo": (
        "Make invoices, start a server that misbehaves, upload, settle what is unknown, and look at what came of it."
    ),
    "check": "Check invoices by every rule, and send nothing.",
    "upload": "Upload invoices from JSON Lines files; `-` is standard input.",
    "status": "Show a ledger: counts by state and by run, and what is unsettled.",
    "settle": "Settle what is unknown: by look-up, or by hand.",
    "simulator": "Run a server that behaves as the vendor has published, with faults where you want them.",
}
"""The name of each command, which is its module's and its function's, and the first sentence of its help."""


class _Commands(click.Group):
    """Loads a command when it is called, since each brings half of the package along; `--help` loads none."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            self.add_command(getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cashin-async")
def main() -> None:
    """Push any number of invoices to the Cash-In API: a proven outcome for each, nobody billed twice.

    New here? `cashin-async demo` shows it all against a built-in simulator.
    """


for _name in COMMANDS:
    main.add_command(click.Command(_name))  # stands in for it until it is called: click proposes names from these
