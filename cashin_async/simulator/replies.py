"""What can come back over a connection, as values: an answer, broken bytes, an end, or nothing at all.

Of the 4xx and 5xx answers only the status is published; that their body is `{"Message": ...}` is assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

import msgspec

from cashin_async.models import UploadReceipt

JSON = "application/json"
CREATE_PATH = "/v2/gensalesinvoices"
BODILESS = frozenset({204, 205, 304})
"""RFC 9110, 15.3.5, 15.3.6 and 15.4.5: these end at their headers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(self.status)


@dataclass(frozen=True, slots=True)
class Bytes:
    """These bytes as they are, instead of an HTTP answer; then the connection is closed."""

    data: bytes

    def __str__(self) -> str:
        return "bytes"


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is aborted (a TCP reset), nothing is answered."""

    def __str__(self) -> str:
        return "cut"


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing is answered, and the connection stays open."""

    def __str__(self) -> str:
        return "hang"


Reply = Answer | Bytes | Cut | Hang


def phrase(status: int) -> str:
    """The registered words of a status; private ones (520) have none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unregistered status"


def message(status: int, text: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that is not a receipt. A redirect points at the create call itself: whoever follows it posts again."""
    fields = dict(headers or {})
    if 300 <= status < 400:
        fields["Location"] = CREATE_PATH
    if status in BODILESS:
        return Answer(status, b"", fields)
    return Answer(status, msgspec.json.encode({"Message": text or phrase(status)}), fields)


def hold(status: int, seconds: str) -> Answer:
    """`Retry-After` in seconds, as written in the fault."""
    return message(status, headers={"Retry-After": seconds})


def hold_until(status: int, clock: float, seconds: int) -> Answer:
    """`Retry-After` as an HTTP date, beside the answer's own `Date` (RFC 9110, 10.2.3).

    `clock` is in seconds since 1970. Both dates drop its fraction, so that they lie whole seconds apart.
    """
    now = int(clock)
    dates = {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + seconds, usegmt=True)}
    return message(status, headers=dates)


def accepted(receipt: UploadReceipt) -> Answer:
    """The published 202 with its four keys."""
    return Answer(202, msgspec.json.encode(receipt))


def found(number: int, times: int) -> Answer:
    """What a look-up says of an invoice that is there. Its form is assumed: the vendor's is not published."""
    return Answer(200, msgspec.json.encode({"InvoiceNumber": number, "TimesAccepted": times}))


def truncated(receipt: UploadReceipt) -> Bytes:
    """The 202 cut off in the middle of its body: Content-Length promises the whole."""
    body = accepted(receipt).body
    head = f"HTTP/1.1 202 Accepted\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    return Bytes(head.encode() + body[: len(body) // 2])
