"""What the headers of an answer say about when the next request may go."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from cashin_async.transport.exchange import Answered

_number = re.compile(r"\d+(\.\d+)?", re.ASCII)
_members = re.compile(r"([a-z]+)\s*=\s*\"?(\d{1,15})", re.ASCII | re.IGNORECASE)
_FOR_EVER = 1e9  # thirty years, in seconds: what is longer has no date that could be shown
_EPOCH = 1_000_000_000  # a reset above it is a point in time, not a number of seconds


def retry_after(answer: Answered) -> float | None:
    """Seconds that `Retry-After` asks to wait (RFC 9110, 10.2.3: seconds or a date), or None without one.

    A date is read against the answer's own `Date`, so that a wrong clock on either side does not matter.
    """
    text = answer.headers.get("retry-after", "").strip()
    if _number.fullmatch(text):
        return min(float(text), _FOR_EVER)
    then = _date(text)
    return None if then is None else min(max(0.0, then - _answered_at(answer)), _FOR_EVER)


def quota_reset(answer: Answered) -> float | None:
    """Seconds until a quota that is used up comes back, from `RateLimit` or `X-RateLimit` headers, or None.

    Read are `RateLimit: limit=10, remaining=0, reset=5`, `RateLimit: "default";r=0;t=5` (both drafts of the
    IETF's httpapi group), and the pairs `RateLimit-Remaining`/`-Reset`, `X-RateLimit-Remaining`/`-Reset`.
    """
    headers = answer.headers
    if not any("ratelimit" in name for name in headers):
        return None
    quotas = _policies(headers.get("ratelimit", "")) or _pair(headers, "ratelimit") or _pair(headers, "x-ratelimit")
    resets = [reset for remaining, reset in quotas if remaining == 0]
    if not resets:
        return None
    reset = max(resets)
    return max(0.0, reset - _answered_at(answer)) if reset > _EPOCH else float(reset)


def _policies(text: str) -> list[tuple[int, int]]:
    """(remaining, reset) of every policy that a `RateLimit` header names."""
    policies = [dict(_members.findall(policy.lower())) for policy in (text.split(",") if ";" in text else [text])]
    pairs = [(each.get("remaining", each.get("r")), each.get("reset", each.get("t"))) for each in policies]
    return [(int(remaining), int(reset)) for remaining, reset in pairs if remaining and reset]


def _pair(headers: Mapping[str, str], prefix: str) -> list[tuple[int, int]]:
    remaining, reset = _whole(headers.get(f"{prefix}-remaining")), _whole(headers.get(f"{prefix}-reset"))
    return [] if remaining is None or reset is None else [(remaining, reset)]


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
