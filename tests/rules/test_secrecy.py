"""No problem shows a personal value: not in its message, its field or its repr, whatever an invoice holds and where.

A name that is one plain word and stands where the name of a field stands cannot be told from one: it is shown.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from cashin_async.models import SalesInvoice
from cashin_async.models.invoice import wire_name
from cashin_async.rules import RULES as CATALOGUE
from cashin_async.rules import Problem, RuleSet, check
from tests.rules.invoices import INVOICE, RULES
from tests.rules.marks import (
    MARKS,
    VALUES,
    assert_no_mark,
    cut_lines,
    keyed_invoices,
    readable_invoices,
    unreadable_invoices,
)

PERMISSIVE = RuleSet(iban="FI2112345600000785", allow_unknown_fields=True)
BY_WIRE_NAME = {wire_name(name): name for name in SalesInvoice.__struct_fields__}


def struct_of(invoice: dict[str, Any]) -> SalesInvoice:
    """Built of values that nobody looks at; names that are not published left out."""
    known = {BY_WIRE_NAME[name]: value for name, value in invoice.items() if name in BY_WIRE_NAME}
    return SalesInvoice(**known)


def problems_by_all_ways(invoice: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for one in (json.dumps(invoice).encode(), invoice, struct_of(invoice)):
        for rules in (RULES, PERMISSIVE):
            problems += check(one, rules)
    return problems


def assert_secret(problems: Iterable[Problem]) -> None:
    for problem in problems:
        shown = [repr(problem), str(problem), msgspec.json.encode(problem).decode(), problem.message, problem.field]
        assert_no_mark(" ".join(map(str, shown)), problem.rule, problem.field)


def test_the_marks_would_be_found() -> None:
    for name, value in VALUES.items():
        assert any(mark in value.lower() for mark in MARKS), name
        with pytest.raises(AssertionError):
            assert_no_mark(f"the account {value} is wrong")
        with pytest.raises(AssertionError):
            assert_no_mark(json.dumps({"field": value}))


def test_values_where_they_belong() -> None:
    """They break every rule that looks at text."""
    broken: set[str] = set()
    for invoice in readable_invoices():
        problems = problems_by_all_ways(invoice)
        broken |= {problem.rule for problem in problems}
        assert_secret(problems)
    assert broken >= {
        "reference",
        "reference-spaces",
        "barcode",
        "barcode-account",
        "iban",
        "business-id",
        "personal-code",
        "einvoice-address",
        "operator",
        "postal-code",
    }


def test_values_of_wrong_types() -> None:
    broken: set[str] = set()
    for invoice in unreadable_invoices():
        problems = problems_by_all_ways(invoice)
        broken |= {problem.rule for problem in problems}
        assert_secret(problems)
    assert broken >= {"type", "number"}


def test_values_as_names_of_fields() -> None:
    for invoice in keyed_invoices():
        problems = problems_by_all_ways(invoice)
        assert_secret(problems)
        assert "type" in {problem.rule for problem in problems}


def test_values_that_cannot_be_encoded() -> None:
    class Person:
        def __repr__(self) -> str:
            return VALUES["name"]

    for value in (Person(), {Person()}, f"{VALUES['name']}\ud800", [Person()], {VALUES["name"]: Person()}):
        for name in ("SalesName", "NetAmount", "DueDate", "InvoiceRows", VALUES["name"]):
            invoice = {**INVOICE, name: value}
            for one in (invoice, struct_of(invoice), {**INVOICE, "InvoiceRows": [invoice]}):
                for rules in (RULES, PERMISSIVE):
                    problems = check(one, rules)
                    assert_secret(problems)
                    assert name not in BY_WIRE_NAME or "type" in {problem.rule for problem in problems}


def test_values_in_what_is_no_json() -> None:
    for data in cut_lines():
        for rules in (RULES, PERMISSIVE):
            problems = check(data, rules)
            assert {problem.rule for problem in problems} == {"type"}
            assert_secret(problems)


def test_values_in_what_an_own_rule_raises() -> None:
    def raises(invoice: SalesInvoice) -> list[Problem]:
        raise ValueError(invoice.sales_name, VALUES["name"])

    problems = check({**INVOICE, "SalesName": VALUES["name"]}, RuleSet(own=[raises]))
    assert [problem.message for problem in problems] == ["the rule itself raised ValueError"]
    assert_secret(problems)


def test_the_catalogue_has_other_examples() -> None:
    """Those are printed."""
    for rule in CATALOGUE.values():
        assert "zxq" not in repr(rule).lower()
