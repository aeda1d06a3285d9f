"""Published identifiers, references and bar codes, each a test of its own; where each is printed stands beside it."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cashin_async.rules.account import looks_like_iban, luhn_holds, problem_of_iban
from cashin_async.rules.barcode import make_bank_barcode, parse_bank_barcode, problem_of_account, problem_of_rf
from cashin_async.rules.identity import (
    OPERATORS,
    Shape,
    is_personal_code_shaped,
    is_test_person,
    ovt_code,
    problem_of_business_id,
    problem_of_personal_code,
    shape_of_business_id,
    vat_number,
)
from cashin_async.rules.reference import digits_of, parse_reference, problem_of_reference, rf_reference

DATA = Path(__file__).parents[1] / "data" / "rule_vectors.json"
VECTORS = json.loads(DATA.read_text(encoding="utf-8"))["vectors"]
ANY_ACCOUNT = "FI2112345600000785"


def named(vector: dict[str, Any]) -> str:
    given = vector["input"]
    if isinstance(given, dict):
        given = f"{given['reference']}-{given['cents']}-{given['due_yymmdd']}"
    return str(given or "layout").replace(" ", "")


def of(kind: str) -> pytest.MarkDecorator:
    vectors = [vector for vector in VECTORS if vector["kind"] == kind]
    assert vectors
    return pytest.mark.parametrize("vector", [pytest.param(vector, id=named(vector)) for vector in vectors])


def day(yymmdd: str | None) -> date | None:
    return date.fromisoformat(f"20{yymmdd[:2]}-{yymmdd[2:4]}-{yymmdd[4:]}") if yymmdd else None


@of("viite")
def test_finnish_reference(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    problem = problem_of_reference(text)
    if not expected["length_4_20"]:
        assert problem is not None
        assert problem.endswith("4 to 20 are allowed")
    elif not expected["check_digit_ok"]:
        assert problem is not None
        assert problem.startswith(f"check digit is {text[-1]}, ")
    else:
        assert problem is None
        assert problem_of_reference(rf_reference(text)) is None
        assert digits_of(rf_reference(text)) == digits_of(text) == parse_reference(text).digits


@of("rf")
def test_rf_reference(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    problem = problem_of_reference(text)
    if expected["mod97_ok"] and expected["inner_viite_ok"]:
        assert problem is None
        assert rf_reference(text) == text.replace(" ", "")
    elif expected["inner_viite_ok"] is None:
        assert problem == "is not digits only after RF"
    elif expected["mod97_ok"]:
        assert problem is not None
        assert problem.startswith("RF passes, the Finnish reference inside does not")
    else:
        assert problem is not None
        assert problem.startswith("fails the RF check (mod 97)")


@of("rf")
def test_rf_reference_in_a_bar_code(vector: dict[str, Any]) -> None:
    text = vector["input"]
    if not vector["expect"]["usable_in_barcode_v5"]:
        with pytest.raises(ValueError, match=r"^the reference "):
            make_bank_barcode(iban=ANY_ACCOUNT, cents=1, reference=text, due=None)
        return
    barcode = parse_bank_barcode(make_bank_barcode(iban=ANY_ACCOUNT, cents=1, reference=text, due=None))
    assert barcode.reference == digits_of(text)
    assert barcode.rf_check == text[2:4]
    assert problem_of_rf(barcode) is None


@of("barcode_v4")
def test_bar_code_of_version_4(vector: dict[str, Any]) -> None:
    check_bar_code(vector, version=4, rf_check=None)


@of("barcode_v5")
def test_bar_code_of_version_5(vector: dict[str, Any]) -> None:
    check_bar_code(vector, version=5, rf_check=vector["input"]["reference"][2:4])


def check_bar_code(vector: dict[str, Any], version: int, rf_check: str | None) -> None:
    given, code = vector["input"], vector["expect"]
    due = day(given["due_yymmdd"])
    assert make_bank_barcode(iban=given["iban"], cents=given["cents"], reference=given["reference"], due=due) == code
    barcode = parse_bank_barcode(code)
    assert barcode.version == version
    assert barcode.iban == given["iban"].replace(" ", "")
    assert barcode.cents == (given["cents"] or None)
    assert barcode.reference == digits_of(given["reference"])
    assert barcode.rf_check == rf_check
    assert barcode.due == due
    assert problem_of_account(barcode) is None
    assert problem_of_rf(barcode) is None
    assert luhn_holds(barcode.iban) is vector["checks"]["fi_bban_luhn"]


@of("barcode_reject")
def test_what_has_no_bar_code(vector: dict[str, Any]) -> None:
    given = vector["input"]
    with pytest.raises(ValueError, match="leave the bar code out"):
        make_bank_barcode(
            iban=given["iban"], cents=given["cents"], reference=given["reference"], due=day(given["due_yymmdd"])
        )


@of("barcode_layout")
@pytest.mark.parametrize("version", [4, 5])
def test_bar_code_layout(vector: dict[str, Any], version: int) -> None:
    places = [re.findall(r"pos (\d+)(?:-(\d+))?", field)[0] for field in vector["expect"][f"v{version}"]]
    reference = {4: "1 23456 71234 56784", 5: rf_reference("1 23456 71234 56784")}[version]
    code = make_bank_barcode(iban=ANY_ACCOUNT, cents=9876543, reference=reference, due=date(2031, 12, 30))
    middle = {4: ["000", "00001234567123456784"], 5: [reference[2:4], "000001234567123456784"]}[version]
    fields = [code[int(first) - 1 : int(last or first)] for first, last in places]
    assert fields == [str(version), ANY_ACCOUNT[2:], "098765", "43", *middle, "311230"]
    assert "".join(fields) == code


@of("iban_fi")
def test_finnish_iban(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    assert looks_like_iban(text)
    assert problem_of_iban(text) == (None if expected["mod97_ok"] else "fails the check (mod 97)")
    assert luhn_holds(text) is expected["bban_luhn_ok"]


@of("ytunnus")
def test_business_id(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    assert shape_of_business_id(text) is Shape.BUSINESS_ID
    if expected["valid"]:
        assert problem_of_business_id(text) is None
        assert vat_number(text) == expected["vat"]
        assert ovt_code(text) == expected["ovt"]
        assert problem_of_business_id(expected["vat"]) is None
        assert problem_of_business_id(expected["ovt"]) is None
    else:
        assert problem_of_business_id(text) == "the check digit of the business ID is wrong"
        with pytest.raises(ValueError, match="check digit"):
            vat_number(text)


@of("ovt")
def test_ovt_code(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    assert (shape_of_business_id(text) is Shape.OVT_CODE) is expected["length_12_17"]
    wrong = "the check digit of the business ID inside the OVT code is wrong"
    assert problem_of_business_id(text) == (None if expected["business_id_ok"] else wrong)


@of("hetu")
def test_personal_code(vector: dict[str, Any]) -> None:
    text, expected = vector["input"], vector["expect"]
    assert is_personal_code_shaped(text)
    if expected["check_char_ok"] is None:
        assert problem_of_personal_code(text) == "the century sign is none there is"
        return
    assert problem_of_personal_code(text) == (None if expected["check_char_ok"] else "the check character is wrong")
    assert is_test_person(text) is expected["test_range_900_999"]


@of("einvoice_intermediator")
def test_einvoice_intermediator(vector: dict[str, Any]) -> None:
    assert OPERATORS[vector["input"]] == vector["expect"]
    assert problem_of_business_id(vector["input"]) is None


def test_no_other_intermediators() -> None:
    assert set(OPERATORS) == {vector["input"] for vector in VECTORS if vector["kind"] == "einvoice_intermediator"}
