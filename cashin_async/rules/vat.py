"""The rates of Finnish VAT by date.

Sources: government bills HE 61/2024, HE 141/2024 and HE 93/2025; up to 2013 the European Commission's "VAT rates
applied in the Member States", section "The evolution of VAT rates", and for 2010 the Tax Administration's guidance
"Change in VAT rates as of 1 July 2010". Which rate a supply takes goes by its day, not by the invoice's.
"""

from bisect import bisect_right
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class VatRates(NamedTuple):
    """The rates in force on a day, in percent. 0 % always exists beside them."""

    standard: Decimal
    reduced1: Decimal
    """Food, animal feed and, from 2010-07-01, restaurants; from 2025-01-01 most of what had been in `reduced2`."""
    reduced2: Decimal
    """Books, medicines, passenger transport and so on; from 2025-01-01 the press and public broadcasting, from
    2026-01-01 the press alone."""


def _rates(standard: str, reduced1: str, reduced2: str) -> VatRates:
    return VatRates(Decimal(standard), Decimal(reduced1), Decimal(reduced2))


_TABLE = {
    date(1998, 1, 1): _rates("22", "17", "8"),
    date(2009, 10, 1): _rates("22", "12", "8"),
    date(2010, 7, 1): _rates("23", "13", "9"),
    date(2013, 1, 1): _rates("24", "14", "10"),
    date(2024, 9, 1): _rates("25.5", "14", "10"),  # HE 61/2024
    date(2025, 1, 1): _rates("25.5", "14", "10"),  # HE 141/2024: the same rates, other goods
    date(2026, 1, 1): _rates("25.5", "13.5", "10"),  # HE 93/2025
}

CHANGES = tuple(_TABLE)
"""The days from which rates, or what they are for, changed; before the first, the table is not known."""

_RATES = tuple(_TABLE.values())
_DECIMALS = tuple(frozenset(rates) for rates in _RATES)
_FLOATS = tuple(frozenset(map(float, rates)) for rates in _RATES)
"""The same once more: to find a float among decimals takes ten times as long."""

_BEFORE_THE_TABLE = (22.0, 12.0, 5.0, 17.0, 6.0)
"""From 1994-06-01, when VAT began, 22, 12 and 5; from 1995-01-01 to 1997-12-31 22, 17, 12 and 6."""

EVER_IN_FORCE = frozenset((0.0, *_BEFORE_THE_TABLE)).union(*_FLOATS)
"""Every rate since VAT began, in percent. As floats, which rates read from JSON are; a Decimal is found in it too."""


def vat_rates(on: date) -> VatRates:
    """The rates in force on a day. Raises ValueError for a day before 1998-01-01."""
    period = bisect_right(CHANGES, on) - 1
    if period < 0:
        raise ValueError(f"the VAT rates before {CHANGES[0]} are not known")
    return _RATES[period]


def in_force(rate: Decimal | float, on: date) -> bool | None:
    """Whether a rate, in percent, was in force on a day: 0 always. None: a day before 1998-01-01."""
    if not rate:
        return True
    period = bisect_right(CHANGES, on) - 1
    if period < 0:
        return None
    return rate in (_FLOATS if type(rate) is float else _DECIMALS)[period]
