"""Failures that are alike: a thousand invoices that break one rule, each with other figures, are one kind. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cashin_async.bulk.outcome import State

URGENCY = (State.UNKNOWN, State.REJECTED, State.INVALID, State.UNSENT)
"""Of the failing outcomes, the one first that a person is to look at first."""

_RULE = re.compile(r" \(([a-z][a-z0-9-]*)\)(?:; |$)")  # how `inspection.said` ends a problem; settings have underscores
_VARIES = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}|(?<=\[)\d+(?=\])|\d{4,}")  # runs, places in a list, numbers, sizes


class Kind(NamedTuple):
    """What some failures have in common."""

    state: State
    rule: str | None
    """The code of the rule that is broken, the first one where they are several."""
    words: str
    """The reason with `…` for what differs between invoices; empty where there is a rule."""


def kind_of(state: State, reason: str | None) -> Kind:
    """What kind of failure it is."""
    reason = reason or ""
    if state is State.INVALID and (rule := _RULE.search(reason)):
        return Kind(state, rule[1], "")
    return Kind(state, None, _VARIES.sub("…", reason))


def kinds_of(reasons: Mapping[tuple[State, str | None], int]) -> list[tuple[Kind, int]]:
    """Each kind with its count: the most urgent outcome first, then the largest."""
    counts: dict[Kind, int] = {}
    for (state, reason), count in reasons.items():
        kind = kind_of(state, reason)
        counts[kind] = counts.get(kind, 0) + count
    return in_order(counts.items())


def first_of_each(kinds: Iterable[tuple[Kind, int]], most: int) -> list[tuple[Kind, int]]:
    """At most so many of each outcome: many kinds of one do not push out those of another."""
    met: Counter[State] = Counter()
    shown = []
    for kind, count in kinds:
        met[kind.state] += 1
        if met[kind.state] <= most:
            shown.append((kind, count))
    return shown


def in_order(counts: Iterable[tuple[Kind, int]]) -> list[tuple[Kind, int]]:
    """The most urgent outcome first, then the largest count."""
    return sorted(counts, key=lambda one: (URGENCY.index(one[0].state), -one[1]))
