"""Failures that are alike: by rule, else by reason without what differs between invoices."""

import pytest

from cashin_async.bulk.grouping import Kind, first_of_each, kind_of, kinds_of
from cashin_async.bulk.inspection import said
from cashin_async.bulk.outcome import State
from cashin_async.rules import RULES, Problem, Severity


@pytest.mark.parametrize("code", RULES)
def test_what_breaks_a_rule_is_of_its_kind(code: str) -> None:
    problem = Problem(field="InvoiceRows[3].Tax", rule=code, severity=Severity.ERROR, message="12.3 is (not) right")
    for reason in (said(problem), f"{said(problem)}; Reference: other (reference); and 2 more"):
        assert kind_of(State.INVALID, reason) == Kind(State.INVALID, code, "")


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (State.INVALID, "is larger alone than a request may be: 1048999 bytes (chunk_bytes)", "... … bytes ..."),
        (State.INVALID, "InvoiceRows[12].Tax: Expected `number`, got `string`", "InvoiceRows[…].Tax: ..."),
        (State.REJECTED, 'named in FailedInvoices: {"InvoiceNumber": 260001001, "Message": "No"}', '... …, "Mess...'),
        (State.REJECTED, "HTTP 400: VAT must be 25.5 (vat-rate)", "HTTP 400: VAT must be 25.5 (vat-rate)"),
        (State.UNKNOWN, "unknown since run 20260806T080000Z-abc123, to be settled", "... since run …, to ..."),
        (State.UNSENT, None, ""),
    ],
)
def test_the_others_are_by_their_words(state: State, reason: str | None, words: str) -> None:
    kind = kind_of(state, reason)
    assert (kind.state, kind.rule) == (state, None)
    for part in words.split("..."):
        assert part in kind.words


def test_the_most_urgent_first_and_then_the_largest() -> None:
    kinds = kinds_of(
        {
            (State.UNSENT, "x"): 1000,
            (State.INVALID, "Reference: 1 (reference)"): 2,
            (State.INVALID, "is not JSON"): 4,
            (State.INVALID, "Reference: 2 (reference)"): 3,
            (State.UNKNOWN, "no answer"): 1,
        }
    )
    assert kinds == [
        (Kind(State.UNKNOWN, None, "no answer"), 1),
        (Kind(State.INVALID, "reference", ""), 5),
        (Kind(State.INVALID, None, "is not JSON"), 4),
        (Kind(State.UNSENT, None, "x"), 1000),
    ]


def test_many_kinds_of_one_outcome_do_not_push_out_those_of_another() -> None:
    rejected = [(Kind(State.REJECTED, None, str(number)), 1) for number in range(5)]
    invalid = (Kind(State.INVALID, "reference", ""), 3)
    assert first_of_each([*rejected, invalid], 2) == [*rejected[:2], invalid]
    assert first_of_each([], 2) == []
