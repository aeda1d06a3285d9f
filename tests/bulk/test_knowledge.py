"""What is known of a number decides: every state, same or other content, this run or an earlier one."""

import pytest

from cashin_async.bulk.knowledge import Next, rule, rule_held
from cashin_async.bulk.outcome import State
from cashin_async.ledger.base import IN_PLAY, Known, NumberState

OURS, EARLIER = "run-2", "run-1"
A, B = 1, 2
S = NumberState


def test_a_number_never_seen_before_goes() -> None:
    assert rule(None, A, OURS).next is Next.SEND


@pytest.mark.parametrize(
    ("state", "digest", "run", "then", "ends"),
    [
        (S.ACCEPTED, A, EARLIER, Next.KEEP_BACK, State.DUPLICATE),
        (S.ACCEPTED, B, EARLIER, Next.KEEP_BACK, State.REJECTED),
        (S.ACCEPTED, None, EARLIER, Next.KEEP_BACK, State.DUPLICATE),
        (S.ACCEPTED, A, OURS, Next.KEEP_BACK, State.DUPLICATE),
        (S.ACCEPTED, B, OURS, Next.KEEP_BACK, State.REJECTED),
        (S.ACCEPTED, A, "", Next.KEEP_BACK, State.DUPLICATE),
        (S.REJECTED, A, EARLIER, Next.KEEP_BACK, State.REJECTED),
        (S.REJECTED, B, EARLIER, Next.SEND, None),
        (S.REJECTED, A, OURS, Next.KEEP_BACK, State.DUPLICATE),
        (S.REJECTED, B, OURS, Next.KEEP_BACK, State.REJECTED),
        (S.INVALID, A, EARLIER, Next.KEEP_BACK, State.INVALID),
        (S.INVALID, B, EARLIER, Next.SEND, None),
        (S.INVALID, A, OURS, Next.SEND, None),
        (S.INVALID, B, OURS, Next.SEND, None),
        (S.UNKNOWN, A, EARLIER, Next.SETTLE, State.UNKNOWN),
        (S.UNKNOWN, B, EARLIER, Next.SETTLE, State.UNSENT),
        (S.UNKNOWN, A, OURS, Next.KEEP_BACK, State.DUPLICATE),
        (S.UNKNOWN, B, OURS, Next.KEEP_BACK, State.REJECTED),
        (S.UNSENT, A, EARLIER, Next.SEND, None),
        (S.UNSENT, B, EARLIER, Next.SEND, None),
        (S.UNSENT, A, OURS, Next.KEEP_BACK, State.DUPLICATE),
        (S.RELEASED, A, EARLIER, Next.SEND, None),
        (S.RELEASED, B, EARLIER, Next.SEND, None),
        *[(state, A, EARLIER, Next.KEEP_BACK, State.UNKNOWN) for state in IN_PLAY],
        *[(state, B, EARLIER, Next.KEEP_BACK, State.UNSENT) for state in IN_PLAY],
    ],
)
def test_the_table(state: NumberState, digest: int | None, run: str, then: Next, ends: State | None) -> None:
    ruling = rule(Known(state, digest, run, "as it was said"), A, OURS)
    assert ruling.next is then
    if ends is not None:
        assert ruling.state is ends


@pytest.mark.parametrize("state", [S.REJECTED, S.INVALID])
def test_retry_rejected_sends_what_has_not_changed(state: NumberState) -> None:
    assert rule(Known(state, A, EARLIER, "HTTP 400"), A, OURS, retry_rejected=True).next is Next.SEND
    said = rule(Known(state, A, EARLIER, "HTTP 400"), A, OURS).reason
    assert "retry_rejected" in said
    assert "HTTP 400" in said


@pytest.mark.parametrize("state", [S.ACCEPTED, S.UNKNOWN, *IN_PLAY])
@pytest.mark.parametrize("run", [OURS, EARLIER, None])
@pytest.mark.parametrize("digest", [A, B, None])
def test_nothing_sends_what_may_have_been_accepted(state: NumberState, run: str | None, digest: int | None) -> None:
    assert rule(Known(state, digest, EARLIER), A, run, retry_rejected=True).next is not Next.SEND


def test_a_single_request_is_no_input() -> None:
    assert rule(Known(S.UNSENT, A, OURS), A, None).next is Next.SEND
    assert rule(Known(S.REJECTED, A, OURS), A, None).state is State.REJECTED
    assert rule(Known(S.ACCEPTED, A, OURS), A, None).reason == "accepted before (run run-2)"


def test_what_a_task_has_in_hand() -> None:
    assert rule_held(A, A, ours=False).next is Next.WAIT
    assert rule_held(A, B, ours=False).next is Next.WAIT
    assert rule_held(A, A, ours=True).state is State.DUPLICATE
    assert rule_held(A, B, ours=True).state is State.REJECTED


def test_nobody_waits_for_what_another_task_settles() -> None:
    assert rule_held(A, A, ours=False, in_doubt=True).state is State.UNKNOWN
    assert rule_held(A, B, ours=False, in_doubt=True).state is State.UNSENT
    assert rule_held(A, A, ours=True, in_doubt=True).state is State.DUPLICATE
    assert rule_held(A, A, ours=False, in_doubt=True).next is Next.KEEP_BACK
