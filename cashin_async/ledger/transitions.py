"""What may become of a number about which something is known: the same for every ledger."""

from collections.abc import Sequence

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import NumberState

FREE = frozenset((NumberState.REJECTED, NumberState.INVALID, NumberState.UNSENT, NumberState.RELEASED))
"""May be leased anew."""

CUT_OFF = "its run was cut off"
"""Why a number ended without its outcome."""


def refuse_unless_free(number: int, state: NumberState) -> None:
    """Raises `LedgerError` for a number that must not be sent: the last line of defence against billing twice."""
    if state not in FREE:
        raise LedgerError(f"invoice {number} is {state} on record: it must not be sent")


def refuse_repetitions(numbers: Sequence[int]) -> None:
    """Raises `LedgerError` when one of the numbers to be leased is among them twice."""
    if len(set(numbers)) < len(numbers):
        raise LedgerError("an invoice number is to be leased twice at once")


def may_be_noted(state: NumberState, known: NumberState) -> bool:
    """Whether a number of which `known` is on record becomes INVALID, or ACCEPTED because a person says so."""
    return known is NumberState.INVALID or (state is NumberState.ACCEPTED and known in FREE)


def not_open(lease: int) -> LedgerError:
    """The error of a lease that has ended, or of numbers that it does not hold."""
    return LedgerError(f"lease {lease} is not open, or does not hold these numbers")


def holds(held: Sequence[int], numbers: Sequence[int]) -> bool:
    """Whether a lease of `held` has all of `numbers`, none of them named twice."""
    return len(set(numbers)) == len(numbers) and set(held).issuperset(numbers)
