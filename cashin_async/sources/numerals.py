"""Numbers and dates as people's programs write them into a table, made into those of JSON. Pure.

Money is not guessed: `1,234` is one number with a decimal comma and another without, so it is read only where the file
shows which mark is the decimal one.
"""

import re
from collections.abc import Iterable, Sequence

DECIMAL_MARKS = (",", ".")
_SPACES = " \u00a0\u202f"  # between thousands: a blank, and those that break no line (SFS 4175)
_MINUS = "\u2212"  # the sign itself, which Finnish locales write for a hyphen


def _reading(mark: str) -> "re.Pattern[str]":
    """Numbers where `mark` is the decimal one: with or without marks, or spaces, between thousands."""
    other = "." if mark == "," else ","
    groups = "|".join(rf"[1-9]\d{{0,2}}(?:{re.escape(space)}\d{{3}})+" for space in (*_SPACES, other))
    return re.compile(rf"-?(?:\d+|{groups})(?:{re.escape(mark)}\d+)?", re.ASCII)


_READINGS = {mark: _reading(mark) for mark in DECIMAL_MARKS}
_whole = r"-?(?:0|[1-9][0-9]*)"
_PLAIN = {
    mark: re.compile(rf"(?:(?:{_whole}{fraction})?\n)*+")
    for mark, fraction in {"": "", ".": r"(?:\.[0-9]+)?", ",": "(?:,[0-9]+)?"}.items()
}
_leading_zeros = re.compile(r"\A(-?)0+(?=\d)", re.ASCII)
_no_fraction = re.compile(r"\.0+\Z")
_finnish_date = re.compile(r"([0-3]?\d)\.([01]?\d)\.(\d{4})", re.ASCII)

AMBIGUOUS = "can be read in two ways: set which mark is the decimal one (csv_decimal)"
NO_NUMBER = "is no number"
OTHER_MARK = "does not fit the decimal mark of the file (csv_decimal)"


def decimal_mark(cells: Iterable[str]) -> str | None:
    """The one that numbers among these show; None when none does, or some show the one and some the other."""
    shown = set()
    for cell in cells:
        fitting = [mark for mark, reading in _READINGS.items() if reading.fullmatch(_trimmed(cell))]
        shown.update(fitting if len(fitting) == 1 else [])
    return shown.pop() if len(shown) == 1 else None


def numbers_in(cells: Sequence[str], mark: str | None) -> tuple[Sequence[str], dict[int, str]]:
    """Numbers of JSON for the cells of a column, every digit kept, and by their places what is wrong with the others.

    An empty cell stays empty. `mark`: the decimal one; None when it is not known, then what can be read in one way only
    is read.
    """
    joined = "\n".join([*cells, ""])
    if joined.count("\n") == len(cells) and _PLAIN[mark or ""].fullmatch(
        joined
    ):  # the usual column at once: no Python runs for a cell
        return (joined.replace(",", ".").split("\n")[:-1] if mark == "," else cells), {}
    numbers: list[str] = []
    problems: dict[int, str] = {}
    for place, cell in enumerate(cells):
        number, problem = _number(cell, mark)
        numbers.append(number)
        if problem is not None:
            problems[place] = problem
    return numbers, problems


def without_fraction(numbers: Sequence[str]) -> Sequence[str]:
    """Whole numbers without a fraction of zeros, which programs add that have decimals only: 14.0."""
    return [_no_fraction.sub("", number) for number in numbers] if any("." in one for one in numbers) else numbers


def days_in(cells: Sequence[str]) -> Sequence[str]:
    """Dates: day.month.year, which has one reading, as year-month-day; whatever else stands there as it is."""
    if not any("." in cell for cell in cells):
        return cells
    return [_day(cell) for cell in cells]


def _trimmed(cell: str) -> str:
    return cell.strip().replace(_MINUS, "-")


def _number(cell: str, mark: str | None) -> tuple[str, str | None]:
    text = _trimmed(cell)
    if not text:
        return "", None
    readings = {one: _plain(text, one) for one, reading in _READINGS.items() if reading.fullmatch(text)}
    if mark is not None:
        if mark in readings:
            return readings[mark], None
        return "", OTHER_MARK if readings else NO_NUMBER
    values = {*readings.values()}
    if len(values) == 1:
        return values.pop(), None
    return "", AMBIGUOUS if values else NO_NUMBER


def _plain(text: str, mark: str) -> str:
    """A number without what stands between thousands, and with a point."""
    whole, point, fraction = text.partition(mark)
    digits = "".join(sign for sign in whole if sign.isdigit() or sign == "-")
    return _leading_zeros.sub(r"\1", digits) + (point and ".") + fraction


def _day(cell: str) -> str:
    found = _finnish_date.fullmatch(cell.strip())
    return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}" if found else cell
