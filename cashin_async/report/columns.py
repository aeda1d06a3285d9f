"""The failing invoices as columns, for a page that shows some of them at a time.

A hundred thousand take a megabyte at most: what is alike stands once, and a number or a line is said as its distance
from the one before.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from cashin_async.bulk.grouping import Kind, kind_of
from cashin_async.bulk.outcome import FAILURES, State
from cashin_async.models.wire import well_formed
from cashin_async.report.markup import script_safe
from cashin_async.report.outcomes import Row

_EXACT = 2**53  # integers up to here are themselves in JavaScript
_PIECE = 20_000  # values that are encoded together
_encode = msgspec.json.Encoder().encode


class Columns:
    """Filled row by row; `json` gives them in pieces.

    `{"reasons": [[outcome, kind, text], ...], "files": [...], "exact": true, "number": [...], "reason": [...],
    "file": [...], "line": [...]}`: `outcome` is a place in `FAILURES`, `kind` one in the kinds that the page shows, or
    -1; a number or a line of 0 stands for none. `number` and `line` are differences, `number` with `exact` only; else
    they are strings. A column that holds one value only is that value.
    """

    def __init__(self, rows: Iterable[Row], kinds: Iterable[Kind]) -> None:
        self._kinds = {kind: place for place, kind in enumerate(kinds)}
        self._reasons: dict[tuple[str, str | None], int] = {}
        self._files: dict[str, int] = {}
        self._number: list[int] = []
        self._reason: list[int] = []
        self._file: list[int] = []
        self._line: list[int] = []
        for row in rows:
            self._number.append(row.number or 0)
            self._reason.append(self._reasons.setdefault((row.state, row.reason), len(self._reasons)))
            self._file.append(-1 if row.file is None else self._files.setdefault(row.file, len(self._files)))
            self._line.append(row.line or 0)

    def __len__(self) -> int:
        return len(self._number)

    @property
    def has_places(self) -> bool:
        """Whether any of them was read from a file."""
        return bool(self._files)

    def first(self, most: int) -> dict[Kind, list[str]]:
        """The lowest of each kind: their numbers, rising, and after them where those stand that have none."""
        kind_at = [kind_of(State(state), reason) for state, reason in self._reasons]
        first: dict[Kind, list[str]] = {kind: [] for kind in kind_at}
        files = list(self._files)
        lowest: dict[Kind, list[int]] = {kind: [] for kind in kind_at}
        for number, reason, file, line in zip(self._number, self._reason, self._file, self._line, strict=True):
            if number:
                some = lowest[kind_at[reason]]
                if len(some) < most or number < some[-1]:
                    insort(some, number)
                    del some[most:]
            elif file >= 0 and len(places := first[kind_at[reason]]) < most:
                places.append(f"{files[file]}:{line}")
        return {kind: [*map(str, lowest[kind]), *places][:most] for kind, places in first.items()}

    def numbered(self) -> set[Kind]:
        """The kinds of which at least one has a number."""
        of = {reason for number, reason in zip(self._number, self._reason, strict=True) if number}
        return {kind_of(State(state), reason) for (state, reason), place in self._reasons.items() if place in of}

    def json(self) -> Iterator[bytes]:
        """The object, safe inside a `script` element."""
        exact = max(self._number, default=0) < _EXACT
        reasons = [
            (
                FAILURES.index(State(state)),
                self._kinds.get(kind_of(State(state), reason), -1),
                well_formed(reason or ""),
            )
            for state, reason in self._reasons
        ]
        head = {"reasons": reasons, "files": [well_formed(file) for file in self._files], "exact": exact}
        yield script_safe(_encode(head))[:-1]
        yield from _column("number", self._number, _differences if exact else _strings)
        yield from _column("reason", self._reason, list)
        yield from _column("file", self._file, list)
        yield from _column("line", self._line, _differences)
        yield b"}"


def _column(name: str, values: list[int], said: Callable[[list[int]], list[Any]]) -> Iterator[bytes]:
    yield f',"{name}":'.encode()
    if values and said is list and values.count(values[0]) == len(values):
        yield _encode(values[0])
        return
    told = said(values)
    yield b"["
    for start in range(0, len(told), _PIECE):
        yield (b"," if start else b"") + _encode(told[start : start + _PIECE])[1:-1]
    yield b"]"


def _differences(values: list[int]) -> list[int]:
    return [value - before for value, before in zip(values, [0, *values], strict=False)]


def _strings(values: list[int]) -> list[str]:
    return [str(value) for value in values]
