"""`--report`: one line for each invoice of a run, as JSON or CSV. In flat memory, whatever their number."""

import csv
import errno
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import msgspec

from cashin_async.bulk.outcome import Settled, UploadReport
from cashin_async.models.wire import well_formed
from cashin_async.report.part import PartFile, is_input
from cashin_async.sources.source import Place

_PIECE = 5_000  # rows that are written together
_formula = re.compile(r"""(^|[;,|\t\r\n])(?=[\s"']*[=+\-@])|^(?=[\t\r])""")
"""Where a cell begins that a spreadsheet would reckon (OWASP, "CSV Injection"): at the beginning, and behind whatever
it takes for the mark between cells. In Finland that is a semicolon, and then our quotes are none to it."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """What is told of one invoice. `file` and `line` are there when it was read from a file."""

    number: int | None
    state: str
    reason: str | None
    file: str | None
    line: int | None


class _Form(Protocol):
    def rows(self, rows: Iterator[Row], first: bool) -> bytes: ...
    def end(self, summary: Mapping[str, Any], first: bool) -> bytes: ...


class _Json:
    """`{"outcomes": [...], "summary": {...}}`, an outcome a line."""

    _encode = msgspec.json.Encoder().encode

    def rows(self, rows: Iterator[Row], first: bool) -> bytes:
        return (b'{"outcomes":[\n' if first else b",\n") + b",\n".join(map(self._encode, rows))

    def end(self, summary: Mapping[str, Any], first: bool) -> bytes:
        return (b'{"outcomes":[' if first else b"") + b'\n],"summary":' + self._encode(summary) + b"}\n"


class _Csv:
    """RFC 4180: a header, and a record an invoice."""

    def rows(self, rows: Iterator[Row], first: bool) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if first:
            writer.writerow(Row.__struct_fields__)
        writer.writerows((row.number, row.state, _cell(row.reason), _cell(row.file), row.line) for row in rows)
        return text.getvalue().encode()

    def end(self, summary: Mapping[str, Any], first: bool) -> bytes:
        return self.rows(iter(()), first) if first else b""


_FORMS: dict[str, Callable[[], _Form]] = {".json": _Json, ".csv": _Csv}
ENDINGS = tuple(_FORMS)


def ending_of(place: str | os.PathLike[str]) -> str | None:
    """Which of `ENDINGS` a path has."""
    ending = os.path.splitext(os.fspath(place))[1].lower()
    return ending if ending in ENDINGS else None


def in_form(ending: str, rows: Iterable[Row], summary: Mapping[str, Any]) -> Iterator[bytes]:
    """The same of rows that are known already, in pieces."""
    form, first, rows = _FORMS[ending](), True, iter(rows)
    while some := list(islice(rows, _PIECE)):
        yield form.rows(iter(some), first)
        first = False
    yield form.end(summary, first)


class OutcomeReport:
    """An outcome for every invoice of a run, in the order in which they become known.

    The path has one of `ENDINGS`. `locate` makes an `Outcome.source` of one of `Settled.refs`. Raises `OSError` when it
    cannot be begun, or would replace one of `inputs`.
    """

    option = "--report"

    def __init__(self, place: str | os.PathLike[str], locate: Callable[[Any], Any], inputs: Sequence[str] = ()) -> None:
        if is_input(place, inputs):
            raise OSError(errno.EEXIST, "Is an input, and would be overwritten")
        self._form = _FORMS[ending_of(place) or ""]()
        self._locate = locate
        self._file = PartFile(place, inputs)

    @property
    def failure(self) -> str | None:
        """Why it is not complete, if that is so."""
        return self._file.explained_failure

    def add(self, settled: Settled) -> None:
        """Write what became of these."""
        if settled.refs:
            self._file.write(self._form.rows(self._rows(settled), self._file.empty))

    def finish(self, report: UploadReport) -> None:
        """The run has ended."""
        self._file.write(self._form.end(report.as_dict(), self._file.empty))
        self._file.move()

    def close(self) -> None:
        """The run was cut off: the outcomes known so far stay beside the place."""
        self._file.close()

    def notes(self) -> list[str]:
        """What is to be said of it."""
        return [] if self._file.failure else [f"An outcome for each invoice is in {self._file.place}"]

    def _rows(self, settled: Settled) -> Iterator[Row]:
        state, reason = str(settled.state), None if settled.reason is None else well_formed(settled.reason)
        for number, ref in zip(settled.numbers, settled.refs, strict=True):
            place = self._locate(ref)
            if isinstance(place, Place):
                yield Row(number, state, reason, _name(place.file), place.line)
            else:
                yield Row(number, state, reason, None, None)


_name = lru_cache(maxsize=16)(well_formed)


def _cell(text: str | None) -> str | None:
    """Text that stays text in a spreadsheet."""
    return text if text is None else _formula.sub(r"\1'", text)
