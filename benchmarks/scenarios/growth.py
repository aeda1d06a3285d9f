"""Speed and peak memory as the work grows: 10,000, 100,000 and a million invoices."""

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part, ratios

TITLE = "Growth"
MINUTES = 12

_PROGRAMS = {"ours-lines": "JSON Lines", "ours-structs": "built structs"}
_FLAT = Goal(least=0.90, most=1.10)


def measure(arena: Arena) -> Part:
    small, middle, large = sizes = (500, 5_000, 20_000) if arena.options.quick else (10_000, 100_000, 1_000_000)
    speeds: dict[tuple[str, int], list[float]] = {(name, size): [] for name in _PROGRAMS for size in sizes}
    peaks: dict[tuple[str, int], list[float]] = {(name, size): [] for name in _PROGRAMS for size in sizes}
    files = {size: arena.file(size) for size in sizes}
    with arena.sink() as sink:
        for _ in arena.rounds(MINUTES):
            for name, size in speeds:
                taken = arena.run(name, sink, file=files[size], count=size)
                speeds[name, size].append(size / taken["seconds"])
                peaks[name, size].append(taken["peak_mb"])
    files[large].unlink()  # 2.8 GB
    figures = []
    for name, label in _PROGRAMS.items():
        grown = ratios(peaks[name, large], peaks[name, middle])
        figures += [
            Figure(f"{label}: peak memory, {large:,} against {middle:,}", grown, goal=Goal(most=1.4)),
            Figure(f"{label}: peak memory, {large:,}", peaks[name, large], "MB", Goal(most=110)),
        ]
    for name, label in _PROGRAMS.items():
        for size in (small, large):
            flat = ratios(speeds[name, size], speeds[name, middle])
            figures.append(Figure(f"{label}: invoices a second, {size:,} against {middle:,}", flat, goal=_FLAT))
    lines = [
        {
            "label": label,
            "sizes": list(sizes),
            "speed": [speeds[name, size] for size in sizes],
            "peak_mb": [peaks[name, size] for size in sizes],
        }
        for name, label in _PROGRAMS.items()
    ]
    return Part(figures, {"lines": lines})
