"""The limit: the same work on one blocking socket. No event loop, no duplicates found, no fault survived."""

import socket
from collections.abc import Callable, Iterable

import msgspec

from benchmarks.invoices import structs
from benchmarks.programs.job import Item, Job, chunks
from cashin_async import SalesInvoice, UploadReceipt

_decode = msgspec.json.Decoder(SalesInvoice).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_receipt = msgspec.json.Decoder(UploadReceipt).decode


def from_lines(job: Job) -> int:
    """Read, check with types, join, send, read the receipt."""
    return _send(job, job.lines(), _checked)


def from_structs(job: Job) -> int:
    """Build, encode a chunk in one go, send, read the receipt."""
    return _send(job, structs(job.count), _encode)


def _checked(chunk: list[bytes]) -> bytes:
    for line in chunk:
        _decode(line)
    chunk[0] = b"[" + chunk[0]  # around the whole they would copy it twice
    chunk[-1] += b"]"
    return b",".join(chunk)


def _send(job: Job, invoices: Iterable[Item], body_of: Callable[[list[Item]], bytes]) -> int:
    accepted = 0
    with socket.create_connection(("127.0.0.1", job.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for chunk in chunks(invoices, job.chunk):
            body = body_of(chunk)
            connection.sendall(head_of(body))
            connection.sendall(body)
            accepted += _receipt(_answer(connection)).uploaded_invoices_count
    return accepted


def head_of(body: bytes) -> bytes:
    request = b"POST /v2/gensalesinvoices HTTP/1.1\r\nHost: sink\r\nContent-Type: application/json\r\n"
    return request + b"Content-Length: %d\r\n\r\n" % len(body)


def _answer(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"}" not in data:
        data += connection.recv(65536)
    return data.partition(b"\r\n\r\n")[2]
