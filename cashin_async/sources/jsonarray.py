"""A JSON array of any size, one item an invoice. Pure.

ijson parses it as it comes and tells of each value; only the items that end in a block are in memory. They are encoded
anew to travel: every value and every digit stays, the spaces and the spelling (`1E5` is `1E+5`) do not.
"""

import re
from contextlib import suppress
from typing import Any

import ijson
import msgspec

from cashin_async.models.wire import may_be_shown, numbers_of
from cashin_async.sources.source import Batch, CannotReadOn

BACKEND: str = ijson.backend
FAST_BACKEND = "yajl2_c"
"""The backend of ijson that is in C and comes with its wheels; the one in Python takes six times as long."""

_DEEPEST = 100  # levels of an item; an invoice has three
_LOOK = 65_536  # bytes after which it is seen how long an item has become: by places in the input, not by blocks
_DIGITS = b"0123456789"
_MOST_DIGITS = 1000  # in a row: of a number of more than 4,300 the C code of ijson dies, and the process with it
_OPENS = ("start_map", "start_array")
_CLOSES = ("end_map", "end_array")
_ANY_CHARACTER = rb"\ufffd"
_HALF = "has half of a surrogate pair"
_BROKEN = (ijson.JSONError, ValueError, ArithmeticError)  # the latter: UTF-8, and exponents beyond all measure

_too_many_digits = re.compile(rb"[0-9]{%d}" % (_MOST_DIGITS + 1))
_surrogate = re.compile(rb"\\u[dD][89a-fA-F]")
_high_surrogate = re.compile(rb"\\u[dD][89abAB]")
_half_or_other = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_escape = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|[^u]|(?P<open>(?:u[0-9a-fA-F]{0,3})?\Z))")

_encode = msgspec.json.Encoder(decimal_format="number").encode


class JsonArray:
    """A `Form`: its refs are those of items.

    An item that is no valid invoice is a record with a problem; so is one that has a field twice, is nested too deeply,
    or is longer than `longest` bytes, and such a one is never in memory as a whole. What is no JSON ends the reading,
    since nobody can tell where the next item begins; so does a single value of several times `longest`.
    """

    def __init__(self, longest: int, allow_unknown_fields: bool = False) -> None:
        self.line = 0
        self.glances = False
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._items = _Items()
        self._parser = ijson.basic_parse_coro(self._items)
        self._began = False
        self._cut_escape = b""
        self._digits = 0  # in a row, at the end of what was read
        self._place = 0  # bytes so far
        self._item_began = 0  # the last look before the item that is open
        self._items_then = 0
        self._heard = 0  # the last look before which a value of the item that is skipped ended
        self._cannot_read_on: CannotReadOn | None = None

    def feed(self, data: memoryview) -> Batch:
        if self._cannot_read_on is None:
            try:
                self._read(bytes(data))
            except CannotReadOn as reason:
                self._cannot_read_on = reason
        return self._batch()

    def cut_off(self) -> Batch:
        return Batch((), (), [])

    def end(self) -> Batch:
        if self._cannot_read_on is None:
            with suppress(StopIteration, *_BROKEN):
                self._parser.send(b"")  # the end
            if not self._items.ended:
                self._cannot_read_on = CannotReadOn("is cut short: the array does not end")
        return self._batch()

    def _batch(self) -> Batch:
        """The items that have ended. When there are none, and never will be: why."""
        values, problems = self._items.take()
        first, self.line = self.line, self.line + len(values)
        if not values and self._cannot_read_on is not None:
            raise self._cannot_read_on
        encoded = [b"" if place in problems else _encode(value) for place, value in enumerate(values)]
        for place, item in enumerate(encoded):
            if len(item) > self._longest:
                problems[place], encoded[place] = self._too_long, b""
        numbers, wrong = numbers_of([item or b"-" for item in encoded], self._allow_unknown_fields)
        return Batch(range(first, self.line), numbers, encoded, wrong | problems)

    @property
    def _too_long(self) -> str:
        return f"is longer than {self._longest} bytes (chunk_bytes)"

    def _read(self, data: bytes) -> None:
        if not self._began and data.strip():
            self._began = True
            _refuse_other_values(data.lstrip())
        start = 0
        while start < len(data):
            piece = data[start : start + _LOOK - self._place % _LOOK]
            start += len(piece)
            self._place += len(piece)
            self._stop_at_many_digits(piece)
            self._parse(self._up_to_a_cut_escape(piece))
            if self._place % _LOOK == 0:
                self._look()

    def _parse(self, data: bytes) -> None:
        try:
            if _surrogate.search(data):
                data = self._parse_up_to_the_last_half(data)
            if data:  # nothing would be the end
                self._parser.send(data)
        except _BROKEN:  # its words quote what it read
            if self._items.ended:
                raise CannotReadOn("has something behind the end of the array") from None
            raise CannotReadOn("is no JSON from here on, or not in UTF-8") from None

    def _parse_up_to_the_last_half(self, data: bytes) -> bytes:
        """ijson takes half of a surrogate pair for another character: it spoils an item. Gives the rest."""
        start = 0
        for escape in _half_or_other.finditer(data):
            if escape["half"] is not None:
                self._parser.send(data[start : escape.start()] + _ANY_CHARACTER)
                self._items.spoil(_HALF)
                start = escape.end()
        return data[start:]

    def _up_to_a_cut_escape(self, piece: bytes) -> bytes:
        """What was kept back and the piece, without an escape at its end that may go on, which is kept back."""
        piece = self._cut_escape + piece
        end = _end_of_whole_escapes(piece) if b"\\" in piece[-12:] else len(piece)
        self._cut_escape = piece[end:]
        return piece[:end]

    def _stop_at_many_digits(self, piece: bytes) -> None:
        leading = len(piece) - len(piece.lstrip(_DIGITS))
        in_a_row = self._digits + leading
        self._digits = in_a_row if leading == len(piece) else len(piece) - len(piece.rstrip(_DIGITS))
        half = _MOST_DIGITS // 2  # whatever has more in a row has one of these parts to itself
        some = any(piece[at : at + half].isdigit() for at in range(0, len(piece), half))
        them = _too_many_digits.search(piece) if some else None
        if in_a_row > _MOST_DIGITS or them:
            if in_a_row <= _MOST_DIGITS and them:
                self._parse(self._up_to_a_cut_escape(piece[: them.start()]))
            raise CannotReadOn(f"has more than {_MOST_DIGITS} digits in a row")

    def _look(self) -> None:
        """Let go of an item that has become too long, and of the rest if even a single value does not end."""
        items, most = self._items, 2 * self._longest  # with spaces it is longer than what would travel
        if items.count_all != self._items_then:
            self._items_then, self._item_began = items.count_all, self._place
        if items.heard:
            items.heard, self._heard = False, self._place
        if self._place - self._item_began <= most:
            return
        if not items.skips:
            items.skip(self._too_long)
        elif self._place - self._heard > most or items.depth > most:
            raise CannotReadOn(f"has a value in it that {self._too_long}")


class _Items:
    """What ijson tells of, value by value, put together to items. `send` runs some sixty times for an invoice."""

    def __init__(self) -> None:
        self.count = 0
        """Items that were taken."""
        self.ended = False
        self.skips = False
        """The item that is open is too long, or too deep: nothing of it is kept."""
        self.depth = 0
        """Levels of an item that is skipped."""
        self.heard = False
        """Whether a value has ended, or begun, of what is skipped."""
        self._began = False
        self._within: Any = None  # the object or array that is being filled; None between items
        self._above: list[Any] = []
        self._name = ""
        self._spoilt: str | None = None
        self._values: list[Any] = []
        self._problems: dict[int, str] = {}

    @property
    def count_all(self) -> int:
        """Items that have ended."""
        return self.count + len(self._values)

    def take(self) -> tuple[list[Any], dict[int, str]]:
        """The items that have ended since this was last asked, and by place what is wrong with those that are none."""
        values, problems = self._values, self._problems
        self._values, self._problems = [], {}
        self.count += len(values)
        return values, problems

    def spoil(self, reason: str) -> None:
        """The item that is open, or ends next, is no invoice."""
        self._spoilt = self._spoilt or reason

    def skip(self, reason: str) -> None:
        """The same, and nothing of it is kept."""
        self.spoil(reason)
        self.skips = self.heard = True
        self.depth = len(self._above)
        self._within = None
        self._above.clear()

    def send(self, event: tuple[str, Any]) -> None:
        kind, value = event
        within = self._within
        if self.skips:
            self._pass_over(kind)
        elif kind == "map_key":
            if value in within:
                self.spoil(f"{value if may_be_shown(value) else 'a field'} stands more than once in the invoice")
            self._name = value
        elif kind in _OPENS:
            self._open({} if kind == "start_map" else [])
        elif kind in _CLOSES:
            self._close(within)
        elif type(within) is dict:
            within[self._name] = value
        elif within is not None:
            within.append(value)
        else:
            self._end(value)

    def _open(self, new: Any) -> None:
        within = self._within
        if type(within) is dict:
            within[self._name] = new
        elif within is not None:
            within.append(new)
        elif not self._began:  # the array of all
            self._began = True
            return
        self._above.append(within)
        self._within = new
        if len(self._above) > _DEEPEST:
            self.skip(f"is nested more than {_DEEPEST} levels deep")

    def _close(self, within: Any) -> None:
        if within is None:
            self.ended = True
            return
        self._within = self._above.pop()
        if self._within is None:
            self._end(within)

    def close(self) -> None:
        """Nothing more comes."""

    def _pass_over(self, kind: str) -> None:
        self.heard = True
        if kind in _OPENS:
            self.depth += 1
            return
        if kind in _CLOSES:
            if self.depth == 0:
                self.ended = True
                return
            self.depth -= 1
        if self.depth == 0:
            self.skips = False
            self._end(None)

    def _end(self, item: Any) -> None:
        if self._spoilt is not None:
            self._problems[len(self._values)], self._spoilt, item = self._spoilt, None, None
        self._values.append(item)


def _refuse_other_values(start: bytes) -> None:
    if start.startswith(b"{"):
        raise CannotReadOn("is a JSON object, not an array: hand in the array that is in it alone")
    if not start.startswith(b"["):
        raise CannotReadOn("is no JSON array: it does not begin with [")


def _end_of_whole_escapes(data: bytes) -> int:
    """Where an escape, or a pair of them, begins that may go on behind `data`; else where it ends."""
    high: re.Match[bytes] | None = None
    for escape in _escape.finditer(data):
        if escape["open"] is not None:
            return high.start() if high and high.end() == escape.start() else escape.start()
        high = escape if _high_surrogate.match(escape[0]) else None
    return high.start() if high and high.end() == len(data) else len(data)
