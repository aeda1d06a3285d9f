"""`compress`: what exactly is sent then, where the work is done, and what is told when it cannot be done."""

import asyncio
import gzip
import threading
import time
from collections.abc import Callable

import pytest

from cashin_async.models.wire import encode
from cashin_async.simulator import Simulator
from cashin_async.simulator.samples import sample_invoices
from cashin_async.transport import pool as pool_module
from cashin_async.transport.exchange import Answered
from tests.transport.conftest import BODY, KEY, Server, http, no_proof, not_sent, pool_to, post, until

LARGE = b"[" + b",".join(map(encode, sample_invoices(100))) + b"]"
"""Compressed in a thread, which `BODY` is not."""
Replacing = Callable[[Callable[[bytes], bytes]], None]


@pytest.fixture
def compressing(monkeypatch: pytest.MonkeyPatch) -> Replacing:
    """Puts something else in the place of zlib."""
    return lambda compress: monkeypatch.setattr(pool_module, "_gzip", compress)


# -- what is sent


async def test_off_unless_asked() -> None:
    async with Server() as server:
        await post(server.url, LARGE)
    (request,) = server.requests
    assert request.body == LARGE
    assert request.all("Content-Encoding") == []


@pytest.mark.parametrize("body", [BODY, LARGE, LARGE * 20], ids=lambda body: f"{len(body)} bytes")
async def test_the_body_is_compressed_and_its_length_is_that_of_what_is_sent(body: bytes) -> None:
    async with Server() as server:
        exchange = await post(server.url, body, compress="gzip")
    assert isinstance(exchange, Answered)
    (request,) = server.requests
    assert gzip.decompress(request.body) == body
    assert request.all("Content-Encoding") == ["gzip"]
    assert request.all("Content-Length") == [str(len(request.body))]
    assert request.all("Content-Type") == ["application/json"]
    assert request.all("X-Api-Key") == [KEY]
    assert request.all("Transfer-Encoding") == []
    assert body is BODY or len(request.body) < len(body) / 5


async def test_what_has_no_body_is_not_compressed() -> None:
    async with Server(http(200)) as server, pool_to(server.url, compress="gzip") as pool:
        await pool.get("/v2/salesinvoices")
    (request,) = server.requests
    assert request.all("Content-Encoding") == []


async def test_each_exchange_compresses_its_body_once(compressing: Replacing) -> None:
    compressed: list[bytes] = []

    def noting(body: bytes) -> bytes:
        compressed.append(body)
        return gzip.compress(body)

    compressing(noting)
    async with Server() as server, pool_to(server.url, compress="gzip") as pool:
        for _ in range(3):
            await pool.post(BODY)
    assert compressed == [BODY] * 3


async def test_the_simulator_takes_it() -> None:
    async with Simulator() as simulator:
        exchange = await post(simulator.url, LARGE, compress="gzip")
        assert isinstance(exchange, Answered)
        assert exchange.status == 202
        assert len(simulator.store) == 100
        assert [(seen.encoding, seen.count) for seen in simulator.log] == [("gzip", 100)]


# -- where the work is done


@pytest.mark.parametrize(("body", "in_loop"), [(BODY, True), (LARGE, False)], ids=["small", "large"])
async def test_a_large_body_does_not_hold_up_the_event_loop(compressing: Replacing, body: bytes, in_loop: bool) -> None:
    threads: list[int] = []

    def noting(body: bytes) -> bytes:
        threads.append(threading.get_ident())
        return gzip.compress(body)

    compressing(noting)
    async with Server() as server:
        await post(server.url, body, compress="gzip")
    assert [thread == threading.get_ident() for thread in threads] == [in_loop]


# -- what is told when it cannot be done


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread"), OSError()], ids=repr)
async def test_what_could_not_be_compressed_was_not_sent(compressing: Replacing, body: bytes, error: Exception) -> None:
    def fail(_: bytes) -> bytes:
        raise error

    compressing(fail)
    async with Server() as server:
        not_sent(await post(server.url, body, compress="gzip"), f"could not be compressed ({type(error).__name__})")
    assert server.connections == 0


def slowly(begun: threading.Event) -> Callable[[bytes], bytes]:
    """Compresses so slowly that something else can happen meanwhile."""

    def compress(body: bytes) -> bytes:
        begun.set()
        time.sleep(0.05)
        return gzip.compress(body)

    return compress


async def test_cancelled_while_it_is_compressed(compressing: Replacing) -> None:
    begun = threading.Event()
    compressing(slowly(begun))
    async with Server() as server, pool_to(server.url, compress="gzip") as pool:
        task = asyncio.create_task(pool.post(LARGE))
        await until(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert server.connections == 0
        assert isinstance(await pool.post(LARGE), Answered)


async def test_closed_while_it_is_compressed(compressing: Replacing) -> None:
    begun = threading.Event()
    compressing(slowly(begun))
    async with Server() as server:
        async with pool_to(server.url, compress="gzip") as pool:
            task = asyncio.create_task(pool.post(LARGE))
            await until(begun.is_set)
        not_sent(await task, "the client is closed")
    assert server.connections == 0


async def test_a_lost_answer_proves_as_little_as_ever() -> None:
    async with Simulator(faults=["drop-after"]) as simulator:
        no_proof(await post(simulator.url, LARGE, compress="gzip"), "the connection was lost")
        assert len(simulator.store) == 100
