"""What the command line reads: every form, several files, patterns, and what it says of those it cannot read."""

import gzip
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from cashin_async.models.wire import encode
from cashin_async.simulator.samples import sample_invoices
from tests.cli.conftest import MARKER, CommandLine, invoice, server

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CSV = b"InvoiceNumber;SalesName;TotalAmount\n%d;" + MARKER.encode() + b";1,50\n"


def array(*items: bytes) -> bytes:
    return b"[" + b",\n".join(items) + b"]"


def in_all_forms(folder: Path) -> list[Path]:
    """A file of each form with an invoice of its own, from 1; some packed, some without a telling name."""
    contents = {
        "a.jsonl": invoice(1),
        "b.jsonl.gz": gzip.compress(invoice(2) + b"\n"),
        "c.jsonl.zst": zstd.compress(invoice(3)),
        "d.json": array(invoice(4)),
        "e.csv": CSV % 5,
        "f.csv.gz": gzip.compress(CSV % 6),
        "array": array(invoice(7)),
        "table": CSV % 8,
    }
    paths = [folder / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


def test_every_form_is_uploaded_and_the_same_again_is_not(cashin: CommandLine) -> None:
    paths = in_all_forms(cashin.folder)
    with server() as simulator:
        first = cashin.upload(simulator, *paths, "--rules", "off")
        again = cashin.upload(simulator, *paths, "--rules", "off")
        assert sorted(simulator.store.numbers) == list(range(1, 9))
    assert (first.code, first.counts, first.json["source_errors"]) == (0, {"accepted": 8}, 0)
    assert (again.code, again.counts) == (0, {"duplicate": 8})


def test_every_form_is_checked(cashin: CommandLine) -> None:
    (sample,) = sample_invoices(1)
    whole = encode(sample)
    cashin.file(whole, b"bad", name="a.jsonl")
    (cashin.folder / "b.json.gz").write_bytes(gzip.compress(array(whole, b"17")))
    done = cashin.run("check", f"{cashin.folder}/[ab].js*", "--json", "--quiet")
    *problems, counts = map(json.loads, done.out.splitlines())
    assert (done.code, counts["read"], counts["clean"]) == (1, 4, 2)
    places = {(Path(problem["file"]).name, problem["line"]) for problem in problems}
    assert places == {("a.jsonl", 2), ("b.json.gz", 2)}


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
@pytest.mark.parametrize("content", [array(invoice(1)), gzip.compress(array(invoice(1))), CSV % 1])
def test_standard_input_is_known_by_its_content(cashin: CommandLine, name: str, content: bytes) -> None:
    path = cashin.folder / "stdin"
    path.write_bytes(content)
    with server() as simulator, path.open("rb") as stdin:
        assert cashin.upload(simulator, name, "--rules", "off", stdin=stdin).counts == {"accepted": 1}


def test_the_form_can_be_said(cashin: CommandLine) -> None:
    path = cashin.file(b"Nr;InvoiceNumber", invoice(1), name="strange.csv")
    with server() as simulator:
        done = cashin.upload(simulator, path, "--input-format", "jsonl", "--rules", "off")
        told = cashin.upload(simulator, path, "--rules", "off", CASHIN_INPUT_FORMAT="jsonl")
    assert done.counts == {"accepted": 1, "invalid": 1}
    assert told.counts == {"duplicate": 1, "invalid": 1}


@pytest.mark.parametrize("command", ["upload", "check"])
def test_a_form_that_there_is_not_is_wrong_usage(cashin: CommandLine, command: str) -> None:
    path = cashin.file(invoice(1))
    assert cashin.run(command, path, "--input-format", "xml").code == 2
    done = cashin.run(command, path, url="https://localhost", CASHIN_INPUT_FORMAT="xml")
    assert done.code == 2
    assert (
        "input_format must be auto, jsonl, json, csv or parquet (environment variable CASHIN_INPUT_FORMAT)" in done.err
    )


# -- patterns


def test_a_pattern_is_its_files_in_order_and_no_folder(cashin: CommandLine) -> None:
    (cashin.folder / "in").mkdir()
    (cashin.folder / "in" / "x.jsonl").mkdir()
    for name in ("b", "a", "c"):
        cashin.file(b"bad", name=f"in/{name}.jsonl")
    done = cashin.run("check", f"{cashin.folder}/in/*.jsonl", "--json", "--quiet")
    files = [Path(json.loads(line)["file"]).name for line in done.out.splitlines()[:-1]]
    assert files == ["a.jsonl", "b.jsonl", "c.jsonl"]


def test_two_stars_go_down_into_folders(cashin: CommandLine) -> None:
    (cashin.folder / "in" / "deep").mkdir(parents=True)
    cashin.file(invoice(1), name="in/a.jsonl")
    cashin.file(invoice(2), name="in/deep/b.jsonl")
    with server() as simulator:
        done = cashin.upload(simulator, f"{cashin.folder}/in/**/*.jsonl", "--rules", "off")
    assert done.counts == {"accepted": 2}


@pytest.mark.parametrize("command", ["upload", "check"])
def test_a_pattern_that_no_file_has_is_wrong_usage_and_nothing_is_sent(cashin: CommandLine, command: str) -> None:
    path = cashin.file(invoice(1))
    with server() as simulator:
        done = cashin.run(command, path, f"{cashin.folder}/*.jsonl.gz", url=simulator.url)
        assert simulator.requests == 0
    assert done.code == 2
    assert "*.jsonl.gz': no file has a name like that" in " ".join(done.err.split())


def test_a_pattern_does_not_steer_the_terminal(cashin: CommandLine) -> None:
    done = cashin.run("check", "\x1b[31m*\x07")
    assert done.code == 2
    assert not {"\x1b", "\x07"} & set(done.out + done.err)


def test_a_name_with_brackets_is_that_file_where_it_is_there(cashin: CommandLine) -> None:
    named = cashin.file(invoice(1), name="in[12].jsonl")
    cashin.file(invoice(2), name="in1.jsonl")
    with server() as simulator:
        assert cashin.upload(simulator, named, "--rules", "off").counts == {"accepted": 1}
        assert list(simulator.store.numbers) == [1]
        named.unlink()
        assert cashin.upload(simulator, named, "--rules", "off").counts == {"accepted": 1}
        assert list(simulator.store.numbers) == [1, 2]


def test_a_missing_file_is_no_wrong_usage_but_a_source_error(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.upload(simulator, cashin.folder / "missing.csv", cashin.file(invoice(1)), "--rules", "off")
    assert (done.code, done.counts, done.json["source_errors"]) == (3, {"accepted": 1}, 1)


def test_a_file_that_is_named_twice_is_read_twice_and_billed_once(cashin: CommandLine) -> None:
    path = cashin.file(invoice(1), invoice(2))
    with server() as simulator:
        done = cashin.upload(simulator, path, f"{cashin.folder}/*.jsonl", "--rules", "off")
    assert (done.code, done.counts) == (0, {"accepted": 2, "duplicate": 2})


# -- what cannot be read


def test_a_packed_file_that_is_cut_short_lets_the_others_go_on(cashin: CommandLine) -> None:
    path = cashin.folder / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(map(invoice, range(1, 2000))))[:-20])
    with server() as simulator:
        done = cashin.run("upload", path, cashin.file(invoice(5000)), "--rules", "off", url=simulator.url)
        assert 5000 in simulator.store.numbers
        checked = cashin.run("check", path)
    assert (done.code, checked.code) == (3, 2)
    for text in (done.out, checked.out):
        assert "is cut short: the gzip data does not end" in text.replace("\n", " ")


@pytest.mark.parametrize("command", ["upload", "check"])
def test_of_a_missing_extra_the_line_that_installs_it_is_said(cashin: CommandLine, command: str) -> None:
    hiding = cashin.folder / "hiding"
    hiding.mkdir()
    (hiding / "ijson.py").write_text("raise ModuleNotFoundError('hidden', name='ijson')")
    (cashin.folder / "a.json").write_bytes(array(invoice(1)))
    path = cashin.folder / "a.json"
    with server() as simulator:
        done = cashin.run(command, path, url=simulator.url, PYTHONPATH=os.pathsep.join([str(hiding), os.getcwd()]))
    assert done.code == {"upload": 3, "check": 2}[command]
    assert 'pip install "cashin-async[json-array]"' in " ".join(done.out.split())


# -- --failed


def test_what_failed_is_json_lines_whatever_it_came_as(cashin: CommandLine) -> None:
    source, failed = cashin.folder / "a.json.gz", cashin.folder / "failed.jsonl"
    wrong = invoice(2, ',"Status":5')
    source.write_bytes(gzip.compress(array(invoice(1), wrong, b"17", invoice(4, ',"Status":"H","Status":"H"'))))
    with server("poison=1") as simulator:
        done = cashin.run("upload", source, "--failed", failed, "--rules", "off", url=simulator.url)
    assert done.code == 1
    assert sorted(failed.read_bytes().splitlines()) == sorted([invoice(1), wrong, b"17"])
    assert stat.S_IMODE(failed.stat().st_mode) == 0o600
    assert "1 that failed could not be written there" in done.out.replace("\n", " "), "of two values which was meant?"
    assert f"{source}:4" in done.out.replace("\n", "")


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl.gz"])
def test_an_input_that_is_no_json_lines_is_never_replaced_by_them(cashin: CommandLine, name: str) -> None:
    path = cashin.folder / name
    contents = {"a.csv": CSV % 1, "a.json": array(invoice(1)), "a.jsonl.gz": gzip.compress(invoice(1))}
    path.write_bytes(contents[name])
    with server("poison=1") as simulator:
        done = cashin.run("upload", path, "--failed", path, "--rules", "off", url=simulator.url)
    assert done.code == 1
    assert path.read_bytes() == contents[name]
    assert json.loads(Path(f"{path}.part").read_bytes())["InvoiceNumber"] == 1
    assert "stays as it was: it may be the input, and is not JSON Lines" in " ".join(done.out.split())


@pytest.mark.parametrize("packed", [gzip.compress(invoice(1)), CSV % 1], ids=["gzip", "CSV"])
def test_yesterdays_failures_are_replaced_whatever_comes_through_the_pipe(cashin: CommandLine, packed: bytes) -> None:
    failed, path = cashin.file(invoice(9), name="failed.jsonl"), cashin.folder / "stdin"
    path.write_bytes(packed)
    with server("poison=1") as simulator, path.open("rb") as stdin:
        cashin.upload(simulator, "-", "--failed", failed, "--rules", "off", stdin=stdin)
    assert json.loads(failed.read_bytes())["InvoiceNumber"] == 1
