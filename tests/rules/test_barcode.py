"""Bank bar codes: what is read, what is made, what is refused."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN

from cashin_async.rules.barcode import (
    LARGEST_AMOUNT,
    BankBarcode,
    make_bank_barcode,
    parse_bank_barcode,
    problem_of_account,
    problem_of_rf,
)
from cashin_async.rules.reference import reference_for, rf_check_digits, rf_reference

IBAN_OF_GUIDE = "FI7944052020036082"
VERSION_4 = "479440520200360820048831500000000868516259619897100612"
VERSION_5 = "579440520200360820048831509000000868516259619897100612"


def make(**fields: Any) -> str:
    usual: dict[str, Any] = {"iban": IBAN_OF_GUIDE, "cents": 488315, "reference": "868516259619897", "due": None}
    return make_bank_barcode(**usual | fields)


def with_field(code: str, first: int, field: str) -> str:
    """`first` as the guide counts: the first digit is 1."""
    return code[: first - 1] + field + code[first - 1 + len(field) :]


def test_all_that_a_code_says() -> None:
    due = date(2010, 6, 12)
    assert parse_bank_barcode(VERSION_4) == BankBarcode(4, IBAN_OF_GUIDE, 488315, "868516259619897", None, due)
    assert parse_bank_barcode(VERSION_5) == BankBarcode(5, IBAN_OF_GUIDE, 488315, "868516259619897", "09", due)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("", "has 0 characters, a bank bar code has 54"),
        (VERSION_4[:-1], "has 53 characters, a bank bar code has 54"),
        (VERSION_4 + "0", "has 55 characters, a bank bar code has 54"),
        (VERSION_4[:-1] + "a", "is not digits only"),
        (VERSION_4[:-1] + "２", "is not digits only"),
        (VERSION_4[:-1] + "²", "is not digits only"),
        (VERSION_4[:-1] + "\ud800", "is not digits only"),
        (VERSION_4[:-1] + " ", "is not digits only"),
        (" " + VERSION_4[1:], "is not digits only"),
        ("3" + VERSION_4[1:], "is of version 3, there are 4 and 5"),
        ("6" + VERSION_4[1:], "is of version 6, there are 4 and 5"),
        (with_field(VERSION_4, 26, "100"), "the reserve of version 4 is not 000"),
        (with_field(VERSION_4, 26, "001"), "the reserve of version 4 is not 000"),
        (with_field(VERSION_4, 49, "100631"), "the due date is not in the calendar"),
        (with_field(VERSION_4, 49, "230229"), "the due date is not in the calendar"),
        (with_field(VERSION_5, 49, "101301"), "the due date is not in the calendar"),
        (with_field(VERSION_5, 49, "100600"), "the due date is not in the calendar"),
        (with_field(VERSION_5, 49, "000001"), "the due date is not in the calendar"),
    ],
)
def test_wrong_forms(code: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parse_bank_barcode(code)


@pytest.mark.parametrize(
    ("yymmdd", "due"),
    [
        ("000000", None),
        ("000101", date(2000, 1, 1)),
        ("000229", date(2000, 2, 29)),
        ("240229", date(2024, 2, 29)),
        ("691231", date(2069, 12, 31)),
        ("991231", date(2099, 12, 31)),
    ],
)
def test_due_dates(yymmdd: str, due: date | None) -> None:
    assert parse_bank_barcode(with_field(VERSION_4, 49, yymmdd)).due == due
    assert make(due=due)[48:] == yymmdd


@pytest.mark.parametrize(
    ("field", "cents"),
    [("00000000", None), ("00000001", 1), ("00000100", 100), ("10000000", 10_000_000), ("99999999", LARGEST_AMOUNT)],
)
def test_amounts(field: str, cents: int | None) -> None:
    assert parse_bank_barcode(with_field(VERSION_5, 18, field)).cents == cents
    assert make(cents=cents)[17:25] == field


def test_no_amount_is_no_cents() -> None:
    assert make(cents=0) == make(cents=None)


def test_places_next_to_one_another() -> None:
    ends = parse_bank_barcode(
        "4" + "1" + "0" * 14 + "2" + "3" + "0" * 6 + "4" + "000" + "5" + "0" * 18 + "6" + "311230"
    )
    assert ends == BankBarcode(4, "FI1" + "0" * 14 + "2", 30000004, "5" + "0" * 18 + "6", None, date(2031, 12, 30))
    ends = parse_bank_barcode("5" + "0" * 24 + "78" + "9" + "0" * 19 + "1" + "000000")
    assert ends == BankBarcode(5, "FI" + "0" * 16, None, "9" + "0" * 19 + "1", "78", None)


@pytest.mark.parametrize("code", [VERSION_4, VERSION_5])
def test_checks_of_the_account(code: str) -> None:
    assert problem_of_account(parse_bank_barcode(code)) is None
    wrong = parse_bank_barcode(with_field(code, 2, "78"))
    assert problem_of_account(wrong) == "the account fails the check (mod 97)"


def test_checks_of_the_rf_reference() -> None:
    assert problem_of_rf(parse_bank_barcode(VERSION_5)) is None
    assert problem_of_rf(parse_bank_barcode(VERSION_4)) is None
    wrong = parse_bank_barcode(with_field(VERSION_5, 26, "10"))
    assert problem_of_rf(wrong) == "the reference fails the RF check (mod 97)"
    wrong = parse_bank_barcode(with_field(VERSION_5, 48, "6"))
    assert problem_of_rf(wrong) == "the reference fails the RF check (mod 97)"


def test_all_zeros_are_no_reference() -> None:
    assert parse_bank_barcode(with_field(VERSION_4, 29, "0" * 20)).reference == ""
    none = parse_bank_barcode(with_field(VERSION_5, 26, "0" * 23))
    assert (none.reference, none.rf_check) == ("", "00")
    assert problem_of_rf(none) == "the reference fails the RF check (mod 97)"


@given(
    st.text("0123456789", min_size=14, max_size=14),
    st.integers(1, LARGEST_AMOUNT) | st.none(),
    st.integers(1, 10**19 - 1),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)) | st.none(),
    st.booleans(),
)
def test_what_is_made_is_read(account: str, cents: int | None, number: int, due: date | None, as_rf: bool) -> None:
    iban = str(IBAN.from_bban("FI", account))
    reference = reference_for(number)
    rf = rf_reference(reference)
    code = make_bank_barcode(iban=iban, cents=cents, reference=rf if as_rf else reference, due=due)
    barcode = parse_bank_barcode(code)
    version, check = (5, rf[2:4]) if as_rf else (4, None)
    assert barcode == BankBarcode(version, iban, cents, reference.lstrip("0"), check, due)
    assert problem_of_account(barcode) is None
    assert problem_of_rf(barcode) is None


def test_spaces_are_ignored() -> None:
    assert make(iban="FI79 4405 2020 0360 82", reference="86851 62596 19897") == make()
    assert make(reference="RF09 8685 1625 9619 897") == make(reference="RF09868516259619897")


def test_a_moment_is_on_its_day() -> None:
    assert make(due=datetime(2030, 1, 2, 23, 59)) == make(due=date(2030, 1, 2))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"iban": "DE89370400440532013000"}, "the account is not a Finnish IBAN: leave the bar code out"),
        ({"iban": "fi7944052020036082"}, "the account is not a Finnish IBAN: leave the bar code out"),
        ({"iban": ""}, "the account is not a Finnish IBAN: leave the bar code out"),
        ({"iban": "FI7844052020036082"}, "the account fails the check (mod 97)"),
        ({"iban": "FI794405202003608"}, "the account has 17 characters, a Finnish IBAN has 18"),
        ({"cents": -1}, "the amount is negative: leave the bar code out"),
        ({"cents": LARGEST_AMOUNT + 1}, "the amount is above 999,999.99: leave the bar code out"),
        ({"due": date(1999, 12, 31)}, "the due date is not in 2000 to 2099: leave it, or the bar code, out"),
        ({"due": date(2100, 1, 1)}, "the due date is not in 2000 to 2099: leave it, or the bar code, out"),
        ({"reference": ""}, "the reference: is empty"),
        ({"reference": "2516000017"}, "the reference: check digit is 7, 3 would be right"),
        ({"reference": "0" * 20}, "the reference: is all zeros"),
        ({"reference": "rf09868516259619897"}, "the reference: RF is written in capitals"),
        ({"reference": "0" * 17 + "1232"}, "the reference: has 21 digits, 4 to 20 are allowed"),
        ({"reference": "RF08868516259619897"}, "the reference fails the RF check (mod 97)"),
        ({"reference": "RF97C2H5OH"}, "the reference is not digits only after RF: leave the bar code out"),
        ({"reference": "RF４113"}, "the reference is not digits only after RF: leave the bar code out"),
        ({"reference": "RF"}, "the reference is not digits only after RF: leave the bar code out"),
        ({"reference": "RF41"}, "the reference has 0 digits after RF and its check digits, 1 to 21 fit"),
        ({"reference": "RF41" + "1" * 22}, "the reference has 22 digits after RF and its check digits, 1 to 21 fit"),
    ],
)
def test_what_a_bar_code_cannot_say(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        make(**fields)


@pytest.mark.parametrize("inside", ["1", "5", "1" * 21])
def test_any_digits_inside_an_rf_reference(inside: str) -> None:
    check = rf_check_digits(inside)
    assert make(reference=f"RF{check}{inside}")[25:48] == check + inside.zfill(21)


@pytest.mark.parametrize(("cents", "name"), [(True, "bool"), (12.5, "float"), ("100", "str")])
def test_cents_are_an_int(cents: object, name: str) -> None:
    with pytest.raises(TypeError, match=f"^cents are an int, not {name}$"):
        make(cents=cents)


def test_every_day_of_a_century() -> None:
    day, last = date(2000, 1, 1), date(2099, 12, 31)
    while day <= last:
        assert parse_bank_barcode(with_field(VERSION_4, 49, f"{day:%y%m%d}")).due == day
        day += timedelta(days=61)
