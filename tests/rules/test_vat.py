"""Which VAT rate was in force when."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.rules.vat import CHANGES, EVER_IN_FORCE, VatRates, in_force, vat_rates

DAY = timedelta(days=1)
TABLE = {
    date(1998, 1, 1): ("22", "17", "8"),
    date(2009, 10, 1): ("22", "12", "8"),
    date(2010, 7, 1): ("23", "13", "9"),
    date(2013, 1, 1): ("24", "14", "10"),
    date(2024, 9, 1): ("25.5", "14", "10"),
    date(2025, 1, 1): ("25.5", "14", "10"),
    date(2026, 1, 1): ("25.5", "13.5", "10"),
}
"""Written once more, by hand, from the sources that the module names."""
EARLIER = {0: "0", 1994: "22 12 5", 1995: "22 17 12 6"}

days = st.dates(date(1990, 1, 1), date(2040, 1, 1))


def rates(start: date) -> VatRates:
    return VatRates(*map(Decimal, TABLE[start]))


def test_the_days_of_change() -> None:
    assert tuple(TABLE) == CHANGES


@pytest.mark.parametrize("start", TABLE, ids=str)
def test_rates_hold_from_a_day_of_change(start: date) -> None:
    assert vat_rates(start) == vat_rates(start + DAY) == rates(start)


@pytest.mark.parametrize(("start", "end"), list(pairwise(TABLE)), ids=str)
def test_rates_hold_to_the_day_before_the_next(start: date, end: date) -> None:
    assert vat_rates(end - DAY) == rates(start)


def test_the_last_rates_hold_on() -> None:
    assert vat_rates(date(2099, 12, 31)) == VatRates(Decimal("25.5"), Decimal("13.5"), Decimal(10))


@pytest.mark.parametrize("day", [date(1997, 12, 31), date(1994, 6, 1)], ids=str)
def test_before_the_table_nothing_is_known_but_0(day: date) -> None:
    with pytest.raises(ValueError, match=r"^the VAT rates before 1998-01-01 are not known$"):
        vat_rates(day)
    assert in_force(Decimal(22), day) is in_force(22.0, day) is None
    assert in_force(Decimal("0.00"), day) is in_force(0.0, day) is True


def test_every_rate_that_was_ever_in_force() -> None:
    texts = [text for row in TABLE.values() for text in row] + " ".join(EARLIER.values()).split()
    assert set(map(Decimal, texts)) == EVER_IN_FORCE
    assert set(map(float, texts)) == EVER_IN_FORCE
    assert all(Decimal(text) in EVER_IN_FORCE and float(text) in EVER_IN_FORCE for text in texts)


@pytest.mark.parametrize("rate", ["19", "25", "20", "21", "13.6", "255", "-24", "7", "18"])
def test_rates_that_never_were(rate: str) -> None:
    assert Decimal(rate) not in EVER_IN_FORCE
    assert float(rate) not in EVER_IN_FORCE
    assert all(in_force(Decimal(rate), day) is in_force(float(rate), day) is False for day in CHANGES)


@given(days, st.sampled_from(sorted(EVER_IN_FORCE)))
def test_in_force_says_what_the_table_says(day: date, rate: float) -> None:
    known = day >= CHANGES[0]
    expected = True if rate == 0 else rate in map(float, vat_rates(day)) if known else None
    assert in_force(rate, day) is expected
    assert in_force(Decimal(str(rate)), day) is expected
    assert in_force(Decimal(f"{rate:.2f}"), day) is expected
