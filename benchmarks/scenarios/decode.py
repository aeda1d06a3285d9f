"""A list of 10,000 invoices from JSON into types: this project's models against pydantic's of the same fields."""

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part, ratios

TITLE = "Typed decode"
MINUTES = 3


def measure(arena: Arena) -> Part:
    count = 500 if arena.options.quick else 10_000
    taken = [arena.run("decode", warm=0, count=count) for _ in arena.rounds(MINUTES)]
    ours, loaded, validated = ([one[name] for one in taken] for name in ("msgspec", "json_pydantic", "pydantic"))
    return Part(
        [
            Figure(f"decode of a list of {count:,}, times json + pydantic", ratios(loaded, ours), goal=Goal(least=4)),
            Figure("the same, times pydantic's own JSON reader", ratios(validated, ours)),
            Figure("the same", [one * 1e6 / count for one in ours], "µs an invoice"),
        ]
    )
