"""The bank bar code of a Finnish invoice: 54 digits that a payer scans or pastes instead of typing four fields.

Finance Finland, "Bank bar code guide" 5.3. Places in digits:

    version 4   4, account 16, euros 6, cents 2, reserve 000, Finnish reference 20, due date 6
    version 5   5, account 16, euros 6, cents 2, RF check digits 2, reference inside 21, due date 6

The account is a Finnish IBAN without FI; references are filled with zeros; the due date is YYMMDD. `00000000` means no
amount and `000000` no due date. An amount above 999,999.99 has no bar code. No message shows a digit of the account.
"""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from cashin_async.rules.account import problem_of_iban
from cashin_async.rules.reference import problem_of_reference, rf_check_digits

LARGEST_AMOUNT = 99_999_999
"""In cents."""

_DIGITS = 54
_LONGEST_INSIDE = 21  # digits of an RF reference behind its check digits
_NO_DATE = "000000"
_CENTURY = 2000


class BankBarcode(NamedTuple):
    """What a bank bar code says."""

    version: int
    """4, with a Finnish reference, or 5, with an RF reference."""
    iban: str
    """FI and 16 digits."""
    cents: int | None
    """1 to 99,999,999; None for no amount."""
    reference: str
    """The Finnish reference, or what is inside the RF one, without leading zeros; "" when it is all zeros."""
    rf_check: str | None
    """The two check digits of the RF reference; None in version 4."""
    due: date | None
    """In 2000 to 2099; None for no due date."""

    def __repr__(self) -> str:
        """No account: a repr ends in logs."""
        return f"BankBarcode(version={self.version})"


def parse_bank_barcode(code: str) -> BankBarcode:
    """What 54 digits say. Hot.

    Raises ValueError if the form is wrong. Check digits are another matter: `problem_of_account`, `problem_of_rf`.
    """
    if len(code) != _DIGITS:
        raise ValueError(f"has {len(code)} characters, a bank bar code has {_DIGITS}")
    if not (code.isascii() and code.encode().isdigit()):  # str.isdigit takes four times as long
        raise ValueError("is not digits only")
    due = _due(code[48:])
    cents = int(code[17:25]) or None
    if code[0] == "4":
        if code[25:28] != "000":
            raise ValueError("the reserve of version 4 is not 000")
        return BankBarcode(4, f"FI{code[1:17]}", cents, code[28:48].lstrip("0"), None, due)
    if code[0] == "5":
        return BankBarcode(5, f"FI{code[1:17]}", cents, code[27:48].lstrip("0"), code[25:27], due)
    raise ValueError(f"is of version {code[0]}, there are 4 and 5")


def problem_of_account(barcode: BankBarcode) -> str | None:
    """Whether the account in a bar code passes the check of an IBAN."""
    problem = problem_of_iban(barcode.iban)
    return f"the account {problem}" if problem else None


def problem_of_rf(barcode: BankBarcode) -> str | None:
    """Whether the RF reference in a bar code of version 5 passes mod 97; None for version 4.

    The Finnish reference inside is not looked at: published bar codes hold one that fails its own check.
    """
    if barcode.rf_check is None or barcode.rf_check == rf_check_digits(barcode.reference):
        return None
    return "the reference fails the RF check (mod 97)"


def make_bank_barcode(*, iban: str, cents: int | None, reference: str, due: date | None) -> str:
    """The 54 digits: version 5 if the reference is given in RF form, else 4. Spaces are ignored.

    `cents`: None, or 0, for no amount. A Finnish reference must pass 7-3-1, an RF one mod 97 alone. Raises ValueError
    for what a bar code cannot say: an account that is not Finnish or not valid, a reference that is not valid, an
    amount that is negative or above 999,999.99, a due date outside 2000 to 2099. TypeError for cents that are no int.
    """
    amount = _amount_field(cents)
    version, reference_field = _reference_fields(reference.replace(" ", ""))
    return f"{version}{_account_field(iban)}{amount}{reference_field}{_due_field(due)}"


@lru_cache(4096)  # the invoices of a run share a few due dates: 11 years of them
def _due(digits: str) -> date | None:
    if digits == _NO_DATE:
        return None
    try:
        return date(_CENTURY + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise ValueError("the due date is not in the calendar") from None


def _account_field(iban: str) -> str:
    compact = iban.replace(" ", "")
    if not compact.startswith("FI"):
        raise ValueError("the account is not a Finnish IBAN: leave the bar code out")
    problem = problem_of_iban(compact)
    if problem:
        raise ValueError(f"the account {problem}")
    return compact[2:]


def _amount_field(cents: int | None) -> str:
    if cents is None:
        return "0" * 8
    if isinstance(cents, bool) or not isinstance(cents, int):
        raise TypeError(f"cents are an int, not {type(cents).__name__}")
    if cents < 0:
        raise ValueError("the amount is negative: leave the bar code out")
    if cents > LARGEST_AMOUNT:
        raise ValueError("the amount is above 999,999.99: leave the bar code out")
    return f"{cents:08}"


def _reference_fields(compact: str) -> tuple[int, str]:
    """The version, and what stands between the amount and the due date."""
    if compact.startswith("RF"):
        return 5, _rf_field(compact[2:])
    problem = problem_of_reference(compact)
    if problem:
        raise ValueError(f"the reference: {problem}")
    return 4, compact.zfill(23)


def _rf_field(digits: str) -> str:
    """On what follows RF."""
    check, inside = digits[:2], digits[2:]
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("the reference is not digits only after RF: leave the bar code out")
    if not 1 <= len(inside) <= _LONGEST_INSIDE:
        raise ValueError(f"the reference has {len(inside)} digits after RF and its check digits, 1 to 21 fit")
    if check != rf_check_digits(inside):
        raise ValueError("the reference fails the RF check (mod 97)")
    return f"{check}{inside.zfill(_LONGEST_INSIDE)}"


def _due_field(due: date | None) -> str:
    if due is None:
        return _NO_DATE
    if not _CENTURY <= due.year < _CENTURY + 100:
        raise ValueError("the due date is not in 2000 to 2099: leave it, or the bar code, out")
    return f"{due:%y%m%d}"
