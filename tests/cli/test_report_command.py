"""`upload --report x.html` and `cashin-async report`: as people run them, against a server on a real port."""

import csv
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, LOOK_UP, MARKER, CommandLine, invoice, server

FIRST = 251_600_001
NASTY = '</script><script>alert()</script><!-- \u2028 "quoted" =HYPERLINK("http://x")'
FAULTS = ("drop-after@2", f"fail-object={FIRST}")
"""Of 110 invoices, one is rejected and 100 are unknown."""


def data_of(page: str) -> dict[str, Any]:
    """What the table shows, from the page's block of JSON."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def said_in(page: str, lang: str) -> str:
    """The page's sentences in one language."""
    found = re.findall(rf'<(span|text|pre) [^>]*class="t" lang="{lang}"[^>]*>(.*?)</\1>', page)
    return "\n".join(text for _, text in found)


def test_an_upload_writes_a_page(cashin: CommandLine) -> None:
    page = cashin.folder / "run.html"
    with server(*FAULTS) as simulator:
        done = cashin.run(
            "upload", cashin.invoices(110, first=FIRST), "--report", page, "--lang", "fi", url=simulator.url
        )
    assert done.code == 3
    assert f"The report is in {page}: open it in a browser" in done.out
    text = page.read_text()
    assert text.startswith('<!DOCTYPE html>\n<html lang="fi">')
    assert "110 laskusta 101 vaatii toimenpiteitä; 9 on hyväksytty." in said_in(text, "fi").replace("\u00a0", " ")
    assert "101 of 110 invoices need a look; 9 are accepted." in said_in(text, "en")
    assert "cashin-async settle " in said_in(text, "en")
    data = data_of(text)
    assert len(data["number"]) == 101
    assert data["files"] == [str(cashin.folder / f"{FIRST}-110.jsonl")]
    assert MARKER not in text
    assert KEY not in text


def test_a_past_run_tells_the_same_as_its_upload(cashin: CommandLine) -> None:
    page, later = cashin.folder / "run.html", cashin.folder / "later.html"
    with server("latency=0.1", *FAULTS) as simulator:
        uploaded = cashin.upload(simulator, cashin.invoices(110, first=FIRST), "--report", page)
    done = cashin.run("report", uploaded.json["ledger"], "-o", later, CASHIN_API_KEY=None)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"The report of run {uploaded.json['run']} is in {later}\n"
    first, again = page.read_text(), later.read_text()
    for sentence in ("101 of 110 invoices need a look; 9 are accepted.", "110 invoices read: accepted 8.2%"):
        assert sentence in said_in(first, "en")
        assert sentence in said_in(again, "en")
    assert numbers(first) == numbers(again) == [*range(FIRST, FIRST + 1), *range(FIRST + 10, FIRST + 110)]
    assert 'class="bar-done"' in again, "the chart is there too"
    assert "made afterwards, from the ledger" in said_in(again, "en")
    assert "made afterwards" not in said_in(first, "en")


def numbers(page: str) -> list[int]:
    data, sums = data_of(page), [0]
    for difference in data["number"]:
        sums.append(sums[-1] + difference)
    return sorted(sums[1:])


def test_what_was_settled_since_is_said(cashin: CommandLine) -> None:
    with server(*FAULTS) as simulator:
        uploaded = cashin.upload(simulator, cashin.invoices(110, first=FIRST))
        ledger, run = uploaded.json["ledger"], uploaded.json["run"]
        assert cashin.run("settle", ledger, *LOOK_UP, "--settle-after", "0", url=simulator.url).code == 0
    page = cashin.folder / "later.html"
    assert cashin.run("report", ledger, "-o", page, "--run", run).code == 0
    text = said_in(page.read_text(), "en")
    assert "One of 110 invoices needs a look; 9 are accepted." in text
    assert "100 of the invoices that this run left unknown are settled since" in text
    assert "100\nunknown" in text, "so it was"
    assert "cashin-async settle " not in text, "nothing of it is left to settle"
    assert numbers(page.read_text()) == [FIRST]
    assert run in cashin.run("report", ledger, "-o", page).out, "what only settles is no upload"


def test_a_run_that_was_killed_has_a_report(cashin: CommandLine) -> None:
    page = cashin.folder / "killed.html"
    with server("latency=30@3+") as simulator:
        running = cashin.start("upload", cashin.invoices(500, first=FIRST), "--quiet", url=simulator.url)
        running.until(lambda: simulator.requests >= 4)
        running.until(lambda: cashin.status(url=simulator.url)["states"].get("accepted") == 110)
        assert cashin.run("report", "-o", page, url=simulator.url).code == 0
        under_way = said_in(page.read_text(), "en")
        running.send(signal.SIGKILL)
        running.process.wait()
        assert cashin.run("report", "-o", page, url=simulator.url).code == 0
    assert "The upload is under way" in under_way
    text = page.read_text()
    assert "The upload was cut off" in said_in(text, "en")
    assert "Ajo katkesi kesken" in said_in(text, "fi")
    assert "The run was cut off while it was in flight" in said_in(text, "en")
    assert set(numbers(text)) <= set(range(FIRST + 110, FIRST + 500))
    assert numbers(text)


def test_a_run_that_was_interrupted_has_its_page(cashin: CommandLine) -> None:
    page = cashin.folder / "run.html"
    with server("latency=0.4") as simulator:
        file = cashin.invoices(3000, first=FIRST)
        running = cashin.start("upload", file, "--quiet", "--report", page, url=simulator.url)
        running.until(lambda: simulator.requests >= 2)
        running.send(signal.SIGINT)
        assert running.ends().code == 130
    assert "The upload was interrupted" in said_in(page.read_text(), "en")


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_programs_get_every_number_of_a_past_run(cashin: CommandLine, ending: str) -> None:
    path = cashin.folder / f"run.{ending}"
    with server(*FAULTS) as simulator:
        uploaded = cashin.upload(simulator, cashin.invoices(110, first=FIRST))
    assert cashin.run("report", uploaded.json["ledger"], "-o", path).code == 0
    if ending == "json":
        told = json.loads(path.read_bytes())
        rows = [(str(row["number"]), row["state"]) for row in told["outcomes"]]
        assert {name: told["summary"][name] for name in uploaded.json} == uploaded.json
    else:
        with path.open(newline="") as file:
            rows = [(row["number"], row["state"]) for row in csv.DictReader(file)]
    assert [int(number) for number, _ in rows] == list(range(FIRST, FIRST + 110))
    assert {state: [one for _, one in rows].count(state) for _, state in rows} == uploaded.counts


def test_nothing_of_a_server_or_an_input_becomes_markup_or_a_formula(
    cashin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's name and a server's words are the worst that they can be."""
    nasty = cashin.file(b'{"InvoiceNumber": 0}', invoice(FIRST), name="a<img src=x onerror=alert()>&amp;\u2028.jsonl")
    page = cashin.folder / "run.html"
    monkeypatch.setattr("cashin_async.simulator.replies.phrase", lambda status: NASTY)
    with server(f"poison={FIRST}") as simulator:
        uploaded = cashin.upload(simulator, nasty, "--report", page)
        for ending in ("csv", "html"):
            done = cashin.run("report", uploaded.json["ledger"], "-o", cashin.folder / f"later.{ending}")
            assert done.code == 0
    for text in (page.read_text(), (cashin.folder / "later.html").read_text()):
        assert "alert()" in text, "its words are shown"
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<!-- " not in text
        assert text.count("<script") == text.count("</script>") == 3
        assert "\u2028" not in data_text(text)
    with (cashin.folder / "later.csv").open(newline="") as file:
        assert "alert()" in file.read()
        file.seek(0)
        assert not any(cell.startswith(tuple("=+-@\t\r")) for row in csv.reader(file) for cell in row)


def data_text(page: str) -> str:
    return page[page.index('id="data"') :]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-o", "x.pdf"], "does not end in .html, .json or .csv"),
        (["-o", "missing/x.html"], "No such file"),
        (["-o", "x.html", "--run", "yesterday"], "it has no such run"),
        (["-o", "x.html", "--lang", "sv"], "'sv' is not one of"),
        ([], "Missing option"),
    ],
)
def test_wrong_usage(cashin: CommandLine, argv: list[str], said: str) -> None:
    with server() as simulator:
        ledger = cashin.upload(simulator, cashin.invoices(2)).json["ledger"]
    done = cashin.run("report", ledger, *argv)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())


def test_a_ledger_is_not_overwritten(cashin: CommandLine) -> None:
    ledger = cashin.folder / "ledger.csv"
    with server() as simulator:
        cashin.upload(simulator, cashin.invoices(2), "--ledger", ledger)
    before = ledger.read_bytes()
    done = cashin.run("report", ledger, "-o", ledger)
    assert done.code == 2
    assert ledger.read_bytes() == before


def test_a_ledger_that_is_not_there(cashin: CommandLine, tmp_path: Path) -> None:
    done = cashin.run("report", tmp_path / "none.db", "-o", tmp_path / "x.html")
    assert done.code == 2
    assert "does not exist" in done.err
    assert not (tmp_path / "x.html").exists()
