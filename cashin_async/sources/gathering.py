"""Lines of a table into invoices: consecutive lines of one number are one invoice. Pure.

Whatever cannot be read makes that invoice a problem, and never one that is sent with a row less.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cashin_async.models.wire import numbers_of
from cashin_async.sources.columns import Layout
from cashin_async.sources.source import Batch

_NEAR = 100  # invoices: as many lines as a text that broke one into pieces may have had


class Trouble(NamedTuple):
    """What is wrong with a line."""

    reason: str
    hides: bool = False
    """Whether there may be other lines in it, which nobody could make out."""
    digits: str = ""
    """What stands in the place of its number, where delimiters, quotation marks or line feeds are wrong: it may be a
    part of a number, or have more behind it."""


class Lines(NamedTuple):
    """Lines side by side: what stands at one place belongs together."""

    refs: Sequence[int]
    """Where each stands, from 0."""
    numbers: Sequence[str | None]
    """Of the invoice that it is a line of; None when it cannot be read."""
    heads: Sequence[tuple[str, ...]]
    """The invoice's own members, as `"Name":value`; empty for one that is absent."""
    rows: Sequence[str]
    """The members of its row; empty when there is none."""
    troubles: Mapping[int, Trouble]


@dataclass(slots=True)
class _Invoice:
    """One invoice as far as its lines have come."""

    ref: int
    number: str | None
    head: tuple[str, ...]
    rows: list[str] = field(default_factory=list)
    size: int = 0
    problem: str | None = None
    hides: int | None = None
    """The last of its lines that may have others in it."""
    digits: str = ""
    """Of its first line, as `Trouble.digits`."""

    def refuse(self, line: int, reason: str) -> None:
        """The first reason is kept. The invoice is known by its first line; another is named."""
        if self.problem is None:
            self.problem = reason if line == self.ref else f"line {line + 1}, {reason}"
            self.rows.clear()

    def encoded(self, longest: int) -> bytes:
        """What travels, empty where it is refused: also for being longer than `longest` bytes."""
        if self.problem is not None:
            return b""
        members = [*filter(None, self.head)]
        if self.rows:
            members.append(f'"InvoiceRows":[{",".join(self.rows)}]')
        encoded = f"{{{','.join(members)}}}".encode()
        if len(encoded) > longest:
            self.refuse(self.ref, f"is longer than {longest} bytes (chunk_bytes)")
            return b""
        return encoded


class Gathering:
    """Feed it lines, take invoices; the last one is kept until its end is known."""

    def __init__(self, layout: Layout, longest: int, allow_unknown_fields: bool) -> None:
        self._layout = layout
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._open: _Invoice | None = None
        self._spoilt = deque[str](maxlen=_NEAR)
        """Numbers of those with a problem since the last one without: more of their lines may come, behind a broken
        one that seems to be of another number."""
        self._spoilt_digits = deque[str](maxlen=_NEAR)
        """What stood there in the place of a number."""

    def add(self, lines: Lines) -> Batch:
        """The invoices that end in `lines`."""
        done: list[_Invoice] = []
        last = self._open
        refs, numbers, heads, rows, troubles = lines
        for place, number in enumerate(numbers):
            if last is None or number is None or number != last.number:
                invoice = _Invoice(refs[place], number, heads[place])
                if place in troubles:
                    invoice.digits = troubles[place].digits
                    invoice.hides = refs[place] if troubles[place].hides else None
                if last is not None:
                    self._doubt(last, invoice, rows[place])
                    done.append(last)
                    self._remember(last)
                if number is not None and self._is_spoilt(number):
                    invoice.refuse(refs[place], "has lines before this one that cannot be read")
                last = invoice
            elif heads[place] != last.head and (differing := self._differing(last.head, heads[place])):
                last.refuse(refs[place], f"column {differing}: differs from the first line of the invoice")
            if place in troubles:
                last.refuse(refs[place], troubles[place].reason)
                last.hides = refs[place] if troubles[place].hides else last.hides
            if rows[place]:
                self._add_row(last, rows[place])
        self._open = last
        return self._batch(done)

    def end(self, *, cut_off: bool = False) -> Batch:
        """The last one. Where the input is cut off behind it, nobody knows whether it has all its rows."""
        last, self._open = self._open, None
        if last is None:
            return self._batch([])
        if cut_off and self._layout.rows:
            last.refuse(last.ref, "may not be all: the input breaks off behind it")
        return self._batch([last])

    def _add_row(self, invoice: _Invoice, row: str) -> None:
        invoice.size += len(row)
        if invoice.size > self._longest:
            invoice.refuse(invoice.ref, f"is longer than {self._longest} bytes (chunk_bytes)")
        if invoice.problem is None:
            invoice.rows.append(f"{{{row}}}")

    def _remember(self, invoice: _Invoice) -> None:
        if invoice.problem is None:
            self._spoilt.clear()
            self._spoilt_digits.clear()
            return
        if invoice.number is not None:
            self._spoilt.append(invoice.number)
        if invoice.digits:
            self._spoilt_digits.append(invoice.digits)

    def _is_spoilt(self, number: str) -> bool:
        return number in self._spoilt or any(_may_be_one(number, digits) for digits in self._spoilt_digits)

    def _doubt(self, before: _Invoice, after: _Invoice, row: str) -> None:
        """A line without a number may be a row of the invoice before it, and one of the invoice after it the next.

        So may one whose number is only like that of the invoice before it.
        """
        if before.hides is not None and after.number is not None:
            after.refuse(after.ref, f"may begin in line {before.hides + 1}, of which nobody can tell whose it is")
        like = before.number is not None and after.digits and _may_be_one(before.number, after.digits)
        if before.number is not None and (like or (after.hides is not None and after.number is None)):
            before.refuse(before.ref, f"may go on in line {after.ref + 1}, of which nobody can tell whose it is")
        if self._layout.rows and row and (before.number is None) != (after.number is None):
            loose, whole = (before, after) if before.number is None else (after, before)
            if not self._differing(before.head[1:], after.head[1:]):
                whole.refuse(whole.ref, f"may have a row in line {loose.ref + 1}, which has no readable InvoiceNumber")

    def _differing(self, first: tuple[str, ...], other: tuple[str, ...]) -> str | None:
        """The column in which a line is not one of an invoice with this first line, where it holds anything at all."""
        offset = len(self._layout.heads) - len(other)
        for place, (one, two) in enumerate(zip(first, other, strict=True)):
            if two and one != two:
                return self._layout.heads[offset + place].name
        return None

    def _batch(self, done: list[_Invoice]) -> Batch:
        encoded = [invoice.encoded(self._longest) for invoice in done]
        numbers, problems = numbers_of(encoded, self._allow_unknown_fields)
        problems.update({place: one.problem for place, one in enumerate(done) if one.problem is not None})
        return Batch([invoice.ref for invoice in done], numbers, encoded, problems)


def _may_be_one(number: str, digits: str) -> bool:
    """Whether one character too many, or too few, can have made these digits of a number: it moves only its end."""
    return number.startswith(digits) or digits.startswith(number)
