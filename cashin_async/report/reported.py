"""A run as reports tell it: of an upload that has just ended, or of one that a ledger has on record."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cashin_async.bulk.grouping import Kind, in_order, kind_of, kinds_of
from cashin_async.bulk.history import Past
from cashin_async.bulk.outcome import FAILURES, State, UploadReport
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.recorded import RecordedRun
from cashin_async.report.outcomes import Row
from cashin_async.sources.source import Place


class Ending(StrEnum):
    """How a run ended, or not."""

    WHOLE = "whole"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    CUT_OFF = "cut off"
    """Its process ended in the middle, and could not say so."""
    UNDER_WAY = "under way"


@dataclass(frozen=True, kw_only=True)
class Reported:
    """Everything that a report says of a run."""

    run: str
    ending: Ending
    counts: Mapping[State, int]
    kinds: Sequence[tuple[Kind, int]]
    """The failures by kind, the most urgent first; some may be left out at the end."""
    rows: Callable[[], Iterable[Row]]
    """The failing invoices, as often as it is called; their state is one of `FAILURES`."""
    seconds: float
    requests: int
    retries: int
    max_in_flight: int
    holds: int
    held_seconds: float
    began: datetime | None
    past: Past | None
    ledger: str | None
    environment: str
    """`production`, or the base URL of any other."""
    creditor: str | None
    stopped: str | None = None
    read_to_end: bool = True
    source_errors: int = 0
    problems: Sequence[str] = ()
    """Which inputs could not be read to their end; only as many as are known here."""
    released: int = 0
    """Numbers of earlier runs that are still to be sent."""
    released_numbers: Sequence[int] = ()
    """Those of them that are known here."""
    settled_accepted: int = 0
    settled_released: int = 0
    answers: Mapping[Kind, str] = field(default_factory=dict)
    """By kind, the raw answer of the server that proves nothing, values blanked."""
    from_ledger: bool = False
    """Told from the record: file, line and what has no number are not known, and the rows are as they are now."""

    @property
    def read(self) -> int:
        """Invoices that had an outcome."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """Those that need somebody."""
        return sum(self.counts[state] for state in FAILURES)

    @property
    def per_second(self) -> float:
        """Invoices a second over the whole run."""
        return self.read / self.seconds if self.seconds else 0.0

    @property
    def ok(self) -> bool:
        """Whether nobody has anything to do."""
        open_ends = self.failed or self.released or self.source_errors
        return self.ending is Ending.WHOLE and not open_ends


def of_upload(report: UploadReport, account: Account) -> Reported:
    """An upload that has just ended."""
    failures = report.failures
    answers: dict[Kind, str] = {}
    kinds = kinds_of(failures.reasons)
    for failure in failures.with_answers():
        answers.setdefault(kind_of(failure.state, failure.reason), failure.answer or "")

    def rows() -> Iterator[Row]:
        for failure in failures:
            place = failure.source
            file, line = (place.file, place.line) if isinstance(place, Place) else (None, None)
            yield Row(failure.number, failure.state, failure.reason, file, line)

    return Reported(
        run=report.run,
        ending=_ending(report.interrupted, report.stopped),
        counts=report.counts,
        kinds=kinds,
        rows=rows,
        seconds=report.seconds,
        requests=report.requests,
        retries=report.retries,
        max_in_flight=report.max_in_flight,
        holds=report.holds,
        held_seconds=report.held_seconds,
        began=report.began,
        past=report.past,
        ledger=report.ledger,
        environment=account.environment,
        creditor=account.creditor,
        stopped=report.stopped,
        read_to_end=report.read_to_end,
        source_errors=report.source_errors,
        problems=[str(problem) for problem in report.problems],
        released=len(report.released),
        released_numbers=report.released,
        settled_accepted=len(report.settled_accepted),
        settled_released=len(report.settled_released),
        answers=answers,
    )


def _ending(interrupted: bool, stopped: str | None) -> Ending:
    if interrupted:
        return Ending.INTERRUPTED
    return Ending.STOPPED if stopped else Ending.WHOLE


# -- on record

_CUT_OFF = "the run was cut off while it was in flight"
_NEVER_SENT = "the run was cut off before it was sent"
_RELEASED = "was unknown, and is settled as not accepted: upload it again"
_WAITS = "on record, and not sent yet"
_IN_FLIGHT = "in flight, no answer yet"


def of_record(record: RecordedRun) -> Reported:
    """A run as its ledger has it."""
    facts, writer = record.status.facts, record.writer
    began = _moment(facts.get("began")) or record.status.began
    ended = bool(facts.get("ended"))
    under_way = not ended and writer is not None and record.newest
    stopped = facts.get("stopped")
    ending = Ending.UNDER_WAY if under_way else _ending(bool(facts.get("interrupted")), stopped)
    if not ended and not under_way:
        ending = Ending.CUT_OFF

    def rows() -> Iterator[Row]:
        on_their_way = (_WAITS, _IN_FLIGHT) if under_way else ()
        return (row for row in rows_on_record(record) if row.state in FAILURES and row.reason not in on_their_way)

    counts = {state: int(facts.get(state, 0)) for state in State}
    kinds = _kinds(facts)
    if kinds is None:
        kinds = kinds_of(Counter((State(row.state), row.reason) for row in rows()))
    if ending is Ending.CUT_OFF:  # what it noted last may be a second old, and leaves out what was in flight
        for state, count in Counter(State(row.state) for row in rows_on_record(record)).items():
            counts[state] = max(counts[state], count)
    return Reported(
        run=record.status.run,
        ending=ending,
        counts=counts,
        kinds=kinds,
        rows=rows,
        seconds=float(facts.get("seconds", 0.0)),
        requests=int(facts.get("requests", 0)),
        retries=int(facts.get("retries", 0)),
        max_in_flight=int(facts.get("max_in_flight", 0)),
        holds=int(facts.get("holds", 0)),
        held_seconds=float(facts.get("held_seconds", 0.0)),
        began=began,
        past=_past(facts),
        ledger=record.place,
        environment=record.account.environment,
        creditor=record.account.creditor,
        stopped=stopped,
        read_to_end=bool(facts.get("read_to_end", ended)),
        source_errors=int(facts.get("source_errors", 0)),
        released=int(facts.get("released", 0)),
        from_ledger=True,
    )


def rows_on_record(record: RecordedRun) -> Iterator[Row]:
    """Every number that the run was the last to touch, as the outcome that its state amounts to now."""
    writing = record.writer is not None
    amounts: dict[NumberState, tuple[State, str]] = {
        NumberState.POSTING: (State.UNKNOWN, _IN_FLIGHT if writing else _CUT_OFF),
        NumberState.LEASED: (State.UNSENT, _WAITS if writing else _NEVER_SENT),
        NumberState.RELEASED: (State.UNSENT, _RELEASED),
    }
    for number, known, reason in record:
        state, why = amounts[known] if known in amounts else (State(known), reason)
        yield Row(number, state, why, None, None)


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _past(facts: Mapping[str, Any]) -> Past | None:
    """None: the run is of a version that kept none."""
    try:
        return Past.of(facts["history"])
    except (KeyError, TypeError, ValueError):
        return None


def _kinds(facts: Mapping[str, Any]) -> list[tuple[Kind, int]] | None:
    """None: the run did not live to note them."""
    try:
        return in_order((Kind(State(state), rule, words), int(count)) for state, rule, words, count in facts["kinds"])
    except (KeyError, TypeError, ValueError):
        return None
