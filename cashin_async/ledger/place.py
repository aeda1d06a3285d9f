"""Which ledger a client works with: the account and the place that its settings mean."""

import os
from pathlib import Path

from cashin_async.errors import ConfigurationError
from cashin_async.ledger.account import default_place
from cashin_async.ledger.base import Account, Ledger
from cashin_async.ledger.memory import MemoryLedger
from cashin_async.settings import BASE_URLS, Environment, Settings

NONE = "none"
"""In place of a file: remember for the client's lifetime only."""


def account_of(settings: Settings) -> Account:
    """Whose numbers these settings are about."""
    in_production = settings.base_url == BASE_URLS[Environment.PRODUCTION]
    environment = str(Environment.PRODUCTION) if in_production else settings.base_url
    return Account(environment, settings.creditor)


def place_of(settings: Settings, ledger: str | os.PathLike[str] | None) -> str:
    """The absolute path of a ledger, or `none`; `ledger` wins over the setting."""
    name = os.fspath(ledger) if ledger is not None else settings.ledger
    return NONE if name is None else place_named(name)


def place_named(name: str) -> str:
    """The absolute path that somebody means by `name`, or `none`.

    Raises `ConfigurationError` for an address, which may hold a password and is not repeated, and for a `~` that nobody
    can resolve.
    """
    if name == NONE:
        return NONE
    if "://" in name:
        raise ConfigurationError("the ledger must be a file's path, or none")
    return absolute(name)


def absolute(name: str) -> str:
    """A ledger's path in full. Raises `ConfigurationError` for a `~` that nobody can resolve."""
    try:
        return str(Path(name).expanduser().absolute())
    except RuntimeError:
        raise ConfigurationError(
            "ledger begins with ~, but there is no such home folder (HOME): give its whole path "
            "(--ledger, environment variable CASHIN_LEDGER)"
        ) from None


def usual_place(settings: Settings) -> str:
    """Where the command line keeps the ledger of an account when it is not told."""
    return str(default_place(account_of(settings)))


async def open_ledger(settings: Settings, place: str) -> Ledger:
    """Open the ledger at `place` for writing; begin it where there is none.

    Raises `LedgerError`: it cannot be read or written, is in use, is another account's, or, in production, is not
    there and `new_ledger` is not set.
    """
    if place == NONE:
        return MemoryLedger()
    from cashin_async.ledger.sqlite import SqliteLedger

    account = account_of(settings)
    new = settings.new_ledger or account.environment != Environment.PRODUCTION
    return await SqliteLedger.open(place, account, new=new)
