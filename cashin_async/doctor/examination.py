"""All checks in their order."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from cashin_async.doctor import configuration, installation, network, record
from cashin_async.doctor.finding import Finding, failed, found_by
from cashin_async.errors import ConfigurationError, LedgerError
from cashin_async.ledger.account import default_path
from cashin_async.ledger.health import examine
from cashin_async.ledger.place import NONE, account_of, place_named, place_of
from cashin_async.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What a diagnosis is about."""

    ledger: str | None = None
    """Unset: the one that the settings mean."""
    offline: bool = False
    """Ask nobody outside of this machine."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Settings that were given by hand; None is not given."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of the program, where they are others than those of `Settings`."""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)


async def diagnose(asked: Asked) -> list[Finding]:
    """Everything that is found out. Raises nothing: a check that fails is a finding."""
    found = configuration.configuration(asked.env, asked.arguments, asked.defaults)
    settings = _settings(found)
    findings = [
        *found_by(installation.INSTALLATION, installation.python),
        *found_by(installation.INSTALLATION, installation.package),
        *found_by(installation.INSTALLATION, installation.dependencies),
        *found_by(installation.INPUTS, installation.inputs),
        *found_by(configuration.SETTINGS, partial(configuration.settings_set, found)),
        *found_by(configuration.SETTINGS, partial(configuration.together, found)),
        *found_by(configuration.SETTINGS, partial(configuration.misspelt, asked.env)),
        *found_by(configuration.KEY, partial(configuration.key, asked.env)),
    ]
    findings += await _network(settings, asked.offline)
    of_the_account = None if found.is_wrong("ledger", "creditor") else settings
    findings += found_by(record.LEDGER, partial(_ledger, asked.ledger, of_the_account))
    return findings


def _settings(found: configuration.Configuration) -> Settings | None:
    try:
        return found.settings()
    except ConfigurationError:
        return None


async def _network(settings: Settings | None, offline: bool) -> Iterable[Finding]:
    area = network.ADDRESS
    if settings is None:
        return [area.warning("not looked at before the settings are right", "mend the settings")]
    try:
        from cashin_async.transport.pool import proxy_of, tls_of  # loads aiohttp
        from cashin_async.transport.probe import probe, without_login

        if offline:
            tls_of(settings)
            proxy = proxy_of(settings)
            through = f", through the proxy {without_login(proxy)}" if proxy else ""
            return [area.ok(f"{settings.base_url}{through}: not tried (--offline)")]
        found = await probe(settings)
    except ConfigurationError as error:
        return [area.problem(str(error), "mend the setting")]
    except Exception as error:
        return [failed(area, error)]
    return [
        *found_by(area, partial(network.way, found, datetime.now(UTC))),
        *found_by(network.CLOCK, partial(network.clock, found)),
    ]


def _ledger(named: str | None, settings: Settings | None) -> Iterator[Finding]:
    area = record.LEDGER
    try:
        place = place_named(named) if named is not None else _usual(settings)
    except (ConfigurationError, LedgerError) as error:
        yield area.problem(str(error), "mend LEDGER or the setting ledger (CASHIN_LEDGER)")
        return
    if place is None:
        yield area.warning(
            "not looked at: its usual place depends on the settings",
            "mend them, or name it: cashin-async doctor LEDGER",
        )
    elif place == NONE:
        yield area.warning(
            "none: nothing is remembered, the same upload bills again",
            "unset ledger (CASHIN_LEDGER); ./none is a file of that name",
        )
    else:
        yield from record.record(
            examine(place, usual=named is None and (settings is None or settings.ledger is None)),
            account_of(settings) if settings else None,
        )


def _usual(settings: Settings | None) -> str | None:
    """Where the command line has its ledger with these settings; None when that depends on what is missing."""
    if settings is None:
        return None
    return str(default_path(account_of(settings))) if settings.ledger is None else place_of(settings, None)
