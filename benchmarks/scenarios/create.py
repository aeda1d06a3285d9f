"""One `create` inside a warm client, against a bare POST of the same bytes with aiohttp: in turns, in one process."""

from benchmarks.arena import Arena
from benchmarks.figures import Figure, Goal, Part

TITLE = "One invoice"
MINUTES = 2


def measure(arena: Arena) -> Part:
    pairs = 200 if arena.options.quick else 2_000
    with arena.sink() as sink:
        taken = [arena.run("create", sink, count=pairs) for _ in arena.rounds(MINUTES)]
    return Part(
        [
            Figure(
                "one create, of a bare aiohttp POST (p50)",
                [one["create"] / one["post"] for one in taken],
                goal=Goal(most=1.15),
            ),
            Figure("the same (p99)", [one["create_p99"] / one["post_p99"] for one in taken]),
            Figure("one create (p50)", [one["create"] * 1e6 for one in taken], "µs"),
        ]
    )
