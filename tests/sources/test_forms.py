"""Which form an input is: by the setting, its name, its first bytes. And what no form is, with what to do about it."""

import sys
from pathlib import Path

import pytest

from cashin_async import Settings
from cashin_async.sources.forms import Format, form_of, format_of, tells
from cashin_async.sources.source import CannotReadOn
from tests.sources.conftest import MakeDesk, dripping, files_of, line, places

JSONL, JSON, CSV, PARQUET = Format

SEEN: dict[str, tuple[bytes, str, Format]] = {
    "an object": (line(1), "-", JSONL),
    "an object behind blanks": (b" \n\t" + line(1), "-", JSONL),
    "an object behind a mark": (b"\xef\xbb\xbf" + line(1), "-", JSONL),
    "nothing": (b"", "-", JSONL),
    "blanks": (b" \n\n", "-", JSONL),
    "text": (b"nonsense\n", "-", JSONL),
    "an invoice that begins with its rows": (b'{"InvoiceRows":[{}],"InvoiceNumber":1}', "-", JSONL),
    "an array of texts in an invoice": (b'{"Tags":["x"],"InvoiceNumber":1}', "-", JSONL),
    "an array": (b"[" + line(1), "-", JSON),
    "an array behind a mark and blanks": (b"\xef\xbb\xbf \n[", "-", JSON),
    "a header, semicolons": (b"Status;InvoiceNumber;Currency\nH;1;EUR\n", "-", CSV),
    "a header, commas": (b"InvoiceNumber,Status\n1,H\n", "-", CSV),
    "a header, tabs, CRLF": (b"Status\tInvoiceNumber\r\nH\t1\r\n", "-", CSV),
    "a header of one column": (b"InvoiceNumber\n1\n", "-", CSV),
    "a header in quotation marks": (b'"Status";"InvoiceNumber"\n', "-", CSV),
    "a header in small letters": (b"status|invoicenumber\n", "-", CSV),
    "a header behind a mark": (b"\xef\xbb\xbfInvoiceNumber;Status\n", "-", CSV),
    "a header in UTF-16": ("InvoiceNumber;Status\n1;H\n".encode("utf-16"), "-", CSV),
    "a header below the line for Excel": (b"sep=;\r\nStatus;InvoiceNumber\n", "-", CSV),
    "a header below that line in quotation marks": (b'"sep=,"\n"InvoiceNumber"\n', "-", CSV),
    "the name in the second line": (b"Status\nInvoiceNumber\n", "-", JSONL),
    "a longer name": (b"InvoiceNumbers;Status\n", "-", JSONL),
    "Parquet": (b"PAR1\x15\x04", "-", PARQUET),
    "named .csv": (b"Nr;Summa\n1;2\n", "in/a.csv", CSV),
    "named .CSV": (b"Nr;Summa\n1;2\n", "in/A.CSV", CSV),
    "named .tsv": (b"Nr\n", "a.tsv", CSV),
    "named .csv.gz": (b"Nr\n", "a.csv.gz", CSV),
    "named .csv, with a mark of UTF-16": (b"\xff\xfeN\0r\0", "a.csv", CSV),
    "named .txt": (b"Nr;Summa\n1;2\n", "a.txt", CSV),
    "named .txt, an object": (line(1), "a.txt", JSONL),
    "named .txt, an array": (b"[]", "a.txt", JSON),
    "named .jsonl": (b"[1]\n" + line(2), "a.jsonl", JSONL),
    "named .ndjson.zst": (b"{\n", "a.ndjson.zst", JSONL),
    "named .jsonl, an object around an array": (b'{"Invoices":[{', "a.jsonl", JSONL),
    "named .json, an array": (b"[]", "a.json", JSON),
    "named .json, lines": (line(1) + b"\n" + line(2), "a.json", JSONL),
    "named .parquet": (b"", "a.parquet", PARQUET),
    "a dot in a folder's name": (line(1), "in.csv/a", JSONL),
    "an ending alone": (line(1), ".csv", CSV),
}


@pytest.mark.parametrize(("start", "name", "form"), SEEN.values(), ids=SEEN)
def test_the_form_is_told_by_name_and_first_bytes(start: bytes, name: str, form: Format) -> None:
    assert format_of(start, name) is form


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json", "-"])
def test_what_the_setting_says_counts_more_than_what_is_seen(form: Format, name: str) -> None:
    for start in (line(1), b"[", b"InvoiceNumber;Status\n", b"{\n"):
        assert format_of(start, name, str(form)) is form


NO_FORM: dict[str, tuple[bytes, str, str]] = {
    "zip": (b"PK\x03\x04\x14\0", "a.csv", "save it as CSV"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "save it as CSV"),
    "xz": (b"\xfd7zXZ\0", "a.jsonl.xz", "xz -dc"),
    "bzip2": (b"BZh91AY&SY", "a.bz2", "bunzip2 -c"),
    "Arrow": (b"ARROW1\0\0", "a.arrow", "pyarrow"),
    "gzip in gzip": (b"\x1f\x8b\x08\0", "a.jsonl.gz", "packed once more"),
    "tar": (b"a.jsonl".ljust(257, b"\0") + b"ustar\0", "a.tar.gz", "tar archive"),
    "UTF-16": ("{}".encode("utf-16"), "-", "UTF-16"),
    "UTF-32": ("{}".encode("utf-32"), "-", "UTF-32"),
    "HTML": (b"\n<html><table>\n", "a.csv", "HTML"),
    "HTML without a name": (b"<table>\n", "-", "HTML"),
    "carriage returns alone": (b"InvoiceNumber;Status\r1;H\r", "a.csv", "carriage returns alone"),
    "carriage returns alone, without a name": (b"InvoiceNumber\r1\r", "-", "carriage returns alone"),
    "UTF-16, named .jsonl": ("InvoiceNumber;Status\n".encode("utf-16"), "a.jsonl", "UTF-16"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a", "binary file"),
    "binary, named .jsonl": (b"\x7fELF\x02\0", "a.jsonl", "binary file"),
    "an object around an array": (b'{"Invoices": [{"InvoiceNumber":1}]}', "-", "the array of the invoices alone"),
    "an object around an empty array": (b'{ "Data" :[ ]}', "a.json", "input_format"),
    "an object over several lines": (b'{\n  "InvoiceNumber": 1\n}', "-", "one invoice a line"),
}


@pytest.mark.parametrize(("start", "name", "words"), NO_FORM.values(), ids=NO_FORM)
def test_what_has_no_form_that_is_read_is_told_what_to_do(start: bytes, name: str, words: str) -> None:
    with pytest.raises(CannotReadOn, match=words):
        format_of(start, name)


@pytest.mark.parametrize("start", [b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\0"])
@pytest.mark.parametrize("form", [JSONL, JSON, CSV])
def test_a_signature_counts_more_than_a_wrong_setting(start: bytes, form: Format) -> None:
    if start == b"PAR1":
        assert format_of(start, "-") is PARQUET
    else:
        with pytest.raises(CannotReadOn):
            format_of(start, "-", str(form))


def test_as_much_is_waited_for_as_tells_the_form_and_no_more() -> None:
    assert not tells(b"")
    assert not tells(b"\n\n\n")
    assert not tells(b"Inv")
    assert not tells(b"InvoiceNum"), "of a header all of it, or it is none"
    assert tells(b"InvoiceNumber\n")
    assert not tells(b"sep=;\r\n"), "the header stands below it"
    assert tells(b"sep=;\r\nInvoiceNumber\r\n")
    assert tells(b"   [")
    assert tells(b"\x1f\x8b\x08\0")
    assert tells(b"\x28\xb5\x2f\xfd")
    assert tells(b"x" * 65_536)


@pytest.mark.parametrize("block", [1, 3, 1000])
async def test_standard_input_is_known_by_its_content_whatever_the_reads_return(block: int) -> None:
    source = files_of("-", stdin=dripping(b" [\n" + line(1) + b",\n" + line(2) + b"]\n", block))
    assert await places(source) == [("<stdin>:1", 1), ("<stdin>:2", 2)]
    assert source.problems == []


async def test_a_wrong_input_format_is_named(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(1))
    report = await (await desk(input_format="json")).upload(path)
    assert "is a JSON object, not an array" in report.problems[0].reason


def test_without_ijson_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ijson", None)
    monkeypatch.delitem(sys.modules, "cashin_async.sources.jsonarray", raising=False)
    with pytest.raises(CannotReadOn, match=r'pip install "cashin-async\[json-array\]"'):
        form_of(JSON, Settings(base_url="https://localhost"))


def test_an_import_error_that_is_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cashin_async.sources.jsonarray", None)
    with pytest.raises(ModuleNotFoundError):
        form_of(JSON, Settings(base_url="https://localhost"))
