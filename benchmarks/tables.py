"""The results as Markdown."""

import statistics
from importlib import import_module

from benchmarks.figures import Figure, written
from benchmarks.machine import in_words
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS


def whole(results: Results) -> str:
    """What it was measured on, the programs, and every figure."""
    return "\n\n".join(part for part in (_measured_on(results), _programs(results), _figures(results)) if part)


def _measured_on(results: Results) -> str:
    """One sentence for each machine and day, since scenarios can be measured again one by one."""
    sentences: dict[str, list[str]] = {}
    for name in SCENARIOS:
        if part := results.get(name):
            where = f"Measured on {part['measured']}, {part['rounds']} rounds: {in_words(part['machine'])}."
            sentences.setdefault(where, []).append(_title(name))
    if len(sentences) == 1:
        return next(iter(sentences))
    return "\n".join(f"- {', '.join(titles)}: {where}" for where, titles in sentences.items())


def _programs(results: Results) -> str:
    if "throughput" not in results:
        return ""
    rows = [
        f"| program, {results['throughput']['invoices']:,} invoices | invoices a second"
        " | of the raw socket with JSON Lines | peak memory, MB | busy processor |",
        "|---|---|---|---|---|",
    ]
    programs = results["throughput"]["data"]["programs"]
    for one in sorted(programs, key=lambda one: -statistics.median(one["speed"])):
        label = f"**{one['label']}**" if one["ours"] else one["label"]
        speed, memory, busy = (statistics.median(one[name]) for name in ("speed", "peak_mb", "processor"))
        rows.append(
            f"| {label} | {speed:,.0f} | {Figure('', one['of_raw']).text()} | {memory:,.0f} | {100 * busy:.0f} % |"
        )
    return "\n".join(rows)


def _figures(results: Results) -> str:
    rows = ["| figure | median (minimum to maximum) | goal | met |", "|---|---|---|---|"]
    for name in SCENARIOS:
        figures = [Figure.of(values) for values in results.get(name, {}).get("figures", [])]
        if figures:
            rows.append(f"| **{_title(name)}** | | | |")
        for figure in figures:
            goal = figure.goal.text(figure.unit) if figure.goal else ""
            met = {None: "", True: "yes", False: "**no**"}[figure.met]
            rows.append(f"| {figure.what} | {figure.text()} | {goal} | {met} |")
    return "\n".join(rows) if len(rows) > 2 else ""


def best_of_surface(results: Results) -> str:
    """For each server the fastest setting, and the smallest one that comes within a tenth of it."""
    if "surface" not in results:
        return ""
    rows = ["| a server that answers | fastest | enough for nine tenths of it |", "|---|---|---|"]
    for panel in results["surface"]["data"]["panels"]:
        cells = [
            (speed, line["at_once"], chunk)
            for line in panel["lines"]
            for chunk, speed in zip(panel["chunks"], line["speed"], strict=True)
        ]
        most, many, chunk = max(cells)
        _, few, small = min((cell for cell in cells if cell[0] >= 0.9 * most), key=lambda cell: cell[1] * cell[2])
        after = f"after {panel['delay_ms']:.0f} ms" if panel["delay_ms"] else "at once"
        rows.append(
            f"| {after} | {many} at once, chunks of {chunk}: {written(most)} invoices a second"
            f" | {few} at once, chunks of {small} |"
        )
    return "\n".join(rows)


def _title(name: str) -> str:
    title: str = import_module(f"benchmarks.scenarios.{name}").TITLE
    return title
