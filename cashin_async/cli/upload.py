"""`cashin-async upload`: JSON Lines in, an outcome for every invoice."""

import asyncio
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cashin_async.bulk.outcome import UploadReport
from cashin_async.errors import ConfigurationError
from cashin_async.settings import Environment, Settings

if TYPE_CHECKING:
    from rich.console import Console

    from cashin_async.bulk.engine import Run
    from cashin_async.report.progress import ProgressView

_DEFAULTS = {item.name: item.default for item in fields(Settings)}


def setting(option: str, name: str, kind: Any, text: str) -> Callable[[Any], Any]:
    """An option that is a setting: unset, the environment variable or the default of `Settings` holds."""
    default = _DEFAULTS[name]
    shown = "" if default in (None, "") else f"  [default: {default}]"
    return click.option(option, name, type=kind, default=None, help=text + shown)


def flag(option: str, name: str, text: str) -> Callable[[Any], Any]:
    """The same for a setting that is switched on."""
    return click.option(option, name, is_flag=True, default=None, help=text)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@setting("--base-url", "base_url", str, "Where the API is (CASHIN_BASE_URL). http:// for loopback only.")
@setting("--environment", "environment", click.Choice([str(name) for name in Environment]), "Instead of --base-url.")
@click.option(
    "--ledger",
    type=click.Choice(["none"]),
    default="none",
    show_default=True,
    help="none: nothing is remembered after the run.",
)
@flag("--retry-503", "retry_503", "Take 503 as 'not applied', as the vendor says, and send again.")
@setting("--chunk-size", "chunk_size", int, "Invoices a request.")
@setting("--chunk-bytes", "chunk_bytes", int, "Bytes a request's body may have.")
@setting("--concurrency", "concurrency", int, "Requests in flight at most.")
@setting("--rate", "rate", float, "Requests a second, fixed; unset: what the server bears.")
@setting("--invoice-rate", "invoice_rate", float, "Invoices a second, fixed.")
@setting("--timeout", "timeout", float, "Seconds for one whole exchange.")
@setting("--deadline", "deadline", float, "Seconds for the run; what is not sent by then is unsent.")
@click.option("--limit", type=click.IntRange(min=1), help="Send at most so many invoices.")
@flag("--allow-unknown-fields", "allow_unknown_fields", "Send unpublished fields as they are.")
@setting("--proxy", "proxy", str, "An http:// or https:// proxy; unset: HTTPS_PROXY.")
@setting("--ca-file", "ca_file", click.Path(), "PEM file of the certificate authorities to trust.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object, the last line on stdout.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
def upload(files: tuple[str, ...], ledger: str, limit: int | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Upload invoices from JSON Lines files; `-` is standard input.

    The key comes from CASHIN_API_KEY, or from the file that CASHIN_API_KEY_FILE names. Every setting can also be
    an environment variable: CASHIN_ and its name in capitals.

    \b
    Exit code: 0 all accepted or duplicates; 1 some rejected or invalid; 3 some unknown or unsent, or an input
    not read to its end; 2 wrong usage or configuration; 130 interrupted.
    """
    leave(run_to_its_end(_upload(files, limit, as_json, quiet, options)))


async def _upload(
    files: tuple[str, ...], limit: int | None, as_json: bool, quiet: bool, options: dict[str, Any]
) -> UploadReport:
    from cashin_async.client import CashIn, json_lines
    from cashin_async.report.progress import SafeConsole, progress_view

    async with CashIn.from_env(**options) as cashin:
        source = json_lines(cashin.settings, *files)
        run = await cashin.invoices.prepare(source, limit=limit)
        with progress_view(quiet) as view, interruptible(run, view):
            report = await run.run(view.show)
    if as_json:
        _write(lambda: click.echo(json.dumps(report.as_dict())))
    if not quiet:
        console = SafeConsole(stderr=as_json, highlight=False, markup=False)
        _write(lambda: _summarise(report, source.empty_files, console))
    return report


def _summarise(report: UploadReport, empty_files: list[str], console: "Console") -> None:
    from cashin_async.report.summary import print_summary, printable

    for file in empty_files:
        console.print(printable(f"{file}: is empty, there is no invoice in it"), style="yellow", soft_wrap=True)
    print_summary(report, console)
    console.print("Without a ledger nothing is remembered: uploading the same again bills again.", style="dim")


def _write(write: Callable[[], None]) -> None:
    """Write a result. When nobody reads it, or the disk is full, the exit code still tells how the upload went."""
    with suppress(OSError):
        write()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: closed by the shell
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # what is left in the buffer must not fail once more at the exit
                os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def interruptible(run: "Run", view: "ProgressView") -> Iterator[None]:
    """The first SIGINT or SIGTERM interrupts in order, a second one ends the process as it stands."""
    loop = asyncio.get_running_loop()
    caught = 0

    def on_signal(number: signal.Signals) -> None:
        nonlocal caught
        caught += 1
        if caught > 1:
            view.__exit__(None, None, None)  # gives the terminal its cursor back
            os._exit(130)
        run.interrupt(f"interrupted by {number.name}")  # first: saying so may fail
        with suppress(OSError):
            view.say("Interrupted: waiting for what is in flight. Once more to leave at once.")

    with suppress(NotImplementedError):  # an event loop without signals, as on Windows: KeyboardInterrupt cancels
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def run_to_its_end(upload: Coroutine[Any, Any, UploadReport]) -> UploadReport:
    """The upload's report; configuration errors in the words of the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show must not cost the report
            stream.reconfigure(errors="backslashreplace")
    try:
        return asyncio.run(upload)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted before the upload began: nothing was sent.", err=True)
        end_process(130)


def leave(report: UploadReport) -> NoReturn:
    """Ends the process with the report's exit code."""
    end_process(report.exit_code)


def end_process(code: int) -> NoReturn:
    """Ends the process, also when a thread still waits for an input that never comes."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(0.2)
    if any(thread.is_alive() for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
