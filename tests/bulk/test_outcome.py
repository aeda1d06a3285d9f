"""Outcomes and the report whose counts add up."""

import gc
import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.outcome import (
    FAILURES,
    Failures,
    Outcome,
    Progress,
    Settled,
    State,
    UnseenFailures,
    UploadReport,
)
from cashin_async.errors import CashInError, UploadFailed
from cashin_async.sources.source import SourceProblem

SUCCESSES = (State.ACCEPTED, State.DUPLICATE)


def settled(state: State, *numbers: int | None, reason: str | None = "why", answer: str | None = None) -> Settled:
    return Settled(state, numbers, [f"line {number}" for number in numbers], reason, answer)


def report_of(*parts: Settled) -> UploadReport:
    report = UploadReport("run 1")
    for part in parts:
        report.add(part)
    return report


def seen(*parts: Settled) -> UploadReport:
    """A report that will not warn."""
    report = report_of(*parts)
    report.look()
    return report


# -- outcomes


def test_there_are_six_outcomes() -> None:
    assert [str(state) for state in State] == ["accepted", "rejected", "invalid", "duplicate", "unknown", "unsent"]


def test_outcomes_that_ended_alike_come_out_one_by_one() -> None:
    outcomes = list(settled(State.UNKNOWN, 1, 2, answer="raw").outcomes(str.upper))
    assert outcomes == [
        Outcome(State.UNKNOWN, 1, "why", "LINE 1", "raw"),
        Outcome(State.UNKNOWN, 2, "why", "LINE 2", "raw"),
    ]


def test_columns_of_unequal_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        list(Settled(State.UNKNOWN, [1, 2], ["a"]).outcomes(str))


def test_the_repr_of_an_outcome_shows_neither_its_source_nor_the_answer() -> None:
    outcome = Outcome(State.REJECTED, 1, "why", source="Maija Meikäläinen", answer="Esimerkkikatu")
    assert "Maija" not in repr(outcome)
    assert "Esimerkkikatu" not in repr(outcome)
    assert outcome.state == "rejected"


# -- the report

_parts = st.lists(
    st.builds(
        lambda state, numbers, reason: Settled(state, numbers, [object() for _ in numbers], reason),
        st.sampled_from(State),
        st.lists(st.one_of(st.none(), st.integers(1, 2**63 - 1)), max_size=5),
        st.sampled_from([None, "one reason", "another"]),
    ),
    max_size=12,
)


@given(_parts)
def test_the_six_counts_always_add_up_to_the_number_read(parts: list[Settled]) -> None:
    report = UploadReport("run 1")
    report.look()
    read = 0
    for part in parts:
        report.add(part)
        read += len(part.numbers)
        assert report.read == sum(report.counts.values()) == read
    named = (report.accepted, report.rejected, report.invalid, report.duplicate, report.unknown, report.unsent)
    assert named == tuple(report.counts.values())
    assert len(report.failures) == read - report.accepted - report.duplicate


@given(_parts, st.data())
def test_the_failures_are_the_outcomes_that_failed_in_order(parts: list[Settled], data: st.DataObject) -> None:
    expected = [one for part in parts if part.state in FAILURES for one in part.outcomes(lambda ref: ref)]
    failures = seen(*parts).failures
    assert list(failures) == expected
    assert len(failures) == len(expected)
    cut = data.draw(st.slices(len(expected)))
    assert failures[cut] == expected[cut]


def test_failures_keep_each_its_answer_reason_and_place() -> None:
    failures = Failures(str.upper)
    failures.add(settled(State.REJECTED, 1))
    failures.add(settled(State.UNKNOWN, 2, 3, reason="lost", answer="raw"))
    failures.add(settled(State.INVALID, None, reason=None))
    assert failures[0] == Outcome(State.REJECTED, 1, "why", "LINE 1", None)
    assert [one.answer for one in failures] == [None, "raw", "raw", None]
    assert failures[-1] == Outcome(State.INVALID, None, None, "LINE NONE", None)
    assert failures[1:3] == [failures[1], failures[2]]


@pytest.mark.parametrize("index", [1, -2])
def test_there_is_no_failure_beyond_the_last(index: int) -> None:
    with pytest.raises(IndexError):
        seen(settled(State.UNSENT, 1)).failures[index]


def test_counts_given_out_are_a_copy() -> None:
    report = seen(settled(State.UNSENT, 1))
    report.counts[State.UNSENT] = 0
    assert report.unsent == 1


def exit_code(states: Sequence[State], problem: bool, stopped: bool, interrupted: bool) -> int:
    """Section "The six outcomes" and "The command line" of the product's description."""
    if interrupted:
        return 130
    if {State.UNKNOWN, State.UNSENT} & set(states) or problem or stopped:
        return 3
    return 1 if {State.REJECTED, State.INVALID} & set(states) else 0


@pytest.mark.parametrize("interrupted", [False, True], ids=["", "interrupted"])
@pytest.mark.parametrize("stopped", [False, True], ids=["", "stopped"])
@pytest.mark.parametrize("problem", [False, True], ids=["", "source error"])
def test_the_exit_code_of_every_combination_of_outcomes(problem: bool, stopped: bool, interrupted: bool) -> None:
    for present in product((False, True), repeat=len(State)):
        states = [state for state, there in zip(State, present, strict=True) if there]
        report = seen(*(settled(state, 1) for state in states))
        report.problems += [SourceProblem("cut short")] * problem
        report.stopped = "deadline" if stopped else None
        report.interrupted = interrupted
        assert report.exit_code == exit_code(states, problem, stopped, interrupted)
        assert report.ok == (report.exit_code == 0)


@pytest.mark.parametrize("state", SUCCESSES)
def test_success_raises_nothing(state: State) -> None:
    report_of(settled(state, 1, 2, reason=None)).raise_for_failures()
    report_of().raise_for_failures()


@pytest.mark.parametrize("state", FAILURES)
def test_a_failure_raises_with_its_number_reason_and_the_report(state: State) -> None:
    report = report_of(settled(State.ACCEPTED, 7), settled(state, 251600001, reason="väärä viite"))
    with pytest.raises(UploadFailed, match=f"of 2 invoices: 1 {state}; 251600001: väärä viite") as raised:
        report.raise_for_failures()
    assert raised.value.report is report
    assert isinstance(raised.value, CashInError)


def test_many_failures_raise_with_the_first_three_of_them() -> None:
    report = report_of(settled(State.INVALID, None, reason="is not JSON"), settled(State.UNSENT, *range(1, 9)))
    with pytest.raises(UploadFailed) as raised:
        report.raise_for_failures()
    assert str(raised.value) == ("of 9 invoices: 1 invalid, 8 unsent; no number: is not JSON; 1: why; 2: why")


def test_source_errors_and_a_stop_raise_too() -> None:
    report = report_of()
    report.problems += [SourceProblem("cut short", "a.jsonl.gz", 7), SourceProblem("cannot be opened")]
    report.stopped = "the key is refused"
    with pytest.raises(UploadFailed) as raised:
        report.raise_for_failures()
    assert str(raised.value) == "a.jsonl.gz:7: cut short; cannot be opened; the key is refused"


KEYS = (
    "read, accepted, rejected, invalid, duplicate, unknown, unsent, source_errors, seconds,"
    " invoices_per_second, requests, retries, max_in_flight, run, ledger"
)


def test_as_dict_has_exactly_the_published_keys() -> None:
    report = UploadReport("run 1", ledger="/var/lib/ledger.db")
    report.add(settled(State.ACCEPTED, 1, 2, 3, reason=None))
    report.add(settled(State.UNKNOWN, 4))
    report.problems.append(SourceProblem("cut short"))
    report.seconds, report.requests, report.retries, report.max_in_flight = 1.23456, 5, 2, 3
    printed = report.as_dict()
    assert ", ".join(printed) == KEYS
    assert list(printed.values()) == [4, 3, 0, 0, 0, 1, 0, 1, 1.235, 3.2, 5, 2, 3, "run 1", "/var/lib/ledger.db"]
    assert all(type(key) is str for key in printed)


def test_a_report_of_nothing_has_a_speed_of_zero() -> None:
    assert report_of().invoices_per_second == 0.0
    assert report_of().as_dict()["ledger"] is None


def test_the_repr_counts() -> None:
    report = seen(settled(State.ACCEPTED, 1), settled(State.UNSENT, 2, 3))
    assert repr(report) == ("UploadReport(read=3, accepted=1, rejected=0, invalid=0, duplicate=0, unknown=0, unsent=2)")


# -- loud by default


@pytest.mark.parametrize("state", FAILURES)
def test_failures_that_nobody_looked_at_warn(state: State) -> None:
    reports = [report_of(settled(state, 1, 2))]
    assert (reports[0].read, reports[0].accepted, reports[0].duplicate, reports[0].seconds) == (2, 0, 0, 0.0)
    assert repr(reports[0])
    with pytest.warns(UnseenFailures, match=f"2 failures that nobody looked at.*{state}=2"):
        reports.clear()


LOOKS: dict[str, Any] = {
    **{str(state): lambda report, state=state: getattr(report, state) for state in FAILURES},
    "counts": lambda report: report.counts,
    "failures": lambda report: report.failures,
    "ok": lambda report: report.ok,
    "exit_code": lambda report: report.exit_code,
    "as_dict": lambda report: report.as_dict(),
    "look": lambda report: report.look(),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_failures_that_somebody_looked_at_do_not_warn(look: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = report_of(settled(State.UNKNOWN, 1))
        look(report)
        del report
        gc.collect()
    assert [warning.message for warning in caught] == []


def test_raising_for_failures_is_looking() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(UploadFailed):
            report_of(settled(State.UNKNOWN, 1)).raise_for_failures()
        gc.collect()
    assert [warning.message for warning in caught] == []


@pytest.mark.parametrize("state", SUCCESSES)
def test_success_that_nobody_looked_at_does_not_warn(state: State) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report_of(settled(state, 1))
        gc.collect()
    assert [warning.message for warning in caught] == []


# -- progress


def progress(read: int, done: int, seconds: float, share_read: float | None) -> Progress:
    return Progress(
        read=read,
        counts={State.ACCEPTED: done, State.REJECTED: 0},
        in_flight=1,
        window=2,
        requests=3,
        retries=0,
        held_for=0.0,
        seconds=seconds,
        share_read=share_read,
    )


@pytest.mark.parametrize(
    ("read", "done", "share_read", "left"),
    [(500, 250, 0.5, 30.0), (1000, 1000, 1.0, 0.0), (1000, 500, 1.0, 10.0), (100, 100, 0.25, 30.0)],
)
def test_the_time_left_is_told_from_the_pace_so_far(read: int, done: int, share_read: float, left: float) -> None:
    assert progress(read, done, 10.0, share_read).seconds_left == pytest.approx(left)


@pytest.mark.parametrize(("done", "share_read"), [(0, 0.5), (5, None), (5, 0.0)])
def test_there_may_be_no_telling_the_time_left(done: int, share_read: float | None) -> None:
    assert progress(10, done, 10.0, share_read).seconds_left is None


@given(st.integers(1, 10**6), st.data(), st.floats(0, 1e6), st.floats(1e-6, 1))
def test_the_time_left_is_never_negative(read: int, data: st.DataObject, seconds: float, share: float) -> None:
    left = progress(read, data.draw(st.integers(1, read)), seconds, share).seconds_left
    assert left is not None
    assert left >= 0


def test_released_numbers_that_nobody_sends_are_no_success() -> None:
    report = UploadReport("run")
    report.released = [251600001, 251600002]
    assert (report.exit_code, report.ok) == (3, False)
    with pytest.raises(UploadFailed, match="2 numbers, 251600001 the first"):
        report.raise_for_failures()


def test_failures_are_counted_by_reason_and_answers_told_once_a_reason() -> None:
    report = UploadReport("run")
    report.look()
    for state, number, reason, answer in (
        (State.UNKNOWN, 1, "no receipt", "what it said"),
        (State.UNKNOWN, 2, "no receipt", "what it said then"),
        (State.ACCEPTED, 3, None, None),
        (State.REJECTED, 4, "no", None),
    ):
        report.add(Settled(state, [number], [number], reason, answer))
    assert report.failures.reasons == {(State.UNKNOWN, "no receipt"): 2, (State.REJECTED, "no"): 1}
    assert [(one.number, one.answer) for one in report.failures.with_answers()] == [(1, "what it said")]
