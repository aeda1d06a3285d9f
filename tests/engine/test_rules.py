"""Rules in an upload and in a single request: enforced, told, or not looked at."""

import logging
from typing import Any

import pytest

from cashin_async import (
    CashIn,
    ConfigurationError,
    InvalidInvoice,
    InvoiceUnknown,
    SalesInvoice,
    Settings,
    rules,
)
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, MakeBench

REASON = "Reference: check digit is 0, 9 would be right (reference)"


def invoices(count: int, broken: set[int] | frozenset[int] = frozenset()) -> list[SalesInvoice]:
    """Those at the places `broken` have a wrong check digit."""
    made = list(sample_invoices(count, start=FIRST))
    for place in broken:
        reference = str(made[place].reference)
        made[place].reference = reference[:-1] + str((int(reference[-1]) + 1) % 10)
    return made


async def test_enforced_exactly_the_broken_ones_stay_here(bench: MakeBench) -> None:
    table = await bench(rules="enforce")
    broken = {0, 17, 64, 399}
    report = await table.cashin.invoices.upload(invoices(400, broken))
    table.check(report)
    assert (report.read, report.accepted, report.invalid, report.exit_code) == (400, 396, 4, 1)
    assert {failure.number for failure in report.failures} == {FIRST + place for place in broken}
    assert all("check digit" in (failure.reason or "") for failure in report.failures)
    assert report.broken_rules == {"reference": 4}


async def test_a_whole_batch_that_breaks_a_rule(bench: MakeBench) -> None:
    table = await bench(rules="enforce")
    report = await table.cashin.invoices.upload(invoices(200, set(range(200))))
    assert (report.accepted, report.invalid, report.requests) == (0, 200, 0)


async def test_the_default_tells_and_sends(bench: MakeBench, caplog: pytest.LogCaptureFixture) -> None:
    table = await bench()
    assert table.cashin.settings.rules == "warn"
    with caplog.at_level(logging.WARNING, "cashin_async"):
        report = await table.cashin.invoices.upload(invoices(50, {3, 4}))
    assert (report.accepted, report.exit_code, report.broken_rules) == (50, 0, {"reference": 2})
    (record,) = caplog.records
    assert record.message == f"rules.broken run='{report.run}' rules={{'reference': 2}}"


async def test_off_nobody_looks(bench: MakeBench, caplog: pytest.LogCaptureFixture) -> None:
    table = await bench(rules="off")
    with caplog.at_level(logging.WARNING, "cashin_async"):
        report = await table.cashin.invoices.upload(invoices(50, {3}))
    assert (report.accepted, report.broken_rules, caplog.records) == (50, {}, [])


@pytest.mark.parametrize("mode", ["enforce", "off"])
async def test_a_call_may_say_otherwise(bench: MakeBench, mode: Any) -> None:
    table = await bench(rules={"enforce": "off", "off": "enforce"}[mode])
    report = await table.cashin.invoices.upload(invoices(5, {3}), rules=mode)
    assert report.invalid == (1 if mode == "enforce" else 0)
    async with table.cashin.invoices.uploading(invoices(9, {8}), rules=mode) as outcomes:
        states = [str(outcome.state) async for outcome in outcomes]
    assert states.count("invalid") == (2 if mode == "enforce" else 0) - (1 if mode == "enforce" else 0)


async def test_no_such_mode(bench: MakeBench) -> None:
    table = await bench()
    with pytest.raises(ConfigurationError, match="rules must be one of enforce, warn, off"):
        await table.cashin.invoices.upload([], rules="loud")  # type: ignore[arg-type]


async def test_a_broken_line_does_not_take_its_number(bench: MakeBench, ledger: str) -> None:
    """Mended in the same input, in the next one, or let pass by other rules: it goes."""
    table = await bench(rules="enforce", ledger=ledger)
    (broken,), (mended,) = invoices(1, {0}), invoices(1)
    report = await table.cashin.invoices.upload([broken, mended, mended])
    assert (report.invalid, report.accepted, report.duplicate) == (1, 1, 1)
    other = invoices(2, {1})[1]
    assert (await table.cashin.invoices.upload([other])).invalid == 1
    assert (await table.cashin.invoices.upload([other], rules="warn")).accepted == 1
    again = await table.cashin.invoices.upload([other])
    assert (again.duplicate, again.invalid, again.broken_rules) == (1, 0, {}), "what is not sent is not looked at"


@pytest.mark.parametrize(
    ("fault", "lookup", "state", "exit_code"),
    [
        ("drop-after@1", "proven", "accepted", 0),
        ("drop-before@1", "proven", "invalid", 1),
        ("drop-after@1", "cannot tell", "unknown", 3),
        ("drop-after@1", None, "unknown", 3),
    ],
)
async def test_a_doubtful_number_is_settled_first(
    bench: MakeBench, ledger: str, fault: str, lookup: str | None, state: str, exit_code: int
) -> None:
    """Whether its invoice breaks a rule matters when it would be sent: the server may have it since another day."""
    table = await bench(fault, ledger=ledger, settle_after=0.0)
    (broken,) = invoices(1, {0})
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(broken)
    await table.cashin.invoices.create(invoices(2)[1])  # a number to prove the look-up with

    async def look_up(numbers: Any) -> dict[int, str]:
        known = {number: "exists" if number in table.simulator.store else "absent" for number in numbers}
        return known if lookup == "proven" else dict.fromkeys(numbers, "cannot_tell")

    before = table.simulator.requests
    report = await table.cashin.invoices.upload([broken], rules="enforce", lookup=look_up if lookup else None)
    assert {str(state): count for state, count in report.counts.items() if count} == {state: 1}
    assert (report.exit_code, report.released, table.simulator.requests) == (exit_code, [], before)
    if state == "invalid":
        assert report.failures[0].reason == REASON
        mended = await table.cashin.invoices.upload(invoices(1), rules="enforce")
        assert mended.accepted == 1


async def test_a_released_number_whose_invoice_breaks_a_rule_is_not_missing(bench: MakeBench, ledger: str) -> None:
    table = await bench("drop-before@1", ledger=ledger, settle_after=0.0)
    (broken,) = invoices(1, {0})
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(broken)
    await table.cashin.invoices.create(invoices(2)[1])

    async def look_up(numbers: Any) -> dict[int, str]:
        return {number: "exists" if number in table.simulator.store else "absent" for number in numbers}

    assert (await table.cashin.invoices.settle(lookup=look_up)).released == [FIRST]
    report = await table.cashin.invoices.upload([broken], rules="enforce")
    assert (report.invalid, report.released, report.exit_code) == (1, [], 1)


async def test_fields_that_are_not_published_and_an_own_rule(bench: MakeBench) -> None:
    table = await bench(allow_unknown_fields=True)
    rule_set = rules.RuleSet(own=[lambda invoice: []])
    given = [{"InvoiceNumber": number, "Extra": [{}]} for number in range(1, 150)]
    async with CashIn("key", settings=table.cashin.settings, rule_set=rule_set) as cashin:
        report = await cashin.invoices.upload([*given, deep(973), deep(985)], rules="enforce")
    assert report.read == 151
    assert report.accepted + report.invalid == 151
    assert report.accepted >= 149


def deep(levels: int) -> bytes:
    return b'{"InvoiceNumber": %d, "Extra": %s%s}' % (levels, b"[" * levels, b"]" * levels)


async def test_a_thousand_errors_are_three_and_a_count(bench: MakeBench) -> None:
    table = await bench(rules="enforce")
    (invoice,) = invoices(1)
    row = (invoice.invoice_rows or [])[0]
    invoice.invoice_rows = [row] * 1000
    row.total = row.nto
    report = await table.cashin.invoices.upload([invoice])
    reason = report.failures[0].reason or ""
    assert reason.endswith("; and 998 more")
    assert len(reason) < 400


async def test_with_a_limit_what_is_refused_does_not_count(bench: MakeBench) -> None:
    table = await bench(rules="enforce")
    report = await table.cashin.invoices.upload(invoices(30, {0, 1, 2}), limit=10)
    assert (report.invalid, report.accepted) == (3, 10)


async def test_a_rule_set_of_the_users(bench: MakeBench) -> None:
    def known_customer(invoice: SalesInvoice) -> Any:
        if invoice.invoice_number == FIRST + 2:
            yield rules.Problem(rule="known-customer", severity=rules.Severity.ERROR, message="is not known here")

    table = await bench(rules="enforce")
    rule_set = rules.RuleSet(severities={"reference": "off"}, own=[known_customer])
    async with CashIn("key", settings=table.cashin.settings, rule_set=rule_set) as cashin:
        report = await cashin.invoices.upload(invoices(5, {0}))
    assert (report.accepted, report.invalid, report.broken_rules) == (4, 1, {"known-customer": 1})
    assert report.failures[0].number == FIRST + 2


def test_severities_as_a_setting() -> None:
    settings = Settings(base_url="http://localhost", rule_severities="reference=off, postal-code=error")
    cashin = CashIn("key", settings=settings)
    assert cashin.rule_set.check(invoices(1, {0})[0]) == []
    with pytest.raises(ConfigurationError, match=r"did you mean reference\?.*CASHIN_RULE_SEVERITIES"):
        Settings(base_url="http://localhost", rule_severities="referense=off")
    with pytest.raises(ConfigurationError, match=r"creditor_iban is wrong: .*mod 97.*CASHIN_CREDITOR_IBAN") as caught:
        Settings(base_url="http://localhost", creditor_iban="FI3815903000000776")
    assert "159030" not in str(caught.value)


# -- single requests


async def test_create_enforced_sends_nothing(bench: MakeBench) -> None:
    table = await bench(rules="enforce")
    with pytest.raises(InvalidInvoice, match="check digit is") as caught:
        await table.cashin.invoices.create(invoices(3, {1, 2}))
    assert caught.value.numbers == (FIRST + 1, FIRST + 2)
    assert table.simulator.requests == 0
    receipt = await table.cashin.invoices.create(invoices(3))
    assert receipt.uploaded_invoices_count == 3, "their numbers are free"


async def test_create_tells(bench: MakeBench, caplog: pytest.LogCaptureFixture) -> None:
    table = await bench()
    with caplog.at_level(logging.WARNING, "cashin_async"):
        await table.cashin.invoices.create(invoices(1, {0}))
        await table.cashin.invoices.create(invoices(2, {1})[1], rules="off")
    (record,) = caplog.records
    assert (record.event, record.invoice, record.rule) == ("rule.broken", FIRST, "reference")  # type: ignore[attr-defined]
    assert record.problem.startswith("Reference: check digit is ")  # type: ignore[attr-defined]
    assert record.problem.endswith(" would be right (reference)")  # type: ignore[attr-defined]


async def test_create_again_of_what_was_accepted_is_no_matter_of_rules(bench: MakeBench) -> None:
    table = await bench()
    (broken,) = invoices(1, {0})
    await table.cashin.invoices.create(broken)
    receipt = await table.cashin.invoices.create(broken, rules="enforce")
    assert receipt.uploaded_invoices_count == 0
