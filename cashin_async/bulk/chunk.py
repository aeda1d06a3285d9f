"""Invoices cut into request bodies, by count and by bytes. Each is encoded once, by whoever hands it in."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate, compress
from typing import Any, NamedTuple

BRACKETS = 2
"""Bytes of a JSON array around its elements."""


class Columns(NamedTuple):
    """Invoices side by side: what stands at one place belongs together."""

    numbers: Sequence[int]
    encoded: Sequence[bytes]
    refs: Sequence[Any]
    digests: Sequence[int]

    def without(self, places: Collection[int]) -> "Columns":
        """The others."""
        keep = [place not in places for place in range(len(self.numbers))]
        return Columns(*(list(compress(column, keep)) for column in self))


class Chunk:
    """The invoices of one request: parallel columns, and what happened to them so far."""

    __slots__ = (
        "attempts",
        "digests",
        "encoded",
        "in_doubt",
        "in_flight",
        "lease",
        "numbers",
        "part",
        "refs",
        "sent",
        "size",
    )

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.digests: list[int] = []
        self.encoded: list[bytes] = []
        self.refs: list[Any] = []
        """What the source knows each invoice by."""
        self.size = BRACKETS - 1
        """Bytes of the body: each invoice comes with a comma, but the first."""
        self.sent = False
        """Whether it was sent before, by itself or as a part of a larger one."""
        self.attempts = 0
        """Times that it was sent and provably did not arrive."""
        self.in_doubt = False
        """Whether an earlier sending may have been applied."""
        self.in_flight = False
        """Whether it was handed over to be sent, and nothing is known yet of what came of it."""
        self.lease: int | None = None
        """What the ledger knows it by; None before it is on record."""
        self.part = False
        """Whether the lease is of more invoices than these."""

    def __len__(self) -> int:
        return len(self.numbers)

    def append(self, number: int, encoded: bytes, ref: Any, digest: int = 0) -> None:
        self.numbers.append(number)
        self.digests.append(digest)
        self.encoded.append(encoded)
        self.refs.append(ref)
        self.size += len(encoded) + 1

    def extend(self, columns: "Columns", start: int, end: int, size: int) -> None:
        """Append the invoices from the place `start` on and before `end`, of `size` bytes with a comma each."""
        self.numbers += columns.numbers[start:end]
        self.digests += columns.digests[start:end]
        self.encoded += columns.encoded[start:end]
        self.refs += columns.refs[start:end]
        self.size += size

    def body(self) -> bytes:
        """The JSON array to send, of one invoice at least. Adding brackets to it later would copy it twice more."""
        pieces = self.encoded.copy()
        pieces[0] = b"[" + pieces[0]
        pieces[-1] += b"]"
        return b",".join(pieces)

    def split(self, first: int) -> "tuple[Chunk, Chunk]":
        """The first `first` invoices and the others, in their order."""
        return self.pick(range(first)), self.pick(range(first, len(self)))

    def halves(self) -> "tuple[Chunk, Chunk]":
        return self.split((len(self) + 1) // 2)

    def pick(self, places: Sequence[int]) -> "Chunk":
        """Some of the invoices, as a part of what is leased."""
        chunk = Chunk()
        for place in places:
            chunk.append(self.numbers[place], self.encoded[place], self.refs[place], self.digests[place])
        chunk.lease = self.lease
        chunk.part = self.part or len(chunk) < len(self)
        chunk.sent = self.sent
        chunk.attempts = self.attempts
        chunk.in_doubt = self.in_doubt
        return chunk


class Chunker:
    """Cuts a stream of encoded invoices into chunks, in their order.

    No chunk has more than `invoices` invoices or more than `size` bytes, and the first has at most `first`.
    Limits learned from the server (`learn`) hold for what is added from then on (`fits` tells of what was cut
    before); an invoice that is larger alone than a
    learned size still gets a chunk of its own, since only the server can tell.
    """

    def __init__(self, invoices: int, size: int, first: int) -> None:
        self._most = invoices
        self._size = size
        self._learned_size = size
        self._now = min(first, invoices)
        self._chunk = Chunk()

    def add_all(self, columns: Columns) -> list[Chunk]:
        """`add` each of them, in a fraction of the time."""
        done = []
        sizes = list(accumulate((len(encoded) + 1 for encoded in columns.encoded), initial=0))
        start, count = 0, len(columns.encoded)
        while start < count:
            chunk = self._chunk
            by_count = start + max(0, self._now - len(chunk))
            by_size = bisect_right(sizes, sizes[start] + self._learned_size - chunk.size) - 1
            end = min(count, by_count, max(by_size, start if chunk.numbers else start + 1))
            chunk.extend(columns, start, end, sizes[end] - sizes[start])
            if end < count or len(chunk) >= self._now:
                done.append(self._cut())
            start = end
        return done

    def too_large(self, encoded: bytes) -> bool:
        """Whether an invoice is above the size limit alone, which makes it `invalid`."""
        return len(encoded) + BRACKETS > self._size

    def add(self, number: int, encoded: bytes, ref: Any, digest: int = 0) -> list[Chunk]:
        """The chunks that are complete now: mostly none."""
        done = []
        chunk = self._chunk
        if chunk.numbers and (len(chunk) >= self._now or chunk.size + len(encoded) + 1 > self._learned_size):
            done.append(self._cut())
            chunk = self._chunk
        chunk.append(number, encoded, ref, digest)
        if len(chunk) >= self._now:
            done.append(self._cut())
        return done

    def rest(self) -> list[Chunk]:
        """The last chunk, if there is one."""
        return [self._cut()] if self._chunk.numbers else []

    def _cut(self) -> Chunk:
        chunk, self._chunk = self._chunk, Chunk()
        self._now = self._most
        return chunk

    def learn(self, refused: Chunk) -> None:
        """The server found `refused` too large: its larger half is the limit for the rest of the run."""
        halves = refused.halves()
        self._most = min(self._most, len(halves[0]))
        self._now = min(self._now, self._most)
        self._learned_size = min(self._learned_size, max(half.size for half in halves))

    def fits(self, chunk: Chunk) -> bool:
        """Whether a chunk cut earlier is within what was learned since."""
        return len(chunk) == 1 or (len(chunk) <= self._most and chunk.size <= self._learned_size)
