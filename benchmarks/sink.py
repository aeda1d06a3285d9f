"""A server that only counts: the fastest receiver that still gives right receipts. `python sink.py [PORT [DELAY]]`.

It answers at once, or after DELAY seconds.
"""

import asyncio
import sys

_MARK = b'"InvoiceNumber":'


class Sink(asyncio.Protocol):
    """One keep-alive connection: reads a POST by its Content-Length, counts its invoices, answers 202."""

    def __init__(self, delay: float) -> None:
        self.delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.parts: list[bytes] = []
        self.missing = -1

    def data_received(self, data: bytes) -> None:
        if self.missing < 0:
            data = b"".join([*self.parts, data])
            self.parts.clear()
            head, found, body = data.partition(b"\r\n\r\n")
            if not found:
                self.parts.append(data)
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            self.missing, data = length, body
        self.parts.append(data)
        self.missing -= len(data)
        if self.missing == 0:
            self.answer(b"".join(self.parts).count(_MARK))
            self.parts.clear()
            self.missing = -1

    def answer(self, count: int) -> None:
        body = (
            b'{"StatusDescription":"ok","UploadedInvoicesCount":%d,"FailedInvoicesCount":0,"FailedInvoices":null}'
            % count
        )
        head = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, head + body)
        else:
            self.transport.write(head + body)


async def main(port: int = 0, delay: float = 0.0) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3])))
