"""docs/rules.md is what the catalogue makes, and the examples of both pages run and print what stands there."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from cashin_async.report.rules import COMMAND, rules_page
from cashin_async.rules import RULES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "rules.md"


def test_the_page_is_what_the_catalogue_makes() -> None:
    assert PAGE.read_bytes() == rules_page().encode(), f"the rules have changed, run: {COMMAND}"


def test_the_command_makes_it() -> None:
    module = COMMAND.split()[2]
    made = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"}
    )
    assert made.stdout == PAGE.read_bytes()


@pytest.mark.parametrize("page", ["rules.md", "building.md"])
def test_the_examples_print_what_stands_there(page: str) -> None:
    examples = re.findall(
        r"```python\n(.*?)```\n\n```text\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert examples
    for code, printed in examples:
        with redirect_stdout(io.StringIO()) as out:
            exec(compile(code, page, "exec"), {"__name__": "example"})
        assert out.getvalue() == printed


def test_every_rule_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| [`{rule.code}`](#{rule.code}) | {rule.severity} | " in page
        section = page.split(f"### `{rule.code}`\n", 1)[1].split("\n### ", 1)[0]
        for part in (rule.summary, rule.detail, rule.source, rule.right, rule.wrong, f"--rule {rule.code}=off"):
            assert part in section
    assert page.count("\n### ") == len(RULES)
    errors, warnings = page.split("\n## Warnings\n")
    assert {code for code in RULES if f"\n### `{code}`" in errors} == {
        code for code, rule in RULES.items() if rule.severity == "error"
    }
    assert warnings.count("\n### ") == sum(rule.severity == "warning" for rule in RULES.values())
