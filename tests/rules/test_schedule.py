"""When an invoice is to be paid, what it costs to be late, and what it credits."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cashin_async.models import SalesInvoice
from cashin_async.rules import RuleSet
from cashin_async.rules.finding import Finding
from cashin_async.rules.schedule import check_interest
from cashin_async.rules.terms import consumer_interest_limits
from tests.rules.invoices import GONE, found, invoice_with, messages

Found = list[tuple[str, str | None]]
ISSUED = date(2026, 2, 3)
CONSUMER: dict[str, Any] = {"FinvoiceSpecification": "B2C"}
BUSINESS: dict[str, Any] = {"FinvoiceSpecification": "B2B"}
PERSONAL_CODE: dict[str, Any] = {"SalesIdentifier": "131052A308T"}
BUSINESS_ID: dict[str, Any] = {"SalesIdentifier": "2332748-7"}


def due_after(days: int, **changes: Any) -> dict[str, Any]:
    due = (ISSUED + timedelta(days=days)).isoformat()
    return invoice_with({"DueDate": due, "PaymentTermsCode": days, **changes})


# -- dates


@pytest.mark.parametrize(("days", "late"), [(-365, True), (-1, True), (0, False), (1, False), (365, False)])
def test_nothing_is_due_before_it_is_issued(days: int, late: bool) -> None:
    invoice = due_after(days, PaymentTermsCode=GONE)
    assert found(invoice) == ([("due-before-issued", "DueDate")] if late else [])
    assert messages(invoice) == ["is before InvoiceDate"] * late


@pytest.mark.parametrize("who", [CONSUMER, BUSINESS, {}])
def test_what_is_due_too_early_is_told_once(who: dict[str, Any]) -> None:
    assert found(due_after(-1, PaymentTermsCode=14, **who)) == [("due-before-issued", "DueDate")]


@pytest.mark.parametrize("absent", ["InvoiceDate", "DueDate"])
@pytest.mark.parametrize("value", [GONE, None], ids=["absent", "null"])
@pytest.mark.parametrize("who", [CONSUMER, BUSINESS])
def test_one_date_alone_says_nothing(absent: str, value: Any, who: dict[str, Any]) -> None:
    assert found(invoice_with({absent: value, "PaymentTermsCode": 99, **who})) == []


@pytest.mark.parametrize(
    ("days", "code", "wrong"),
    [
        (14, 14, False),
        (14, 13, True),
        (14, 15, True),
        (14, 0, True),
        (0, 0, False),
        (1, 0, True),
        (14, GONE, False),
        (14, None, False),
        (14, -14, True),
        (14, 2**70, True),
    ],
)
def test_the_terms_are_the_days(days: int, code: Any, wrong: bool) -> None:
    invoice = due_after(days, PaymentTermsCode=code)
    assert found(invoice) == ([("payment-terms", "PaymentTermsCode")] if wrong else [])


def test_what_is_said_of_the_terms() -> None:
    assert messages(due_after(1, PaymentTermsCode=14)) == ["DueDate is 1 day after InvoiceDate"]
    assert messages(due_after(0, PaymentTermsCode=14)) == ["DueDate is 0 days after InvoiceDate"]
    assert messages(due_after(15, PaymentTermsCode=14)) == ["DueDate is 15 days after InvoiceDate"]


# -- whose terms


@pytest.mark.parametrize("who", [CONSUMER, PERSONAL_CODE, CONSUMER | PERSONAL_CODE, BUSINESS | PERSONAL_CODE])
@pytest.mark.parametrize(
    ("days", "wrong"), [(0, True), (1, True), (13, True), (14, False), (30, False), (31, False), (365, False)]
)
def test_terms_of_consumers(who: dict[str, Any], days: int, wrong: bool) -> None:
    assert found(due_after(days, **who)) == ([("consumer-terms", "DueDate")] if wrong else [])


@pytest.mark.parametrize("who", [BUSINESS, BUSINESS_ID, BUSINESS | BUSINESS_ID])
@pytest.mark.parametrize(
    ("days", "wrong"), [(0, False), (13, False), (14, False), (30, False), (31, True), (365, True)]
)
def test_terms_of_businesses(who: dict[str, Any], days: int, wrong: bool) -> None:
    assert found(due_after(days, **who)) == ([("business-terms", "DueDate")] if wrong else [])


@pytest.mark.parametrize(
    "who",
    [
        {},
        {"FinvoiceSpecification": None},
        {"FinvoiceSpecification": "b2c"},
        {"FinvoiceSpecification": "B2G"},
        {"SalesIdentifier": None},
        {"SalesIdentifier": 7},
        {"SalesIdentifier": "FI23327487"},
    ],
)
@pytest.mark.parametrize("days", [0, 13, 31, 365])
def test_terms_of_whom_nothing_is_known(who: dict[str, Any], days: int) -> None:
    assert found(due_after(days, **who)) == []


def test_a_consumer_with_a_business_id_is_a_consumer() -> None:
    assert found(due_after(13, **CONSUMER, **BUSINESS_ID)) == [("consumer-terms", "DueDate")]
    assert found(due_after(31, **CONSUMER, **BUSINESS_ID)) == []


def test_what_is_said_of_whose_terms() -> None:
    assert messages(due_after(13, **CONSUMER)) == ["13 days to pay, a consumer has 14"]
    assert messages(due_after(1, **CONSUMER)) == ["1 day to pay, a consumer has 14"]
    assert messages(due_after(31, **BUSINESS)) == ["31 days to pay: more than 30 are to be agreed upon expressly"]


# -- interest


@pytest.mark.parametrize(
    ("due", "interest", "wrong"),
    [
        ("2026-06-30", 9.5, False),
        ("2026-06-30", 9.51, True),
        ("2026-06-30", 9, False),
        ("2026-06-30", 16, True),
        ("2026-06-30", 0, False),
        ("2026-06-30", -1, False),
        ("2026-06-30", None, False),
        ("2026-06-30", GONE, False),
        ("2026-01-01", 9.51, True),
        ("2024-01-01", 11.5, False),
        ("2024-01-01", 11.51, True),
        ("2024-12-31", 11.51, True),
        ("1999-01-01", 99, False),
        ("2099-01-01", 99, False),
    ],
)
def test_interest_of_consumers(due: str, interest: Any, wrong: bool) -> None:
    changes = {"InvoiceRows": None, "PaymentTermsCode": None, "InterestNumber": interest}
    for dates in ({"DueDate": due, "InvoiceDate": GONE}, {"InvoiceDate": due, "DueDate": GONE}):
        for who in (CONSUMER, PERSONAL_CODE):
            expected = [("consumer-interest", "InterestNumber")] if wrong else []
            assert found(invoice_with({**changes, **dates, **who})) == expected
        assert found(invoice_with({**changes, **dates})) == []
        assert found(invoice_with({**changes, **dates, **BUSINESS})) == []


def test_the_due_date_says_which_half_year() -> None:
    changes = {"InterestNumber": 11, "PaymentTermsCode": GONE, "InvoiceRows": None, **CONSUMER}
    assert found(invoice_with({**changes, "InvoiceDate": "2024-12-20", "DueDate": "2025-01-10"})) == [
        ("consumer-interest", "InterestNumber")
    ]
    assert found(invoice_with({**changes, "InvoiceDate": "2024-12-01", "DueDate": "2024-12-31"})) == []
    assert found(invoice_with({**changes, "InvoiceDate": GONE, "DueDate": GONE})) == []


def test_what_is_said_of_interest() -> None:
    assert messages(invoice_with({"InterestNumber": 10, **CONSUMER})) == ["is above 9.5 %, a consumer's limit then"]


def test_the_reference_rates_are_those_that_are_given() -> None:
    rules = RuleSet(reference_rates={date(2026, 1, 1): Decimal("2.55")})
    assert found(invoice_with({"InterestNumber": 9.55, **CONSUMER}), rules) == []
    assert found(invoice_with({"InterestNumber": 9.56, **CONSUMER}), rules) == [("consumer-interest", "InterestNumber")]
    assert found(invoice_with({"InterestNumber": 99, **CONSUMER}), RuleSet(reference_rates={})) == []


@pytest.mark.parametrize("text", ["9.5", "9.55", "9.56", "10", "9.549999999"])
def test_interest_as_a_decimal_and_as_a_float(text: str) -> None:
    def finds(interest: Any) -> list[Finding]:
        found: list[Finding] = []
        invoice = SalesInvoice(due_date=ISSUED, finvoice_specification="B2C", interest_number=interest)
        check_interest(invoice, found, limits=consumer_interest_limits({date(2026, 1, 1): Decimal("2.55")}))
        return found

    assert finds(float(text)) == finds(Decimal(text))


# -- credit notes


@pytest.mark.parametrize(
    ("total", "credited", "wrong"),
    [
        (-125.5, GONE, True),
        (-125.5, None, True),
        (-125.5, "", True),
        (-125.5, "251600001", False),
        (-0.01, GONE, True),
        (0, GONE, False),
        (0.01, GONE, False),
        (125.5, "251600001", False),
        (GONE, GONE, False),
        (None, GONE, False),
    ],
)
def test_a_credit_note_says_what_it_credits(total: Any, credited: Any, wrong: bool) -> None:
    sums = dict.fromkeys(("NetAmount", "TaxAmount", "InvoiceRows"))
    invoice = invoice_with({**sums, "TotalAmount": total, "CreditedInvoiceInformation": credited})
    assert found(invoice) == ([("credit-note", "CreditedInvoiceInformation")] if wrong else [])
    assert messages(invoice) == ["is missing, while TotalAmount is below 0"] * wrong
