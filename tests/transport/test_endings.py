"""Every way in which an exchange can end, over real sockets, and what it is told as."""

import asyncio
import gzip
import random
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cashin_async import ConfigurationError
from cashin_async.bulk.verdict import Proof, judge
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent
from tests.transport.conftest import (
    BODY,
    KEY,
    LONG,
    RECEIPT,
    Request,
    Server,
    ca_file,
    closed_port,
    hang,
    http,
    in_turn,
    no_proof,
    not_sent,
    pool_to,
    post,
    say,
    server_tls,
    until,
)

# -- not sent


async def test_a_name_that_does_not_exist() -> None:
    exchange = await post("https://does-not-exist.invalid")
    not_sent(exchange, "cannot connect to does-not-exist.invalid:443: its name cannot be resolved")


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".test"], ids=["empty label", "long label"])
async def test_a_name_that_cannot_exist(host: str) -> None:
    with suppress(ConfigurationError):  # to say so at once is as good
        not_sent(await post(f"https://{host}"), "")


async def test_a_port_where_nobody_listens() -> None:
    port = closed_port()
    not_sent(await post(f"http://127.0.0.1:{port}"), f"cannot connect to 127.0.0.1:{port}")


async def test_neither_address_of_a_name_answers() -> None:
    port = closed_port()
    not_sent(await post(f"http://localhost:{port}"), f"cannot connect to localhost:{port}")


@asynccontextmanager
async def silent_listener() -> AsyncIterator[int]:
    """Accepts connections and says nothing: a TLS handshake there never ends."""
    async with Server() as server:
        yield server.port


async def test_connecting_takes_too_long() -> None:
    async with silent_listener() as port:
        exchange = await post(f"https://127.0.0.1:{port}", connect_timeout=0.1)
    not_sent(exchange, "connect_timeout", timed_out=True)
    assert exchange.elapsed < 1.0


async def test_connecting_takes_longer_than_the_whole_exchange_may() -> None:
    async with silent_listener() as port:
        exchange = await post(f"https://127.0.0.1:{port}", connect_timeout=10.0, timeout=0.2)
    not_sent(exchange, "", timed_out=True)
    assert exchange.elapsed < 1.0


@pytest.mark.parametrize("connect_timeout", [0.1, 10.0])
async def test_waiting_for_a_connection_of_the_pool_takes_too_long(connect_timeout: float) -> None:
    settings: dict[str, Any] = {"connections": 1, "connect_timeout": connect_timeout, "timeout": 0.3}
    async with Server(hang) as server, pool_to(server.url, **settings) as pool:
        first = asyncio.create_task(pool.post(b"[1]"))
        await until(lambda: len(server.requests) == 1)
        not_sent(await pool.post(b"[2]"), "connect_timeout", timed_out=True)
        no_proof(await first, "", timed_out=True)
    assert [request.body for request in server.requests] == [b"[1]"]


async def test_having_waited_for_a_connection_does_not_mean_not_sent() -> None:
    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(http())

    async with Server(in_turn(late, hang)) as server, pool_to(server.url, connections=1, timeout=0.4) as pool:
        first, second = await asyncio.gather(pool.post(b"[1]"), pool.post(b"[2]"))
    assert isinstance(first, Answered)
    no_proof(second, "within timeout", timed_out=True)
    assert [request.body for request in server.requests] == [b"[1]", b"[2]"]


@pytest.mark.parametrize("seed", range(4))
async def test_not_sent_is_never_said_of_what_the_server_has(seed: int) -> None:
    chance = random.Random(seed)

    async def moody(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(chance.choice([0.0, 0.01, 0.04, 0.3]))
        if chance.random() < 0.2:
            writer.transport.abort()
        else:
            writer.write(http(fields=chance.choice(["", "Connection: close\r\n"])))

    bodies = [b"[%d]" % number for number in range(60)]
    settings: dict[str, Any] = {"connections": 3, "connect_timeout": 0.06, "timeout": 0.15, "keepalive": 0.02}
    async with Server(moody) as server, pool_to(server.url, **settings) as pool:

        async def later(body: bytes) -> Exchange:
            await asyncio.sleep(chance.random() * 0.2)
            return await pool.post(body)

        exchanges = await asyncio.gather(*map(later, bodies))
        await asyncio.sleep(0.02)
    arrived = [request.body for request in server.requests]
    assert len(arrived) == len(set(arrived)), "something was sent twice"
    for body, exchange in zip(bodies, exchanges, strict=True):
        assert body not in arrived or not isinstance(exchange, NotSent)
        assert body in arrived or not isinstance(exchange, Answered)
    assert {type(exchange) for exchange in exchanges} == {Answered, NotSent, NoProof}


# -- not sent: TLS


async def test_a_certificate_of_an_authority_that_is_not_trusted() -> None:
    async with Server(tls=server_tls("127.0.0.1")) as server:
        not_sent(await post(server.url), "certificate is not trusted")
    assert server.requests == []


async def test_a_certificate_for_another_host(tmp_path: Path) -> None:
    async with Server(tls=server_tls("other.example.test")) as server:
        exchange = await post(server.url, ca_file=ca_file(tmp_path))
    not_sent(exchange, "certificate is not trusted")
    assert server.requests == []


async def test_https_where_plain_http_is_spoken() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks plain HTTP")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        exchange = await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    not_sent(exchange, "TLS failed")


async def test_a_server_that_hangs_up_in_the_handshake() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        exchange = await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    not_sent(exchange, "cannot connect")


# -- no proof

CHUNKED = "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(RECEIPT)


def encoded(body: bytes, encoding: str = "gzip") -> bytes:
    return http(202, body, f"Content-Encoding: {encoding}\r\n")


CUT_SHORT: dict[str, bytes] = {
    "Content-Length too large": http(length=len(RECEIPT) + 10),
    "no byte of the body": http(body=b"", length=len(RECEIPT)),
    "chunked, cut inside a chunk": CHUNKED.encode() + b"57\r\n" + RECEIPT[:20],
    "chunked, cut between chunks": CHUNKED.encode() + b"57\r\n" + RECEIPT.ljust(0x57) + b"\r\n",
    "chunked, without its last line": CHUNKED.encode() + b"57\r\n" + RECEIPT.ljust(0x57) + b"\r\n0\r\n",
    "chunked, a size that is no number": CHUNKED.encode() + b"zz\r\n" + RECEIPT + b"\r\n0\r\n\r\n",
    "gzip, corrupt": encoded(ZIPPED[:20] + b"\0\0\0\0" + ZIPPED[24:]),
    "gzip, a wrong checksum": encoded(ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:]),
    "not gzip at all": encoded(RECEIPT),
    "deflate, corrupt": encoded(b"\x78\x9c" + RECEIPT, "deflate"),
}
NOT_HTTP: dict[str, bytes] = {
    "prose": b"this is not an HTTP answer\r\n\r\n",
    "HTML": b"<html><body>Bad gateway</body></html>\r\n\r\n",
    "a bare newline": b"\r\n\r\n\0\r\n\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "a status that is no number": b"HTTP/1.1 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP of the future": b"HTTP/9.9.9 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 202 Accepted\r\nContent-Length 2\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length that is no number": b"HTTP/1.1 202 Accepted\r\nContent-Length: two\r\n\r\n{}",
    "a length and chunks": b"HTTP/1.1 202 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an endless header": b"HTTP/1.1 202 Accepted\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "an HTTP/2 preface": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x00\x00\xff\xff",
}
LOST: dict[str, bytes] = {
    "half a status line": b"HTTP/1.1 20",
    "a status line alone": b"HTTP/1.1 202 Accepted\r\n",
    "half the headers": b"HTTP/1.1 202 Accepted\r\nContent-Le",
    "100 and no more": b"HTTP/1.1 100 Continue\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", CUT_SHORT.values(), ids=CUT_SHORT)
async def test_an_answer_cut_short_is_no_proof(answer: bytes) -> None:
    async with Server(say(answer, close=True)) as server:
        no_proof(await post(server.url), "the answer")
    assert len(server.requests) == 1


@pytest.mark.parametrize("left", range(10, len(ZIPPED), 7))
async def test_a_receipt_whose_gzip_stream_stops_short_cannot_be_taken_for_a_whole_one(left: int) -> None:
    async with Server(encoded(ZIPPED[:left])) as server:
        exchange = await post(server.url)
    if isinstance(exchange, Answered):  # aiohttp tells a gzip stream without its end from a whole one only at times
        assert exchange.body == RECEIPT or judge(exchange, [251600001]).proof is Proof.NOTHING
    else:
        no_proof(exchange, "the answer was cut short")


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=NOT_HTTP)
async def test_an_answer_that_is_not_http_is_no_proof(answer: bytes) -> None:
    async with Server(say(answer, close=True)) as server:
        exchange = await post(server.url)
    no_proof(exchange, "")
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
async def test_a_disconnect_after_reading_is_no_proof(answer: bytes) -> None:
    async with Server(say(answer, close=True)) as server:
        no_proof(await post(server.url), "")
    assert [request.body for request in server.requests] == [BODY]


async def test_a_reset_after_reading_is_no_proof() -> None:
    async def reset(request: Request, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with Server(reset) as server:
        no_proof(await post(server.url), "the connection was lost")
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [30, 3_000_000])
async def test_a_disconnect_before_reading_is_no_proof(size: int) -> None:
    connections = 0

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await asyncio.sleep(0.02)
        writer.transport.abort()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    async with server:
        exchange = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", b"x" * size)
    no_proof(exchange, "the connection was lost")
    assert connections == 1


async def test_a_server_that_hangs_is_no_proof_after_read_timeout() -> None:
    async with Server(hang) as server:
        exchange = await post(server.url, read_timeout=0.1)
    no_proof(exchange, "no answer within read_timeout", timed_out=True)
    assert 0.08 < exchange.elapsed < 1.0


async def test_a_server_that_hangs_is_no_proof_after_timeout() -> None:
    async with Server(hang) as server:
        exchange = await post(server.url, timeout=0.1)
    no_proof(exchange, "within timeout", timed_out=True)
    assert 0.08 < exchange.elapsed < 1.0


async def test_an_answer_that_trickles_is_no_proof_after_timeout() -> None:
    async def trickle(request: Request, writer: asyncio.StreamWriter) -> None:
        for byte in http():
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async with Server(trickle) as server:
        exchange = await post(server.url, timeout=0.25, read_timeout=0.1)
    no_proof(exchange, "no whole answer within timeout", timed_out=True)


async def test_an_answer_that_stops_in_its_body_is_no_proof_after_read_timeout() -> None:
    async def stop(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(http()[:-10])
        await asyncio.sleep(LONG)

    async with Server(stop) as server:
        exchange = await post(server.url, read_timeout=0.1)
    no_proof(exchange, "read_timeout", timed_out=True)


async def test_a_body_that_nobody_reads_is_no_proof_after_timeout() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    async with server:
        port = server.sockets[0].getsockname()[1]
        exchange = await post(f"http://127.0.0.1:{port}", b"x" * 20_000_000, timeout=0.2)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
    no_proof(exchange, "timeout", timed_out=True)


@pytest.mark.parametrize(
    "answer",
    [
        http(202, b"x" * 1001, length=5000),
        encoded(gzip.compress(b"\0" * 10_000_000)),
        CHUNKED.encode() + b"fffff\r\n" + b"x" * 5000,
    ],
    ids=["plain", "a gzip bomb", "an endless chunk"],
)
async def test_an_answer_larger_than_max_answer_is_no_proof(answer: bytes) -> None:
    async with Server(answer) as server, pool_to(server.url, max_answer=1000) as pool:
        no_proof(await pool.post(BODY), "larger than max_answer (1000 bytes)")
        await until(lambda: server.open == 0)
        await pool.post(BODY)
    assert server.connections == 2, "a connection with the rest of an answer in it is not used again"


async def test_an_answer_as_large_as_max_answer_is_read() -> None:
    async with Server(http(202, b"x" * 1000)) as server:
        exchange = await post(server.url, max_answer=1000)
    assert isinstance(exchange, Answered)
    assert exchange.body == b"x" * 1000


async def test_a_kept_connection_that_the_server_just_closed_is_no_proof_and_nothing_goes_twice() -> None:
    loop = asyncio.get_running_loop()
    received: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)

        async def take() -> socket.socket:
            connection, _ = await loop.sock_accept(listener)
            data = b""
            while not data.endswith(BODY):
                data += await loop.sock_recv(connection, 2**16)
            received.append(data)
            await loop.sock_sendall(connection, http())
            return connection

        async with pool_to(f"http://127.0.0.1:{listener.getsockname()[1]}") as pool:
            server = asyncio.create_task(take())
            assert isinstance(await pool.post(BODY), Answered)
            kept = await server
            again = asyncio.create_task(take())
            await asyncio.sleep(0.02)
            kept.close()  # now, and the client's loop has had no turn to notice
            no_proof(await pool.post(BODY), "the connection was lost")
            await asyncio.sleep(0.05)
            assert not again.done(), "the POST was sent a second time"
            assert len(received) == 1
            assert isinstance(await pool.post(BODY), Answered), "on a new connection"
            (await again).close()


async def test_a_kept_connection_that_dies_under_the_next_post_is_no_proof() -> None:
    async def drop(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with Server(in_turn(say(http()), drop, say(http()))) as server, pool_to(server.url) as pool:
        assert isinstance(await pool.post(b"[1]"), Answered)
        no_proof(await pool.post(b"[2]"), "the connection was lost")
        assert isinstance(await pool.post(b"[3]"), Answered)
    assert [request.body for request in server.requests] == [b"[1]", b"[2]", b"[3]"]


@pytest.mark.parametrize("pause", [0.0, 0.03], ids=["at once", "while idle"])
async def test_an_answer_too_many_is_not_taken_for_the_next_ones(pause: float) -> None:
    async def twice(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(http(202))
        await asyncio.sleep(pause)
        writer.write(http(202))

    async with Server(in_turn(twice, hang)) as server, pool_to(server.url, timeout=0.3) as pool:
        assert isinstance(await pool.post(b"[1]"), Answered)
        await asyncio.sleep(0.1)
        exchange = await pool.post(b"[2]")
    assert isinstance(exchange, NoProof), "the server has not answered this one"
    assert [request.body for request in server.requests] == [b"[1]", b"[2]"]


# -- answered


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302, 304, 307, 400, 401, 407, 413, 429, 500, 503, 599])
async def test_any_status_is_an_answer(status: int) -> None:
    body = b"" if status in (204, 304) else RECEIPT
    async with Server(http(status, body)) as server:
        exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert (exchange.status, exchange.body) == (status, body)


WHOLE: dict[str, bytes] = {
    "chunked": CHUNKED.encode() + b"57\r\n" + RECEIPT.ljust(0x57) + b"\r\n0\r\n\r\n",
    "gzip": encoded(ZIPPED),
    "deflate": encoded(zlib.compress(RECEIPT), "deflate"),
    "until the end": b"HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\n" + RECEIPT,
    "HTTP/1.0": b"HTTP/1.0 202 Accepted\r\n\r\n" + RECEIPT,
    "without a reason": b"HTTP/1.1 202 \r\nContent-Length: %d\r\n\r\n%b" % (len(RECEIPT), RECEIPT),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + http(),
    "102 first": b"HTTP/1.1 102 Processing\r\n\r\n" + http(),
    "103 first, twice": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + http(),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
async def test_an_answer_in_any_form_is_read_whole(answer: bytes) -> None:
    async with Server(say(answer, close=True)) as server:
        exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert (exchange.status, exchange.body.rstrip()) == (202, RECEIPT)


async def test_an_interim_answer_long_before_the_answer() -> None:
    async def twice(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(http())

    async with Server(twice) as server:
        exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert exchange.status == 202


@pytest.mark.parametrize("wait_for_more", [True, False], ids=["reading on", "closing at once"])
async def test_an_answer_before_the_body_is_read(wait_for_more: bool) -> None:
    connections = 0

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http(413, b"", "Connection: close\r\n"))
        try:
            if wait_for_more:
                writer.write_eof()
                await reader.read(-1)
        finally:
            writer.close()

    server = await asyncio.start_server(early, "127.0.0.1", 0)
    async with server:
        exchange = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", b"x" * 3_000_000)
    if wait_for_more:
        assert isinstance(exchange, Answered), exchange
    if isinstance(exchange, Answered):
        assert exchange.status == 413
    else:
        no_proof(exchange, "")  # the reset overtook the answer
    assert connections == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("other_host", [True, False], ids=["elsewhere", "same host"])
async def test_a_redirect_is_not_followed(status: int, other_host: bool) -> None:
    async with Server() as elsewhere:
        location = elsewhere.url if other_host else ""
        async with Server(http(status, b"", f"Location: {location}/v2/gensalesinvoices\r\n")) as server:
            exchange = await post(server.url)
    assert isinstance(exchange, Answered)
    assert exchange.status == status
    assert len(server.requests) == 1
    assert elsewhere.connections == 0
    assert KEY not in repr(exchange)
