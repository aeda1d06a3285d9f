"""Where the time of an upload goes: what each stage adds, as a share of the whole. The sink answers at once."""

from benchmarks.arena import Arena, Taken
from benchmarks.figures import Figure, Part

TITLE = "Where the time goes"
MINUTES = 4

_LINES = {
    "read": "read and split",
    "check": "check",
    "digest": "digest",
    "engine": "claim, cut, join, weigh, record",
    "transport": "the transport, and the system below it",
}
_STRUCTS = {"build": "build", "encode": "encode", **_LINES}
del _STRUCTS["read"]


def measure(arena: Arena) -> Part:
    lines: list[Taken] = []
    built: list[Taken] = []
    with arena.sink() as sink:
        for _ in arena.rounds(MINUTES):
            lines.append(arena.run("stages-lines", sink, file=arena.file(arena.options.invoices)))
            built.append(arena.run("stages-structs", sink))
    return Part([*_shares("JSON Lines", _LINES, lines), *_shares("built structs", _STRUCTS, built)])


def _shares(form: str, stages: dict[str, str], taken: list[Taken]) -> list[Figure]:
    wholes = [sum(one[name] for name in stages) for one in taken]
    return [
        Figure(f"{form}: {what}", [100 * one[name] / whole for one, whole in zip(taken, wholes, strict=True)], "%")
        for name, what in stages.items()
    ]
