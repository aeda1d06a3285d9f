"""What a payment goes by: number, reference, bar code, accounts. Whatever is absent or null is no problem."""

from typing import Any

import pytest

from cashin_async.rules import RuleSet, rf_reference
from tests.rules.invoices import GONE, IBAN, RULES, found, invoice_with, messages

REFERENCE = "2516000013"
RF = rf_reference(REFERENCE)
OTHER_IBAN = "FI2112345600000785"
NO_LUHN = "FI4250001510000023"
"""In print, and its own check digit is wrong."""

Found = list[tuple[str, str | None]]


def version_4(
    *, account: str = IBAN, cents: int = 12550, reference: str = REFERENCE, due: str = "260217", start: str = "4"
) -> str:
    return f"{start}{account[2:]}{cents:08}000{reference:0>20}{due}"


def version_5(
    *, account: str = IBAN, cents: int = 12550, check: str = RF[2:4], inside: str = REFERENCE, due: str = "260217"
) -> str:
    return f"5{account[2:]}{cents:08}{check}{inside:0>21}{due}"


BARCODE: Found = [("barcode", "VirtualBankBarcode")]


# -- the number


@pytest.mark.parametrize("number", [1, 251600001, 2**63 - 1])
def test_numbers_that_can_be_followed(number: int) -> None:
    assert found(invoice_with({"InvoiceNumber": number})) == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (GONE, "is missing"),
        (None, "is missing"),
        (0, f"is not between 1 and {2**63 - 1}"),
        (-1, f"is not between 1 and {2**63 - 1}"),
        (2**63, f"is not between 1 and {2**63 - 1}"),
    ],
    ids=["absent", "null", "0", "-1", "2^63"],
)
def test_numbers_that_cannot(number: Any, message: str) -> None:
    invoice = invoice_with({"InvoiceNumber": number})
    assert found(invoice) == [("number", "InvoiceNumber")]
    assert messages(invoice) == [message]


# -- the reference


@pytest.mark.parametrize(
    "reference", [GONE, None, "", REFERENCE, "1232", "00002516000013", RF], ids=["absent", "null", *"abcde"]
)
def test_right_references(reference: Any) -> None:
    assert found(invoice_with({"Reference": reference})) == []


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("2516000017", "check digit is 7, 3 would be right"),
        ("123", "has 3 digits, 4 to 20 are allowed"),
        ("1" * 21, "has 21 digits, 4 to 20 are allowed"),
        ("25160-00013", "is not digits only"),
        (f"RF{99 - int(RF[2:4]):02}{REFERENCE}", f"fails the RF check (mod 97): {RF[:4]} would be right"),
        (RF.lower(), "RF is written in capitals"),
    ],
)
def test_wrong_references(reference: str, message: str) -> None:
    invoice = invoice_with({"Reference": reference})
    assert found(invoice) == [("reference", "Reference")]
    assert messages(invoice) == [message]


@pytest.mark.parametrize(
    ("reference", "rules"),
    [
        ("25160 00013", ["reference-spaces"]),
        (f"{RF[:4]} {RF[4:]}", ["reference-spaces"]),
        (f" {REFERENCE}", ["reference-spaces"]),
        ("25160 00017", ["reference", "reference-spaces"]),
        (" ", ["reference", "reference-spaces"]),
    ],
)
def test_spaces_are_for_print(reference: str, rules: list[str]) -> None:
    invoice = invoice_with({"Reference": reference})
    assert found(invoice) == [(rule, "Reference") for rule in rules]
    assert messages(invoice)[-1] == "has spaces, which are for print"


# -- the bar code


@pytest.mark.parametrize(
    ("changes", "barcode"),
    [
        pytest.param({}, GONE, id="absent"),
        pytest.param({}, None, id="null"),
        pytest.param({}, "", id="empty"),
        pytest.param({}, version_4(), id="version 4"),
        pytest.param({}, version_5(), id="version 5 for a national reference"),
        pytest.param({"Reference": RF}, version_5(), id="version 5"),
        pytest.param({"Reference": RF}, version_4(), id="version 4 for an RF reference"),
        pytest.param({}, version_4(cents=0), id="no amount"),
        pytest.param({}, version_4(due="000000"), id="no date"),
        pytest.param({}, version_5(cents=0, due="000000"), id="neither"),
        pytest.param({"TotalAmount": GONE}, version_4(cents=1), id="nothing to compare the amount with"),
        pytest.param({"TotalAmount": None}, version_4(cents=1), id="an amount of null"),
        pytest.param({"DueDate": GONE}, version_4(due="260218"), id="nothing to compare the date with"),
        pytest.param({"DueDate": None}, version_4(due="260218"), id="a date of null"),
        pytest.param({"Reference": GONE}, version_4(reference="1232"), id="nothing to compare the reference with"),
        pytest.param({"Reference": None}, version_5(), id="a reference of null"),
        pytest.param({"Reference": ""}, version_4(reference="1232"), id="an empty reference"),
        pytest.param({"Reference": "0002516000013"}, version_4(), id="zeros before the reference"),
    ],
)
def test_right_bar_codes(changes: dict[str, Any], barcode: Any) -> None:
    assert found(invoice_with({**changes, "VirtualBankBarcode": barcode})) == []


@pytest.mark.parametrize(
    ("barcode", "said"),
    [
        (version_4(cents=12551), ["its amount is not TotalAmount"]),
        (version_4(cents=12549), ["its amount is not TotalAmount"]),
        (version_4(reference="1232"), ["its reference is not Reference"]),
        (version_4(reference="25160000130"), ["its reference is not Reference"]),
        (version_4(due="260218"), ["its due date is not DueDate"]),
        (
            version_4(cents=1, reference="1232", due="270217"),
            ["its amount is not TotalAmount", "its reference is not Reference", "its due date is not DueDate"],
        ),
        (version_5(check="00"), ["the reference fails the RF check (mod 97)"]),
        (version_5(check=rf_reference("1232")[2:4], inside="1232"), ["its reference is not Reference"]),
        (version_4()[:-1], ["has 53 characters, a bank bar code has 54"]),
        (version_4() + "0", ["has 55 characters, a bank bar code has 54"]),
        (version_4()[:-1] + "x", ["is not digits only"]),
        (version_4(start="3"), ["is of version 3, there are 4 and 5"]),
        (f"4{IBAN[2:]}00012550001{REFERENCE:0>20}260217", ["the reserve of version 4 is not 000"]),
        (version_4(due="260230"), ["the due date is not in the calendar"]),
        (54, ["has 2 characters, a bank bar code has 54"]),
    ],
)
def test_wrong_bar_codes(barcode: Any, said: list[str]) -> None:
    invoice = invoice_with({"VirtualBankBarcode": barcode})
    assert found(invoice) == BARCODE * len(said)
    assert messages(invoice) == said


def sums(total: float) -> dict[str, Any]:
    return {"NetAmount": GONE, "TaxAmount": GONE, "InvoiceRows": None, "TotalAmount": total}


@pytest.mark.parametrize(
    ("total", "barcode", "expected"),
    [
        (999_999.99, version_4(cents=99_999_999), []),
        (999_999.98, version_4(cents=99_999_999), BARCODE),
        (1_000_000, version_4(cents=99_999_999), BARCODE),
        (1_000_000, version_4(cents=0), []),
        (0, version_4(cents=0), []),
        (0, version_4(cents=1), BARCODE),
        (0.01, version_4(cents=1), []),
        (125.505, version_4(), [("sum-invoice", "TotalAmount"), *BARCODE]),
        (125.505, version_4(cents=0), [("sum-invoice", "TotalAmount")]),
    ],
)
def test_the_amount_in_a_bar_code(total: float, barcode: str, expected: Found) -> None:
    assert found(invoice_with({**sums(total), "VirtualBankBarcode": barcode})) == expected


def test_there_is_no_bar_code_for_a_million() -> None:
    (said,) = messages(invoice_with({**sums(1_000_000), "VirtualBankBarcode": version_4(cents=1)}))
    assert said == "there is none above 999,999.99 euros: it is left out"
    assert messages(invoice_with({**sums(1_000_000), "VirtualBankBarcode": version_4(cents=0)})) == []


@pytest.mark.parametrize(("cents", "expected"), [(12550, BARCODE), (0, [])])
def test_a_bar_code_does_not_pay_back(cents: int, expected: Found) -> None:
    changes = {**sums(-125.5), "CreditedInvoiceInformation": "1", "VirtualBankBarcode": version_4(cents=cents)}
    assert found(invoice_with(changes)) == expected


def test_a_reference_that_is_wrong_is_told_once() -> None:
    wrong = {"Reference": "2516000017", "VirtualBankBarcode": version_4(reference="2516000017")}
    assert found(invoice_with(wrong)) == [("reference", "Reference")]
    unreadable = {"Reference": "Laskun 7", "VirtualBankBarcode": version_4()}
    assert [rule for rule, _ in found(invoice_with(unreadable))] == ["reference", "reference-spaces"]
    other = {"Reference": "2516000017", "VirtualBankBarcode": version_4()}
    assert [rule for rule, _ in found(invoice_with(other))] == ["reference", "barcode"]


# -- whose account


@pytest.mark.parametrize("iban", [IBAN, "FI37 1590 3000 0007 76", OTHER_IBAN, None])
def test_the_account_in_a_bar_code_is_the_creditors(iban: str | None) -> None:
    expected = [("barcode-account", "VirtualBankBarcode")] if iban == OTHER_IBAN else []
    assert found(invoice_with({"VirtualBankBarcode": version_4()}), RuleSet(iban=iban)) == expected


def test_a_bar_code_that_cannot_be_read_has_no_account() -> None:
    assert found(invoice_with({"VirtualBankBarcode": version_4(start="3")}), RuleSet(iban=OTHER_IBAN)) == BARCODE


def test_an_account_in_a_bar_code_is_checked_like_any() -> None:
    field = "VirtualBankBarcode"
    wrong = invoice_with({field: version_4(account="FI3815903000000776")})
    assert found(wrong, RuleSet()) == [("iban", field)]
    assert messages(wrong, RuleSet()) == ["the account fails the check (mod 97)"]
    assert found(wrong) == [("iban", field), ("barcode-account", field)]
    unusual = invoice_with({field: version_4(account=NO_LUHN)})
    assert found(unusual, RuleSet()) == [("account-luhn", field)]
    assert found(unusual) == [("account-luhn", field), ("barcode-account", field)]


ACCOUNTS: list[tuple[Any, str | None]] = [
    (OTHER_IBAN, None),
    ("FI21 1234 5600 0007 85", None),
    ("DE89370400440532013000", None),
    ("FI2212345600000785", "iban"),
    ("FI21123456000007850", "iban"),
    ("FI2112345600000", "iban"),
    ("DE88370400440532013000", "iban"),
    (NO_LUHN, "account-luhn"),
    ("OKOYFIHH", None),
    ("TE00372332", None),
    ("fi2212345600000785", None),
    (7, None),
]


@pytest.mark.parametrize(("account", "rule"), ACCOUNTS, ids=str)
def test_accounts(account: Any, rule: str | None) -> None:
    """In either field: which of the two holds the account is not published."""
    for field, other in (("FinvoiceAccount", "FinvoiceOVT"), ("FinvoiceOVT", "FinvoiceAccount")):
        invoice = invoice_with({field: account, other: "OKOYFIHH"})
        assert found(invoice) == ([(rule, field)] if rule else [])


def test_what_is_said_of_accounts() -> None:
    assert messages(invoice_with({"FinvoiceAccount": "FI2112345600000", "FinvoiceOVT": "OKOYFIHH"})) == [
        "the account has 15 characters, a Finnish IBAN has 18"
    ]
    assert messages(invoice_with({"FinvoiceAccount": NO_LUHN, "FinvoiceOVT": "OKOYFIHH"})) == [
        "the account's own check digit is wrong: published accounts exist where it is"
    ]


def test_both_fields_may_hold_a_wrong_account() -> None:
    invoice = invoice_with({"FinvoiceAccount": "FI2212345600000785", "FinvoiceOVT": NO_LUHN})
    rules = RuleSet(severities={"operator": "off"})
    assert found(invoice, rules) == [("iban", "FinvoiceAccount"), ("account-luhn", "FinvoiceOVT")]


def test_the_account_of_the_creditor_is_not_looked_for_elsewhere() -> None:
    assert found(invoice_with({"FinvoiceAccount": OTHER_IBAN, "FinvoiceOVT": "OKOYFIHH"}), RULES) == []


def test_the_reference_in_a_bar_code_is_checked_where_there_is_no_other() -> None:
    invoice = invoice_with({"Reference": GONE, "VirtualBankBarcode": version_4(reference="2516000017")})
    assert messages(invoice) == ["the reference in it: check digit is 7, 3 would be right"]
    assert messages(invoice_with({"Reference": GONE, "VirtualBankBarcode": version_4(reference="13")})) == []


def test_what_is_far_too_long_for_an_account_is_not_kept() -> None:
    (said,) = messages(invoice_with({"FinvoiceAccount": "FI12" + "3" * 100_000, "FinvoiceOVT": "OKOYFIHH"}))
    assert said == "the account is too long for one"


@pytest.mark.parametrize("field", ["FinvoiceAccount", "FinvoiceOVT"])
def test_an_account_that_stands_alone(field: str) -> None:
    invoice = invoice_with({field: "FI2212345600000785"})
    assert ("iban", field) in found(invoice)


def test_what_is_said_of_another_account() -> None:
    assert messages(invoice_with({"VirtualBankBarcode": version_4(account="FI2112345600000785")})) == [
        "its account is not the creditor's"
    ]


def test_the_longest_account_is_still_looked_at() -> None:
    longest = "MT" + "84" + "A" * 30
    assert messages(invoice_with({"FinvoiceAccount": longest, "FinvoiceOVT": "OKOYFIHH"})) == [
        "the account fails the check (mod 97)"
    ]
