"""`upload` and `check` of CSV and Parquet, as people and schedulers run them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.cli.conftest import MARKER, CommandLine, server
from tests.sources.tables import as_csv, nested, samples


def test_csv_and_parquet_are_uploaded_around_a_bad_line(cashin: CommandLine) -> None:
    invoices = samples(40)
    table = as_csv(invoices[:20], ";", ",", "cp1252")
    lines = table.split(b"\r\n")
    first = next(place for place, line in enumerate(lines) if place > 10 and b"Meik" in line)
    lines.insert(first, f"1;{MARKER};100,00".encode())
    (cashin.folder / "x.csv").write_bytes(b"\r\n".join(lines))
    pq.write_table(pa.Table.from_pylist(nested(invoices[20:])), cashin.folder / "y.parquet")
    with server() as simulator:
        done = cashin.run("upload", cashin.folder / "x.csv", cashin.folder / "y.parquet", "--json", url=simulator.url)
        assert (len(simulator.store), simulator.store.twice) == (40, ())
        again = cashin.upload(simulator, cashin.folder / "x.csv", cashin.folder / "y.parquet")
    assert done.code == 1
    assert done.counts == {"accepted": 40, "invalid": 1}
    assert f"x.csv:{first + 1}" in done.err
    assert again.counts == {"duplicate": 40, "invalid": 1}


def test_a_number_that_can_be_read_in_two_ways_is_told_with_the_setting_that_decides(cashin: CommandLine) -> None:
    path = cashin.file(b"InvoiceNumber;NetAmount", b"1;1,234", name="x.csv")
    done = cashin.run("check", path)
    assert done.code == 1
    assert "csv_decimal" in done.out
    assert f"{path}:2" in done.out
    with server() as simulator:
        upload = cashin.upload(simulator, path, "--csv-decimal", ",", "--rules", "off")
        by_variable = cashin.upload(simulator, path, "--rules", "off", CASHIN_CSV_DECIMAL=",")
    assert (upload.counts, by_variable.counts) == ({"accepted": 1}, {"duplicate": 1})


def test_what_failed_of_a_table_is_json_or_listed_by_its_place(cashin: CommandLine) -> None:
    path = cashin.file(b"InvoiceNumber,DueDate,NetAmount", b"1,soon,1.50", b"2,,oops", b"3,,2.50", name="x.csv")
    failed = cashin.folder / "failed.jsonl"
    with server() as simulator:
        done = cashin.run("upload", path, "--failed", failed, "--rules", "off", url=simulator.url)
    assert done.code == 1
    assert [json.loads(line) for line in failed.read_text().splitlines()] == [
        {"InvoiceNumber": 1, "DueDate": "soon", "NetAmount": 1.5}
    ]
    assert "1 that failed could not be written there" in done.out
    assert f"{path}:3" in done.out


def test_settings_of_csv_that_are_wrong_are_named(cashin: CommandLine) -> None:
    path = cashin.file(b"InvoiceNumber", b"1", name="x.csv")
    assert "--csv-delimiter" in cashin.run("check", path, "--csv-delimiter", "x").err
    done = cashin.run("check", path, "--csv-encoding", MARKER.lower())
    assert (done.code, "csv_encoding is no encoding of files that Python knows" in done.err) == (2, True)
    assert cashin.run("check", path, "--csv-encoding", "hex").code == 2


def test_a_table_on_standard_input_is_known_by_its_header(cashin: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(as_csv(samples(3), "\t", ",", "utf-16"))
    with server() as simulator, (tmp_path / "x").open("rb") as stdin:
        assert cashin.upload(simulator, "-", stdin=stdin).counts == {"accepted": 3}


def test_the_sample_of_the_documentation_is_correct(cashin: CommandLine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
    sample = page.partition("```csv\n")[2].partition("```")[0]
    path = cashin.folder / "sample.csv"
    path.write_text(sample, encoding="utf-8")
    done = cashin.run("check", path)
    assert (done.code, done.out.startswith("2 invoices read, 2 clean, 0 with errors, 0 with warnings")) == (0, True)
