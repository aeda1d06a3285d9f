"""The published contract, and every fault, over real TCP."""

import asyncio
import gzip
import json
import ssl
import time
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
import trustme

from cashin_async.errors import ConfigurationError
from cashin_async.simulator import Simulator
from cashin_async.simulator.kinds import KINDS

from .client import CREATE, abandon, array, get, post, request, until


async def test_the_published_exchange() -> None:
    async with Simulator() as simulator:
        got = await post(simulator, 251600002)
        assert got.status == 202
        assert got.headers["Content-Type"] == "application/json"
        assert got.json == {
            "StatusDescription": "Successfull upload of sales invoices (1).",
            "UploadedInvoicesCount": 1,
            "FailedInvoicesCount": 0,
            "FailedInvoices": None,
        }
        assert simulator.store.invoice(251600002) == {"InvoiceNumber": 251600002}
        assert simulator.requests == 1


async def test_a_number_posted_twice_is_accepted_twice() -> None:
    async with Simulator() as simulator:
        await post(simulator, 5, 6, 5)
        await post(simulator, 6)
        assert simulator.store.twice == (5, 6)
        assert [simulator.store.times(number) for number in (5, 6)] == [2, 2]
        listed = await get(simulator, "/v2/salesinvoices")
        assert sorted(invoice["InvoiceNumber"] for invoice in listed.json) == [5, 5, 6, 6]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"{}", b"[]", b"[5]", b'[{"Status": "H"}]'])
async def test_what_is_malformed(body: bytes) -> None:
    async with Simulator() as simulator:
        got = await request("POST", simulator.url + CREATE, body=body)
        assert got.status == 400
        assert got.json["Message"].startswith("The body is ")
        assert len(simulator.store) == 0


async def test_the_key() -> None:
    async with Simulator() as simulator:
        for key in (None, ""):
            assert (await request("POST", simulator.url + CREATE, key=key, body=array(5))).status == 401
            assert (await get(simulator, "/v2/salesinvoices", key=key)).status == 401
        assert simulator.requests == 2
        assert len(simulator.store) == 0
    async with Simulator(api_keys={"new", "old"}) as simulator:
        statuses = [
            (await request("POST", simulator.url + CREATE, key=key, body=array(5))).status
            for key in ("new", "old", "key")
        ]
        assert statuses == [202, 202, 401]


async def test_the_look_up() -> None:
    async with Simulator(lookup_path="/v2/invoice/{InvoiceNumber}/state") as simulator:
        await post(simulator, 5)
        await post(simulator, 5)
        for path in ("/simulator/invoices/5", "/v2/invoice/5/state"):
            got = await get(simulator, path)
            assert (got.status, got.json) == (200, {"InvoiceNumber": 5, "TimesAccepted": 2})
        for path in (
            "/simulator/invoices/6",
            "/v2/invoice/6/state",
            "/simulator/invoices/five",
            "/simulator/invoices/0_5",
            "/v2/invoice/5",
        ):
            assert (await get(simulator, path)).status == 404
        assert (await get(simulator, "/v2/invoice/5/state", key=None)).status == 401


@pytest.mark.parametrize("template", ["v2/{InvoiceNumber}", "/v2/5", "/{InvoiceNumber}/{InvoiceNumber}", "/{id}", ""])
def test_a_template_that_cannot_be_served(template: str) -> None:
    with pytest.raises(ConfigurationError, match="lookup_path"):
        Simulator(lookup_path=template)


def test_a_fault_that_cannot_be_read() -> None:
    with pytest.raises(ConfigurationError, match="no fault 'dorp'"):
        Simulator(faults=["dorp"])


async def test_the_summary() -> None:
    async with Simulator(keep_invoices=False) as simulator:
        await post(simulator, 5, 6)
        await post(simulator, 6)
        assert (await get(simulator, "/simulator/store", key=None)).json == {
            "requests": 2,
            "accepted": 3,
            "numbers": 2,
            "twice": [6],
            "max_in_flight": 1,
        }
        assert (await get(simulator, "/v2/salesinvoices")).json == [{"InvoiceNumber": n} for n in (5, 6, 6)]


async def test_it_listens_with_tls() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Simulator(ssl_context=context, faults=["drop-after@2"]) as simulator:
        assert simulator.url.startswith("https://127.0.0.1:")
        connector = aiohttp.TCPConnector(ssl=trusting)
        async with aiohttp.ClientSession(headers={"X-Api-Key": "key"}, connector=connector) as session:
            async with session.post(simulator.url + CREATE, data=array(5)) as answer:
                assert answer.status == 202
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post(simulator.url + CREATE, data=array(6))
        assert simulator.store.numbers == (5, 6)


async def test_the_body_may_be_large_and_compressed() -> None:
    body = json.dumps([{"InvoiceNumber": number, "Text": "x" * 1000} for number in range(5000)]).encode()
    headers = {"X-Api-Key": "key", "Content-Encoding": "gzip"}
    async with Simulator(keep_invoices=False) as simulator, aiohttp.ClientSession(headers=headers) as session:
        async with session.post(simulator.url + CREATE, data=gzip.compress(body, 1)) as answer:
            assert answer.status == 202
        assert len(simulator.store) == 5000


async def test_a_body_that_is_not_encoded_as_it_says() -> None:
    headers = {"X-Api-Key": "key", "Content-Encoding": "gzip"}
    async with (
        Simulator() as simulator,
        aiohttp.ClientSession(headers=headers) as session,
        session.post(simulator.url + CREATE, data=b"no gzip") as answer,
    ):
        assert answer.status == 400


async def test_a_port_that_is_taken() -> None:
    async with Simulator() as simulator:
        with pytest.raises(OSError, match="in use"):
            await Simulator(port=int(simulator.url.rpartition(":")[2])).start()


async def test_the_log() -> None:
    before = time.monotonic()
    async with Simulator(faults=["latency=0.01@1", "429=1@2", "fail-number=6@3"]) as simulator:
        for _ in range(3):
            await post(simulator, 5, 6)
        await request("POST", simulator.url + CREATE, body=b"[]")
        await until(lambda: simulator.log[-1].until)
    assert [
        (seen.request, seen.count, seen.numbers, seen.applied, seen.reply, seen.faults) for seen in simulator.log
    ] == [
        (1, 2, (5, 6), 2, "202", ("latency=0.01@1",)),
        (2, 2, (5, 6), 0, "429", ("429=1@2",)),
        (3, 2, (5, 6), 1, "202", ("fail-number=6@3",)),
        (4, 0, (), 0, "400", ()),
    ]
    times = [moment for seen in simulator.log for moment in (seen.at, seen.until or 0)]
    assert [before, *times] == sorted([before, *times])
    assert times[1] - times[0] >= 0.01


async def test_requests_at_once_are_counted() -> None:
    async with Simulator(faults=["latency=0.05"]) as simulator:
        await asyncio.gather(*(post(simulator, number) for number in range(5)))
        await post(simulator, 9)
        assert simulator.max_in_flight == 5


STATUSES: list[tuple[str, int, int, dict[str, str | None]]] = [
    ("429", 429, 0, {"Retry-After": None}),
    ("429=2", 429, 0, {"Retry-After": "2"}),
    ("500-before", 500, 0, {"Retry-After": None}),
    ("500-after", 500, 1, {"Retry-After": None}),
    ("501-before", 501, 0, {}),
    ("502-after", 502, 1, {}),
    ("503-before=2", 503, 0, {"Retry-After": "2"}),
    ("503-after=0.5", 503, 1, {"Retry-After": "0.5"}),
    ("504-after", 504, 1, {}),
    ("507-before", 507, 0, {}),
    ("520-after", 520, 1, {}),
    ("413-items=1", 413, 0, {}),
    ("413-bytes=10", 413, 0, {}),
    ("poison=5", 400, 0, {}),
    ("poison-402=5", 402, 0, {}),
    ("poison-403=5", 403, 0, {}),
    ("poison-422=5", 422, 0, {}),
    ("poison-402-partly=6", 402, 1, {}),
    ("poison-422-partly=6", 422, 1, {}),
    ("key-refused", 401, 0, {}),
    ("bad-request", 400, 0, {}),
    ("quote", 400, 0, {}),
    ("status=404", 404, 0, {"Location": None}),
    ("status=204", 204, 0, {}),
    ("status=307", 307, 0, {"Location": CREATE}),
    ("status-after=409", 409, 1, {}),
    ("status-after=200", 200, 1, {}),
    ("status-after=302", 302, 1, {"Location": CREATE}),
    ("garbage", 202, 1, {}),
    ("wrong-json", 202, 1, {}),
    ("empty", 202, 1, {"Content-Length": "0"}),
    ("miscount=1", 202, 1, {}),
    ("miscount-failed=1", 202, 1, {}),
    ("latency=0.001~0.002", 202, 1, {}),
    ("fail-object=6", 202, 1, {}),
    ("fail-camel=6", 202, 1, {}),
    ("fail-snake=6", 202, 1, {}),
    ("fail-nested=6", 202, 1, {}),
    ("fail-number=6", 202, 1, {}),
    ("fail-string=6", 202, 1, {}),
    ("fail-sentence=6", 202, 1, {}),
    ("fail-anonymous=6", 202, 1, {}),
    ("fail-index=6", 202, 1, {}),
]


@pytest.mark.parametrize(("spec", "status", "times", "headers"), STATUSES, ids=[row[0] for row in STATUSES])
async def test_a_fault_that_answers(spec: str, status: int, times: int, headers: dict[str, str | None]) -> None:
    """`times`: how often invoice 5 was applied, which stands in front of invoice 6."""
    async with Simulator(faults=[spec]) as simulator:
        got = await post(simulator, 5, 6)
        assert got.status == status
        assert {name: got.headers.get(name) for name in headers} == headers
        assert simulator.store.times(5) == times
        assert simulator.log[0].faults == (spec,)


BROKEN: list[tuple[str, type[Exception], int]] = [
    ("drop-before", aiohttp.ClientConnectionError, 0),
    ("drop-after", aiohttp.ClientConnectionError, 1),
    ("truncated", aiohttp.ClientPayloadError, 1),
    ("not-http", aiohttp.ClientResponseError, 1),
]


HANGING = [("hang-before", 0), ("hang-after", 1)]


@pytest.mark.parametrize(("spec", "error", "times"), BROKEN, ids=[row[0] for row in BROKEN])
async def test_a_fault_that_breaks_the_answer(spec: str, error: type[Exception], times: int) -> None:
    async with Simulator(faults=[spec + "@1"]) as simulator:
        with pytest.raises(error):
            await post(simulator, 5)
        await until(lambda: simulator.log[0].until)
        assert simulator.store.times(5) == times
        assert simulator.log[0].faults == (spec + "@1",)
        assert (await post(simulator, 6)).status == 202


@pytest.mark.parametrize(("spec", "times"), HANGING)
async def test_a_fault_that_never_answers(spec: str, times: int) -> None:
    """It ends when the client leaves."""
    async with Simulator(faults=[spec]) as simulator:
        sending = asyncio.create_task(post(simulator, 5))
        await until(lambda: simulator.log and simulator.log[0].reply == "hang")
        assert (simulator.store.times(5), simulator.log[0].until) == (times, None)
        await abandon(sending)
        await until(lambda: simulator.log[0].until)


LOOK_UPS: list[tuple[str, int, int]] = [
    ("lookup-always-200", 200, 200),
    ("lookup-always-404", 404, 404),
    ("lookup-echo", 200, 200),
    ("lookup-429", 429, 429),
    ("lookup-503=2", 503, 503),
    ("lookup-500", 500, 500),
    ("lookup-status=401", 401, 401),
    ("lookup-garbage", 200, 200),
]


@pytest.mark.parametrize(("spec", "there", "not_there"), LOOK_UPS, ids=[row[0] for row in LOOK_UPS])
async def test_a_fault_of_look_ups(spec: str, there: int, not_there: int) -> None:
    """It strikes every path on which one can look up, and nothing else."""
    async with Simulator(faults=[spec], lookup_path="/v2/invoice/{InvoiceNumber}") as simulator:
        assert (await post(simulator, 5)).status == 202
        for path in ("/simulator/invoices/", "/v2/invoice/"):
            assert (await get(simulator, path + "5")).status == there
            assert (await get(simulator, path + "6")).status == not_there
        assert [seen.faults for seen in simulator.look_up_log] == [(spec,)] * 4
        assert (await get(simulator, "/v2/salesinvoices")).json == [{"InvoiceNumber": 5}]


async def test_bodies_of_wrong_look_ups() -> None:
    async with Simulator(faults=["lookup-echo@1", "lookup-garbage@2", "lookup-always-200@3"]) as simulator:
        got = [await get(simulator, f"/simulator/invoices/{number}") for number in (5, 6, 7, 8)]
        assert got[0].json == {"InvoiceNumber": 5, "TimesAccepted": 1}
        assert got[1].body == b"<html>OK"
        assert got[2].json == {"Message": "OK"}
        assert got[3].status == 404


async def test_look_ups_are_counted_apart_from_posts() -> None:
    async with Simulator(faults=["lookup-429=1@2", "429=7@2"]) as simulator:
        for _ in range(3):
            await post(simulator, 5)
        held = [(await get(simulator, "/simulator/invoices/5")).headers.get("Retry-After") for _ in range(3)]
        assert held == [None, "1", None]
        assert (simulator.requests, simulator.look_ups) == (3, 3)
        assert [seen.reply for seen in simulator.log] == ["202", "429", "202"]


async def test_the_log_of_look_ups() -> None:
    before = time.monotonic()
    async with Simulator(faults=["lookup-500@2"], lookup_path="/v2/{InvoiceNumber}") as simulator:
        for path in ("/simulator/invoices/5", "/v2/6", "/v2/-7", "/v2/five"):
            await get(simulator, path)
        await get(simulator, "/v2/8", key=None)
        await until(lambda: simulator.look_up_log[-1].until)
    assert [(seen.request, seen.number, seen.faults, seen.reply) for seen in simulator.look_up_log] == [
        (1, 5, (), "404"),
        (2, 6, ("lookup-500@2",), "500"),
        (3, -7, (), "404"),
        (4, None, (), "404"),
        (5, 8, (), "401"),
    ]
    times = [moment for seen in simulator.look_up_log for moment in (seen.at, seen.until or 0)]
    assert [before, *times] == sorted([before, *times])


async def test_a_stale_look_up_catches_up() -> None:
    async with Simulator(faults=["lookup-stale=0.2"]) as simulator:
        await post(simulator, 5)
        applied = time.monotonic()
        statuses: list[int] = []
        while not statuses or statuses[-1] == 404:
            statuses.append((await get(simulator, "/simulator/invoices/5")).status)
            await asyncio.sleep(0.01)
        assert statuses[-1] == 200
        assert time.monotonic() - applied >= 0.19
        await post(simulator, 5)
        assert (await get(simulator, "/simulator/invoices/5")).status == 200, "visible since its first time"


async def test_a_look_up_that_is_cut_off_and_one_that_hangs() -> None:
    """aiohttp sends a GET whose connection is lost once more by itself."""
    async with Simulator(faults=["lookup-drop@1-2", "lookup-hang@3"]) as simulator:
        with pytest.raises(aiohttp.ClientConnectionError):
            await get(simulator, "/simulator/invoices/5")
        asking = asyncio.create_task(get(simulator, "/simulator/invoices/5"))
        await until(lambda: simulator.look_up_log[-1].reply == "hang")
        await abandon(asking)
        await until(lambda: simulator.look_up_log[-1].until)
        assert [seen.reply for seen in simulator.look_up_log] == ["cut", "cut", "hang"]


async def test_applied_some_time_after_the_connection_was_cut() -> None:
    """Absence right after a lost connection proves nothing: it is what `settle_after` is for."""
    async with Simulator(faults=["apply-late=0.5@1"]) as simulator:
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(simulator, 5, 6)
        cut = time.monotonic()
        assert (await get(simulator, "/simulator/invoices/5")).status == 404
        assert (simulator.log[0].numbers, simulator.log[0].applied) == ((5, 6), 0)
        await until(lambda: simulator.store.times(5))
        assert simulator.store.since(5) - cut > 0.3
        assert (await get(simulator, "/simulator/invoices/5")).status == 200
        assert (simulator.log[0].applied, simulator.log[0].faults) == (2, ("apply-late=0.5@1",))
        assert simulator.store.invoice(6) == {"InvoiceNumber": 6}


async def test_closing_applies_what_is_late() -> None:
    async with Simulator(faults=["apply-late=60"]) as simulator:
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(simulator, 5)
        assert simulator.store.times(5) == 0
    assert simulator.store.times(5) == 1


def test_every_kind_of_fault_went_over_tcp() -> None:
    specs = [row[0] for row in STATUSES] + [row[0] for row in BROKEN] + [row[0] for row in HANGING]
    specs += [row[0] for row in LOOK_UPS] + ["lookup-stale", "lookup-drop", "lookup-hang", "apply-late"]
    sent = {spec.partition("=")[0] for spec in specs} | {"rate-limit", "429-date"}
    assert {kind.name for kind in KINDS if "5xx" not in kind.name} - sent == set()


async def test_the_date_form_of_retry_after() -> None:
    async with Simulator(faults=["429-date=3"]) as simulator:
        got = await post(simulator, 5)
        held = parsedate_to_datetime(got.headers["Retry-After"]) - parsedate_to_datetime(got.headers["Date"])
        assert (got.status, held.total_seconds()) == (429, 3)


async def test_the_limiter() -> None:
    async with Simulator(faults=["rate-limit=2"]) as simulator:
        got = [await post(simulator, number) for number in range(3)]
        assert [answer.status for answer in got] == [202, 202, 429]
        assert got[2].headers["Retry-After"] == "1"
        assert simulator.store.numbers == (0, 1)


async def test_bodies_of_broken_receipts() -> None:
    async with Simulator(faults=["garbage@1", "wrong-json@2", "empty@3", "quote@4", "miscount=-1@5"]) as simulator:
        bodies = [(await post(simulator, 5)).body for _ in range(5)]
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(bodies[0])
        assert bodies[1:3] == [b"[]", b""]
        assert array(5) in bodies[3]
        assert json.loads(bodies[4])["UploadedInvoicesCount"] == 0


async def test_one_failure_among_others() -> None:
    async with Simulator(faults=["fail-object=6"]) as simulator:
        got = (await post(simulator, 5, 6, 7)).json
        assert (got["UploadedInvoicesCount"], got["FailedInvoicesCount"]) == (2, 1)
        assert got["FailedInvoices"] == [{"InvoiceNumber": 6, "Message": "Refused"}]
        assert simulator.store.numbers == (5, 7)


async def test_faults_come_and_go_while_it_runs() -> None:
    async with Simulator() as simulator:
        simulator.fault("500-before")
        assert (await post(simulator, 5)).status == 500
        simulator.clear_faults()
        assert (await post(simulator, 5)).status == 202


async def test_a_client_that_leaves_is_billed_all_the_same() -> None:
    """The server works on: absence right after a timeout proves nothing."""
    async with Simulator(faults=["latency=0.05"]) as simulator:
        sending = asyncio.create_task(post(simulator, 5))
        await until(lambda: simulator.log and simulator.log[0].faults)
        await abandon(sending)
        assert simulator.store.times(5) == 0
        await until(lambda: simulator.store.times(5) == 1)


@pytest.mark.parametrize(("spec", "times"), [("hang-before", 0), ("hang-after", 1), ("latency=60", 0)])
async def test_closing_ends_what_hangs(spec: str, times: int) -> None:
    async with Simulator(faults=[spec]) as simulator:
        sending = asyncio.create_task(post(simulator, 5))
        await until(lambda: simulator.log and simulator.log[0].faults)
    with pytest.raises(aiohttp.ClientConnectionError):
        await sending
    assert simulator.store.times(5) == times


async def test_a_request_that_never_arrives_whole(caplog: pytest.LogCaptureFixture) -> None:
    async with Simulator() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v2/gensalesinvoices HTTP/1.1\r\nHost: x\r\nX-Api-Key: key\r\nContent-Length: 99\r\n\r\n[{")
        await until(lambda: simulator.requests)
        writer.close()
        await writer.wait_closed()
        await until(lambda: simulator.log[0].until)
        assert (simulator.log[0].reply, len(simulator.store)) == ("", 0)
    assert caplog.records == []


async def test_its_life() -> None:
    simulator = Simulator()
    assert repr(simulator) == "Simulator(not started, requests=0, Store(accepted=0, numbers=0, twice=0))"
    await simulator.close()
    await simulator.start()
    assert repr(simulator).startswith("Simulator(http://127.0.0.1:")
    await simulator.close()
    await simulator.close()


async def test_what_is_compressed_is_read_recorded_and_noted() -> None:
    async with Simulator() as simulator, aiohttp.ClientSession(headers={"X-Api-Key": "key"}) as session:
        packed = gzip.compress(array(5, 6))
        for data, headers in ((packed, {"Content-Encoding": "gzip"}), (array(7), {})):
            async with session.post(simulator.url + CREATE, data=data, headers=headers) as answer:
                assert answer.status == 202
        assert [(seen.encoding, seen.numbers) for seen in simulator.log] == [("gzip", (5, 6)), ("", (7,))]
        assert simulator.store.invoice(6) == {"InvoiceNumber": 6}


async def test_what_is_compressed_may_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What travels is a thousandth of what it grows to."""
    monkeypatch.setattr("cashin_async.simulator.server.UNPACKED_BYTES", 1_000_000)
    headers = {"X-Api-Key": "key", "Content-Encoding": "gzip"}
    async with Simulator() as simulator, aiohttp.ClientSession(headers=headers) as session:
        for blanks, status in ((999_900, 202), (1_000_000, 413), (50_000_000, 413), (0, 202)):
            body = gzip.compress(b" " * blanks + array(5), 1)
            async with session.post(simulator.url + CREATE, data=body) as answer:
                assert answer.status == status, blanks
        assert [seen.reply for seen in simulator.log] == ["202", "413", "413", "202"]
        assert simulator.store.times(5) == 2
