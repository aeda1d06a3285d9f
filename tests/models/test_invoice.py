"""The models have the published names, keep every digit, and show nobody's data."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from cashin_async.models import InvoiceRow, SalesInvoice, UploadReceipt
from cashin_async.models.invoice import wire_name
from cashin_async.models.wire import encode

DATA = Path(__file__).parents[1] / "data"
INVOICE: dict[str, Any] = json.loads((DATA / "published_invoice.json").read_text(encoding="utf-8"))[0]
RECEIPT: dict[str, Any] = json.loads((DATA / "published_receipt.json").read_text(encoding="utf-8"))


def wire_names(struct: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize(
    ("struct", "published", "count"),
    [(SalesInvoice, INVOICE, 73), (InvoiceRow, INVOICE["InvoiceRows"][0], 29), (UploadReceipt, RECEIPT, 4)],
    ids=["invoice", "row", "receipt"],
)
def test_every_name_is_the_published_one_in_its_order(
    struct: type[msgspec.Struct], published: dict[str, Any], count: int
) -> None:
    assert wire_names(struct) == list(published)
    assert len(published) == count


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("invoice_number", "InvoiceNumber"),
        ("finvoice_ovt", "FinvoiceOVT"),
        ("billing_street_addr1", "BillingStreetAddr1"),
        ("sales_street_address2", "SalesStreetAddress2"),
        ("invoice_copy_url", "InvoiceCopyUrl"),
    ],
)
def test_wire_names_come_from_python_names(name: str, published: str) -> None:
    assert wire_name(name) == published


def published() -> SalesInvoice:
    return msgspec.convert(INVOICE, SalesInvoice)


def test_the_published_example_comes_out_as_it_went_in() -> None:
    assert json.loads(encode(published())) == INVOICE
    assert list(json.loads(encode(published()))) == list(INVOICE)


def test_the_published_example_has_the_types_of_the_domain() -> None:
    invoice = published()
    assert invoice.invoice_date == date(2022, 1, 20)
    assert invoice.order_date == datetime(2019, 8, 24, 14, 15, 22, 123_000, tzinfo=UTC)
    assert invoice.total_amount == Decimal(100)
    assert isinstance(invoice.total_amount, Decimal)
    assert invoice.invoice_rows
    assert isinstance(invoice.invoice_rows[0], InvoiceRow)


@pytest.mark.parametrize(
    "text", ["100.10", "0.00", "1E+2", "-0.5", "123456789012345678901234567890", "0.123456789012345678901234567890"]
)
def test_every_digit_of_a_decimal_travels(text: str) -> None:
    assert encode(SalesInvoice(total_amount=Decimal(text))) == b'{"TotalAmount":%s}' % text.encode()
    assert encode(SalesInvoice(invoice_rows=[InvoiceRow(price=Decimal(text))])) == (
        b'{"InvoiceRows":[{"Price":%s}]}' % text.encode()
    )


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_travels_as_a_number_of_the_same_value(amount: Decimal) -> None:
    sent = json.loads(encode(SalesInvoice(net_amount=amount)), parse_float=Decimal, parse_int=Decimal)["NetAmount"]
    assert sent == amount
    assert sent.as_tuple() == amount.as_tuple()


def test_what_was_never_set_is_not_sent() -> None:
    assert encode(SalesInvoice(invoice_number=1)) == b'{"InvoiceNumber":1}'
    assert SalesInvoice().invoice_number is UNSET


def test_what_was_set_to_none_is_sent_as_null() -> None:
    invoice = SalesInvoice(invoice_number=1, description=None, invoice_rows=None)
    assert encode(invoice) == b'{"InvoiceNumber":1,"Description":null,"InvoiceRows":null}'


def test_absent_and_null_are_told_apart_when_read() -> None:
    invoice = msgspec.json.decode(b'{"Description":null}', type=SalesInvoice)
    assert invoice.description is None
    assert invoice.status is UNSET


@pytest.mark.parametrize("struct", [SalesInvoice, InvoiceRow])
def test_a_field_that_is_not_published_is_refused(struct: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `Price2`"):
        msgspec.json.decode(b'{"Price2":1}', type=struct)


def test_a_field_that_is_not_published_cannot_be_set() -> None:
    with pytest.raises(TypeError, match="InvoiceNumber"):
        SalesInvoice(InvoiceNumber=1)  # type: ignore[call-arg]


def test_a_repr_shows_the_number_and_no_other_value() -> None:
    invoice = published()
    assert repr(invoice) == "SalesInvoice(invoice_number=251600002)"
    assert repr(invoice.invoice_rows) == "[InvoiceRow(29 fields)]"
    assert repr(InvoiceRow(description="salaisuus", text=None)) == "InvoiceRow(2 fields)"
    for shown in (str(invoice), f"{invoice}", f"{invoice!r:>60}"):
        assert "Maija" not in shown


def test_rich_has_nothing_to_show() -> None:
    assert published().__rich_repr__() == []


def test_a_receipt_reads_the_published_answer() -> None:
    receipt = msgspec.json.decode((DATA / "published_receipt.json").read_bytes(), type=UploadReceipt)
    assert (receipt.uploaded_invoices_count, receipt.failed_invoices_count) == (1, 0)
    assert receipt.failed_invoices is None
    assert receipt.status_description == "Successfull upload of sales invoices (1)."


def test_a_repr_of_a_receipt_shows_the_counts_alone() -> None:
    receipt = UploadReceipt(
        uploaded_invoices_count=1,
        failed_invoices_count=2,
        failed_invoices=["Maija"],
        status_description="Meikäläinen",
    )
    assert repr(receipt) == "UploadReceipt(uploaded_invoices_count=1, failed_invoices_count=2)"
