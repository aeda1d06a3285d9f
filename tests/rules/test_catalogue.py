"""Every rule by its own examples: the right one breaks nothing, the wrong one breaks it and no other."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cashin_async.models import SalesInvoice
from cashin_async.models.invoice import wire_name
from cashin_async.rules import RULES as CATALOGUE
from cashin_async.rules import Rule, RuleSet, Severity, check
from cashin_async.rules.ruleset import _CHECKS
from tests.rules.invoices import INVOICE, RULES, found, invoice_with, problems_of

PUBLISHED = Path(__file__).parents[1] / "data" / "published_invoice.json"
PYTHON_NAMES = {wire_name(name): name for name in SalesInvoice.__struct_fields__}
each_rule = pytest.mark.parametrize("rule", CATALOGUE.values(), ids=CATALOGUE)
_readable = [rule for rule in CATALOGUE.values() if rule.code != "type"]
each_that_can_be_read = pytest.mark.parametrize("rule", _readable, ids=[rule.code for rule in _readable])


def struct_with(changes: dict[str, Any]) -> SalesInvoice:
    """Built of values that nobody looks at."""
    invoice = {**invoice_with({}), **changes}
    return SalesInvoice(**{PYTHON_NAMES[name]: value for name, value in invoice.items() if name != "InvoiceRows"})


def test_the_invoice_that_they_are_put_into_is_correct() -> None:
    assert found(invoice_with({})) == []


@each_rule
def test_the_right_example_breaks_no_rule(rule: Rule) -> None:
    assert found(invoice_with(json.loads(rule.right))) == []


@each_that_can_be_read
def test_the_wrong_example_breaks_this_rule_alone(rule: Rule) -> None:
    (problem,) = problems_of(invoice_with(json.loads(rule.wrong)))
    assert (problem.rule, problem.severity) == (rule.code, rule.severity)
    assert problem.field
    assert problem.message
    assert problem.invoice_number == (0 if rule.code == "number" else INVOICE["InvoiceNumber"])


def test_the_wrong_type_is_found_alone_too() -> None:
    changes = json.loads(CATALOGUE["type"].wrong)
    invoice = invoice_with(changes)
    for one in (invoice, json.dumps(invoice).encode(), struct_with(changes)):
        for problems in (check(one, RULES), RULES.explain(one)):
            assert [(problem.rule, problem.severity, problem.field) for problem in problems] == [
                ("type", Severity.ERROR, "TotalAmount")
            ]


@each_rule
def test_the_two_examples_differ_as_little_as_they_can(rule: Rule) -> None:
    right, wrong = json.loads(rule.right), json.loads(rule.wrong)
    assert right != wrong
    assert {*right} <= {*wrong} or rule.code == "vat-rate"


@each_that_can_be_read
def test_a_rule_that_is_off_says_nothing(rule: Rule) -> None:
    rules = RuleSet(iban=RULES.iban, severities={rule.code: "off"})
    assert found(invoice_with(json.loads(rule.wrong)), rules) == []


@each_that_can_be_read
def test_a_rule_alone_finds_what_it_finds_among_the_others(rule: Rule) -> None:
    others = dict.fromkeys((code for code in CATALOGUE if code != rule.code), "off")
    rules = RuleSet(iban=RULES.iban, severities=others)  # type: ignore[arg-type]
    assert [code for code, _ in found(invoice_with(json.loads(rule.wrong)), rules)] == [rule.code]


@each_that_can_be_read
def test_a_rule_can_weigh_more_or_less(rule: Rule) -> None:
    for severity in Severity:
        rules = RuleSet(iban=RULES.iban, severities={rule.code: severity})
        (problem,) = problems_of(invoice_with(json.loads(rule.wrong)), rules)
        assert problem.severity is severity


@each_rule
def test_what_is_said_of_a_rule(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.code)
    assert CATALOGUE[rule.code] is rule
    assert re.fullmatch(r"[^\n]{10,120}\.", rule.summary)
    assert rule.detail == "" or rule.detail.endswith(".")
    assert len(rule.source) >= len("Arithmetic")
    for text in (rule.summary, rule.detail, rule.source):
        assert text == text.strip()
        assert "  " not in text
    assert {field.name for field in fields(rule)} >= {"summary", "detail", "source", "right", "wrong"}


@each_rule
def test_the_examples_are_parts_of_invoices(rule: Rule) -> None:
    for example in (rule.right, rule.wrong):
        part = json.loads(example)
        assert set(part) <= set(PYTHON_NAMES)
        assert example == json.dumps(part, ensure_ascii=False) or "125.50" in example


def test_errors_come_first() -> None:
    severities = [rule.severity for rule in CATALOGUE.values()]
    assert severities == sorted(severities, key=list(Severity).index)
    assert set(severities) == set(Severity)


def test_every_rule_has_its_check() -> None:
    """But for the types, which are looked at by whoever reads."""
    checked = [code for _, codes in (*_CHECKS, *RuleSet()._knowing()) for code in codes]
    assert set(checked) == set(CATALOGUE) - {"type"}


def test_the_published_example_breaks_four_rules() -> None:
    """It is there for names and types, and is no correct invoice."""
    (invoice,) = json.loads(PUBLISHED.read_bytes())
    problems = problems_of(invoice, RuleSet())
    assert {(problem.rule, problem.severity, problem.field) for problem in problems} == {
        ("reference", Severity.ERROR, "Reference"),
        ("sum-row", Severity.ERROR, "InvoiceRows[0].Total"),
        ("sum-net", Severity.WARNING, "NetAmount"),
        ("payment-terms", Severity.WARNING, "PaymentTermsCode"),
    }
    assert len(problems) == 4
    by_rule = {problem.rule: problem.message for problem in problems}
    assert by_rule["reference"] == "check digit is 7, 3 would be right"
    assert by_rule["sum-row"] == "Nto + Tax + Round is over 1.00 more than Total"
    assert by_rule["sum-net"] == "the rows' Nto adds up to over 1.00 more than NetAmount"
    assert by_rule["payment-terms"] == "DueDate is 15 days after InvoiceDate"
    assert {problem.invoice_number for problem in problems} == {251600002}
    assert {(problem.file, problem.line) for problem in problems} == {(None, None)}
