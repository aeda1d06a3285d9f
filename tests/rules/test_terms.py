"""Due dates, and what a consumer can be held to."""

from datetime import date, timedelta
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.rules.terms import (
    REFERENCE_RATES,
    consumer_interest_limit,
    consumer_interest_limits,
    due_date,
    half_year,
)

RATES = {date(2030, 1, 1): Decimal("1.5"), date(2030, 7, 1): Decimal("-0.5")}


@pytest.mark.parametrize(
    ("issued", "days", "due"),
    [
        (date(2022, 1, 20), 14, date(2022, 2, 3)),
        (date(2024, 2, 15), 14, date(2024, 2, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
        (date(2026, 2, 3), 0, date(2026, 2, 3)),
    ],
)
def test_due_date(issued: date, days: int, due: date) -> None:
    assert due_date(issued, days) == due


@given(st.dates(max_value=date(3000, 1, 1)), st.integers(0, 10_000))
def test_a_due_date_is_so_many_days_on(issued: date, days: int) -> None:
    assert due_date(issued, days) - issued == timedelta(days=days)


def test_nothing_is_due_before_it_is_issued() -> None:
    with pytest.raises(ValueError, match=r"^an invoice is not due before it is issued$"):
        due_date(date(2026, 1, 1), -1)


@pytest.mark.parametrize(
    ("on", "limit"),
    [
        (date(2029, 12, 31), None),
        (date(2030, 1, 1), Decimal("8.5")),
        (date(2030, 6, 30), Decimal("8.5")),
        (date(2030, 7, 1), Decimal("6.5")),
        (date(2030, 12, 31), Decimal("6.5")),
        (date(2031, 1, 1), None),
    ],
    ids=str,
)
def test_a_consumers_limit_goes_by_the_half_year(on: date, limit: Decimal | None) -> None:
    assert consumer_interest_limit(on, RATES) == limit
    with localcontext(Context(prec=1)):
        assert consumer_interest_limit(on, RATES) == limit


@pytest.mark.parametrize(
    ("half_year", "rate"),
    [
        ("2012-07-01", "1"),
        ("2014-01-01", "0.5"),
        ("2023-01-01", "2.5"),
        ("2023-07-01", "4"),
        ("2024-01-01", "4.5"),
        ("2024-07-01", "4.5"),
        ("2025-01-01", "3.5"),
        ("2026-01-01", "2.5"),
    ],
)
def test_the_bank_of_finlands_rates(half_year: str, rate: str) -> None:
    """Its statistics of reference rates, and for 2026 its press release."""
    day = date.fromisoformat(half_year)
    assert REFERENCE_RATES[day] == Decimal(rate)
    assert consumer_interest_limit(day) == Decimal(rate) + 7


@given(st.dates(date(2029, 1, 1), date(2032, 1, 1)))
def test_limits_looked_up_by_the_half_year_are_the_same(on: date) -> None:
    limits = consumer_interest_limits(RATES)
    assert limits.get(half_year(on)) == consumer_interest_limit(on, RATES)


def test_half_years_begin_in_january_and_july() -> None:
    days = [date(2030, 1, 1), date(2030, 6, 30), date(2030, 7, 1), date(2030, 12, 31)]
    assert [half_year(day) for day in days] == [(2030, False), (2030, False), (2030, True), (2030, True)]


def test_a_half_year_that_is_not_known_has_no_limit() -> None:
    assert consumer_interest_limit(date(2011, 3, 1)) is None
    assert consumer_interest_limit(date(2099, 3, 1)) is None


def test_rates_are_half_points_from_the_first_of_january_and_july() -> None:
    assert all((day.month, day.day) in {(1, 1), (7, 1)} for day in REFERENCE_RATES)
    assert all(rate * 2 % 1 == 0 for rate in REFERENCE_RATES.values())
    assert len(REFERENCE_RATES) == 8


def test_the_table_is_not_for_writing() -> None:
    with pytest.raises(TypeError):
        REFERENCE_RATES[date(2030, 1, 1)] = Decimal(1)  # type: ignore[index]


def test_days_are_whole_and_in_the_calendar() -> None:
    with pytest.raises(TypeError, match="days is a float: give an int"):
        due_date(date(2026, 2, 3), 14.9)  # type: ignore[arg-type]
    for days in (10**5, 10**9, 10**30):
        with pytest.raises(ValueError, match="after the last day there is"):
            due_date(date(9999, 12, 31) if days == 10**5 else date(2026, 2, 3), days)
