"""Terms of payment, and what a late payment may cost.

Interest Act (633/1982): section 4, penalty interest is the reference rate and 7 percentage points; section 12, the
reference rate is the European Central Bank's for its last main refinancing operation before the half-year, rounded up
to the next half point; section 2, a consumer cannot be held to more.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from cashin_async.models.money import added

_JULY = 7
_POINTS = Decimal(7)
"""Percentage points above the reference rate, Interest Act, section 4."""

REFERENCE_RATES: Mapping[date, Decimal] = MappingProxyType(
    {
        date(2012, 7, 1): Decimal("1.0"),
        date(2014, 1, 1): Decimal("0.5"),
        date(2023, 1, 1): Decimal("2.5"),  # notice 1276/2022 in the Statute Book
        date(2023, 7, 1): Decimal("4.0"),
        date(2024, 1, 1): Decimal("4.5"),
        date(2024, 7, 1): Decimal("4.5"),
        date(2025, 1, 1): Decimal("3.5"),
        date(2026, 1, 1): Decimal("2.5"),
    }
)
"""The reference rate, in percent, by the first day of its half-year; half-years that are not here are not known.

Source: the Bank of Finland's notices, and its statistics "Reference rate and penalty interest rates". It announces
each rate in June and December.
"""


def due_date(issued: date, days: int) -> date:
    """The last day to pay, so many days after the invoice's.

    Raises ValueError when `days` is below 0 or there is no such day, TypeError when it is no int.
    """
    if isinstance(days, bool) or not isinstance(days, int):
        raise TypeError(f"days is a {type(days).__name__}: give an int")
    if days < 0:
        raise ValueError("an invoice is not due before it is issued")
    try:
        return issued + timedelta(days=days)
    except OverflowError:
        raise ValueError("the due date would be after the last day there is") from None


def consumer_interest_limit(on: date, rates: Mapping[date, Decimal] = REFERENCE_RATES) -> Decimal | None:
    """The highest penalty interest for a consumer on a day, in percent a year; None when that half-year's is not known.

    `rates`: the reference rate by the first day of its half-year.
    """
    reference = rates.get(date(on.year, _JULY if on.month >= _JULY else 1, 1))
    return None if reference is None else added((reference, _POINTS))


def half_year(day: date) -> tuple[int, bool]:
    """The year, and whether it is the second half."""
    return day.year, day.month >= _JULY


def consumer_interest_limits(rates: Mapping[date, Decimal]) -> dict[tuple[int, bool], Decimal | None]:
    """`consumer_interest_limit` of every half-year that is known, for those who ask often."""
    return {half_year(day): consumer_interest_limit(day, rates) for day in rates}
