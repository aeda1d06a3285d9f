"""`cashin-async upload --rules`: what breaks a rule is not sent by default."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine, server

GOOD = {"InvoiceNumber": 1, "Reference": "2516000013"}
BROKEN = {"InvoiceNumber": 2, "Reference": "2516000017"}
SPACED = {"InvoiceNumber": 3, "Reference": "25160 00013"}
REASON = "Reference: check digit is 7, 3 would be right (reference)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "invoices.jsonl"
    path.write_text("".join(f"{json.dumps(invoice)}\n" for invoice in (GOOD, BROKEN, SPACED)))
    return path


@pytest.mark.parametrize(
    ("options", "variable", "accepted"),
    [
        ((), None, [1, 3]),
        (("--rules", "enforce"), "off", [1, 3]),
        (("--rules", "warn"), None, [1, 2, 3]),
        (("--rules", "off"), None, [1, 2, 3]),
        ((), "warn", [1, 2, 3]),
        (("--rule", "reference=warning"), None, [1, 2, 3]),
        (("--rule", "reference-spaces=error"), None, [1]),
        (("--rule", "reference-spaces=error", "--rule", "reference-spaces=off"), None, [1, 3]),
    ],
)
def test_modes(
    cashin: CommandLine, file: Path, options: tuple[str, ...], variable: str | None, accepted: list[int]
) -> None:
    with server() as simulator:
        done = cashin.run("upload", str(file), "--json", *options, url=simulator.url, CASHIN_RULES=variable)
        assert sorted(simulator.store.numbers) == accepted
    assert done.code == (0 if len(accepted) == 3 else 1)
    assert done.json["invalid"] == 3 - len(accepted)


def test_what_is_said(cashin: CommandLine, file: Path, tmp_path: Path) -> None:
    failed = tmp_path / "failed.jsonl"
    with server() as simulator:
        done = cashin.run("upload", str(file), "--failed", str(failed), url=simulator.url)
    assert f"invalid: {REASON}\n    {file}:2 (2)\n" in done.out
    assert "rules broken: reference 1, reference-spaces 1 (`cashin-async check` shows where" in done.out
    assert json.loads(failed.read_text()) == BROKEN


def test_mended_it_goes(cashin: CommandLine, file: Path) -> None:
    with server() as simulator:
        cashin.run("upload", str(file), url=simulator.url)
        file.write_text(json.dumps({**BROKEN, "Reference": "2516000013"}) + "\n")
        done = cashin.run("upload", str(file), "--json", url=simulator.url)
        assert sorted(simulator.store.numbers) == [1, 2, 3]
    assert done.counts == {"accepted": 1}


def test_the_help_tells_the_command_lines_default(cashin: CommandLine) -> None:
    assert "[default: enforce]" in " ".join(cashin.run("upload", "--help").out.split())


def test_a_rule_that_does_not_exist(cashin: CommandLine, file: Path) -> None:
    with server() as simulator:
        done = cashin.run("upload", str(file), "--rule", "referense=off", url=simulator.url)
        assert (done.code, simulator.requests) == (2, 0)
    assert "did you mean reference?" in done.err
