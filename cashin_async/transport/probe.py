"""Whether the API's address answers: the same way there as an upload's, and without the key."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import anyio
from anyio import to_thread

from cashin_async.settings import Settings
from cashin_async.transport.pool import USER_AGENT, failure, proxy_of, tls_of


@dataclass(frozen=True, slots=True)
class Probe:
    """How far one request without a key came."""

    host: str
    """And port."""
    proxy: str | None = None
    """The proxy in effect, its login blanked."""
    addresses: tuple[str, ...] = ()
    """Of the host, or of the proxy, which resolves the host's name itself; empty when there are none."""
    tls: str | None = None
    """The version of TLS; None over http."""
    expires: datetime | None = None
    """When the server's certificate does; None when it was not verified."""
    status: int | None = None
    """Of the answer; None when there was none."""
    ahead: float | None = None
    """How many seconds the local clock is ahead of the answer's `Date`, which is in whole seconds."""
    seconds: float = 0.0
    why_not: str | None = None
    """Why there was no answer, with the setting that leads there."""


async def probe(settings: Settings, wall_clock: Callable[[], float] = time.time) -> Probe:
    """GET the base URL within `connect_timeout`, name resolution, TLS and proxy included.

    Raises `ConfigurationError` for a `ca_file` or a proxy that is wrong, and nothing else.
    """
    found = _Found(settings, wall_clock)
    with anyio.move_on_after(settings.connect_timeout):
        await found.look()
    return found.probe()


class _Found:
    """What is known so far: a probe that is cut off says how far it came."""

    def __init__(self, settings: Settings, wall_clock: Callable[[], float]) -> None:
        self._settings = settings
        self._wall_clock = wall_clock
        self._started = time.perf_counter()
        self._url = urlsplit(settings.base_url)
        self._port = self._url.port or {"http": 80, "https": 443}[self._url.scheme]
        self._tls = tls_of(settings)
        self._proxy = proxy_of(settings)
        self._addresses: tuple[str, ...] = ()
        self._version: str | None = None
        self._expires: datetime | None = None
        self._status: int | None = None
        self._ahead: float | None = None
        self._connected = False
        self._why_not: str | None = None

    def probe(self) -> Probe:
        return Probe(
            host=f"{self._url.hostname}:{self._port}",
            proxy=self._proxy and without_login(self._proxy),
            addresses=self._addresses,
            tls=self._version,
            expires=self._expires,
            status=self._status,
            ahead=self._ahead,
            seconds=time.perf_counter() - self._started,
            why_not=self._why_not,
        )

    async def look(self) -> None:
        if await self._resolve():
            await self._ask()

    async def _resolve(self) -> bool:
        """Whether the first name on the way stands for an address."""
        url, setting = (urlsplit(self._proxy), "proxy") if self._proxy else (self._url, "base_url")
        whom = "the proxy" if self._proxy else url.hostname
        self._why_not = f"the name of {whom} was not resolved within connect_timeout ({setting})"
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        try:  # in a thread that may be left behind, as the event loop's own may not
            found = await to_thread.run_sync(
                lambda: socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM), abandon_on_cancel=True
            )
        except OSError as error:
            self._why_not = (
                f"the name of {whom} cannot be resolved: {error.strerror or type(error).__name__} ({setting})"
            )
            return False
        self._addresses = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
        self._why_not = f"no connection within connect_timeout ({setting})"
        return True

    async def _ask(self) -> None:
        connector = _Watched(self._at_connection, ssl=self._tls)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": USER_AGENT}
                ) as session,
                session.get(self._settings.base_url, allow_redirects=False, proxy=self._proxy) as response,
            ):
                self._answered(response)
        except Exception as error:
            self._why_not = failure(error, not self._connected, 0.0).why

    def _at_connection(self, tls: ssl.SSLObject | None) -> None:
        self._connected = True
        self._why_not = "connected, but no answer within connect_timeout (base_url)"
        if tls is not None:
            self._version = tls.version()
            if until := (tls.getpeercert() or {}).get("notAfter"):
                self._expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(until)), UTC)

    def _answered(self, response: aiohttp.ClientResponse) -> None:
        self._why_not = None
        self._status = response.status
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, OverflowError):
            return
        self._ahead = self._wall_clock() - date.replace(tzinfo=date.tzinfo or UTC).timestamp()


class _Watched(aiohttp.TCPConnector):
    """Tells of a connection as soon as it is there, whatever becomes of the request."""

    def __init__(self, told: Callable[[ssl.SSLObject | None], None], *, ssl: ssl.SSLContext | bool) -> None:
        super().__init__(ssl=ssl)
        self._told = told

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            self._told(connection.transport.get_extra_info("ssl_object"))
        return connection


def without_login(proxy: str) -> str:
    """The URL of a proxy as it may be shown."""
    url = urlsplit(proxy)
    login = "***@" if url.username is not None or url.password is not None else ""
    return f"{url.scheme}://{login}{url.netloc.rpartition('@')[2]}"
