"""The invoice numbers of one input with their digests: 16 bytes an invoice, in sorted blocks."""

import hashlib
from array import array
from bisect import bisect_left
from enum import Enum


def digest(encoded: bytes) -> int:
    """What tells one content from another: 8 bytes of the SHA-256 of the invoice as it travels.

    The same content spelled otherwise (keys in another order, 100.0 for 100) has another digest. That errs to
    the safe side: it is reported as a conflict, and not sent.
    """
    return int.from_bytes(hashlib.sha256(encoded).digest()[:8])


class Claim(Enum):
    """What an index knew of a number before it was claimed."""

    NEW = "new"
    SAME = "same content"
    OTHER = "other content"


class NumberIndex:
    """Which numbers were claimed, and by what content.

    Numbers and 8-byte digests stand in parallel arrays, in sorted blocks, so that numbers in rising order
    are appended and others inserted, and nothing but the 16 bytes grows with the input.
    """

    _FULL = 1024  # numbers a block: an insertion moves at most 8 KB twice, the lists of blocks stay short

    def __init__(self) -> None:
        self._largest: list[int] = []
        self._numbers: list[array[int]] = []
        self._digests: list[array[int]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def claim(self, number: int, digest: int) -> Claim:
        """Claim `number` (0 to 2**64 - 1) for the content with `digest` (likewise), unless it is taken."""
        if not self._largest or number > self._largest[-1]:
            self._append(number, digest)
            return Claim.NEW
        block = bisect_left(self._largest, number)
        numbers, digests = self._numbers[block], self._digests[block]
        place = bisect_left(numbers, number)
        if numbers[place] == number:
            return Claim.SAME if digests[place] == digest else Claim.OTHER
        numbers.insert(place, number)
        digests.insert(place, digest)
        self._count += 1
        if len(numbers) > 2 * self._FULL:
            self._split(block)
        return Claim.NEW

    def _append(self, number: int, digest: int) -> None:
        if not self._largest or len(self._numbers[-1]) >= self._FULL:
            if self._largest:  # a copy is as long as what it holds: without the room that append keeps in hand
                self._numbers[-1], self._digests[-1] = self._numbers[-1][:], self._digests[-1][:]
            self._largest.append(number)
            self._numbers.append(array("Q"))
            self._digests.append(array("Q"))
        self._largest[-1] = number
        self._numbers[-1].append(number)
        self._digests[-1].append(digest)
        self._count += 1

    def _split(self, block: int) -> None:
        for columns in (self._numbers, self._digests):
            column = columns[block]
            half = len(column) // 2
            columns[block : block + 1] = [column[:half], column[half:]]
        self._largest.insert(block, self._numbers[block][-1])
