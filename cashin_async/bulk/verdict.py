"""What one exchange proves about the invoices of its request. This table is the contract.

The rule behind it: send again only on proof that the server did not apply it; report as accepted only on
proof that it did. Anything not listed proves nothing. Status codes: the vendor's page "Errors"; 413, 422 and
429 are not listed there, which is no proof that they never come.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from cashin_async.bulk.headers import quota_reset, retry_after
from cashin_async.bulk.outcome import State
from cashin_async.models.receipt import UploadReceipt
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent
from cashin_async.transport.redaction import text_of

OnRefused = Literal["bisect", "hold"]


class Proof(Enum):
    """What is proven about a request."""

    NOT_SENT = "it did not reach the server"
    REFUSED = "the server did not apply it"
    APPLIED = "the server read it and gave a receipt"
    NOTHING = "nothing"


class Then(Enum):
    """What to do with its invoices."""

    DONE = "each has its outcome"
    AGAIN = "send them again"
    RENEW_KEY = "send them again with a newer key, or stop"
    BISECT = "refused as a whole: halve until the culprits stand alone"
    SPLIT = "too large: halve, and remember the size"
    SETTLE = "only a look-up can tell"
    STOP = "stop the run: nobody's will be taken"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row of the table that an exchange falls under."""

    proof: Proof
    then: Then
    rest: State
    """What the invoices that are not `named` end as, if it ends here."""
    reason: str
    named: Mapping[int, str] = field(default_factory=dict)
    """Places in the request of those that the server named as failed, each with its words."""
    named_as: State = State.REJECTED
    words: str = ""
    """What the server said of the whole request. Like those in `named` they may quote an invoice."""
    receipt: UploadReceipt | None = None
    keep_answer: bool = False
    """Whether the raw answer is for a person to read."""
    pushback: bool = False
    """Whether every sender is to hold."""
    wait: float | None = None
    """Seconds that the server asks to wait: after a pushback, or since a quota is used up."""
    slower: bool = False
    """Whether less at once is called for."""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What earlier exchanges have shown."""

    accepted: bool = False
    """There was a receipt: the address is right."""
    key_accepted: bool = False
    """There was a receipt with this very key."""


_receipts = msgspec.json.Decoder(UploadReceipt)

WRONG_ADDRESS = {404: "base_url", 405: "base_url", 407: "proxy"}


def judge(
    exchange: Exchange,
    numbers: Sequence[int],
    standing: Standing = Standing(),
    *,
    retry_503: bool = False,
    on_refused: OnRefused = "bisect",
    in_doubt: bool = False,
) -> Verdict:
    """The verdict on one exchange whose request held the invoices `numbers`, in that order.

    `in_doubt`: an earlier sending of the same invoices may have been applied (`retry_503`), so a refusal now
    proves nothing.
    """
    verdict = _row(exchange, numbers, standing, retry_503, on_refused)
    return _doubted(verdict) if in_doubt else verdict


def _row(
    exchange: Exchange,
    numbers: Sequence[int],
    standing: Standing,
    retry_503: bool,
    on_refused: OnRefused,
) -> Verdict:
    if isinstance(exchange, NotSent):
        return Verdict(Proof.NOT_SENT, Then.AGAIN, State.UNSENT, exchange.why, slower=exchange.timed_out)
    if isinstance(exchange, NoProof):
        return Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, exchange.why, slower=exchange.timed_out)
    if exchange.status == 202:
        verdict = _receipt(exchange, numbers)
    else:
        verdict = _refusal(exchange, len(numbers) == 1, standing, retry_503, on_refused)
    wait = retry_after(exchange) if verdict.pushback else quota_reset(exchange)
    return (
        verdict
        if (wait, exchange.status) == (None, verdict.status)
        else replace(verdict, wait=wait, status=exchange.status)
    )


def _refusal(answer: Answered, alone: bool, standing: Standing, retry_503: bool, on_refused: OnRefused) -> Verdict:
    """Any status but 202."""
    status, words = answer.status, text_of(answer.body)
    refused, nothing = Proof.REFUSED, Proof.NOTHING
    match status:
        case 429:
            return Verdict(refused, Then.AGAIN, State.UNSENT, "HTTP 429: too many requests", pushback=True, slower=True)
        case 503 if retry_503:
            return Verdict(nothing, Then.AGAIN, State.UNKNOWN, "HTTP 503", pushback=True, slower=True)
        case 503:
            return Verdict(nothing, Then.SETTLE, State.UNKNOWN, "HTTP 503", words=words, pushback=True, slower=True)
        case 401:
            return Verdict(
                refused,
                Then.RENEW_KEY,
                State.UNSENT,
                "HTTP 401: the key is refused (CASHIN_API_KEY, CASHIN_API_KEY_FILE)",
            )
        case 403 if not standing.key_accepted:
            reason = "HTTP 403: this key may not create invoices here (CASHIN_API_KEY, CASHIN_API_KEY_FILE, base_url)"
            return Verdict(refused, Then.STOP, State.UNSENT, reason, words=words)
        case _ if (300 <= status < 400 or status in WRONG_ADDRESS) and not standing.accepted:
            setting = WRONG_ADDRESS.get(status, "base_url")
            reason = f"HTTP {status}: this is not the address of the API, check {setting} (CASHIN_{setting.upper()})"
            return Verdict(refused, Then.STOP, State.UNSENT, reason)
        case 400 | 402 | 403 | 413 | 422 if alone:
            return Verdict(refused, Then.DONE, State.REJECTED, f"HTTP {status}", words=words)
        case 413:
            return Verdict(refused, Then.SPLIT, State.UNSENT, "HTTP 413: too large")
        case 400 | 403 if on_refused == "hold":
            return Verdict(
                refused,
                Then.DONE,
                State.UNSENT,
                f"held back: HTTP {status} for its whole chunk (on_refused)",
                words=words,
            )
        case 400 | 403:
            return Verdict(refused, Then.BISECT, State.UNSENT, f"HTTP {status}", words=words)
        case 402 | 422:
            reason = f"HTTP {status} for the whole chunk, which may be applied in part"
            return Verdict(nothing, Then.SETTLE, State.UNKNOWN, reason, words=words)
        case _:
            return Verdict(nothing, Then.SETTLE, State.UNKNOWN, f"HTTP {status} proves nothing", words=words)


def _receipt(answer: Answered, numbers: Sequence[int]) -> Verdict:
    try:
        receipt = _receipts.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reason = "HTTP 202 with something else than the published receipt"
        return Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, reason, keep_answer=True)
    failures = _elements(receipt.failed_invoices)
    uploaded, failed = receipt.uploaded_invoices_count, receipt.failed_invoices_count
    named, all_tied = _tie_all(failures, numbers, alone=(len(numbers), uploaded, failed) == (1, 0, 1))
    if all_tied and failed == len(named) and uploaded == len(numbers) - failed:
        return Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted", named, receipt=receipt, status=202)
    reason = (
        f"the receipt does not add up: {len(numbers)} sent, {uploaded} uploaded, {failed} failed,"
        f" {len(named)} of {len(failures)} named could be told"
    )
    return Verdict(Proof.APPLIED, Then.SETTLE, State.UNKNOWN, reason, named, receipt=receipt, keep_answer=True)


def _doubted(verdict: Verdict) -> Verdict:
    """The same for invoices whose earlier sending may have been applied: what is refused now may be a repeat."""
    rest = State.UNKNOWN if verdict.rest in (State.REJECTED, State.UNSENT) else verdict.rest
    then = Then.SETTLE if verdict.then is Then.BISECT else verdict.then
    reason = verdict.reason if rest is verdict.rest else f"{verdict.reason}, after an earlier HTTP 503"
    return replace(verdict, rest=rest, then=then, reason=reason, named_as=State.UNKNOWN)


# -- whom the elements of FailedInvoices mean: their form is not published

_NUMBER_KEY = re.compile(r"(sales)?invoice(number|numbers|no|nr|nbr|num)|laskunumero|laskunro")
_SHORT_NUMBER_KEY = re.compile(r"(sales)?invoice(id)?|number|no|nr|nbr|num")
_PLACE_KEY = re.compile(
    r"(row|line|invoice|item|array|source)?(index|idx|position|pos|row|line|rivi|ordinal|place)(number|no|nr)?"
)
_BARE_NUMBER = re.compile(r"[1-9]\d{0,18}", re.ASCII)
# a whole token of five digits or more: no part of a word, an amount, a range a phone number or an address
_NUMBER_IN_PROSE = re.compile(r"(?<![\w+/])(?<!\d[.,–—-])[1-9][0-9]{4,18}(?!\w)(?![.,–—-]\d)")


def _elements(failures: Any) -> list[Any]:
    if failures is None or failures is UNSET:
        return []
    return failures if isinstance(failures, list) else [failures]


def _tie_all(failures: list[Any], numbers: Sequence[int], alone: bool) -> tuple[dict[int, str], bool]:
    """The places of those meant, with the server's words, and whether every element means somebody.

    `alone`: one was sent and one failed, so that an element which names no other can only mean this one.
    """
    if not failures:
        return {}, True
    places = {number: place for place, number in enumerate(numbers)}
    named: dict[int, str] = {}
    all_tied = True
    for element in failures:
        number = _meant(element, places, alone)
        if number is None:
            all_tied = False
        else:
            place = places[number]
            said = "" if _whole_number(element) is not None else _words(element)
            named[place] = f"{named[place]}; {said}" if named.get(place) else said
    return named, all_tied


def _meant(element: Any, sent: Mapping[int, int], alone: bool) -> int | None:
    """The one sent number that `element` means, or None."""
    bare = _whole_number(element)
    if bare is not None:
        if bare >= len(sent) and bare in sent:  # below, it may be a place in the request
            return bare
        return next(iter(sent)) if alone and bare in (0, 1) else None
    by_key, by_short_key, prose = _numbers_within(element, len(sent))
    if by_key:
        return next(iter(by_key)) if len(by_key) == 1 and by_key <= sent.keys() else None
    found = {int(token) for text in prose for token in _NUMBER_IN_PROSE.findall(text)} & sent.keys()
    if by_short_key:  # may be a number of something else: prose must not name another
        agree = len(by_short_key) == 1 and by_short_key <= sent.keys() and found <= by_short_key
        return next(iter(by_short_key)) if agree else None
    if alone:
        return next(iter(sent))
    if isinstance(element, dict) and _says_who_otherwise(element):
        return None  # the one in its prose may be another that it is compared with
    return found.pop() if len(found) == 1 else None


def _says_who_otherwise(element: Any) -> bool:
    """Whether an object names its invoice in a way that cannot be read here, as by a place or in an odd form."""
    return any(_NUMBER_KEY.search(key) or _PLACE_KEY.fullmatch(key) or key.isdigit() for key, _ in _leaves(element))


def _numbers_within(element: Any, length: int) -> tuple[set[int], set[int], list[str]]:
    """Numbers under a key that spells "invoice number", under one that spells "number", and all prose."""
    by_key: set[int] = set()
    by_short_key: set[int] = set()
    prose: list[str] = []
    for key, value in _leaves(element):
        number = _whole_number(value)
        if number is None:
            if isinstance(value, str):
                prose.append(value)
        elif _NUMBER_KEY.fullmatch(key):
            by_key.add(number)
        elif (not key or _SHORT_NUMBER_KEY.fullmatch(key)) and number >= length:
            by_short_key.add(number)  # a smaller one may be a place in the request, as where it stands bare
    return by_key, by_short_key, prose


def _leaves(element: Any) -> Iterator[tuple[str, Any]]:
    """Every scalar at any depth with the key it stands under, in lower case, letters and digits only."""
    todo = [("", element)]
    while todo:
        key, value = todo.pop()
        if isinstance(value, dict):
            todo.extend((re.sub(r"[\W_]", "", name).lower(), member) for name, member in value.items())
        elif isinstance(value, list):
            todo.extend((key, member) for member in value)
        else:
            yield key, value


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _BARE_NUMBER.fullmatch(value.strip()) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _words(element: Any) -> str:
    try:
        return element if isinstance(element, str) else json.dumps(element, ensure_ascii=False)
    except RecursionError:
        return "(nested too deep to show)"
