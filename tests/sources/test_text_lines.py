"""Bytes into lines of text: the encoding is found by the line, and no letter is guessed."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.sources.source import CannotReadOn
from cashin_async.sources.textlines import TextLines

NAME = "Väinö €\n"


def read(data: bytes, size: int = 0, longest: int = 1000, encoding: str | None = None) -> tuple[list[str], list[int]]:
    """The lines, and which are damaged, fed so many bytes at a time."""
    text = TextLines(longest, encoding)
    lines: list[str] = []
    damaged: list[int] = []
    blocks = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    for some in [*map(text.feed, blocks), text.end()]:
        damaged += [len(lines) + place for place in some.damaged]
        lines += some.lines
    return lines, damaged


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
@pytest.mark.parametrize("size", [0, 1, 3])
def test_an_encoding_is_found(encoding: str, size: int) -> None:
    assert read(("a;b\n" + NAME * 3).encode(encoding), size) == (["a;b\n", NAME, NAME, NAME], [])


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "cp850", "iso-8859-15", "mac_roman"])
def test_an_encoding_is_set(encoding: str) -> None:
    name = NAME if encoding != "cp850" else NAME.replace("€", "")
    assert read(("a;b\n" + name).encode(encoding), encoding=encoding) == (["a;b\n", name], [])


def test_latin_1_has_the_euro_sign_of_windows() -> None:
    assert read(b"\x80\n", encoding="latin-1") == (["€\n"], [])


def test_a_mark_at_the_beginning_is_believed_before_a_setting() -> None:
    assert read(codecs.BOM_UTF8 + NAME.encode(), encoding="cp1252") == ([NAME], [])
    assert read(codecs.BOM_UTF16_BE + NAME.encode("utf-16-be"), encoding="utf-8") == ([NAME], [])


def test_a_line_that_is_not_like_the_first_one_is_told_by_its_place() -> None:
    one, other = NAME.encode(), NAME.encode("cp1252")
    lines, damaged = read(one + other + b"plain\n" + one)
    assert (damaged, lines[2:]) == ([1], ["plain\n", NAME])
    lines, damaged = read(other + one + b"plain\n" + other)
    assert (damaged, lines[2:]) == ([1], ["plain\n", NAME])
    assert read(other + one, encoding="cp1252")[1] == [], "who says what it is, is believed"


@pytest.mark.parametrize(
    "cut", [b"M\xc3\xa4nty hyll\xc3;1\n", b"hyll\xc3;1\n", b"\xe2\x82\xac, hyll\xc3\n", b"\xc3\x96lj\xe4\n"]
)
def test_a_line_that_is_not_utf_8_but_has_signs_of_it_is_told_and_decides_nothing(cut: bytes) -> None:
    for encoding in ("utf-8", "cp1252"):
        lines, damaged = read(cut + b"plain\n" + NAME.encode(encoding) * 2)
        assert (damaged, lines[1:]) == ([0], ["plain\n", NAME, NAME])
        assert read(NAME.encode(encoding) + cut)[1] == [1]
    assert read(cut, encoding="cp1252")[1] == [], "who says what it is, is believed"


def test_what_windows_writes_behind_a_letter_is_no_sign_of_utf_8() -> None:
    text = "”Hyllä” – pöytä…” 5\xa0€ \n"
    assert read(text.encode("cp1252") + NAME.encode("cp1252")) == ([text, NAME], [])


def test_a_byte_that_is_no_letter_is_told_by_its_line() -> None:
    assert read(NAME.encode("cp1252") + b"\x81\n")[1] == [1]
    assert read(b"a\n\xff\xff\n", encoding="utf-8")[1] == [1]
    assert read(codecs.BOM_UTF16_LE + "a\nä\n\ud800b\n".encode("utf-16-le", "surrogatepass"))[1] == [2]


def test_a_last_letter_that_is_cut_in_two_is_told() -> None:
    assert read(codecs.BOM_UTF16_LE + "a\nbc".encode("utf-16-le")[:-1]) == (["a\n", "b\ufffd"], [1])
    assert read("a\nä\nä".encode()[:-1])[1] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_mark_with_which_dos_ends_a_file_is_no_line(encoding: str) -> None:
    assert read(("a\nb\n" + "\x1a" * 3).encode(encoding)) == (["a\n", "b\n"], [])
    assert read("a\nb\x1a".encode(encoding)) == (["a\n", "b"], [])
    assert read(b"\x1a", longest=1) == ([], [])


def test_what_cannot_be_decoded_at_all_ends_the_reading() -> None:
    with pytest.raises(CannotReadOn, match="csv_encoding"):
        read(b"\xff\xff\xff\x7f" * 3, encoding="utf-32-le")


@pytest.mark.parametrize("size", [0, 1, 7, 50])
def test_a_line_that_is_too_long_is_never_held(size: int) -> None:
    text = TextLines(20)
    data = b"short\n" + b"x" * 500 + b"\nlast"
    held = 0
    for at in range(0, len(data), size or len(data)):
        text.feed(data[at : at + (size or len(data))])
        held = max(held, len(text._rest))
    assert held <= 20
    assert read(data, size, longest=20) == (["short\n", "\n", "last"], [1])
    assert read(b"short\n" + b"x" * 500, size, longest=20) == (["short\n", "\n"], [1])
    assert read(b"x" * 20 + b"\n" + b"x" * 21 + b"\n", size, longest=20)[1] == [1]


@given(
    st.text(st.characters(codec="cp1252", exclude_characters="\0")),
    st.integers(1, 9),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_it_does_not_matter_where_blocks_are_cut(text: str, size: int, encoding: str) -> None:
    data = text.encode(encoding)
    assert read(data, size) == read(data)
