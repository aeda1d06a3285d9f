"""Whether a look-up can be believed. Pure.

A wrong "absent" bills somebody twice and a wrong "exists" loses an invoice. So nothing that a look-up says counts
before it was right about numbers whose answer is known, nor what it says beside a wrong answer about one of these.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from itertools import takewhile

from cashin_async.bulk.lookup import Found
from cashin_async.models.wire import LARGEST_NUMBER


def unused_number(accepted: Sequence[int], draw: Callable[[int], int]) -> int:
    """A number that was probably never used: any that has as many digits as one of `accepted`, which is not empty.

    So the server has to look for it, and cannot tell by its form. `draw(n)` gives a whole number from 0 to n - 1,
    as `random.randrange` does. That the ledger does not know the number is for the caller to see to.
    """
    digits = len(str(accepted[draw(len(accepted))]))
    least: int = 10 ** (digits - 1)
    most = min(10 * least - 1, LARGEST_NUMBER)
    return least + draw(most - least + 1)


_ACCEPTED_AT_ONCE = 10  # a look-up that overlooks one in ten is caught by two batches in three
_MISSING_AT_ONCE = 3
_UNUSED_AT_ONCE = 2  # new ones each time: the second tells of a chance answer
_MOST_WRONG = 3  # one number may be gone from the server's view, or used by other software; three are no accident
_REMEMBERED = 100  # accepted numbers whose answers are kept: enough to ask for others again each time
_CONFIRMATIONS = 3  # of 100 numbers, a look-up that errs by chance, however often, then has 0.005 sent again wrongly
_IT = "the look-up (--lookup-path, lookup)"
_COUNTS_NOT = "so nothing that it says counts"


class _Accepted:
    """Accepted numbers: what the look-up should find."""

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()
        self.found: dict[int, None] = {}
        self.missing: dict[int, None] = {}
        self._latest_first: list[int] = []

    @property
    def proven(self) -> bool:
        """The latest that can be told is found, and if some are missing, so are the two before it, or most of all.

        A server from whose view old invoices are gone, or a single one, still shows the latest. One that shows invoices
        late does not, and what it calls absent may be on its way.
        """
        later = list(takewhile(lambda number: number not in self.missing, self._latest_first))
        found_later = sum(number in self.found for number in later)
        outweighed = len(self.found) > 2 * len(self.missing)
        return found_later > 0 and (found_later > 2 or outweighed)

    @property
    def hopeless(self) -> bool:
        return len(self.missing) >= _MOST_WRONG and not self.proven

    def candidates(self, latest_first: Iterable[int]) -> list[int]:
        """Some of those answered before, others each time, and some without an answer: at least one new one."""
        order = list(dict.fromkeys([*latest_first, *self._latest_first]))
        self._latest_first = order[:_REMEMBERED]
        for number in order[_REMEMBERED:]:
            self._forget(number)
        found = _next(self.found, _ACCEPTED_AT_ONCE)
        chosen = found + _next(self.missing, _MISSING_AT_ONCE)
        chosen += self._unanswered()[: max(1, _ACCEPTED_AT_ONCE - len(found))]
        self.asked.update(chosen)
        return chosen

    def _unanswered(self) -> list[int]:
        """The least asked first, and of those the latest: one that never has an answer does not stand in the way."""
        left = [number for number in self._latest_first if number not in self.found and number not in self.missing]
        return sorted(left, key=lambda number: self.asked[number])

    def _forget(self, number: int) -> None:
        del self.asked[number]
        self.found.pop(number, None)
        self.missing.pop(number, None)

    def contradiction(self, found: Set[int], missing: Set[int]) -> str | None:
        """In words, when one of these was answered otherwise before."""
        for number in found & self.missing.keys():
            return f"{_IT} finds invoice {number}, which it had called absent: are they shown later than settle_after?"
        for number in missing & self.found.keys():
            return f"{_IT} calls invoice {number} absent, which it had found, {_COUNTS_NOT}"
        return None


def _next(answered: dict[int, None], most: int) -> list[int]:
    """Those whose turn was longest ago."""
    numbers = list(answered)[:most]
    for number in numbers:
        answered[number] = answered.pop(number)
    return numbers


class _Unused:
    """Numbers that were never used: what the look-up should call absent. Each is asked for once."""

    def __init__(self) -> None:
        self.asked: set[int] = set()
        self.absent = 0
        self.invented: list[int] = []

    @property
    def proven(self) -> bool:
        """One right answer is enough, and for each wrong one it takes two more."""
        return self.absent > 2 * len(self.invented)

    @property
    def hopeless(self) -> bool:
        """Most of them, that is: where numbers are short and used densely, some hit an invoice of other software."""
        return len(self.invented) >= max(_MOST_WRONG, self.absent)

    def candidates(self, numbers: Iterable[int]) -> list[int]:
        chosen = list(dict.fromkeys(numbers))[:_UNUSED_AT_ONCE]
        self.asked.update(chosen)
        return chosen


class Calibration:
    """Whether a look-up can be believed: all through a run it is asked for numbers whose answer is known.

    Nothing counts until it has found an accepted number and has not found one that was never used: a look-up that says
    the same of every number settles nothing. `probes` go along with every batch of numbers, and `record` tells whether
    the batch counts, so a server that begins in the middle of a run to answer 404 to everything is caught in the batch
    in which it does.

    One wrong answer is no verdict, since an accepted invoice may be gone from the server's view and a random number be
    in use by other software: right ones outweigh it. Three or more that are not outweighed end the matter for this run,
    and so does an accepted number that is found now and absent then. "Cannot tell" leaves everything as it is.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        """Why nothing that it says will count any more in this run, in words for the user."""
        self._accepted = _Accepted()
        self._unused = _Unused()

    @property
    def trusted(self) -> bool:
        """Whether it has been right about both kinds of numbers. Whether a batch counts is said by `record`."""
        return self.refused is None and self._accepted.proven and self._unused.proven

    @property
    def doubt(self) -> str | None:
        """Why nothing that it says counts, for good or so far; None when it is trusted."""
        if self.trusted or self.refused is not None:
            return self.refused
        if not self._accepted.asked:
            return f"{_IT} could not be tried: no accepted number is known that it should find"
        if self._accepted.proven:
            return f"{_IT} has not shown yet that it says absent where there is no invoice, {_COUNTS_NOT}"
        for number in self._accepted.missing:
            return f"{_IT} calls invoice {number} absent, which was accepted, {_COUNTS_NOT}"
        return f"{_IT} has not shown yet that it finds what was accepted, {_COUNTS_NOT}"

    def probes(self, accepted: Iterable[int], unused: Iterable[int]) -> list[int]:
        """The numbers to ask for along with the next batch, after those that are to be settled: sixteen at most.

        `accepted`: some ten that the ledger knows as accepted, the latest first; the same may be given again. `unused`:
        two that the ledger has never seen, others each time; see `unused_number`.
        """
        if self.refused is not None:
            return []
        known = self._accepted.candidates(accepted)
        return known + self._unused.candidates(number for number in unused if number not in self._accepted.asked)

    def record(self, answers: Mapping[int, Found], too_young: Collection[int] = ()) -> bool:
        """Take in what the look-up said of a batch, and tell whether what it said of the other numbers counts.

        It does when the look-up is trusted and was right, in this very batch, about an accepted number and about one
        that was never used, and wrong about none for the first time. `too_young`: accepted numbers that the server
        may not show yet, since they were accepted less than `settle_after` ago: if they are absent, that tells nothing.
        """
        known = answers.keys() & self._accepted.asked.keys()
        found = {number for number in known if answers[number] is Found.EXISTS}
        missing = {number for number in known if answers[number] is Found.ABSENT}
        missing -= set(too_young) - self._accepted.found.keys()
        unused = answers.keys() & self._unused.asked
        absent = {number for number in unused if answers[number] is Found.ABSENT}
        invented = {number for number in unused if answers[number] is Found.EXISTS}
        self._unused.asked -= unused
        right = bool(found) and bool(absent)
        wrong = bool(invented) or not missing <= self._accepted.missing.keys()
        self.refused = self.refused or self._accepted.contradiction(found, missing)
        self._remember(found, missing, absent, invented)
        return self.trusted and right and not wrong

    def _remember(self, found: Set[int], missing: Set[int], absent: Set[int], invented: Set[int]) -> None:
        self._accepted.found.update(dict.fromkeys(found))
        self._accepted.missing.update(dict.fromkeys(missing))
        self._unused.absent += len(absent)
        self._unused.invented.extend(invented)
        if self._accepted.hopeless:
            self.refused = self.refused or f"{_IT} does not find what is known to be accepted, {_COUNTS_NOT}"
        if self._unused.hopeless:
            number = self._unused.invented[-1]
            self.refused = self.refused or f"{_IT} finds numbers that were never used, as {number}, {_COUNTS_NOT}"


class Absences:
    """What was called absent, and how often: once is too little to send an invoice again.

    A server that overlooks an invoice now and then may do so while it is right about all probes. So a number is
    absent when three batches that count have said so, some time apart.
    """

    def __init__(self) -> None:
        self._times: Counter[int] = Counter()

    def confirm(self, numbers: Iterable[int]) -> list[int]:
        """Take in what a batch that counts called absent when absence counts; give those for which that is enough."""
        numbers = list(numbers)
        self._times.update(numbers)
        enough = [number for number in numbers if self._times[number] >= _CONFIRMATIONS]
        for number in enough:
            del self._times[number]
        return enough
