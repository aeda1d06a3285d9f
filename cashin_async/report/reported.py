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
from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.recorded import RecordedRun
from cashin_async.ledger.status import FOR_REPORTS
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
    max_in_flight: int | None
    """None: not noted, as by a run that did not come to its end."""
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
    settled_since: int = 0
    """Invoices that the run left unknown and that are settled by now; `kinds` and `rows` are without them."""

    @property
    def read(self) -> int:
        """Invoices that had an outcome."""
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        """Those that need somebody."""
        return sum(self.counts[state] for state in FAILURES) - self.settled_since

    @property
    def limited(self) -> bool:
        """Whether it read no further than it was told to: what follows in the input has no outcome."""
        return self.ending is Ending.WHOLE and not self.read_to_end and not self.source_errors

    @property
    def per_second(self) -> float:
        """Invoices a second over the whole run, or as much of it as was noted."""
        done = sum(self.past.done) if self.past else self.read
        return done / self.seconds if self.seconds else 0.0

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

_BEFORE = "unknown since an earlier run, to be settled first"
_CUT_OFF = "the run was cut off while it was in flight"
_NEVER_SENT = "the run was cut off before it was sent"
_RELEASED = "was unknown, and is settled as not accepted: upload it again"
_WAITS = "on record, and not sent yet"
_IN_FLIGHT = "in flight, no answer yet"


def of_record(record: RecordedRun) -> Reported:
    """A run as its ledger has it. Raises `LedgerError` when its facts are damaged."""
    try:
        return _of_record(record)
    except (ValueError, TypeError, OverflowError):
        raise LedgerError(f"ledger {record.place}: the facts of run {record.status.run} are damaged") from None


def _of_record(record: RecordedRun) -> Reported:
    facts, writer = record.status.facts, record.writer
    began = _moment(facts.get("began")) or record.status.began
    ended = bool(facts.get("ended"))
    under_way = not ended and writer is not None and record.newest
    stopped = facts.get("stopped")
    ending = Ending.UNDER_WAY if under_way else _ending(bool(facts.get("interrupted")), stopped)
    if not ended and not under_way:
        ending = Ending.CUT_OFF

    def own() -> Iterator[Row]:
        no_outcomes = (_RELEASED, _WAITS, _IN_FLIGHT) if under_way else (_RELEASED,)
        return (row for row in rows_on_record(record) if row.reason not in no_outcomes)

    counts = {state: int(facts.get(state, 0)) for state in State}
    on_record = Counter((State(row.state), row.reason) for row in own())
    by_state: Counter[State] = Counter()
    for (state, _), count in on_record.items():
        by_state[state] += count
    if ending is Ending.CUT_OFF:  # what it noted last may be a second old, and leaves out what was in flight
        counts = {state: max(count, by_state[state]) for state, count in counts.items()}
    doubtful = record.doubtful if counts[State.UNKNOWN] > by_state[State.UNKNOWN] else ()
    if doubtful:
        on_record[State.UNKNOWN, _BEFORE] = len(doubtful)
    still_unknown = by_state[State.UNKNOWN] + len(doubtful)

    def rows() -> Iterator[Row]:
        yield from (row for row in own() if row.state in FAILURES)
        yield from (Row(number, State.UNKNOWN, _BEFORE, None, None) for number in doubtful)

    kinds = kinds_of({of: count for of, count in on_record.items() if of[0] in FAILURES})
    if (noted := _kinds(facts)) is not None:  # what is unknown is told as it is now: somebody is to settle it
        kinds = [one for one in kinds if one[0].state is State.UNKNOWN]
        kinds += [one for one in noted if one[0].state is not State.UNKNOWN]
    return Reported(
        run=record.status.run,
        ending=ending,
        counts=counts,
        kinds=kinds,
        rows=rows,
        seconds=float(facts.get("seconds", 0.0)),
        requests=int(facts.get("requests", 0)),
        retries=int(facts.get("retries", 0)),
        max_in_flight=int(facts.get("max_in_flight", 0)) if ended else None,
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
        released=len(record.released),
        released_numbers=record.released,
        from_ledger=True,
        settled_since=max(0, counts[State.UNKNOWN] - still_unknown),
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


def summary_of(reported: Reported, record: RecordedRun) -> dict[str, Any]:
    """What `--report PATH.json` of a past run has beside its rows: its facts, with the same counts as the page."""
    facts = {name: fact for name, fact in record.status.facts.items() if name not in FOR_REPORTS}
    counts = {str(state): count for state, count in reported.counts.items()}
    now = {"released": reported.released, "settled_since": reported.settled_since}
    return facts | counts | {"read": reported.read} | now


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
