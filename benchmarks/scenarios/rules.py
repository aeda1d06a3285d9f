"""What the rules cost: on one invoice, on a file with `check`, and in an upload. No rule finds anything."""

import subprocess
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.arena import ROOT, Arena, Taken
from benchmarks.figures import Figure, Goal, Part, ratios
from benchmarks.scenarios.startup import command_line

TITLE = "Rules"
MINUTES = 6

_KINDS = {
    "ordinary": "an invoice of one row",
    "loaded": "the same with bar code, personal code and e-invoice address",
}
_LEVELS = ("off", "warn", "enforce")


def measure(arena: Arena) -> Part:
    count = arena.options.invoices
    file = arena.file(2 * count, correct=True)
    alone: list[Taken] = []
    checked: list[float] = []
    sent: dict[str, list[float]] = defaultdict(list)
    with arena.sink() as sink:
        for number in arena.rounds(MINUTES):
            alone.append(arena.run("rules", warm=0))
            checked.append(2 * count / _check(file))
            for level in _LEVELS if number % 2 else reversed(_LEVELS):
                taken = arena.run("ours-lines", sink, file=file, settings={"rules": level})
                sent[level].append(taken["invoices"] / taken["seconds"])
    file.unlink()  # half a gigabyte
    return Part(
        [
            *(figure for kind, label in _KINDS.items() for figure in _of_one(kind, label, alone)),
            Figure(
                f"`cashin-async check` of {2 * count:,}, the whole process",
                checked,
                "invoices a second",
                Goal(least=40_000),
            ),
            Figure('upload of JSON Lines, `rules="warn"` of `"off"`', ratios(sent["warn"], sent["off"])),
            Figure('the same, `rules="enforce"` of `"off"`', ratios(sent["enforce"], sent["off"])),
        ]
    )


def _of_one(kind: str, label: str, taken: list[Taken]) -> list[Figure]:
    """As a struct and as bytes that were read before, each beside the writing of it as JSON by Python's own."""
    struct, read, dumped = ([one[f"{kind}_{way}"] for one in taken] for way in ("struct", "bytes", "json"))
    goal = Goal(most=12) if kind == "ordinary" else None
    return [
        Figure(f"{label}: `rules.check` of a struct", struct, "µs", goal),
        Figure("the same, of `json.dumps`", ratios(struct, dumped)),
        Figure("the same invoice as JSON, in an upload or `check`", read, "µs"),
        Figure("the same, of `json.dumps`", ratios(read, dumped)),
    ]


def _check(file: Path) -> float:
    """Seconds, from the start of the process to its end."""
    nothing = subprocess.DEVNULL
    started = time.perf_counter()
    subprocess.run([*command_line(), "check", str(file)], cwd=ROOT, stdout=nothing, stderr=nothing, check=True)
    return time.perf_counter() - started
