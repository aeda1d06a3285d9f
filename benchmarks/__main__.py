"""Run the suite, or the named scenarios of it.

    python -m benchmarks [NAME...] [--rounds 7] [--invoices 100000] [--quick] [--results FILE] [--draw]

Every scenario prints its figures, each with its goal, and replaces its own part of results.json. After a run of all of
them, and with --draw, the tables and plots are drawn from that file; --draw alone only draws. --quick shows that
everything works and keeps nothing, unless a file is named.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.arena import Arena, Options
from benchmarks.drawing import draw
from benchmarks.figures import Figure
from benchmarks.results import RESULTS, load, save
from benchmarks.scenarios import SCENARIOS

_NEEDED = ("httpx", "pydantic", "requests", "uvloop")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--rounds", type=int, help="7, quick 1")
    parser.add_argument("--invoices", type=int, help="100,000, quick 5,000")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", type=Path, help="another file than benchmarks/results.json")
    parser.add_argument("--draw", action="store_true")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(SCENARIOS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    results: Path | None = chosen.results or (None if chosen.quick else RESULTS)
    whole = not chosen.names and not chosen.draw
    names = SCENARIOS if whole else tuple(name for name in SCENARIOS if name in chosen.names)
    if names:
        _need_peers()
        options = Options(
            chosen.rounds or (1 if chosen.quick else 7),
            chosen.invoices or (5_000 if chosen.quick else 100_000),
            chosen.quick,
        )
        _measure(names, options, results)
    if results is not None and (chosen.draw or whole):
        draw(load(results))
    return 0


def _need_peers() -> None:
    for name in _NEEDED:
        try:
            import_module(name)
        except ImportError:
            sys.exit(f"benchmarks: {name} is missing; it is in the dependency group `bench` of pyproject.toml")


def _measure(names: Sequence[str], options: Options, results: Path | None) -> None:
    for variable in [name for name in os.environ if name.startswith("CASHIN_")]:
        del os.environ[variable]  # what is measured are the defaults
    with Arena(options) as arena:
        for name in names:
            scenario = import_module(f"benchmarks.scenarios.{name}")
            print(f"{scenario.TITLE} ({name})", flush=True)
            began = time.monotonic()
            part = scenario.measure(arena)
            for figure in part.figures:
                _show(figure)
            print(f"  {time.monotonic() - began:.0f} s", flush=True)
            if results is not None:
                save(results, name, part, arena.machine, options)


def _show(figure: Figure) -> None:
    goal = f"  goal {figure.goal.text('')}: {'met' if figure.met else 'NOT MET'}" if figure.goal else ""
    print(f"  {figure.what:72} {figure.text():34}{goal}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
