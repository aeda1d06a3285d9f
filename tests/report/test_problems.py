"""What a check counts, and how it is shown: the same words with colours on a terminal and without elsewhere."""

import io
import json
from typing import Any

import msgspec
import pytest
from rich.console import Console

from cashin_async.report.problems import (
    EXPLAINED,
    SHOWN,
    CheckView,
    Tally,
    json_line,
    located,
    no_invoice,
    print_problems,
    print_rule,
    progress_line,
    unreadable,
    verdict,
)
from cashin_async.rules import RULES, Problem, Rule, Severity
from cashin_async.sources.source import Place, SourceProblem

KEYS = ["file", "line", "invoice_number", "field", "rule", "severity", "message"]


def problem(
    rule: str = "reference", severity: Severity = Severity.ERROR, line: int = 1, file: str = "a.jsonl"
) -> Problem:
    return Problem(
        file=file,
        line=line,
        invoice_number=1000 + line,
        field="Reference",
        rule=rule,
        severity=severity,
        message="check digit is 7, 3 would be right",
    )


def warning(rule: str = "postal-code", line: int = 1) -> Problem:
    return problem(rule, Severity.WARNING, line)


def tally(*invoices: list[Problem], clean: int = 0, unread: int = 0) -> Tally:
    made = Tally()
    made.read = clean + len(invoices)
    for problems in invoices:
        made.add(problems)
    for place in range(unread):
        made.add_unreadable(unreadable(SourceProblem("Input/output error", f"{place}.jsonl", 7)))
    return made


def printed(made: Tally, **console: Any) -> str:
    out = io.StringIO()
    print_problems(made, Console(file=out, highlight=False, markup=False, **console), seconds=2.0)
    return out.getvalue()


# -- counted


def test_an_invoice_counts_once_for_each_severity() -> None:
    made = tally([problem(), problem("iban"), warning()], [warning()], [problem()], clean=2)
    assert made.as_dict() == {
        "read": 5,
        "clean": 2,
        "with_errors": 2,
        "with_warnings": 2,
        "by_rule": {"reference": 2, "iban": 1, "postal-code": 2},
    }
    assert made.problems == 5


def test_errors_come_first_and_then_the_most_frequent() -> None:
    made = tally([warning("vat-date"), warning("vat-date"), warning("operator")], [problem("iban")])
    made.add([problem("barcode"), problem("barcode")])
    assert [(one.rule, one.count) for one in made.found] == [
        ("barcode", 2),
        ("iban", 1),
        ("vat-date", 2),
        ("operator", 1),
    ]
    assert list(made.as_dict()["by_rule"]) == ["barcode", "iban", "vat-date", "operator"]


def test_one_rule_with_both_severities() -> None:
    """As a rule of the user's own may have."""
    made = tally([problem("own"), warning("own")], [warning("own")])
    assert [(one.severity, one.count) for one in made.found] == [("error", 1), ("warning", 2)]
    assert made.as_dict()["by_rule"] == {"own": 3}


def test_only_the_first_are_kept() -> None:
    made = Tally()
    for line in range(1, 1_001):
        made.add([problem(line=line)])
    (found,) = made.found
    assert found.count == 1_000
    assert [example.line for example in found.examples] == list(range(1, SHOWN + 1))


def test_an_input_that_cannot_be_read_is_no_invoice() -> None:
    made = tally(clean=3, unread=2)
    assert made.as_dict() == {
        "read": 3,
        "clean": 3,
        "with_errors": 0,
        "with_warnings": 0,
        "by_rule": {"unreadable": 2},
    }


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (tally(), 0),
        (tally(clean=1), 0),
        (tally([warning()]), 0),
        (tally([warning(), problem()]), 1),
        (tally(clean=1, unread=1), 2),
        (tally([problem()], unread=1), 2),
    ],
)
def test_the_exit_code(made: Tally, code: int) -> None:
    assert made.exit_code == code


# -- as JSON


def test_a_line_of_json_has_the_keys_of_a_problem() -> None:
    assert list(Problem.__struct_fields__) == KEYS
    line = json_line(problem(file="ä\n.jsonl"))
    assert line.isascii()
    assert "\n" not in line
    assert list(json.loads(line)) == KEYS
    assert json.loads(line) == {
        "file": "ä\n.jsonl",
        "line": 1,
        "invoice_number": 1001,
        "field": "Reference",
        "rule": "reference",
        "severity": "error",
        "message": "check digit is 7, 3 would be right",
    }
    assert json.loads(json_line(no_invoice("is cut short")))["file"] is None


def test_names_that_are_no_text_are_valid_json() -> None:
    """Half a surrogate pair, as of a file's name that is not UTF-8, is refused by strict readers of JSON."""
    name = "a\udcff.jsonl"
    (there,) = located([problem()], Place(name, 5))
    for one in (there, unreadable(SourceProblem("Is a directory", name))):
        assert msgspec.json.decode(json_line(one))["file"] == "a\\udcff.jsonl"
    assert there.line == 5


# -- in words


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (tally(), "There was no invoice to check."),
        (tally(unread=1), "Nothing could be read."),
        (
            tally(clean=1),
            "1 invoice read, 1 clean, 0 with errors, 0 with warnings; 2 s, 0 invoices/s",
        ),
        (
            tally(*[[problem(), warning()]] * 1_200, clean=98_800),
            "100,000 invoices read, 98,800 clean, 1,200 with errors, 1,200 with warnings; 2 s, 50,000 invoices/s",
        ),
        (
            tally(clean=40, unread=1),
            "40 invoices read, 40 clean, 0 with errors, 0 with warnings; 1 input not read to the end; 2 s,"
            " 20 invoices/s",
        ),
        (
            tally(clean=40, unread=3),
            "40 invoices read, 40 clean, 0 with errors, 0 with warnings; 3 inputs not read to the end; 2 s,"
            " 20 invoices/s",
        ),
    ],
)
def test_the_verdict(made: Tally, said: str) -> None:
    assert verdict(made, seconds=2.0) == said
    assert printed(made, width=60).splitlines()[-1] == said


def test_the_verdict_of_an_interrupted_check() -> None:
    said = "Interrupted: 0 invoices read, 0 clean, 0 with errors, 0 with warnings; 0 s, 0 invoices/s"
    assert verdict(tally(), seconds=0.0, interrupted=True) == said


def test_plain_text_is_not_cut() -> None:
    made = tally(*([problem(line=line, file="x" * 100), warning()] for line in range(1, 1_235)), unread=1)
    lines = printed(made, width=40, height=10).splitlines()
    assert lines[0].split() == ["rule", "severity", "problems"]
    assert lines[1] == "reference    error        1,234"
    assert lines[2] == f"    {'x' * 100}:1 (1001) Reference: check digit is 7, 3 would be right"
    assert lines[2 + SHOWN] == "    and 1,224 more"
    assert lines[3 + SHOWN : 5 + SHOWN] == ["unreadable   error            1", "    0.jsonl:7: Input/output error"]
    assert lines[5 + SHOWN] == "postal-code  warning      1,234"
    assert lines[-3:-1] == ["", "What a rule is, and how to switch it: cashin-async check --explain reference"]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(("height", "examples"), [(24, 4), (60, SHOWN), (5, 1)])
def test_a_terminal_is_not_overrun(height: int, examples: int) -> None:
    codes = ("reference", "iban", "barcode")
    made = tally(*([problem(rule, line=line) for rule in codes] for line in range(1, 101)))
    text = printed(made, width=80, height=height, force_terminal=True, color_system=None)
    assert text.count("a.jsonl:") == len(codes) * examples
    assert text.count(f"and {100 - examples} more") == len(codes)
    assert max(map(len, text.splitlines()[:-1])) <= 80
    if height > 5:
        assert len(text.splitlines()) <= height


def test_names_and_messages_do_not_steer_the_terminal() -> None:
    odd = msgspec.structs.replace(problem(file="\x1b[2J\r[red].jsonl"), message="\x07", rule="own\x1b")
    text = printed(tally([odd]), width=200)
    assert "\\x1b[2J\\r[red].jsonl:1 (1001) Reference: \\x07" in text
    assert not {"\x1b", "\r", "\x07"} & set(text)


# -- a rule


@pytest.mark.parametrize("rule", EXPLAINED.values(), ids=lambda rule: rule.code)
def test_a_rule_explained(rule: Rule) -> None:
    out = io.StringIO()
    print_rule(rule, Console(file=out, width=80, highlight=False, markup=False))
    text = out.getvalue()
    words = " ".join(text.split())
    assert text.startswith(f"{rule.code} ({rule.severity})\n")
    for part in (rule.summary, rule.detail, rule.source):
        assert " ".join(part.split()) in words
    assert f"Right:  {rule.right}\nWrong:  {rule.wrong}\n" in text
    for switch in (f"--rule {rule.code}=off", f'CASHIN_RULE_SEVERITIES="{rule.code}=off"', f'{{"{rule.code}": "off"}}'):
        assert (switch in text) == (rule.code in RULES)


def test_every_rule_can_be_explained() -> None:
    assert EXPLAINED.keys() == {*RULES, "conflict", "unreadable"}


# -- while it runs


def test_the_progress_in_one_line() -> None:
    made = tally([problem()], clean=11_999)
    assert progress_line(made, 4.0, 0.25) == "12,000 read, 1 problem, 3,000 invoices/s, about 12 s left"
    assert progress_line(made, 4.0, None) == "12,000 read, 1 problem, 3,000 invoices/s"
    assert progress_line(made, 4.0, 1.0) == "12,000 read, 1 problem, 3,000 invoices/s"
    assert progress_line(tally(), 0.0, 0.0) == "0 read, 0 problems, 0 invoices/s"


@pytest.mark.parametrize("quiet", [False, True])
def test_a_plain_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    now = 1000.0
    monkeypatch.setattr("cashin_async.report.problems.time.monotonic", lambda: now)
    with CheckView(quiet) as view:
        for _ in range(100):
            now += 0.25
            if view.due:
                view.show(tally(clean=2_000), 1.0, None)
        view.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ([] if quiet else ["2,000 read, 0 problems, 2,000 invoices/s"] * 5)
