"""Faults by name: `NAME[=ARGUMENT][@WHEN]`, for example `drop-after@5%` or `429=2@3-5`.

WHEN says which POSTs a fault strikes, counted from 1 over the life of the server: `5%` (each with that
probability), `3` (the third only), `3+` (from the third on), `3-5`. Without it, all. The draws depend on
the seed, the fault and the number of the request, and on nothing else. A fault called `lookup-` strikes
look-ups instead, which are counted on their own.

What there is stands in `kinds.py`; the help and the documentation are printed from `describe()`.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cashin_async.errors import ConfigurationError
from cashin_async.simulator.effects import Effect
from cashin_async.simulator.kinds import KINDS, KINDS_BY_NAME, between


@dataclass(frozen=True, slots=True)
class When:
    """Which requests: from `first` to `last` (None: all that follow), each with `probability`."""

    first: int = 1
    last: int | None = None
    probability: float = 1.0

    def strikes(self, request: int, draw: float) -> bool:
        return self.first <= request and (self.last is None or request <= self.last) and draw < self.probability


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as given."""

    spec: str
    effect: Effect
    when: When
    seed: int = 0

    def strikes(self, request: int) -> bool:
        """Whether it strikes request number `request`, the first being 1."""
        return self.when.strikes(request, self._draw("strikes", request))

    def delay(self, request: int) -> float:
        """How many seconds it holds that request up."""
        return self.effect.delay(self._draw("delay", request))

    def _draw(self, purpose: str, request: int) -> float:
        """Evenly from 0 up to 1. A digest, since it must be the same on every Python and in any order."""
        seed = f"{self.seed} {self.spec} {purpose} {request}".encode()
        return int.from_bytes(hashlib.blake2b(seed, digest_size=6).digest(), "big") / 2**48


class Faults:
    """The faults of one server, in the order they were given."""

    def __init__(self, specs: Iterable[str] = (), seed: int = 0) -> None:
        self._seed = seed
        self._faults: tuple[Fault, ...] = ()
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """One more, from now on. `ConfigurationError` when it cannot be read."""
        self._faults = (*self._faults, parse(spec, self._seed))

    def clear(self) -> None:
        """None any more."""
        self._faults = ()

    def striking(self, request: int) -> tuple[Fault, ...]:
        """Those that strike request number `request`."""
        return tuple([fault for fault in self._faults if fault.strikes(request)])


def parse(spec: str, seed: int = 0) -> Fault:
    """Read `NAME[=ARGUMENT][@WHEN]`. `ConfigurationError` says what was expected."""
    head, at, when = spec.strip().partition("@")
    name, equals, argument = head.partition("=")
    kind = KINDS_BY_NAME.get(name)
    if kind is None:
        raise ConfigurationError(_unknown(name))
    try:
        if equals and not argument:
            raise ValueError("nothing behind the =")
        return Fault(spec.strip(), kind.make(argument), _when(when) if at else When(), seed)
    except ValueError as error:
        raise ConfigurationError(
            f"fault {spec!r}: {error}; expected {kind.form}[@WHEN] as in {kind.example!r},"
            " where WHEN is 5%, 3, 3+ or 3-5"
        ) from None


def describe() -> list[tuple[str, str]]:
    """(example of a spec, what it does) for every kind of fault, in the order of an exchange."""
    return [(kind.example, kind.text) for kind in KINDS]


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, KINDS_BY_NAME, n=1, cutoff=0.5)
    suggestion = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"there is no fault {name!r}.{suggestion} Known: {', '.join(kind.form for kind in KINDS)}"


def _when(text: str) -> When:
    match = re.fullmatch(r"(?P<percent>\d+(\.\d+)?)%|(?P<first>\d+)((?P<on>\+)|-(?P<last>\d+))?", text, re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no WHEN")
    if match["percent"]:
        return When(probability=between(float(match["percent"]), 0, 100) / 100)
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else first
    if not 1 <= first <= last:
        raise ValueError(f"{text!r} names no request, the first is 1")
    return When(first, None if match["on"] else last)
