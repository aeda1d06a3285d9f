"""What the package logs: every event's name, level and fields, in one table (docs/logging.md).

The record of an event has its name as `event` and each field as an attribute of its own, so that no formatter has to
parse; the message says the same as text. No field holds the key, or any value of an invoice but its number. Levels:
ERROR, a person has to act; WARNING, invoices may end as failures because of it; INFO, what a night's log should tell;
DEBUG, how the sending adapts itself.

The package adds a `NullHandler` and configures nothing: what is shown, and where, is the program's to say.
"""

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from logging import DEBUG, ERROR, INFO, WARNING
from typing import Any

_TOLD_AGAIN = 60.0  # seconds: what goes on all night is a line a minute
_KINDS = 100  # told apart; what comes in more forms than that is counted together


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that is logged."""

    name: str
    """`noun.verb`: it is stable, programs search for it."""
    level: int
    meaning: str
    fields: dict[str, str]
    """What each of them says, by its name."""

    @property
    def template(self) -> str:
        """The message, before its fields are filled in: as `repr` has them, so that no value can begin a new line."""
        return " ".join([self.name, *(f"{field}=%({field})r" for field in self.fields)])

    def tell(self, log: logging.Logger, **values: Any) -> None:
        """Log it, with a value for each of its fields: None, a number, a string, or a dict of numbers."""
        self.record(log, values)

    def record(self, log: logging.Logger, values: dict[str, Any]) -> None:
        """The same, for whoever tells of it in another's name: the record's place is the caller's caller."""
        if log.isEnabledFor(self.level):
            arguments = [values] if values else []
            log.log(self.level, self.template, *arguments, extra={"event": self.name, **values}, stacklevel=3)


EVENTS: dict[str, Event] = {}
"""All of them, by name."""


def _event(name: str, level: int, meaning: str, **fields: str) -> Event:
    EVENTS[name] = Event(name, level, meaning, fields)
    return EVENTS[name]


_RUN = "the run's id"
_WHY = "why, in words"
_COUNT = "how many there were since the last line of its kind, this one among them"
_SIX = {
    state: f"how many are {state}" for state in ("accepted", "rejected", "invalid", "duplicate", "unknown", "unsent")
}

# -- a run

UPLOAD_BEGAN = _event("upload.began", INFO, "A run begins.", run=_RUN, ledger="its file; null without one")
UPLOAD_PROGRESSED = _event(
    "upload.progressed",
    INFO,
    "How far a run is: by `--log-json`, every five seconds.",
    read="invoices taken from the input",
    done="invoices with an outcome",
    **_SIX,
    requests="requests begun",
    retries="of them, how many went again",
    in_flight="requests under way",
    window="requests that may be under way at once",
    invoices_per_second="over the last five seconds",
    invoices_per_second_overall="since the run began",
    seconds="since the run began",
    seconds_left="about; null when there is no telling",
    held_for="seconds that the hold in force has to go; 0 without one",
    in_doubt="invoices that are unknown and still looked up",
    last_failure="the outcome of the last invoice that failed; null without one",
    last_failure_number="its number; null when it has none",
    stopped="why nothing more is sent; null while it is",
)
UPLOAD_ENDED = _event(
    "upload.ended",
    INFO,
    "A run has ended, and each invoice that was read has its outcome.",
    run=_RUN,
    read="invoices read",
    **_SIX,
    source_errors="inputs that could not be read to their end",
    settled_accepted="unknown ones of earlier runs that a look-up found",
    settled_released="unknown ones of earlier runs that a look-up did not find",
    released="invoices that were released and are still to be sent",
    requests="requests begun",
    retries="of them, how many went again",
    max_in_flight="the most requests at once",
    seconds="how long it took",
    invoices_per_second="`read` by `seconds`",
    stopped="why it stopped before its end; null when it did not",
    interrupted="whether somebody interrupted it",
)
UPLOAD_ABANDONED = _event(
    "upload.abandoned",
    WARNING,
    "A run was cut off, by a second signal or cancellation or an error of this package; its ledger is true.",
    run=_RUN,
    error="the exception's type",
)
SENDING_STOPPED = _event(
    "sending.stopped", WARNING, "Nothing more is sent: the rest of the run, or of the `create`, is unsent.", reason=_WHY
)
PROGRESS_FAILED = _event(
    "progress.failed",
    ERROR,
    "The program's own `on_progress` raised, and is not called again in this run.",
    error="the exception's type",
    where="file and line that raised it",
)

# -- the input

SOURCE_FAILED = _event(
    "source.failed",
    WARNING,
    "An input could not be read to its end; what came before goes on.",
    file="null for an iterable",
    line="null when there is no telling",
    reason=_WHY,
)
RULES_BROKEN = _event(
    "rules.broken",
    WARNING,
    "At a run's end: how many problems there were, by rule.",
    run=_RUN,
    rules="counts by the rule's code",
)
RULE_BROKEN = _event(
    "rule.broken",
    WARNING,
    "`create` with `rules=warn` sends an invoice that breaks a rule. Never thinned out: each is another invoice.",
    invoice="its number",
    rule="the rule's code",
    problem="what is wrong, without the value",
)

# -- exchanges

EXCHANGE_FAILED = _event(
    "exchange.failed",
    WARNING,
    "A request provably did not arrive; its invoices go again. Thinned out.",
    reason=_WHY,
    invoices="in its last request",
    count=_COUNT,
)
EXCHANGE_REFUSED = _event(
    "exchange.refused",
    INFO,
    "The server refused a request as a whole, and did not apply it. Thinned out.",
    status="of HTTP",
    reason=_WHY,
    invoices="in its last request",
    count=_COUNT,
)
EXCHANGE_UNPROVEN = _event(
    "exchange.unproven",
    WARNING,
    "What came of a request proves nothing: its invoices are looked up, or unknown. Thinned out.",
    status="of HTTP; null without an answer",
    reason=_WHY,
    invoices="in its last request",
    count=_COUNT,
)
EXCHANGE_BROKE = _event(
    "exchange.broke",
    ERROR,
    "The HTTP library raised something that it does not document. Thinned out.",
    error="the exception's type",
    where="file and line that raised it",
    count=_COUNT,
)
CHUNK_SPLIT = _event(
    "chunk.split",
    INFO,
    "A request was too large for the server (413); smaller ones from now on. Thinned out.",
    invoices="that were too many",
    size="of its body, in bytes",
    count=_COUNT,
)

# -- admission

WINDOW_CHANGED = _event(
    "window.changed", DEBUG, "More or fewer requests may be under way at once.", window="how many", before="until now"
)
HOLD_BEGAN = _event(
    "hold.began",
    INFO,
    "The server asks to wait; nobody sends meanwhile.",
    seconds="how long",
    reason=_WHY,
)
HOLD_EXTENDED = _event(
    "hold.extended",
    INFO,
    "A later answer asks to wait longer, by a second or more.",
    seconds="from now on",
    reason=_WHY,
)
HOLD_ENDED = _event("hold.ended", INFO, "Sending goes on.", seconds="that it lasted")
BREAKER_OPENED = _event(
    "breaker.opened",
    WARNING,
    "Several exchanges in a row proved nothing: only probes of one invoice go out.",
    reason="of the last one",
)
BREAKER_CLOSED = _event("breaker.closed", INFO, "A probe was answered: sending goes on.", seconds="that it was open")
KEY_CHANGED = _event(
    "key.changed", INFO, "The key was refused and the provider gave a newer one.", generation="1 for the first new one"
)
KEY_FAILED = _event("key.failed", WARNING, "The key was refused and there is no newer one to use.", reason=_WHY)

# -- settling what is unknown

LOOKUP_TRUSTED = _event(
    "lookup.trusted", INFO, "The look-up told an accepted number from one never used: what it says counts."
)
LOOKUP_REFUSED = _event("lookup.refused", WARNING, "Nothing that the look-up says counts in this run.", reason=_WHY)
LOOKUP_FAILED = _event(
    "lookup.failed",
    WARNING,
    "The program's own look-up raised, or took longer than `timeout`. Thinned out.",
    error="the exception's type",
    count=_COUNT,
)
DOUBT_SETTLED = _event(
    "doubt.settled",
    DEBUG,
    "A look-up told what became of unknown invoices.",
    accepted="that it found",
    released="that it did not",
)

# -- the ledger

LEDGER_OPENED = _event(
    "ledger.opened",
    INFO,
    "A ledger is open for writing.",
    ledger="its file",
    unknown="invoices that a process which ended without closing it left in doubt",
    unsent="those that it had not sent yet",
)
LEDGER_FAILED = _event("ledger.failed", ERROR, "It cannot be written or closed: nothing more is sent.", reason=_WHY)
LEDGER_LOST = _event(
    "ledger.lost",
    ERROR,
    "Outcomes could not be written when it was closed: these requests will be in doubt.",
    requests="how many",
    reason=_WHY,
)

# -- commands, by `--log-json` alone

CHECK_PROGRESSED = _event(
    "check.progressed",
    INFO,
    "How far a check is: every five seconds.",
    read="invoices read",
    problems="found so far",
    seconds="since it began",
    seconds_left="about; null when there is no telling",
)
CHECK_ENDED = _event(
    "check.ended",
    INFO,
    "A check has ended.",
    read="invoices read",
    clean="without a problem",
    with_errors="with an error",
    with_warnings="with a warning",
    unreadable="inputs that could not be read to their end",
    seconds="how long it took",
    interrupted="whether somebody interrupted it",
)
SETTLEMENT_ENDED = _event(
    "settlement.ended",
    INFO,
    "`settle` has ended.",
    run=_RUN,
    accepted="numbers settled as accepted",
    adopted="numbers taken up as accepted that the ledger did not know",
    released="numbers settled as not accepted",
    unknown="numbers that still are",
    refused="why the look-up does not count; null when it does",
)
FILE_FAILED = _event(
    "file.failed", ERROR, "A file of outcomes could not be written.", option="that names it", reason=_WHY
)
COMMAND_FAILED = _event(
    "command.failed",
    ERROR,
    "Wrong usage or configuration, or a ledger that cannot be opened.",
    reason=_WHY,
    exit_code="of the process",
)
COMMAND_BROKE = _event(
    "command.broke",
    ERROR,
    "An error of this package.",
    error="the exception's type",
    where="file and line that raised it",
)
PROGRAM_LOGGED = _event(
    "program.logged",
    WARNING,
    "Another package logged something, or Python warned. Its words are left out, since they might quote anything.",
    logger="that it came from",
    where="file and line",
    error="the exception's type, if there was one",
)


def where(error: BaseException) -> str:
    """The file and line that raised it: its words might quote anything."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class Thinned:
    """Tells of what may come 100,000 times: the first of a kind at once, later ones once a minute with their count."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._told_at: dict[tuple[Event, Hashable], float] = {}
        self._untold: dict[tuple[Event, Hashable], tuple[int, dict[str, Any]]] = {}

    def tell(self, event: Event, kind: Hashable, **values: Any) -> None:
        """`kind`: those that are alike, such as those of one status; `values`: of all fields but `count`."""
        key = (event, kind)
        if key not in self._told_at and len(self._told_at) >= _KINDS:
            key = (event, None)
        count = self._untold.pop(key, (0, {}))[0] + 1
        if self._clock() < self._told_at.get(key, float("-inf")) + _TOLD_AGAIN:
            self._untold[key] = count, values
        else:
            self._told_at[key] = self._clock()
            event.record(self._log, {**values, "count": count})

    def tell_rest(self) -> None:
        """What was counted and not told yet; the next of each kind is told at once."""
        for (event, _), (count, values) in self._untold.items():
            event.record(self._log, {**values, "count": count})
        self._untold.clear()
        self._told_at.clear()
