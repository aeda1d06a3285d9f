"""Who in this process has which number. A number is claimed before it is cut into a chunk, and by one task only."""

import asyncio
from collections.abc import Sequence
from itertools import repeat

from cashin_async.ledger.base import Known, Ledger

Held = tuple[object, int]
"""A number in somebody's hands: the holder, and the digest of the content it is for."""

Found = Known | Held | None


class Claims:
    """The numbers in play, over one ledger that this process alone writes."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._held: dict[int, Held] = {}
        self._in_doubt: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def claim(self, holder: object, numbers: Sequence[int], digests: Sequence[int]) -> Sequence[Found]:
        """Claim numbers for `holder`, as far as nobody has them, and say what is known of each.

        None: never seen before, and the holder's now. `Known`: on record, and the holder's now; what is not to be
        sent is to be released. `Held`: somebody has it already, perhaps the same holder, and be it by this very call.
        """
        taken = self._take(holder, numbers, digests)
        fresh = (
            numbers if taken is None else [number for number, one in zip(numbers, taken, strict=True) if one is None]
        )
        try:
            on_record = await self.ledger.known(fresh) if fresh else {}
        except BaseException:
            self.release(fresh)
            raise
        if not on_record:
            return [None] * len(numbers) if taken is None else taken
        if taken is None:
            return list(map(on_record.get, numbers))
        return [on_record.get(number) if one is None else one for number, one in zip(numbers, taken, strict=True)]

    def _take(self, holder: object, numbers: Sequence[int], digests: Sequence[int]) -> list[Held | None] | None:
        """In one step, without a pause: who had them before. None: nobody had any."""
        held = self._held
        if held.keys().isdisjoint(numbers) and len(set(numbers)) == len(numbers):
            held.update(zip(numbers, zip(repeat(holder), digests), strict=False))
            return None
        taken = []
        for number, digest in zip(numbers, digests, strict=True):
            taken.append(held.get(number))
            held.setdefault(number, (holder, digest))
        return taken

    def holds(self, holder: object, number: int) -> bool:
        """Whether a number is in the hands of `holder` now."""
        held = self._held.get(number)
        return held is not None and held[0] is holder

    def doubt(self, numbers: Sequence[int]) -> None:
        """Their holder settles them, which takes its time: nobody is to wait for that."""
        self._in_doubt.update(numbers)
        self._wake(numbers)

    def in_doubt(self, number: int) -> bool:
        """Whether its holder is settling it."""
        return number in self._in_doubt

    def resume(self, numbers: Sequence[int]) -> None:
        """They are settled, and their holder sends them."""
        self._in_doubt.difference_update(numbers)

    def release(self, numbers: Sequence[int]) -> None:
        """It is on record what became of them, or nothing did. Whoever waits for one may claim it."""
        held = self._held
        for number in numbers:
            held.pop(number, None)
        if self._in_doubt:
            self._in_doubt.difference_update(numbers)
        if self._waiting:
            self._wake(numbers)

    def _wake(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if waiting := self._waiting.pop(number, None):
                waiting.set_result(None)

    def abandon(self, holder: object) -> None:
        """Release all that a holder still has."""
        self.release([number for number, held in self._held.items() if held[0] is holder])

    async def released(self, number: int) -> None:
        """Wait until nobody has `number`, or whoever has it settles it."""
        if number in self._held and number not in self._in_doubt:
            waiting = self._waiting.get(number)
            if waiting is None:
                waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
            await asyncio.shield(waiting)
