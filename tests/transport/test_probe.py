"""The way to the API, tried without the key: how far it came, and the setting that leads there."""

import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from cashin_async import ConfigurationError, Settings
from cashin_async.transport.probe import Probe, probe, without_login
from tests.transport.conftest import LONG, Server, ca_file, closed_port, hang, http, say, server_tls
from tests.transport.test_proxies import Proxy

PASSWORD = "Pa55wordOfNobody"


async def probed(url: str, **settings: Any) -> Probe:
    started = time.monotonic()
    found = await probe(Settings(base_url=url, **{"connect_timeout": 1.0, **settings}))
    assert time.monotonic() - started < 2.5, "bounded by connect_timeout"
    assert PASSWORD not in repr(found)
    return found


@pytest.mark.parametrize("status", [200, 301, 401, 404, 500])
async def test_whatever_speaks_http_answers(status: int) -> None:
    async with Server(http(status)) as server:
        found = await probed(server.url)
    assert (found.why_not, found.status, found.tls, found.proxy) == (None, status, None, None)
    assert found.addresses == ("127.0.0.1",)
    (request,) = server.requests
    assert request.line.startswith("GET / ")
    assert request.all("X-Api-Key") == request.all("Authorization") == request.all("Cookie") == []
    assert request.body == b""


async def test_tls_with_the_authorities_of_an_upload(tmp_path: Path) -> None:
    async with Server(tls=server_tls("127.0.0.1")) as server:
        found = await probed(server.url, ca_file=ca_file(tmp_path))
        refused = await probed(server.url)
    assert found.why_not is None
    assert found.tls is not None
    assert found.tls.startswith("TLSv1.")
    assert found.expires is not None
    assert found.expires.timestamp() > time.time()
    assert refused.why_not is not None
    assert "certificate is not trusted" in refused.why_not
    assert "(ca_file)" in refused.why_not


async def test_a_certificate_of_another_host(tmp_path: Path) -> None:
    async with Server(tls=server_tls("other.example.test")) as server:
        found = await probed(server.url, ca_file=ca_file(tmp_path))
    assert found.why_not is not None
    assert found.why_not.endswith("(base_url)"), found.why_not


async def test_a_certificate_that_nobody_verifies_has_no_end(tmp_path: Path) -> None:
    async with Server(tls=server_tls("other.example.test")) as server:
        found = await probed(server.url, verify_tls=False)
    assert (found.why_not, found.expires) == (None, None)
    assert found.tls is not None


@pytest.mark.parametrize("off", [-7200, 0, 90])
async def test_the_clock_beside_the_servers(off: int) -> None:
    date = formatdate(time.time() - off, usegmt=True)
    async with Server(http(200, fields=f"Date: {date}\r\n")) as server:
        found = await probed(server.url)
    assert found.ahead is not None
    assert off - 1 <= found.ahead <= off + 2


@pytest.mark.parametrize("date", ["", "Date: soon\r\n", "Date: Sat, 01 Jan 999999 00:00:00 GMT\r\n"])
async def test_an_answer_without_a_date_that_can_be_read(date: str) -> None:
    async with Server(http(200, fields=date)) as server:
        found = await probed(server.url)
    assert (found.why_not, found.ahead) == (None, None)


async def test_a_name_that_there_is_not() -> None:
    found = await probed("https://does-not-exist.invalid")
    assert found.addresses == ()
    assert found.why_not is not None
    assert "cannot be resolved" in found.why_not
    assert "(base_url)" in found.why_not


async def test_a_name_service_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own patience would be half a minute, and the thread that waits cannot be stopped."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(LONG))
    try:
        found = await probed("https://api.example.test", connect_timeout=0.3)
    finally:
        over.set()
    assert found.why_not == "the name of api.example.test was not resolved within connect_timeout (base_url)"


async def test_nobody_listens() -> None:
    found = await probed(f"http://127.0.0.1:{closed_port()}")
    assert found.why_not is not None
    assert "connection refused (base_url)" in found.why_not


@pytest.mark.parametrize("tls", [False, True])
async def test_a_server_that_says_nothing(tls: bool, tmp_path: Path) -> None:
    async with Server(hang, tls=server_tls("127.0.0.1") if tls else None) as server:
        found = await probed(server.url, ca_file=ca_file(tmp_path), connect_timeout=0.4)
    assert found.why_not == "connected, but no answer within connect_timeout (base_url)"
    assert (found.tls is not None) is tls


async def test_tls_that_never_comes(tmp_path: Path) -> None:
    async with Server(hang) as server:
        found = await probed(f"https://127.0.0.1:{server.port}", ca_file=ca_file(tmp_path), connect_timeout=0.4)
    assert found.why_not == "no connection within connect_timeout (base_url)"


async def test_what_is_not_http() -> None:
    async with Server(say(b"220 smtp.example.test ready\r\n", close=True)) as server:
        found = await probed(server.url)
    assert found.why_not is not None
    assert "not HTTP (base_url)" in found.why_not


async def test_through_a_proxy(tmp_path: Path) -> None:
    async with Server(tls=server_tls("api.example.test")) as server, Proxy(server.port) as proxy:
        url = proxy.url.replace("//", f"//user:{PASSWORD}@")
        found = await probed("https://api.example.test", proxy=url, ca_file=ca_file(tmp_path))
    assert (found.why_not, found.status) == (None, 202)
    assert found.proxy == f"http://***@{proxy.address}"
    assert found.addresses == ("127.0.0.1",)


async def test_a_proxy_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{closed_port()}")
    found = await probed("https://api.example.test")
    assert found.why_not is not None
    assert "cannot connect to the proxy: connection refused (proxy)" in found.why_not
    monkeypatch.setenv("NO_PROXY", "api.example.test")
    assert (await probed("https://api.example.test")).proxy is None


@pytest.mark.parametrize(("status", "word"), [(407, "it wants a login: proxy"), (403, "proxy, base_url")])
async def test_a_proxy_that_refuses(status: int, word: str) -> None:
    async with Server(http(status)) as proxy:
        found = await probed("https://api.example.test", proxy=proxy.url)
    assert found.why_not is not None
    assert f"HTTP {status} ({word})" in found.why_not


async def test_a_proxy_whose_name_there_is_not() -> None:
    found = await probed("https://api.example.test", proxy="http://does-not-exist.invalid:3128")
    assert found.why_not is not None
    assert "the name of the proxy cannot be resolved" in found.why_not
    assert "(proxy)" in found.why_not


async def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ca_file"):
        await probed("https://127.0.0.1", ca_file=str(tmp_path / "none.pem"))


def test_a_login_is_never_shown() -> None:
    assert without_login("http://10.0.0.1:3128") == "http://10.0.0.1:3128"
    assert without_login(f"http://user:{PASSWORD}@10.0.0.1:3128") == "http://***@10.0.0.1:3128"
    assert without_login(f"https://{PASSWORD}@[::1]:3128/") == "https://***@[::1]:3128"
