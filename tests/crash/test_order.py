"""What reaches the file before what reaches the socket."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cashin_async import CashIn, Settings
from cashin_async.simulator.samples import sample_invoices
from tests.crash.conftest import ROOT, Scene

RECEIPT = b'{"StatusDescription":"ok","UploadedInvoicesCount":%d,"FailedInvoicesCount":0,"FailedInvoices":null}'


async def test_each_number_is_posting_in_the_file_when_its_request_arrives(tmp_path: Path) -> None:
    """The server itself looks into the ledger, by a connection of its own, while the request is being read."""
    place = tmp_path / "ledger.db"
    seen: list[tuple[int, set[str]]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError), closing(writer):  # until the client leaves
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
                numbers = [one["InvoiceNumber"] for one in msgspec.json.decode(await reader.readexactly(length))]
                seen.append((len(numbers), states(place, numbers)))
                body = RECEIPT % len(numbers)
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    server = await asyncio.start_server(serve, "127.0.0.1", limit=2**22)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = Settings(base_url=f"http://127.0.0.1:{port}", ledger=str(place), concurrency=8)
        async with CashIn("key", settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(3000))
            assert report.accepted == 3000
            await cashin.invoices.create({"InvoiceNumber": 5})
    assert sum(count for count, _ in seen) == 3001
    assert all(found == {"posting"} for _, found in seen)


def states(place: Path, numbers: list[int]) -> set[str]:
    """What is on record of these, as another process would read it; "nothing" where nothing is."""
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as file:
        rows = file.execute(
            "SELECT chunk.state FROM json_each(?) AS asked LEFT JOIN number ON number.number = asked.value"
            " LEFT JOIN chunk ON chunk.id = number.chunk",
            (msgspec.json.encode(numbers).decode(),),
        ).fetchall()
    file.close()
    return {state or "nothing" for (state,) in rows}


def calls(trace: str) -> list[str]:
    """The order of what a process did: "write" and "sync" of the ledger's log, "send" of a request."""
    paths: dict[str, str] = {}
    found = []
    for line in trace.splitlines():
        if opened := re.search(r'openat\(.*"([^"]+)".*= (\d+)$', line):
            paths[opened[2]] = opened[1]
        elif written := re.search(r"(pwrite64|fdatasync|fsync)\((\d+)", line):
            if paths.get(written[2], "").endswith("-wal"):
                found.append("write" if written[1] == "pwrite64" else "sync")
        elif '"POST ' in line:
            found.append("send")
    return found


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_lease_is_synced_and_a_mark_is_written_before_its_request_is_sent(scene: Scene) -> None:
    trace = scene.folder / "trace"
    strace = [
        "strace",
        "-f",
        "-o",
        str(trace),
        "-e",
        "trace=openat,pwrite64,fdatasync,fsync,sendto,sendmsg,write,writev",
    ]
    process = subprocess.Popen([*strace, *scene.command("--concurrency", "1")], cwd=ROOT, stdout=subprocess.PIPE)
    report: dict[str, Any] | None = scene.wait(process)
    scene.check_complete(report)
    order = calls(trace.read_text(errors="replace"))
    sends = [place for place, what in enumerate(order) if what == "send"]
    assert len(sends) == scene.simulator.requests
    assert "sync" in order[: sends[0]], "the lease was not synced before the first request"
    for before, send in zip([-1, *sends], sends, strict=False):
        assert "write" in order[before + 1 : send], "no mark was written before the request"
