"""Identities: business IDs in each of their shapes, personal codes, and agreement with python-stdnum."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fi import alv, hetu, ytunnus

from cashin_async.rules.identity import (
    OPERATORS,
    Shape,
    business_id_holds,
    is_business_id_shaped,
    is_personal_code_shaped,
    is_test_person,
    ovt_code,
    problem_of_business_id,
    problem_of_personal_code,
    shape_of_business_id,
    vat_number,
)

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
SIGNS = "+-YXWVUABCDEF"
eight = st.text("0123456789", min_size=8, max_size=8)
seven = st.text("0123456789", min_size=7, max_size=7)


def by_the_decree(digits: str) -> str | None:
    """The check digit of seven digits; None if there is none."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, (7, 9, 10, 5, 8, 4, 2), strict=True))
    return {0: "0", 1: None}.get(total % 11, str(11 - total % 11))


def personal_code(born: date, sign: str, given: int) -> str:
    digits = f"{born:%d%m%y}{given:03}"
    return f"{digits[:6]}{sign}{digits[6:]}{CHECK_CHARACTERS[int(digits) % 31]}"


@st.composite
def personal_codes(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from(SIGNS))
    century = 1800 if sign == "+" else 2000 if sign in "ABCDEF" else 1900
    born = draw(st.dates(date(century, 1, 1), date(century + 99, 12, 31)))
    return personal_code(born, sign, draw(st.integers(0, 999)))


@given(seven)
def test_the_check_digit_of_the_decree(digits: str) -> None:
    right = by_the_decree(digits)
    assert [digit for digit in "0123456789" if business_id_holds(digits + digit)] == ([right] if right else [])
    for digit in "0123456789":
        problem = problem_of_business_id(f"{digits}-{digit}")
        if right is None:
            assert problem == "the business ID was never issued (remainder 1)"
        else:
            assert problem == (None if digit == right else "the check digit of the business ID is wrong")


@given(eight)
def test_as_python_stdnum_has_them(digits: str) -> None:
    valid = alv.is_valid(f"FI{digits}")
    assert (problem_of_business_id(f"FI{digits}") is None) is valid
    assert (problem_of_business_id(f"{digits[:7]}-{digits[7]}") is None) is ytunnus.is_valid(digits) is valid
    assert (problem_of_business_id(f"0037{digits}") is None) is valid
    assert business_id_holds(digits) is valid


@pytest.mark.parametrize(
    "text", ["", "2332748", "0000000", "000000000", "0000000b", "2332748-7", "２３３２７４８７", "2332748²"]
)
def test_what_is_not_eight_digits_does_not_hold(text: str) -> None:
    assert business_id_holds(text) is False


def test_full_width_digits_are_none_but_for_python_stdnum() -> None:
    assert ytunnus.is_valid("２３３２７４８-７")
    assert shape_of_business_id("２３３２７４８-７") is None


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2332748-7", Shape.BUSINESS_ID),
        ("0000000-1", Shape.BUSINESS_ID),
        ("332748-7", None),
        ("12332748-7", None),
        ("2332748-77", None),
        ("2332748+7", None),
        ("2332748-A", None),
        ("23327487", None),
        (" 2332748-7", None),
        ("2332748-7\n", None),
        ("FI23327487", Shape.VAT_NUMBER),
        ("fi23327487", None),
        ("FI2332748", None),
        ("FI233274877", None),
        ("SE23327487", None),
        ("FI2332748A", None),
        ("003723327487", Shape.OVT_CODE),
        ("00372332748712345", Shape.OVT_CODE),
        ("003723327487AbZ", Shape.OVT_CODE),
        ("003723327487123456", None),
        ("00372332748", None),
        ("003723327487-1", None),
        ("003723327487é", None),
        ("003623327487", None),
        ("00372332748A", None),
        ("", None),
    ],
)
def test_shapes(text: str, shape: Shape | None) -> None:
    assert shape_of_business_id(text) is shape
    assert is_business_id_shaped(text) is (shape is Shape.BUSINESS_ID)
    if shape is None:
        assert problem_of_business_id(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2332748-7", None),
        ("FI23327487", None),
        ("003723327487", None),
        ("00372332748700001", None),
        ("2332748-8", "the check digit of the business ID is wrong"),
        ("FI23327488", "the check digit of the business ID inside the VAT number is wrong"),
        ("003723327488", "the check digit of the business ID inside the OVT code is wrong"),
        ("0037233274887", "the check digit of the business ID inside the OVT code is wrong"),
        ("1000008-0", "the business ID was never issued (remainder 1)"),
        ("FI10000080", "the business ID inside the VAT number was never issued (remainder 1)"),
        ("003710000081", "the business ID inside the OVT code was never issued (remainder 1)"),
    ],
)
def test_what_is_said_of_business_ids(text: str, problem: str | None) -> None:
    assert problem_of_business_id(text) == problem


@pytest.mark.parametrize("business_id", ["2332748-7", "23327487"])
def test_made_of_a_business_id(business_id: str) -> None:
    assert vat_number(business_id) == "FI23327487"
    assert ovt_code(business_id) == "003723327487"
    assert ovt_code(business_id, "1") == "0037233274871"
    assert ovt_code(business_id, "00aZ5") == "00372332748700aZ5"


@pytest.mark.parametrize(
    ("business_id", "problem"),
    [
        ("2332748-8", "the check digit of the business ID is wrong"),
        ("23327488", "the check digit of the business ID is wrong"),
        ("1000008-0", "the business ID was never issued (remainder 1)"),
        ("", "a business ID is seven digits, a hyphen and a check digit"),
        ("FI23327487", "a business ID is seven digits, a hyphen and a check digit"),
        ("2332748--7", "a business ID is seven digits, a hyphen and a check digit"),
        ("233-27487", "a business ID is seven digits, a hyphen and a check digit"),
        ("2332748-7 ", "a business ID is seven digits, a hyphen and a check digit"),
        ("２３３２７４８-７", "a business ID is seven digits, a hyphen and a check digit"),
    ],
)
def test_nothing_is_made_of_a_wrong_one(business_id: str, problem: str) -> None:
    for made in (vat_number, ovt_code):
        with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
            made(business_id)


@pytest.mark.parametrize("unit", ["123456", "1 2", "-", "é", "1\n", "１"])
def test_units_are_up_to_five_letters_and_digits(unit: str) -> None:
    with pytest.raises(ValueError, match=r"^the unit of an OVT code is up to five letters and digits$"):
        ovt_code("2332748-7", unit)


@given(personal_codes())
def test_right_personal_codes(code: str) -> None:
    assert is_personal_code_shaped(code)
    given = int(code[7:10])
    assert problem_of_personal_code(code) == (None if given >= 2 else "the three digits are none that are given")
    assert is_test_person(code) is (given >= 900)
    assert hetu.is_valid(code, allow_temporary=True) is (given >= 2)


@given(personal_codes(), st.integers(0, 10), st.sampled_from("0123456789-+ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_mutated_personal_codes_as_python_stdnum_has_them(code: str, place: int, character: str) -> None:
    mutated = code[:place] + character + code[place + 1 :]
    right = is_personal_code_shaped(mutated) and problem_of_personal_code(mutated) is None
    assert right is hetu.is_valid(mutated, allow_temporary=True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("131052-308T", None),
        ("131052+308T", None),
        ("131052A308T", None),
        ("290200A248" + CHECK_CHARACTERS[290200248 % 31], None),
        ("290200-248" + CHECK_CHARACTERS[290200248 % 31], "the day does not exist"),
        ("290200+248" + CHECK_CHARACTERS[290200248 % 31], "the day does not exist"),
        ("310431A248" + CHECK_CHARACTERS[310431248 % 31], "the day does not exist"),
        ("010031-2482", "the day does not exist"),
        ("011331-2482", "the day does not exist"),
        ("000131-2482", "the day does not exist"),
        ("131052-308U", "the check character is wrong"),
        ("131052-3088", "the check character is wrong"),
        ("131052-308G", "the check character is wrong"),
        ("131052-308t", "letters are capitals"),
        ("131052a308T", "letters are capitals"),
        ("131052T308T", "the century sign is none there is"),
        ("131052G308T", "the century sign is none there is"),
        ("131052Z308T", "the century sign is none there is"),
        ("131052-000" + CHECK_CHARACTERS[131052000 % 31], "the three digits are none that are given"),
        ("131052-001" + CHECK_CHARACTERS[131052001 % 31], "the three digits are none that are given"),
        ("131052-002" + CHECK_CHARACTERS[131052002 % 31], None),
    ],
)
def test_what_is_said_of_personal_codes(text: str, problem: str | None) -> None:
    assert problem_of_personal_code(text) == problem
    assert is_personal_code_shaped(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "131052-308",
        "131052-308TT",
        "31052-308T",
        "1131052-308T",
        "131052308T",
        "131052 308T",
        "131052–308T",
        "131052/308T",
        "131052,308T",
        "131052-3A8T",
        "13105A-308T",
        "131052-308-",
        "131052-308T\n",
        " 131052-308T",
        "１３１０５２-308T",
        "131052É308T",
    ],
)
def test_what_is_no_personal_code(text: str) -> None:
    assert not is_personal_code_shaped(text)
    assert problem_of_personal_code(text) is None
    assert not is_test_person(text)


@pytest.mark.parametrize("sign", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-")
def test_every_sign(sign: str) -> None:
    problem = problem_of_personal_code(f"131052{sign}308T")
    if sign in SIGNS:
        assert problem is None
    elif sign.islower():
        assert problem == "letters are capitals"
    else:
        assert problem == "the century sign is none there is"


@pytest.mark.parametrize("sign", SIGNS)
def test_leap_days_of_each_century(sign: str) -> None:
    wrong = "the day does not exist"
    for year in range(100):
        is_leap_year = year % 4 == 0 and (year > 0 or sign in "ABCDEF")  # of 1800, 1900 and 2000 the last is one
        digits = f"2902{year:02}248"
        code = f"{digits[:6]}{sign}248{CHECK_CHARACTERS[int(digits) % 31]}"
        assert problem_of_personal_code(code) == (None if is_leap_year else wrong)


@pytest.mark.parametrize(
    ("text", "test_person"),
    [
        ("131052-899X", False),
        ("131052-900X", True),
        ("131052-999X", True),
        ("900 to 999", False),
        ("131052-009X", False),
    ],
)
def test_test_persons(text: str, test_person: bool) -> None:
    assert is_test_person(text) is test_person


@given(eight, personal_codes(), st.sampled_from("0123456789ABCDEFGHJKLMNPRSTUVWXYZ"))
def test_no_digit_of_an_identity_is_shown(digits: str, code: str, check: str) -> None:
    for text in (f"{digits[:7]}-{digits[7]}", f"FI{digits}", f"0037{digits}"):
        assert not re.search(r"\d", (problem_of_business_id(text) or "").replace("(remainder 1)", ""))
    assert not re.search(r"\d", problem_of_personal_code(code[:10] + check) or "")


def test_operators_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        OPERATORS["PAGERO"] = "somebody else"  # type: ignore[index]
