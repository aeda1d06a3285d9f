"""The command line. Each command is a call of the library."""

import os
import signal
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "demo": (
        "Make invoices, start a server that misbehaves, upload, settle what is unknown, and look at what came of it."
    ),
    "doctor": "Look whether everything is there that an upload needs, and say what to do where it is not.",
    "check": "Check invoices by every rule, and send nothing.",
    "upload": "Upload invoices from files in any form that is read; `-` is standard input.",
    "status": "Show a ledger: counts by state and by run, and what is unsettled.",
    "settle": "Settle what is unknown: by look-up, or by hand.",
    "report": "Write the report of a past run, from what its ledger has on record: a page for people, or JSON or CSV.",
    "simulator": "Run a server that behaves as the vendor has published, with faults where you want them.",
    "completion": "Print the script that makes a shell complete this command line.",
}
"""The name of each command, which is its module's and its function's, and the first sentence of its help."""

LOG_JSON = "--log-json"
"""The option of several commands by which nothing but lines of JSON goes to stderr."""

FIRST_STEPS = """\
cashin-async pushes invoices to the Cash-In API: a proven outcome for each, and
nobody is billed twice. In this order:

  cashin-async demo           see it all; nothing leaves this machine
  cashin-async doctor         is everything there that an upload needs?
  cashin-async check FILE     what is wrong with your invoices; nothing is sent
  cashin-async upload FILE    send them; the same again sends nothing twice

All commands: cashin-async --help. All of one: cashin-async upload --help.
"""


INTERRUPTED = 130


def ending_signals() -> list[signal.Signals]:
    """Those that end a command: SIGINT, SIGTERM, and SIGHUP where there is one, unless it is ignored, as by `nohup`."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


def _leave_at_once(_: int, __: FrameType | None) -> None:
    os._exit(INTERRUPTED)  # an exception may be lost in an import


class _Commands(click.Group):
    """Loads a command when it is called, since each brings half of the package along; `--help` loads none."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            self.add_command(getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # noted before anything is judged: it holds for an error in the other arguments too
        ctx.meta[LOG_JSON] = LOG_JSON in (args[: args.index("--")] if "--" in args else args)
        return super().parse_args(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        before = {number: signal.signal(number, _leave_at_once) for number in ending_signals()}
        try:
            return super().main(*args, **kwargs)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        resolved = super().resolve_command(ctx, args)
        for number in ending_signals():  # now it is loaded
            signal.signal(number, signal.default_int_handler)
        return resolved

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._invoke(ctx)
        except KeyboardInterrupt:
            from cashin_async.cli.process import before_it_began

            before_it_began()

    def _invoke(self, ctx: click.Context) -> Any:
        if not ctx.meta[LOG_JSON]:
            return self._run(ctx)
        from cashin_async.cli.logs import errors_as_events

        with errors_as_events(ctx):
            return self._run(ctx)

    def _run(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            from cashin_async.cli.options import naming_its_setting

            raise naming_its_setting(error) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="cashin-async")
@click.pass_context
def main(context: click.Context) -> None:
    """Push any number of invoices to the Cash-In API: a proven outcome for each, nobody billed twice.

    New here? `cashin-async demo` shows it all against a built-in simulator.
    """
    if context.invoked_subcommand is None:
        click.echo(FIRST_STEPS, err=True, nl=False)
        context.exit(2)  # wrong usage: `cashin-async $COMMAND` with an empty variable has done nothing


for _name in COMMANDS:
    main.add_command(click.Command(_name))  # stands in for it until it is called: click proposes names from these

if "_CASHIN_ASYNC_COMPLETE" in os.environ:  # a shell asks
    import_module(f"{__name__}.shells")
