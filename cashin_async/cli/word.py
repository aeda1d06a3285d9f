"""A person's word on numbers, put on record."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from cashin_async.ledger.base import IN_PLAY, Known, Ledger, NumberState
from cashin_async.report.settlement import SettlementReport

ACCEPTED = "accepted by a person's word"
RELEASED = "released by a person's word"

_PAGE = 5000  # numbers that are put on record together, for one sync of some milliseconds


class Word:
    """What a person says of numbers, as a run of its own: its `report` tells what came of it."""

    def __init__(self, ledger: Ledger, run: str, place: str) -> None:
        self.report = SettlementReport(run, place)
        self._ledger = ledger
        self._began = datetime.now(UTC)

    async def accept(self, numbers: Iterable[int]) -> None:
        """The server has them. Those that are not on record are adopted; none is ever sent."""
        for page in _pages(numbers):
            on_record = await self._ledger.known(page)
            unknown: list[int] = []
            others: dict[int, int | None] = {}
            for number in page:
                state = _state(on_record.get(number))
                if state is NumberState.UNKNOWN:
                    unknown.append(number)
                elif state is NumberState.ACCEPTED:
                    self._leave("accepted already", number)
                elif state in IN_PLAY:
                    self._leave(f"{state}: what becomes of them is not known yet", number)
                else:
                    others[number] = None
            self.report.accepted += await self._decide(NumberState.ACCEPTED, ACCEPTED, unknown)
            if others:
                await self._ledger.note(self.report.run, NumberState.ACCEPTED, ACCEPTED, others)
                self.report.adopted.extend(others)
            await self._save()

    async def release(self, numbers: Iterable[int]) -> None:
        """The server does not have them: those that are unknown go when their invoices are in an upload again."""
        for page in _pages(numbers):
            on_record = await self._ledger.known(page)
            unknown = []
            for number in page:
                state = _state(on_record.get(number))
                if state is NumberState.UNKNOWN:
                    unknown.append(number)
                else:
                    self._leave(_why_not_released(state), number)
            self.report.released += await self._decide(NumberState.RELEASED, RELEASED, unknown)
            await self._save()

    async def _decide(self, state: NumberState, reason: str, numbers: list[int]) -> list[int]:
        return await self._ledger.decide(self.report.run, state, reason, numbers) if numbers else []

    def _leave(self, why: str, number: int) -> None:
        self.report.unchanged.setdefault(why, []).append(number)

    async def _save(self) -> None:
        facts = {"run": self.report.run, "began": self._began.isoformat(), "ended": datetime.now(UTC).isoformat()}
        await self._ledger.save_run(self.report.run, facts)


def _pages(numbers: Iterable[int]) -> Iterator[list[int]]:
    numbers = iter(numbers)
    while page := list(islice(numbers, _PAGE)):
        yield list(dict.fromkeys(page))


def _state(known: Known | None) -> NumberState | None:
    return known and known.state


def _why_not_released(state: NumberState | None) -> str:
    match state:
        case None:
            return "not on record: nothing keeps them from being sent"
        case NumberState.ACCEPTED:
            return "accepted, which is final: not released"
        case NumberState.RELEASED:
            return "released already"
        case NumberState.REJECTED | NumberState.INVALID | NumberState.UNSENT:
            return f"{state}, not unknown: nothing to release"
        case _:
            return f"{state}: what becomes of them is not known yet"
