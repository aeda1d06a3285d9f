"""Who may send now, and how many at once: a state machine that is told the time.

A window of requests in flight starts at one, doubles with every round of receipts until the first
decrease and grows by one a round after it. A pushback (429, 503) or a timeout halves it, once a flight: what
was in flight together is cut for together. Holds stop everybody. A 429 also teaches a rate (`pace`), and a rate,
learned or set, spaces requests evenly. The line is strictly first come, first served.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from cashin_async.bulk.pace import MARGIN, Pace
from cashin_async.bulk.verdict import Proof, Verdict

_LATE = 0.005  # seconds by which a late timer is made up for: half of what `MARGIN` leaves in a second


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in the line for one request of `invoices` invoices."""

    invoices: int
    serial: int = 0
    """Order of admission, from 1; 0 while waiting."""
    sent: float = 0.0
    """When it was admitted."""
    probe: bool = False
    """Admitted to send one invoice only, to see whether the server is back."""


class Halt(Enum):
    """Why nobody will be admitted for too long a time to wait."""

    HOLD = "the server asks to wait longer than is sat out (max_hold)"
    BREAKER = "the server gave no answer that proves anything for too long (breaker_after)"


class Admission:
    """The line, the window, the pace, the hold and the breaker. Times in seconds on one monotonic clock."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        rate: float | None = None,
        invoice_rate: float | None = None,
        max_hold: float = 900.0,
        backoff: float = 0.5,
        backoff_limit: float = 30.0,
        breaker_row: int = 3,
        breaker_after: float = 60.0,
    ) -> None:
        self._concurrency = concurrency
        self._rate = rate
        self._invoice_rate = invoice_rate
        self._max_hold = max_hold
        self._backoff = backoff
        self._backoff_limit = backoff_limit
        self._breaker_row = breaker_row
        self._breaker_after = breaker_after
        self._line: deque[Ticket] = deque()
        self._serial = 0
        self._paced_until = float("-inf")
        self.in_flight = 0
        self.held_until = float("-inf")
        self.holds = 0
        """How often a hold began."""
        self._held = 0.0
        self._begin()

    def _begin(self) -> None:
        self.window = 1.0
        self._growing_fast = True
        self._receipts = 0
        self._pace = Pace()
        self._cut_at = self._serial
        self._pushbacks = 0
        self._no_proofs = 0
        self._probes = 0
        self._probe_at = 0.0
        self.broken_since: float | None = None

    def restart(self) -> None:
        """A new run begins: unless others are under way, it finds out anew what the server bears."""
        if not self.in_flight and not self._line:
            self._begin()

    def relent(self) -> None:
        """The breaker sent everybody home: whoever comes next may try anew, with one probe less to go."""
        self.broken_since = None
        self.window = 1.0
        self._no_proofs = self._breaker_row - 1

    # -- the line

    def arrive(self, invoices: int) -> Ticket:
        """Join the line's end."""
        ticket = Ticket(invoices)
        self._line.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up: out of the line, or out of flight without having learned anything."""
        if ticket.serial:
            self.in_flight -= 1
        else:
            self._line.remove(ticket)

    def admit(self, now: float) -> list[Ticket]:
        """Those who may send now, in the order in which they came."""
        admitted = []
        while self._line and now >= self._closed_until() and self.in_flight < self._limit():
            self._pace.resume(now)
            ticket = self._line.popleft()
            ticket.probe = self.broken_since is not None
            self._serial += 1
            ticket.serial = self._serial
            ticket.sent = now
            self.in_flight += 1
            self._space(1 if ticket.probe else ticket.invoices, now)
            admitted.append(ticket)
        return admitted

    def _limit(self) -> int:
        return 1 if self.broken_since is not None else int(self.window)

    def _closed_until(self) -> float:
        probing = self._probe_at if self.broken_since is not None else float("-inf")
        return max(self.held_until, self._paced_until, probing)

    def _space(self, invoices: int, now: float) -> None:
        """The next one's turn is so much later that no rate is exceeded."""
        seconds = 1 / (MARGIN * self._rate) if self._rate else 0.0
        if self._invoice_rate:
            seconds = max(seconds, invoices / (MARGIN * self._invoice_rate))
        learned = self._pace.at(now)
        if learned is not None:
            seconds = max(seconds, 1 / learned)
        if seconds:
            self._paced_until = max(self._paced_until, now - _LATE) + seconds

    def next_check(self, now: float) -> float | None:
        """When time alone may change what `admit` or `halted` say; None when only an answer can."""
        times = [self._closed_until()]
        if self.broken_since is not None:
            times.append(self.broken_since + self._breaker_after)
        return min((time for time in times if time > now), default=None) if self._line else None

    def halted(self, now: float) -> Halt | None:
        """Whether waiting is pointless."""
        if self.held_until - now > self._max_hold:
            return Halt.HOLD
        if self.broken_since is not None and now >= self.broken_since + self._breaker_after:
            return Halt.BREAKER
        return None

    # -- what came of it

    def finish(self, ticket: Ticket, verdict: Verdict, now: float, jitter: float) -> None:
        """The exchange of an admitted ticket ended. `jitter` is a random number from 0 to 1."""
        self.in_flight -= 1
        cut = verdict.slower and ticket.serial > self._cut_at
        if cut:
            self._cut()
        if verdict.pushback:
            if verdict.proof is Proof.REFUSED:  # a 503 is about the server's health, a look-up has its own limit
                self._pace.refused(ticket.sent, now, verdict.wait or 0.0)
            self._pushbacks += cut
            self.hold(now, verdict.wait or self._backoff_after(self._pushbacks, 0.5 + jitter / 2))
        elif verdict.wait is not None and verdict.wait <= self._max_hold:
            self.hold(now, verdict.wait)
        if not verdict.pushback and verdict.proof is not Proof.NOT_SENT:
            self._pace.passed(ticket.sent)
        self._weigh_proof(ticket, verdict.proof, now, jitter)

    def hold(self, now: float, seconds: float) -> None:
        """Nobody sends for the next `seconds`."""
        until = max(self.held_until, now + seconds)
        if self.held_until <= now < until:
            self.holds += 1
        self._held += max(0.0, until - max(self.held_until, now))
        self.held_until = until

    def held_seconds(self, now: float) -> float:
        """How long nobody was to send, so far; what is still to come of a hold is not counted."""
        return self._held - max(0.0, self.held_until - now)

    def _cut(self) -> None:
        self.window = max(1.0, self.window / 2)
        self._growing_fast = False
        self._receipts = 0
        self._cut_at = self._serial

    def _weigh_proof(self, ticket: Ticket, proof: Proof, now: float, jitter: float) -> None:
        if proof is Proof.NOTHING:
            self._without_proof(ticket, now, jitter)
        elif proof is not Proof.NOT_SENT:
            self._no_proofs = 0
            if self.broken_since is not None:
                self.broken_since = None
                self.window = 1.0
        if proof is Proof.APPLIED:
            self._pushbacks = 0
            self._grow()

    def _grow(self) -> None:
        """Once a round, which is as many receipts as there are places.

        Not at each receipt: those ahead of the first 429 of a flight would send twice as many after them.
        """
        self._receipts += 1
        if self._receipts >= int(self.window):
            self._receipts = 0
            self.window = min(self._concurrency, 2 * self.window if self._growing_fast else self.window + 1)

    def _without_proof(self, ticket: Ticket, now: float, jitter: float) -> None:
        self._no_proofs += 1
        if self.broken_since is None and self._no_proofs >= self._breaker_row:
            self.broken_since = now
            self._probes = 0
            self._probe_at = now + self._backoff_after(1, jitter)
        elif ticket.probe:
            self._probes += 1
            self._probe_at = now + self._backoff_after(1 + self._probes, jitter)

    def _backoff_after(self, times: int, share: float) -> float:
        """A share of the backoff after so many times in a row; `share` 1 is all of it."""
        return share * min(self._backoff_limit, self._backoff * 2.0 ** min(times - 1, 60))
