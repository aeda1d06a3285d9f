"""Numbers as they stand in tables: every digit kept, and none guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.sources.numerals import AMBIGUOUS, NO_NUMBER, OTHER_MARK, days_in, decimal_mark, numbers_in

READ = [
    # cell, with a decimal comma, with a decimal point, with neither known
    ("", "", "", ""),
    ("  ", "", "", ""),
    ("0", "0", "0", "0"),
    ("17", "17", "17", "17"),
    ("-17", "-17", "-17", "-17"),
    ("\u221217", "-17", "-17", "-17"),
    ("007", "7", "7", "7"),
    (" 5 ", "5", "5", "5"),
    ("1 234", "1234", "1234", "1234"),
    ("1,50", "1.50", OTHER_MARK, "1.50"),
    ("1.50", OTHER_MARK, "1.50", "1.50"),
    ("-0,5", "-0.5", OTHER_MARK, "-0.5"),
    ("00,50", "0.50", OTHER_MARK, "0.50"),
    ("1,234", "1.234", "1234", AMBIGUOUS),
    ("1.234", "1234", "1.234", AMBIGUOUS),
    ("-1,234", "-1.234", "-1234", AMBIGUOUS),
    ("0,234", "0.234", OTHER_MARK, "0.234"),
    ("1234,567", "1234.567", OTHER_MARK, "1234.567"),
    ("1,2345", "1.2345", OTHER_MARK, "1.2345"),
    ("1.234,56", "1234.56", OTHER_MARK, "1234.56"),
    ("1,234.56", OTHER_MARK, "1234.56", "1234.56"),
    ("1.234.567", "1234567", OTHER_MARK, "1234567"),
    ("1 234,56", "1234.56", OTHER_MARK, "1234.56"),
    ("1\u00a0234\u00a0567,5", "1234567.5", OTHER_MARK, "1234567.5"),
    ("1\u202f234.5", OTHER_MARK, "1234.5", "1234.5"),
    ("1 234,567", "1234.567", OTHER_MARK, "1234.567"),
    *((wrong, NO_NUMBER, NO_NUMBER, NO_NUMBER) for wrong in ("x", "1e5", "1 23", "12 34,5", "1,2,3", "1.2.3", "--1")),
    *((wrong, NO_NUMBER, NO_NUMBER, NO_NUMBER) for wrong in ("+1", "100 €", "5-", ",5", "5,", "NaN", "\u0663", "1\n2")),
]


@pytest.mark.parametrize(("cell", "comma", "point", "unknown"), READ)
def test_a_number_is_read_in_one_way_or_not_at_all(cell: str, comma: str, point: str, unknown: str) -> None:
    for mark, expected in ((",", comma), (".", point), (None, unknown)):
        numbers, problems = numbers_in(["1", cell, ""], mark)
        assert numbers[0] == "1"
        assert (problems.get(1) or numbers[1]) == expected
        assert [*problems] in ([], [1])


@given(st.decimals(-(10**12), 10**12, places=2), st.sampled_from(["", " ", "\u00a0", "other"]), st.sampled_from(",."))
def test_whatever_a_program_writes_comes_back_to_the_digit(value: Decimal, thousands: str, mark: str) -> None:
    between = {",": ".", ".": ","}[mark] if thousands == "other" else thousands
    text = f"{value:,.2f}".replace(".", "#").replace(",", between).replace("#", mark)
    numbers, problems = numbers_in([text], mark)
    assert problems == {}
    assert str(Decimal(numbers[0])) == f"{value:.2f}"


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1", "", "2 000"], None),
        (["1,234", "5.678"], None),
        (["1,234", "5,5"], ","),
        (["1,234", "5.5"], "."),
        (["5,5", "5.5"], None),
        (["nonsense", "1.234.567"], ","),
    ],
)
def test_the_decimal_mark_is_what_the_numbers_show(cells: list[str], mark: str | None) -> None:
    assert decimal_mark(cells) == mark


def test_a_column_without_anything_special_is_read_like_any_other() -> None:
    plain = ["1,50", "", "-2", "0,00"]
    assert [*numbers_in(plain, ",")[0]] == [*numbers_in([*plain, "1 000"], ",")[0]][:-1] == ["1.50", "", "-2", "0.00"]


def test_a_finnish_date_has_one_reading_and_others_are_left_for_the_check() -> None:
    cells = ["31.1.2026", "01.02.2026", "2026-01-31", "", "1/2/2026", "31.1.26", " 9.9.2026 "]
    assert [*days_in(cells)] == ["2026-01-31", "2026-02-01", "2026-01-31", "", "1/2/2026", "31.1.26", "2026-09-09"]
