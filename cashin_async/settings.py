"""Every setting, once: its name, its default, and the reason for the number.

A setting comes from an argument, else from the environment variable `CASHIN_` + its name in capitals,
else from the TOML file that `CASHIN_CONFIG` names, else from the default here.
"""

import codecs
import difflib
import hmac
import ipaddress
import os
import re
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from cashin_async.errors import ConfigurationError


class Environment(StrEnum):
    """The vendor's environments whose address is published. The sandbox's is not: give its `base_url`."""

    PRODUCTION = "production"


BASE_URLS = {Environment.PRODUCTION: "https://api.cash-in.com"}
"""Source: the vendor's page "Authentication & security"."""


class ApiKey:
    """The key of one creditor account. It never prints itself: every form it takes is `ApiKey(****)`.

    A pickled key comes back masked and unusable; only `reveal()` gives the key away.
    """

    __slots__ = ("_value",)

    def __init__(self, value: "str | ApiKey") -> None:
        self._value: str | None = None
        problem = self._take(value)
        if problem:
            del value  # a traceback with its locals must not show it
            raise ConfigurationError(problem)

    def _take(self, value: "str | ApiKey") -> str | None:
        if isinstance(value, ApiKey):
            value = value.reveal()
        if not isinstance(value, str) or not value.strip():
            return "the API key is empty: set CASHIN_API_KEY or CASHIN_API_KEY_FILE"
        value = value.strip()
        if not (value.isascii() and value.isprintable()) or " " in value:
            return (
                "the API key has characters that no HTTP header can carry: mend CASHIN_API_KEY or CASHIN_API_KEY_FILE"
            )
        self._value = value
        return None

    def reveal(self) -> str:
        """The key itself, for the header and for nothing else."""
        if self._value is None:
            raise ConfigurationError("this API key was pickled, which masks it: hand over a key or a key provider")
        return self._value

    def __repr__(self) -> str:
        return "ApiKey(****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApiKey):
            return NotImplemented
        return hmac.compare_digest(self._value or "", other._value or "")

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> "ApiKey":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "ApiKey":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _masked_key, ()


def _masked_key() -> ApiKey:
    key = ApiKey("masked")
    key._value = None
    return key


KeyProvider = Callable[[], str | ApiKey | Awaitable[str | ApiKey]]
"""Gives the key now in force. Asked at the start, and again once after each 401 of a key generation."""

KEY_VARIABLES = ("CASHIN_API_KEY", "CASHIN_API_KEY_FILE")


def key_from_env(env: Mapping[str, str] = os.environ) -> str | KeyProvider:
    """The key that `CASHIN_API_KEY` holds, or a provider that reads `CASHIN_API_KEY_FILE` anew when asked.

    A file can thus be replaced while an upload runs: the next 401 picks the new key up.
    """
    if key := env.get("CASHIN_API_KEY"):
        return key
    if name := env.get("CASHIN_API_KEY_FILE"):
        path = Path(name)

        def read() -> str:
            try:
                return path.read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                raise ConfigurationError(f"CASHIN_API_KEY_FILE: cannot read {path}: {_why(error)}") from None

        return read
    raise ConfigurationError("no API key: set CASHIN_API_KEY, or CASHIN_API_KEY_FILE to a file that holds it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Times are in seconds, sizes in bytes unless the name says otherwise."""

    # -- where
    environment: Environment | None = None
    """`production`, whose address is published. Any other environment: give `base_url` instead."""
    base_url: str = ""
    """Where the API is. https only; http is accepted for loopback."""
    proxy: str | None = field(default=None, repr=False)
    """An http:// or https:// proxy. Unset: HTTPS_PROXY and NO_PROXY are followed, never for loopback."""
    ca_file: str | None = None
    """A PEM file of certificate authorities to trust instead of the system's."""
    verify_tls: bool = True
    """False is accepted for loopback only."""

    # -- what to remember
    creditor: str | None = None
    """The label of the creditor account, never the key: each has a ledger of its own. Without one, a key that is
    new to a ledger stops the run, since it may be another creditor's. Neither empty nor with white space around it: an
    unset variable of a script would be one more creditor, whose ledger knows of nothing."""
    ledger: str | None = None
    """The ledger's file, or `none`. Unset: the library remembers in memory for the client's lifetime, the command
    line in the user's state directory."""
    new_ledger: bool = False
    """In production, begin a ledger where there is none: a new one knows nothing of yesterday."""
    retry_rejected: bool = False
    """Send unchanged what was rejected or invalid before."""
    digest_without: str = ""
    """Fields, with commas between, that do not count as content, for exports that stamp `IssueDate` anew each time."""

    # -- what to read
    input_format: Literal["auto", "jsonl", "json", "csv", "parquet"] = "auto"
    """The form of all inputs. `auto`: each one's own, by the ending of its name, else by its first bytes."""
    max_unpack: float = 1000.0
    """Times its packed size that a compressed input, or Parquet, may unpack to, beyond the first 16 MiB. Invoices pack
    to a 20th (gzip) or a 36th (zstd -19), and made-up ones that differ in little but their number to a 500th; what is
    made to unpack to much comes to 1,030 times its size with gzip and to 32,000 times with zstd."""

    csv_delimiter: Literal[";", ",", "tab", "|"] | None = None
    """What stands between the cells of CSV. Unset: whatever makes a column of `InvoiceNumber` in the first line."""
    csv_decimal: Literal[",", "."] | None = None
    """The decimal mark of CSV. Unset: the one that the numbers of the first 64 KiB show; where they show none, or both,
    a number such as `1,234` is an error, since nobody can tell a thousand euros from one."""
    csv_encoding: str | None = None
    """The encoding of CSV, by Python's name for it. Unset: by its byte order mark; else UTF-8, or Windows-1252 (Latin-1
    and the euro sign) if the first line that is not ASCII is no UTF-8, a broken one left out."""

    # -- what to find out
    lookup_path: str | None = None
    """Where an invoice can be looked up, from the vendor's documentation, such as `/v2/.../{InvoiceNumber}`: settles
    what is unknown. Unset: that stays until a person decides."""
    settle_after: float = 300.0
    """After how long it counts that a look-up does not find an invoice: a server may still be at work on a request
    whose client has left, for as long as its gateway's and its own time limits, commonly a minute or two."""
    settle_bytes: int = 67_108_864
    """Bytes of invoices that are kept while they are in doubt, to be sent when they are released: 64 MiB. What is
    above it is left for the next run."""

    # -- how much at once
    chunk_size: int = 100
    """Invoices a request. 100 one-row invoices are 285 KB; larger ones gain little (docs/performance.md), and a small
    chunk leaves fewer invoices in doubt when an answer is lost."""
    chunk_bytes: int = 1_048_576
    """Bytes a request's body may have: 1 MiB, the default limit of the commonest web server. An invoice that is
    larger alone is `invalid`."""
    first_chunk: int = 10
    """Invoices in a run's first request: when something is wrong altogether, it is wrong for ten invoices."""
    concurrency: int = 8
    """Requests in flight at most. At 100 ms an answer, 8 x 100 invoices are 8,000 a second."""
    connections: int | None = None
    """Open connections at most. Unset: as many as `concurrency`."""
    sessions: int = 1
    """Connection pools to spread requests over; more than one helps only behind balancers that pin a pool."""
    compress: Literal["gzip"] | None = None
    """`gzip`: bodies of invoices travel compressed. Unset: as they are, since whether the server takes it is not
    published. What it costs is in docs/performance.md."""
    rate: float | None = None
    """Requests a second, fixed, and used to 99 %. Unset: as fast as the server's answers allow."""
    invoice_rate: float | None = None
    """Invoices a second, fixed, and used to 99 %. Unset: as fast as the server's answers allow."""

    # -- how long
    connect_timeout: float = 10.0
    """To open a connection, TLS and proxy included: three SYN retransmissions (1 + 2 + 4 s) and some."""
    read_timeout: float = 60.0
    """Silence while an answer is awaited: the default of common gateways, which give up then themselves."""
    timeout: float = 120.0
    """One whole exchange: twice `read_timeout`, for answers that trickle."""
    keepalive: float = 4.0
    """How long an idle connection is kept: below the 5 s after which common servers close theirs, since a
    request on a connection just closed cannot be told from one that was applied."""
    deadline: float | None = None
    """A run's time. When it is up, what was not sent is `unsent`."""
    drain_timeout: float = 30.0
    """How long a run that stops waits for what is in flight; what is cut off then is `unknown`."""
    max_hold: float = 900.0
    """The longest hold that is sat out: longer (a quota until midnight, say) is for the scheduler's next run."""

    # -- how often
    retries: int = 8
    """Times a chunk that provably did not arrive goes again: with the backoff below about a minute."""
    retry_budget: int = 100
    """Retries in hand for a run; each answer with proof earns one back. Spent: the rest is `unsent`. It keeps a
    sick server from being hit with more retries than first tries."""
    backoff: float = 0.5
    """The first backoff, at most: a random time up to it (full jitter), doubled each time."""
    backoff_limit: float = 30.0
    """The largest backoff, at most."""
    breaker_row: int = 3
    """Exchanges in a row without proof after which one single-invoice probe replaces all sending."""
    breaker_after: float = 60.0
    """How long probes go on without a proof before the rest is `unsent`."""
    stop_after_refusals: int = 20
    """Single refusals in a row, without one acceptance, that stop the run: then it is not the invoices."""

    # -- what to tell
    report_lang: Literal["fi", "en"] = "en"
    """The first language of a report that is a page; the other one is in it too. English, as all else that is said."""

    # -- what to believe
    retry_503: bool = False
    """Take the vendor at its word that 503 means "retry": a gateway may say it after an applied request."""
    on_refused: Literal["bisect", "hold"] = "bisect"
    """A chunk refused as a whole (400, 403): find the culprits, or hold the chunk back as `unsent`."""
    rules: Literal["enforce", "warn", "off"] = "warn"
    """What becomes of an invoice that breaks a rule of severity "error" (docs/rules.md): `enforce`, it is `invalid`;
    `warn`, it is counted and told; `off`, nobody looks. The command line's default is `enforce`: a file is mended and
    sent again, while a program that has run for years is not to stop for a rule that is new."""
    rule_severities: str = ""
    """Rules switched or re-graded: "postal-code=off, credit-note=error"."""
    creditor_iban: str | None = field(default=None, repr=False)
    """The creditor's account: bar codes are compared with it."""
    allow_unknown_fields: bool = False
    """Send fields that are not published as they are, instead of calling the invoice invalid."""
    max_answer: int = 16_777_216
    """Bytes of an answer that are read: 16 MiB; 100 failures with a page of text each are 1 MB."""

    def __post_init__(self) -> None:
        _check_types(self)
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is None or 0 < value < float("inf") or (value == 0 and name in _MAY_BE_ZERO):
                continue
            _refuse(name, f"must {'not be below' if name in _MAY_BE_ZERO else 'be a number above'} 0")
        if self.concurrency > _MOST_AT_ONCE:
            _refuse("concurrency", f"must be at most {_MOST_AT_ONCE}")
        if self.environment and self.base_url.rstrip("/") not in ("", BASE_URLS[self.environment]):
            _refuse("base_url", "and environment are both set: give one of them")
        if not self.base_url:
            if self.environment is None:
                _refuse("base_url", "is not set: give it, or environment=production")
            object.__setattr__(self, "base_url", BASE_URLS[self.environment])
        url = checked_url("base_url", self.base_url)
        object.__setattr__(self, "base_url", _one_spelling(url))
        if not self.verify_tls and not is_loopback(url):
            _refuse("verify_tls", "can be switched off for loopback only")
        if self.rule_severities or self.creditor_iban:
            _check_rules(self)
        if self.csv_encoding is not None:
            _check_encoding(self.csv_encoding)
        if self.creditor is not None and (not self.creditor or self.creditor != self.creditor.strip()):
            _refuse("creditor", "must be a label without white space around it: another label is another ledger")
        if self.ledger is not None and "://" in self.ledger:
            _refuse("ledger", "must be a file's path, or none")
        if self.lookup_path is not None:
            checked_template(self.lookup_path)
        if self.proxy is not None:
            object.__setattr__(self, "proxy", checked_proxy("proxy", self.proxy))
            if url.scheme != "https":
                _refuse("proxy", "needs an https:// base_url: over http:// the key would pass the proxy in the clear")

    @classmethod
    def load(
        cls, env: Mapping[str, str] = os.environ, *, defaults: Mapping[str, Any] | None = None, **arguments: Any
    ) -> "Settings":
        """Settings from arguments (None means not given), environment variables and the file, in that order.

        `defaults`: those of a program that wants others than stand here.
        Raises `ConfigurationError` naming the setting that is wrong, and where its value came from.
        """
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = dict(defaults or {})
        origins: dict[str, str] = {}
        if path := env.get("CASHIN_CONFIG"):
            for name, value in read_file(Path(path)).items():
                if name not in known:
                    raise ConfigurationError(
                        f"CASHIN_CONFIG: {path} has an unknown setting {name!r}{_meant(name, known)}"
                    )
                values[name] = value
                origins[name] = f"in {path}, which CASHIN_CONFIG names"
        for name in known:
            if text := env.get(f"CASHIN_{name.upper()}"):
                values[name] = _from_text(name, text)
                origins[name] = _variable(name)
        given = {name: value for name, value in arguments.items() if value is not None}
        origins |= dict.fromkeys(given, "option or argument")
        if given.get("base_url") or given.get("environment"):
            values.pop("base_url", None)
            values.pop("environment", None)
        try:
            return cls(**{**values, **given})
        except WrongSetting as wrong:
            raise WrongSetting(wrong.name, wrong.why, origins.get(wrong.name, wrong.origin)) from None
        except TypeError as error:
            raise ConfigurationError(str(error)) from None


_TYPES = get_type_hints(Settings)
_NUMBERS = [name for name, kind in _TYPES.items() if {int, float} & {kind, *get_args(kind)}]
_MOST_AT_ONCE = 1000  # each is an open connection, and 1,024 open files are what systems commonly allow
_MAY_BE_ZERO = ("retries", "retry_budget", "drain_timeout", "settle_after", "settle_bytes")
_NO_TIMES = ("rate", "invoice_rate", "max_unpack")
"""The fractional numbers that are no seconds."""


class WrongSetting(ConfigurationError):
    """One setting is wrong, by what it is alone or beside the others. Never shows its value."""

    def __init__(self, name: str, why: str, origin: str) -> None:
        super().__init__(name, why, origin)
        self.name = name
        self.why = why
        self.origin = origin
        """Where the value came from, or could come from."""

    def __str__(self) -> str:
        return f"{self.name} {self.why} ({self.origin})"


def _variable(name: str) -> str:
    return f"environment variable {name if name.isupper() else f'CASHIN_{name.upper()}'}"


def _refuse(name: str, why: str) -> NoReturn:
    raise WrongSetting(name, why, _variable(name))


def _check_types(settings: Settings) -> None:
    for name, kind in _TYPES.items():
        try:
            value = msgspec.convert(getattr(settings, name), kind)
        except msgspec.ValidationError:
            _refuse(name, f"must be {_wanted(name)}")
        object.__setattr__(settings, name, value)


def _wanted(name: str) -> str:
    """What a setting has to be, in words."""
    kinds = (_TYPES[name], *get_args(_TYPES[name]))
    if choices := [choice for kind in kinds for choice in _choices(kind)]:
        return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    if float in kinds:
        return "a number" if name in _NO_TIMES else "a number of seconds"
    return "true or false" if bool in kinds else "a whole number" if int in kinds else "text"


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return list(map(str, Environment)) if kind is Environment else []


def _check_rules(settings: Settings) -> None:
    from cashin_async.rules import RuleSet, severities_of  # settings are loaded by who wants no rules too

    try:
        RuleSet(severities=severities_of(settings.rule_severities))
    except ConfigurationError as error:
        _refuse("rule_severities", f"is wrong: {error}")
    try:
        RuleSet(iban=settings.creditor_iban)
    except ConfigurationError as error:
        _refuse("creditor_iban", f"is wrong: {error}")


_NO_FILES_ENCODINGS = ("unicode-escape", "raw-unicode-escape", "charmap")  # of Python's own sources and tables


def _check_encoding(name: str) -> None:
    try:
        encoded = "InvoiceNumber".encode(name)  # LookupError too for what is no encoding of text
        decoder = codecs.getincrementaldecoder(name)("surrogateescape")
        known = decoder.decode(encoded, True) == "InvoiceNumber" and codecs.lookup(name).name not in _NO_FILES_ENCODINGS
    except (LookupError, ValueError):
        known = False
    if not known:
        _refuse("csv_encoding", "is no encoding of files that Python knows")


def _from_text(name: str, text: str) -> Any:
    kind = _TYPES[name]
    if bool in (kind, *get_args(kind)):
        text = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower(), text.lower())
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        _refuse(name, f"must be {_wanted(name)}")


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f": did you mean {close[0]}?" if close else ""


def read_file(path: Path) -> dict[str, Any]:
    """What the file of settings holds. Raises `ConfigurationError` when it cannot be read, or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"CASHIN_CONFIG: cannot read {path}: {_why(error)}") from None


def _why(error: Exception) -> str:
    """In words that hold nothing of a file: there may be a password in it."""
    match error:
        case OSError():
            return error.strerror or type(error).__name__
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case tomllib.TOMLDecodeError():
            place = re.search(r"\(at (line \d+, column \d+|end of document)\)$", str(error))
            return f"it is no TOML{f' ({place[1]})' if place else ''}"
        case _:
            return type(error).__name__


def checked_url(name: str, text: str) -> SplitResult:
    """The parts of `text`, a URL that a key may be sent to. Raises `ConfigurationError`, never showing a password."""
    url = _parsed(name, text)
    if url.scheme not in ("http", "https") or not url.hostname:
        _refuse(name, "must be an https:// URL with a host")
    if url.username is not None or url.password is not None:
        _refuse(name, "must not hold a user or a password")
    if "?" in text or "#" in text:
        _refuse(name, "must not have a query or a fragment")
    if url.scheme == "http" and not is_loopback(url):
        _refuse(name, "must be https:// (http:// is accepted for loopback only, the key would travel in the clear)")
    return url


def _one_spelling(url: SplitResult) -> str:
    """The same address, the same text: a ledger is bound to it."""
    host = (url.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[url.scheme]
    port = "" if url.port in (None, default) else f":{url.port}"
    return f"{url.scheme}://{host}{port}{url.path.rstrip('/')}"


def checked_proxy(name: str, text: str) -> str:
    """The URL of a proxy, http:// where it names no scheme. Raises as `checked_url` does."""
    text = text if "://" in text else f"http://{text}"
    url = _parsed(name, text)
    if url.scheme not in ("http", "https") or not url.hostname:
        _refuse(name, "must be an http:// or https:// URL with a host")
    if url.path not in ("", "/") or url.query or url.fragment:
        _refuse(name, "must have nothing behind the host and port; in a login, write / ? # as %2F %3F %23")
    login = [unquote(part) for part in (url.username, url.password) if part is not None]
    if login and (":" in login[0] or any(not _fits_a_header(part) for part in login)):
        _refuse(name, "has a login that no HTTP header can carry")
    return text


def _fits_a_header(text: str) -> bool:
    return text.isprintable() and all(ord(character) < 256 for character in text)


def _parsed(name: str, text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port
        (url.hostname or "").encode("idna")
    except ValueError:  # of which UnicodeError is one
        _refuse(name, "is not a URL")
    return url


PLACEHOLDER = "{InvoiceNumber}"
"""What stands in the template of a look-up for the number."""
_not_in_a_path = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]")  # RFC 3986, 3.3 and 3.4
_broken_escape = re.compile(r"%(?![0-9A-Fa-f]{2})")


def checked_template(text: str) -> str:
    """`text`, a path from / on, perhaps with a query, that holds `{InvoiceNumber}` once.

    Raises `ConfigurationError` that does not repeat it: what a query holds may be nobody's business.
    """
    pieces = text.split(PLACEHOLDER)
    around = "/".join(pieces)
    if len(pieces) != 2:
        _refuse("lookup_path", f"must hold {PLACEHOLDER} exactly once")
    if not text.startswith("/") or text.startswith("//"):
        _refuse("lookup_path", "must be a path from / on, without the host: it goes behind base_url")
    if "#" in around:
        _refuse("lookup_path", "must not have a fragment")
    if "{" in around or "}" in around:
        _refuse("lookup_path", f"must have no other part in braces than {PLACEHOLDER}: fill it in")
    if _not_in_a_path.search(around) or _broken_escape.search(around):
        _refuse("lookup_path", "must be written as it stands in a URL: white space and other signs as %20 and so on")
    return text


def is_loopback(url: SplitResult) -> bool:
    """Whether the URL's host is this machine by its very name."""
    host = (url.hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
