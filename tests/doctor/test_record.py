"""What is made of a ledger's health: marks, and what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cashin_async.doctor.finding import Finding, Mark
from cashin_async.doctor.record import ROOM, record
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.health import LedgerHealth
from cashin_async.ledger.lock import Holder
from cashin_async.ledger.status import LedgerStatus, RunStatus

ACCOUNT = Account("https://api.example.test", "ACME")
PLACE = Path("/var/lib/cash in/ledger.db")
RUN = RunStatus("20260105T020000Z-a1b2c3", datetime(2026, 1, 5, 2, tzinfo=UTC), {}, {})
STATUS = LedgerStatus(str(PLACE), ACCOUNT, 1, None, {NumberState.ACCEPTED: 20}, (), (), (RUN,))
HEALTH = LedgerHealth(PLACE, True, None, 0o600, ROOM, True, STATUS)


def of(health: LedgerHealth, account: Account | None = ACCOUNT) -> list[Finding]:
    return list(record(health, account))


def holding(**states: int) -> LedgerHealth:
    return replace(HEALTH, status=replace(STATUS, states={NumberState(name): count for name, count in states.items()}))


def the(findings: list[Finding], mark: Mark) -> Finding:
    (one,) = [finding for finding in findings if finding.mark is mark]
    return one


def test_all_is_well() -> None:
    findings = of(HEALTH)
    assert {one.mark for one in findings} == {Mark.OK}
    assert str(PLACE) in findings[0].what
    assert of(HEALTH, None) == findings


def test_none_yet() -> None:
    absent = replace(HEALTH, exists=False, status=None, whole=None, mode=None)
    assert the(of(absent), Mark.OK).what.endswith("the first upload begins it")
    warning = the(of(absent, Account("production")), Mark.WARNING)
    assert "--new-ledger" in warning.todo


def test_what_is_wrong_is_a_problem() -> None:
    problem = the(of(replace(HEALTH, problem="ledger x is damaged", status=None)), Mark.PROBLEM)
    assert problem.what == "ledger x is damaged"


@pytest.mark.parametrize(
    ("account", "word"),
    [
        (Account("production", "ACME"), "production"),
        (Account(ACCOUNT.environment, "Other"), "ACME"),
        (Account(ACCOUNT.environment), "ACME"),
    ],
)
def test_the_ledger_of_another_account(account: Account, word: str) -> None:
    assert word in the(of(HEALTH, account), Mark.PROBLEM).what


def test_a_creditor_may_be_named_later() -> None:
    unlabelled = replace(STATUS, account=Account(ACCOUNT.environment))
    assert {one.mark for one in of(replace(HEALTH, status=unlabelled))} == {Mark.OK}


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (replace(HEALTH, mode=0o666), "chmod 600 '/var/lib/cash in/ledger.db'"),
        (replace(HEALTH, whole=None), "at its start"),
        (replace(HEALTH, free=ROOM - 1), "255 MiB"),
        (holding(unknown=1200), "cashin-async settle '/var/lib/cash in/ledger.db'"),
        (holding(released=3), "upload their invoices again"),
        (holding(leased=2, posting=1), "3 numbers were left in the middle"),
    ],
    ids=["mode", "unchecked", "disk", "unknown", "released", "left open"],
)
def test_what_waits_for_a_person(health: LedgerHealth, word: str) -> None:
    warning = the(of(health), Mark.WARNING)
    assert word in warning.what + warning.todo


def test_a_writer_may_be_at_work() -> None:
    busy = replace(holding(posting=100).status or STATUS, writer=Holder(4711, RUN.began))
    findings = of(replace(HEALTH, status=busy))
    assert {one.mark for one in findings} == {Mark.OK}
    assert any("process 4711" in one.what and "refused" in one.what for one in findings)
