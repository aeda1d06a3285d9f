"""Who somebody is: business ID and what is made of it, personal identity code, operators of e-invoices.

Business ID (decree 598/1991 and its amendments): 7 digits, a hyphen, a check digit. Weights 7, 9, 10, 5, 8, 4, 2 from
the left; the remainder by 11 is taken from 11, a remainder of 0 gives 0, and 1 is never issued. A Finnish VAT number
is FI and these 8 digits; an OVT code is 0037, the 8 digits, and up to 5 characters for a unit (TIEKE).

Personal identity code (Digital and Population Data Services Agency, with its reform of 2023): day, month, year, a sign
for the century, three digits, a check character. The sign is in no check but tells two people apart.

A sole trader's business ID is as personal as a personal code: no message shows a digit of either.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType

OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        "003701011385": "Tietoevry",
        "003701150617": "PostNord Stralfors",
        "003710948874": "Posti Messaging",
        "003721291126": "Maventa",
        "003723327487": "Apix Messaging",
        "003726044706": "Netbox",
        "885060259470028": "Tradeshift",
        "AABAFI22": "Alandsbanken",
        "BAWCFI22": "Basware",
        "DABAFIHH": "Danske Bank",
        "DNBAFIHX": "DNB",
        "E204503": "OpusCapita",
        "EXPSYS": "Lexmark Expert Systems",
        "HANDFIHH": "Handelsbanken",
        "INEXCHANGE": "InExchange",
        "OKOYFIHH": "OP",
        "PAGERO": "Pagero alt",
        "PALETTE": "Palette",
        "SBANFIHH": "S-Pankki",
        "TAPIFI22": "S-Pankki (old LahiTapiola)",
    }
)
"""Who carries e-invoices: the intermediator's id and name. From TIEKE's list, as OCA's l10n-finland had it in 2021."""


class Shape(StrEnum):
    """What holds a business ID; the value is what a message calls it."""

    BUSINESS_ID = "business ID"
    VAT_NUMBER = "VAT number"
    OVT_CODE = "OVT code"


_UNIT = "[0-9A-Za-z]{0,5}"
_ovt_code = re.compile(f"0037[0-9]{{8}}{_UNIT}")
_vat_number = re.compile("FI[0-9]{8}")
_business_id = re.compile("[0-9]{7}-[0-9]")
_business_id_any = re.compile("[0-9]{7}-?[0-9]")
_unit = re.compile(_UNIT)
_personal_code = re.compile("[0-9]{6}[-+A-Za-z][0-9]{3}[0-9A-Za-z]")

_CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}
_CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_FIRST_GIVEN = 2  # of the three digits: people have 002 to 899


def is_business_id_shaped(text: str) -> bool:
    """Seven digits, a hyphen, a digit."""
    return _business_id.fullmatch(text) is not None


def business_id_holds(seven_and_check: str) -> bool:
    """Whether the check digit of a business ID without its hyphen is right; False if it is not 8 digits.

    The weights are the powers of two modulo 11, the check digit's is 1, and 13 is 2 modulo 11: read with base 13, a
    right one is a multiple of 11. A remainder of 1 would take a check digit of 10.
    """
    return (
        len(seven_and_check) == 8
        and seven_and_check.isdigit()
        and seven_and_check.isascii()
        and int(seven_and_check, 13) % 11 == 0
    )


def shape_of_business_id(text: str) -> Shape | None:
    """Which of the three it looks like, right or wrong. None for anything else."""
    if text.startswith("0037") and _ovt_code.fullmatch(text):
        return Shape.OVT_CODE
    if text.startswith("FI"):
        return Shape.VAT_NUMBER if _vat_number.fullmatch(text) else None
    return Shape.BUSINESS_ID if is_business_id_shaped(text) else None


def problem_of_business_id(text: str) -> str | None:
    """What is wrong with a business ID, a VAT number or an OVT code; None when nothing is, or when it is none."""
    shape = shape_of_business_id(text)
    match shape:
        case None:
            return None
        case Shape.BUSINESS_ID:
            return _problem_of_eight(text.replace("-", ""), shape)
        case Shape.VAT_NUMBER:
            return _problem_of_eight(text[2:], shape)
        case Shape.OVT_CODE:
            return _problem_of_eight(text[4:12], shape)


def vat_number(business_id: str) -> str:
    """FI and the eight digits of a business ID, given with or without its hyphen. ValueError if it is not valid."""
    return f"FI{_eight(business_id)}"


def ovt_code(business_id: str, unit: str = "") -> str:
    """0037, the eight digits of a business ID, and up to five letters or digits of the holder's own for a unit.

    The business ID with or without its hyphen. ValueError if it is not valid, or the unit has another form.
    """
    if not _unit.fullmatch(unit):
        raise ValueError("the unit of an OVT code is up to five letters and digits")
    return f"0037{_eight(business_id)}{unit}"


def is_personal_code_shaped(text: str) -> bool:
    """Six digits, a plus, a hyphen or a letter, three digits, a digit or letter."""
    return _personal_code.fullmatch(text) is not None


def problem_of_personal_code(text: str) -> str | None:
    """What is wrong with a personal identity code; None when nothing is, or when it does not have the shape.

    Nothing is normalised: another sign is another person.
    """
    if not is_personal_code_shaped(text):
        return None
    if text != text.upper():
        return "letters are capitals"
    century = _CENTURIES.get(text[6])
    if century is None:
        return "the century sign is none there is"
    if not _is_day(century + int(text[4:6]), int(text[2:4]), int(text[:2])):
        return "the day does not exist"
    if int(text[7:10]) < _FIRST_GIVEN:
        return "the three digits are none that are given"
    if text[10] != _CHECK_CHARACTERS[int(text[:6] + text[7:10]) % 31]:
        return "the check character is wrong"
    return None


def is_test_person(text: str) -> bool:
    """Whether a personal identity code is of nobody: 900 to 999 are for tests. False without the shape of a code."""
    return is_personal_code_shaped(text) and text[7] == "9"


def _problem_of_eight(digits: str, shape: Shape) -> str | None:
    if business_id_holds(digits):
        return None
    what = f"the {shape}" if shape is Shape.BUSINESS_ID else f"the business ID inside the {shape}"
    if int(digits[:7] + "0", 13) % 11 == 1:
        return f"{what} was never issued (remainder 1)"
    return f"the check digit of {what} is wrong"


def _eight(business_id: str) -> str:
    if not _business_id_any.fullmatch(business_id):
        raise ValueError("a business ID is seven digits, a hyphen and a check digit")
    digits = business_id.replace("-", "")
    problem = _problem_of_eight(digits, Shape.BUSINESS_ID)
    if problem:
        raise ValueError(problem)
    return digits


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
