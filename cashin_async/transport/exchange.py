"""How one exchange with the server can end. What that proves is not said here but in `bulk/verdict.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cashin_async.settings import ApiKey


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole HTTP answer came back, and it could be read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    elapsed: float = 0.0
    """Seconds from the call to the end of the answer."""
    received: float = 0.0
    """When the answer was whole, in seconds since the epoch: dates in headers without a `Date` are read against it."""
    generation: int = 0
    """Which generation of the key was sent along."""
    key: "ApiKey | None" = None
    """That key: should the server repeat it, it is masked in whatever is kept of the answer."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Provably no byte of the request reached the server."""

    why: str
    elapsed: float = 0.0
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class NoProof:
    """The request may or may not have been applied."""

    why: str
    elapsed: float = 0.0
    timed_out: bool = False


Exchange = Answered | NotSent | NoProof
