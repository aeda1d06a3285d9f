"""What the headers of an answer say about when the next request may go."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from cashin_async.transport.exchange import Answered

_number = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_members = re.compile(r"([a-z]+)\s*=\s*\"?(\d{1,15})", re.ASCII | re.IGNORECASE)
_EPOCH = 1_000_000_000  # a reset above it is a point in time, not a number of seconds


def retry_after(answer: Answered) -> float | None:
    """Seconds that `Retry-After` asks to wait (RFC 9110, 10.2.3: seconds or a date), or None without one.

    A date is read against the answer's own `Date`, so that a wrong clock on either side does not matter.
    """
    text = answer.headers.get("retry-after", "").strip()
    if _number.fullmatch(text):
        return float(text)
    then = _date(text)
    return None if then is None else max(0.0, then - _answered_at(answer))


def quota_reset(answer: Answered) -> float | None:
    """Seconds until a quota that is used up comes back, from `RateLimit` or `X-RateLimit` headers, or None.

    Read are `RateLimit: limit=10, remaining=0, reset=5`, `RateLimit: "default";r=0;t=5` (both drafts of the
    IETF's httpapi group), and the pairs `RateLimit-Remaining`/`-Reset`, `X-RateLimit-Remaining`/`-Reset`.
    """
    headers = answer.headers
    members = {name.lower(): int(value) for name, value in _members.findall(headers.get("ratelimit", ""))}
    remaining = members.get("remaining", members.get("r"))
    reset: float | None = members.get("reset", members.get("t"))
    for prefix in ("ratelimit", "x-ratelimit"):
        if remaining is None or reset is None:
            remaining = _whole(headers.get(f"{prefix}-remaining"))
            reset = _whole(headers.get(f"{prefix}-reset"))
    if remaining != 0 or reset is None:
        return None
    return max(0.0, reset - _answered_at(answer)) if reset > _EPOCH else float(reset)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None


def _answered_at(answer: Answered) -> float:
    date = _date(answer.headers.get("date", ""))
    return answer.received if date is None else date


def _date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
