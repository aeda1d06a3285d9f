"""CSV: a header of published names, one line an invoice or a row of it. Pure.

Delimiter, decimal mark and encoding are found, or set. The delimiter is the one that makes a column of InvoiceNumber
in the first line. The decimal mark is the one that numbers in the first 64 KiB show; where they show none, or both,
what can be read in two ways is a problem. For the encoding see `textlines`.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from cashin_async.sources.columns import NUMBER_COLUMN, ROW, ROWS, Column, Kind, layout_of
from cashin_async.sources.gathering import Gathering, Lines, Trouble
from cashin_async.sources.numerals import days_in, decimal_mark, numbers_in, without_fraction
from cashin_async.sources.source import Batch, CannotReadOn
from cashin_async.sources.textlines import Damage, Text, TextLines

DELIMITERS = {";": ";", ",": ",", "tab": "\t", "|": "|"}
"""By the names that the setting has for them."""

_MOST_COLUMNS = 500  # five times the published fields; a line that is too short is filled up, and has them all
_LOOK = 65_536  # bytes in which the decimal mark is looked for: thirty invoices of all columns, hundreds of usual ones
_UNCLOSED = "has a quotation mark that opens a cell, and none that closes it"
_BROKEN = "has a quotation mark or a carriage return where none may be, or too long a cell"
_LOST = "has a carriage return where none may be, or too long a cell between quotation marks"
_NO_NUMBER = f"{NUMBER_COLUMN} is missing"
_BETWEEN = "\x7f"  # a character that is in no text, and that JSON does not escape
_SEPARATOR = "sep="  # the first line of what is meant for Excel may name the delimiter
_EMPTY = Batch((), (), [])


class Csv:
    """A `Form`: its refs are those of an invoice's first line.

    A cell is what stands between delimiters, or between quotation marks (RFC 4180). An empty one is an absent field:
    CSV has no null. Text stays as it is; numbers and dates become those of JSON, every digit kept.

    Whatever does not fit is a problem of its invoice, and the next one is read: too many or too few cells, a number
    that cannot be read or can in two ways, another value in a later line. Of an invoice that cannot be read nothing is
    kept but its place. A cell that does not end within `longest` bytes, or the longest cell that Python's `csv` reads,
    ends the reading, since nobody can tell what still belongs to it.

    `delimiter` is one of `DELIMITERS`, `decimal` a comma or a point; None: they are found.
    """

    def __init__(
        self,
        longest: int = 1_048_574,
        allow_unknown_fields: bool = False,
        *,
        delimiter: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self.line = 0
        self.glances = False
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._delimiter = delimiter
        self._decimal = decimal
        self._text = TextLines(longest, encoding)
        self._look: bytes | None = b""  # what came, until it is enough to look at
        self._table: _Table | None = None

    def feed(self, data: memoryview) -> Batch:
        if self._look is None:
            return self._read(self._text.feed(data))
        self._look += data
        if len(self._look) < _LOOK:
            return _EMPTY
        look, self._look = self._look, None
        batch = self._read(self._text.feed(look[:_LOOK]))
        if self._table is not None and self._table.stopped is not None:
            return batch
        return _both(batch, self._read(self._text.feed(look[_LOOK:])))

    def end(self) -> Batch:
        look, self._look = self._look, None
        seen = self._text.feed(look) if look else Text([], {})
        batch = self._read(_joined(seen, self._text.end()), final=True)
        if self._table is not None and self._table.stopped is not None:
            raise CannotReadOn(self._table.stopped, batch)
        return batch

    def cut_off(self) -> Batch:
        look, self._look = self._look, None
        try:
            batch = self._read(self._text.feed(look)) if look else _EMPTY
        except CannotReadOn:  # it has been told already, or has not even a header
            return _EMPTY
        return _both(batch, self._table.cut_off()) if self._table is not None else batch

    def _read(self, text: Text, *, final: bool = False) -> Batch:
        """The invoices that end in these lines."""
        if self._table is None:
            text = self._begin(text, final)
            if self._table is None:
                return _EMPTY
        self.line += len(text.lines)
        return self._table.read(text, final=final)

    def _begin(self, text: Text, final: bool) -> Text:
        """Read the header, and give the lines behind it."""
        lines, place = text.lines, 0
        while place < len(lines) and not lines[place].strip():
            place += 1
        if lines[place : place + 1] and lines[place].lstrip('"').lower().startswith(_SEPARATOR):
            names = {mark: name for name, mark in DELIMITERS.items()}
            self._delimiter = self._delimiter or names.get(lines[place].strip('\r\n"')[len(_SEPARATOR) :])
            place += 1
        if place >= len(lines):
            if not final:
                raise CannotReadOn(f"has no column {NUMBER_COLUMN}: the first line names the columns")
            self.line += len(lines)
            return text
        marks = [DELIMITERS[self._delimiter]] if self._delimiter else DELIMITERS.values()
        header = max(
            (_header(lines[place], mark) for mark in marks), key=lambda header: (header.is_one, len(header.names))
        )
        if "\0" in lines[place] and not header.is_one:
            raise CannotReadOn("has zeros between its letters, as UTF-16 without a byte order mark has (csv_encoding)")
        place += 1
        self.line += place
        self._table = _Table(header, self.line, self._decimal, self._longest, self._allow_unknown_fields)
        return Text(lines[place:], {line - place: damage for line, damage in text.damaged.items() if line >= place})


def _joined(text: Text, more: Text) -> Text:
    offset = len(text.lines)
    return Text(
        text.lines + more.lines, text.damaged | {offset + place: damage for place, damage in more.damaged.items()}
    )


def _both(batch: Batch, more: Batch) -> Batch:
    problems = {**batch.problems, **{len(batch) + place: reason for place, reason in more.problems.items()}}
    return Batch([*batch.refs, *more.refs], [*batch.numbers, *more.numbers], batch.encoded + more.encoded, problems)


class _Header(NamedTuple):
    """The first line, cut at a delimiter."""

    delimiter: str
    names: list[str]
    is_one: bool
    """Whether there is a column of the invoice number, as there is with the right delimiter only."""


def _header(line: str, delimiter: str) -> _Header:
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        names = []
    return _Header(delimiter, names, NUMBER_COLUMN.lower() in map(str.lower, names))


class _Table:
    """What stands below a header."""

    def __init__(
        self, header: _Header, first: int, decimal: str | None, longest: int, allow_unknown_fields: bool
    ) -> None:
        names = header.names.copy()
        while names and not names[-1]:  # programs end each line with a delimiter
            names.pop()
        self._layout = layout_of(names, allow_unknown_fields)
        if self._layout.nested is not None:
            raise CannotReadOn(f"column {ROWS}: a cell holds no rows, columns of {ROW}... and lines do")
        if len(names) > _MOST_COLUMNS:
            raise CannotReadOn(f"has more than {_MOST_COLUMNS} columns")
        self._named, self._width = len(names), len(header.names)
        self._number_place = self._layout.heads[0].place
        self._splitter = _Splitter(header.delimiter, first, longest)
        self._gathering = Gathering(self._layout, longest, allow_unknown_fields)
        self._decimal = decimal
        self._looked = decimal is not None

    @property
    def stopped(self) -> str | None:
        """Why nothing more can be read."""
        return self._splitter.stopped

    def read(self, text: Text, *, final: bool) -> Batch:
        """The invoices that end in these lines. Raises `CannotReadOn` once it has stopped."""
        records = self._splitter.split(text, final=final)
        troubles = self._fitted(records)
        columns = [*zip(*records.cells, strict=True)] or [()] * self._named
        if not self._looked:
            sound = [cells for place, cells in enumerate(records.cells) if place not in troubles]
            self._decimal, self._looked = decimal_mark(self._amounts(sound)), True
        batch = self._gathering.add(self._lines(records.at, columns, troubles))
        return _both(batch, self._gathering.end()) if final or self.stopped is not None else batch

    def cut_off(self) -> Batch:
        """The last invoice, when the rest of the input cannot be had."""
        return self._gathering.end(cut_off=True)

    def _fitted(self, records: "_Records") -> dict[int, Trouble]:
        """What is wrong with lines as such; each has as many cells as there are names then."""
        cells, troubles, named, width = records.cells, records.troubles, self._named, self._width
        for place, line in enumerate(cells):
            if len(line) != width or (place in troubles and troubles[place].hides):
                is_piece = len(line) == 1 and place not in troubles
                troubles[place] = self._misfit(line, troubles.get(place))
                cells[place] = line = [*line[:named], *[""] * (named - len(line))]
                if self._number_place > 0 or is_piece:
                    line[self._number_place] = ""
            elif named < width:
                if any(line[named:]):
                    troubles.setdefault(place, Trouble("has something in a column without a name"))
                del line[named:]
        return troubles

    def _misfit(self, line: list[str], trouble: Trouble | None) -> Trouble:
        """A line of too many or too few cells: how may it have come about, and who else is concerned?

        A line feed too many leaves a whole line beside it only if it was in the first cell or the last: then there is
        one cell here. A line feed too few makes one line of two, behind quotation marks too.
        A delimiter too many or too few may have put any cell into the place of the number, unless that is the first,
        and can be seen to be a number, or a part of one.
        """
        has_rows, one, two = bool(self._layout.rows), len(line) == 1, len(line) >= 2 * self._width - 1
        first = line[0].strip().lstrip("0") if line and has_rows and self._number_place == 0 else ""
        digits = first if first.isdecimal() else ""
        if trouble is not None:
            return trouble._replace(hides=has_rows, digits=digits)
        reason = f"has {len(line)} cells, and the header {self._width}"
        return Trouble(reason, one or (has_rows and (two or not digits)), digits)

    def _amounts(self, lines: list[list[str]]) -> Iterator[str]:
        columns = [column for column in (*self._layout.heads, *self._layout.rows) if column.kind is Kind.NUMBER]
        return (line[column.place] for line in lines for column in columns)

    def _lines(self, at: list[int], columns: Sequence[Sequence[str]], troubles: dict[int, Trouble]) -> Lines:
        heads = [*zip(*(self._members(column, "", columns, troubles) for column in self._layout.heads), strict=True)]
        rows = [""] * len(heads)
        if self._layout.rows:
            members = zip(*(self._members(column, ROW, columns, troubles) for column in self._layout.rows), strict=True)
            rows = [",".join(filter(None, some)) for some in members]
        return Lines(at, self._numbers(heads, troubles), heads, rows, troubles)

    def _members(
        self, column: Column, prefix: str, columns: Sequence[Sequence[str]], troubles: dict[int, Trouble]
    ) -> list[str]:
        """A column as members of JSON objects, empty where they are absent."""
        cells, key = columns[column.place], column.key
        if not any(cells):
            return [""] * len(cells)
        if column.kind in (Kind.WHOLE, Kind.NUMBER):
            cells, problems = numbers_in(cells, self._decimal)
            for place, problem in problems.items():
                troubles.setdefault(place, Trouble(f"column {prefix}{column.name}: {problem}"))
            if column.kind is Kind.WHOLE:
                cells = without_fraction(cells)
            return [key + cell if cell else "" for cell in cells]
        if column.kind is Kind.DAY:
            cells = days_in(cells)
        return _texts(key, cells)

    def _numbers(self, heads: Sequence[tuple[str, ...]], troubles: dict[int, Trouble]) -> list[str | None]:
        """Of each line, the number as it travels."""
        numbers: list[str | None] = []
        for place, (member, *_) in enumerate(heads):
            digits = member.rpartition(":")[2]
            if not digits.lstrip("-").isdigit():
                troubles.setdefault(place, Trouble("InvoiceNumber is not a whole number" if digits else _NO_NUMBER))
                numbers.append(None)
            else:
                numbers.append(digits)
        return numbers


def _texts(key: str, cells: Sequence[str]) -> list[str]:
    """Texts as members: all at once, since a call for each cell would take half of all the time.

    Of JSON's encoders, this one spells an escape as msgspec spells it.
    """
    if True in map(str.isspace, cells):
        cells = ["" if cell.isspace() else cell for cell in cells]
    joined = _BETWEEN.join(cells)
    if joined.count(_BETWEEN) != len(cells) - 1:
        return [key + encode_basestring(cell) if cell else "" for cell in cells]
    members = key + encode_basestring(joined).replace(_BETWEEN, f'"{_BETWEEN}{key}"')
    return members.replace(f'{key}""', "").split(_BETWEEN)  # in a text there is no such thing: its quotes are escaped


class _Records(NamedTuple):
    """What is between line feeds that are in no cell, side by side."""

    cells: list[list[str]]
    at: list[int]
    """The first line of each."""
    troubles: dict[int, Trouble]
    """By place."""


class _Splitter:
    """Lines into cells. A line that ends within a cell is kept until the cell has ended."""

    def __init__(self, delimiter: str, first: int, longest: int) -> None:
        self.stopped: str | None = None
        """Why nothing more can be read."""
        self._delimiter = delimiter
        self._line = first
        self._longest = min(longest, csv.field_size_limit())
        self._open = Text([], {})

    def split(self, text: Text, *, final: bool) -> _Records:
        """The records that end in these lines. Raises `CannotReadOn` once it has stopped."""
        if self.stopped is not None:
            raise CannotReadOn(self.stopped)
        records = _Records([], [], {})
        lines, damaged = _joined(self._open, text)
        kept = len(lines)
        for begin, end, cells, problem in self._pieces(lines):
            too_long = end - begin > 1 and sum(map(len, lines[begin:end])) > self._longest
            if problem == _UNCLOSED and not (final or too_long):
                kept = begin
                break
            self._add(records, begin, cells, self._trouble(range(begin, end), problem, damaged, too_long))
            if self.stopped is not None:
                break
        self._open = Text(lines[kept:], {place - kept: damage for place, damage in damaged.items() if place >= kept})
        self._line += kept
        return records

    def _add(self, records: _Records, begin: int, cells: list[str], trouble: Trouble | None) -> None:
        if trouble is not None:
            records.troubles[len(records.cells)] = trouble
        elif not any(cells) or not any(map(str.strip, cells)):
            return  # programs end a table with lines of nothing but delimiters
        records.cells.append(cells)
        records.at.append(self._line + begin)

    def _trouble(
        self, lines: range, problem: str | None, damaged: Mapping[int, Damage], too_long: bool
    ) -> Trouble | None:
        """What is wrong with the record on these lines. It stops where nobody can tell where the next one begins."""
        damage = next((damaged[line] for line in lines if line in damaged), None) if damaged else None
        if too_long:
            problem = f"{_UNCLOSED} within {self._longest} bytes"
        if problem == _BROKEN and len(lines) > 1:
            problem += f"; it hides {self._named(lines[1:])}"
        trouble = None if problem is None else Trouble(problem, hides=True)
        if damage is not None and (trouble is None or not damage.whole):
            trouble = Trouble(damage.reason, hides=not damage.whole)
        if trouble and (too_long or problem in (_UNCLOSED, _LOST) or (damage is not None and damage.quoted)):
            self.stopped = f"nobody can tell where line {self._line + lines[0] + 1} ends: it {trouble.reason}"
        return trouble

    def _named(self, lines: range) -> str:
        first, last = self._line + lines[0] + 1, self._line + lines[-1] + 1
        return f"line {first}" if first == last else f"lines {first} to {last}"

    def _pieces(self, lines: list[str]) -> Iterator[tuple[int, int, list[str], str | None]]:
        """Each record: its first line, the first one behind it, its cells and what is wrong with it.

        Of one that is wrong, only the first cell is given.
        """
        begin = 0
        while begin < len(lines):
            start, reader = begin, csv.reader(lines[begin:], delimiter=self._delimiter, strict=True)
            try:
                for cells in reader:
                    yield begin, start + reader.line_num, cells, None
                    begin = start + reader.line_num
            except csv.Error:
                extent, cells, problem = self._loosely(lines[begin:])
                yield begin, begin + extent, cells[:1], problem
                begin += extent

    def _loosely(self, lines: list[str]) -> tuple[int, list[str], str]:
        """The first record in the way of a program that takes any quotation mark: it sees what the marks enclose."""
        asked_for_more = False

        def told() -> Iterator[str]:
            nonlocal asked_for_more
            yield from lines
            asked_for_more = True

        reader = csv.reader(told(), delimiter=self._delimiter)
        try:
            cells = next(reader)
        except csv.Error:  # a cell of more than csv.field_size_limit(), a carriage return
            seen = lines[: reader.line_num]
            return reader.line_num, [], _LOST if any('"' in line for line in seen) else _BROKEN
        return reader.line_num, cells, _UNCLOSED if asked_for_more else _BROKEN
