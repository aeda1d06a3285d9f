"""Invoice numbers with the digests of their contents: 16 bytes an invoice, in sorted blocks."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from operator import lt


class Claim(Enum):
    """What an index knew of a number before it was claimed."""

    NEW = "new"
    SAME = "same content"
    OTHER = "other content"


class NumberIndex:
    """Which numbers were claimed, and by what content: numbers from 1 to 2**63 - 1, digests of 8 bytes, signed.

    They stand in parallel arrays, in sorted blocks, so that numbers in rising order are appended and others
    inserted, and nothing but the 16 bytes grows with the input.
    """

    _FULL = 1024  # numbers a block: an insertion moves at most 8 KB twice, the lists of blocks stay short

    def __init__(self) -> None:
        self._largest: list[int] = []
        self._numbers: list[array[int]] = []
        self._digests: list[array[int]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def largest(self) -> int:
        """The largest number; 0 when there is none."""
        return self._largest[-1] if self._largest else 0

    def claim(self, number: int, digest: int) -> Claim:
        """Claim `number` for the content with `digest`, unless it is taken."""
        if not self._largest or number > self._largest[-1]:
            self._append(number, digest)
            return Claim.NEW
        block = bisect_left(self._largest, number)
        place = bisect_left(self._numbers[block], number)
        if self._numbers[block][place] == number:
            return Claim.SAME if self._digests[block][place] == digest else Claim.OTHER
        self._insert(block, place, number, digest)
        return Claim.NEW

    def get(self, number: int) -> int | None:
        """The digest of `number`; None when it was never claimed."""
        if not self._largest or number > self._largest[-1]:
            return None
        block = bisect_left(self._largest, number)
        place = bisect_left(self._numbers[block], number)
        return self._digests[block][place] if self._numbers[block][place] == number else None

    def put(self, number: int, digest: int) -> None:
        """Claim `number` for the content with `digest`, whoever had it."""
        if self.claim(number, digest) is Claim.OTHER:
            block = bisect_left(self._largest, number)
            self._digests[block][bisect_left(self._numbers[block], number)] = digest

    def put_all(self, numbers: Sequence[int], digests: Sequence[int]) -> None:
        """`put` each of them; fast for numbers in rising order between which there is none yet."""
        block = self._block_with_room(numbers)
        if block is None:
            for number, digest in zip(numbers, digests, strict=True):
                self.put(number, digest)
            return
        place = bisect_left(self._numbers[block], numbers[0])
        self._numbers[block][place:place] = array("q", numbers)
        self._digests[block][place:place] = array("q", digests)
        self._largest[block] = self._numbers[block][-1]
        self._count += len(numbers)
        self._split(block)

    def above(self, number: int) -> Iterator[int]:
        """All numbers larger than `number`, rising."""
        for block in range(bisect_right(self._largest, number), len(self._largest)):
            numbers = self._numbers[block]
            yield from numbers[bisect_right(numbers, number) :]

    def _block_with_room(self, numbers: Sequence[int]) -> int | None:
        """The block into which all of them fit side by side, or None."""
        if not numbers or not self._largest or not all(map(lt, numbers, numbers[1:])):
            return None
        block = min(bisect_left(self._largest, numbers[0]), len(self._largest) - 1)
        standing = self._numbers[block]
        place = bisect_left(standing, numbers[0])
        if place < len(standing):
            return block if numbers[-1] < standing[place] else None
        return block

    def _append(self, number: int, digest: int) -> None:
        if not self._largest or len(self._numbers[-1]) >= self._FULL:
            if self._largest:  # a copy is as long as what it holds: without the room that append keeps in hand
                self._numbers[-1], self._digests[-1] = self._numbers[-1][:], self._digests[-1][:]
            self._largest.append(number)
            self._numbers.append(array("q"))
            self._digests.append(array("q"))
        self._largest[-1] = number
        self._numbers[-1].append(number)
        self._digests[-1].append(digest)
        self._count += 1

    def _insert(self, block: int, place: int, number: int, digest: int) -> None:
        self._numbers[block].insert(place, number)
        self._digests[block].insert(place, digest)
        self._count += 1
        self._split(block)

    def _split(self, block: int) -> None:
        """Cut a block that has become too long into equal ones."""
        length = len(self._numbers[block])
        if length <= 2 * self._FULL:
            return
        step = -(-length // (length // self._FULL))
        for columns in (self._numbers, self._digests):
            column = columns[block]
            columns[block : block + 1] = [column[start : start + step] for start in range(0, length, step)]
        pieces = self._numbers[block : block + -(-length // step)]
        self._largest[block : block + 1] = [piece[-1] for piece in pieces]
