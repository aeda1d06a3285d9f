"""Who an invoice is for, and where it goes: codes of people and businesses, e-invoice addresses, postal codes."""

from typing import Any

import pytest

from cashin_async.rules import RuleSet
from tests.rules.invoices import GONE, found, invoice_with, messages

Found = list[tuple[str, str | None]]
BUSINESS_ID: Found = [("business-id", "SalesIdentifier")]
PERSONAL_CODE: Found = [("personal-code", "SalesIdentifier")]
APIX = "003723327487"


# -- SalesIdentifier


@pytest.mark.parametrize(
    ("identifier", "country", "expected"),
    [
        (GONE, "FI", []),
        (None, "FI", []),
        ("", "FI", []),
        (23327488, "FI", []),
        ("anything", "FI", []),
        ("2332748-7", "FI", []),
        ("2332748-8", "FI", BUSINESS_ID),
        ("2332748-8", "SE", []),
        ("2332748-8", GONE, []),
        ("2332748-8", None, []),
        ("23327488", "FI", []),
        ("FI23327487", "FI", []),
        ("FI23327488", "FI", BUSINESS_ID),
        ("FI23327488", "SE", BUSINESS_ID),
        ("FI23327488", GONE, BUSINESS_ID),
        ("003723327487", "FI", []),
        ("003723327488", "FI", BUSINESS_ID),
        ("003723327488A1234", None, BUSINESS_ID),
        ("131052A308T", "FI", []),
        ("131052A308U", "FI", PERSONAL_CODE),
        ("131052A308U", "SE", []),
        ("131052A308U", GONE, []),
        ("310252-308T", "FI", PERSONAL_CODE),
        ("131052G308T", "FI", PERSONAL_CODE),
        ("131052a308t", "FI", PERSONAL_CODE),
        ("010594Y9032", "FI", [("test-person", "SalesIdentifier")]),
        ("010594Y9033", "FI", PERSONAL_CODE),
        ("010594Y9032", "SE", []),
    ],
)
def test_identifiers(identifier: Any, country: Any, expected: Found) -> None:
    invoice = invoice_with({"SalesIdentifier": identifier, "SalesCountry": country})
    assert found(invoice) == expected


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("2332748-8", "the check digit of the business ID is wrong"),
        ("FI23327488", "the check digit of the business ID inside the VAT number is wrong"),
        ("003723327488", "the check digit of the business ID inside the OVT code is wrong"),
        ("131052A308U", "the check character is wrong"),
        ("010594Y9032", "is the code of a test person"),
    ],
)
def test_what_is_said_of_identifiers(identifier: str, message: str) -> None:
    assert messages(invoice_with({"SalesIdentifier": identifier})) == [message]


# -- the e-invoice address


@pytest.mark.parametrize(
    ("account", "ovt", "expected"),
    [
        (GONE, GONE, []),
        (None, None, []),
        ("", "", []),
        (APIX, "OKOYFIHH", []),
        ("OKOYFIHH", APIX, []),
        ("TE00372332", "OKOYFIHH", []),
        ("OKOYFIHH", "TE00372332", []),
        ("FI2112345600000785", "DABAFIHH", []),
        (APIX, GONE, [("einvoice-address", "FinvoiceOVT")]),
        (APIX, None, [("einvoice-address", "FinvoiceOVT")]),
        (APIX, "", [("einvoice-address", "FinvoiceOVT")]),
        (GONE, "OKOYFIHH", [("einvoice-address", "FinvoiceAccount")]),
        ("", "OKOYFIHH", [("einvoice-address", "FinvoiceAccount")]),
        ("TE00372332", "OKOYFIHX", [("operator", "FinvoiceOVT")]),
        ("TE00372332", 7, [("operator", "FinvoiceOVT")]),
        ("TE00372332", "okoyfihh", [("operator", "FinvoiceOVT")]),
        ("003723327488", "OKOYFIHH", [("business-id", "FinvoiceAccount")]),
        ("OKOYFIHH", "003723327488", [("business-id", "FinvoiceOVT")]),
        ("003723327488", GONE, [("business-id", "FinvoiceAccount"), ("einvoice-address", "FinvoiceOVT")]),
        (
            "003723327488",
            "003723327489",
            [("business-id", "FinvoiceAccount"), ("business-id", "FinvoiceOVT"), ("operator", "FinvoiceOVT")],
        ),
        ("FI23327488", "OKOYFIHH", []),
    ],
)
def test_einvoice_addresses(account: Any, ovt: Any, expected: Found) -> None:
    assert found(invoice_with({"FinvoiceAccount": account, "FinvoiceOVT": ovt})) == expected


def test_what_is_said_of_einvoice_addresses() -> None:
    assert messages(invoice_with({"FinvoiceAccount": APIX})) == ["is missing, while FinvoiceAccount is there"]
    assert messages(invoice_with({"FinvoiceOVT": "OKOYFIHH"})) == ["is missing, while FinvoiceOVT is there"]
    assert messages(invoice_with({"FinvoiceAccount": "TE00372332", "FinvoiceOVT": "OKOYFIHX"})) == [
        "neither it nor FinvoiceAccount is a known intermediator"
    ]


def test_the_intermediators_are_those_that_are_given() -> None:
    known, unknown = ({"FinvoiceAccount": "TE00372332", "FinvoiceOVT": one} for one in ("OKOYFIHX", "OKOYFIHH"))
    rules = RuleSet(operators=["OKOYFIHX"])
    assert found(invoice_with(known), rules) == []
    assert found(invoice_with(unknown), rules) == [("operator", "FinvoiceOVT")]


# -- postal codes


@pytest.mark.parametrize("who", ["Sales", "Billing", "Delivery"])
@pytest.mark.parametrize(
    ("code", "country", "wrong"),
    [
        ("65100", "FI", False),
        ("00000", "FI", False),
        (GONE, "FI", False),
        (None, "FI", False),
        ("", "FI", False),
        ("6510", "FI", True),
        ("651000", "FI", True),
        ("6510A", "FI", True),
        ("65 10", "FI", True),
        ("FI-65100", "FI", True),
        (" 65100", "FI", True),
        ("6510\u0661", "FI", True),
        ("114 55", "SE", False),
        ("6510", GONE, False),
        ("6510", None, False),
        ("6510", "", False),
    ],
)
def test_postal_codes(who: str, code: Any, country: Any, wrong: bool) -> None:
    invoice = invoice_with({f"{who}PostalCode": code, f"{who}Country": country})
    assert found(invoice) == ([("postal-code", f"{who}PostalCode")] if wrong else [])


def test_each_postal_code_goes_by_the_country_beside_it() -> None:
    codes = {f"{who}PostalCode": "6510" for who in ("Sales", "Billing", "Delivery")}
    invoice = invoice_with({**codes, "SalesCountry": "SE", "BillingCountry": "FI", "DeliveryCountry": "EE"})
    assert found(invoice) == [("postal-code", "BillingPostalCode")]
    assert messages(invoice) == ["is not five digits"]
    every = invoice_with({**codes, "BillingCountry": "FI", "DeliveryCountry": "FI"})
    assert [field for _, field in found(every)] == list(codes)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("00372332748", [("business-id", "FinvoiceAccount")]),
        ("003723327487123456", [("business-id", "FinvoiceAccount")]),
        ("0037233274871234A", []),
        ("0037-2332748-7", [("business-id", "FinvoiceAccount")]),
    ],
)
def test_an_ovt_code_has_its_length(address: str, expected: Found) -> None:
    assert found(invoice_with({"FinvoiceAccount": address, "FinvoiceOVT": "OKOYFIHH"})) == expected


@pytest.mark.parametrize(
    ("intermediator", "expected"),
    [
        ("DABAFIHH", []),
        ("DABAFIHHXXX", []),
        ("DABAFIHHXX", [("operator", "FinvoiceOVT")]),
        ("XXXDABAFIHH", [("operator", "FinvoiceOVT")]),
    ],
)
def test_a_head_office_is_known_by_its_bank(intermediator: str, expected: Found) -> None:
    assert found(invoice_with({"FinvoiceAccount": "somebody", "FinvoiceOVT": intermediator})) == expected


def test_what_is_said_of_an_ovt_code() -> None:
    (said,) = messages(invoice_with({"FinvoiceAccount": "00372332748", "FinvoiceOVT": "OKOYFIHH"}))
    assert said == "an OVT code is 0037, eight digits and up to five letters or digits more"
    (said,) = messages(invoice_with({"FinvoiceAccount": "003723327488", "FinvoiceOVT": "OKOYFIHH"}))
    assert said == "the check digit of the business ID inside the OVT code is wrong"
