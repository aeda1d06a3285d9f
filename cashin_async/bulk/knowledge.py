"""What is known of a number decides what becomes of an invoice that carries it. A table, pure."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from cashin_async.bulk.outcome import State
from cashin_async.ledger.base import IN_PLAY, Known, NumberState


class Next(Enum):
    """What to do with the invoice."""

    SEND = "nothing speaks against it"
    WAIT = "another task has the number: what becomes of that decides"
    SETTLE = "a look-up decides; without one it is kept back"
    KEEP_BACK = "it is not sent"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of an invoice, and as what it ends when it is kept back."""

    next: Next
    state: State = State.UNSENT
    reason: str = ""
    same: bool = True
    """Whether the number stands for the same content as before, as far as that is known."""


SEND = Ruling(Next.SEND)
TWICE = Ruling(Next.KEEP_BACK, State.DUPLICATE, "the same invoice stands earlier in this input")
_OTHER = "its number is taken by a different invoice earlier in this input"
_TAKEN = Ruling(Next.KEEP_BACK, State.REJECTED, _OTHER, same=False)
WAIT = Ruling(Next.WAIT)


def rule_held(held: int, digest: int, *, ours: bool, in_doubt: bool = False) -> Ruling:
    """On an invoice whose number a task of this process has for content with digest `held`.

    `ours`: this very run has it. `in_doubt`: another one settles it, which takes too long to wait for.
    """
    if ours:
        return TWICE if held == digest else _TAKEN
    if not in_doubt:
        return WAIT
    reason = "unknown, and another task of this process is settling it"
    return Ruling(Next.KEEP_BACK, State.UNKNOWN if held == digest else State.UNSENT, reason, held == digest)


def rule(known: Known | None, digest: int, run: str | None, *, retry_rejected: bool = False) -> Ruling:
    """On an invoice whose content has `digest`, in `run`, when this is on record of its number.

    `run` is None for a single request, which is no input.
    """
    if known is None:
        return SEND
    same = known.digest is None or known.digest == digest
    if known.state in IN_PLAY:
        reason = f"on record as {known.state} since run {known.run}, and in nobody's hands"
        return Ruling(Next.KEEP_BACK, State.UNKNOWN if same else State.UNSENT, reason, same)
    if known.state is NumberState.ACCEPTED:
        return (TWICE if same else _TAKEN) if known.run == run else _accepted(known.run, same, known.digest is None)
    if known.run == run and known.state is not NumberState.INVALID:
        return TWICE if same else _TAKEN
    match known.state:
        case NumberState.UNKNOWN:
            return _unknown(known, same)
        case NumberState.REJECTED | NumberState.INVALID if same and not retry_rejected and known.run != run:
            state = State.REJECTED if known.state is NumberState.REJECTED else State.INVALID
            reason = f"{state} before and unchanged since (retry_rejected sends it again): {known.reason}"
            return Ruling(Next.KEEP_BACK, state, reason)
        case _:
            return SEND


@lru_cache(1000)  # there are as many as runs, and a million invoices ask for one of them
def _accepted(run: str, same: bool, vouched: bool) -> Ruling:
    when = f" (run {run})" if run else ""
    if not same:
        reason = f"its number is taken: accepted before with other content{when}"
        return Ruling(Next.KEEP_BACK, State.REJECTED, reason, same=False)
    how = ", by a person's word: its content is not on record" if vouched else ""
    return Ruling(Next.KEEP_BACK, State.DUPLICATE, f"accepted before{when}{how}")


def _unknown(known: Known, same: bool) -> Ruling:
    if same:
        return Ruling(Next.SETTLE, State.UNKNOWN, f"unknown since run {known.run}, to be settled first: {known.reason}")
    reason = f"another invoice of its number is unknown since run {known.run}, to be settled first"
    return Ruling(Next.SETTLE, State.UNSENT, reason, same=False)
