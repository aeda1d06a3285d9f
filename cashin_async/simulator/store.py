"""What the stand-in server accepted: each number, how often, and the invoices themselves when they are kept."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import msgspec


class Store:
    """Every invoice that was applied. `len()` is the count of distinct numbers.

    What happens to a number that is posted twice is not published, so it is accepted each time and counted:
    the second time is the second bill that a client must never cause.

    One event loop writes; other threads may read at any time, since each answer is taken from one copy.
    """

    def __init__(self, keep_invoices: bool = True) -> None:
        self.accepted = 0
        """How many invoices were accepted, a number as often as it came."""
        self._keep = keep_invoices
        self._times: dict[int, tuple[int, float]] = {}
        """How often, and since when: one tuple for all that came together."""
        self._twice: dict[int, None] = {}
        self._invoices: dict[int, list[bytes]] = {}

    def add(self, numbers: Iterable[int], invoices: Iterable[bytes] = (), at: float = 0.0) -> None:
        """Accept these numbers, `at` monotonic seconds; `invoices` are their JSON objects in the same order."""
        once = (1, at)
        for number, invoice in zip_longest(numbers, invoices):
            times, since = self._times.get(number, (0, at))
            self._times[number] = (times + 1, since) if times else once
            if times:
                self._twice[number] = None
            if self._keep and invoice is not None:
                self._invoices.setdefault(number, []).append(invoice)
            self.accepted += 1

    def times(self, number: int) -> int:
        """How often this number was accepted; 0 for never."""
        return self._times[number][0] if number in self._times else 0

    def since(self, number: int) -> float:
        """When it was accepted first, in monotonic seconds (`time.monotonic()`). `KeyError` when it never was."""
        return self._times[number][1]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The distinct numbers, in the order of their first acceptance."""
        return tuple(self._times)

    @property
    def twice(self) -> tuple[int, ...]:
        """The numbers that were accepted more than once: somebody would be billed again."""
        return tuple(self._twice)

    def invoice(self, number: int) -> dict[str, Any]:
        """The invoice as it was accepted last. `KeyError` when it never was, or invoices are not kept."""
        invoice: dict[str, Any] = msgspec.json.decode(self._invoices[number][-1])
        return invoice

    def as_array(self) -> bytes:
        """A JSON array of all that was accepted; without the invoices an object with the number alone."""
        if self._keep:
            return b"[" + b",".join(invoice for copies in list(self._invoices.values()) for invoice in copies) + b"]"
        return msgspec.json.encode(
            [{"InvoiceNumber": n} for n, (times, _) in self._times.copy().items() for _ in range(times)]
        )

    def __len__(self) -> int:
        return len(self._times)

    def __contains__(self, number: object) -> bool:
        return number in self._times

    def __repr__(self) -> str:
        return f"Store(accepted={self.accepted}, numbers={len(self)}, twice={len(self._twice)})"
