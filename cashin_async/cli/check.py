"""`cashin-async check`: every rule on every invoice, and nothing is sent."""

import asyncio
import difflib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import anyio
import click

from cashin_async.cli import INTERRUPTED, candidates, ending_signals, logs
from cashin_async.cli.inputs import input_files
from cashin_async.cli.options import flag, rule_severities, with_severities
from cashin_async.cli.process import in_its_words, leave, run_to_its_end, write
from cashin_async.settings import Settings

if TYPE_CHECKING:
    from cashin_async.models.digest import Digest
    from cashin_async.report.problems import CheckView
    from cashin_async.rules import Problem, RuleSet
    from cashin_async.sources.files import Files
    from cashin_async.sources.source import Batch

_VARIABLES = (
    "CASHIN_CONFIG",
    "CASHIN_CHUNK_BYTES",
    "CASHIN_ALLOW_UNKNOWN_FIELDS",
    "CASHIN_INPUT_FORMAT",
    "CASHIN_MAX_UNPACK",
    "CASHIN_CSV_DELIMITER",
    "CASHIN_CSV_DECIMAL",
    "CASHIN_CSV_ENCODING",
    "CASHIN_DIGEST_WITHOUT",
    "CASHIN_RULE_SEVERITIES",
    "CASHIN_CREDITOR_IBAN",
)
"""What a check goes by; the others may be wrong or missing."""
_NOWHERE = "https://localhost"  # nothing is sent, but settings have an address


def _explain(context: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is None:
        return
    from cashin_async.report.frame import SafeConsole
    from cashin_async.report.problems import EXPLAINED, print_rule

    if code not in EXPLAINED:
        close = difflib.get_close_matches(code, EXPLAINED, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(EXPLAINED)}."
        raise click.BadParameter(f"there is no rule {code!r}: {hint}")
    with in_its_words():
        write(lambda: print_rule(EXPLAINED[code], SafeConsole(highlight=False, markup=False)))
    context.exit()


@click.command()
@input_files
@rule_severities
@flag("--allow-unknown-fields", "allow_unknown_fields", "Let fields pass that are not published.")
@click.option(
    "--explain",
    metavar="RULE",
    shell_complete=candidates.rules,
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Tell what a rule is, its source, a right and a wrong example, and check nothing.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print each problem as a JSON object, and the counts as the last."
)
@click.option("--quiet", is_flag=True, help="No progress and no table.")
@logs.log_options
def check(files: tuple[str, ...], severities: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Check invoices by every rule, and send nothing.

    Each FILE is JSON Lines, a JSON array, CSV or Parquet, packed with gzip or zstd or not; a pattern such as
    'in/*.csv' is all its files; `-` is standard input. Neither key nor address is needed.

    \b
    Exit code: 0 no errors, warnings or not; 1 errors; 2 wrong usage, or an input that cannot be read to its end;
    130 interrupted.
    """
    leave(run_to_its_end(_check(Wanted(files, as_json, quiet), severities, options)))


@dataclass(frozen=True)
class Wanted:
    """What to check, and how to tell it."""

    files: tuple[str, ...]
    as_json: bool
    quiet: bool


async def _check(wanted: Wanted, severities: str, options: dict[str, Any]) -> int:
    from cashin_async.bulk.engine import digest_of
    from cashin_async.client import rule_set_of
    from cashin_async.report.problems import CheckView
    from cashin_async.rules import RuleSet
    from cashin_async.sources.files import Files

    settings = _settings(severities, options)
    rules = rule_set_of(settings, RuleSet())
    checking = _Checking(Files(settings, *wanted.files), rules, digest_of(settings), wanted.as_json)
    one_screen = wanted.as_json and sys.stdout is not None and sys.stdout.isatty()  # a view would cut through the lines
    view = CheckView(wanted.quiet or one_screen, logs.wanted())
    with _interruptible(checking.stop, view.close):
        with view:
            await checking.run(view)
        _tell(checking, wanted)
    return INTERRUPTED if checking.interrupted else checking.tally.exit_code


def _settings(severities: str, options: dict[str, Any]) -> Settings:
    env = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return with_severities(Settings.load(env, base_url=_NOWHERE, **options), severities)


class _Checking:
    """The way of all that is read through the rules, in the order of the input."""

    def __init__(self, source: "Files", rules: "RuleSet", digest: "Digest", as_json: bool) -> None:
        from cashin_async.ledger.numbers import NumberIndex
        from cashin_async.report.problems import Tally

        self.source = source
        self.tally = Tally()
        self.seconds = 0.0
        self._rules = rules
        self._digest = digest
        self._numbers = NumberIndex()
        self._as_json = as_json
        self._to_print: list[Problem] = []
        self._reading = anyio.CancelScope()

    def stop(self) -> None:
        """Read no further."""
        self._reading.cancel()

    @property
    def interrupted(self) -> bool:
        return self._reading.cancelled_caught

    async def run(self, view: "CheckView") -> None:
        """Read and judge all there is, showing how far it is."""
        started = time.monotonic()
        with self._reading:
            async with aclosing(self.source.batches()) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self._note_unreadable()
                    self._judge(batch)
                    self._print()
                    self.seconds = time.monotonic() - started
                    if view.due:
                        view.show(self.tally, self.seconds, self.source.share_read())
                    await anyio.lowlevel.checkpoint()
        self._note_unreadable()
        self._print()
        self.seconds = time.monotonic() - started

    def _judge(self, batch: "Batch") -> None:
        self.tally.read += len(batch)
        inspect, broken, taken = self._rules.inspect, batch.problems, self._taken(batch)
        for place, encoded in enumerate(batch.encoded):
            problems = self._explained(encoded, broken[place]) if place in broken else inspect(encoded)
            if place in taken:
                problems = [*problems, taken[place]]
            if problems:
                self._found(batch.refs[place], problems)

    def _taken(self, batch: "Batch") -> dict[int, "Problem"]:
        """By place, those whose number stands before with other content: an upload would reject them."""
        from cashin_async.ledger.numbers import Claim
        from cashin_async.report.problems import conflict

        good = [(place, number) for place, number in enumerate(batch.numbers) if number is not None]
        digests = self._digest([batch.encoded[place] for place, _ in good])
        claim, other = self._numbers.claim, Claim.OTHER
        return {
            place: conflict(number)
            for (place, number), digest in zip(good, digests, strict=True)
            if claim(number, digest) is other
        }

    def _explained(self, encoded: bytes, reason: str) -> list["Problem"]:
        """What is wrong with a line that is no invoice: an error, whatever is switched off, since none can be sent."""
        from cashin_async.report.problems import no_invoice
        from cashin_async.rules import Severity

        problems = self._rules.explain(encoded) if encoded else []
        if all(problem.severity is not Severity.ERROR for problem in problems):
            problems.append(no_invoice(reason))
        return problems

    def _found(self, ref: Any, problems: list["Problem"]) -> None:
        from cashin_async.report.problems import located

        here = located(problems, self.source.locate(ref))
        self.tally.add(here)
        self._to_print += here

    def _note_unreadable(self) -> None:
        from cashin_async.report.problems import unreadable

        for problem in map(unreadable, self.source.problems[self.tally.unreadable :]):
            self.tally.add_unreadable(problem)
            self._to_print.append(problem)

    def _print(self) -> None:
        """What was found since the last time."""
        from cashin_async.report.problems import json_line

        if self._as_json and self._to_print:
            text = "\n".join(map(json_line, self._to_print))
            write(lambda: click.echo(text))
        self._to_print.clear()


def _tell(checking: _Checking, wanted: Wanted) -> None:
    from cashin_async.report.frame import SafeConsole, printable
    from cashin_async.report.problems import log_check_end, print_problems

    def summarise() -> None:
        for file in checking.source.empty_files:
            console.print(printable(f"{file}: is empty, there is no invoice in it"), style="yellow", soft_wrap=True)
        print_problems(checking.tally, console, checking.seconds, checking.interrupted)

    if wanted.as_json:
        write(lambda: click.echo(json.dumps(checking.tally.as_dict())))
    log_check_end(checking.tally, checking.seconds, checking.interrupted)
    if not wanted.quiet and not (wanted.as_json and logs.wanted()):
        console = SafeConsole(stderr=wanted.as_json, highlight=False, markup=False)
        write(summarise)


@contextmanager
def _interruptible(stop: Callable[[], None], close: Callable[[], None]) -> Iterator[None]:
    """The first signal ends the reading; a second one the process, also while nobody takes its output."""
    loop, caught = asyncio.get_running_loop(), 0

    def on_signal(_: int, __: FrameType | None) -> None:
        nonlocal caught
        caught += 1
        if caught > 1:
            close()  # gives the terminal its cursor back
            os._exit(INTERRUPTED)
        loop.call_soon_threadsafe(stop)

    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        with suppress(NotImplementedError):  # as on Windows, whose event loop wakes up by itself
            loop.add_signal_handler(number, stop)  # wakes it up: a signal just before it falls asleep would be missed
        signal.signal(number, on_signal)  # a write that nobody takes blocks the event loop
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)
