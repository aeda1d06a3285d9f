"""What the engine needs of an input, whatever its form."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class Record(NamedTuple):
    """One invoice as read: encoded and with its number, or with what is wrong with it."""

    ref: Any
    """What the source knows it by."""
    number: int | None
    encoded: bytes
    """The JSON object that travels; empty when `problem` says why there is none."""
    problem: str | None = None
    unchecked: bool = False
    """Read at a glance: `Source.check` is still to say whether it is an invoice."""


@dataclass(slots=True)
class Batch:
    """Some records as columns: what stands at one place belongs together."""

    refs: Sequence[Any]
    numbers: Sequence[int | None]
    encoded: list[bytes]
    problems: Mapping[int, str] = field(default_factory=dict)
    """By place, what is wrong with those that have no number."""
    unchecked: bool = False
    """Some were read at a glance."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        for place, (ref, number, encoded) in enumerate(zip(self.refs, self.numbers, self.encoded, strict=True)):
            yield Record(ref, number, encoded, self.problems.get(place), self.unchecked)


class SourceProblem(NamedTuple):
    """An input, or the rest of one, that could not be read."""

    reason: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{where}: {self.reason}" if where else self.reason


class Place(NamedTuple):
    """Where in a file an invoice stands."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class CannotReadOn(Exception):
    """The rest of an input cannot be read; the words say why, and quote no value."""

    def __init__(self, reason: str, batch: Batch | None = None) -> None:
        super().__init__(reason)
        self.batch = batch
        """What was read before, where that is in no batch yet: the end of an input is asked for once."""


class Form(Protocol):
    """What the bytes of one input are: fed as they are read, they come out as records. It does no I/O.

    Both methods raise `CannotReadOn`; what was complete before that is in `Batch`es that were given before.
    """

    line: int
    """Lines, items or rows so far: where the reading stands."""
    glances: bool
    """As `Source.glances`. A form may go by it."""

    def feed(self, data: memoryview) -> Batch:
        """The records that end in `data`. A ref is a record's place in the input, from 0: of its line, item or row."""
        ...

    def end(self) -> Batch:
        """What is left when the input has ended."""
        ...

    def cut_off(self) -> Batch:
        """What is whole of what is left, when the rest of the input cannot be had; instead of `end`."""
        ...


class Source(Protocol):
    """An input that is read once, in batches of records."""

    problems: list[SourceProblem]
    """What could not be read so far; the rest goes on."""
    failure: BaseException | None
    """The exception that ended a caller's own iterable."""

    def batches(self) -> AsyncIterator[Batch]:
        """The records, in order, a few at a time: some milliseconds of work."""
        ...

    glances: bool
    """Set by the reader: what comes next are probably invoices whose bytes were accepted before, so that a glance at
    the number is enough to know them again. A source may go by it."""

    wanted: int | None
    """Set by the reader: how many more it will send at most, None for all. What nobody wants is not to be taken from a
    caller who could not get it back."""

    def left_over(self) -> Batch:
        """What was taken from the caller when the reading was ended, and is in none of the batches."""
        ...

    def check(self, record: Record) -> Record:
        """A record that was read at a glance, checked."""
        ...

    def locate(self, ref: Any) -> Any:
        """The caller's object, or the `Place`, that `Record.ref` stands for."""
        ...

    def share_read(self) -> float | None:
        """How much of the input has been read, from 0 to 1; None when there is no telling."""
        ...
