"""What `compress = "gzip"` costs on a fast network, and from which bandwidth downwards it gains.

All invoices here come from one example, so that they compress better than anybody's own: the bytes are a lower bound.
"""

from dataclasses import fields

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Part, ratios
from cashin_async import Settings

TITLE = "Compression"
MINUTES = 4


def measure(arena: Arena) -> Part:
    if "compress" not in {field.name for field in fields(Settings)}:
        arena.say("there is no setting `compress`: skipped")
        return Part([])
    count = arena.options.invoices
    speeds: dict[str | None, list[float]] = {None: [], "gzip": []}
    sizes: dict[str | None, list[float]] = {None: [], "gzip": []}
    with arena.sink(delay=0.0) as sink:  # sink.py: sink.c reads no gzip
        for _ in arena.rounds(MINUTES):
            for way in speeds:
                before = sink.counts()["bytes"]
                taken = arena.run("ours-lines", sink, warm=0, file=arena.file(count), settings={"compress": way})
                speeds[way].append(count / taken["run"])
                sizes[way].append((sink.counts()["bytes"] - before) / count)
    gains_below = [speed * size * 8 / 1e6 for speed, size in zip(speeds["gzip"], sizes[None], strict=True)]
    return Part(
        [
            Figure("gzip, of no compression: speed on this machine", ratios(speeds["gzip"], speeds[None])),
            Figure(
                "gzip, of no compression: bytes (invoices more alike than real ones)",
                ratios(sizes["gzip"], sizes[None]),
            ),
            Figure("gzip is the faster one below", gains_below, "Mbit/s"),
        ]
    )
