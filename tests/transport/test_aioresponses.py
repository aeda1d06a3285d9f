"""aioresponses, for users who mock with it. It replaces aiohttp's innermost call, so a real server proves more.

aioresponses 0.7.9 builds aiohttp's `ClientResponse` as it was before 3.14, which wants one argument more:
`TypeError: ClientResponse.__init__() missing 1 required keyword-only argument: 'stream_writer'`.
Until it is mended (https://github.com/pnuckowski/aioresponses), `response_class=MockedResponse` mends it; all that a
user needs is the class below.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectorError, ClientResponse, ServerDisconnectedError
from aiohttp.client_reqrep import ConnectionKey
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from cashin_async import CashIn, InvoiceRejected, InvoiceUnknown, InvoiceUnsent, Settings
from cashin_async.simulator.samples import sample_invoices

BASE = "https://api.example.test"
ADDRESS = f"{BASE}/v2/gensalesinvoices"
KEY = "KeyOfNobody"


class MockedResponse(ClientResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, stream_writer=Mock(output_size=0), **options)


def receipt(uploaded: int) -> dict[str, Any]:
    return {
        "UploadedInvoicesCount": uploaded,
        "FailedInvoicesCount": 0,
        "FailedInvoices": [],
        "Message": "OK",
    }


def refused() -> ClientConnectorError:
    key = ConnectionKey("api.example.test", 443, True, True, None, None, None)
    return ClientConnectorError(key, ConnectionRefusedError(111, "Connection refused"))


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    with aioresponses() as mock:
        yield mock


@pytest.fixture
async def cashin() -> AsyncIterator[CashIn]:
    settings = Settings(base_url=BASE, chunk_size=10, backoff=0.01, breaker_after=0.1, retries=2)
    async with CashIn(KEY, settings=settings) as client:
        yield client


def calls(mock: aioresponses) -> list[Any]:
    return list(mock.requests.get(("POST", URL(ADDRESS)), []))


async def test_aioresponses_still_needs_the_shim(
    mocked: aioresponses, cashin: CashIn, caplog: pytest.LogCaptureFixture
) -> None:
    """Its TypeError is nothing that aiohttp documents: it proves nothing, and the log says where it came from."""
    mocked.post(ADDRESS, status=202, payload=receipt(1))
    with pytest.raises(InvoiceUnknown, match="TypeError"):
        await cashin.invoices.create(next(sample_invoices(1)))
    assert "exchange.broke error='TypeError' where='" in caplog.text
    assert "aioresponses" in caplog.text


async def test_create_accepted(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, status=202, payload=receipt(1), response_class=MockedResponse)
    answer = await cashin.invoices.create(next(sample_invoices(1)))
    assert answer.uploaded_invoices_count == 1
    (call,) = calls(mocked)
    assert call.kwargs["headers"]["X-Api-Key"] == KEY
    assert call.kwargs["allow_redirects"] is False
    assert [invoice["InvoiceNumber"] for invoice in json.loads(call.kwargs["data"])] == [251600001]


async def test_create_rejected(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, status=400, payload={"Message": "no such debtor"}, response_class=MockedResponse)
    with pytest.raises(InvoiceRejected, match="no such debtor") as caught:
        await cashin.invoices.create(next(sample_invoices(1)))
    assert caught.value.status == 400
    assert len(calls(mocked)) == 1


@pytest.mark.parametrize("error", [ServerDisconnectedError(), TimeoutError(), ConnectionResetError()], ids=repr)
async def test_create_without_proof(error: Exception, mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, exception=error, repeat=True)
    with pytest.raises(InvoiceUnknown):
        await cashin.invoices.create(next(sample_invoices(1)))
    assert len(calls(mocked)) == 1, "what may have been applied is not sent again"


async def test_create_not_sent(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, exception=refused(), repeat=True)
    with pytest.raises(InvoiceUnsent, match="connection refused"):
        await cashin.invoices.create(next(sample_invoices(1)))
    assert len(calls(mocked)) == 3


async def test_create_not_sent_and_then_accepted(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, exception=refused())
    mocked.post(ADDRESS, status=202, payload=receipt(1), response_class=MockedResponse)
    await cashin.invoices.create(next(sample_invoices(1)))
    assert len(calls(mocked)) == 2


def accept_all(url: URL, **request: Any) -> CallbackResult:
    count = len(json.loads(request["data"]))
    return CallbackResult(status=202, payload=receipt(count), response_class=MockedResponse)


async def test_upload_accepted(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, callback=accept_all, repeat=True)
    report = await cashin.invoices.upload(sample_invoices(100))
    assert report.ok
    assert report.accepted == 100
    sent = [invoice["InvoiceNumber"] for call in calls(mocked) for invoice in json.loads(call.kwargs["data"])]
    assert sorted(sent) == list(range(251600001, 251600101))


async def test_upload_without_proof_for_one_chunk(mocked: aioresponses, cashin: CashIn) -> None:
    mocked.post(ADDRESS, exception=ServerDisconnectedError())
    mocked.post(ADDRESS, callback=accept_all, repeat=True)
    report = await cashin.invoices.upload(sample_invoices(100))
    assert (report.accepted, report.unknown) == (90, 10)
    sent = [invoice["InvoiceNumber"] for call in calls(mocked) for invoice in json.loads(call.kwargs["data"])]
    assert len(sent) == len(set(sent)) == 100, "each went once"


async def test_upload_with_one_culprit(mocked: aioresponses, cashin: CashIn) -> None:
    def poisoned(url: URL, **request: Any) -> CallbackResult:
        if b"251600042" in request["data"]:
            return CallbackResult(status=400, payload={"Message": "no"}, response_class=MockedResponse)
        return accept_all(url, **request)

    mocked.post(ADDRESS, callback=poisoned, repeat=True)
    report = await cashin.invoices.upload(sample_invoices(100))
    assert (report.accepted, report.rejected) == (99, 1)
    assert [failure.number for failure in report.failures] == [251600042]


async def test_an_address_that_is_not_mocked_is_no_proof(mocked: aioresponses, cashin: CashIn) -> None:
    with pytest.raises(InvoiceUnknown):
        await cashin.invoices.create(next(sample_invoices(1)))
