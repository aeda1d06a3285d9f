"""A server that only counts, and can be slow, strict or fickle on request: the sink where `sink.c` is too simple.

    python -m benchmarks.sink [--delay 0.05] [--jitter 0.5] [--rate 50] [--retry-after] [--halve-after 20]

It prints the port on which it listens. A POST is answered with 202 and the right count, after `--delay` seconds give or
take the share `--jitter`. With `--rate`, requests beyond so many in any one second (a sliding window) are answered with
429; `--halve-after` seconds after the first request that rate becomes half. A GET answers with what happened, as JSON.
"""

import argparse
import asyncio
import gzip
import json
import math
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

_MARK = b'"InvoiceNumber":'
_REASONS = {200: b"OK", 202: b"Accepted", 429: b"Too Many Requests"}


@dataclass(slots=True)
class Terms:
    """How the sink treats its clients. Seconds, and requests a second."""

    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    retry_after: bool = False
    halve_after: float | None = None


@dataclass(slots=True)
class Counts:
    """What happened. Times in seconds since the first request."""

    requests: int = 0
    invoices: int = 0
    bytes: int = 0
    delayed: float = 0.0
    """All delays together: what Little's bound is computed from."""
    began: float | None = None
    allowed: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)


class Server:
    """Decides about each request when it has arrived as a whole."""

    def __init__(self, terms: Terms, clock: Callable[[], float] = time.monotonic) -> None:
        self.terms = terms
        self.counts = Counts()
        self._clock = clock
        self._draw = random.Random(1)  # the same delays in each round
        self._last_second: deque[float] = deque()

    def post(self, head: bytes, body: bytes) -> tuple[float, bytes]:
        """When to answer (in seconds from now), and with what."""
        terms, counts = self.terms, self.counts
        now = self._clock()
        if counts.began is None:
            counts.began = now
        delay = terms.delay * (1 + terms.jitter * self._draw.uniform(-1, 1))
        since = now - counts.began
        if terms.rate is not None:
            if not self._allows(since):
                counts.refused.append(since)
                return delay, self._refusal(since)
            self._last_second.append(since)
            counts.allowed.append(since)
        counts.requests += 1
        counts.bytes += len(body)
        if b"content-encoding: gzip" in head:
            body = gzip.decompress(body)
        found = body.count(_MARK)
        counts.invoices += found
        receipt = {
            "StatusDescription": "ok",
            "UploadedInvoicesCount": found,
            "FailedInvoicesCount": 0,
            "FailedInvoices": None,
        }
        return delay, _answer(202, json.dumps(receipt).encode())

    def _allows(self, now: float) -> bool:
        rate = self.terms.rate
        assert rate is not None
        if self.terms.halve_after is not None and now >= self.terms.halve_after:
            rate /= 2
        while self._last_second and self._last_second[0] <= now - 1:
            self._last_second.popleft()
        return len(self._last_second) < rate

    def _refusal(self, now: float) -> bytes:
        more = b""
        if self.terms.retry_after:
            free = self._last_second[0] + 1 - now if self._last_second else 1.0
            more = b"Retry-After: %d\r\n" % max(1, math.ceil(free))
        return _answer(429, b"{}", more)

    def report(self) -> bytes:
        counts = self.counts
        names = ("requests", "invoices", "bytes", "delayed", "allowed", "refused")
        return _answer(200, json.dumps({name: getattr(counts, name) for name in names}).encode())


def _answer(status: int, body: bytes, more: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (status, _REASONS[status], more, len(body)) + body


class Connection(asyncio.Protocol):
    """One keep-alive connection: reads a request by its Content-Length."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self.head = b""
        self.parts: list[bytes] = []
        self.missing = -1

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            data = b"".join([*self.parts, data])
            self.parts.clear()
            self.head, found, body = data.partition(b"\r\n\r\n")
            if not found:
                self.parts.append(data)
                return
            self.head = self.head.lower()
            length = self.head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.missing, data = int(length or 0), body
        self.parts.append(data)
        self.missing -= len(data)
        if self.missing == 0:
            self.answer(b"".join(self.parts))
            self.parts.clear()
            self.missing = -1

    def answer(self, body: bytes) -> None:
        if self.head.startswith(b"get "):
            self.transport.write(self.server.report())
            return
        delay, answer = self.server.post(self.head, body)
        if delay:
            asyncio.get_running_loop().call_later(delay, self.write_late, answer, time.monotonic())
        else:
            self.transport.write(answer)

    def write_late(self, answer: bytes, came: float) -> None:
        """What counts is the delay that was: timers are up to a millisecond late."""
        self.server.counts.delayed += time.monotonic() - came
        self.transport.write(answer)


async def serve(terms: Terms) -> None:
    server = Server(terms)
    listening = await asyncio.get_running_loop().create_server(lambda: Connection(server), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--retry-after", action="store_true")
    parser.add_argument("--halve-after", type=float)
    _run(serve(Terms(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
