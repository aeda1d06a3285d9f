"""No personal value of an invoice gets out by way of the rules: not by a log, not by what a command prints or reports.

`--failed` alone holds the invoices themselves: they are to be mended.
"""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cashin_async import CashIn, InvalidInvoice, Settings
from cashin_async.simulator.server import Simulator
from tests.cli.conftest import CommandLine, Done, server
from tests.rules.marks import (
    assert_no_mark,
    cut_lines,
    keyed_invoices,
    lines,
    readable_invoices,
    unreadable_invoices,
)

SENDABLE = lines(readable_invoices())
NOT_SENDABLE = [*lines(unreadable_invoices()), *cut_lines()]


def assert_secret(done: Done, *reports: Path) -> None:
    for text in (done.out, done.err, *(report.read_text(encoding="utf-8") for report in reports)):
        assert_no_mark(text)


@pytest.mark.parametrize("options", [(), ("--json",), ("--json", "--allow-unknown-fields"), ("--rule", "type=warning")])
def test_check(cashin: CommandLine, options: tuple[str, ...]) -> None:
    path = cashin.file(*SENDABLE, *NOT_SENDABLE, *lines(keyed_invoices()))
    done = cashin.run("check", path, *options, CASHIN_CREDITOR_IBAN="FI3715903000000776")
    assert done.code == 1
    assert "personal-code" in done.out
    assert_secret(done)


@pytest.mark.parametrize("rules", ["warn", "enforce"])
@pytest.mark.parametrize("report", ["outcomes.json", "outcomes.csv"])
def test_upload(cashin: CommandLine, tmp_path: Path, rules: str, report: str) -> None:
    path = cashin.file(*SENDABLE, *NOT_SENDABLE)
    outcomes = tmp_path / report
    with server() as simulator:
        done = cashin.run("upload", path, "--rules", rules, "--report", outcomes, url=simulator.url)
    assert done.code == 1
    assert "rules broken: " in done.out
    assert ("(personal-code)" in outcomes.read_text()) == (rules == "enforce")
    assert_secret(done, outcomes)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.mark.parametrize("rules", ["warn", "enforce"])
async def test_the_library(simulator: Simulator, rules: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(base_url=simulator.url, rules=rules, creditor_iban="FI3715903000000776")
    with caplog.at_level(logging.DEBUG):
        async with CashIn("key", settings=settings) as cashin:
            report = await cashin.invoices.upload([*SENDABLE, *NOT_SENDABLE])
    assert report.read == len(SENDABLE) + len(NOT_SENDABLE)
    assert report.broken_rules["personal-code"] > 0
    assert report.accepted > 0
    assert (report.invalid > len(NOT_SENDABLE)) == (rules == "enforce")
    shown = [report, vars(report), report.as_dict(), cashin, cashin.settings, cashin.rule_set]
    assert_no_mark(repr(shown))
    for outcome in report.failures:
        assert_no_mark(repr(outcome) + str(outcome.reason) + str(outcome.answer))
    assert "rules.broken" in caplog.text
    for record in caplog.records:
        assert_no_mark(record.getMessage() + repr(record.args) + str(record.exc_text))


@pytest.mark.parametrize("rules", ["warn", "enforce"])
async def test_a_single_request(simulator: Simulator, rules: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(base_url=simulator.url, rules=rules, creditor_iban="FI3715903000000776")
    with caplog.at_level(logging.DEBUG):
        async with CashIn("key", settings=settings) as cashin:
            for invoice in SENDABLE[::20]:
                try:
                    await cashin.invoices.create(invoice)
                except InvalidInvoice as error:
                    assert_no_mark(repr(error) + str(error) + repr(vars(error)))
    assert "rule.broken" in caplog.text
    for record in caplog.records:
        assert_no_mark(record.getMessage() + repr(record.args) + str(record.exc_text))
