"""Proxies: a CONNECT tunnel or nothing. The host behind it is no loopback name, so the proxy says where it leads."""

import asyncio
import logging
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from cashin_async import CashIn, ConfigurationError, Settings
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered, NoProof
from tests.transport.conftest import (
    BODY,
    KEY,
    LONG,
    Request,
    Server,
    ca_file,
    closed_port,
    not_sent,
    pool_to,
    post,
    server_tls,
)

HOST = "api.example.test"
BASE = f"https://{HOST}"
PASSWORD = "Pa55wordOfNobody"

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def trusted(tmp_path: Path) -> str:
    return ca_file(tmp_path)


class Proxy:
    """A CONNECT proxy whose tunnels all lead to one port, or that does whatever `behaviour` does instead."""

    def __init__(self, target: int = 0, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        """What came before each tunnel, as text."""
        self.url = ""
        self._target, self._behaviour, self._tls = target, behaviour, tls
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.url = f"{'https' if self._tls else 'http'}://{self.address}"
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
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode())
            if self._behaviour is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await self._tunnel(reader, writer)
            else:
                await self._behaviour(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(pump(reader, there), pump(there_reader, writer))
        finally:
            there.transport.abort()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def replies(data: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()
        await writer.wait_closed()

    return behave


# -- through


async def test_an_explicit_proxy(trusted: str) -> None:
    async with (
        Server(tls=server_tls(HOST)) as server,
        Proxy(server.port) as proxy,
        pool_to(BASE, proxy=proxy.url, ca_file=trusted) as pool,
    ):
        for _ in range(3):
            assert isinstance(await pool.post(BODY), Answered)
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert KEY not in head
    assert "x-api-key" not in head.lower()
    assert [request.all("X-Api-Key") for request in server.requests] == [[KEY]] * 3
    assert [request.all("Host") for request in server.requests] == [[HOST]] * 3


async def test_a_proxy_that_speaks_tls_itself(trusted: str) -> None:
    async with Server(tls=server_tls(HOST)) as server, Proxy(server.port, tls=server_tls("127.0.0.1")) as proxy:
        exchange = await post(BASE, proxy=proxy.url, ca_file=trusted)
    assert isinstance(exchange, Answered)
    assert len(proxy.heads) == 1


async def test_an_upload_through_a_proxy(trusted: str) -> None:
    async with (
        Simulator(ssl_context=server_tls(HOST)) as simulator,
        Proxy(int(simulator.url.rpartition(":")[2])) as proxy,
    ):
        settings = Settings(base_url=BASE, proxy=proxy.url, ca_file=trusted, chunk_size=10)
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(100))
    assert report.ok
    assert simulator.store.accepted == 100


@pytest.mark.parametrize("password", [PASSWORD, "with%3Acolon", "with%40at%2Fslash", "%C3%A4iti", ""])
async def test_a_proxy_with_user_and_password(password: str, trusted: str) -> None:
    async with Server(tls=server_tls(HOST)) as server, Proxy(server.port) as proxy:
        exchange = await post(BASE, proxy=f"http://robot:{password}@{proxy.address}", ca_file=trusted)
    assert isinstance(exchange, Answered)
    plain = {"with%3Acolon": "with:colon", "with%40at%2Fslash": "with@at/slash", "%C3%A4iti": "äiti"}
    expected = f"robot:{plain.get(password, password)}"
    sent = [line.partition(": ")[2] for line in proxy.heads[0].split("\r\n") if line.startswith("Proxy-Auth")]
    assert sent[0] in {f"Basic {b64encode(expected.encode(code)).decode()}" for code in ("latin-1", "utf-8")}
    assert server.requests[0].all("Proxy-Authorization") == [], "it is for the proxy alone"


async def test_the_password_of_a_proxy_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    shown: list[object] = []
    async with Proxy(behaviour=replies(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")) as proxy:
        url = f"http://robot:{PASSWORD}@{proxy.address}"
        settings = Settings(base_url=BASE, proxy=url, retries=1, backoff=0.01)
        shown.append(settings)
        shown.append(await post(BASE, proxy=url))
        shown.append(await post(BASE, proxy=f"http://robot:{PASSWORD}@127.0.0.1:{closed_port()}"))
        shown.append(await post(BASE, proxy=f"http://robot:{PASSWORD}@does-not-exist.invalid"))
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(3))
            shown += [cashin, vars(cashin), report, report.stopped, *report.failures, report.as_dict()]
    wrong = ["socks5://robot:{}@127.0.0.1:1", "http://robot:{}@", "http://robot:{}@127.0.0.1:99999"]
    for template in wrong:
        with pytest.raises(ConfigurationError) as caught:
            Settings(base_url=BASE, proxy=template.format(PASSWORD))
        shown += [caught.value, caught.value.__context__, caught.value.__cause__]
    assert PASSWORD in proxy.heads[0] or b64encode(f"robot:{PASSWORD}".encode()).decode() in proxy.heads[0]
    assert PASSWORD not in repr(shown) + "".join(map(str, shown)) + caplog.text


# -- not through: nothing was sent

REFUSALS: dict[str, bytes] = {
    **{
        f"{status}": f"HTTP/1.1 {status} Refused\r\nContent-Length: 2\r\n\r\nno".encode()
        for status in (201, 202, 204, 301, 400, 401, 403, 404, 407, 413, 429, 500, 502, 503, 504)
    },
    "403 without a length": b"HTTP/1.1 403 Forbidden\r\n\r\n<html>Blocked</html>",
    "403 that is chunked": b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "garbage": b"this is not an HTTP answer\r\n\r\n",
    "HTML": b"<html><body>Log in first</body></html>\r\n\r\n",
    "garbage in the tunnel": b"HTTP/1.1 200 Connection established\r\n\r\nthis is not TLS at all, not at all",
    "the tunnel ends at once": b"HTTP/1.1 200 Connection established\r\n\r\n",
}


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
async def test_a_proxy_that_does_not_connect_means_not_sent(answer: bytes, trusted: str) -> None:
    async with Proxy(behaviour=replies(answer)) as proxy:
        exchange = await post(BASE, proxy=proxy.url, ca_file=trusted)
    not_sent(exchange, "")
    assert len(proxy.heads) == 1


@pytest.mark.parametrize("status", [403, 407, 502])
async def test_a_refusal_of_the_proxy_is_told_as_that(status: int) -> None:
    async with Proxy(behaviour=replies(REFUSALS[str(status)])) as proxy:
        not_sent(await post(BASE, proxy=proxy.url), f"the proxy refused the connection with HTTP {status}")


async def test_a_proxy_that_resets_the_connection() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with Proxy(behaviour=reset) as proxy:
        not_sent(await post(BASE, proxy=proxy.url), "")


@pytest.mark.parametrize("settings", [{"connect_timeout": 0.1}, {"timeout": 0.2}, {"read_timeout": 0.1, "timeout": 1}])
async def test_a_proxy_that_never_answers(settings: dict[str, Any]) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(LONG)

    async with Proxy(behaviour=hang) as proxy:
        not_sent(await post(BASE, proxy=proxy.url, **settings), "", timed_out=True)


async def test_a_proxy_where_nobody_listens() -> None:
    not_sent(await post(BASE, proxy=f"http://127.0.0.1:{closed_port()}"), "cannot connect to the proxy")


async def test_a_proxy_whose_name_does_not_exist() -> None:
    not_sent(await post(BASE, proxy="http://does-not-exist.invalid:3128"), "its name cannot be resolved")


async def test_a_proxy_whose_name_cannot_exist() -> None:
    with suppress(ConfigurationError):  # to say so at once is as good
        not_sent(await post(BASE, proxy="http://proxy..invalid:3128"), "")


@pytest.mark.parametrize("login", ["robot%3A1:word", "robot:pa%E2%82%ACword"], ids=["colon in user", "euro sign"])
async def test_a_login_that_no_header_can_carry_is_said_to_be_so(login: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        await post(BASE, proxy=f"http://{login}@127.0.0.1:{closed_port()}")
    assert "word" not in repr(caught.value)


async def test_a_certificate_of_the_proxys_own_authority_is_not_trusted() -> None:
    async with Server(tls=server_tls(HOST)) as server, Proxy(server.port) as proxy:
        not_sent(await post(BASE, proxy=proxy.url), "certificate is not trusted")
    assert server.requests == []


async def test_a_tunnel_that_breaks_after_the_request_is_no_proof(trusted: str) -> None:
    async def drop(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with Server(drop, tls=server_tls(HOST)) as server, Proxy(server.port) as proxy:
        exchange = await post(BASE, proxy=proxy.url, ca_file=trusted)
    assert isinstance(exchange, NoProof)
    assert len(server.requests) == 1


async def test_an_upload_that_the_proxy_refuses_is_unsent() -> None:
    async with Proxy(behaviour=replies(REFUSALS["407"])) as proxy:
        settings = Settings(base_url=BASE, proxy=proxy.url, retries=2, backoff=0.01)
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(20))
    assert report.unsent == report.read == 20
    assert "the proxy refused the connection with HTTP 407" in str(report.failures[0].reason)


# -- from the environment


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""], ids=["with scheme", "without scheme"])
async def test_https_proxy(name: str, scheme: str, trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Server(tls=server_tls(HOST)) as server, Proxy(server.port) as proxy:
        monkeypatch.setenv(name, scheme + proxy.address)  # curl and requests take it without a scheme, so it occurs
        exchange = await post(BASE, ca_file=trusted)
    assert isinstance(exchange, Answered)
    assert len(proxy.heads) == 1


async def test_the_setting_wins_over_the_environment(trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "*")
    async with Server(tls=server_tls(HOST)) as server, Proxy(server.port) as proxy:
        assert isinstance(await post(BASE, proxy=proxy.url, ca_file=trusted), Answered)


@pytest.mark.parametrize("no_proxy", ["*", HOST, "example.test", ".example.test", f"other.test, {HOST}", f"{HOST}:443"])
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
async def test_no_proxy(name: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Proxy(behaviour=replies(REFUSALS["403"])) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv(name, no_proxy)
        not_sent(await post(BASE), f"cannot connect to {HOST}:443: its name cannot be resolved")
    assert proxy.heads == []


@pytest.mark.parametrize("no_proxy", ["other.test", f"not-{HOST}", f"{HOST}:8443", ""])
async def test_no_proxy_for_others(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Proxy(behaviour=replies(REFUSALS["403"])) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        not_sent(await post(BASE), "the proxy refused")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"])
@pytest.mark.parametrize("secure", [True, False], ids=["https", "http"])
async def test_never_a_proxy_from_the_environment_for_loopback(
    name: str, secure: bool, trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    async with Server(tls=server_tls("127.0.0.1") if secure else None) as server:
        assert isinstance(await post(server.url, ca_file=trusted), Answered)


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://robot:Pa55wordOfNobody@127.0.0.1:1",
        "http://robot:Pa55wordOfNobody@127.0.0.1:99999",
        "http://robot:Pa55word#OfNobody@127.0.0.1:1",
        "http://",
    ],
    ids=["socks", "no such port", "a hash in the password", "no host"],
)
async def test_a_wrong_https_proxy_is_said_to_be_so(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        await post(BASE)
    assert "Pa55word" not in repr(caught.value)


# -- netrc


async def test_netrc_is_never_read(trusted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"machine {host} login robot password {PASSWORD}\n" for host in (HOST, "127.0.0.1", "localhost"))
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text(lines + f"default login robot password {PASSWORD}\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with Server() as server, Server(tls=server_tls(HOST)) as behind, Proxy(behind.port) as proxy:
        await post(server.url)
        await post(BASE, proxy=proxy.url, ca_file=trusted)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        await post(BASE, ca_file=trusted)
    requests = server.requests + behind.requests
    assert len(requests) == 3
    assert [request.all("Authorization") for request in requests] == [[], [], []]
    assert "authorization" not in "".join(proxy.heads).lower()
