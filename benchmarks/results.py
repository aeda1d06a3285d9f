"""The file with the results: one part a scenario, with when and where it was measured."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.arena import Options
from benchmarks.figures import Part

RESULTS = Path(__file__).with_name("results.json")

Results = dict[str, dict[str, Any]]
"""Scenario: {"measured": a day, "machine", "rounds", "invoices", "figures", "data"}."""


def load(path: Path) -> Results:
    results: Results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return results


def save(path: Path, name: str, part: Part, machine: dict[str, str], options: Options) -> None:
    """Put one scenario's part in the place of its last one; the others stay."""
    results = load(path)
    results[name] = {
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "rounds": part.rounds(),
        "invoices": options.invoices,
        "figures": [figure.as_dict() for figure in part.figures],
        "data": part.data,
    }
    path.write_text(json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Five digits that count: more would only make the file's changes unreadable."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(member) for key, member in value.items()}
    return [_rounded(member) for member in value] if isinstance(value, list) else value
