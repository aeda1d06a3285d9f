"""What a correct Finnish invoice is: rules that check one before it is sent, and builders that make one.

    from cashin_async import rules

    problems = rules.check(invoice)
    problems = rules.check(invoice, rules.RuleSet(severities={"postal-code": "off"}, own=[my_rule]))

Pure functions: no input or output, no clock. Every rule, its source and its examples: docs/rules.md.
"""

from cashin_async.rules.barcode import BankBarcode, parse_bank_barcode
from cashin_async.rules.builders import bank_barcode, credit_note
from cashin_async.rules.catalogue import RULES, Rule
from cashin_async.rules.identity import ovt_code, vat_number
from cashin_async.rules.problem import Problem, Severity
from cashin_async.rules.reading import Written
from cashin_async.rules.reference import Reference, parse_reference, reference_for, rf_reference
from cashin_async.rules.ruleset import OwnRule, RuleSet, severities_of
from cashin_async.rules.terms import due_date
from cashin_async.rules.vat import VatRates, vat_rates

__all__ = [
    "RULES",
    "BankBarcode",
    "OwnRule",
    "Problem",
    "Reference",
    "Rule",
    "RuleSet",
    "Severity",
    "VatRates",
    "bank_barcode",
    "check",
    "credit_note",
    "due_date",
    "ovt_code",
    "parse_bank_barcode",
    "parse_reference",
    "reference_for",
    "rf_reference",
    "severities_of",
    "vat_number",
    "vat_rates",
]

_ALL_RULES = RuleSet()


def check(invoice: Written, rules: RuleSet = _ALL_RULES) -> list[Problem]:
    """What is wrong with an invoice, by `rules`; an empty list when nothing is.

    `invoice`: a struct, a dict of the published names, or the bytes of its JSON. Raises nothing for what it holds.
    """
    return rules.check(invoice)
