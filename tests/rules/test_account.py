"""Accounts: what looks like an IBAN, what is wrong with one, and agreement with schwifty."""

import re
from random import Random
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN, exceptions, registry

from cashin_async.rules.account import IBAN_COUNTRIES, looks_like_iban, luhn_holds, problem_of_iban

TERRITORIES = frozenset("AX BL GF GG GP IM JE MF MQ NC PF PM RE TF WF YT".split())
"""They have no letters of their own in the registry of ISO 13616: Åland's accounts begin with FI."""

FAILS = "fails the check (mod 97)"
finnish = st.text("0123456789", min_size=14, max_size=14)
alphanumeric = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=36)


def in_the_registry(country: str) -> bool:
    try:
        return not registry.get_iban_spec(country).aspirational
    except exceptions.InvalidCountryCode:
        return False


def mutate(text: str, place: int, character: str) -> str:
    place %= len(text)
    return text[:place] + character + text[place + 1 :]


def luhn_by_schwifty(iban: str) -> bool:
    try:
        return IBAN(iban, allow_invalid=True).bban.validate_national_checksum()
    except exceptions.SchwiftyException:
        return False


def test_the_countries() -> None:
    known = {first + second for first in ascii_uppercase for second in ascii_uppercase}
    assert {country for country in known if in_the_registry(country)} - TERRITORIES == IBAN_COUNTRIES


@pytest.mark.parametrize("country", sorted(IBAN_COUNTRIES))
def test_each_country_has_right_ones(country: str) -> None:
    iban = str(IBAN.random(country, random=Random(country), use_registry=False))
    assert looks_like_iban(iban)
    assert problem_of_iban(iban) is None
    swapped = iban[:2] + iban[3] + iban[2] + iban[4:]
    if swapped != iban:
        assert problem_of_iban(swapped) == FAILS


@given(finnish, st.integers(0, 15), st.sampled_from("0123456789"))
def test_finnish_ones_as_schwifty_has_them(account: str, place: int, digit: str) -> None:
    iban = str(IBAN.from_bban("FI", account))
    assert problem_of_iban(iban) is None
    mutated = "FI" + mutate(iban[2:], place, digit)
    assert (problem_of_iban(mutated) is None) is IBAN(mutated, allow_invalid=True).is_valid


@given(finnish, st.integers(0, 99))
def test_check_digits_of_finnish_ones(account: str, check: int) -> None:
    iban = f"FI{check:02}{account}"
    assert (problem_of_iban(iban) is None) is IBAN(iban, allow_invalid=True).is_valid


@given(st.sampled_from(sorted(IBAN_COUNTRIES)), st.integers(), st.integers(0, 40), st.sampled_from("0123456789AZ"))
def test_others_as_schwifty_has_them(country: str, seed: int, place: int, character: str) -> None:
    """It knows their lengths and forms too: what it takes is right here, and the checks are the same."""
    iban = str(IBAN.random(country, random=Random(seed), use_registry=False))
    mutated = iban[:2] + mutate(iban[2:], place, character)
    if IBAN(mutated, allow_invalid=True).is_valid:
        assert problem_of_iban(mutated) is None
    elif mutated[2:4].isdigit() and country != "FI":
        assert problem_of_iban(mutated) == (None if same_check(mutated) else FAILS)


def same_check(iban: str) -> bool:
    return str(IBAN.from_bban(iban[:2], iban[4:], allow_invalid=True)) == iban


@pytest.mark.parametrize("iban", ["FI0112345600000078", "FI0012345600000096", "FI9912345600000060"])
def test_check_digits_that_nobody_computes(iban: str) -> None:
    assert int(f"{iban[4:]}1518{iban[2:4]}") % 97 == 1
    assert not IBAN(iban, allow_invalid=True).is_valid
    assert problem_of_iban(iban) == FAILS


@given(finnish)
def test_luhn_as_schwifty_has_it(account: str) -> None:
    assert luhn_holds(f"FI00{account}") is luhn_by_schwifty(f"FI00{account}")
    assert sum(luhn_holds(f"FI00{account[:13]}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize(
    ("iban", "holds"),
    [
        ("FI2112345600000785", True),
        ("FI21 1234 5600 0007 85", True),
        ("FI2112345600000786", False),
        ("FI4250001510000023", False),
        ("FI00" + "0" * 14, True),
        ("FI00" + "0" * 13, False),
        ("FI00" + "0" * 15, False),
        ("FI0012345600000７85", False),
        ("FI00123456000007A5", False),
        ("FI00" + "0" * 13 + "A", False),
        ("DE89370400440532013001", True),
        ("DE", True),
        ("", True),
    ],
)
def test_luhn_is_for_finnish_accounts(iban: str, holds: bool) -> None:
    assert luhn_holds(iban) is holds


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("FI2112345600000785", True),
        ("FI21 1234 5600 0007 85", True),
        ("FI9912345600000785", True),
        ("FI211234560000078", True),
        ("FI21123456000007855", True),
        ("FI21ABC5678", True),
        ("FI21" + "1" * 60, True),
        ("FI123456789", True),
        ("FI23327487", False),
        ("FI 2332 7487", False),
        ("FI2A12345600000785", False),
        ("FIA112345600000785", False),
        ("FI21-1234-5600-0007-85", False),
        ("FI2112345600000７85", False),
        ("FI２112345600000785", False),
        ("fi2112345600000785", False),
        ("FI", False),
        ("", False),
        ("DE89370400440532013000", True),
        ("NO9386011117947", True),
        ("NO938601111794", False),
        ("NO93 8601 1117 94", False),
        ("MT11" + " 1111" * 7 + " 11", True),
        ("MT" + "1" * 32, True),
        ("MT" + "1" * 33, False),
        ("MT1A" + "1" * 20, False),
        ("MT11" + "é" * 20, False),
        ("US12345678901234567", False),
        ("003723327487", False),
        ("OKOYFIHH", False),
        ("XK051212012345678906", True),
    ],
)
def test_what_looks_like_an_iban(text: str, looks: bool) -> None:
    assert looks_like_iban(text) is looks


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FI2112345600000785", None),
        ("FI21 1234 5600 0007 85", None),
        (" FI2112345600000785 ", None),
        ("FI2212345600000785", FAILS),
        ("FI22 1234 5600 0007 85", FAILS),
        ("SE2112345600000785", FAILS),
        ("FI211234560000078", "has 17 characters, a Finnish IBAN has 18"),
        ("FI21 1234 5600 0007 855", "has 19 characters, a Finnish IBAN has 18"),
        ("FI21", "has 4 characters, a Finnish IBAN has 18"),
        ("FI21123456000007A5", "is not digits only after the country"),
        ("FI2A12345600000785", "has no two check digits after the country"),
        ("FIA112345600000785", "has no two check digits after the country"),
        ("FI", "has no two check digits after the country"),
        ("FI21-1234-5600-0007-85", "is not letters and digits"),
        ("FI2112345600000７85", "is not letters and digits"),
        ("FI211234560000078\ud800", "is not letters and digits"),
        ("FI2112345600000785\n", "is not letters and digits"),
        ("", "is not letters and digits"),
        ("fi2112345600000785", "the country is written in capitals"),
        ("De89370400440532013000", "the country is written in capitals"),
        ("US12345678901234567", "does not begin with a country that uses IBAN"),
        ("2112345600000785", "does not begin with a country that uses IBAN"),
        ("DE89 3704 0044 0532 0130 00", None),
        ("DE88370400440532013000", FAILS),
        ("GB82WEST12345698765432", None),
        ("GB82west12345698765432", None),
        ("GB82WEST12345698765423", FAILS),
        ("NO9386011117947", None),
        ("NO938601111794", "has 14 characters, an IBAN has 15 to 34"),
        ("MT40" + "0" * 29 + "1", FAILS),
        ("MT40" + "0" * 30 + "1", "has 35 characters, an IBAN has 15 to 34"),
    ],
)
def test_what_is_said(text: str, problem: str | None) -> None:
    assert problem_of_iban(text) == problem


@given(st.sampled_from(["FI", "DE", "US", "fi", ""]), alphanumeric)
def test_no_part_of_an_account_is_shown(country: str, rest: str) -> None:
    problem = problem_of_iban(country + rest)
    said = re.sub(r"^has \d+ characters, (a Finnish IBAN has 18|an IBAN has 15 to 34)$", "", problem or "")
    assert not re.search(r"\d", said.replace("(mod 97)", ""))
