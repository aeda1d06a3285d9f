"""The list of all faults: name, argument, example, what it does.

None of it is published by the vendor: every fault is an assumption that a client has to survive.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cashin_async.simulator.effects import (
    After,
    Before,
    Echo,
    Effect,
    Fail,
    HoldUntil,
    Late,
    Latency,
    Miscount,
    OnLookUp,
    Poison,
    Quote,
    RateLimit,
    Stale,
    TooLarge,
    TooMany,
    Truncated,
)
from cashin_async.simulator.replies import Answer, Bytes, Cut, Hang, Reply, hold, message

Make = Callable[[str], Effect]
"""From the text behind `=` ("" when there is none) to the effect; `ValueError` when it does not fit."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the list: a fault, or a family of faults (`5xx-before`)."""

    name: str
    argument: str
    """As the help shows it: "SECONDS", "[SECONDS]" when it may be left out, "" for none."""
    example: str
    text: str
    make: Make

    @property
    def form(self) -> str:
        optional = self.argument.startswith("[")
        equals = f"[={self.argument[1:]}" if optional else f"={self.argument}" if self.argument else ""
        return self.name + equals


def between(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise ValueError(f"{number:g} is not between {least:g} and {most:g}")
    return number


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(f"{text!r} is no number of seconds")
    return float(text)


def _written_seconds(text: str) -> str:
    _seconds(text)
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text, re.ASCII):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _positive(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


def _numbers(text: str) -> frozenset[int]:
    return frozenset(_whole(number) for number in text.split(","))


def _status(text: str) -> int:
    return int(between(_whole(text), 200, 599))


def _latency(text: str) -> Latency:
    low, tilde, high = text.partition("~")
    latency = Latency(_seconds(low), _seconds(high if tilde else low))
    if latency.high < latency.low:
        raise ValueError(f"{text!r} runs backwards")
    return latency


def _always(effect: Effect) -> Make:
    """For a fault without an argument."""

    def make(argument: str) -> Effect:
        if argument:
            raise ValueError("it takes no argument")
        return effect

    return make


def _holding(effect: type[Before | After | OnLookUp], status: int) -> Make:
    """A status that takes seconds for `Retry-After`, or none."""

    def make(argument: str) -> Effect:
        return effect(hold(status, _written_seconds(argument)) if argument else message(status))

    return make


def _poison(status: int, partly: bool = False) -> Make:
    return lambda argument: Poison(status, _numbers(argument), partly)


def _fail(element: Callable[[int, int], Any]) -> Make:
    return lambda argument: Fail(_numbers(argument), element)


def _applied(reply: Reply) -> Make:
    return _always(After(reply))


def _looked_up(reply: Reply) -> Make:
    return _always(OnLookUp(reply))


_FORMS: tuple[tuple[str, str, Callable[[int, int], Any]], ...] = (
    ("object", "an object with InvoiceNumber", lambda n, _: {"InvoiceNumber": n, "Message": "Refused"}),
    ("camel", "an object with invoiceNumber", lambda n, _: {"invoiceNumber": n, "message": "Refused"}),
    ("snake", "an object with invoice_number, a string", lambda n, _: {"invoice_number": str(n)}),
    (
        "nested",
        "an object with the number two levels down",
        lambda n, _: {"Invoice": {"Header": {"InvoiceNumber": n}}, "Errors": ["Refused"]},
    ),
    ("number", "the bare number", lambda n, _: n),
    ("string", "the number as a string", lambda n, _: str(n)),
    (
        "sentence",
        "a sentence that holds the number, and another one",
        lambda n, _: f"Invoice {n} was refused: VatPercent 24 is not known",
    ),
    ("anonymous", "an object that names nobody", lambda n, _: {"Message": "An invoice was refused"}),
    ("index", "the bare index in the array", lambda _, index: index),
)

_SERVER_ERRORS = range(500, 600)

_BEFORE: tuple[Kind, ...] = (
    Kind("latency", "SECONDS", "latency=0.1~0.3", "waits first: so long, or evenly spread between two", _latency),
    Kind(
        "rate-limit",
        "REQUESTS",
        "rate-limit=10",
        "429 with Retry-After: 1 for all that come above so many requests in any second",
        lambda argument: RateLimit(_positive(argument)),
    ),
    Kind(
        "429", "[SECONDS]", "429=2@3", "429, with Retry-After in seconds, without it when bare", _holding(Before, 429)
    ),
    Kind(
        "429-date",
        "SECONDS",
        "429-date=2@3",
        "429 with Retry-After as a date so many seconds behind its own Date",
        lambda argument: HoldUntil(_positive(argument)),
    ),
    Kind("drop-before", "", "drop-before@5%", "nothing applied, the connection is cut", _always(Before(Cut()))),
    Kind("hang-before", "", "hang-before@2", "nothing applied, never answers", _always(Before(Hang()))),
    Kind(
        "5xx-before",
        "[SECONDS]",
        "503-before=2@3-5",
        "nothing applied, that status (any from 500 to 599), with Retry-After when seconds are given",
        _holding(Before, 500),
    ),
    Kind(
        "413-items",
        "NUMBER",
        "413-items=200",
        "413 above so many invoices, nothing applied",
        lambda argument: TooMany(_positive(argument)),
    ),
    Kind(
        "413-bytes",
        "NUMBER",
        "413-bytes=1000000",
        "413 above so many bytes, nothing applied",
        lambda argument: TooLarge(_positive(argument)),
    ),
    *(
        Kind(
            f"poison-{status}" if status != 400 else "poison",
            "NUMBER[,NUMBER...]",
            f"poison{'' if status == 400 else f'-{status}'}=251600002",
            f"{status} for the whole request that holds one of these, nothing applied",
            _poison(status),
        )
        for status in (400, 402, 403, 422)
    ),
    *(
        Kind(
            f"poison-{status}-partly",
            "NUMBER[,NUMBER...]",
            f"poison-{status}-partly=251600002",
            f"{status} for the whole request that holds one of these, but those in front of it are applied",
            _poison(status, partly=True),
        )
        for status in (402, 422)
    ),
    Kind("key-refused", "", "key-refused@20+", "401, as for a key that was retired", _always(Before(message(401)))),
    Kind("bad-request", "", "bad-request", "400 for any request, nothing applied", _always(Before(message(400)))),
    Kind("quote", "", "quote@1", "400 that quotes the whole request body, nothing applied", _always(Quote())),
    Kind(
        "status",
        "CODE",
        "status=307",
        "nothing applied, that status; 3xx with a Location that leads to the create call",
        lambda argument: Before(message(_status(argument))),
    ),
)

_APPLYING: tuple[Kind, ...] = (
    *(
        Kind(
            f"fail-{form}",
            "NUMBER[,NUMBER...]",
            f"fail-{form}=251600002",
            f"these fail, the others are applied; FailedInvoices holds {text}",
            _fail(element),
        )
        for form, text, element in _FORMS
    ),
    Kind(
        "miscount",
        "NUMBER",
        "miscount=-1",
        "applied, UploadedInvoicesCount is off by so many",
        lambda argument: Miscount(uploaded=_whole(argument)),
    ),
    Kind(
        "miscount-failed",
        "NUMBER",
        "miscount-failed=1",
        "applied, FailedInvoicesCount is off by so many",
        lambda argument: Miscount(failed=_whole(argument)),
    ),
)

_AFTER: tuple[Kind, ...] = (
    Kind("drop-after", "", "drop-after@5%", "applied, then the connection is cut", _applied(Cut())),
    Kind("hang-after", "", "hang-after@2", "applied, then never answers", _applied(Hang())),
    Kind(
        "apply-late",
        "SECONDS",
        "apply-late=2@3",
        "the connection is cut at once, and so many seconds later it is applied",
        lambda argument: Late(_seconds(argument)),
    ),
    Kind(
        "5xx-after",
        "[SECONDS]",
        "500-after@3",
        "applied, then that status (any from 500 to 599), with Retry-After when seconds are given",
        _holding(After, 500),
    ),
    Kind(
        "status-after",
        "CODE",
        "status-after=409",
        "applied, then that status; 3xx with a Location that leads to the create call",
        lambda argument: After(message(_status(argument))),
    ),
    Kind(
        "garbage", "", "garbage@2", "applied, then 202 with a body that is not JSON", _applied(Answer(202, b"<html>OK"))
    ),
    Kind("wrong-json", "", "wrong-json@2", "applied, then 202 with JSON of another form", _applied(Answer(202, b"[]"))),
    Kind("empty", "", "empty@2", "applied, then 202 with an empty body", _applied(Answer(202))),
    Kind("truncated", "", "truncated@2", "applied, then 202 that is cut off in its body", _always(Truncated())),
    Kind(
        "not-http",
        "",
        "not-http@2",
        "applied, then bytes that are not HTTP",
        _applied(Bytes(b"this is not an HTTP answer\r\n\r\n")),
    ),
)

_LOOK_UPS: tuple[Kind, ...] = (
    Kind(
        "lookup-always-200",
        "",
        "lookup-always-200",
        "a look-up is answered 200 with JSON that holds no number, whatever it is for",
        _looked_up(message(200)),
    ),
    Kind(
        "lookup-always-404",
        "",
        "lookup-always-404@5%",
        "a look-up is answered 404, whatever it is for",
        _looked_up(message(404)),
    ),
    Kind(
        "lookup-echo",
        "",
        "lookup-echo",
        "a look-up is answered 200 with the number, whether there is an invoice or not",
        _always(Echo()),
    ),
    Kind(
        "lookup-stale",
        "SECONDS",
        "lookup-stale=600",
        "a look-up finds nothing that was applied less than so many seconds ago",
        lambda argument: Stale(_seconds(argument)),
    ),
    Kind(
        "lookup-429",
        "[SECONDS]",
        "lookup-429=2@3",
        "a look-up is answered 429, with Retry-After when seconds are given",
        _holding(OnLookUp, 429),
    ),
    Kind(
        "lookup-5xx",
        "[SECONDS]",
        "lookup-500@3-5",
        "a look-up is answered with that status (any from 500 to 599), with Retry-After when seconds are given",
        _holding(OnLookUp, 500),
    ),
    Kind(
        "lookup-status",
        "CODE",
        "lookup-status=401",
        "a look-up is answered with that status; 3xx with a Location that leads to the create call",
        lambda argument: OnLookUp(message(_status(argument))),
    ),
    Kind(
        "lookup-garbage",
        "",
        "lookup-garbage",
        "a look-up is answered 200 with a body that is not JSON",
        _looked_up(Answer(200, b"<html>OK")),
    ),
    Kind("lookup-drop", "", "lookup-drop@5%", "a look-up's connection is cut", _looked_up(Cut())),
    Kind("lookup-hang", "", "lookup-hang@2", "a look-up is never answered", _looked_up(Hang())),
)

KINDS: tuple[Kind, ...] = _BEFORE + _APPLYING + _AFTER + _LOOK_UPS
"""All that there is, in the order of an exchange, and then those of look-ups."""


def _by_name() -> dict[str, Kind]:
    """Every name that can be given; the three families have one for each status."""
    kinds = {kind.name: kind for kind in KINDS}
    families: dict[str, type[Before | After | OnLookUp]] = {
        "5xx-before": Before,
        "5xx-after": After,
        "lookup-5xx": OnLookUp,
    }
    for family, effect in families.items():
        kind = kinds.pop(family)
        for status in _SERVER_ERRORS:
            name = family.replace("5xx", str(status))
            kinds[name] = Kind(name, kind.argument, name, kind.text, _holding(effect, status))
    return kinds


KINDS_BY_NAME = _by_name()
