"""How late other tasks of the same event loop run while invoices go out flat out: one that is due each millisecond."""

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part

TITLE = "Event loop lag"
MINUTES = 4


def measure(arena: Arena) -> Part:
    programs = {"ours-structs": "built structs", "ours-lines": "JSON Lines"}
    late: dict[tuple[str, str], list[float]] = {
        (name, kind): [] for name in programs for kind in ("lag_p99", "lag_max")
    }
    with arena.sink() as sink:
        for _ in arena.rounds(MINUTES):
            for name in programs:
                taken = arena.run(name, sink, file=arena.file(arena.options.invoices), ticker=True)
                for kind in ("lag_p99", "lag_max"):
                    late[name, kind].append(taken[kind] * 1000)
    figures = []
    for name, label in programs.items():
        figures.append(Figure(f"{label}: 99 of 100 within", late[name, "lag_p99"], "ms", Goal(most=5)))
        figures.append(Figure(f"{label}: the longest", late[name, "lag_max"], "ms", Goal(most=25)))
    return Part(figures)
