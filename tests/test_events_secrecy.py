"""Every event that the library logs is made to happen, with a marked key and invoices full of marked values.

Those of commands alone are in tests/cli/test_log_json.py, whose processes are searched for the same.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cashin_async import CashIn, CashInError, LedgerError, Progress, Settings, SourceError
from cashin_async.bulk.admission import Admission
from cashin_async.bulk.gate import Gate
from cashin_async.bulk.verdict import judge
from cashin_async.events import EVENTS
from cashin_async.ledger.base import NumberState, Part
from cashin_async.report.logs import JsonFormatter
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered
from tests.ledger.conftest import RUN, batch, open_sqlite
from tests.ledger.test_writer import ALL_ACCEPTED, fill_the_disk, many
from tests.rules.marks import assert_no_mark, lines, readable_invoices
from tests.test_events import NAMES, calls
from tests.transport.conftest import Server, http

KEY = "Zxqkey-1a2b3c"
INVOICES = lines(readable_invoices())[::7]
FIRST = json.loads(INVOICES[0])["InvoiceNumber"]
WORDS = f"{KEY} Zxqmarjatta Meikäläinen"
"""What a program's own exception may say."""
OF_ANOTHER = "Zxqpolku99"
"""What a server may say of a customer whose invoice was not sent, so that nobody can blank it."""


def raises(*_: object) -> Any:
    raise ValueError(WORDS)


def settings(url: str, **other: Any) -> Settings:
    quick: dict[str, Any] = {
        "backoff": 0.01,
        "backoff_limit": 0.03,
        "breaker_after": 1.0,
        "drain_timeout": 0.2,
        "timeout": 1.6,
        "chunk_size": 20,
        "rules": "off",
    }
    return Settings(base_url=url, **{**quick, **other})


async def upload(
    *faults: str, key: Any = KEY, invoices: Any = None, ledger: Any = None, options: Any = None, **other: Any
) -> None:
    """An upload of the marked invoices; what is raised is as much searched as what is logged."""
    invoices = INVOICES if invoices is None else invoices
    async with (
        Simulator(faults=faults, lookup_path="/v2/x/{InvoiceNumber}") as simulator,
        CashIn(key, settings=settings(simulator.url, **other)) as cashin,
    ):
        try:
            (await cashin.invoices.upload(invoices, ledger=ledger, **(options or {}))).look()
        except SourceError as error:
            assert_no_mark(str(error))


# -- one for each kind of event


async def what_any_run_logs(tmp_path: Path) -> None:
    await upload(ledger=tmp_path / "ledger.db", rules="warn", concurrency=4)


async def refusals_that_quote_all(_: Path) -> None:
    await upload("quote@2", "413-items=12")


async def stops_that_the_server_explains(_: Path) -> None:
    fields = f"Location: /{OF_ANOTHER}\r\nWWW-Authenticate: {OF_ANOTHER}\r\n"
    for status in (301, 307, 401, 403, 404, 405, 407):
        answer = http(status, OF_ANOTHER.encode(), fields).replace(b" Words\r\n", f" {OF_ANOTHER}\r\n".encode(), 1)
        async with Server(answer) as server, CashIn(KEY, settings=settings(server.url)) as cashin:
            report = await cashin.invoices.upload(INVOICES[:3])
            assert report.unsent == 3
            assert_no_mark(str(report.stopped))
            assert str(status) in str(report.stopped)


async def answers_that_prove_nothing(_: Path) -> None:
    await upload("garbage@2", "truncated@5", "miscount=1@7", f"fail-sentence={FIRST}")


async def a_hold(_: Path) -> None:
    await upload("429=0.05@3")


async def a_hold_that_becomes_longer(_: Path) -> None:
    gate = Gate(Admission(concurrency=2))
    gate.admission.window = 2.0
    tickets = [await gate.arrive(1).come() for _ in range(2)]
    for ticket, seconds in zip(tickets, (1, 30), strict=True):
        body, headers = json.dumps({"Message": WORDS}).encode(), {"retry-after": str(seconds)}
        answer = Answered(429, headers, body, elapsed=0.1, received=0.0, generation=0)
        gate.finish(ticket, judge(answer, [FIRST]))


async def a_breaker(_: Path) -> None:
    await upload("500-after@2-6")


async def nobody_there(_: Path) -> None:
    async with CashIn(KEY, settings=settings("http://127.0.0.1:1", retries=1)) as cashin:
        (await cashin.invoices.upload(INVOICES[:3])).look()


async def keys(_: Path) -> None:
    given = iter((KEY, f"{KEY}-2", f"{KEY}-2", f"{KEY}-2"))
    await upload("key-refused@2", "key-refused@4+", key=lambda: next(given))


async def a_key_provider_that_raises(_: Path) -> None:
    given = iter((KEY,))
    await upload("key-refused@2+", key=lambda: next(given, None) or raises())


async def a_look_up(_: Path) -> None:
    await upload("drop-after@3", settle_after=0.1, lookup_path="/v2/x/{InvoiceNumber}")


async def a_look_up_that_finds_everything(_: Path) -> None:
    await upload("drop-after@3", "lookup-echo", settle_after=0.1, lookup_path="/v2/x/{InvoiceNumber}")


async def a_look_up_that_raises(_: Path) -> None:
    async def look_up(numbers: Sequence[int]) -> Mapping[int, Any]:
        return raises()  # type: ignore[no-any-return]

    await upload("drop-after@3", settle_after=0.1, options={"lookup": look_up})


async def an_input_that_raises(_: Path) -> None:
    await upload(invoices=(invoice if place < 30 else raises() for place, invoice in enumerate(INVOICES)))


async def a_display_that_raises(_: Path) -> None:
    def show(progress: Progress) -> None:
        raises()

    await upload(options={"on_progress": show})


async def a_rule_that_a_single_one_breaks(_: Path) -> None:
    async with Simulator() as simulator, CashIn(KEY, settings=settings(simulator.url, rules="warn")) as cashin:
        for invoice in INVOICES:
            await cashin.invoices.create(invoice)


async def a_run_that_is_cut_off(_: Path) -> None:
    async with (
        Simulator(faults=["hang-after@2+"]) as simulator,
        CashIn(KEY, settings=settings(simulator.url, drain_timeout=30.0, timeout=60.0)) as cashin,
    ):
        task = asyncio.create_task(cashin.invoices.upload(INVOICES))
        while simulator.requests < 2:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.005)
        for _once in range(2):
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
        with pytest.raises(asyncio.CancelledError):
            await task


async def a_full_disk(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "ledger.db")
    lease, other = await ledger.lease(RUN, [batch(1, 2), batch(3)])
    await ledger.post(lease)
    await ledger.post(other)
    await fill_the_disk(ledger)
    for refused in (
        ledger.lease(RUN, [many(100)]),
        ledger.settle(lease, [Part(NumberState.REJECTED, "x" * 100_000)]),
        ledger.settle(other, ALL_ACCEPTED),
    ):
        with pytest.raises(LedgerError):
            await refused
    await ledger.close()


async def an_http_library_that_breaks(_: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aiohttp.ClientSession, "request", raises)
        async with CashIn(KEY, settings=settings("http://127.0.0.1:1", retries=0)) as cashin:
            with pytest.raises(CashInError) as caught:
                await cashin.invoices.create(INVOICES[0])
            assert_no_mark(str(caught.value))


SCENES: list[Callable[[Path], Awaitable[None]]] = [
    what_any_run_logs,
    refusals_that_quote_all,
    stops_that_the_server_explains,
    answers_that_prove_nothing,
    a_hold,
    a_hold_that_becomes_longer,
    a_breaker,
    nobody_there,
    keys,
    a_key_provider_that_raises,
    a_look_up,
    a_look_up_that_finds_everything,
    a_look_up_that_raises,
    an_input_that_raises,
    a_display_that_raises,
    a_rule_that_a_single_one_breaks,
    a_run_that_is_cut_off,
    a_full_disk,
    an_http_library_that_breaks,
]


async def test_no_event_holds_the_key_or_a_value_of_an_invoice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    format_json = JsonFormatter().format
    happened: set[str] = set()
    with caplog.at_level(logging.DEBUG, "cashin_async"):
        for scene in SCENES:
            folder = tmp_path / scene.__name__
            folder.mkdir()
            caplog.clear()
            await scene(folder)
            for record in caplog.records:
                happened.add(getattr(record, "event", record.name))
                for text in (record.getMessage(), repr(vars(record)), format_json(record), str(record.exc_text)):
                    assert_no_mark(text, scene.__name__)
                    assert KEY not in text
    assert happened & EVENTS.keys() == by_the_library()


def by_the_library() -> set[str]:
    """All events but those of commands."""
    return {NAMES[name].name for file, name, _ in calls() if not file.startswith(("cli/", "report/"))}
