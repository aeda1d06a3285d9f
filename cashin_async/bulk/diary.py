"""What is kept of a run beside its outcomes: facts for the ledger, its history, and what is logged of it."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from cashin_async.bulk.courier import Trip
from cashin_async.bulk.gate import Gate
from cashin_async.bulk.grouping import first_of_each, kinds_of
from cashin_async.bulk.history import History
from cashin_async.bulk.outcome import FAILURES, Outcome, Settled, State, UploadReport
from cashin_async.events import RULES_BROKEN, SOURCE_FAILED, UPLOAD_ABANDONED, UPLOAD_BEGAN, UPLOAD_ENDED
from cashin_async.sources.source import Place, Source, SourceProblem

_KINDS = 50  # kinds of each outcome that are kept of a run: what a page shows


class Diary:
    """Filled by the run, which asks for `facts` now and then and once at its end."""

    def __init__(self, report: UploadReport, source: Source, gate: Gate, trip: Trip, log: logging.Logger) -> None:
        self.last_failure: Outcome | None = None
        """Its source is a `Place` or None, never the invoice itself."""
        self._report = report
        self._source = source
        self._gate = gate
        self._trip = trip
        self._log = log
        self._history = History()
        self._started = anyio.current_time()
        self._holds_before, self._held_before = 0, 0.0
        self._problems_logged = 0
        report.began = datetime.now(UTC)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return anyio.current_time() - self._started

    def begin(self) -> None:
        """From now on holds are this run's."""
        self._holds_before, self._held_before = self._gate.admission.holds, self._gate.held_seconds()
        UPLOAD_BEGAN.tell(self._log, run=self._report.run, ledger=self._report.ledger)

    def add(self, settled: Settled) -> None:
        """These have their outcome."""
        failed = len(settled.refs) if settled.state in FAILURES else 0
        if failed:
            place = self._source.locate(settled.refs[-1])
            known = place if isinstance(place, Place) else None
            self.last_failure = Outcome(settled.state, settled.numbers[-1], settled.reason, known)
        self._note_holds()
        if settled.state is not State.UNSENT:  # giving up is no work: a deadline would look like a burst of speed
            self._history.add(self.seconds, len(settled.refs), failed)

    def log_problems(self, problems: Sequence[SourceProblem]) -> None:
        """Those of the inputs that are new."""
        for problem in problems[self._problems_logged :]:
            SOURCE_FAILED.tell(self._log, file=problem.file, line=problem.line, reason=problem.reason)
        self._problems_logged = len(problems)

    def log_abandoned(self, error: BaseException) -> None:
        """The run was cut off."""
        UPLOAD_ABANDONED.tell(self._log, run=self._report.run, error=type(error).__name__)

    def close(self) -> None:
        """Nothing more will happen: the report gets what was kept."""
        report, trip = self._report, self._trip
        report.seconds = self.seconds
        self._note_holds()
        report.past = self._history.past(report.seconds)
        report.requests, report.retries, report.max_in_flight = trip.requests, trip.retries, trip.max_in_flight
        report.stopped = trip.stopped

    def log_end(self) -> None:
        """The run has ended, and each invoice that was read has its outcome."""
        report = self._report
        if report.broken_rules:
            RULES_BROKEN.tell(self._log, run=report.run, rules=report.broken_rules)
        count = report._counts
        UPLOAD_ENDED.tell(
            self._log,
            run=report.run,
            read=report.read,
            accepted=count[State.ACCEPTED],
            rejected=count[State.REJECTED],
            invalid=count[State.INVALID],
            duplicate=count[State.DUPLICATE],
            unknown=count[State.UNKNOWN],
            unsent=count[State.UNSENT],
            source_errors=report.source_errors,
            settled_accepted=len(report.settled_accepted),
            settled_released=len(report.settled_released),
            released=len(report.released),
            requests=report.requests,
            retries=report.retries,
            max_in_flight=report.max_in_flight,
            seconds=round(report.seconds, 3),
            invoices_per_second=round(report.invoices_per_second, 1),
            stopped=report.stopped,
            interrupted=report.interrupted,
        )

    def facts(self) -> dict[str, Any]:
        """What is to be on record of a run that goes on."""
        self._note_holds()
        so_far = {
            "seconds": round(self.seconds, 3),
            "requests": self._trip.requests,
            "retries": self._trip.retries,
            "history": self._history.past(self.seconds).as_dict(),
        }
        return self._facts() | so_far

    def last_facts(self) -> dict[str, Any]:
        """What is to be on record of a run that has ended."""
        report = self._report
        kinds = first_of_each(kinds_of(report._failures.reasons), _KINDS)
        at_the_end = {
            "ended": datetime.now(UTC).isoformat(),
            "interrupted": report.interrupted,
            "read_to_end": report.read_to_end,
            "released": len(report.released),
            "kinds": [[*kind, count] for kind, count in kinds],
            "history": self._history.past(report.seconds).as_dict(),
        }
        return self._facts() | at_the_end

    def _facts(self) -> dict[str, Any]:
        report = self._report
        return {
            **report.facts(),
            "began": report.began and report.began.isoformat(),
            "stopped": self._trip.stopped,
            "holds": report.holds,
            "held_seconds": round(report.held_seconds, 3),
        }

    def _note_holds(self) -> None:
        gate, report = self._gate, self._report
        report.holds = gate.admission.holds - self._holds_before
        held = gate.held_seconds() - self._held_before
        if held > report.held_seconds:
            until = min(anyio.current_time(), gate.admission.held_until)
            self._history.hold(until - self._started, held - report.held_seconds)
            report.held_seconds = held
