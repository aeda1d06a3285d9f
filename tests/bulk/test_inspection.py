"""What the rules find is counted, told or refused."""

import pytest

from cashin_async.bulk.inspection import Inspection, Rules, said
from cashin_async.rules import Problem, RuleSet, Severity

GOOD = b'{"InvoiceNumber": 1, "Reference": "13"}'.replace(b'"13"', b'"1232"')
WARNS = b'{"InvoiceNumber": 2, "Reference": "12 32"}'
BREAKS = b'{"InvoiceNumber": 3, "Reference": "1233", "InvoiceDate": "2026-02-03", "DueDate": "2026-02-01"}'
ALL = [GOOD, WARNS, BREAKS, GOOD, BREAKS]
REASON = "Reference: check digit is 3, 2 would be right (reference); DueDate: is before InvoiceDate (due-before-issued)"


@pytest.mark.parametrize(
    ("rules", "refusals", "broken"),
    [
        ("off", {}, {}),
        ("warn", {}, {"reference-spaces": 1, "reference": 2, "due-before-issued": 2}),
        ("enforce", {2: REASON, 4: REASON}, {"reference-spaces": 1, "reference": 2, "due-before-issued": 2}),
    ],
)
def test_modes(rules: Rules, refusals: dict[int, str], broken: dict[str, int]) -> None:
    inspection = Inspection(rules)
    assert inspection.refusals(ALL) == refusals
    assert inspection.broken == broken


def test_one_alone() -> None:
    inspection = Inspection("enforce")
    assert (inspection.refusal(GOOD), inspection.refusal(WARNS), inspection.refusal(BREAKS)) == (None, None, REASON)


@pytest.mark.parametrize(("rules", "told"), [("off", []), ("warn", [2, 3, 3]), ("enforce", [2])])
def test_what_is_sent_all_the_same_is_told(rules: Rules, told: list[int]) -> None:
    problems: list[Problem] = []
    Inspection(rules, tell=problems.append).refusals([GOOD, WARNS, BREAKS])
    assert [problem.invoice_number for problem in problems] == told


def test_a_rule_set_decides_what_is_an_error() -> None:
    lenient = RuleSet(severities={"reference": "warning", "due-before-issued": "off"})
    assert Inspection("enforce", lenient).refusals(ALL) == {}
    strict = RuleSet(severities={"reference-spaces": "error"})
    assert list(Inspection("enforce", strict).refusals(ALL)) == [1, 2, 4]


def test_said() -> None:
    problem = Problem(rule="own", severity=Severity.ERROR, message="is odd")
    assert said(problem) == "is odd (own)"
