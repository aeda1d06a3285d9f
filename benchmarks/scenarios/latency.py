"""How close to what the server's latency allows: Little's bound.

With c requests in flight and answers after d seconds, n requests take at least n d / c seconds; the delays are those
that the sink really had. A run takes 100 flights (rounds of c requests), 300 where they are short: the slow start takes
about log2(c) of them, six for 64 at once, and is measured with the rest. Chunks of 10 keep the processor out of it.
"""

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part

TITLE = "Latency"
MINUTES = 4  # each of the four

_CHUNK = 10
_CASES = (
    ("100 ms, 8 at once, of Little's bound", 0.1, 0.0, 8, 300, Goal(least=0.97)),
    ("200 ms ±50 %, 8 at once, of Little's bound", 0.2, 0.5, 8, 100, Goal(least=0.95)),
    ("200 ms ±50 %, 32 at once", 0.2, 0.5, 32, 100, Goal(least=0.92)),
    ("200 ms ±50 %, 64 at once", 0.2, 0.5, 64, 100, Goal(least=0.88)),
)


def measure(arena: Arena) -> Part:
    figures = []
    for what, delay, jitter, at_once, flights, goal in _CASES:
        flights = 10 if arena.options.quick else flights
        count, values = flights * at_once * _CHUNK, []
        for _ in arena.rounds(MINUTES):
            with arena.sink(delay=delay, jitter=jitter) as sink:
                taken = arena.run(
                    "ours-lines", sink, warm=0, file=arena.file(count), count=count, chunk=_CHUNK, concurrency=at_once
                )
                values.append(sink.counts()["delayed"] / at_once / taken["run"])
        figures.append(Figure(what, values, goal=goal))
    return Part(figures)
