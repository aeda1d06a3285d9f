"""Amounts of money: to whole cents and back, rounded half up, whatever decimal context the caller has set.

Half up on the absolute value is how the EN 16931 validation artefacts round; `Decimal`'s own default, half even, is a
cent short at 3.00 × 25.5 %, binary floats at 5.00 × 25.5 %.
"""

from collections.abc import Iterable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

_DIGITS = 34
"""On each side of the decimal point: what a decimal128 of databases holds, more than any amount or price has."""
_EXACT = Context(
    prec=8 * _DIGITS,  # a product of three such numbers has 6 * _DIGITS at most
    rounding=ROUND_HALF_UP,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
_CENT = Decimal("0.01")
_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_MOST_OF_FLOATS = 2**51 / 100
"""Below it, a hundred times a float is less than half a cent off: what has two decimals is found."""


def cents(amount: Decimal | int | float) -> int | None:
    """`amount` in whole cents, exactly; None when it has more than two decimals, or no number can hold it.

    A float stands for the decimal number that JSON shows for it: one of up to 15 digits survives a double. None also
    for NaN, infinity, and numbers of more than 34 digits before the point: `1E+999999999` would take 400 MB.
    """
    if type(amount) is float:
        if -_MOST_OF_FLOATS < amount < _MOST_OF_FLOATS:
            whole = round(amount * 100)
            return whole if whole / 100 == amount else None
        amount = Decimal(repr(amount))
    elif not isinstance(amount, Decimal):
        return int(amount) * 100
    # as_integer_ratio takes two thirds of the time of anything that needs a context; it would write out an exponent
    if not -_DIGITS <= amount.adjusted() < _DIGITS:
        return None if amount else 0
    try:
        numerator, denominator = amount.as_integer_ratio()
    except (ValueError, OverflowError):  # NaN, infinity
        return None
    return None if 100 % denominator else numerator * (100 // denominator)


def exact(value: Decimal | int | str, name: str = "an amount") -> Decimal:
    """`value` as a Decimal, every digit kept.

    Raises TypeError for a float (0.1 is not a tenth) and for True and False, ValueError for what is no finite number
    or has more than 34 digits on a side of the point. The message begins with `name`; it does not show the value.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise TypeError(f"{name} is a {type(value).__name__}: give Decimal, int or str")
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        raise ValueError(f"{name} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{name} is not a finite number")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DIGITS or number.adjusted() >= _DIGITS:
        raise ValueError(f"{name} has more than {_DIGITS} digits on a side of the decimal point")
    return _EXACT.plus(number)  # -0 is 0


def half_up(amount: Decimal) -> Decimal:
    """To two decimals; half a cent goes away from zero. Raises ValueError when it is not finite, or has no cents."""
    if not amount.is_finite():
        raise ValueError("an amount is not a finite number")
    try:
        return _EXACT.plus(_EXACT.quantize(amount, _CENT))  # -0.00 is 0.00
    except InvalidOperation:
        raise ValueError("an amount is too large to be rounded to cents") from None


def tax_of_net(net: Decimal, rate: Decimal) -> Decimal:
    """The tax on a net amount, `rate` in percent: to two decimals, half up. Raises like `exact`."""
    return half_up(_share(exact(net, "the net amount"), _not_negative(rate)))


def tax_in_gross(gross: Decimal, rate: Decimal) -> Decimal:
    """The tax that a gross amount holds, `rate` in percent: to two decimals, half up. Raises like `exact`.

    `gross - tax_in_gross(gross, rate)` is the net, and adds up; the tax on that net may be a cent off: at 25.5 %, 0.07
    is 0.06 + 0.01, and 25.5 % of 0.06 is 0.02.
    """
    percent = _not_negative(rate)
    tax = _EXACT.multiply(exact(gross, "the gross amount"), percent)
    return half_up(_EXACT.divide(tax, _EXACT.add(_HUNDRED, percent)))


def row_sum(quantity: Decimal, price: Decimal, discount: Decimal, discount_percent: Decimal) -> Decimal:
    """`quantity × price` less a discount (an amount, or 0 to 100 %): to two decimals, half up. Of `exact` numbers."""
    full = _EXACT.multiply(quantity, price)
    return half_up(_EXACT.subtract(_EXACT.subtract(full, discount), _share(full, discount_percent)))


def added(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of `exact` or rounded amounts."""
    total = _ZERO
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def negated(amount: Decimal) -> Decimal:
    """The same amount the other way; 0 stays 0."""
    return _EXACT.minus(amount)


def _share(amount: Decimal, percent: Decimal) -> Decimal:
    return _EXACT.scaleb(_EXACT.multiply(amount, percent), -2)


def _not_negative(rate: Decimal) -> Decimal:
    percent = exact(rate, "the VAT rate")
    if percent < 0:
        raise ValueError("the VAT rate is below 0")
    return percent
