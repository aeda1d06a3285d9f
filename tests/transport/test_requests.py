"""What exactly is sent, over which connections, and what is told of an answer."""

import asyncio
import re
import warnings
from typing import Any

import pytest

import cashin_async
from cashin_async.transport.exchange import Answered
from tests.transport.conftest import (
    BODY,
    KEY,
    LONG,
    Request,
    Server,
    hang,
    http,
    in_turn,
    pool_to,
    post,
    say,
    server_tls,
    until,
)

# -- what is sent


async def test_the_request_is_exactly_this() -> None:
    async with Server() as server:
        await post(server.url)
    (request,) = server.requests
    assert request.line == "POST /v2/gensalesinvoices HTTP/1.1"
    fields = dict(request.fields)
    assert re.fullmatch(r"gzip, deflate(, \w+)*", fields.pop("Accept-Encoding"))
    assert sorted(fields.items()) == [
        ("Accept", "application/json"),
        ("Content-Length", str(len(BODY))),
        ("Content-Type", "application/json"),
        ("Host", f"127.0.0.1:{server.port}"),
        ("User-Agent", f"cashin-async/{cashin_async.__version__}"),
        ("X-Api-Key", KEY),
    ]
    assert len(request.fields) == 7, "no header twice"


@pytest.mark.parametrize(
    "size", [2, 1000, 2**16, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20], ids=lambda size: f"{size} bytes"
)
async def test_the_body_is_the_bytes_given(size: int) -> None:
    body = (b"[" + bytes(range(256)) * (size // 256 + 1))[: size - 1] + b"]"
    async with Server() as server:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # aiohttp warns of bodies above 1 MiB
            exchange = await post(server.url, body)
    assert isinstance(exchange, Answered)
    (request,) = server.requests
    assert request.body == body
    assert request.all("Content-Length") == [str(size)]
    assert request.all("Content-Type") == ["application/json"]
    assert request.all("Transfer-Encoding") == []
    assert request.all("Expect") == []


@pytest.mark.parametrize(
    ("suffix", "path"),
    [("", ""), ("/", ""), ("/gateway", "/gateway"), ("/gateway/cash-in/", "/gateway/cash-in")],
)
async def test_the_path_goes_behind_the_base_url(suffix: str, path: str) -> None:
    async with Server() as server:
        await post(server.url + suffix)
    assert server.requests[0].line == f"POST {path}/v2/gensalesinvoices HTTP/1.1"


async def test_no_cookie_is_kept() -> None:
    async with Server(http(fields="Set-Cookie: session=1; Path=/\r\n")) as server, pool_to(server.url) as pool:
        await pool.post(BODY)
        await pool.post(BODY)
    assert [request.all("Cookie") for request in server.requests] == [[], []]


# -- what is connected


async def test_a_connection_is_kept_alive() -> None:
    async with Server() as server, pool_to(server.url) as pool:
        for _ in range(5):
            assert isinstance(await pool.post(BODY), Answered)
    assert server.connections == 1
    assert len(server.requests) == 5


async def test_a_connection_idle_for_longer_than_keepalive_is_not_used_again() -> None:
    async with Server() as server, pool_to(server.url, keepalive=0.05) as pool:
        await pool.post(BODY)
        await asyncio.sleep(0.15)
        await pool.post(BODY)
    assert server.connections == 2


async def test_a_connection_that_the_server_gives_up_is_not_used_again() -> None:
    async with Server(http(fields="Connection: close\r\n")) as server, pool_to(server.url) as pool:
        assert isinstance(await pool.post(BODY), Answered)
        assert isinstance(await pool.post(BODY), Answered)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"concurrency": 3}, 3),
        ({"connections": 2, "concurrency": 8}, 2),
        ({"connections": 4, "sessions": 2}, 4),
        ({"connections": 3, "sessions": 2}, 3),
    ],
    ids=str,
)
async def test_no_more_connections_than_the_setting_says(settings: dict[str, Any], most: int) -> None:
    async def slowly(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(http())

    async with Server(slowly) as server, pool_to(server.url, **settings) as pool:
        exchanges = await asyncio.gather(*(pool.post(BODY) for _ in range(12)))
    assert all(isinstance(exchange, Answered) for exchange in exchanges)
    assert server.most_open <= most


async def test_several_sessions_share_the_requests() -> None:
    async with Server() as server, pool_to(server.url, sessions=3, connections=3) as pool:
        for _ in range(6):
            await pool.post(BODY)
    assert server.connections == 3


async def test_closing_leaves_no_connection_open() -> None:
    async with Server(tls=server_tls("127.0.0.1")) as server:
        async with pool_to(server.url, verify_tls=False, connections=3) as pool:
            await asyncio.gather(*(pool.post(BODY) for _ in range(3)))
            assert server.open == 3
        await until(lambda: server.open == 0)


# -- what is told of an answer


async def test_an_answer_is_told_whole() -> None:
    body = b'{"Message":"no"}'
    fields = "Retry-After: 7\r\nDate: Sat, 21 Nov 2026 11:00:00 GMT\r\nX-RateLimit-Remaining: 0\r\nSet-Cookie: a=b\r\n"
    async with Server(http(400, body, fields)) as server:
        exchange = await post(server.url, wall_clock=lambda: 1_800_000_000.25)
    assert isinstance(exchange, Answered)
    assert (exchange.status, exchange.body, exchange.generation) == (400, body, 0)
    assert exchange.received == 1_800_000_000.25
    assert type(exchange.headers) is dict
    assert exchange.headers == {
        "retry-after": "7",
        "date": "Sat, 21 Nov 2026 11:00:00 GMT",
        "x-ratelimit-remaining": "0",
    }


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
async def test_header_names_are_in_lower_case(name: str) -> None:
    async with Server(http(429, b"", f"{name}: 3\r\n")) as server:
        exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert exchange.headers["retry-after"] == "3"


async def test_elapsed_is_from_the_call_to_the_end_of_the_answer() -> None:
    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        answer = http()
        await asyncio.sleep(0.05)
        writer.write(answer[:-5])
        await asyncio.sleep(0.05)
        writer.write(answer[-5:])

    async with Server(late) as server:
        exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert 0.09 < exchange.elapsed < 1.0


# -- cancelling


async def test_cancelling_a_post_goes_through_and_the_pool_still_works() -> None:
    async with Server(in_turn(hang, say(http()))) as server, pool_to(server.url, connections=1) as pool:
        task = asyncio.create_task(pool.post(BODY))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await pool.post(BODY), Answered)
    assert server.connections == 2, "a cancelled exchange's connection is not used again"


async def test_cancelling_a_post_that_waits_for_a_connection() -> None:
    async with Server(in_turn(hang, say(http()))) as server, pool_to(server.url, connections=1) as pool:
        first, second = (asyncio.create_task(pool.post(BODY)) for _ in range(2))
        await until(lambda: len(server.requests) == 1)
        second.cancel()
        first.cancel()
        for task in (first, second):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert isinstance(await pool.post(BODY), Answered)
    assert len(server.requests) == 2


async def test_cancelling_a_post_that_waits_for_the_key() -> None:
    async def never() -> str:
        await asyncio.sleep(LONG)
        return KEY

    async with Server() as server, pool_to(server.url, key=never) as pool:
        task = asyncio.create_task(pool.post(BODY))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.connections == 0
