"""No value of an invoice survives in what is kept of the server's words."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.settings import ApiKey
from cashin_async.transport.redaction import Blank, text_of

NUMBER = 251600001
INVOICE: dict[str, Any] = {
    "InvoiceNumber": NUMBER,
    "SalesName": "Maija Meikäläinen",
    "SalesStreetAddress": "Esimerkkikatu 17 A 23",
    "SalesPostalCode": "65100",
    "SalesCity": "VAASA",
    "SalesEmail": "maija.meikalainen@example.com",
    "SalesPhone": "0400-000000",
    "FinvoiceAccount": "FI21 1234 5600 0007 85",
    "BillingName1": 'Oy "Ääkköset" Ab',
    "Reference": "2516000017",
    "DueDate": "2022-02-04",
    "InvoiceRows": [{"Description": "Käsin kudottu räsymatto", "Total": 1234.56, "Unit": "kpl"}],
}


def blank(invoice: Any = INVOICE, *, ascii_only: bool = False, numbers: tuple[int, ...] = (NUMBER,)) -> Blank:
    encoded = json.dumps(invoice, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    return Blank([b'{"InvoiceNumber":1}', encoded], numbers)


QUOTES = {
    "as it is": ("Maija Meikäläinen is refused", "*** *** is refused"),
    "a part of it": ("customer Meikäläinen is refused", "customer *** is refused"),
    "shouted": ("MAIJA MEIKÄLÄINEN IS REFUSED", "*** *** IS REFUSED"),
    "whispered": ("no such city: vaasa", "no such city: ***"),
    "in quotes": ("'Maija' is “Meikäläinen”", "'***' is “***”"),
    "among signs": ("(Maija):Meikäläinen;", "(***):***;"),
    "street and numbers": ("Esimerkkikatu 17 A 23", "*** *** *** ***"),
    "postal code": ("65100 is no code", "*** is no code"),
    "e-mail address": ("maija.meikalainen@example.com", "***.***@***.***"),
    "amount": ("total 1234.56 is wrong", "total ***.*** is wrong"),
    "reference": ("reference 2516000017 is wrong", "reference *** is wrong"),
    "date": ("due 2022-02-04", "due ***-***-***"),
    "value of a row": ("räsymatto: kpl", "***: ***"),
    "words that were not sent": ("the due date is before the day of the invoice", None),
    "the invoice's number": ("invoice 251600001 is refused", None),
    "names of fields": ("SalesName, InvoiceRows and SalesPostalCode are wrong", None),
    "names of fields in JSON": ('{"SalesPhone": "wrong", "InvoiceNumber": 251600001}', None),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("ascii_only", [False, True], ids=["sent as UTF-8", "sent with escapes"])
@pytest.mark.parametrize(("said", "kept"), QUOTES.values(), ids=QUOTES)
def test_every_word_of_a_value_is_blanked_and_no_other(said: str, kept: str | None, ascii_only: bool) -> None:
    assert blank(ascii_only=ascii_only)(said) == (said if kept is None else kept)


@pytest.mark.parametrize("iban", ["FI21 1234 5600 0007 85", "FI2112345600000785", "fi21 1234-5600-0007-85"])
@pytest.mark.parametrize("sent", ["FI21 1234 5600 0007 85", "FI2112345600000785"])
def test_an_account_is_blanked_with_and_without_its_spaces(sent: str, iban: str) -> None:
    kept = blank({"FinvoiceAccount": sent})(f"account {iban} is unknown")
    assert kept.startswith("account ***")
    for group in ("FI21", "fi21", "1234", "5600", "0007", "2112345600000785"):
        assert group not in kept


@pytest.mark.parametrize("phone", ["0400-000000", "0400000000", "0400 000000"])
def test_a_phone_number_is_blanked_however_it_is_grouped(phone: str) -> None:
    assert "0400" not in blank()(f"call {phone}")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(r'{"m": "Maija Meik\u00e4l\u00e4inen"}', id="in JSON"),
        pytest.param(r'{"m": "Maija Meik\u00E4l\u00E4inen"}', id="in JSON, capitals"),
        pytest.param(r"oops: Maija Meik\u00e4l\u00e4inen", id="in no JSON"),
        pytest.param(r'{"m": "\u004daija Meik\u00e4l\u00e4inen"', id="in JSON that is cut short"),
        pytest.param(r'{"m": "Rivi:\nMaija\tMeik\u00e4l\u00e4inen\r\n"}', id="after a newline in JSON"),
        pytest.param(r"oops:\nMaija\tMeik\u00e4l\u00e4inen", id="after a newline in no JSON"),
        pytest.param(json.dumps({"m": json.dumps({"n": "Maija\nMeikäläinen"})}), id="JSON in JSON"),
        pytest.param(json.dumps({"m": "x\\Maija\\Meikäläinen"}), id="after a backslash"),
        pytest.param(r'{"m": "\/Maija\/Meik\u00e4l\u00e4inen\/"}', id="after a slash"),
        pytest.param("oops:\nMaija\tMeikäläinen\x00Maija", id="after control characters"),
        pytest.param('{"m": "*_Maija_* Meikäläinen"}', id="between underscores"),
    ],
)
def test_no_escape_hides_a_value(said: str) -> None:
    kept = blank()(said).casefold()
    assert "maija" not in kept
    assert "meik" not in kept


@pytest.mark.parametrize(
    "value",
    [
        "Mattila\nMäkelä",
        "Mattila\tMäkelä",
        "\nMattila Mäkelä",
        "Mattila/Mäkelä",
        '"Mattila" "Mäkelä"',
        "Mattila\\Mäkelä",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["sent as UTF-8", "sent with escapes"])
def test_a_value_that_was_sent_with_escapes_is_blanked_too(value: str, ascii_only: bool) -> None:
    kept = blank({"SalesName": value}, ascii_only=ascii_only)("Mattila and Mäkelä are refused")
    assert kept == "*** and *** are refused"


def test_a_value_that_is_the_name_of_a_field_is_blanked() -> None:
    kept = blank({"SalesName": "Unit", "Unit": "kpl"})
    assert kept("Unit is wrong") == "*** is wrong"
    assert blank({"SalesName": "x", "Unit": "kpl"})("Unit is wrong") == "Unit is wrong"


def test_every_number_of_the_request_stays_and_no_other() -> None:
    kept = blank({"InvoiceNumber": 7, "Reference": "9999999"}, numbers=(7, 251600001))
    assert kept("7, 251600001, 9999999") == "7, 251600001, ***"


def test_all_invoices_of_the_request_are_blanked() -> None:
    kept = Blank([b'{"SalesName":"Maija"}', b'{"SalesName":"Matti"}', b'{"SalesName":"Liisa"}'], [])
    assert kept("Maija, Matti, Liisa, Ville") == "***, ***, ***, Ville"


@pytest.mark.parametrize(
    ("key", "said", "kept"),
    [
        ("k3y-0f-a-creditor", "no such key: k3y-0f-a-creditor", "no such key: ****"),
        ("k3y-0f-a-creditor", "X-Api-Key=k3y-0f-a-creditorX", "X-Api-Key=****X"),
        ("k3y-0f-a-creditor", r'{"m": "k3y\u002d0f-a-creditor"}', '{"m": "****"}'),
        ("k3y.0f", "k3y.0f and k3yx0f", "**** and k3yx0f"),
        ("key", "the key of a keychain", "the **** of a keychain"),
    ],
)
def test_the_key_is_blanked_when_the_server_echoes_it(key: str, said: str, kept: str) -> None:
    assert Blank([b"{}"], [], ApiKey(key))(said) == kept


@pytest.mark.parametrize(
    "control", ["\x00", "\x1b[31m", "\r\n", "\x85", "\u2028", "\u202e", "\u2066", "\x7f"], ids=ascii
)
def test_control_characters_become_a_space(control: str) -> None:
    kept = blank()(f"is{control}refused")
    assert kept.isprintable()
    assert kept.startswith("is ")


def test_escaped_control_characters_do_not_come_back() -> None:
    for said in (r'{"m": "a\u001b[31mb\u202ec"}', r"oops \u001b[31m \u202e"):
        assert blank()(said).isprintable()


@pytest.mark.parametrize("said", [r"oops \ud83d\ude00", r"oops \ud800", '{"m": "\\ud83d\\ude00"}', r'{"m": "\ud800"}'])
def test_what_is_kept_can_be_written_to_a_file(said: str) -> None:
    assert blank()(said).encode()


def test_what_is_kept_is_cut_after_it_is_blanked() -> None:
    said = "is refused: Meikäläinen"
    assert blank()(said, 15) == "is refused: ***"
    assert blank()(said, 14) == "is refused:..."
    assert blank()("x " * 100_000).endswith("...")
    assert len(blank()("x " * 100_000)) == 65_536


@pytest.mark.parametrize("depth", [500, 990, 1000, 100_000])
def test_no_depth_of_nesting_raises(depth: int) -> None:
    assert "Maija" not in blank()("[" * depth + '"Maija"' + "]" * depth)


_word = st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x17F), min_size=1, max_size=12).filter(
    lambda word: word.upper().casefold() == word.casefold()  # all but the dotless i of Turkish
)


@given(st.lists(_word, min_size=1, max_size=4), st.sampled_from([" ", ", ", ": ", '"', "/", "\n"]), st.booleans())
def test_any_name_is_blanked_however_it_is_quoted(words: list[str], between: str, ascii_only: bool) -> None:
    kept = blank({"SalesName": " ".join(words)}, ascii_only=ascii_only)
    said = between.join(words)
    for text in (said, said.upper(), f"1 {said} 2"):
        left = kept(text)
        assert not any(word.isalpha() for word in left.replace("***", " ").split())


@given(st.text(), st.binary(), st.integers(3, 50))
def test_nothing_raises_and_nothing_is_longer_than_asked(said: str, sent: bytes, longest: int) -> None:
    kept = Blank([sent], [1])(said, longest)
    assert len(kept) <= longest


@pytest.mark.parametrize(
    "answer",
    [
        "Truncated value: 'Maija Meikälä'".encode(),
        "Maija Meikäläinen".encode("latin-1"),
        "Maija Meikäläinen".encode("utf-16"),
        b'{"m": "Meik\\u0026auml;l\\u0026auml;inen"}',
        b"Meik&amp;auml;l&amp;auml;inen",
        b'{"m": "Meika\\u0308la\\u0308inen"}',
        b"name%20Maija%20Meik%C3%A4l%C3%A4inen",
        "Ｍａｉｊａ".encode(),
        "Mai\u00adja Mei\u200bkäläinen".encode(),
        b"MEIKALAINEN",
    ],
)
def test_no_encoding_of_an_answer_hides_a_value(answer: bytes) -> None:
    said = Blank(['{"InvoiceNumber": 1, "SalesName": "Maija Meikäläinen"}'.encode()], [1])(text_of(answer)).lower()
    assert "***" in said
    for part in ("maija", "meik", "läi", "lai", "ainen", "inen"):
        assert part not in said


def test_a_key_in_other_case_is_masked() -> None:
    assert Blank([], [], ApiKey("SuperSecretKey"))("key SUPERSECRETKEY is unknown") == "key **** is unknown"


def test_an_answer_made_to_be_slow_is_not() -> None:
    chunk = [b'{"InvoiceNumber": %d, "SalesName": "%s"}' % (number, b"word " * 500) for number in range(1, 400)]
    for hostile in (
        "\\" * 60_000,
        " ".join(map(str, range(10_000, 20_000))),
        " ".join(map(chr, range(0x4E00, 0x9000))),
    ):
        began = time.process_time()
        Blank(chunk, range(1, 400))(hostile)
        assert time.process_time() - began < 3
