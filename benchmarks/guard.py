"""The regression guard for CI: a minute's worth of ratios, each against a limit that only a real loss reaches.

    python -m benchmarks.guard [--handicap 1]

No absolute time decides, so that a slow machine passes. It exits with 1 and names the figure, its limit and its spread
when a median is beyond the limit. `--handicap 3` makes this project three times as slow and its memory grow, which has
to fail: the proof that the guard can.

It needs nothing but the package: no peer is measured here.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.arena import Arena, Options
from benchmarks.figures import Figure, Goal, ratios, written
from benchmarks.scenarios import startup

ROUNDS = 5
INVOICES = 20_000
LARGE = 100_000
"""For the memory: five times as many."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A ratio, as it usually is, and how far its rounds spread around that."""

    what: str
    usual: float
    spread: float
    """The largest distance of one round from `usual`, as a share of it."""
    larger_is_better: bool = True

    @property
    def goal(self) -> Goal:
        """Twice the spread away from the usual: a median of five rounds does not get there by chance. And a quarter at
        least, since that is how far single ratios are off on shared machines."""
        slack = max(0.25, 2 * self.spread)
        if self.larger_is_better:
            return Goal(least=self.usual * (1 - slack))
        return Goal(most=self.usual * (1 + slack))


# To be measured again when the engine becomes faster: a guard for the old speed would let all of the gain be lost.
# The values: a run of this guard prints them.
LINES = Watch("JSON Lines, of the same work on a blocking raw socket", 0.60, 0.25)
STRUCTS = Watch("built structs, of the same", 0.29, 0.28)
LEDGER = Watch("ledger on, of ledger off", 0.84, 0.23)
MEMORY = Watch("peak memory, 100,000 against 20,000", 1.03, 0.05, larger_is_better=False)
IMPORT = Watch("import cashin_async, of import aiohttp", 0.09, 0.30, larger_is_better=False)
HELP = Watch("cashin-async --help, of python -c ''", 4.2, 0.20, larger_is_better=False)


def measure(arena: Arena, handicap: float) -> dict[Watch, list[float]]:
    values: dict[Watch, list[float]] = defaultdict(list)
    small, large = arena.file(INVOICES), arena.file(LARGE)
    with arena.sink() as sink:
        for number in arena.rounds(1):
            raw_lines = arena.run("raw-lines", sink, file=small)["seconds"]
            lines = arena.run("ours-lines", sink, file=small, handicap=handicap)
            place = str(arena.folder / f"guard-{number}.db")
            ledger = arena.run("ours-lines", sink, file=small, ledger=place, handicap=handicap)
            raw_structs = arena.run("raw-built", sink)["seconds"]
            structs = arena.run("ours-structs", sink, handicap=handicap)["seconds"]
            values[LINES].append(raw_lines / lines["seconds"])
            values[STRUCTS].append(raw_structs / structs)
            values[LEDGER].append(lines["run"] / handicap / ledger["run"])  # slowed on both sides, it would not show
            if number < 2:  # it hardly varies
                much = arena.run("ours-lines", sink, file=large, count=LARGE, handicap=handicap)
                values[MEMORY].append(much["peak_mb"] / lines["peak_mb"])
            took = startup.once(1, handicap)
            for watch, one, other in ((IMPORT, "ours", "aiohttp"), (HELP, "help", "nothing")):
                values[watch] += ratios([took[one]], [took[other]])
    return values


def judge(values: dict[Watch, list[float]]) -> list[str]:
    """What is wrong, a sentence for each figure beyond its limit."""
    wrong = []
    for watch, rounds in values.items():
        figure = Figure(watch.what, rounds, goal=watch.goal)
        limit = watch.goal.text("")
        spread = max(abs(one / figure.median - 1) for one in rounds)
        print(f"{watch.what:56} {figure.text():22} spread {spread:.2f}  {limit}", flush=True)
        if not figure.met:
            wrong.append(
                f"{watch.what}: the median of {len(rounds)} rounds is {figure.text()}, the limit {limit};"
                f" usual is {written(watch.usual)}, give or take {100 * watch.spread:.0f} %"
            )
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handicap", type=float, default=1.0)
    handicap = parser.parse_args(arguments).handicap
    began = time.monotonic()
    with Arena(Options(ROUNDS, INVOICES)) as arena:
        wrong = judge(measure(arena, handicap))
    for sentence in wrong:
        print(f"benchmarks.guard: {sentence}", file=sys.stderr)
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
