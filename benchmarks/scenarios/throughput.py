"""The same 100,000 invoices through every program: chunks of 100, 8 at once, a sink that answers at once."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.arena import Arena, Sink, Taken
from benchmarks.figures import Figure, Goal, Part, ratios

TITLE = "Throughput"
MINUTES = 15


@dataclass(frozen=True, slots=True)
class Entry:
    """A program, and how the table calls it."""

    label: str
    program: str
    job: dict[str, Any] = field(default_factory=dict)
    ours: bool = False


ENTRIES = {
    "raw lines": Entry("blocking raw socket, JSON Lines", "raw-lines"),
    "raw built": Entry("blocking raw socket, built structs", "raw-built"),
    "blast": Entry("ready bytes blasted by raw sockets", "blast", {"at_least": 1.2}),
    "lines": Entry("cashin-async, JSON Lines", "ours-lines", ours=True),
    "ledger": Entry("cashin-async, JSON Lines, ledger on disk", "ours-lines", {"ledger": "new"}, ours=True),
    "uvloop": Entry("cashin-async, JSON Lines, uvloop", "ours-lines", {"uvloop": True}, ours=True),
    "structs": Entry("cashin-async, built structs", "ours-structs", ours=True),
    "async": Entry("cashin-async, built structs, async iterable", "ours-async", ours=True),
    "dicts": Entry("cashin-async, dicts", "ours-dicts", ours=True),
    "aiohttp": Entry("aiohttp + json + gather, dicts", "aiohttp-gather"),
    "requests": Entry("requests + json + 8 threads, dicts", "requests-threads"),
    "httpx workers": Entry("httpx + pydantic, 8 workers, dicts", "httpx-workers"),
    "httpx gather": Entry("httpx + pydantic + gather, 8 at once, dicts", "httpx-gather"),
}

FIGURES = (
    ("JSON Lines end to end, of the same work on a blocking raw socket", "lines", "raw lines", Goal(least=0.90)),
    ("built structs end to end, of the same", "structs", "raw built", Goal(least=0.90)),
    ("times httpx + pydantic + gather, 8 at once (structs)", "structs", "httpx gather", Goal(least=10)),
    ("times httpx + pydantic, 8 workers (dicts on both sides)", "dicts", "httpx workers", Goal(least=5.5)),
    ("times aiohttp + json + gather (structs)", "structs", "aiohttp", Goal(least=4)),
    ("times requests + json + threads (structs)", "structs", "requests", Goal(least=4)),
    ("built structs, of ready bytes blasted by raw sockets", "structs", "blast", Goal(least=0.07)),
    ("JSON Lines, of the same", "lines", "blast", Goal(least=0.12)),
    ("dicts, times aiohttp + json + gather", "dicts", "aiohttp", None),
    ("dicts, times requests + json + threads", "dicts", "requests", None),
    ("async iterable of structs, of a plain one", "async", "structs", None),
    ("with uvloop, of asyncio's own loop (JSON Lines)", "uvloop", "lines", None),
    ("raw socket with JSON Lines, of ready bytes", "raw lines", "blast", None),
)
"""Figure, speed of one program by that of another of the same round, goal."""

_NEAR_THE_WIRE = ("raw lines", "raw built", "blast")
"""Programs that a sink in Python holds up: beside them no goal can be met, or missed."""


def measure(arena: Arena) -> Part:
    speeds: dict[str, list[float]] = defaultdict(list)
    taken: dict[str, list[Taken]] = defaultdict(list)
    with arena.sink() as sink:
        for number in arena.rounds(MINUTES):
            names = list(ENTRIES)
            for name in names if number % 2 else reversed(names):  # no program always follows the same one
                taken[name].append(once(arena, sink, ENTRIES[name], number))
                speeds[name].append(taken[name][-1]["invoices"] / taken[name][-1]["seconds"])
    figures = []
    for what, one, other, goal in FIGURES:
        fair = arena.fast_sink or other not in _NEAR_THE_WIRE
        figures.append(Figure(what, ratios(speeds[one], speeds[other]), goal=goal if fair else None))
    programs = [
        {
            "label": entry.label,
            "ours": entry.ours,
            "speed": speeds[name],
            "of_raw": ratios(speeds[name], speeds["raw lines"]),
            "peak_mb": [one["peak_mb"] for one in taken[name]],
            "processor": [one["cpu"] / one["seconds"] for one in taken[name]],
        }
        for name, entry in ENTRIES.items()
    ]
    return Part(figures, {"programs": programs})


def once(arena: Arena, sink: Sink, entry: Entry, number: int) -> Taken:
    job = dict(entry.job)
    if job.get("ledger"):
        job["ledger"] = str(arena.folder / f"throughput-{number}.db")
    return arena.run(entry.program, sink, file=arena.file(arena.options.invoices), **job)
