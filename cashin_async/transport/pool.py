"""The session pool: one request in, one `Exchange` out, whatever happens.

What was measured on aiohttp 3.14 and decides the order of the `except` clauses below: an answer that is not
HTTP raises `ClientResponseError` with status 400, a refused CONNECT its subclass with the proxy's status;
`ClientConnectorError` (never connected) is a subclass of `ClientOSError` (anything after). Trace events say
"sent" when bytes enter a buffer, so they prove nothing: what counts is whether there was a connection yet.
"""

import asyncio
import logging
import os
import ssl
import time
import urllib.request
import zlib
from collections.abc import Callable
from contextvars import ContextVar
from importlib.metadata import version
from itertools import cycle
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from anyio import to_thread

from cashin_async.errors import ConfigurationError
from cashin_async.events import EXCHANGE_BROKE, Thinned, where
from cashin_async.settings import Settings, checked_proxy, is_loopback
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent
from cashin_async.transport.keyring import Keyring

CREATE_INVOICES = "/v2/gensalesinvoices"
"""Source: the vendor's page "Create an invoice"."""

log = logging.getLogger(__name__)

USER_AGENT = f"cashin-async/{version('cashin-async')}"
_LARGE = 65_536  # bytes of a body from which on a copy of it costs more than one more call of the system
_GZIP_LEVEL = 2
"""Measured on 270 KB of invoices: a twelfth in 0.8 ms; a third in 2.5 ms when every value is random. Level 1 takes as
long and leaves 7 to 24 % more bytes, level 6 takes 2.2 times as long or more for 13 to 33 % fewer."""
_GZIP_AT_ONCE = 65_536  # bytes, in the event loop's own thread: 0.7 ms at most, and 2 ms on a machine a third as fast
_BLAMED = {9: "the clock of this machine", 10: "or the clock of this machine", 62: "base_url", 64: "base_url"}
"""What is to be looked at when a certificate is not valid yet or no longer, or is another host's; else it is `ca_file`.
Source: OpenSSL, x509_vfy.h, X509_V_ERR_*."""
_KEPT_HEADERS = ("date", "retry-after", "ratelimit")


class _Body(aiohttp.BytesPayload):
    """Many bytes, written as they are behind the headers, where aiohttp would copy both into one.

    Its warning of what is above 1 MiB is for bodies read from disk.
    """

    def __init__(self, value: bytes) -> None:
        aiohttp.Payload.__init__(self, value, content_type="application/json")
        self._size = len(value)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        writer.send_headers()
        await super().write_with_length(writer, content_length)


class _Flight:
    """What the connector told of one request: whether it still waits for a connection."""

    __slots__ = ("awaiting_connection",)

    def __init__(self) -> None:
        self.awaiting_connection = False


_in_this_task: ContextVar[_Flight] = ContextVar("flight")  # aiohttp's own tracing is slow


class _Connector(aiohttp.TCPConnector):
    """Gives out no kept connection on which something has arrived since its last answer.

    aiohttp only looks whether it is still open; what came unasked would be taken for the next request's answer.
    """

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        flight = _in_this_task.get()
        flight.awaiting_connection = True
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                flight.awaiting_connection = False
                return connection
            connection.close()


class SessionPool:
    """Keep-alive sessions to one host. Redirects are not followed, netrc is not read, no cookie is kept."""

    def __init__(self, settings: Settings, keys: Keyring, wall_clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self._settings = settings
        self._wall_clock = wall_clock
        self._tls = tls_of(settings)
        self._proxy = proxy_of(settings)
        self._sessions: list[aiohttp.ClientSession] = []
        self._thinned = Thinned(log)

    async def __aenter__(self) -> "SessionPool":
        settings = self._settings
        connections = settings.connections or settings.concurrency
        sessions = min(settings.sessions, connections)
        for place in range(sessions):
            share = connections // sessions + (place < connections % sessions)
            connector = _Connector(limit=share, ssl=self._tls, keepalive_timeout=settings.keepalive)
            self._sessions.append(
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    headers={"Accept": "application/json", "User-Agent": USER_AGENT},
                    timeout=aiohttp.ClientTimeout(
                        total=settings.timeout,
                        # below the total, which could not tell a wait for a connection from a wait for an answer
                        connect=min(settings.connect_timeout, settings.timeout / 2),
                        sock_read=settings.read_timeout,
                    ),
                )
            )
        self._turn = cycle(self._sessions)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            await session.close()

    async def post(self, body: bytes) -> Exchange:
        """POST `body`, a JSON array of invoices, to "Create an invoice".

        Raises `ConfigurationError` when the key provider has no key, and nothing else: what is not known to prove
        anything is `NoProof`.
        """
        return await self._exchange("POST", CREATE_INVOICES, body)

    async def get(self, path: str) -> Exchange:
        """GET `path`, which stands behind the base URL, a query with it. Raises as `post` does.

        It must change nothing at the server: when the connection is lost, aiohttp sends a GET once more by itself
        (https://github.com/aio-libs/aiohttp/issues/10790).
        """
        return await self._exchange("GET", path, None)

    async def _exchange(self, method: str, path: str, body: bytes | None) -> Exchange:
        headers = {"Content-Type": "application/json"}
        if body and self._settings.compress is not None:
            try:
                body = await _gzipped(body)
            except Exception as error:  # no memory, or no thread to be had: nothing has left
                return NotSent(f"the body could not be compressed ({type(error).__name__})")
            headers["Content-Encoding"] = "gzip"
        key, generation = await self.keys.current()
        flight, started = _Flight(), time.perf_counter()
        if not self._sessions:
            return NotSent("the client is closed")
        _in_this_task.set(flight)  # read by the connector before this task waits for anything
        try:
            async with next(self._turn).request(
                method,
                self._settings.base_url + path,
                data=_Body(body) if body and len(body) > _LARGE else body,
                headers=headers | {"X-Api-Key": key.reveal()},
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                answer = await self._read(response)
                elapsed = time.perf_counter() - started
                if answer is None:
                    return NoProof(f"the answer is larger than max_answer ({self._settings.max_answer} bytes)", elapsed)
                return Answered(
                    status=response.status,
                    headers=_headers(response),
                    body=answer,
                    elapsed=elapsed,
                    received=self._wall_clock(),
                    generation=generation,
                    key=key,
                )
        except Exception as error:
            if not isinstance(error, (aiohttp.ClientError, OSError)):
                # nothing that aiohttp documents, and no reason to lose a run for; its words might quote the key
                kind, place = type(error).__name__, where(error)
                self._thinned.tell(EXCHANGE_BROKE, (kind, place), error=kind, where=place)
            return failure(error, flight.awaiting_connection, time.perf_counter() - started)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            ended = NotSent if flight.awaiting_connection else NoProof
            return ended("the client was closed meanwhile", time.perf_counter() - started)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The body, or None when it is larger than `max_answer`."""
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._settings.max_answer:
                response.close()
                return None
            parts.append(part)
        return b"".join(parts)


async def _gzipped(body: bytes) -> bytes:
    """`body` compressed; a large one in a thread, which zlib lets run beside the event loop."""
    if len(body) <= _GZIP_AT_ONCE:
        return _gzip(body)
    return await to_thread.run_sync(_gzip, body)


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, _GZIP_LEVEL, wbits=31)  # 31: with the header and the sum of gzip


def failure(error: Exception, awaiting_connection: bool, elapsed: float) -> NotSent | NoProof:
    """What an exception of aiohttp's says; `TimeoutError` is an `OSError`."""
    match error:
        case aiohttp.ClientHttpProxyError():
            return NotSent(_refused_by_proxy(error.status), elapsed)
        case aiohttp.ClientConnectorError():
            return NotSent(_cannot_connect(error), elapsed)
        case aiohttp.ConnectionTimeoutError():
            return NotSent("no connection within connect_timeout", elapsed, timed_out=True)
        case aiohttp.InvalidURL():
            return NotSent("the address of the server or the proxy is not valid (base_url, proxy)", elapsed)
        case _ if awaiting_connection:
            return NotSent(f"the connection could not be made ({type(error).__name__})", elapsed)
        case aiohttp.SocketTimeoutError():
            return NoProof("no answer within read_timeout", elapsed, timed_out=True)
        case TimeoutError():
            return NoProof("no whole answer within timeout", elapsed, timed_out=True)
        case aiohttp.ClientPayloadError():
            return NoProof("the answer was cut short", elapsed)
        case aiohttp.ClientResponseError():
            return NoProof("the answer is not HTTP (base_url)", elapsed)
        case _:
            return NoProof(f"the connection was lost ({type(error).__name__})", elapsed)


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The headers that a verdict looks at, and no others: what is not kept cannot leak."""
    return {
        name: value
        for name, value in ((name.lower(), value) for name, value in response.headers.items())
        if name in _KEPT_HEADERS or name.startswith(("ratelimit-", "x-ratelimit-"))
    }


def _cannot_connect(error: aiohttp.ClientConnectorError) -> str:
    """With the setting that leads there."""
    through_proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
    setting = "proxy" if through_proxy else "base_url"
    cannot = f"cannot connect to {'the proxy' if through_proxy else f'{error.host}:{error.port}'}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        why = "its name cannot be resolved"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        said = getattr(error.certificate_error, "verify_message", "").rstrip(".")
        blamed = _BLAMED.get(getattr(error.certificate_error, "verify_code", 0), "ca_file")
        return f"{cannot}: its certificate is not trusted{f', {said}' if said else ''} ({blamed})"
    elif isinstance(error, aiohttp.ClientSSLError):
        why = "TLS failed"
    else:
        why = _of_the_system(error.os_error)
    return f"{cannot}: {why} ({setting})"


def _of_the_system(error: OSError) -> str:
    """asyncio puts a text of its own, with the address, in place of the system's."""
    named = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return (named or type(error).__name__).lower()


def _refused_by_proxy(status: int) -> str:
    """Source of 407: RFC 9110, 15.5.8."""
    why = "it wants a login: proxy" if status == 407 else "proxy, base_url"
    return f"the proxy refused the connection with HTTP {status} ({why})"


def tls_of(settings: Settings) -> ssl.SSLContext | bool:
    """Whom to trust. Raises `ConfigurationError` for a `ca_file` that cannot be read."""
    if not settings.verify_tls or (settings.base_url.startswith("http:") and not settings.ca_file):
        return False
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigurationError(f"ca_file cannot be read: {why} (environment variable CASHIN_CA_FILE)") from None


def proxy_of(settings: Settings) -> str | None:
    """The proxy in effect: the setting, else HTTPS_PROXY unless NO_PROXY names the host; that never for loopback."""
    if settings.proxy:
        return settings.proxy
    url = urlsplit(settings.base_url)
    if url.scheme != "https" or is_loopback(url):
        return None
    if urllib.request.proxy_bypass_environment(f"{url.hostname}:{url.port or 443}"):  # type: ignore[attr-defined]
        return None
    proxy = urllib.request.getproxies_environment().get("https")
    return checked_proxy("HTTPS_PROXY", proxy) if proxy else None
