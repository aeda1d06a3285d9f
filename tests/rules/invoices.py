"""A correct invoice in the published names, what tests make of it, and every way in which the rules can be asked."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import msgspec

from cashin_async.models import SalesInvoice
from cashin_async.rules import Problem, RuleSet, check

IBAN = "FI3715903000000776"
RULES = RuleSet(iban=IBAN)
GONE = object()
"""In changes: the field is not there."""

ROW: dict[str, Any] = {
    "Description": "Kuukausimaksu",
    "VatPercent": 25.5,
    "Qty": 1,
    "Price": 100,
    "Discount": 0,
    "Nto": 100,
    "Tax": 25.5,
    "Round": 0,
    "Total": 125.5,
    "Unit": "kpl",
    "Currency": "EUR",
}
INVOICE: dict[str, Any] = {
    "InvoiceNumber": 251600001,
    "InvoiceDate": "2026-02-03",
    "DueDate": "2026-02-17",
    "PaymentTermsCode": 14,
    "Currency": "EUR",
    "NetAmount": 100,
    "DiscAmount": 0,
    "RoundAmount": 0,
    "TaxAmount": 25.5,
    "TotalAmount": 125.5,
    "Reference": "2516000013",
    "SalesName": "Maija Meikäläinen",
    "SalesPostalCode": "65100",
    "SalesCity": "VAASA",
    "SalesCountry": "FI",
    "InvoiceRows": [ROW],
}


def invoice_with(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The correct invoice with changes; its rows are changed by place, and more of them are added."""
    invoice = _changed(INVOICE, changes)
    rows = changes.get("InvoiceRows")
    if isinstance(rows, list):
        old = [*INVOICE["InvoiceRows"], *[{}] * len(rows)]
        invoice["InvoiceRows"] = [_changed(before, row) for before, row in zip(old, rows, strict=False)]
    return invoice


def with_row(**changes: Any) -> dict[str, Any]:
    """The correct invoice with changes in its one row, and no sums of its own."""
    return invoice_with({"NetAmount": GONE, "TaxAmount": GONE, "TotalAmount": GONE, "InvoiceRows": [changes]})


def _changed(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: deepcopy(value) for name, value in {**old, **changes}.items() if value is not GONE}


def problems_of(invoice: dict[str, Any], rules: RuleSet = RULES) -> list[Problem]:
    """What is wrong with an invoice of the published types: the same by every way in."""
    data = json.dumps(invoice).encode()
    problems = check(data, rules)
    struct = msgspec.convert(invoice, SalesInvoice)
    assert check(invoice, rules) == problems
    assert check(struct, rules) == problems
    assert rules.inspect(data) == problems
    for one in (data, invoice, struct):
        assert rules.explain(one) == problems
    assert check(struct, rules) == problems, "it does not depend on what was checked before"
    return problems


def found(invoice: dict[str, Any], rules: RuleSet = RULES) -> list[tuple[str, str | None]]:
    """The same: each rule with the field."""
    return [(problem.rule, problem.field) for problem in problems_of(invoice, rules)]


def messages(invoice: dict[str, Any], rules: RuleSet = RULES) -> list[str]:
    """The same: what is said."""
    return [problem.message for problem in problems_of(invoice, rules)]
