"""The key is nowhere but in its header: not in a repr, a log, a traceback, a pickle, nor in what a server echoes."""

import asyncio
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Iterator

import pytest

from cashin_async import ApiKey, CashIn, CashInError, ConfigurationError, InvoiceError, Settings
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered
from cashin_async.transport.keyring import Keyring
from tests.transport.conftest import BODY, Request, Server, hang, http, in_turn, pool_to, say

KEY = "Qx7/Zk+93bTr0uble=="
"""Base64, as keys often are: JSON encoders write its slash and its plus in more than one way."""


def everything(error: BaseException | None) -> str:
    """All that an exception can show, with what it came from."""
    shown = ""
    while error is not None:
        shown += repr(error) + str(error) + repr(error.args) + repr(getattr(error, "__dict__", {}))
        shown += "".join(traceback.format_exception(error))
        error = error.__cause__ or error.__context__
    return shown


# -- the key itself


def test_a_key_never_shows() -> None:
    key = ApiKey(KEY)
    log = logging.LogRecord("a", logging.INFO, __file__, 1, "%s %r", (key, key), None)
    shown = [
        repr(key),
        str(key),
        f"{key}",
        f"{key!r}",
        f"{key:s}",
        "{} {!r}".format(*(key, key)),
        format(key),
        f"{[key]} {(key,)}",
    ]
    assert {text.replace("ApiKey(****)", "").strip("[](), ") for text in shown} == {""}
    assert log.getMessage() == "ApiKey(****) ApiKey(****)"
    assert f"{key:>14}|" == "  ApiKey(****)|"
    assert KEY not in repr(dir(key))


def test_a_key_does_not_travel_in_a_pickle() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps({"key": ApiKey(KEY)}, protocol)
        assert KEY.encode() not in data
    key = pickle.loads(data)["key"]
    assert str(key) == "ApiKey(****)"
    with pytest.raises(ConfigurationError, match="pickled"):
        key.reveal()


def test_a_copy_of_a_key_is_the_key() -> None:
    key = ApiKey(KEY)
    assert copy.copy(key).reveal() == copy.deepcopy([key])[0].reveal() == KEY


def test_keys_compare_by_their_value_and_to_nothing_else() -> None:
    assert ApiKey(KEY) == ApiKey(f" {KEY}\n")
    assert hash(ApiKey(KEY)) == hash(ApiKey(KEY))
    assert ApiKey(KEY) != ApiKey("another")
    assert ApiKey(KEY) != KEY


def test_a_key_in_an_exception_does_not_show() -> None:
    with pytest.raises(ValueError, match="ApiKey") as caught:
        raise ValueError(ApiKey(KEY), f"of {ApiKey(KEY)}")
    assert KEY not in everything(caught.value)


def test_a_key_cannot_be_put_into_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": ApiKey(KEY)})
    assert KEY not in everything(caught.value)


@pytest.mark.parametrize("value", [f"{KEY}\nX: y", f"{KEY} x", f"{KEY}ä", f"{KEY}\0", f"{KEY}\x7f"])
def test_a_key_that_no_header_can_carry_is_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError, match="no HTTP header can carry") as caught:
        ApiKey(value)
    assert KEY not in everything(caught.value)


# -- around it


async def test_nothing_that_holds_the_key_shows_it() -> None:
    async with Server(http(fields=f"Retry-After: {KEY}\r\nDate: {KEY}\r\n")) as server:
        async with pool_to(server.url, key=KEY) as pool:
            exchange = await pool.post(BODY)
            holders = [pool, pool.keys, exchange, vars(pool), vars(pool.keys), Keyring(KEY), Keyring(lambda: KEY)]
            assert KEY not in repr(holders) + "".join(map(str, holders))
        async with CashIn(KEY, base_url=server.url) as cashin:
            holders = [cashin, cashin.settings, vars(cashin), cashin.invoices, vars(cashin.invoices)]
            assert KEY not in repr(holders)
    assert server.requests[0].all("X-Api-Key") == [KEY]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in ("asyncio", "aiohttp", "aiohttp.client", "cashin_async")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield caplog
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.text + "".join(f"{record.__dict__}" for record in caplog.records)


@pytest.mark.parametrize(
    "fault",
    ["429=0.01@2", "503@2", "500-after@2", "drop-after@2", "not-http@2", "garbage@2", "key-refused@2+", "hang-after@2"],
)
async def test_no_log_and_no_report_has_the_key(fault: str, everything_logged: pytest.LogCaptureFixture) -> None:
    asyncio.get_running_loop().set_debug(True)
    async with Simulator(faults=["quote@4", fault if fault != "503@2" else "503-before@2"]) as simulator:
        settings = Settings(
            base_url=simulator.url, chunk_size=10, backoff=0.01, timeout=0.2, breaker_after=0.5, drain_timeout=0.1
        )
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(60))
            shown = [report, vars(report), report.as_dict(), report.stopped, *report.failures]
            answers = [failure.answer for failure in report.failures]
    assert KEY not in repr(shown) + repr(answers) + logged(everything_logged)


ECHOES: dict[str, str] = {
    "plain": KEY,
    "in quotes": f'\\"{KEY}\\"',
    "after a newline": f"\\n{KEY}\\n",
    "after a tab": f"X-Api-Key:\\t{KEY}\\r\\n",
    "in apostrophes, as .NET writes them": f"\\u0027{KEY}\\u0027",
    "a slash, as PHP writes it": KEY.replace("/", "\\/"),
    "a plus, as .NET writes it": KEY.replace("+", "\\u002B"),
    "all in escapes": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "after a word": f"key_{KEY}_",
}


@pytest.mark.parametrize("status", [202, 403, 500])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_key_that_the_server_echoes_is_shown_nowhere(
    echo: str, status: int, everything_logged: pytest.LogCaptureFixture
) -> None:
    body = f'{{"Message":"the key {echo} is not for this"}}'.encode()
    fields = f"Retry-After: {KEY}\r\nDate: {KEY}\r\nX-RateLimit-Reset: {KEY}\r\nContent-Type: application/json\r\n"
    async with Server(http(status, body, fields)) as server, CashIn(KEY, base_url=server.url) as cashin:
        with pytest.raises(InvoiceError) as caught:
            await cashin.invoices.create(next(sample_invoices(1)))
        report = await cashin.invoices.upload(sample_invoices(1))
        shown = [[outcome, outcome.reason, outcome.answer] for outcome in report.failures]
        with pytest.raises(CashInError) as failed:
            report.raise_for_failures()
    assert server.requests[0].all("X-Api-Key") == [KEY]
    assert KEY not in repr(shown) + everything(caught.value) + everything(failed.value) + logged(everything_logged)


@pytest.mark.parametrize("key", ["1", "0", "k", "OK"])
async def test_a_key_that_stands_in_every_receipt_does_not_spoil_it(key: str) -> None:
    async with Server() as server, CashIn(key, base_url=server.url) as cashin:
        receipt = await cashin.invoices.create(next(sample_invoices(1)))
    assert receipt.uploaded_invoices_count == 1


async def test_a_post_cut_off_by_its_caller_does_not_show_the_key() -> None:
    async with Server(hang) as server, pool_to(server.url, key=KEY) as pool:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await pool.post(BODY)
    assert KEY not in everything(caught.value)


async def test_the_key_goes_to_the_server_alone_and_in_its_header_alone() -> None:
    async def elsewhere(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(http(307, b"", f"Location: {other.url}/v2/gensalesinvoices\r\n"))

    async with (
        Server() as other,
        Server(in_turn(elsewhere, say(http()))) as server,
        pool_to(server.url, key=KEY) as pool,
    ):
        assert isinstance(await pool.post(BODY), Answered)
        assert isinstance(await pool.post(BODY), Answered)
    assert other.connections == 0
    for request in server.requests:
        assert KEY not in request.line + request.body.decode()
        assert [name for name, value in request.fields if KEY in value] == ["X-Api-Key"]
