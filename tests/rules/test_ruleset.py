"""The rules as a user wants them: switched, re-graded, with rules of the user's own; and sent to other processes."""

import copy
import json
import pickle
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from cashin_async.errors import ConfigurationError
from cashin_async.models import InvoiceRow, SalesInvoice
from cashin_async.rules import RULES as CATALOGUE
from cashin_async.rules import OwnRule, Problem, RuleSet, Severity, check, severities_of
from tests.rules.invoices import GONE, IBAN, INVOICE, found, invoice_with, problems_of

WRONG = {"Reference": "2516000017", "SalesPostalCode": "6510", "PaymentTermsCode": 21}
"""An error and two warnings."""
ALL = {"reference": "error", "postal-code": "warning", "payment-terms": "warning"}


def graded(rules: RuleSet) -> dict[str, str]:
    return {problem.rule: str(problem.severity) for problem in problems_of(invoice_with(WRONG), rules)}


# -- switching


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ({}, ALL),
        ({"postal-code": "off"}, {"reference": "error", "payment-terms": "warning"}),
        ({"postal-code": "error", "reference": "warning"}, ALL | {"postal-code": "error", "reference": "warning"}),
        ({"postal-code": Severity.ERROR}, ALL | {"postal-code": "error"}),
        (dict.fromkeys(ALL, "off"), {}),
        (dict.fromkeys(CATALOGUE, "off"), {}),
        ({"number": "off", "iban": "error"}, ALL),
    ],
    ids=str,
)
def test_rules_are_switched_and_graded(severities: dict[str, Any], expected: dict[str, str]) -> None:
    rules = RuleSet(severities=severities)
    assert graded(rules) == expected
    assert check(invoice_with(WRONG), rules) == rules.check(invoice_with(WRONG))


def test_without_a_rule_set_every_rule_holds() -> None:
    assert check(invoice_with(WRONG)) == check(invoice_with(WRONG), RuleSet()) != []


def test_a_check_of_several_rules_says_those_that_are_on() -> None:
    wrong = invoice_with({"Reference": "25160 00017", "NetAmount": 99, "TotalAmount": 124.4})
    assert {rule for rule, _ in found(wrong)} == {"reference", "reference-spaces", "sum-invoice", "sum-net"}
    assert found(wrong, RuleSet(severities={"reference": "off", "sum-invoice": "off"})) == [
        ("reference-spaces", "Reference"),
        ("sum-net", "NetAmount"),
    ]


@pytest.mark.parametrize(
    ("severities", "message"),
    [
        ({"postalcode": "off"}, "there is no rule 'postalcode': did you mean postal-code?"),
        ({"vat_rate": "off"}, "there is no rule 'vat_rate': did you mean vat-rate?"),
        ({"Reference": "off"}, "there is no rule 'Reference': did you mean reference?"),
        ({"xyzzy": "off"}, f"there is no rule 'xyzzy': there are {', '.join(CATALOGUE)}"),
        ({"": "off"}, f"there is no rule '': there are {', '.join(CATALOGUE)}"),
        ({"reference": "on"}, "the severity of rule reference must be error, warning or off"),
        ({"reference": None}, "the severity of rule reference must be error, warning or off"),
        ({"reference": "ERROR"}, "the severity of rule reference must be error, warning or off"),
    ],
)
def test_what_does_not_exist_is_named(severities: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        RuleSet(severities=severities)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        ("", {}),
        (" , ,", {}),
        ("postal-code=off", {"postal-code": "off"}),
        (" postal-code = off ,credit-note=error,", {"postal-code": "off", "credit-note": "error"}),
        ("postal-code=off, postal-code=error", {"postal-code": "error"}),
    ],
)
def test_severities_as_a_setting_has_them(text: str, severities: dict[str, Any]) -> None:
    assert severities_of(text) == severities


@pytest.mark.parametrize("text", ["postal-code", "postal-code=off=error", "postal-code=off credit-note=error"])
def test_a_setting_of_another_form(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CODE=off, CODE=warning or CODE=error, with commas between"):
        severities_of(text)


def test_a_setting_with_a_rule_that_does_not_exist() -> None:
    with pytest.raises(ConfigurationError, match="did you mean postal-code"):
        RuleSet(severities=severities_of("postal-cod=off"))
    with pytest.raises(ConfigurationError, match="must be error, warning or off"):
        RuleSet(severities=severities_of("postal-code="))


def test_what_is_handed_in_can_be_changed_later() -> None:
    severities: dict[str, Any] = {"reference": "off"}
    own: list[OwnRule] = []
    rates = {date(2026, 1, 1): Decimal(1)}
    rules = RuleSet(severities=severities, own=own, reference_rates=rates)
    severities["reference"] = "error"
    own.append(lambda invoice: [Problem(rule="x", severity=Severity.ERROR, message="x")])
    rates[date(2026, 1, 1)] = Decimal(99)
    assert "reference" not in graded(rules)
    assert rules.own == ()
    assert rules.reference_rates == {date(2026, 1, 1): Decimal(1)}


# -- the creditor's account


@pytest.mark.parametrize("iban", [IBAN, "FI37 1590 3000 0007 76", " FI3715903000000776 "])
def test_the_creditors_account_may_have_spaces(iban: str) -> None:
    right = "437159030000007760001255000000000000002516000013260217"
    other = "421123456000007850001255000000000000002516000013260217"
    assert found(invoice_with({"VirtualBankBarcode": right}), RuleSet(iban=iban)) == []
    assert found(invoice_with({"VirtualBankBarcode": other}), RuleSet(iban=iban)) == [
        ("barcode-account", "VirtualBankBarcode")
    ]


@pytest.mark.parametrize("iban", ["FI3815903000000776", "FI37", "", "x", "1590-3000000776"])
def test_a_creditors_account_that_is_none(iban: str) -> None:
    with pytest.raises(ConfigurationError, match="the creditor's account: ") as raised:
        RuleSet(iban=iban)
    assert not iban or iban not in str(raised.value)


def test_a_rule_set_does_not_show_the_account() -> None:
    rules = RuleSet(iban=IBAN, severities={"iban": "off"})
    assert repr(rules) == "RuleSet(severities={'iban': 'off'}, own=(), allow_unknown_fields=False)"


# -- rules of the user's own


def needs_a_name(invoice: SalesInvoice) -> Iterator[Problem]:
    if not invoice.sales_name:
        yield Problem(rule="name", field="SalesName", severity=Severity.ERROR, message="is missing")


OWN = RuleSet(own=[needs_a_name])
NAMELESS = invoice_with({"SalesName": GONE})
NAME_IS_MISSING = Problem(
    invoice_number=251600001, field="SalesName", rule="name", severity=Severity.ERROR, message="is missing"
)


def every_way(invoice: dict[str, Any], rules: RuleSet) -> list[Problem]:
    """`problems_of` without `explain`, which asks no rule of the user's."""
    data = json.dumps(invoice).encode()
    struct = msgspec.convert(invoice, SalesInvoice)
    problems = check(data, rules)
    assert [check(one, rules) for one in (invoice, struct)] == [problems] * 2
    assert rules.inspect(data) == problems
    return problems


def by_own(*rules: Any, invoice: dict[str, Any] = INVOICE, **options: Any) -> list[Problem]:
    return every_way(invoice, RuleSet(own=rules, **options))


def a_problem(**changes: Any) -> Problem:
    return Problem(**{"rule": "own", "severity": Severity.WARNING, "message": "is odd", **changes})


def test_an_own_rule_is_asked_beside_the_others() -> None:
    assert every_way(NAMELESS, OWN) == [NAME_IS_MISSING]
    assert every_way(INVOICE, OWN) == []
    both = every_way({**NAMELESS, "Reference": "2516000017"}, OWN)
    assert [problem.rule for problem in both] == ["reference", "name"]


def test_an_own_rule_can_be_switched_and_graded() -> None:
    (problem,) = by_own(needs_a_name, invoice=NAMELESS, severities={"name": "warning"})
    assert problem == msgspec.structs.replace(NAME_IS_MISSING, severity=Severity.WARNING)
    assert by_own(needs_a_name, invoice=NAMELESS, severities={"name": "off"}) == []
    assert by_own(lambda _: [a_problem(rule="reference")], severities={"reference": "off"}) == []
    (graded,) = by_own(lambda _: [a_problem(rule="reference")])
    assert graded.severity is Severity.ERROR, "by the catalogue, whose code it bears"


def test_the_number_is_filled_in_for_each_problem() -> None:
    problems = by_own(lambda _: [a_problem(), a_problem(invoice_number=7), a_problem()], lambda _: [a_problem()])
    assert [problem.invoice_number for problem in problems] == [251600001, 7, 251600001, 251600001]


def test_an_invoice_without_a_number_has_none_to_fill_in() -> None:
    rules = RuleSet(own=[lambda _: [a_problem()]], severities={"number": "off"})
    for invoice in (SalesInvoice(), SalesInvoice(invoice_number=None)):
        (problem,) = check(invoice, rules)
        assert problem.invoice_number is None


def test_a_severity_in_a_string_is_one() -> None:
    (problem,) = by_own(lambda _: [a_problem(severity="error")])
    assert problem.severity is Severity.ERROR


class Limit:
    """A rule with something to remember."""

    def __init__(self, most: Decimal) -> None:
        self.most = most

    def __call__(self, invoice: SalesInvoice) -> list[Problem]:
        assert isinstance(invoice.total_amount, Decimal)
        return [a_problem(rule="limit")] if invoice.total_amount > self.most else []


def test_an_own_rule_may_be_an_object_or_a_method() -> None:
    assert by_own(Limit(Decimal("125.50"))) == []
    assert [problem.rule for problem in by_own(Limit(Decimal("125.49")))] == ["limit"]
    assert [problem.rule for problem in by_own(Limit(Decimal(0)).__call__)] == ["limit"]


def raises(_: SalesInvoice) -> list[Problem]:
    raise LookupError("Maija Meikäläinen")


def raises_later(_: SalesInvoice) -> Iterator[Problem]:
    yield a_problem()
    raise LookupError("Maija Meikäläinen")


class Raises:
    def __call__(self, _: SalesInvoice) -> list[Problem]:
        raise LookupError


@pytest.mark.parametrize(
    ("rule", "name", "error"),
    [
        (raises, "raises", "LookupError"),
        (Raises(), "Raises", "LookupError"),
        (partial(raises), "partial", "LookupError"),
        (lambda: None, "<lambda>", "TypeError"),
        (lambda _: None, "<lambda>", "TypeError"),
        (lambda _: 7, "<lambda>", "TypeError"),
        (lambda _: [None], "<lambda>", "AttributeError"),
        (lambda _: ["is odd"], "<lambda>", "AttributeError"),
        (lambda _: [{"rule": "own"}], "<lambda>", "AttributeError"),
        (lambda _: a_problem(), "<lambda>", "TypeError"),
        (lambda _: [a_problem(severity="fatal")], "<lambda>", "ValueError"),
        (lambda _: [a_problem(severity=None)], "<lambda>", "ValueError"),
        (lambda _: [a_problem(rule=[])], "<lambda>", "TypeError"),
        (7, "int", "TypeError"),
    ],
)
def test_an_own_rule_that_breaks_is_told_and_costs_nothing_else(rule: Any, name: str, error: str) -> None:
    problems = by_own(rule, needs_a_name, invoice=NAMELESS)
    assert problems == [
        Problem(
            invoice_number=251600001,
            rule=name,
            severity=Severity.ERROR,
            message=f"the rule itself raised {error}",
        ),
        NAME_IS_MISSING,
    ]


def test_what_an_own_rule_found_before_it_broke_counts() -> None:
    assert [problem.rule for problem in by_own(raises_later, needs_a_name)] == ["own", "raises_later"]


def test_what_an_own_rule_says_can_be_written_down() -> None:
    def cut_emoji(invoice: SalesInvoice) -> Iterator[Problem]:
        yield Problem(rule="half \ud83d", field="\ud83d", severity=Severity.ERROR, message="half \ude00")

    (problem,) = RuleSet(own=[cut_emoji]).check(SalesInvoice(invoice_number=1))
    assert (problem.rule, problem.field, problem.message) == ("half \\ud83d", "\\ud83d", "half \\ude00")


def test_an_own_rule_cannot_stop_a_program_from_ending() -> None:
    def interrupted(_: SalesInvoice) -> list[Problem]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(INVOICE, RuleSet(own=[interrupted]))


def test_codes_of_own_rules_can_be_given_when_there_are_any() -> None:
    assert RuleSet(own=[needs_a_name], severities={"name": "off"}).severities == {"name": "off"}
    with pytest.raises(ConfigurationError, match="there is no rule 'name'"):
        RuleSet(severities={"name": "off"})


@pytest.mark.parametrize("allow", [False, True])
def test_an_own_rule_gets_the_whole_invoice_with_exact_amounts(allow: bool) -> None:
    got: list[SalesInvoice] = []
    rules = RuleSet(own=[lambda invoice: got.append(invoice) or []], allow_unknown_fields=allow)  # type: ignore[func-returns-value]
    more: dict[str, Any] = {"Own": [{"x": 1}], "own name": None} if allow else {}
    row = {**INVOICE["InvoiceRows"][0], "Qty": 0.1, "ProdCode": "A1", **more}
    invoice = {
        **INVOICE,
        "SalesEmail": "x@example.com",
        "OrderDate": "2026-01-31T10:00:00Z",
        "InvoiceRows": [row],
        **more,
    }
    data = json.dumps(invoice, indent=1).encode()
    for one in (data, invoice):
        assert check(one, rules) == []
    assert rules.inspect(data) == []
    if not allow:
        assert check(msgspec.convert(invoice, SalesInvoice), rules) == []
    assert len(got) == (3 if allow else 4)
    known = {name: value for name, value in invoice.items() if name not in more}
    known["InvoiceRows"] = [{name: value for name, value in row.items() if name not in more}]
    for whole in got:
        assert type(whole) is SalesInvoice
        assert whole == msgspec.convert(known, SalesInvoice)
        assert isinstance(whole.total_amount, Decimal)
        assert whole.invoice_rows
        assert type(whole.invoice_rows[0]) is InvoiceRow
        assert whole.invoice_rows[0].qty == Decimal("0.1")


@pytest.mark.parametrize("rows", [None, [], GONE])
def test_an_own_rule_gets_invoices_without_rows(rows: Any) -> None:
    got: list[SalesInvoice] = []
    rules = RuleSet(own=[lambda invoice: got.append(invoice) or []], allow_unknown_fields=True)  # type: ignore[func-returns-value]
    invoice = {"InvoiceNumber": 1, "Own": 1, "InvoiceRows": rows}
    if rows is GONE:
        del invoice["InvoiceRows"]
    assert check(invoice, rules) == []
    assert [one.invoice_rows for one in got] == [msgspec.UNSET if rows is GONE else rows]


def test_an_own_rule_is_not_asked_about_what_cannot_be_read() -> None:
    got: list[SalesInvoice] = []
    rules = RuleSet(own=[lambda invoice: got.append(invoice) or []])  # type: ignore[func-returns-value]
    for invoice in (b"x", invoice_with({"SalesName": 7}), SalesInvoice(invoice_number=1, sales_name=7)):  # type: ignore[arg-type]
        assert [problem.rule for problem in check(invoice, rules)] == ["type"]
    assert got == []


# -- sent to other processes


@pytest.mark.parametrize(
    "rules",
    [
        RuleSet(),
        RuleSet(severities={"postal-code": "off"}, iban=IBAN, operators=["X"], allow_unknown_fields=True),
        RuleSet(own=[needs_a_name], reference_rates={date(2026, 1, 1): Decimal(1)}),
    ],
    ids=["default", "switched", "own"],
)
def test_rule_sets_can_be_pickled_and_copied(rules: RuleSet) -> None:
    wrong = invoice_with({**WRONG, "SalesName": GONE, "VirtualBankBarcode": "4" + "0" * 53})
    before = check(wrong, rules)
    copies = [pickle.loads(pickle.dumps(rules, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for one in (*copies, copy.copy(rules), copy.deepcopy(rules)):
        assert one == rules
        assert check(wrong, one) == before != []


def test_rule_sets_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RuleSet().severities = {}  # type: ignore[misc]


def test_a_problem_can_be_pickled_and_compared() -> None:
    assert pickle.loads(pickle.dumps(NAME_IS_MISSING)) == NAME_IS_MISSING
    with pytest.raises(AttributeError):
        NAME_IS_MISSING.rule = "x"  # type: ignore[misc]


@pytest.mark.parametrize("what", [None, 7, -1, 10**12, 10**30, 1.5, "{}", [], [{}], [300], object()], ids=repr)
def test_what_is_no_invoice_is_told(what: Any) -> None:
    (problem,) = check(what)
    assert (problem.rule, problem.field) == ("type", None)
    assert problem.message == f"is a {type(what).__name__}, not a SalesInvoice, a dict or bytes"


def test_an_own_rule_that_raises_can_be_switched_off() -> None:
    def broken(invoice: SalesInvoice) -> Any:
        raise ZeroDivisionError

    (problem,) = RuleSet(own=[broken]).check({"InvoiceNumber": 1})
    assert (problem.rule, problem.severity) == ("broken", Severity.ERROR)
    assert RuleSet(own=[broken], severities={"broken": "off"}).check({"InvoiceNumber": 1}) == []
    (problem,) = RuleSet(own=[broken], severities={"broken": "warning"}).check({"InvoiceNumber": 1})
    assert problem.severity is Severity.WARNING


def test_a_field_that_is_let_pass_may_be_too_deep_to_be_read() -> None:
    data = b'{"InvoiceNumber": 1, "Extra": %s%s}' % (b"[" * 100_000, b"]" * 100_000)
    (problem,) = RuleSet(allow_unknown_fields=True).inspect(data)
    assert (problem.rule, problem.field, problem.message) == ("type", None, "is nested too deeply")
    assert problem.invoice_number is None
