"""How long until something happens: the command line's help, and the import; each in a fresh process, in turns."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.arena import ROOT, Arena
from benchmarks.figures import Figure, Goal, Part, ratios

TITLE = "Start-up"
MINUTES = 3

_TURNS = 5
"""Starts of each a round, of which the median counts: one is over in milliseconds, and easily disturbed."""


def measure(arena: Arena) -> Part:
    turns = 1 if arena.options.quick else _TURNS
    took: dict[str, list[float]] = defaultdict(list)
    for _ in arena.rounds(MINUTES):
        for name, seconds in once(turns).items():
            took[name].append(seconds)
    return Part(
        [
            Figure(
                "`cashin-async --help`, of `python -c ''`", ratios(took["help"], took["nothing"]), goal=Goal(most=5)
            ),
            Figure(
                "`import cashin_async`, of `import aiohttp`",
                ratios(took["ours"], took["aiohttp"]),
                goal=Goal(most=0.25),
            ),
            Figure("`cashin-async --help`", [one * 1000 for one in took["help"]], "ms"),
            Figure("`import cashin_async`", [one * 1000 for one in took["ours"]], "ms"),
        ]
    )


def once(turns: int, handicap: float = 1.0) -> dict[str, float]:
    """Seconds of each, the median of some turns. Of an import only what it adds to the interpreter's own start.

    `handicap`: how many times slower this project is to look, for the guard.
    """
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(turns):
        took["nothing"].append(_whole([sys.executable, "-c", ""]))
        took["help"].append(_whole([*command_line(), "--help"], handicap))
        took["ours"].append(_import("cashin_async", handicap))
        took["aiohttp"].append(_import("aiohttp"))
    return {name: statistics.median(times) for name, times in took.items()}


def command_line() -> list[str]:
    script = Path(sys.executable).with_name("cashin-async")
    return [sys.executable, *([str(script)] if script.exists() else ["-m", "cashin_async"])]


def _whole(command: list[str], handicap: float = 1.0) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, env=_environment())
    time.sleep((time.perf_counter() - started) * (handicap - 1))
    return time.perf_counter() - started


def _import(module: str, handicap: float = 1.0) -> float:
    code = (
        f"import time; a = time.perf_counter(); import {module}; b = time.perf_counter(); print((b - a) * {handicap})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env=_environment()
    )
    return float(done.stdout)


def _environment() -> dict[str, str]:
    """With bytecode written, as an installed package has it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
