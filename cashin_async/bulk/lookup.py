"""What a look-up says of an invoice number. Pure. Whether it can be believed is said in `calibration.py`.

A wrong "absent" bills somebody twice and a wrong "exists" loses an invoice, so whatever is not exactly as expected
tells nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from cashin_async.transport.exchange import Answered, Exchange


class Found(StrEnum):
    """What a look-up says of one number."""

    EXISTS = "exists"
    """The server has an invoice of this number."""
    ABSENT = "absent"
    """It has none, and is sure of it."""
    CANNOT_TELL = "cannot_tell"
    """Anything else: no answer, no right to see it, an error, some other page."""


LookUp = Callable[[Sequence[int]], Awaitable[Mapping[int, Found | str]]]
"""Any async callable from numbers to what is known of each: a `Found`, or its word "exists", "absent", "cannot_tell".

Numbers that it leaves out, other words and exceptions count as "cannot tell". It should say "absent" only where the
server itself says so: a page that is empty because of a filter or a limit is no such proof.
"""


def read_answers(asked: Iterable[int], answers: object) -> dict[int, Found]:
    """What a user's look-up gave back, for every number that it was asked for and for no other."""
    return {number: _word(answers, number) for number in asked}


def _word(answers: object, number: int) -> Found:
    try:
        word = answers[number] if isinstance(answers, Mapping) else None
        return Found(word) if isinstance(word, str) else Found.CANNOT_TELL
    except Exception:  # somebody else's mapping: whatever goes wrong in it, it told nothing
        return Found.CANNOT_TELL


def judge_look_up(exchange: Exchange, number: int) -> Found:
    """What the exchange of the shipped look-up, one GET for one number, says of it.

    | answer | found |
    |---|---|
    | 200 whose JSON holds the number as a whole value, at any depth | exists |
    | 404 | absent |
    | anything else | cannot tell |

    A whole value is a JSON integer, or a string of exactly its digits. An object's key, a part of a sentence, `5.0`
    and `true` are none: nothing published says that they stand for an invoice number.
    """
    if not isinstance(exchange, Answered):
        return Found.CANNOT_TELL
    if exchange.status == 404:
        return Found.ABSENT
    return Found.EXISTS if exchange.status == 200 and _holds(exchange.body, number) else Found.CANNOT_TELL


def _holds(body: bytes, number: int) -> bool:
    try:
        todo: list[Any] = [msgspec.json.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    digits = str(number)
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
        elif (type(value) is int and value == number) or value == digits:
            return True
    return False
