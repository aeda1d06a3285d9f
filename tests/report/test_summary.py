"""The summary's verdict, and what it says of earlier runs."""

import io
from typing import Any

import pytest
from rich.console import Console

from cashin_async.bulk.outcome import State, UploadReport
from cashin_async.report.summary import failure_lines, few, print_summary, settled_lines, verdict
from cashin_async.sources.source import SourceProblem
from tests.report.conftest import ended, group

ACCEPTED = group(State.ACCEPTED, b"", b"")
PROBLEMS = [SourceProblem("cannot be read")]


def report(*groups: Any, **facts: Any) -> UploadReport:
    made = ended(*groups)
    for name, value in facts.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (report(), "There was no invoice to upload."),
        (report(problems=PROBLEMS), "Nothing could be read."),
        (report(ACCEPTED), "All 2 invoices are accepted."),
        (report(group(State.ACCEPTED, b"")), "The invoice is accepted."),
        (report(group(State.DUPLICATE, b"")), "The invoice is a duplicate."),
        (
            report(ACCEPTED, problems=PROBLEMS),
            "All 2 invoices are accepted, but not every input could be read to its end.",
        ),
        (
            report(ACCEPTED, group(State.DUPLICATE, b"")),
            "All 3 invoices are accounted for: 2 accepted, 1 duplicate.",
        ),
        (report(ACCEPTED, released=[7]), "All 2 invoices are accepted, but 1 released before is still to be sent."),
        (report(released=[7, 8]), "There was no invoice to upload, but 2 released before are still to be sent."),
        (report(ACCEPTED, group(State.UNKNOWN, b""), released=[7]), "2 of 3 invoices are accepted, 1 needs a look."),
        (
            report(ACCEPTED, group(State.DUPLICATE, b""), group(State.INVALID, b"")),
            "2 of 4 invoices are accepted, 1 is a duplicate, 1 needs a look.",
        ),
        (report(group(State.INVALID, b"", b"")), "0 of 2 invoices are accepted, 2 need a look."),
        (report(ACCEPTED, read_to_end=False), "All 2 invoices read are accepted."),
        (report(ACCEPTED, stopped="HTTP 401"), "Stopped: HTTP 401."),
        (report(ACCEPTED, interrupted=True), "Interrupted: 2 of the 2 invoices read are accepted."),
    ],
)
def test_the_verdict(one: UploadReport, said: str) -> None:
    assert verdict(one) == said
    assert one.ok == said.endswith((" accepted.", "duplicate.", "duplicates.", "upload.")) or one.interrupted


def test_earlier_runs() -> None:
    one = report(ACCEPTED, settled_accepted=[1], settled_released=[*range(2, 14)], released=[*range(2, 14)])
    twelve = "    2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert list(settled_lines(one)) == [
        "1 unknown before; a look-up found them, they are accepted\n    1",
        f"12 unknown before; a look-up did not find them, they are released\n{twelve}",
        f"12 released and not in this input; they are still to be uploaded\n{twelve}",
    ]
    out = io.StringIO()
    print_summary(one, Console(file=out, width=80))
    for line in settled_lines(one):
        assert line in out.getvalue()


def test_a_limit_is_said() -> None:
    out = io.StringIO()
    print_summary(report(ACCEPTED, read_to_end=False), Console(file=out, width=80))
    assert "The input was not read to its end" in out.getvalue()


def test_a_few_of_many() -> None:
    assert few([]) == ""
    assert few([1, 2]) == "1, 2"
    assert few(range(1, 11)) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
    assert few(range(1, 11), 1_010) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1,000 more"


def test_a_rule_that_is_broken_in_many_ways_is_said_once() -> None:
    digits = [f"Reference: check digit is {digit}, 3 would be right (reference)" for digit in (1, 2, 4)]
    one = report(*(group(State.INVALID, b"", b"", first=10 * place, reason=why) for place, why in enumerate(digits, 1)))
    assert list(failure_lines(one)) == [
        "invalid: Reference is a Finnish reference with the right check digit, in the national or the RF form. "
        f"(reference; 3 different reasons, the first: {digits[0]})",
        "    10, 11, 20, 21, 30, 31",
    ]
    alone = report(group(State.INVALID, b"", reason=digits[0]))
    assert list(failure_lines(alone)) == [f"invalid: {digits[0]}", "    1"]


def test_refusals_that_differ_by_number_only_are_one_kind() -> None:
    refused = [
        group(State.REJECTED, b"", first=number, reason=f"HTTP 400: no {number}") for number in range(70_000, 70_012)
    ]
    told = list(failure_lines(report(*refused, group(State.UNKNOWN, b"", reason="no answer"))))
    assert told[:3] == ["unknown: no answer", "    1", "rejected: HTTP 400: no …"]
    assert told[3].endswith("70008, 70009 and 2 more")


def test_further_kinds_are_counted() -> None:
    many = [group(State.REJECTED, b"", reason=f"HTTP 400: {word}") for word in "abcdefghijklm"]
    assert list(failure_lines(report(*many)))[-1] == "... and 3 more reasons"
