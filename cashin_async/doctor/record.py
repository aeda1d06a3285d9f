"""The ledger: where it is, whether it can be written, and what in it waits for a person."""

import shlex
from collections.abc import Iterator
from datetime import UTC

from cashin_async.doctor.finding import Area, Finding
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.health import LedgerHealth
from cashin_async.ledger.status import LedgerStatus
from cashin_async.settings import Environment

LEDGER = Area("ledger")

ROOM = 268_435_456
"""Bytes that should be free: 256 MiB are eight million invoices, which take 32 bytes at most each."""
_LEFT_OPEN = (NumberState.LEASED, NumberState.POSTING)


def record(health: LedgerHealth, account: Account | None) -> Iterator[Finding]:
    """`account`: whose the settings say it is; None when they say nothing."""
    if health.problem is not None:
        yield LEDGER.problem(health.problem, "another place: --ledger (CASHIN_LEDGER); a damaged one: from a backup")
    elif health.status is None:
        yield _not_there(health, account)
    else:
        yield LEDGER.ok(f"{health.place}, of {health.status.account}, layout {health.status.version}")
        yield from _whose(health.status, account)
        yield from _file(health)
        yield from _left(health.status)
    if health.free is not None and health.free < ROOM:
        said = f"{health.free // 1_048_576:,} MiB are free on its disk"
        yield LEDGER.warning(said, "make room, or name another place: --ledger (CASHIN_LEDGER)")


def _not_there(health: LedgerHealth, account: Account | None) -> Finding:
    if account is not None and account.environment == Environment.PRODUCTION:
        return LEDGER.warning(
            f"there is none yet at {health.place}",
            "the first time: upload --new-ledger. If something was uploaded before, find its ledger: --ledger",
        )
    return LEDGER.ok(f"there is none yet at {health.place}: the first upload begins it")


def _whose(status: LedgerStatus, account: Account | None) -> Iterator[Finding]:
    """As the ledger itself says it when it is opened: see `opening.py`."""
    held = status.account
    if account is None:
        return
    if held.environment != account.environment:
        yield LEDGER.problem(f"it is not of {account.environment}", "name another file: --ledger (CASHIN_LEDGER)")
    elif held.creditor is not None and held.creditor != account.creditor:
        yield LEDGER.problem(
            f"it is of the creditor {held.creditor}, and the settings say {account.creditor or 'none'}",
            "--creditor (CASHIN_CREDITOR), or name another file: --ledger (CASHIN_LEDGER)",
        )


def _file(health: LedgerHealth) -> Iterator[Finding]:
    if health.mode is not None and health.mode & 0o022:
        said = f"others may write it (mode {health.mode:04o})"
        yield LEDGER.warning(
            f"{said}: whoever does decides what is sent", f"chmod 600 {shlex.quote(str(health.place))}"
        )
    if health.whole is None:
        yield LEDGER.warning(
            "not checked to its end: it is large, or was written meanwhile", "an upload checks it at its start"
        )
    else:
        yield LEDGER.ok("its file is whole")


def _left(status: LedgerStatus) -> Iterator[Finding]:
    """What waits for a person, or for the next upload."""
    place = shlex.quote(status.place)
    if status.writer is not None:
        yield LEDGER.ok(f"in use by {status.writer}: another upload is refused until it ends")
    elif count := sum(status.states.get(state, 0) for state in _LEFT_OPEN):
        yield LEDGER.warning(f"{count:,} numbers were left in the middle by the last run", "the same upload again")
    if count := status.states.get(NumberState.UNKNOWN, 0):
        said = f"{count:,} numbers are unknown: they may be accepted, and are not sent before it is known"
        yield LEDGER.warning(said, f"cashin-async settle {place}")
    if count := status.states.get(NumberState.RELEASED, 0):
        yield LEDGER.warning(f"{count:,} numbers are released, and not sent again yet", "upload their invoices again")
    if status.runs:
        began = f"{status.runs[0].began.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        yield LEDGER.ok(f"the last run began on {began}; cashin-async status {place} tells more")
