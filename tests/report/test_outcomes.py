"""`--report`: an outcome for each invoice of a run, in files that programs and spreadsheets read back as they were."""

import csv
import io
import json
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cashin_async.bulk.outcome import Settled, State
from cashin_async.report.outcomes import ENDINGS, OutcomeReport, ending_of
from cashin_async.sources.source import Place
from tests.report.conftest import disk_of, ended, group

FIELDS = ["number", "state", "reason", "file", "line"]

both = pytest.mark.parametrize("ending", ENDINGS)


def at(ref: Any) -> Any:
    """Lines of one file; any other object is the caller's own."""
    return Place("in.jsonl", ref) if isinstance(ref, int) else ref


def written(path: Path, *groups: Settled, locate: Any = at) -> Path:
    report = OutcomeReport(path, locate)
    for one in groups:
        report.add(one)
    report.finish(ended(*groups))
    assert report.failure is None
    assert not part(path).exists()
    return path


def part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


GROUPS = [
    group(State.ACCEPTED, b"", b""),
    group(State.REJECTED, b"", first=3, reason='named in FailedInvoices: "no, thanks"'),
    Settled(State.INVALID, [None], [4], "is not JSON"),
    Settled(State.DUPLICATE, [1], [{"InvoiceNumber": 1}], "the same invoice stands earlier in this input"),
]


def test_json(tmp_path: Path) -> None:
    path = written(tmp_path / "report.json", *GROUPS)
    told = read_json(path)
    assert list(told) == ["outcomes", "summary"]
    assert told["outcomes"][2:] == [
        dict(zip(FIELDS, row, strict=True))
        for row in (
            (3, "rejected", 'named in FailedInvoices: "no, thanks"', "in.jsonl", 3),
            (None, "invalid", "is not JSON", "in.jsonl", 4),
            (1, "duplicate", "the same invoice stands earlier in this input", None, None),
        )
    ]
    assert told["summary"] == ended(*GROUPS).as_dict()
    assert len(path.read_bytes().splitlines()) == 1 + 5 + 1, "a line an outcome, for grep"


def test_csv(tmp_path: Path) -> None:
    assert written(tmp_path / "report.CSV", *GROUPS).read_bytes() == (
        b"number,state,reason,file,line\r\n"
        b"1,accepted,,in.jsonl,1\r\n"
        b"2,accepted,,in.jsonl,2\r\n"
        b'3,rejected,"named in FailedInvoices: ""no, thanks""",in.jsonl,3\r\n'
        b",invalid,is not JSON,in.jsonl,4\r\n"
        b"1,duplicate,the same invoice stands earlier in this input,,\r\n"
    )


def test_no_invoice_at_all(tmp_path: Path) -> None:
    assert read_json(written(tmp_path / "report.json"))["outcomes"] == []
    assert read_csv(written(tmp_path / "report.csv")) == [FIELDS]


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(1, 2**63 - 1),
        st.sampled_from(State),
        st.none() | st.text(st.characters(codec="utf-8"), min_size=1),
        st.text(st.characters(codec="utf-8"), min_size=1),
        st.integers(1),
    )
)


@given(ROWS)
@example([(1, State.INVALID, '=HYPERLINK("http://x")', "-in.jsonl", 1)])
@example([(1, State.INVALID, '",\r\n\x00', "\u20ac\ufeff.jsonl", 1)])
def test_what_is_read_back_is_what_was_told(rows: list[tuple[int | None, State, str | None, str, int]]) -> None:
    groups = [Settled(state, [number], [Place(file, line)], why) for number, state, why, file, line in rows]
    with tempfile.TemporaryDirectory() as folder:
        from_json = read_json(written(Path(folder, "report.json"), *groups, locate=lambda ref: ref))["outcomes"]
        from_csv = read_csv(written(Path(folder, "report.csv"), *groups, locate=lambda ref: ref))[1:]
    assert [tuple(one.values()) for one in from_json] == rows
    assert [[cell.replace("'", "") for cell in row] for row in from_csv] == [
        [str(number or ""), state, (reason or "").replace("'", ""), file.replace("'", ""), str(line)]
        for number, state, reason, file, line in rows
    ]


@given(ROWS)
@example([(1, State.INVALID, ";=cmd|' /C calc'!A0;", ";;=1+1.jsonl", 1)])
@example([(1, State.INVALID, 'a;"=1+1"', "|\t -1", 1)])
def test_no_cell_is_reckoned_whatever_a_spreadsheet_takes_for_the_mark_between_cells(
    rows: list[tuple[int | None, State, str | None, str, int]],
) -> None:
    groups = [Settled(state, [number], [Place(file, line)], why) for number, state, why, file, line in rows]
    with tempfile.TemporaryDirectory() as folder:
        text = written(Path(folder, "report.csv"), *groups, locate=lambda ref: ref).read_bytes().decode()
    for delimiter in ",;\t|":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
            cells = [cell for row in read for cell in row]
            assert not [cell for cell in cells if cell.lstrip(' "').startswith(tuple("=+-@"))]


@both
def test_names_of_files_that_are_no_text(tmp_path: Path, ending: str) -> None:
    odd = Settled(State.UNSENT, [1], [Place(os.fsdecode(b"\xff.jsonl"), 1)], "half a \ud800 pair")
    path = written(tmp_path / f"report{ending}", odd, locate=lambda ref: ref)
    row = list(read_json(path)["outcomes"][0].values()) if ending == ".json" else read_csv(path)[1]
    assert row[2:4] == ["half a \\ud800 pair", "\\udcff.jsonl"]


@both
def test_it_takes_its_place_only_when_it_is_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"report{ending}"
    path.write_bytes(b"yesterday")
    report = OutcomeReport(path, at)
    assert part(path).read_bytes() == b""
    report.add(GROUPS[0])
    assert b"in.jsonl" in part(path).read_bytes(), "what is known is in the file, whatever happens"
    report.close()
    assert path.read_bytes() == b"yesterday"
    assert part(path).exists()
    OutcomeReport(path, at).close()
    assert not part(path).exists(), "begun, and nothing was written"


@both
def test_a_disk_that_is_full(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"report{ending}"
    path.write_bytes(b"yesterday")
    report = OutcomeReport(path, at)
    with disk_of(300):
        for _ in range(100):
            report.add(GROUPS[0])
    report.finish(ended())
    assert report.failure == f"{path}: File too large; what could be written is in {part(path)}"
    assert report.notes() == []
    assert path.read_bytes() == b"yesterday"
    assert 200 < part(path).stat().st_size <= 300
    assert part(path).read_bytes().endswith(b"\n"), "whole lines only"


@both
def test_an_input_is_not_overwritten(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"invoices{ending}"
    path.write_bytes(b"precious")
    with pytest.raises(OSError, match=r"[Ii]s an input"):
        OutcomeReport(path, at, [str(path)])
    part(path).write_bytes(b"precious too")
    with pytest.raises(OSError, match="is an input"):
        OutcomeReport(path, at, [str(part(path))])
    assert (path.read_bytes(), part(path).read_bytes()) == (b"precious", b"precious too")


def test_endings() -> None:
    assert [ending_of(name) for name in ("a.json", "a.CSV", "a.b.csv")] == [".json", ".csv", ".csv"]
    assert {ending_of(name) for name in ("a.jsonl", "a.html", "a", ".json", "a.csv.gz", "csv")} == {None}


@both
def test_memory_is_flat(tmp_path: Path, ending: str) -> None:
    report = OutcomeReport(tmp_path / f"report{ending}", at)
    tracemalloc.start()
    try:
        for first in range(1, 80_000, 100):
            report.add(Settled(State.ACCEPTED, range(first, first + 100), range(first, first + 100)))
        report.finish(ended())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / f"report{ending}").stat().st_size > 2_000_000
    assert peak < 500_000
