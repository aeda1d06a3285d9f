"""The six outcomes, and the report whose counts add up to what was read."""

import warnings
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, overload

from cashin_async.bulk.history import Past
from cashin_async.errors import UploadFailed
from cashin_async.sources.source import SourceProblem


class State(StrEnum):
    """What became of an invoice. Every invoice read ends in exactly one of these."""

    ACCEPTED = "accepted"
    """A 202 whose counts add up and that does not name it as failed."""
    REJECTED = "rejected"
    """The server refused it, or its number is taken by different content (a conflict, never sent)."""
    INVALID = "invalid"
    """It never left: unreadable, wrong types, breaks a rule that is enforced, larger than the size limit alone."""
    DUPLICATE = "duplicate"
    """It never left: same number and same content as one before."""
    UNKNOWN = "unknown"
    """It may have been accepted; there is no proof either way."""
    UNSENT = "unsent"
    """Provably not sent or not applied, and given up for now."""


FAILURES = (State.REJECTED, State.INVALID, State.UNKNOWN, State.UNSENT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One invoice's outcome."""

    state: State
    number: int | None
    """The invoice number; None when it could not be read."""
    reason: str | None = None
    """Why, in words that quote no value of the invoice."""
    source: Any = field(default=None, repr=False)
    """The caller's own object, or the file and line (`Place`)."""
    answer: str | None = field(default=None, repr=False)
    """The server's raw answer, values of the invoices blanked, when it proves nothing about this one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Some invoices that ended alike: outcomes as columns, made into `Outcome` objects only when looked at."""

    state: State
    numbers: Sequence[int | None]
    refs: Sequence[Any]
    """What the source knows each invoice by; its `locate` makes the `Outcome.source` of it."""
    reason: str | None = None
    answer: str | None = None
    encoded: Sequence[bytes] = ()
    """The invoices as they came, in the same order; empty where that is not known."""

    def outcomes(self, locate: Callable[[Any], Any]) -> Iterator[Outcome]:
        for number, ref in zip(self.numbers, self.refs, strict=True):
            yield Outcome(self.state, number, self.reason, locate(ref), self.answer)


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at one moment."""

    read: int
    """Invoices taken from the input: those with an outcome, in flight, or waiting to go."""
    counts: dict[State, int]
    in_flight: int
    """Requests under way."""
    window: int
    """Requests that may be under way at once, as of now."""
    requests: int
    retries: int
    held_for: float
    """Seconds that every sender still holds for; 0 without a hold."""
    seconds: float
    """Since the run began."""
    share_read: float | None
    """How much of the input has been read, from 0 to 1; None when there is no telling."""
    stopped: str | None = None
    in_doubt: int = 0
    """Invoices that are unknown, and still to be settled by a look-up in this run."""
    next_ask: float | None = None
    """Seconds until the next of them is looked up."""
    last_failure: Outcome | None = None
    """The last invoice that failed. Its `source` is its `Place`, or None where it has none: never the invoice."""

    @property
    def done(self) -> int:
        """Invoices that have their outcome."""
        return sum(self.counts.values())

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None when there is no telling."""
        if not self.share_read or not self.done:
            return None
        return self.seconds * (self.read / self.share_read / self.done - 1)


class UnseenFailures(UserWarning):
    """An upload had failures and nobody looked at them."""


class Failures(Sequence[Outcome]):
    """The outcomes that are neither accepted nor duplicate, kept as columns."""

    def __init__(self, locate: Callable[[Any], Any]) -> None:
        self._locate = locate
        self._states = array("B")
        self._numbers = array("q")
        self._refs: list[Any] = []
        self._reasons: list[str | None] = []
        self._answers: dict[int, str] = {}
        self._same_reason: dict[str | None, str | None] = {}
        self._counts: dict[tuple[State, str | None], int] = {}

    def add(self, settled: Settled) -> None:
        reason = self._same_reason.setdefault(settled.reason, settled.reason)
        self._counts[settled.state, reason] = self._counts.get((settled.state, reason), 0) + len(settled.refs)
        if settled.answer is not None:
            for index in range(len(self._refs), len(self._refs) + len(settled.refs)):
                self._answers[index] = settled.answer
        self._states.extend([FAILURES.index(settled.state)] * len(settled.refs))
        self._numbers.extend(number or 0 for number in settled.numbers)
        self._refs.extend(settled.refs)
        self._reasons.extend([reason] * len(settled.refs))

    def __len__(self) -> int:
        return len(self._refs)

    @property
    def reasons(self) -> Mapping[tuple[State, str | None], int]:
        """How many there are of each outcome and reason, in the order in which these came up."""
        return self._counts

    def with_answers(self) -> Iterator[Outcome]:
        """The first of each reason for which there is a raw answer."""
        told: set[str | None] = set()
        for index in self._answers:
            if self._reasons[index] not in told:
                told.add(self._reasons[index])
                yield self[index]

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return Outcome(
            FAILURES[self._states[index]],
            self._numbers[index] or None,
            self._reasons[index],
            self._locate(self._refs[index]),
            self._answers.get(index),
        )


def _same(ref: Any) -> Any:
    return ref


class UploadReport:
    """What became of an upload. `read` is the sum of the six counts, at every moment.

    An upload with failures that nobody looked at warns (`UnseenFailures`) when its report is dropped:
    looking means any of the failing counts, `failures`, `ok`, `exit_code`, `raise_for_failures()` or `as_dict()`.
    """

    def __init__(self, run: str, ledger: str | None = None, locate: Callable[[Any], Any] = _same) -> None:
        self.run = run
        """The run's id."""
        self.ledger = ledger
        """Where the ledger is; None without one."""
        self.began: datetime | None = None
        """When the upload began; None before that."""
        self.seconds = 0.0
        self.requests = 0
        """Exchanges begun, retries among them."""
        self.retries = 0
        """Times that a chunk or a piece of one went again."""
        self.max_in_flight = 0
        """The most requests that were in flight at once."""
        self.holds = 0
        """How often the server made every sender hold."""
        self.held_seconds = 0.0
        """For how long, all in all."""
        self.past: Past | None = None
        """What was done when; None before the end."""
        self.stopped: str | None = None
        """Why the run stopped before its end, if it did."""
        self.interrupted = False
        self.read_to_end = True
        """Whether every input was read to its end; a run that was stopped or limited may leave a rest unread."""
        self.released: list[int] = []
        """Numbers that were unknown and are settled as not accepted, and were not in this input: their invoices are
        still to be sent, and `exit_code` is 3 for as long."""
        self.settled_accepted: list[int] = []
        """Unknown numbers of earlier runs that a look-up found in this one."""
        self.settled_released: list[int] = []
        """Unknown numbers of earlier runs that a look-up did not find in this one."""
        self.problems: list[SourceProblem] = []
        """Inputs that could not be read to their end."""
        self.broken_rules: dict[str, int] = {}
        """By rule, how many problems there were in what was about to be sent: errors and warnings, enforced or not."""
        self._counts = dict.fromkeys(State, 0)
        self._failures = Failures(locate)
        self._looked_at = False

    def add(self, settled: Settled) -> None:
        """Count some outcomes."""
        self._counts[settled.state] += len(settled.refs)
        if settled.state in FAILURES:
            self._failures.add(settled)

    @property
    def read(self) -> int:
        """Invoices that have an outcome."""
        return sum(self._counts.values())

    def look(self) -> None:
        """Somebody follows the outcomes: no warning is needed."""
        self._looked_at = True

    @property
    def counts(self) -> dict[State, int]:
        """The six counts."""
        self.look()
        return dict(self._counts)

    @property
    def accepted(self) -> int:
        return self._counts[State.ACCEPTED]

    @property
    def duplicate(self) -> int:
        return self._counts[State.DUPLICATE]

    @property
    def rejected(self) -> int:
        return self.counts[State.REJECTED]

    @property
    def invalid(self) -> int:
        return self.counts[State.INVALID]

    @property
    def unknown(self) -> int:
        return self.counts[State.UNKNOWN]

    @property
    def unsent(self) -> int:
        return self.counts[State.UNSENT]

    @property
    def source_errors(self) -> int:
        """How many inputs could not be read to their end."""
        return len(self.problems)

    @property
    def invoices_per_second(self) -> float:
        """`read` by `seconds`."""
        return self.read / self.seconds if self.seconds else 0.0

    @property
    def failures(self) -> Failures:
        """The rejected, invalid, unknown and unsent, in the order in which that became known."""
        self.look()
        return self._failures

    @property
    def ok(self) -> bool:
        """Whether everything read is accepted or a duplicate, and every input could be read."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0; 1 with rejected or invalid; 3 with unknown, unsent, released numbers that are in no input yet or a source
        error; 130 when interrupted."""
        counts = self.counts
        if self.interrupted:
            return 130
        if counts[State.UNKNOWN] or counts[State.UNSENT] or self.problems or self.stopped or self.released:
            return 3
        return 1 if counts[State.REJECTED] or counts[State.INVALID] else 0

    def raise_for_failures(self) -> None:
        """Raises `UploadFailed`, with this report, unless `ok`."""
        if self.ok:
            return
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count and state in FAILURES)
        first = "; ".join(f"{one.number or 'no number'}: {one.reason}" for one in self._failures[:3])
        parts = [f"of {self.read} invoices: {counts}" if counts else "", first, *map(str, self.problems[:3])]
        if self.released:
            parts.append(f"released and in no input yet: {len(self.released)} numbers, {self.released[0]} the first")
        raise UploadFailed("; ".join(part for part in (*parts, self.stopped or "") if part), self)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        self.look()
        return self.facts()

    def facts(self) -> dict[str, Any]:
        """The same for the records: nobody has looked at it."""
        return {
            "read": self.read,
            **{str(state): count for state, count in self._counts.items()},
            "source_errors": self.source_errors,
            "seconds": round(self.seconds, 3),
            "invoices_per_second": round(self.invoices_per_second, 1),
            "requests": self.requests,
            "retries": self.retries,
            "max_in_flight": self.max_in_flight,
            "run": self.run,
            "ledger": self.ledger,
        }

    def __repr__(self) -> str:
        counts = ", ".join(f"{state}={count}" for state, count in self._counts.items())
        return f"UploadReport(read={self.read}, {counts})"

    def __del__(self) -> None:
        if not self._looked_at and len(self._failures):
            message = f"an upload ended with {len(self._failures)} failures that nobody looked at: {self!r}"
            warnings.warn(message, UnseenFailures, stacklevel=2)
