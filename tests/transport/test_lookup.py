"""GET look-ups: the template, what exactly is asked, and what comes of every answer of the simulator."""

import asyncio
from functools import partial

import pytest

import cashin_async
from cashin_async import ConfigurationError
from cashin_async.bulk.lookup import Found, judge_look_up
from cashin_async.settings import ApiKey, checked_template
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered, Exchange, NoProof
from cashin_async.transport.lookup import LookUpByGet
from tests.transport.conftest import (
    BODY,
    KEY,
    LONG,
    Server,
    closed_port,
    hang,
    http,
    in_turn,
    no_proof,
    not_sent,
    pool_to,
    say,
    until,
)

TEMPLATE = "/v2/invoice/{InvoiceNumber}"


class Nowhere:
    """Gets nothing."""

    async def get(self, path: str) -> Exchange:
        return NoProof(f"nobody asked for {path}")


# -- the template


@pytest.mark.parametrize(
    "template",
    [
        TEMPLATE,
        "/{InvoiceNumber}",
        "/v2/invoices/{InvoiceNumber}/state",
        "/v2/salesinvoices?InvoiceNumber={InvoiceNumber}",
        "/v2/salesinvoices?number={InvoiceNumber}&page=1&fields=a,b;c",
        "/v2/salesinvoices?$filter=InvoiceNumber%20eq%20{InvoiceNumber}",
        "/v2/invoices('{InvoiceNumber}')",
        "/v2/invoice-{InvoiceNumber}.json",
        "/v2/.../{InvoiceNumber}",
    ],
)
def test_a_template_is_given_back_as_it_is(template: str) -> None:
    assert checked_template(template) == template


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("", "exactly once"),
        ("/v2/invoice", "exactly once"),
        ("/v2/invoice/{invoicenumber}", "exactly once"),
        ("/v2/invoice/%7BInvoiceNumber%7D", "exactly once"),
        ("/{InvoiceNumber}/{InvoiceNumber}", "exactly once"),
        ("v2/invoice/{InvoiceNumber}", "from / on"),
        ("?number={InvoiceNumber}", "from / on"),
        ("{InvoiceNumber}", "from / on"),
        (" /v2/{InvoiceNumber}", "from / on"),
        ("https://api.example.test/v2/{InvoiceNumber}", "without the host"),
        ("//api.example.test/v2/{InvoiceNumber}", "without the host"),
        ("@api.example.test/v2/{InvoiceNumber}", "from / on"),
        ("/v2/invoice#{InvoiceNumber}", "fragment"),
        ("/v2/invoice/{InvoiceNumber}#", "fragment"),
        ("/v2/{Creditor}/{InvoiceNumber}", "fill it in"),
        ("/v2/{{InvoiceNumber}}", "fill it in"),
        ("/v2/invoice/{InvoiceNumber} ", "white space"),
        ("/v2/invoice/{InvoiceNumber}\n", "white space"),
        ("/v2/in voice/{InvoiceNumber}", "white space"),
        ("/v2/invoice/{InvoiceNumber}\r\nX-Other: 1", "white space"),
        ("/v2/\0/{InvoiceNumber}", "as it stands in a URL"),
        ("/v2/lähetys/{InvoiceNumber}", "as it stands in a URL"),
        ("/v2\\{InvoiceNumber}", "as it stands in a URL"),
        ("/v2/100%/{InvoiceNumber}", "as it stands in a URL"),
        ("/v2/%2{InvoiceNumber}0", "as it stands in a URL"),
        ("/v2/<{InvoiceNumber}>", "as it stands in a URL"),
    ],
)
def test_a_template_that_is_none(template: str, words: str) -> None:
    for refuse in (checked_template, partial(LookUpByGet, Nowhere())):
        with pytest.raises(ConfigurationError, match=r"^lookup_path must") as caught:
            refuse(template)
    assert words in str(caught.value)
    assert "CASHIN_LOOKUP_PATH" in str(caught.value)


def test_a_template_is_not_repeated_in_what_is_wrong_with_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_template("/v2?code=VerySecret&number={InvoiceNumber} ")
    assert "VerySecret" not in str(caught.value)


# -- what is asked


async def asked(url: str, template: str = TEMPLATE, number: int = 251600001, key: str = KEY) -> Exchange:
    async with pool_to(url, key=key) as pool:
        return await LookUpByGet(pool, template)(number)


async def test_the_request_is_exactly_this() -> None:
    async with Server(http(404)) as server:
        exchange = await asked(server.url)
    (request,) = server.requests
    assert (request.line, request.body) == ("GET /v2/invoice/251600001 HTTP/1.1", b"")
    fields = dict(request.fields)
    assert fields.pop("Accept-Encoding").startswith("gzip, deflate")
    assert sorted(fields.items()) == [
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("Host", f"127.0.0.1:{server.port}"),
        ("User-Agent", f"cashin-async/{cashin_async.__version__}"),
        ("X-Api-Key", KEY),
    ]
    assert isinstance(exchange, Answered)
    assert (exchange.status, exchange.generation, exchange.key) == (404, 0, ApiKey(KEY))


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("/v2/salesinvoices?InvoiceNumber={InvoiceNumber}", "/v2/salesinvoices?InvoiceNumber=7"),
        ("/v2?$filter=Number%20eq%20{InvoiceNumber}&x=a+b", "/v2?$filter=Number%20eq%207&x=a+b"),
        ("/v2/a%2Fb/{InvoiceNumber}/", "/v2/a%2Fb/7/"),
        ("/v2/invoices('{InvoiceNumber}')", "/v2/invoices('7')"),
    ],
)
async def test_the_path_travels_as_it_is_written(template: str, target: str) -> None:
    async with Server(http(404)) as server:
        await asked(server.url + "/gateway/", template, 7)
    assert server.requests[0].line == f"GET /gateway{target} HTTP/1.1"


async def test_a_redirect_is_not_followed() -> None:
    async with (
        Server() as other,
        Server(http(307, b"", f"Location: {other.url}/v2/invoice/251600001\r\n")) as server,
    ):
        exchange = await asked(server.url)
    assert isinstance(exchange, Answered)
    assert exchange.status == 307
    assert other.connections == 0


async def test_posts_and_look_ups_share_the_connections() -> None:
    async with Server() as server, pool_to(server.url, connections=1) as pool:
        for _ in range(3):
            assert isinstance(await pool.post(BODY), Answered)
            assert isinstance(await LookUpByGet(pool, TEMPLATE)(7), Answered)
    assert server.connections == 1
    assert [request.line.split()[0] for request in server.requests] == ["POST", "GET"] * 3


# -- how it can end, besides an answer


async def test_nobody_listens() -> None:
    port = closed_port()
    not_sent(await asked(f"http://127.0.0.1:{port}"), f"cannot connect to 127.0.0.1:{port}")


async def test_no_answer_in_time() -> None:
    async with Server(hang) as server, pool_to(server.url, timeout=0.1) as pool:
        no_proof(await pool.get("/v2/invoice/7"), "within timeout", timed_out=True)


async def test_a_closed_client() -> None:
    async with Server() as server:
        async with pool_to(server.url) as pool:
            pass
        not_sent(await pool.get("/v2/invoice/7"), "closed")
    assert server.connections == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"this is not HTTP\r\n\r\n", "not HTTP"),
        (http(200, b"[7", length=10), "cut short"),
        (http(200, b"[" + b"7," * 100 + b"7]"), "max_answer"),
    ],
)
async def test_what_is_no_answer(answer: bytes, why: str) -> None:
    async with Server(say(answer, close=True)) as server, pool_to(server.url, max_answer=100) as pool:
        exchange = await pool.get("/v2/invoice/7")
    no_proof(exchange, why)
    assert judge_look_up(exchange, 7) is Found.CANNOT_TELL


async def test_cancelling_a_look_up() -> None:
    async with Server(in_turn(hang, say(http()))) as server, pool_to(server.url, connections=1) as pool:
        task = asyncio.create_task(pool.get("/v2/invoice/7"))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await pool.post(BODY), Answered)


async def test_cancelling_a_look_up_that_waits_for_the_key() -> None:
    async def never() -> str:
        await asyncio.sleep(LONG)
        return KEY

    async with Server() as server, pool_to(server.url, key=never) as pool:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await pool.get("/v2/invoice/7")
    assert server.connections == 0


# -- the simulator, its faults, and what they let one tell

HERE, NOT_HERE = 251600001, 251600002
CANNOT = (Found.CANNOT_TELL, Found.CANNOT_TELL)
FAULTS: list[tuple[str | None, Found, Found]] = [
    (None, Found.EXISTS, Found.ABSENT),
    ("lookup-stale=60", Found.ABSENT, Found.ABSENT),
    ("lookup-always-404", Found.ABSENT, Found.ABSENT),
    ("lookup-echo", Found.EXISTS, Found.EXISTS),
    ("lookup-always-200", *CANNOT),
    ("lookup-garbage", *CANNOT),
    ("lookup-429", *CANNOT),
    ("lookup-429=1", *CANNOT),
    ("lookup-500", *CANNOT),
    ("lookup-503=1", *CANNOT),
    ("lookup-status=204", *CANNOT),
    ("lookup-status=302", *CANNOT),
    ("lookup-status=401", *CANNOT),
    ("lookup-status=403", *CANNOT),
    ("lookup-status=410", *CANNOT),
    ("lookup-drop", *CANNOT),
    ("lookup-hang", *CANNOT),
]


@pytest.mark.parametrize(("fault", "here", "not_here"), FAULTS, ids=[row[0] or "none" for row in FAULTS])
async def test_what_the_simulator_lets_one_tell(fault: str | None, here: Found, not_here: Found) -> None:
    async with Simulator(faults=[fault] if fault else [], lookup_path=TEMPLATE) as simulator:
        async with pool_to(simulator.url, timeout=0.4 if fault == "lookup-hang" else 10) as pool:
            posted = await pool.post(b'[{"InvoiceNumber":%d}]' % HERE)
            assert isinstance(posted, Answered)
            assert posted.status == 202
            exchanges = {number: await LookUpByGet(pool, TEMPLATE)(number) for number in (HERE, NOT_HERE)}
        assert {seen.number for seen in simulator.look_up_log} == {HERE, NOT_HERE}
    assert [judge_look_up(exchange, number) for number, exchange in exchanges.items()] == [here, not_here]
    ended = NoProof if fault in ("lookup-drop", "lookup-hang") else Answered
    assert {type(exchange) for exchange in exchanges.values()} == {ended}


async def test_a_key_that_is_not_known() -> None:
    async with Simulator(api_keys={"another"}, lookup_path=TEMPLATE) as simulator:
        exchange = await asked(simulator.url)
    assert isinstance(exchange, Answered)
    assert exchange.status == 401
    assert judge_look_up(exchange, 251600001) is Found.CANNOT_TELL


async def test_a_look_up_held_off_says_how_long() -> None:
    async with Simulator(faults=["lookup-429=7"], lookup_path=TEMPLATE) as simulator:
        exchange = await asked(simulator.url)
    assert isinstance(exchange, Answered)
    assert exchange.headers["retry-after"] == "7"


async def test_nothing_tells_before_what_comes_late_is_applied() -> None:
    """The connection is lost, the look-up says absent, and the invoice is there all the same a moment later."""
    late = Simulator(faults=["apply-late=0.5"], lookup_path=TEMPLATE)
    async with late as simulator, pool_to(simulator.url) as pool, asyncio.timeout(5):
        no_proof(await pool.post(b'[{"InvoiceNumber":%d}]' % HERE), "connection was lost")
        said = [judge_look_up(await LookUpByGet(pool, TEMPLATE)(HERE), HERE)]
        while said[-1] is Found.ABSENT:
            await asyncio.sleep(0.01)
            said.append(judge_look_up(await LookUpByGet(pool, TEMPLATE)(HERE), HERE))
    assert said[0] is Found.ABSENT
    assert said[-1] is Found.EXISTS


async def test_the_key_is_in_its_header_alone() -> None:
    async with Server(http(404, f'{{"Message":"{KEY}"}}'.encode())) as server:
        exchange = await asked(server.url)
    (request,) = server.requests
    assert [name for name, value in request.fields if KEY in value] == ["X-Api-Key"]
    assert KEY not in request.line + repr(exchange)
