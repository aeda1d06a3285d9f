"""What is measured: each module one question, its goals beside the measuring.

`measure(arena)` gives the figures; `MINUTES` is how long it may begin new rounds.
"""

SCENARIOS = (
    "throughput",
    "stages",
    "ledger",
    "latency",
    "rate",
    "lag",
    "growth",
    "create",
    "startup",
    "decode",
    "inputs",
    "rules",
    "compress",
    "surface",
)
"""In the order in which they run and stand in the table."""
