"""What each fault does to one exchange. Pure: values and times come in, replies go out.

A POST goes through five moments, in this order; an effect takes part in one of them:

    delay -> before -> (apply, without the failures) -> recount -> after

A look-up has a single one: look_up.
"""

from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from cashin_async.models import UploadReceipt
from cashin_async.simulator import replies
from cashin_async.simulator.replies import Answer, Cut, Reply


@dataclass(frozen=True, slots=True)
class Sent:
    """One POST, as far as effects may look at it."""

    body: bytes
    numbers: tuple[int, ...] = ()
    """The invoice numbers in the order of the array; none when the body is no array of invoices."""
    at: float = 0.0
    """Monotonic seconds."""
    clock: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class LookedFor:
    """One look-up, as far as effects may look at it."""

    number: int
    times: int = 0
    """How often the number was accepted."""
    since: float = 0.0
    """When it was first, in monotonic seconds."""
    at: float = 0.0
    """Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A reply given before applying, but for the first `applied` invoices."""

    reply: Reply
    applied: int = 0


class Effect:
    """The neutral effect: nothing happens at any moment."""

    __slots__ = ()

    def delay(self, draw: float) -> float:
        """Seconds to wait first; `draw` is a number from 0 up to 1, drawn for this request."""
        return 0.0

    def before(self, sent: Sent) -> Refused | None:
        """A reply instead of applying."""
        return None

    def failures(self, sent: Sent) -> Mapping[int, Any]:
        """Index in the array -> element of `FailedInvoices`, for those that are not applied."""
        return {}

    def recount(self, receipt: UploadReceipt) -> bool:
        """Change the receipt in place; true when it did."""
        return False

    def after(self, receipt: UploadReceipt) -> Reply | None:
        """A reply instead of the 202, all being applied."""
        return None

    def lateness(self) -> float:
        """Seconds after the reply of `after` until that is so."""
        return 0.0

    def look_up(self, asked: LookedFor) -> Reply | None:
        """A reply instead of what is known of the number."""
        return None


@dataclass(frozen=True, slots=True)
class Latency(Effect):
    """Every answer takes at least `low` seconds, and evenly spread up to `high`."""

    low: float
    high: float

    def delay(self, draw: float) -> float:
        return self.low + draw * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Before(Effect):
    """The same reply to whatever comes."""

    reply: Reply

    def before(self, sent: Sent) -> Refused:
        return Refused(self.reply)


@dataclass(frozen=True, slots=True)
class HoldUntil(Effect):
    """429 with an HTTP date so many seconds ahead."""

    seconds: int

    def before(self, sent: Sent) -> Refused:
        return Refused(replies.hold_until(429, sent.clock, self.seconds))


class RateLimit(Effect):
    """At most `rate` requests pass in any second that one may choose; refused ones do not count."""

    __slots__ = ("_passed", "_rate")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._passed: deque[float] = deque()

    def before(self, sent: Sent) -> Refused | None:
        while self._passed and self._passed[0] <= sent.at - 1:
            self._passed.popleft()
        if len(self._passed) < self._rate:
            self._passed.append(sent.at)
            return None
        return Refused(replies.hold(429, "1"))


@dataclass(frozen=True, slots=True)
class TooMany(Effect):
    """413 above so many invoices."""

    most: int

    def before(self, sent: Sent) -> Refused | None:
        return Refused(replies.message(413)) if len(sent.numbers) > self.most else None


@dataclass(frozen=True, slots=True)
class TooLarge(Effect):
    """413 above so many bytes."""

    most: int

    def before(self, sent: Sent) -> Refused | None:
        return Refused(replies.message(413)) if len(sent.body) > self.most else None


@dataclass(frozen=True, slots=True)
class Poison(Effect):
    """One culprit fails its whole request, and the answer does not say which one it was."""

    status: int
    culprits: Set[int]
    partly: bool = False
    """Those in front of the first culprit are applied."""

    def before(self, sent: Sent) -> Refused | None:
        for index, number in enumerate(sent.numbers):
            if number in self.culprits:
                return Refused(replies.message(self.status), applied=index if self.partly else 0)
        return None


@dataclass(frozen=True, slots=True)
class Quote(Effect):
    """A 400 that quotes the whole request: what must not reach a log."""

    def before(self, sent: Sent) -> Refused:
        return Refused(replies.Answer(400, b'{"Message":"Bad Request","Request":' + sent.body + b"}"))


@dataclass(frozen=True, slots=True)
class Fail(Effect):
    """These invoices fail one by one; the others of their request are applied."""

    culprits: Set[int]
    element: Callable[[int, int], Any]
    """(number, index in the array) -> the element of `FailedInvoices`, whose form is not published."""

    def failures(self, sent: Sent) -> Mapping[int, Any]:
        numbers = enumerate(sent.numbers)
        return {index: self.element(number, index) for index, number in numbers if number in self.culprits}


@dataclass(frozen=True, slots=True)
class Miscount(Effect):
    """A receipt whose counts do not add up."""

    uploaded: int = 0
    failed: int = 0

    def recount(self, receipt: UploadReceipt) -> bool:
        receipt.uploaded_invoices_count += self.uploaded
        receipt.failed_invoices_count += self.failed
        return True


@dataclass(frozen=True, slots=True)
class After(Effect):
    """Applied, and then the same reply to whatever came."""

    reply: Reply

    def after(self, receipt: UploadReceipt) -> Reply:
        return self.reply


@dataclass(frozen=True, slots=True)
class Truncated(Effect):
    """Applied, and then half of the receipt."""

    def after(self, receipt: UploadReceipt) -> Reply:
        return replies.truncated(receipt)


@dataclass(frozen=True, slots=True)
class Late(Effect):
    """The connection is cut at once, the server works on and applies later."""

    seconds: float

    def after(self, receipt: UploadReceipt) -> Reply:
        return Cut()

    def lateness(self) -> float:
        return self.seconds


@dataclass(frozen=True, slots=True)
class OnLookUp(Effect):
    """The same reply to whatever is looked up."""

    reply: Reply

    def look_up(self, asked: LookedFor) -> Reply:
        return self.reply


@dataclass(frozen=True, slots=True)
class Echo(Effect):
    """Whatever is looked up is there."""

    def look_up(self, asked: LookedFor) -> Answer:
        return replies.found(asked.number, max(1, asked.times))


@dataclass(frozen=True, slots=True)
class Stale(Effect):
    """What was applied shows up only so long afterwards."""

    seconds: float

    def look_up(self, asked: LookedFor) -> Answer | None:
        return replies.message(404) if asked.at < asked.since + self.seconds else None
