"""The wire: requests that were encoded before the clock started, as fast as sockets take them."""

import selectors
import socket
import time
from contextlib import suppress
from functools import cache
from itertools import cycle

from benchmarks.invoices import lines
from benchmarks.programs.job import Job, chunks
from benchmarks.programs.raw_socket import head_of

_DIFFERENT = 10_000
"""Invoices encoded; they go out over and over. 28 MB, more than a processor's cache keeps."""


@cache
def _requests(chunk: int) -> list[bytes]:
    bodies = (b"[" + b",".join(map(bytes.strip, part)) + b"]" for part in chunks(lines(_DIFFERENT), chunk))
    return [head_of(body) + body for body in bodies]


class _Lane:
    """One connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.rest = memoryview(b"")

    def write(self) -> None:
        with suppress(BlockingIOError):
            self.rest = self.rest[self.socket.send(self.rest) :]


def ready_bytes(job: Job) -> int:
    """Whole rounds of the same requests, for `at_least` seconds; gives how many invoices were accepted."""
    requests = _requests(job.chunk)
    return 0 if not job.at_least else _blast(job, requests)


def _blast(job: Job, requests: list[bytes]) -> int:
    endless, accepted, busy = cycle(requests), 0, 0
    until = time.perf_counter() + job.at_least
    selector = selectors.DefaultSelector()
    lanes = [_Lane(job.port) for _ in range(job.concurrency)]
    for lane in lanes:
        lane.rest = memoryview(next(endless))
        busy += 1
        selector.register(lane.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, lane)
    while busy:
        for key, events in selector.select():
            lane = key.data
            if events & selectors.EVENT_WRITE:
                lane.write()
                if not lane.rest:
                    selector.modify(lane.socket, selectors.EVENT_READ, lane)
            if events & selectors.EVENT_READ:
                accepted += _count(lane.socket.recv(65536))
                if time.perf_counter() >= until:
                    busy -= 1
                    selector.unregister(lane.socket)
                    lane.socket.close()
                    continue
                lane.rest = memoryview(next(endless))
                lane.write()
                if lane.rest:
                    selector.modify(lane.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, lane)
    return accepted


def _count(answer: bytes) -> int:
    """The sink's answers are small and come in one piece."""
    return int(answer.partition(b'"UploadedInvoicesCount":')[2].partition(b",")[0])
