"""Cents and rounding, under any decimal context."""

import decimal
import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.models.money import added, cents, exact, half_up, negated, row_sum, tax_in_gross, tax_of_net

NAN, INFINITY = Decimal("NaN"), Decimal("Infinity")
HOSTILE = Context(prec=1, rounding=decimal.ROUND_DOWN, Emin=-1, Emax=1, traps=[decimal.Inexact, decimal.Rounded])
"""What a caller may have set: one digit, and an exception for every digit lost."""

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8)
in_cents = st.integers(-(2**51) + 1, 2**51 - 1)
percents = st.decimals(min_value=0, max_value=100, places=2)


@pytest.fixture(params=["usual", "hostile"])
def context(request: pytest.FixtureRequest) -> Iterator[None]:
    with localcontext(HOSTILE if request.param == "hostile" else Context()):
        yield


def rounded(value: Fraction) -> Decimal:
    """To two decimals, half up on the absolute value, in whole numbers: the oracle."""
    whole = (abs(value) * 200 + 1) // 2
    return Decimal(int(whole if value >= 0 else -whole)).scaleb(-2)


# -- cents


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, 0),
        (5, 500),
        (-5, -500),
        (10**30, 10**32),
        (0.0, 0),
        (-0.0, 0),
        (0.29, 29),
        (-80.65, -8065),
        (1.005, None),
        (0.1 + 0.2, None),
        (0.001, None),
        (5e-324, None),
        (22517998136852.47, 2251799813685247),
        (22517998136852.48, 2251799813685248),
        (-22517998136852.48, -2251799813685248),
        (45035996273704.95, 4503599627370495),
        (1e15, 10**17),
        (100000000000000.5, 10000000000000050),
        (1e33, 10**35),
        (1e34, None),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        (Decimal("0"), 0),
        (Decimal("-0.00"), 0),
        (Decimal("0E-40"), 0),
        (Decimal("0E+999999"), 0),
        (Decimal("80.65"), 8065),
        (Decimal("-80.650000"), -8065),
        (Decimal("80.5"), 8050),
        (Decimal("80.655"), None),
        (Decimal("0.001"), None),
        (Decimal("0.004"), None),
        (Decimal("1E+2"), 10000),
        (Decimal("9" * 34 + ".99"), int("9" * 36)),
        (Decimal("1E+33"), 10**35),
        (Decimal("1E+34"), None),
        (Decimal("1E+999999"), None),
        (Decimal("1E-34"), None),
        (Decimal("1E-999999"), None),
        (NAN, None),
        (Decimal("sNaN"), None),
        (INFINITY, None),
        (-INFINITY, None),
    ],
    ids=str,
)
@pytest.mark.usefixtures("context")
def test_cents(amount: Any, expected: int | None) -> None:
    found = cents(amount)
    assert found == expected
    assert type(found) is type(expected)


@given(in_cents)
def test_cents_of_what_json_shows(whole: int) -> None:
    text = f"{'-' if whole < 0 else ''}{abs(whole) // 100}.{abs(whole) % 100:02}"
    assert cents(json.loads(text)) == cents(Decimal(text)) == whole


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e3, 1e3).map(lambda x: round(x, 3)))
def test_a_float_is_the_number_that_json_shows(amount: float) -> None:
    assert cents(amount) == cents(Decimal(repr(amount)))


@given(numbers)
def test_more_than_two_decimals_are_told(amount: Decimal) -> None:
    scaled = Fraction(amount) * 100
    assert cents(amount) == (scaled.numerator if scaled.denominator == 1 else None)


# -- exact


@pytest.mark.parametrize("value", [0.1, True, False, None, b"1", 1.0, Fraction(1, 2)], ids=repr)
def test_what_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^an amount is a .*: give Decimal, int or str$"):
        exact(value)


@pytest.mark.parametrize("value", ["NaN", NAN, "sNaN", Decimal("sNaN"), "inf", INFINITY, -INFINITY], ids=repr)
def test_what_is_not_finite_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^price is not a finite number$"):
        exact(value, "price")


@pytest.mark.parametrize("value", ["", "1,50", "12 €", "one", "1.2.3"])
def test_what_is_no_number_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ValueError, match=r"^an amount is not a decimal number$"):
        exact(value)


@pytest.mark.parametrize(
    "value", ["1E+34", "1E+999999", "1E-35", "0." + 34 * "0" + "1", 10**34, "1." + 35 * "0"], ids=str
)
def test_what_has_too_many_digits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^an amount has more than 34 digits on a side of the decimal point$"):
        exact(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        ("7.10", "7.10"),
        (Decimal("7.10"), "7.10"),
        (" 1.5 ", "1.5"),
        ("1E+33", "1E+33"),
        ("1E-34", "1E-34"),
        ("9" * 34 + "." + "9" * 34, "9" * 34 + "." + "9" * 34),
        (10**34 - 1, "9" * 34),
        ("-0", "0"),
        ("-0.00", "0.00"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("context")
def test_every_digit_is_kept(value: Any, expected: str) -> None:
    assert str(exact(value)) == expected


# -- half up


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("0.00499999999999999999999999999999999999999999", "0.00"),
        ("0.765", "0.77"),
        ("-0.765", "-0.77"),
        ("2.675", "2.68"),
        ("100", "100.00"),
        ("1E+2", "100.00"),
        ("-0.001", "0.00"),
        ("-0", "0.00"),
        ("123456789012345678901234567890.125", "123456789012345678901234567890.13"),
    ],
)
@pytest.mark.usefixtures("context")
def test_half_up(amount: str, expected: str) -> None:
    assert str(half_up(Decimal(amount))) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6, places=3))
def test_half_up_goes_by_the_absolute_value(amount: Decimal) -> None:
    assert half_up(amount) == rounded(Fraction(amount)) == -half_up(-amount)
    assert half_up(amount).as_tuple().exponent == -2


@pytest.mark.parametrize("amount", [NAN, INFINITY, Decimal("sNaN")], ids=str)
def test_what_is_not_finite_is_not_rounded(amount: Decimal) -> None:
    with pytest.raises(ValueError, match=r"^an amount is not a finite number$"):
        half_up(amount)


def test_what_is_too_large_is_not_rounded() -> None:
    with pytest.raises(ValueError, match=r"^an amount is too large to be rounded to cents$"):
        half_up(Decimal("1E+999999"))


# -- tax and rows


@given(numbers, percents)
def test_tax_of_net_and_in_gross(amount: Decimal, rate: Decimal) -> None:
    share = Fraction(rate) / 100
    assert tax_of_net(amount, rate) == rounded(Fraction(amount) * share)
    assert tax_in_gross(amount, rate) == rounded(Fraction(amount) * share / (1 + share))


@pytest.mark.usefixtures("context")
def test_tax_needs_no_context() -> None:
    assert tax_of_net(Decimal("12345678901234.51"), Decimal("25.5")) == Decimal("3148148119814.80")
    assert tax_in_gross(Decimal("12345678901234.51"), Decimal("25.5")) == Decimal("2508484557621.35")
    assert added([Decimal("12345678901234.51"), Decimal("0.01")]) == Decimal("12345678901234.52")
    assert negated(Decimal("12345678901234.51")).compare_total(Decimal("-12345678901234.51")) == 0
    numbers = ("3.333333333333333333333333333333333", "0.3", "0", "12.5")
    assert row_sum(*map(Decimal, numbers)) == Decimal("0.87")


def test_zero_has_no_sign() -> None:
    zero = Decimal(0)
    made = [negated(zero), added([]), tax_of_net(Decimal(-5), zero), tax_in_gross(Decimal(-5), zero)]
    made += [row_sum(Decimal(-1), Decimal("0.001"), zero, zero)]
    assert [str(amount).startswith("-") for amount in made] == [False] * 5


@pytest.mark.parametrize("tax", [tax_of_net, tax_in_gross])
def test_a_rate_is_not_negative(tax: Any) -> None:
    with pytest.raises(ValueError, match=r"^the VAT rate is below 0$"):
        tax(Decimal(100), Decimal("-0.01"))
    with pytest.raises(TypeError, match=r"^the VAT rate is a float"):
        tax(Decimal(100), 25.5)
    with pytest.raises(TypeError, match=r"^the (net|gross) amount is a float"):
        tax(100.0, Decimal(24))


@given(numbers, numbers, numbers, percents)
def test_a_rows_sum(quantity: Decimal, price: Decimal, discount: Decimal, percent: Decimal) -> None:
    full = Fraction(quantity) * Fraction(price)
    assert row_sum(quantity, price, discount, Decimal(0)) == rounded(full - Fraction(discount))
    assert row_sum(quantity, price, Decimal(0), percent) == rounded(full * (1 - Fraction(percent) / 100))


def test_the_widest_numbers_lose_no_digit() -> None:
    """What `exact` lets pass, multiplied: half a cent is still told from a bit less."""
    wide = Decimal("9" * 34 + "." + "9" * 34)
    expected = Fraction(wide) ** 2 * (1 - Fraction("0.3333333333333333333333333333333333") / 100)
    assert Fraction(row_sum(wide, wide, Decimal(0), Decimal("0.3333333333333333333333333333333333"))) == Fraction(
        int((expected * 200 + 1) // 2), 100
    )
    half, tiny = Decimal("0.005"), Decimal("1E-34")
    assert row_sum(Decimal(1), half, Decimal(0), Decimal(0)) == Decimal("0.01")
    assert row_sum(Decimal(1), half, tiny, Decimal(0)) == 0


@given(st.lists(numbers))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    assert Fraction(added(amounts)) == sum(map(Fraction, amounts))
    assert added(map(negated, amounts)) == negated(added(amounts))


def test_the_oracle_is_half_up() -> None:
    for text in ("0.005", "-0.005", "0.004", "2.675", "-7.125"):
        assert rounded(Fraction(text)) == Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP)
