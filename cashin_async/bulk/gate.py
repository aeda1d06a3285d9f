"""Admission in real time: callers wait here until they may send."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from cashin_async.bulk.admission import Admission, Halt, Ticket
from cashin_async.bulk.verdict import Verdict
from cashin_async.events import (
    BREAKER_CLOSED,
    BREAKER_OPENED,
    HOLD_BEGAN,
    HOLD_ENDED,
    HOLD_EXTENDED,
    WINDOW_CHANGED,
)

log = logging.getLogger(__name__)

_LONGER = 1.0  # seconds: by less than that each answer of one flight may move the end of a hold


class Halted(Exception):
    """Waiting is pointless: the message says why, and until when."""


class Turn:
    """A place in the line, and when its turn comes."""

    def __init__(self, gate: "Gate", ticket: Ticket) -> None:
        self.ticket = ticket
        self.comes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gate = gate

    async def come(self) -> Ticket:
        """Wait for it; not at all, where it has `comes.done()`.

        Raises `Halted` when it will not come in time. A caller that is cancelled has no ticket.
        """
        try:
            await self.comes
        except asyncio.CancelledError:
            self._gate.leave(self.ticket)
            raise
        return self.ticket


class Gate:
    """One `Admission` for all the senders of a client."""

    def __init__(self, admission: Admission, jitter: Callable[[], float] = random.random) -> None:
        self.admission = admission
        self._jitter = jitter
        self._changes = _Changes(admission)
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """A new run begins: see `Admission.restart`."""
        self.admission.restart()
        self._changes.broken_since = self.admission.broken_since

    def arrive(self, invoices: int) -> "Turn":
        """Join the line with a request of `invoices` invoices. Every ticket goes back by `finish` or `leave`."""
        turn = Turn(self, self.admission.arrive(invoices))
        self._waiting[turn.ticket] = turn.comes
        self._open(arriving=turn.ticket)
        return turn

    def leave(self, ticket: Ticket) -> None:
        """Give a ticket back whose exchange told nothing."""
        if ticket.serial or ticket in self._waiting:
            self._waiting.pop(ticket, None)
            self.admission.leave(ticket)
            self._open()

    def finish(self, ticket: Ticket, verdict: Verdict) -> None:
        """Give a ticket back with what came of it."""
        self._changes.tell_end_of_hold(self._now())
        self.admission.finish(ticket, verdict, self._now(), self._jitter())
        self._changes.tell(self._now(), verdict.reason)
        self._open()

    def held_for(self) -> float:
        """Seconds that the hold in force has to go; 0 without one."""
        return max(0.0, self.admission.held_until - self._now())

    def held_seconds(self) -> float:
        """How long nobody was to send, since there is this gate."""
        return self.admission.held_seconds(self._now())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _open(self, arriving: Ticket | None = None) -> None:
        """Let in whoever may go, send home whoever waits in vain, and come back when time changes that."""
        now = self._now()
        self._changes.tell_end_of_hold(now)
        if self._waiting and (halt := self.admission.halted(now)):
            self._send_home(halt, now, arriving)
        for ticket in self.admission.admit(now):
            turn = self._waiting.pop(ticket)
            if not turn.done():
                turn.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        next_check = self.admission.next_check(now)
        self._timer = None
        if next_check is not None:
            self._timer = asyncio.get_running_loop().call_at(next_check, self._open)

    def _send_home(self, halt: Halt, now: float, arriving: Ticket | None) -> None:
        message = halt.value
        if halt is Halt.HOLD:
            until = datetime.fromtimestamp(time.time() + self.admission.held_until - now, UTC)
            message += f": until {until:%Y-%m-%d %H:%M:%S} UTC"
        for ticket, turn in self._waiting.items():
            self.admission.leave(ticket)
            if not turn.done():
                turn.set_exception(Halted(message))
        hears_at_once = [*self._waiting] == [arriving]
        self._waiting.clear()
        if halt is Halt.BREAKER:
            if hears_at_once:
                self._relent()
            else:  # whoever comes before the others have heard of it is to be sent home too
                asyncio.get_running_loop().call_soon(self._relent)

    def _relent(self) -> None:
        self.admission.relent()
        self._changes.broken_since = None


class _Changes:
    """Logs how an admission changes: it is pure and logs nothing itself."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._window = int(admission.window)
        self._held_since: float | None = None
        self._held_until = float("-inf")
        self.broken_since: float | None = None
        """Since when the breaker is open, as far as it was told."""

    def tell(self, now: float, reason: str) -> None:
        """What is new after an exchange with this reason."""
        self._tell_hold(now, reason)
        broken_since = self._admission.broken_since
        if broken_since is not None and self.broken_since is None:
            BREAKER_OPENED.tell(log, reason=reason)
        elif broken_since is None and self.broken_since is not None:
            BREAKER_CLOSED.tell(log, seconds=round(now - self.broken_since, 3))
        self.broken_since = broken_since
        if (window := int(self._admission.window)) != self._window:
            WINDOW_CHANGED.tell(log, window=window, before=self._window)
            self._window = window

    def _tell_hold(self, now: float, reason: str) -> None:
        until = self._admission.held_until
        if until <= now or until <= self._held_until:
            return
        if self._held_since is None:
            self._held_since = now
            HOLD_BEGAN.tell(log, seconds=round(until - now, 3), reason=reason)
        elif until - self._held_until < _LONGER:
            return
        else:
            HOLD_EXTENDED.tell(log, seconds=round(until - now, 3), reason=reason)
        self._held_until = until

    def tell_end_of_hold(self, now: float) -> None:
        """If there was one and it is over."""
        if self._held_since is not None and now >= self._admission.held_until:
            HOLD_ENDED.tell(log, seconds=round(self._admission.held_until - self._held_since, 3))
            self._held_since, self._held_until = None, float("-inf")
