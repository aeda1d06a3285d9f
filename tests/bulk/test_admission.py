"""Who may send now: the window, the pace, the hold, the breaker and the line, with time as an argument."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cashin_async.bulk.admission import Admission, Halt, Ticket
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import Proof, Then, Verdict

RECEIPT = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted")
REFUSAL = Verdict(Proof.REFUSED, Then.BISECT, State.UNSENT, "HTTP 400")
NOT_SENT = Verdict(Proof.NOT_SENT, Then.AGAIN, State.UNSENT, "refused")
POOL_TIMEOUT = Verdict(Proof.NOT_SENT, Then.AGAIN, State.UNSENT, "timeout", slower=True)
NOT_SENT_PUSHBACK = Verdict(
    Proof.NOT_SENT, Then.AGAIN, State.UNKNOWN, "HTTP 429 for a look-up", pushback=True, slower=True, wait=1.0
)
RESET = Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, "reset")
TIMEOUT = Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, "timeout", slower=True)


def too_many(wait: float | None = None) -> Verdict:
    return Verdict(Proof.REFUSED, Then.AGAIN, State.UNSENT, "HTTP 429", pushback=True, slower=True, wait=wait)


def unavailable(wait: float | None = None) -> Verdict:
    return Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, "HTTP 503", pushback=True, slower=True, wait=wait)


def quota(wait: float) -> Verdict:
    return Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted", wait=wait)


def arrive(admission: Admission, count: int, invoices: int = 1) -> list[Ticket]:
    return [admission.arrive(invoices) for _ in range(count)]


def send(admission: Admission, verdict: Verdict, now: float = 0.0, jitter: float = 1.0) -> None:
    """One request comes, is let in and ends."""
    admission.arrive(1)
    (ticket,) = admission.admit(now)
    admission.finish(ticket, verdict, now, jitter)


def grown(rounds: int, **options: Any) -> Admission:
    """An admission after `rounds` rounds of nothing but receipts."""
    admission = Admission(**options)
    for _ in range(rounds):
        arrive(admission, int(admission.window))
        for ticket in admission.admit(0.0):
            admission.finish(ticket, RECEIPT, 0.0, 0.5)
    return admission


def broken(**options: Any) -> Admission:
    """An admission whose breaker opened at 0."""
    admission = Admission(**options)
    for now in (-2.0, -1.0, 0.0):
        send(admission, RESET, now)
    assert admission.broken_since == 0.0
    return admission


# -- the line and the window


def test_the_first_request_goes_alone() -> None:
    admission = Admission()
    first, *others = arrive(admission, 5)
    assert admission.admit(0.0) == [first]
    assert admission.admit(1000.0) == []
    assert all(ticket.serial == 0 for ticket in others)


@pytest.mark.parametrize(("rounds", "window"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 20), (6, 20)])
def test_the_window_doubles_with_every_round_up_to_the_concurrency(rounds: int, window: int) -> None:
    assert grown(rounds, concurrency=20).window == window


def test_first_come_first_served() -> None:
    admission = grown(2)
    tickets = arrive(admission, 6, invoices=500)
    assert admission.admit(0.0) == tickets[:4]
    admission.finish(tickets[2], RECEIPT, 0.0, 0.5)
    assert admission.admit(0.0) == tickets[4:5]
    admission.finish(tickets[0], RECEIPT, 0.0, 0.5)
    assert admission.admit(0.0) == tickets[5:]
    assert [ticket.serial for ticket in tickets] == sorted(ticket.serial for ticket in tickets)


def test_a_refusal_neither_grows_nor_shrinks_the_window() -> None:
    admission = grown(2)
    send(admission, REFUSAL)
    assert admission.window == 4


@pytest.mark.parametrize("verdict", [too_many(), unavailable(), TIMEOUT, POOL_TIMEOUT], ids=lambda each: each.reason)
def test_a_flight_is_cut_for_once_however_many_of_it_say_so(verdict: Verdict) -> None:
    admission = grown(3)
    arrive(admission, 8)
    flight = admission.admit(0.0)
    for ticket in flight[:2]:
        admission.finish(ticket, verdict, 0.0, 0.5)
    assert admission.window == 4
    for ticket in flight[2:]:
        admission.finish(ticket, verdict, 0.0, 0.5)
    assert admission.window == 4


def test_the_next_flight_is_cut_for_again_and_never_below_one() -> None:
    admission = grown(2)
    windows = []
    for _ in range(4):
        send(admission, POOL_TIMEOUT)
        windows.append(admission.window)
    assert windows == [2, 1, 1, 1]


def test_after_a_cut_the_window_grows_by_one_a_round() -> None:
    admission = grown(3)
    send(admission, POOL_TIMEOUT)
    for expected in (5, 6):
        arrive(admission, int(admission.window) + 1)
        for ticket in admission.admit(0.0):
            admission.finish(ticket, RECEIPT, 0.0, 0.5)
        for ticket in admission.admit(0.0):
            admission.finish(ticket, RECEIPT, 0.0, 0.5)
        assert int(admission.window) == expected


def test_leaving_the_line_lets_the_next_one_up() -> None:
    admission = Admission()
    first, second = arrive(admission, 2)
    admission.leave(first)
    assert admission.admit(0.0) == [second]


def test_leaving_in_flight_frees_the_place_and_teaches_nothing() -> None:
    admission = Admission()
    first, second = arrive(admission, 2)
    admission.admit(0.0)
    admission.leave(first)
    assert (admission.in_flight, admission.window) == (0, 1)
    assert admission.admit(0.0) == [second]


def test_nobody_waiting_needs_no_check() -> None:
    admission = Admission(rate=1)
    send(admission, too_many(10))
    assert admission.next_check(0.0) is None


def test_a_full_window_waits_for_an_answer_and_not_for_time() -> None:
    admission = Admission()
    arrive(admission, 2)
    admission.admit(0.0)
    assert admission.next_check(0.0) is None


# -- holds


@pytest.mark.parametrize(("verdict", "then"), [(too_many(2), 1), (unavailable(2), 5)], ids=["429", "503"])
def test_a_hold_stops_everybody_for_the_whole_of_it(verdict: Verdict, then: int) -> None:
    """And after a 429 they do not all go at once: it taught a rate."""
    admission = grown(3)
    arrive(admission, 20)
    flight = admission.admit(0.0)
    admission.finish(flight[0], verdict, 10.0, 0.5)
    for ticket in flight[1:]:
        admission.finish(ticket, RECEIPT, 10.0, 0.5)
    assert admission.admit(11.999) == []
    assert admission.next_check(11.0) == 12.0
    assert (len(admission.admit(12.0)), admission.window) == (then, 5)


def test_a_shorter_hold_does_not_cut_a_longer_one() -> None:
    admission = Admission()
    admission.hold(0.0, 10)
    admission.hold(1.0, 2)
    assert admission.held_until == 10.0


def test_holds_are_counted_and_timed_once_however_they_overlap() -> None:
    admission = Admission()
    assert (admission.holds, admission.held_seconds(5.0)) == (0, 0.0)
    admission.hold(10.0, 4)
    admission.hold(11.0, 1)
    admission.hold(12.0, 4)
    assert admission.holds == 1, "it only became longer"
    assert [admission.held_seconds(now) for now in (12.0, 14.0, 16.0, 99.0)] == [2.0, 4.0, 6.0, 6.0]
    admission.hold(100.0, 1)
    assert (admission.holds, admission.held_seconds(200.0)) == (2, 7.0)
    admission.hold(200.0, 0)
    assert (admission.holds, admission.held_seconds(200.0)) == (2, 7.0)


@pytest.mark.parametrize("wait", [None, 0.0], ids=["without Retry-After", "Retry-After: 0"])
@pytest.mark.parametrize(("jitter", "holds"), [(0.0, [0.25, 0.5, 1, 2, 2, 2]), (1.0, [0.5, 1, 2, 4, 4, 4])])
def test_a_pushback_that_names_no_time_backs_off(wait: float | None, jitter: float, holds: list[float]) -> None:
    admission = Admission(backoff=0.5, backoff_limit=4.0)
    seen: list[float] = []
    now = 0.0
    for _ in holds:
        send(admission, too_many(wait), now, jitter)
        seen.append(admission.held_until - now)
        now = admission.held_until
    assert seen == holds


def test_a_flight_pushed_back_backs_off_once() -> None:
    admission = grown(2, backoff=0.5)
    arrive(admission, 4)
    for ticket in admission.admit(0.0):
        admission.finish(ticket, too_many(), 0.0, 1.0)
    assert admission.held_until == 0.5


def test_a_receipt_ends_the_row_of_pushbacks() -> None:
    admission = Admission(backoff=0.5)
    send(admission, too_many(), 0.0)
    send(admission, too_many(), 10.0)
    send(admission, RECEIPT, 20.0)
    send(admission, too_many(), 30.0)
    assert admission.held_until == 30.5


def test_a_very_long_row_of_pushbacks_stays_within_the_limit() -> None:
    admission = Admission(backoff=0.5, backoff_limit=30.0)
    now = 0.0
    for _ in range(1200):
        send(admission, too_many(), now)
        now = admission.held_until
    assert now == pytest.approx(0.5 + 1 + 2 + 4 + 8 + 16 + 30 * 1194)


@pytest.mark.parametrize(("wait", "halt"), [(900.0, None), (900.001, Halt.HOLD), (86_400.0, Halt.HOLD)])
def test_a_hold_past_max_hold_halts_at_once(wait: float, halt: Halt | None) -> None:
    admission = Admission(max_hold=900.0)
    send(admission, too_many(wait))
    assert admission.halted(0.0) is halt
    assert admission.admit(899.0) == []


def test_a_halt_by_hold_is_over_when_what_is_left_can_be_sat_out() -> None:
    admission = Admission(max_hold=10.0)
    send(admission, too_many(15))
    assert admission.halted(4.0) is Halt.HOLD
    assert admission.halted(5.0) is None


def test_a_quota_used_up_holds_without_cutting_the_window() -> None:
    admission = grown(2)
    send(admission, quota(5), 10.0)
    assert (admission.held_until, admission.window) == (15.0, 4)


def test_a_quota_past_max_hold_is_left_to_the_server_to_enforce() -> None:
    admission = Admission(max_hold=10.0)
    send(admission, quota(11))
    arrive(admission, 1)
    assert len(admission.admit(0.0)) == 1


# -- the pace


def times(admission: Admission, count: int, invoices: int) -> list[float]:
    """When each of `count` requests is let in, if each is answered at once."""
    arrive(admission, count, invoices)
    seen: list[float] = []
    now = 0.0
    while len(seen) < count:
        for ticket in admission.admit(now):
            seen.append(now)
            admission.finish(ticket, RECEIPT, now, 0.5)
        now = admission.next_check(now) or now
    return seen


def shares(*times: float) -> Any:
    """Times that keep to 0.99 of a rate, each but the first made up for by the 5 ms that a timer may be late."""
    return pytest.approx([0.0] + [time / 0.99 - 0.005 for time in times])


def test_a_rate_spaces_requests_evenly_and_stays_a_hundredth_below_it() -> None:
    assert times(Admission(rate=4.0), 5, 100) == shares(0.25, 0.5, 0.75, 1.0)


def test_an_invoice_rate_spaces_requests_by_their_invoices() -> None:
    assert times(Admission(invoice_rate=200.0), 4, 100) == shares(0.5, 1.0, 1.5)


def test_the_slower_of_two_rates_counts() -> None:
    assert times(Admission(rate=4.0, invoice_rate=1000.0), 3, 100) == shares(0.25, 0.5)
    assert times(Admission(rate=4.0, invoice_rate=100.0), 3, 100) == shares(1.0, 2.0)


def test_a_late_timer_does_not_make_it_slower() -> None:
    admission = Admission(rate=50.0)
    arrive(admission, 101)
    now, late = 0.0, 0.004
    for _ in range(101):
        (ticket,) = admission.admit(now)
        admission.finish(ticket, RECEIPT, now, 0.5)
        now = (admission.next_check(now) or now) + late
    assert now == pytest.approx(100 / 49.5, abs=0.01)


def test_time_without_requests_is_not_saved_up() -> None:
    admission = Admission(rate=1.0)
    arrive(admission, 5)
    (ticket,) = admission.admit(100.0)
    admission.finish(ticket, RECEIPT, 100.0, 0.5)
    assert len(admission.admit(100.5)) == 0
    assert admission.next_check(100.5) == pytest.approx(100 + 1 / 0.99 - 0.005)


@pytest.mark.parametrize("verdict", [unavailable(1), NOT_SENT_PUSHBACK], ids=["503", "429 for a look-up"])
def test_no_rate_is_learned_from_what_is_no_refused_chunk(verdict: Verdict) -> None:
    admission = grown(3)
    send(admission, verdict, 1.0)
    arrive(admission, 4)
    assert len(admission.admit(2.0)) == 4


def test_a_new_run_finds_the_rate_out_anew() -> None:
    admission = grown(3)
    send(admission, too_many(1), -10.0)
    admission.restart()
    assert times(admission, 4, 1) == [0.0] * 4


# -- the breaker


def test_three_in_a_row_without_proof_open_the_breaker() -> None:
    admission = Admission()
    send(admission, RESET)
    send(admission, RESET)
    assert admission.broken_since is None
    send(admission, RESET)
    assert admission.broken_since == 0.0


@pytest.mark.parametrize("proof", [RECEIPT, REFUSAL, too_many()], ids=["202", "refusal", "429"])
def test_a_proof_between_starts_the_row_anew(proof: Verdict) -> None:
    admission = Admission()
    now = 0.0
    for verdict in (RESET, RESET, proof, RESET, RESET):
        now += 100
        send(admission, verdict, now)
    assert admission.broken_since is None


def test_what_was_not_sent_is_no_part_of_the_row() -> None:
    admission = Admission()
    for _ in range(10):
        send(admission, NOT_SENT)
    assert admission.broken_since is None


def test_an_open_breaker_narrows_to_one_probe_after_a_backoff() -> None:
    admission = broken(backoff=0.5)
    first, *_ = arrive(admission, 5, invoices=100)
    assert admission.admit(0.499) == []
    assert admission.next_check(0.0) == 0.5
    assert admission.admit(0.5) == [first]
    assert first.probe
    assert admission.admit(50.0) == []


def test_a_failed_probe_backs_off_further() -> None:
    admission = broken(backoff=0.5, backoff_limit=3.0)
    waits: list[float] = []
    now = 0.5
    for _ in range(4):
        send(admission, RESET, now)
        admission.arrive(1)
        check = admission.next_check(now)
        assert check is not None
        waits.append(check - now)
        admission.leave(admission.admit(check)[0])
        now = check
    assert waits == [1.0, 2.0, 3.0, 3.0]


def test_a_probe_that_was_not_sent_keeps_the_breaker_open() -> None:
    admission = broken()
    send(admission, NOT_SENT, 5.0)
    assert admission.broken_since == 0.0


@pytest.mark.parametrize(("proof", "window"), [(RECEIPT, 2), (REFUSAL, 1)], ids=["202", "refusal"])
def test_a_proof_closes_the_breaker_and_the_window_starts_at_one(proof: Verdict, window: float) -> None:
    admission = grown(3)
    for _ in range(3):
        send(admission, RESET)
    send(admission, proof, 5.0)
    assert (admission.broken_since, admission.window) == (None, window)
    ticket, *_ = arrive(admission, 3)
    admission.admit(5.0)
    assert not ticket.probe


def test_those_in_flight_when_the_breaker_opens_keep_probes_waiting_and_do_not_count_as_probes() -> None:
    admission = grown(3, backoff=0.5)
    arrive(admission, 9)
    flight = admission.admit(0.0)
    for ticket in flight[:3]:
        admission.finish(ticket, RESET, 0.0, 1.0)
    assert admission.admit(30.0) == []
    for ticket in flight[3:]:
        admission.finish(ticket, RESET, 30.0, 1.0)
    (probe,) = admission.admit(30.0)
    assert probe.probe


def test_the_breaker_halts_after_breaker_after_and_says_when_to_look() -> None:
    admission = broken(breaker_after=60.0)
    arrive(admission, 2)
    admission.admit(1.0)
    assert admission.halted(59.999) is None
    assert admission.next_check(2.0) == 60.0
    assert admission.halted(60.0) is Halt.BREAKER


def test_after_relenting_one_more_exchange_without_proof_opens_the_breaker_again() -> None:
    admission = broken()
    admission.relent()
    assert admission.halted(1000.0) is None
    send(admission, RESET, 1000.0)
    assert admission.broken_since == 1000.0


def test_after_relenting_a_receipt_makes_all_well() -> None:
    admission = broken()
    admission.relent()
    for verdict in (RECEIPT, RESET, RESET):
        send(admission, verdict, 1000.0)
    assert admission.broken_since is None


def test_a_probe_is_paced_as_the_one_invoice_that_it_sends() -> None:
    admission = broken(invoice_rate=100.0)
    arrive(admission, 2, invoices=100)
    (probe,) = admission.admit(10.0)
    admission.finish(probe, RECEIPT, 10.0, 0.5)
    assert admission.next_check(10.0) == pytest.approx(10.0 + 0.01 / 0.99 - 0.005)


# -- a new run


def test_a_new_run_starts_small_again() -> None:
    admission = grown(3)
    for _ in range(3):
        send(admission, RESET)
    admission.restart()
    assert (admission.window, admission.broken_since) == (1.0, None)


def test_a_new_run_beside_one_in_flight_changes_nothing() -> None:
    admission = grown(3)
    (ticket,) = arrive(admission, 1)
    admission.admit(0.0)
    admission.restart()
    assert admission.window == 8
    admission.leave(ticket)
    admission.restart()
    assert admission.window == 1


def test_a_new_run_beside_one_that_waits_changes_nothing() -> None:
    admission = grown(3)
    admission.hold(0.0, 10)
    arrive(admission, 1)
    admission.restart()
    assert admission.window == 8


def test_a_new_run_still_sits_out_the_hold() -> None:
    admission = Admission()
    send(admission, too_many(100))
    admission.restart()
    arrive(admission, 1)
    assert admission.admit(99.0) == []


# -- everything at once


@dataclass
class Begun:
    """A request that was let in."""

    at: float
    invoices: int


class AdmissionMachine(RuleBasedStateMachine):
    """Random senders, answers and times, used as the gate uses it: after each event, whoever may go is let in."""

    @initialize(
        concurrency=st.integers(1, 6),
        rate=st.sampled_from([None, None, 0.5, 1.0, 3.0, 7.3, 40.0]),
        invoice_rate=st.sampled_from([None, None, 5.0, 33.3, 1000.0]),
        max_hold=st.sampled_from([5.0, 60.0]),
        breaker_row=st.integers(1, 4),
        breaker_after=st.sampled_from([2.0, 60.0]),
    )
    def begin(
        self,
        concurrency: int,
        rate: float | None,
        invoice_rate: float | None,
        max_hold: float,
        breaker_row: int,
        breaker_after: float,
    ) -> None:
        self.admission = Admission(
            concurrency=concurrency,
            rate=rate,
            invoice_rate=invoice_rate,
            max_hold=max_hold,
            breaker_row=breaker_row,
            breaker_after=breaker_after,
        )
        self.concurrency, self.rate, self.invoice_rate = concurrency, rate, invoice_rate
        self.max_hold, self.breaker_row = max_hold, breaker_row
        self.now = 1000.0
        self.line: list[Ticket] = []
        self.flying: list[Ticket] = []
        self.begun: deque[Begun] = deque(maxlen=200)
        self.serials = 0
        self.held_until = 0.0  # by our own reckoning, explicit holds only
        self.without_proof = 0
        self.breaker_open = False
        self.cut_at = 0

    def open(self) -> None:
        halt = self.admission.halted(self.now)
        if halt is Halt.HOLD:
            assert self.admission.held_until - self.now > self.max_hold
        if halt is not None:
            for ticket in self.line:
                self.admission.leave(ticket)
            self.line.clear()
            if halt is Halt.BREAKER:
                self.admission.relent()
                self.without_proof, self.breaker_open = self.breaker_row - 1, False
        is_open = self.admission.broken_since is not None
        before = self.admission.held_until
        admitted = self.admission.admit(self.now)
        assert admitted == self.line[: len(admitted)], "not first come, first served"
        del self.line[: len(admitted)]
        self.flying += admitted
        if admitted:
            assert self.now >= max(before, self.held_until), "sent inside a hold"
        if is_open and admitted:
            assert len(self.flying) == 1, "more than one probe"
        for ticket in admitted:
            self.serials += 1
            assert ticket.serial == self.serials
            assert ticket.probe == is_open
            self.begun.append(Begun(self.now, 1 if ticket.probe else ticket.invoices))
            self.check_pace()
        if self.line and not self.flying:
            check = self.admission.next_check(self.now)
            assert check is not None, "nobody would ever wake the line"
            assert check > self.now

    def check_pace(self) -> None:
        """In no window of a second that ends now did more begin than the rates allow."""
        last = [one for one in self.begun if one.at > self.now - 1 + 1e-6]
        if self.rate:
            assert len(last) <= math.ceil(self.rate)
        if self.invoice_rate:  # a request may be larger than a second's worth: all but the last are paid for
            assert sum(one.invoices for one in last[:-1]) < self.invoice_rate + 1e-3

    @rule(invoices=st.integers(1, 100))
    def come(self, invoices: int) -> None:
        self.line.append(self.admission.arrive(invoices))
        self.open()

    @rule(seconds=st.one_of(st.sampled_from([0.0, 0.01, 0.3, 1.0, 30.0, 1000.0]), st.floats(0, 5)))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.open()

    @precondition(lambda self: self.line)
    @rule()
    def wake(self) -> None:
        """The timer of the gate: at the time it was told to look, something is different."""
        check = self.admission.next_check(self.now)
        if check is None:
            return
        waiting, self.now = len(self.line), check
        self.open()
        if self.line and len(self.line) == waiting and not self.flying:
            again = self.admission.next_check(self.now)
            assert again is not None
            assert again > check

    @precondition(lambda self: self.line and not self.flying)
    @rule()
    def wait_for_as_long_as_it_takes(self) -> None:
        """With nothing in flight, time alone brings somebody in, or sends everybody home."""
        waiting = len(self.line)
        for _ in range(4):
            if len(self.line) < waiting:
                return
            check = self.admission.next_check(self.now)
            assert check is not None
            self.now = check
            self.open()
        assert len(self.line) < waiting

    def _back(self, data: st.DataObject, verdict: Verdict, jitter: float) -> None:
        ticket = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1), label="who"))
        window, was_open = self.admission.window, self.breaker_open
        self.admission.finish(ticket, verdict, self.now, jitter)
        if verdict.proof is Proof.NOTHING:
            self.without_proof += 1
            self.breaker_open |= self.without_proof >= self.breaker_row
        elif verdict.proof is not Proof.NOT_SENT:
            self.without_proof, self.breaker_open = 0, False
        if verdict.slower and ticket.serial > self.cut_at:
            self.cut_at = self.serials
            assert self.admission.window <= max(1.0, window / 2)
        elif not was_open:
            assert self.admission.window >= window, "cut twice for one flight"
        self.open()

    @precondition(lambda self: self.flying)
    @rule(
        data=st.data(),
        verdict=st.sampled_from([RECEIPT, RECEIPT, RECEIPT, REFUSAL, NOT_SENT, POOL_TIMEOUT, RESET, TIMEOUT]),
        jitter=st.floats(0, 1),
    )
    def answer(self, data: st.DataObject, verdict: Verdict, jitter: float) -> None:
        self._back(data, verdict, jitter)

    @precondition(lambda self: self.flying)
    @rule(
        data=st.data(),
        kind=st.sampled_from([too_many, unavailable, quota]),
        wait=st.sampled_from([0.5, 2.0, 4.9, 30.0, 5000.0]),
        jitter=st.floats(0, 1),
    )
    def hold(self, data: st.DataObject, kind: Any, wait: float, jitter: float) -> None:
        if kind is not quota or wait <= self.max_hold:
            self.held_until = max(self.held_until, self.now + wait)
        self._back(data, kind(wait), jitter)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), kind=st.sampled_from([too_many, unavailable]), jitter=st.floats(0, 1))
    def back_off(self, data: st.DataObject, kind: Any, jitter: float) -> None:
        self._back(data, kind(None), jitter)
        assert self.admission.held_until > self.now

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        self.admission.leave(self.line.pop(data.draw(st.integers(0, len(self.line) - 1), label="who")))
        self.open()

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def give_up_in_flight(self, data: st.DataObject) -> None:
        self.admission.leave(self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1), label="who")))
        self.open()

    @rule()
    def begin_a_run(self) -> None:
        window = self.admission.window
        self.admission.restart()
        if self.line or self.flying:
            assert self.admission.window == window
        else:
            assert self.admission.window == 1
            self.without_proof, self.breaker_open = 0, False
            self.cut_at = self.serials
        self.open()

    @invariant()
    def the_books_are_in_order(self) -> None:
        if not hasattr(self, "admission"):
            return
        assert self.admission.in_flight == len(self.flying) <= self.concurrency
        assert 1 <= self.admission.window <= self.concurrency
        learned = self.admission._pace.at(self.now)
        assert learned is None or 0.99 / 60 <= learned < math.inf, "it would stop for ever"
        assert (self.admission.broken_since is not None) == self.breaker_open
        if self.line and len(self.flying) < int(self.admission.window) and self.admission.broken_since is None:
            assert self.admission.next_check(self.now) is not None, "a place is free and nobody would look"


AdmissionMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestAdmissionMachine = AdmissionMachine.TestCase
