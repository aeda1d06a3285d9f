"""`--report PATH.html`: the page takes its place when it is whole, and nothing else does."""

from pathlib import Path

import pytest

from cashin_async.bulk.outcome import State, UploadReport
from cashin_async.ledger.base import Account
from cashin_async.report.html import HtmlReport, ending_of
from cashin_async.report.reported import Reported, of_upload
from tests.report.conftest import disk_of, ended, group


def described(report: UploadReport) -> Reported:
    return of_upload(report, Account("https://api.example.fi"))


def begun(path: Path, *inputs: Path) -> HtmlReport:
    return HtmlReport(path, described, "en", "1.2.3", [str(one) for one in inputs])


def test_it_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    path.write_text("yesterday")
    page = begun(path)
    page.add(group(State.ACCEPTED, b""))
    assert path.read_text() == "yesterday"
    page.finish(ended(group(State.ACCEPTED, b"")))
    assert (page.failure, page.notes()) == (None, [f"The report is in {path}: open it in a browser"])
    assert "The invoice is accepted." in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["run.html"]


def test_a_run_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    page = begun(tmp_path / "run.html")
    page.close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "run.html"
    path.write_text("yesterday")
    page = begun(path)
    with disk_of(5000):
        page.finish(ended(group(State.ACCEPTED, b"")))
    assert page.failure is not None
    assert page.failure.startswith(f"{path}: File too large")
    assert page.notes() == []
    assert path.read_text() == "yesterday"


def test_what_it_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "invoices.html"
    path.write_bytes(b"precious")
    with pytest.raises(OSError, match="Is an input"):
        begun(path, path)
    assert path.read_bytes() == b"precious"
    with pytest.raises(IsADirectoryError):
        begun(tmp_path)
    with pytest.raises(FileNotFoundError):
        begun(tmp_path / "missing" / "run.html")


def test_endings() -> None:
    assert [ending_of(name) for name in ("a.html", "b.HTML", "c.json", "d.csv")] == [".html", ".html", ".json", ".csv"]
    assert {ending_of(name) for name in ("a.htm", "html", ".html", "a.html.gz", "a")} == {None}
