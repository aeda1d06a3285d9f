"""A raw server over loopback TCP: exact bytes out, exact bytes noted in."""

import asyncio
import functools
import pickle
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import trustme

from cashin_async import Settings
from cashin_async.settings import ApiKey, KeyProvider
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent
from cashin_async.transport.keyring import Keyring
from cashin_async.transport.pool import SessionPool

KEY = "S3cretKeyOfNobody-0123456789"
BODY = b'[{"InvoiceNumber":251600001}]'
RECEIPT = b'{"UploadedInvoicesCount":1,"FailedInvoicesCount":0,"FailedInvoices":[],"Message":"OK"}'
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
LONG = 30.0
"""Seconds for a server that hangs: longer than any test."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that runs the tests are none of theirs."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    line: str
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field.lower() == name.lower()]


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def http(status: int = 202, body: bytes = RECEIPT, fields: str = "", length: int | None = None) -> bytes:
    """An answer; `fields` are header lines that end in CRLF, `length` is a Content-Length that may lie."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} Words\r\nContent-Length: {size}\r\n{fields}\r\n".encode() + body


def say(data: bytes, close: bool = False) -> Answer:
    """Every request is answered with these bytes."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return answer


def in_turn(*answers: Answer) -> Answer:
    """The first request gets the first answer, and so on; the last answer repeats."""
    left = list(answers)

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return answer


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """No answer, and the connection stays open."""
    await asyncio.sleep(LONG)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, None at its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")[:-2]
    fields = [(name, value) for name, _, value in (field.partition(": ") for field in rest)]
    size = next((int(value) for name, value in fields if name.lower() == "content-length"), 0)
    return Request(line, fields, await reader.readexactly(size))


class Server:
    """Answers bytes with bytes, and writes down what came in."""

    def __init__(self, answer: Answer | bytes | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        """Those that came in whole."""
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.url = ""
        self.port = 0
        self._answer = say(answer or http()) if isinstance(answer, bytes | None) else answer
        self._tls = tls
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self.converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            request = await read_request(reader)
            assert request is not None
            self.requests.append(request)
            await self._answer(request, writer)


@functools.cache
def authority() -> trustme.CA:
    """A certificate authority that nobody else trusts."""
    return trustme.CA()


@functools.cache
def server_tls(*names: str) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def ca_file(folder: Path) -> str:
    """The PEM file of `authority()`."""
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


@asynccontextmanager
async def pool_to(
    url: str, key: str | ApiKey | KeyProvider = KEY, wall_clock: Callable[[], float] = time.time, **settings: Any
) -> AsyncIterator[SessionPool]:
    settings = {"timeout": 2.0, **settings}
    async with SessionPool(Settings(base_url=url, **settings), Keyring(key), wall_clock) as pool:
        yield pool


async def post(url: str, body: bytes = BODY, **settings: Any) -> Exchange:
    """One exchange with a pool of its own; whatever it ends as is ours alone."""
    async with pool_to(url, **settings) as pool:
        exchange = await pool.post(body)
    assert type(exchange) in (Answered, NotSent, NoProof)
    assert b"aiohttp" not in pickle.dumps(exchange)
    assert KEY not in repr(exchange)
    return exchange


async def until(condition: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait for what other tasks do."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, and no event tells of it
            await asyncio.sleep(0.002)


# -- what an exchange is expected to be


def not_sent(exchange: Exchange, why: str, timed_out: bool = False) -> None:
    assert isinstance(exchange, NotSent), exchange
    assert why in exchange.why
    assert exchange.timed_out is timed_out
    assert exchange.elapsed >= 0


def no_proof(exchange: Exchange, why: str, timed_out: bool = False) -> None:
    assert isinstance(exchange, NoProof), exchange
    assert why in exchange.why
    assert exchange.timed_out is timed_out
    assert exchange.elapsed > 0


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
