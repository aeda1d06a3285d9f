"""What the ledger costs: uploads with it and without it, in turns; and what a second upload of the same file costs.

The opening and the closing of a ledger are not counted here, they come once a night; they are in the throughput table.
"""

import random
from pathlib import Path
from typing import Any

from benchmarks.arena import Arena, Sink, Taken
from benchmarks.figures import Figure, Goal, Part

TITLE = "Ledger"
MINUTES = 3  # each of the five comparisons

_CASES = (
    ("ledger on, of ledger off: server of 50 ms, chunks of 100", 0.05, 100, False, Goal(least=0.95)),
    ("the same, chunks of 500", 0.05, 500, False, Goal(least=0.95)),
    ("ledger on, of ledger off: server that answers at once, chunks of 100", 0.0, 100, False, Goal(least=0.85)),
    ("the same, chunks of 500", 0.0, 500, False, Goal(least=0.85)),
    ("the same, chunks of 100, numbers in no order", 0.0, 100, True, None),
)


def measure(arena: Arena) -> Part:
    straight = arena.file(arena.options.invoices)
    shuffled = _shuffled(straight, arena.folder / "shuffled.jsonl")
    figures = []
    for case, (what, delay, chunk, in_no_order, goal) in enumerate(_CASES):
        file, values = shuffled if in_no_order else straight, []
        with arena.sink(**({"delay": delay} if delay else {})) as sink:
            for number in arena.rounds(MINUTES):
                place = str(arena.folder / f"ledger-{case}-{number}.db")
                sides: list[str | None] = [place, None]
                took = {
                    side: _upload(arena, sink, file, chunk, side) for side in (sides if number % 2 else sides[::-1])
                }
                values.append(took[None]["run"] / took[place]["run"])
        figures.append(Figure(what, values, goal=goal))
    return Part(figures + _again(arena, straight))


def _upload(arena: Arena, sink: Sink, file: Path, chunk: int, ledger: str | None) -> Taken:
    return arena.run("ours-lines", sink, file=file, chunk=chunk, ledger=ledger)


def _again(arena: Arena, file: Path) -> list[Figure]:
    """All duplicates: nothing is sent, so that only reading and finding out is left."""
    place, values = arena.folder / "again.db", []
    job: dict[str, Any] = {"file": file, "warm": 0}
    with arena.sink() as sink:
        _upload(arena, sink, file, 100, str(place))
        size = place.stat().st_size / arena.options.invoices
        for _ in arena.rounds(MINUTES):
            again = arena.run("ours-lines", sink, ledger=str(place), **job)
            assert again["duplicates"] == arena.options.invoices, again
            values.append(arena.run("ours-read", **job)["run"] / again["run"])
    return [
        Figure("all duplicates, of reading and checking alone", values, goal=Goal(least=1.0)),
        Figure("ledger's file, chunks of 100", [size], "bytes an invoice"),
    ]


def _shuffled(file: Path, target: Path) -> Path:
    lines = file.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    target.write_bytes(b"".join(lines))
    return target
