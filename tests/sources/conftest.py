"""Inputs of every form, uploaded to the real simulator over TCP."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from cashin_async import CashIn, Outcome, Settings, SourceError, UploadReport
from cashin_async.simulator.server import Simulator
from cashin_async.sources.files import Files, Path


def line(number: int, rest: str = "") -> bytes:
    """A small invoice as JSON."""
    return f'{{"InvoiceNumber":{number},"SalesName":"Essi","TotalAmount":100.10{rest}}}'.encode()


@dataclass
class Desk:
    """A simulator that keeps the invoices, and a client of it."""

    simulator: Simulator
    cashin: CashIn

    async def upload(self, invoices: Any, **options: Any) -> UploadReport:
        """The report, also when the input could not be read to its end."""
        problem: SourceError | None = None
        try:
            report = await self.cashin.invoices.upload(invoices, **options)
        except SourceError as error:
            problem = error
        if problem is not None:
            assert problem.report is not None
            report = problem.report
            assert report.exit_code == 3
        assert bool(report.source_errors) == (problem is not None)
        assert sum(report.counts.values()) == report.read
        assert self.simulator.store.twice == ()
        assert report.accepted == len(self.simulator.store)
        return report

    async def outcomes(self, invoices: Any) -> list[Outcome]:
        """Every outcome, in the order in which they became known."""
        async with self.cashin.invoices.uploading(invoices) as outcomes:
            return [outcome async for outcome in outcomes]

    @property
    def received(self) -> bytes:
        """All that was accepted, as the bytes that came: a JSON array."""
        return self.simulator.store.as_array()

    @property
    def numbers(self) -> list[int]:
        return sorted(self.simulator.store.numbers)


class Drip(io.RawIOBase):
    """Bytes that come a few at a time, as from a pipe whose writer is slow; and perhaps an error at the end."""

    def __init__(self, data: bytes, most: int, error: OSError | None = None) -> None:
        self._data = io.BytesIO(data)
        self._most = most
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        some = self._data.read(min(self._most, len(buffer)))
        if not some and self._error is not None:
            raise self._error
        buffer[: len(some)] = some
        return len(some)


def dripping(data: bytes, most: int = 1 << 20, error: OSError | None = None) -> Any:
    """A standard input that delivers at most so many bytes at once."""
    return io.BufferedReader(Drip(data, most, error))


def reasons(report: UploadReport) -> dict[str, str]:
    """The failures by their place, such as "a.jsonl:3"."""
    return {str(failure.source): failure.reason or "" for failure in report.failures}


def files_of(*files: Path, stdin: Any = None, **settings: Any) -> Files:
    """These files, as a run would read them with such settings."""
    return Files(Settings(base_url="https://localhost", **settings), *files, stdin=stdin)


async def places(source: Files) -> list[tuple[str, int | None]]:
    """Where each record stands and its number, without uploading them."""
    return [(str(source.locate(record.ref)), record.number) async for batch in source.batches() for record in batch]


MakeDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def desk() -> AsyncIterator[MakeDesk]:
    async with AsyncExitStack() as stack:

        async def make(*faults: str, **settings: Any) -> Desk:
            simulator = await stack.enter_async_context(Simulator(faults=faults, keep_invoices=True))
            chosen = Settings(base_url=simulator.url, **{"timeout": 2.0, "drain_timeout": 0.3, **settings})
            return Desk(simulator, await stack.enter_async_context(CashIn("key", settings=chosen)))

        yield make
