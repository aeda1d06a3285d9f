"""What a ledger knows of a number, and the one protocol that every ledger follows.

A number's way through it:

    planned ──> leased ──> posting ──> accepted | rejected | unknown
                  ^  └───────┘ ^          unknown ──> accepted | released     (settled)
                  └── released, rejected, invalid, unsent: may be leased anew

`planned` is a claim of a task of this process, in no file: a crash forgets it, and nothing was sent. A lease is safe
against a power cut when `lease` returns, a posting mark against the end of the process when `post` returns. What a
writer finds `posting` when it opens a ledger was in flight when the last one ended, and becomes `unknown`; what it
finds `leased` was never sent, unless the machine was started anew in between: then marks may be lost, and it is
`unknown` too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol


class NumberState(StrEnum):
    """What is known of an invoice number. Not to be confused with an outcome, which belongs to a run."""

    PLANNED = "planned"
    """Claimed by a task of this process."""
    LEASED = "leased"
    """On record to be sent soon; provably not sent yet."""
    POSTING = "posting"
    """In flight, as far as is known."""
    ACCEPTED = "accepted"
    """The server has it. Final."""
    REJECTED = "rejected"
    """The server refused it."""
    INVALID = "invalid"
    """It never left, since something was wrong with it."""
    UNKNOWN = "unknown"
    """The server may have it. Leaves this state only by being settled."""
    UNSENT = "unsent"
    """Provably not sent or not applied."""
    RELEASED = "released"
    """Was unknown, and is settled as not accepted: waits for its invoice to be in an input again."""


IN_PLAY = (NumberState.PLANNED, NumberState.LEASED, NumberState.POSTING)
"""Somebody is at work on it: what becomes of it is not known yet."""


SETTLES = "-settle"
"""What the name of a run ends with that settles only, and uploads nothing."""


class Known(NamedTuple):
    """What a ledger knows of one number."""

    state: NumberState
    digest: int | None
    """Of the content it stands for: 8 bytes, signed. None where a person vouched for the number alone."""
    run: str
    """The run that brought it into this state; empty where that is not kept."""
    reason: str | None = None


class Part(NamedTuple):
    """Some numbers of a lease, and what became of them."""

    state: NumberState
    """ACCEPTED, REJECTED, UNKNOWN or UNSENT."""
    reason: str | None = None
    numbers: Sequence[int] | None = None
    """None: all that the lease still holds."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose numbers a ledger holds: numbers of two accounts have nothing to do with each other."""

    environment: str
    """`production`, or the base URL of any other."""
    creditor: str | None = None
    """The label that tells several creditors apart, never the key."""

    def __str__(self) -> str:
        return f"{self.creditor or 'the unlabelled creditor'} at {self.environment}"


class Ledger(Protocol):
    """A record of every number ever handed over for one account.

    There is one writer at a time, and its calls may overlap. Two tasks never hold the same number: see `claims.py`.
    Every method but `close` raises `LedgerError` when the record cannot be read or written; after a failed write
    nothing more is written, and `failure` says why.
    """

    place: str | None
    """The absolute path of the file; None when nothing outlives the process."""
    ahead: int
    """How many chunks are best leased in one call: what a sync costs is shared by as many."""
    failure: str | None
    """Why it can no longer be written, or None."""

    async def known(self, numbers: Sequence[int]) -> Mapping[int, Known]:
        """What is on record; numbers never seen before are left out."""
        ...

    async def lease(self, run: str, batches: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
        """Record each batch, (numbers, digests), as about to be sent by `run`; give the ids of the leases.

        None of the numbers may be accepted, unknown or in play. What was on record of them before comes back if they
        end as UNSENT: being unsent changes nothing that is known of a number.
        """
        ...

    async def post(self, lease: int, numbers: Sequence[int] | None = None) -> int:
        """Mark a lease as in flight; or only `numbers` of it, which become a lease of their own. Gives its id."""
        ...

    def take_back(self, lease: int) -> None:
        """It was provably not applied: the whole lease is `leased` again. Recorded soon, in the order of the calls."""
        ...

    async def settle(self, lease: int, parts: Sequence[Part]) -> None:
        """What became of a lease, or of parts of it. The numbers named in no part stay as they are."""
        ...

    async def note(self, run: str, state: NumberState, reason: str | None, invoices: Mapping[int, int | None]) -> None:
        """Record numbers (with digests) that go into no request: INVALID ones, or ACCEPTED ones adopted by hand.

        INVALID is recorded only where nothing is known, or nothing but INVALID; ACCEPTED, safe against a power cut,
        wherever a number may be leased: what is UNKNOWN is to be decided.
        """
        ...

    async def decide(self, run: str, state: NumberState, reason: str | None, numbers: Sequence[int]) -> list[int]:
        """Settle numbers that are UNKNOWN as ACCEPTED or RELEASED, safe against a power cut. Gives those that were."""
        ...

    async def abandon(self, run: str) -> None:
        """A run was cut off: what it still has leased ends as UNSENT, what it has in flight as UNKNOWN."""
        ...

    async def in_state(self, state: NumberState, after: int = 0, limit: int = 1000) -> list[int]:
        """The numbers in a state, rising, from above `after` on."""
        ...

    async def recently_accepted(self, limit: int = 10) -> list[int]:
        """Some accepted numbers, later ones first."""
        ...

    async def save_run(self, run: str, facts: Mapping[str, Any]) -> None:
        """Keep what is to be known of a run: JSON values by name. Called now and then, and at its end."""
        ...

    async def admit_key(self, key: str) -> None:
        """Check the key against the account: without a creditor's label, `ConfigurationError` for one that is new.

        Only a salted hash of it is kept.
        """
        ...

    async def close(self) -> None:
        """Write what is still to be written, and let go of the file. May be called twice."""
        ...
