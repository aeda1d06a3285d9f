"""`cashin-async settle`: what became of the unknown, by look-up or by a person's word."""

import json
import logging
import os
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from cashin_async.cli import INTERRUPTED, logs
from cashin_async.cli.candidates import files
from cashin_async.cli.numbers import read_numbers
from cashin_async.cli.options import account, connection, flag, ledger_named, look_up, setting
from cashin_async.cli.process import UNFINISHED, Refused, interruptible, leave, run_to_its_end, write
from cashin_async.errors import ConfigurationError
from cashin_async.events import SETTLEMENT_ENDED
from cashin_async.ledger.base import NumberState
from cashin_async.settings import Settings, key_from_env

if TYPE_CHECKING:
    from cashin_async.ledger.base import Account, Ledger
    from cashin_async.report.settlement import SettlementReport

log = logging.getLogger(__name__)

WAYS = (
    "there is nothing to settle with: give --lookup-path (CASHIN_LOOKUP_PATH), or what you found out yourself"
    " with --accepted FILE|NUMBERS and --release FILE|NUMBERS"
)


@click.command()
@click.argument("ledger", required=False, shell_complete=files)
@account
@look_up
@click.option(
    "--accepted",
    metavar="FILE|NUMBERS",
    multiple=True,
    callback=read_numbers,
    shell_complete=files,
    help="The server has these: never send them. Also numbers that the ledger does not know: so old data is adopted.",
)
@click.option(
    "--release",
    metavar="FILE|NUMBERS",
    multiple=True,
    callback=read_numbers,
    shell_complete=files,
    help="The server does not have these: they may be sent.",
)
@flag("--new-ledger", "new_ledger", "With --accepted: begin a ledger where there is none.")
@setting("--concurrency", "concurrency", int, "Look-ups at once.")
@setting("--timeout", "timeout", float, "Seconds for one look-up.")
@connection
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object, the last line on stdout.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@logs.log_options
def settle(
    ledger: str | None,
    accepted: list["array[int]"],
    release: list["array[int]"],
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Settle what is unknown: by look-up, or by hand. Nothing is sent.

    Without LEDGER it is the account's usual one. A look-up needs the key and the address, as `upload` does, and
    waits --settle-after seconds before it believes that the server does not have an invoice.

    \b
    By hand, with neither key nor address, what you found out elsewhere:
        cashin-async settle LEDGER --accepted 251600001,251600010-251600099 --release not-there.txt
    A FILE has one number a line, or is JSON Lines; - is standard input; ./ before a name of digits.

    \b
    Exit code: 0 nothing is unknown any more; 3 something still is; 2 wrong usage or configuration;
    130 interrupted.
    """
    if accepted or release:
        command = _settle_by_hand(ledger, accepted, release, options)
    else:
        command = _settle_by_look_up(ledger, quiet, options)
    settlement, interrupted = run_to_its_end(command)
    _print(settlement, as_json, quiet)
    leave(INTERRUPTED if interrupted else UNFINISHED if settlement.unknown else 0)


def _print(settlement: "SettlementReport", as_json: bool, quiet: bool) -> None:
    from cashin_async.report.frame import SafeConsole
    from cashin_async.report.settlement import print_settlement

    if as_json:
        write(lambda: click.echo(json.dumps(settlement.as_dict())))
    SETTLEMENT_ENDED.tell(
        log,
        run=settlement.run,
        accepted=len(settlement.accepted),
        adopted=len(settlement.adopted),
        released=len(settlement.released),
        unknown=len(settlement.unknown),
        refused=settlement.refused,
    )
    if not quiet and not (as_json and logs.wanted()):
        console = SafeConsole(stderr=as_json, highlight=False, markup=False)
        write(lambda: print_settlement(settlement, console))


# -- by look-up


async def _settle_by_look_up(
    ledger: str | None, quiet: bool, options: dict[str, Any]
) -> tuple["SettlementReport", bool]:
    from cashin_async.client import CashIn
    from cashin_async.report.progress import progress_view
    from cashin_async.report.settlement import SettlementReport

    settings = _settings_of_a_look_up(options)
    place = _existing(ledger_named(ledger, options))
    async with CashIn(key_from_env(), settings=settings) as cashin:
        run = await cashin.invoices.prepare([], ledger=place, settles=True)
        with progress_view(quiet, logs.wanted()) as view, interruptible(run, view):
            report = await run.run(view.show)
        settlement = SettlementReport(
            report.run,
            place,
            report.settled_accepted,
            report.settled_released,
            unknown=await _unknown(run.ledger),
            refused=run.lookup_refused or report.stopped,
        )
    return settlement, report.interrupted


def _settings_of_a_look_up(options: dict[str, Any]) -> Settings:
    try:
        settings = Settings.load(**options)
    except ConfigurationError as error:
        raise error if options["lookup_path"] else click.UsageError(f"{WAYS}. For a look-up, {error}") from None
    if settings.lookup_path is None:
        raise click.UsageError(WAYS)
    return settings


def _existing(place: str) -> str:
    """A new ledger has nothing to settle, and would hide that the path is wrong."""
    if not os.path.exists(place):
        raise Refused(f"ledger {place} does not exist: check its path (LEDGER), or whose it is (base_url, creditor)")
    return place


async def _unknown(ledger: "Ledger") -> list[int]:
    numbers: list[int] = []
    while page := await ledger.in_state(NumberState.UNKNOWN, numbers[-1] if numbers else 0):
        numbers += page
    return numbers


# -- by hand


async def _settle_by_hand(
    ledger: str | None, accepted: Sequence["array[int]"], release: Sequence["array[int]"], options: dict[str, Any]
) -> tuple["SettlementReport", bool]:
    from cashin_async.bulk.engine import settlement_id
    from cashin_async.cli.word import Word

    _refuse_both(accepted, release)
    place = ledger_named(ledger, options)
    opened = await _opened(place, options)
    try:
        word = Word(opened, settlement_id(), place)
        await word.accept(chain.from_iterable(accepted))
        await word.release(chain.from_iterable(release))
        word.report.unknown = await _unknown(opened)
    finally:
        await opened.close()
    return word.report, False


def _refuse_both(accepted: Sequence["array[int]"], release: Sequence["array[int]"]) -> None:
    released = set(chain.from_iterable(release))
    for number in chain.from_iterable(accepted):
        if number in released:
            raise click.UsageError(f"{number} is both in --accepted and in --release")


async def _opened(place: str, options: dict[str, Any]) -> "Ledger":
    from cashin_async.ledger.sqlite import SqliteLedger

    return await SqliteLedger.open(place, _account_of(place, options), new=bool(options["new_ledger"]))


def _account_of(place: str, options: dict[str, Any]) -> "Account":
    """Whose the file is; a new one is of the account that the settings mean."""
    from cashin_async.ledger.place import account_of
    from cashin_async.ledger.status import read_status

    if options["new_ledger"] and not os.path.exists(place):
        return account_of(Settings.load(**options))
    return read_status(place, 1).account
