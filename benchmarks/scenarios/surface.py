"""Throughput over chunk size and concurrency, for servers that answer at once, after 50 ms and after 200 ms."""

import statistics
from math import log2

from benchmarks.arena import Arena, Sink
from benchmarks.figures import Part

TITLE = "Chunk size and concurrency"
MINUTES = 25

CHUNKS = (10, 25, 50, 100, 250, 500)
AT_ONCE = (1, 2, 4, 8, 16, 32)
DELAYS = (0.0, 0.05, 0.2)
ROUNDS = 3
"""It is a plot and has no goal: 108 cells of one to five seconds each."""
_FLIGHTS = 20
"""Round trips in a run, beside those of the slow start."""


def measure(arena: Arena) -> Part:
    quick = arena.options.quick
    chunks, at_once, delays = ((25, 100), (2, 8), (0.0, 0.05)) if quick else (CHUNKS, AT_ONCE, DELAYS)
    cells = {(delay, many, chunk): list[float]() for delay in delays for many in at_once for chunk in chunks}
    for _ in arena.rounds(MINUTES, 1 if quick else ROUNDS):
        for delay in delays:
            with arena.sink(**({"delay": delay} if delay else {})) as sink:
                for many in at_once:
                    arena.say(f"{delay * 1000:.0f} ms, {many} at once")
                    for chunk in chunks:
                        cells[delay, many, chunk].append(_cell(arena, sink, delay, many, chunk))
    panels = [
        {
            "delay_ms": delay * 1000,
            "chunks": list(chunks),
            "lines": [
                {"at_once": many, "speed": [statistics.median(cells[delay, many, chunk]) for chunk in chunks]}
                for many in at_once
            ],
        }
        for delay in delays
    ]
    return Part([], {"panels": panels, "rounds": len(next(iter(cells.values())))})


def _cell(arena: Arena, sink: Sink, delay: float, many: int, chunk: int) -> float:
    largest = 5_000 if arena.options.quick else 60_000
    count = largest
    if delay:
        count = min(largest, int(many * chunk * (_FLIGHTS + log2(many))))
    job = {"file": arena.file(largest), "count": count, "chunk": chunk, "concurrency": many}
    return count / float(arena.run("ours-lines", sink, warm=0, **job)["run"])
