"""References: what is said of wrong ones, what is made of right ones, and agreement with ISO 11649 elsewhere."""

import re
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from cashin_async.rules.reference import (
    Reference,
    check_digit,
    digits_of,
    parse_reference,
    problem_of_reference,
    reference_for,
    rf_check_digits,
    rf_reference,
)

DIGITS = "0123456789"
bases = st.text(DIGITS, min_size=3, max_size=19).filter(lambda base: base.strip("0") != "")


def by_the_guide(base: str) -> int:
    """The check digit, as Finance Finland's guide works it out."""
    total = sum(int(digit) * weight for digit, weight in zip(reversed(base), cycle((7, 3, 1)), strict=False))
    return (10 - total % 10) % 10


def national(base: str) -> str:
    return f"{base}{by_the_guide(base)}"


def wrong(reference: str) -> str:
    return f"{reference[:-1]}{(int(reference[-1]) + 1) % 10}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("2516000017", "check digit is 7, 3 would be right"),
        ("251 60000 17", "check digit is 7, 3 would be right"),
        ("1234", "check digit is 4, 2 would be right"),
        ("9000", "check digit is 0, 1 would be right"),
        ("0001", "check digit is 1, 0 would be right"),
        ("1231", "check digit is 1, 2 would be right"),
        ("12345678912345678910", "check digit is 0, 7 would be right"),
        ("7", "has 1 digit, 4 to 20 are allowed"),
        ("13", "has 2 digits, 4 to 20 are allowed"),
        ("107", "has 3 digits, 4 to 20 are allowed"),
        ("000000000002023000098", "has 21 digits, 4 to 20 are allowed"),
        ("0000", "is all zeros"),
        ("0" * 20, "is all zeros"),
        ("12-34561", "is not digits only"),
        ("1234561\n", "is not digits only"),
        ("1234561\u00a0", "is not digits only"),
        ("１２３４５６１", "is not digits only"),
        ("123456¹", "is not digits only"),
        ("\ud800123", "is not digits only"),
        ("+1234561", "is not digits only"),
        ("123_4561", "is not digits only"),
        ("rf332348236", "RF is written in capitals"),
        ("Rf33 2348 236", "RF is written in capitals"),
        ("rfid-4", "is not digits only"),
        ("rfx332348236", "is not digits only"),
        ("rf", "is not digits only"),
        ("R332348236", "is not digits only"),
        ("XX332348236", "is not digits only"),
        ("xx332348236", "is not digits only"),
        ("RF", "has 0 digits after RF, 4 to 22 are allowed"),
        ("RF1", "has 1 digit after RF, 4 to 22 are allowed"),
        ("RF411", "has 3 digits after RF, 4 to 22 are allowed"),
        ("RF41" + "0" * 19 + "13", "has 23 digits after RF, 4 to 22 are allowed"),
        ("RF41" + "0" * 18 + "13", None),
        ("RF4113", None),
        ("RF41013", None),
        ("R F4113", None),
        ("RF97C2H5OH", "is not digits only after RF"),
        ("RF３３2348236", "is not digits only after RF"),
        ("RF33-2348236", "is not digits only after RF"),
        ("RF0900", "is all zeros after RF and its check digits"),
        ("RF08 8685 1625 9619 897", "fails the RF check (mod 97): RF09 would be right"),
        ("RF33 8685 1625 9619 897", "fails the RF check (mod 97): RF09 would be right"),
        (
            "RF18 5390 0754 7034",
            "RF passes, the Finnish reference inside does not: its check digit is 4, 7 would be right",
        ),
        (
            "RF19 5390 0754 7034",
            "fails the RF check (mod 97), and so does the Finnish reference inside: its check digit is 4, "
            "7 would be right",
        ),
    ],
)
def test_what_is_said(text: str, problem: str | None) -> None:
    assert problem_of_reference(text) == problem


@pytest.mark.parametrize("text", ["2516000017", "", "RF18 5390 0754 7034", "rf332348236"])
def test_what_is_wrong_is_raised(text: str) -> None:
    said = f"^{re.escape(problem_of_reference(text) or 'nothing')}$"
    with pytest.raises(ValueError, match=said):
        parse_reference(text)
    with pytest.raises(ValueError, match=said):
        rf_reference(text)


@given(bases)
def test_the_check_digit_is_the_guides(base: str) -> None:
    assert check_digit(base) == by_the_guide(base)
    assert problem_of_reference(national(base)) is None
    right = national(base)[-1]
    said = f"check digit is {wrong(national(base))[-1]}, {right} would be right"
    assert problem_of_reference(wrong(national(base))) == said


@given(bases, st.integers(0, 19), st.sampled_from(DIGITS))
def test_one_wrong_digit_is_found(base: str, place: int, digit: str) -> None:
    right = national(base)
    place %= len(right)
    mutated = right[:place] + digit + right[place + 1 :]
    if mutated.strip("0"):
        assert (problem_of_reference(mutated) is None) is (mutated == right)


@pytest.mark.parametrize(("base", "digit"), [("1", 3), ("01", 3), ("7", 1), ("12", 3), ("251600001", 3), ("0", 0)])
def test_check_digits_of_short_bases(base: str, digit: int) -> None:
    assert check_digit(base) == digit == by_the_guide(base)


@pytest.mark.parametrize("base", ["", "12a", "１２３", " 123", "¹²³"])
def test_a_base_is_digits_only(base: str) -> None:
    with pytest.raises(ValueError, match=r"^the base of a reference is digits only$"):
        check_digit(base)


@given(st.one_of(bases.map(national), bases.map(national).map(wrong)), st.integers(0, 99) | st.none())
def test_rf_as_python_stdnum_has_it(reference: str, check: int | None) -> None:
    """But for 00, 01 and 99, which are 97, 98 and 02 to a plain mod 97, and which nobody ever computes."""
    inside = reference.lstrip("0")
    text = f"RF{rf_check_digits(inside) if check is None else f'{check:02}'}{inside}"
    outer = iso11649.is_valid(text) and text[2:4] not in ("00", "01", "99")
    assert (problem_of_reference(text) is None) is (outer and reference == national(reference[:-1]))


@pytest.mark.parametrize(("text", "check"), [("RF0110045", "98"), ("RF00848", "97"), ("RF99327", "02")])
def test_check_digits_that_nobody_computes(text: str, check: str) -> None:
    assert iso11649.is_valid(text)
    assert rf_check_digits(text[4:]) == check
    assert problem_of_reference(text) == f"fails the RF check (mod 97): RF{check} would be right"


@given(bases.map(national))
def test_rf_and_back(reference: str) -> None:
    rf = rf_reference(reference)
    assert iso11649.is_valid(rf)
    assert rf_reference(rf) == rf
    assert digits_of(rf) == digits_of(reference) == reference.lstrip("0")
    parsed = parse_reference(reference)
    assert parsed == Reference(reference.lstrip("0"), rf, "national")
    assert parse_reference(rf) == Reference(reference.lstrip("0"), rf, "rf")


@given(bases.map(national))
def test_what_is_printed_can_be_read(reference: str) -> None:
    for given_as in (reference, rf_reference(reference)):
        parsed = parse_reference(given_as)
        assert parse_reference(parsed.grouped) == parsed


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("1326", "1326"),
        ("0013", "0013"),
        ("12344", "12344"),
        ("105523", "1 05523"),
        ("0001234561", "12 34561"),
        ("12345678912345678917", "12345 67891 23456 78917"),
        ("123456712 3456784", "1 23456 71234 56784"),
        ("RF4113", "RF41 13"),
        ("RF410013", "RF41 13"),
        ("RF111232", "RF11 1232"),
        ("RF332348236", "RF33 2348 236"),
        ("RF7192125374252539897737", "RF71 9212 5374 2525 3989 7737"),
    ],
)
def test_groups_for_print(text: str, grouped: str) -> None:
    assert parse_reference(text).grouped == grouped


@pytest.mark.parametrize(
    ("number", "reference"),
    [
        (1, "0013"),
        (12, "0123"),
        (123, "1232"),
        (1234, "12344"),
        (251600001, "2516000013"),
        (10**18, "10000000000000000003"),
        (10**19 - 1, "99999999999999999993"),
    ],
)
def test_the_reference_of_a_number(number: int, reference: str) -> None:
    assert reference_for(number) == reference
    assert reference == national(reference[:-1])


@given(st.integers(1, 10**19 - 1))
def test_references_of_numbers_are_valid_and_short(number: int) -> None:
    reference = reference_for(number)
    assert problem_of_reference(reference) is None
    assert int(reference[:-1]) == number
    assert len(reference) == max(4, len(str(number)) + 1)


@pytest.mark.parametrize("number", [0, -1, 10**19, 10**25])
def test_numbers_without_a_reference(number: int) -> None:
    with pytest.raises(ValueError, match=r"^a reference is made of a positive number of at most 19 digits$"):
        reference_for(number)


@pytest.mark.parametrize(("number", "name"), [(True, "bool"), ("1234", "str"), (12.0, "float"), (None, "NoneType")])
def test_a_reference_is_made_of_an_int(number: object, name: str) -> None:
    with pytest.raises(TypeError, match=f"^a reference is made of an int, not of {name}$"):
        reference_for(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("12 34561", "1234561"),
        ("0000123", "123"),
        ("7", "7"),
        ("0000", ""),
        ("RF41 0013", "13"),
        ("RF991", "1"),
        ("RF99", None),
        ("RF9", None),
        ("RF", None),
        ("", None),
        ("rf4113", None),
        ("RF97C2H5OH", None),
        ("１２３４", None),
        ("RF１２３４", None),
        ("12-3", None),
    ],
)
def test_digits_of_either_form(text: str, digits: str | None) -> None:
    assert digits_of(text) == digits
