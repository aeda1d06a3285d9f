"""`create`: one request inside a web backend."""

import asyncio
import time

import pytest

from cashin_async import (
    CashIn,
    ConfigurationError,
    InvalidInvoice,
    InvoiceRejected,
    InvoiceUnknown,
    InvoiceUnsent,
    SalesInvoice,
)
from cashin_async.simulator.samples import sample_invoices
from tests.engine.conftest import FIRST, MakeBench


def invoices(count: int) -> list[SalesInvoice]:
    return list(sample_invoices(count, start=FIRST))


@pytest.mark.parametrize("count", [1, 3])
async def test_accepted_gives_the_receipt(bench: MakeBench, count: int) -> None:
    table = await bench()
    receipt = await table.cashin.invoices.create(invoices(count))
    assert (receipt.uploaded_invoices_count, receipt.failed_invoices_count) == (count, 0)
    assert "Successfull" in receipt.status_description
    assert (table.simulator.requests, len(table.simulator.store)) == (1, count)


async def test_any_form_of_invoice(bench: MakeBench) -> None:
    table = await bench()
    await table.cashin.invoices.create(invoices(1)[0])
    await table.cashin.invoices.create({"InvoiceNumber": 5, "NetAmount": 1.1})
    await table.cashin.invoices.create(b'{"InvoiceNumber": 6}')
    assert len(table.simulator.store) == 3


@pytest.mark.parametrize(
    ("fault", "count", "error", "status"),
    [
        ("bad-request", 1, InvoiceRejected, 400),
        ("bad-request", 3, InvoiceRejected, 400),
        ("status=402", 1, InvoiceRejected, 402),
        ("413-items=2", 3, InvoiceRejected, 413),
        (f"fail-object={FIRST + 1}", 3, InvoiceRejected, 202),
        (f"fail-anonymous={FIRST}", 1, InvoiceRejected, 202),
        ("status=422", 3, InvoiceUnknown, 422),
        ("500-after", 1, InvoiceUnknown, 500),
        ("503-after", 1, InvoiceUnknown, 503),
        ("drop-after", 1, InvoiceUnknown, None),
        ("hang-after", 1, InvoiceUnknown, None),
        ("not-http", 1, InvoiceUnknown, None),
        ("miscount=1", 1, InvoiceUnknown, 202),
        ("status=404", 1, InvoiceUnsent, 404),
        ("status=403", 1, InvoiceUnsent, 403),
        ("key-refused", 1, InvoiceUnsent, 401),
        ("429=3600", 1, InvoiceUnsent, None),
    ],
)
async def test_what_it_raises(
    bench: MakeBench, fault: str, count: int, error: type[InvoiceRejected], status: int | None
) -> None:
    table = await bench(fault)
    with pytest.raises(error) as caught:
        await table.cashin.invoices.create(invoices(count))
    assert caught.value.status == status
    assert FIRST + count - 1 in caught.value.numbers or caught.value.numbers == (FIRST + 1,)
    assert table.simulator.requests == 1


async def test_one_that_failed_among_several_is_named(bench: MakeBench) -> None:
    table = await bench(f"fail-object={FIRST + 1}")
    with pytest.raises(InvoiceRejected) as caught:
        await table.cashin.invoices.create(invoices(3))
    assert caught.value.numbers == (FIRST + 1,)
    assert len(table.simulator.store) == 2


@pytest.mark.parametrize(
    ("invoice", "message"),
    [
        (SalesInvoice(), "InvoiceNumber is missing"),
        ({"InvoiceNumber": 1, "DueDate": "tomorrow"}, "DueDate"),
        (b"[]", "Expected `object`"),
        ([], "no invoice"),
        ([{"InvoiceNumber": 1}, {"InvoiceNumber": 1}], "twice"),
        ([{"InvoiceNumber": number} for number in range(1, 200)], "upload"),
        ("file.jsonl", "is a str"),
    ],
)
async def test_invalid_never_leaves(bench: MakeBench, invoice: object, message: str) -> None:
    table = await bench()
    with pytest.raises(InvalidInvoice, match=message):
        await table.cashin.invoices.create(invoice)  # type: ignore[arg-type]
    assert table.simulator.requests == 0


async def test_it_goes_again_only_after_what_provably_did_not_arrive(bench: MakeBench) -> None:
    table = await bench("429=1@1")
    receipt = await table.cashin.invoices.create(invoices(1))
    assert receipt.uploaded_invoices_count == 1
    assert table.simulator.requests == 2


async def test_a_timeout_ends_a_hold_at_once(bench: MakeBench) -> None:
    table = await bench("429=30")
    began = time.monotonic()
    with pytest.raises(InvoiceUnsent, match="timeout"):
        await table.cashin.invoices.create(invoices(1), timeout=0.2)
    assert time.monotonic() - began < 1


async def test_a_timeout_in_flight_is_unknown(bench: MakeBench) -> None:
    table = await bench("hang-after@2+", timeout=30)
    first, second = invoices(2)
    await table.cashin.invoices.create(first)  # so that the short time is not spent on loading and connecting
    with pytest.raises(InvoiceUnknown):
        await table.cashin.invoices.create(second, timeout=0.5)
    assert len(table.simulator.store) == 2


async def test_the_breaker_does_not_shut_a_client_for_ever(bench: MakeBench) -> None:
    table = await bench("500-before@1-3", breaker_after=0.2)
    for number in range(3):
        with pytest.raises(InvoiceUnknown):
            await table.cashin.invoices.create({"InvoiceNumber": number + 1})
    await asyncio.sleep(0.25)
    with pytest.raises(InvoiceUnsent, match="breaker_after"):
        await table.cashin.invoices.create({"InvoiceNumber": 10})
    await table.cashin.invoices.create({"InvoiceNumber": 11})
    await table.cashin.invoices.create([{"InvoiceNumber": 12}, {"InvoiceNumber": 13}])
    assert len(table.simulator.store) == 3


async def test_many_at_once(bench: MakeBench) -> None:
    table = await bench("latency=0.001", concurrency=4)
    receipts = await asyncio.gather(*(table.cashin.invoices.create({"InvoiceNumber": n}) for n in range(1, 201)))
    assert sum(receipt.uploaded_invoices_count for receipt in receipts) == 200
    assert table.simulator.max_in_flight <= 4


async def test_without_a_context_manager(bench: MakeBench) -> None:
    table = await bench()
    cashin = CashIn("key", base_url=table.simulator.url)
    await cashin.invoices.create({"InvoiceNumber": 1})
    await cashin.aclose()


def test_configuration_errors_name_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        CashIn("key")
    with pytest.raises(ConfigurationError, match="base_url"):
        CashIn("key", environment="sandbox")
    with pytest.raises(ConfigurationError, match="https"):
        CashIn("key", base_url="http://api.example.com")
    with pytest.raises(ConfigurationError, match="CASHIN_API_KEY"):
        CashIn("", base_url="https://api.example.com")
