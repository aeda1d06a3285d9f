"""The number of a bank account: IBAN, and the domestic check digit of a Finnish one.

IBAN: ISO 13616 and its registry; a country, two check digits (mod 97, ISO 7064), the domestic account. A Finnish one
has 18 characters (Finance Finland, "IBAN and BIC in payments"): FI, check digits, 14 digits of which the last checks
the others (Luhn). No message shows any part of an account.
"""

IBAN_COUNTRIES = frozenset(
    "AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE GI GL GR GT HN HR HU IE IL "
    "IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS PT QA RO RS RU SA SC SD SE SI "
    "SK SM SO ST SV TL TN TR UA VA VG XK YE".split()
)
"""Who uses IBAN: the registry of ISO 13616, release 101. Territories are under their state's letters, as Åland's FI."""

_SHORTEST, _LONGEST = 15, 34  # characters: Norway's, and what the standard allows
_FINNISH = 18
_SHORTEST_OF_INTEREST = 11  # one more than a Finnish VAT number, which begins like a Finnish IBAN
_FAILS = "fails the check (mod 97)"
_FI_00 = "151800"  # the country and empty check digits: A is 10, Z is 35
_REMAINDERS = {f"{98 - remainder:02}": remainder for remainder in range(97)}
"""By the check digits, which are 98 less the remainder: 00, 01 and 99 would pass a plain mod 97 and are none."""

_as_digits = str.maketrans({chr(ord("A") + place): str(10 + place) for place in range(26)})
_doubled = str.maketrans("0123456789", "0246813579")  # 2 * 7 = 14, of which Luhn takes the sum of the digits


def looks_like_iban(text: str) -> bool:
    """Whether it is meant as an IBAN, right or wrong. Spaces are ignored. Hot.

    In capitals. A Finnish one may have the wrong length, so that this can be told, but not that of a VAT number.
    """
    if " " in text:
        text = text.replace(" ", "")
    country = text[:2]
    if country not in IBAN_COUNTRIES or not (text.isalnum() and text.isascii() and text[2:4].isdigit()):
        return False
    if country == "FI":
        return len(text) >= _SHORTEST_OF_INTEREST
    return _SHORTEST <= len(text) <= _LONGEST


def problem_of_iban(text: str) -> str | None:
    """What is wrong with an IBAN, for people to read; None when nothing is. Spaces are ignored. Hot.

    Of the countries, only Finland's length and form are known here.
    """
    if (
        len(text) == _FINNISH
        and text[:2] == "FI"
        and text.isascii()
        and (account := text[4:]).encode().isdigit()  # str.isdigit takes three times as long
        and int(account + _FI_00) % 97 == _REMAINDERS.get(text[2:4])
    ):
        return None
    if " " in text:
        return problem_of_iban(text.replace(" ", ""))
    return _problem_of_form(text) or _problem_of_check(text)


def luhn_holds(iban: str) -> bool:
    """Whether the domestic check digit of a Finnish account holds; True for other countries. Spaces are ignored.

    IBANs are in use and in print that pass mod 97 and fail this: it is for a warning.
    """
    compact = iban.replace(" ", "")
    if not compact.startswith("FI"):
        return True
    account = compact[4:]
    if len(compact) != _FINNISH or not (account.isdigit() and account.isascii()):
        return False
    # with base 11 a number leaves the sum of its digits when it is divided by 10
    return (int(account[1::2], 11) + int(account[::2].translate(_doubled), 11)) % 10 == 0


def _problem_of_form(compact: str) -> str | None:
    if not (compact.isalnum() and compact.isascii()):
        return "is not letters and digits"
    if compact[:2] not in IBAN_COUNTRIES:
        return _problem_of_country(compact[:2])
    if not compact[2:4].isdigit():
        return "has no two check digits after the country"
    if compact[:2] == "FI":
        return _problem_of_finnish_form(compact)
    if not _SHORTEST <= len(compact) <= _LONGEST:
        return f"has {len(compact)} characters, an IBAN has {_SHORTEST} to {_LONGEST}"
    return None


def _problem_of_finnish_form(compact: str) -> str | None:
    if len(compact) != _FINNISH:
        return f"has {len(compact)} characters, a Finnish IBAN has {_FINNISH}"
    return None if compact[2:].isdigit() else "is not digits only after the country"


def _problem_of_country(country: str) -> str:
    if country.upper() in IBAN_COUNTRIES:
        return "the country is written in capitals"
    return "does not begin with a country that uses IBAN"


def _problem_of_check(compact: str) -> str | None:
    if compact[:2] == "FI":  # one that passes never comes here
        return _FAILS
    digits = f"{compact[4:]}{compact[:2]}00".upper().translate(_as_digits)
    return None if int(digits) % 97 == _REMAINDERS.get(compact[2:4]) else _FAILS
