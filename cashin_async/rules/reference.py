"""The reference of a payment: the Finnish one and its international form, which begins with RF.

Finnish reference (Finance Finland, "Forming a Finnish reference number"): 3 to 19 digits and a check digit. Weights
7, 3, 1, 7, 3, 1 ... from the right; the check digit completes the sum to the next ten. Leading zeros change nothing.

RF reference (ISO 11649; Finance Finland, "Forming an international RF reference"): `RF`, two check digits (mod 97),
and in Finland a Finnish reference, whose leading zeros may be dropped. Both checks must hold: strings are in print
where only the outer one does. Each is printed in groups, which are no part of it.
"""

from typing import Literal, NamedTuple

_SHORTEST, _LONGEST = 4, 20  # digits of a Finnish reference
_SHORTEST_INSIDE = 2  # of one in an RF reference, without the two zeros it began with
_RF_00 = "271500"  # RF and empty check digits: A is 10, Z is 35
_LARGEST_BASE = 10 ** (_LONGEST - 1) - 1


class Reference(NamedTuple):
    """A reference that is valid."""

    digits: str
    """The Finnish reference, without spaces and leading zeros: two digits at least."""
    rf: str
    """The electronic RF form, without spaces and without leading zeros inside."""
    given_as: Literal["national", "rf"]
    """The form it was given in."""

    @property
    def grouped(self) -> str:
        """The form it was given in, for print: Finnish in fives from the right, RF in fours from the left."""
        if self.given_as == "rf":
            return _in_groups(self.rf, 4, first=0)
        digits = self.digits.zfill(_SHORTEST)
        return _in_groups(digits, 5, first=-(-len(digits) % 5))


def problem_of_reference(text: str) -> str | None:
    """What is wrong with a reference in either form, for people to read; None when nothing is. Hot.

    Spaces are ignored. No more of a reference than its check digits is shown.
    """
    if not (text.isascii() and text.encode().isdigit()):  # str.isdigit takes three times as long
        text = text.replace(" ", "")
        if text[:2] == "RF":
            return _problem_of_rf(text[2:])
        if not _is_digits(text):
            return _problem_of_characters(text)
    if not _SHORTEST <= len(text) <= _LONGEST:
        return f"has {_counted(text)}, {_SHORTEST} to {_LONGEST} are allowed"
    weighed = _weighed(text)
    if weighed % 10:
        return f"check digit is {text[-1]}, {_right(text, weighed)} would be right"
    return None if weighed else "is all zeros"


def digits_of(text: str) -> str | None:
    """The Finnish reference of either form, without spaces and leading zeros and not checked; None if it is neither.

    "" for one that is all zeros.
    """
    compact = text.replace(" ", "")
    is_rf = compact.startswith("RF")
    digits = compact[2:] if is_rf else compact
    if not _is_digits(digits):
        return None
    if not is_rf:
        return digits.lstrip("0")
    return digits[2:].lstrip("0") if len(digits) > 2 else None


def check_digit(base: str) -> int:
    """The check digit, 0 to 9, of a Finnish reference that has none yet. Raises ValueError if not digits only."""
    if not _is_digits(base):
        raise ValueError("the base of a reference is digits only")
    return -_weighed(f"00{base}0") % 10


def rf_check_digits(digits: str) -> str:
    """The two check digits, 02 to 98, of an RF reference whose inside is digits only."""
    return f"{98 - int(digits + _RF_00) % 97:02}"


def reference_for(number: int) -> str:
    """The shortest reference made of a number, which is filled to three digits; the check digit comes last.

    Raises ValueError unless the number is positive and has at most 19 digits, TypeError if it is no int.
    """
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a reference is made of an int, not of {type(number).__name__}")
    if not 1 <= number <= _LARGEST_BASE:
        raise ValueError("a reference is made of a positive number of at most 19 digits")
    base = f"{number:03}"
    return f"{base}{check_digit(base)}"


def rf_reference(reference: str) -> str:
    """The RF form of a reference in either form: without spaces, without leading zeros inside.

    Raises ValueError as `parse_reference` does.
    """
    return parse_reference(reference).rf


def parse_reference(text: str) -> Reference:
    """A reference in either form. Raises ValueError, with what `problem_of_reference` says, if it is not valid."""
    problem = problem_of_reference(text)
    digits = digits_of(text)
    if problem or not digits:
        raise ValueError(problem)
    given_as: Literal["national", "rf"] = "rf" if "R" in text else "national"
    return Reference(digits, f"RF{rf_check_digits(digits)}{digits}", given_as)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.encode().isdigit()


def _counted(digits: str) -> str:
    return "1 digit" if len(digits) == 1 else f"{len(digits)} digits"


def _weighed(digits: str) -> int:
    """The sum with the weights 1, 7, 3, 1, 7, 3 ... from the right, give or take tens: the last is the check digit.

    Three digits at least. Read with base 11, a number leaves the sum of its digits when it is divided by 10: that is
    one call for every third digit instead of a step for each.
    """
    return int(digits[::-3], 11) + 7 * int(digits[-2::-3], 11) + 3 * int(digits[-3::-3], 11)


def _right(digits: str, weighed: int) -> int:
    return (int(digits[-1]) - weighed) % 10


def _problem_of_characters(text: str) -> str:
    if not text:
        return "is empty"
    if text[:2].upper() == "RF" and _is_digits(text[2:]):
        return "RF is written in capitals"
    return "is not digits only"


def _problem_of_rf(digits: str) -> str | None:
    """On what follows RF."""
    if digits and not _is_digits(digits):
        return "is not digits only after RF"
    least, most = 2 + _SHORTEST_INSIDE, 2 + _LONGEST
    if not least <= len(digits) <= most:
        return f"has {_counted(digits)} after RF, {least} to {most} are allowed"
    check, inside = digits[:2], digits[2:]
    weighed = _weighed(f"0{inside}")
    if not weighed:
        return "is all zeros after RF and its check digits"
    if check == rf_check_digits(inside):
        return _problem_inside("RF passes, the Finnish reference inside does not: its", inside, weighed)
    return (
        _problem_inside("fails the RF check (mod 97), and so does the Finnish reference inside: its", inside, weighed)
        or f"fails the RF check (mod 97): RF{rf_check_digits(inside)} would be right"
    )


def _problem_inside(found: str, inside: str, weighed: int) -> str | None:
    if weighed % 10 == 0:
        return None
    return f"{found} check digit is {inside[-1]}, {_right(inside, weighed)} would be right"


def _in_groups(text: str, size: int, first: int) -> str:
    """`first`: where the first group starts, before the text if it is a short one."""
    return " ".join(text[max(0, start) : start + size] for start in range(first, len(text), size))
