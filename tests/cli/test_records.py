"""`--failed` and `--report`: what failed is mended and goes; what became of each is in a file."""

import csv
import json
import os
import resource
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COUNTS, MARKER, CommandLine, Done, invoice, server

FIRST = 251_600_001
YESTERDAY = b"yesterday\n"


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def test_mended_and_uploaded_again(cashin: CommandLine) -> None:
    """The file of what failed is the next input, and the place of what fails then."""
    failed = cashin.folder / "failed.jsonl"
    lines = [*map(invoice, range(FIRST, FIRST + 30)), b"broken \xff", invoice(FIRST + 2, ',"Status":"H"')]
    with server(f"poison={FIRST + 4}", f"fail-object={FIRST + 20}") as simulator:
        first = cashin.run("upload", cashin.file(*lines), "--failed", failed, "--json", url=simulator.url)
        assert (first.code, first.counts) == (1, {"accepted": 28, "rejected": 3, "invalid": 1})
        assert f"To mend and upload, the 4 that failed are in {failed}" in first.err
        assert sorted(failed.read_bytes().splitlines()) == sorted(lines[place] for place in (4, 20, 30, 31))
        assert failed.stat().st_mode & 0o777 == 0o600

        simulator.clear_faults()
        mended = failed.read_bytes().replace(b"broken \xff", invoice(FIRST + 30)).replace(b"100.10", b"100.11")
        failed.write_bytes(mended)
        again = cashin.run("upload", failed, "--failed", failed, "--json", url=simulator.url)
        assert (again.code, again.counts) == (1, {"accepted": 3, "rejected": 1}), "one number is taken"
        assert failed.read_bytes() == invoice(FIRST + 2, ',"Status":"H"').replace(b"100.10", b"100.11") + b"\n"
        failed.write_bytes(failed.read_bytes().replace(b"%d" % (FIRST + 2), b"%d" % (FIRST + 31)))
        last = cashin.upload(simulator, failed, "--failed", failed)
        assert (last.code, last.counts, failed.read_bytes()) == (0, {"accepted": 1}, b"")
        assert (len(simulator.store), simulator.store.twice) == (32, ())


def test_the_unknown_and_the_unsent(cashin: CommandLine) -> None:
    failed, path = cashin.folder / "failed.jsonl", cashin.invoices(300, first=FIRST)
    with server("drop-after@1", "key-refused@2+") as simulator:
        done = cashin.upload(simulator, path, "--failed", failed)
        assert set(done.counts) == {"unknown", "unsent"}
        assert sorted(failed.read_bytes().splitlines()) == sorted(path.read_bytes().splitlines())


def test_nothing_failed(cashin: CommandLine) -> None:
    failed = cashin.file(YESTERDAY, name="failed.jsonl")
    with server() as simulator:
        path = cashin.invoices(5)
        done = cashin.run("upload", path, path, "--failed", failed, url=simulator.url)
    assert (done.code, failed.read_bytes()) == (0, b"")
    assert str(failed) not in done.out


def test_a_line_that_was_never_held_as_a_whole(cashin: CommandLine) -> None:
    failed, path = cashin.folder / "failed.jsonl", cashin.file(b"x" * 5000, b"broken", invoice(1))
    with server() as simulator:
        done = cashin.run("upload", path, "--failed", failed, "--chunk-bytes", "2000", url=simulator.url)
        assert (done.code, failed.read_bytes()) == (1, b"broken\n")
        assert "1 that failed could not be written there" in done.out
        kept = path.read_bytes()
        done = cashin.run("upload", path, "--failed", path, "--chunk-bytes", "2000", url=simulator.url)
        assert path.read_bytes() == kept, "it would be lost"
        assert f"{path} stays as it was" in done.out


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_an_outcome_for_each_invoice(cashin: CommandLine, ending: str) -> None:
    report = cashin.folder / f"report.{ending}"
    one = cashin.file(invoice(1), invoice(2), b"broken", invoice(3), name="=one.jsonl")
    two = cashin.file(invoice(2), invoice(4), name="two.jsonl")
    with server("poison=4") as simulator:
        done = cashin.run("upload", one, two, "--report", report, "--json", url=simulator.url)
        again = cashin.upload(simulator, one, "--report", report) if ending == "csv" else done
    assert f"An outcome for each invoice is in {report}" in done.err
    outcomes = read_json(report)["outcomes"] if ending == "json" else read_csv(report)
    counts = dict.fromkeys(COUNTS, 0)
    for outcome in outcomes:
        counts[outcome["state"]] += 1
    assert counts == {name: again.json[name] for name in COUNTS}
    places = {(Path(outcome["file"]).name, int(outcome["line"])) for outcome in outcomes}
    assert len(places) == len(outcomes) == again.json["read"]
    assert ("=one.jsonl", 3) in places
    assert MARKER not in report.read_text()
    if ending == "json":
        assert read_json(report)["summary"] == done.json
        assert [outcome["number"] for outcome in outcomes if outcome["state"] == "rejected"] == [4]


def test_standard_input_has_places_too(cashin: CommandLine) -> None:
    report = cashin.folder / "report.csv"
    with server() as simulator, cashin.invoices(3).open("rb") as stdin:
        assert cashin.upload(simulator, "-", "--report", report, stdin=stdin).code == 0
    assert [(row["file"], row["line"]) for row in read_csv(report)] == [("<stdin>", str(line)) for line in (1, 2, 3)]


def test_a_report_does_not_replace_an_input_or_the_ledger(cashin: CommandLine) -> None:
    path = cashin.file(invoice(1), name="invoices.json")
    ledger = cashin.folder / "ledger.csv"
    with server() as simulator:
        wanted: list[list[str | Path]] = [
            ["--report", path],
            ["--report", cashin.folder / "." / "ledger.csv", "--ledger", ledger],
            ["--failed", ledger, "--ledger", ledger],
        ]
        for argv in wanted:
            done = cashin.upload(simulator, path, *argv)
            assert (done.code, done.out) == (2, "")
            assert str(argv[0]) in done.err
        assert simulator.requests == 0
    assert path.read_bytes() == invoice(1) + b"\n"
    assert list(cashin.folder.glob("*.part")) == []


def test_an_interrupt(cashin: CommandLine) -> None:
    """What was read is in both files; the input that was not read to its end stays."""
    path, report = cashin.invoices(30_000, first=FIRST), cashin.folder / "report.json"
    with server("latency=0.15") as simulator:
        running = cashin.start("upload", path, "--failed", path, "--report", report, "--json", url=simulator.url)
        running.until(lambda: len(simulator.store) >= 110)
        assert read_started(report) > 0
        running.send(signal.SIGINT)
        done = running.ends(within=5)
    assert done.code == 130
    assert len(path.read_bytes().splitlines()) == 30_000
    assert len(part(path).read_bytes().splitlines()) == done.counts["unsent"]
    assert len(read_json(report)["outcomes"]) == done.json["read"]
    assert f"{path} stays as it was" in done.err


def read_started(report: Path) -> int:
    return part(report).read_bytes().count(b'"accepted"')


def test_what_is_known_outlives_a_kill(cashin: CommandLine) -> None:
    path, failed = cashin.file(b"broken", *map(invoice, range(FIRST, FIRST + 500))), cashin.folder / "failed.jsonl"
    report = cashin.folder / "report.csv"
    failed.write_bytes(YESTERDAY)
    with server("hang-after@3+") as simulator:
        running = cashin.start("upload", path, "--failed", failed, "--report", report, url=simulator.url)
        running.until(lambda: len(simulator.store) >= 310)
        running.until(lambda: part(report).exists() and part(report).read_bytes().count(b",accepted,") == 110)
        running.send(signal.SIGKILL)
        running.process.wait()
    assert (failed.read_bytes(), part(failed).read_bytes()) == (YESTERDAY, b"broken\n")
    assert part(failed).stat().st_mode & 0o777 == 0o600


def on_a_full_disk(cashin: CommandLine, size: int, *argv: str | Path, url: str) -> Done:
    """No file of the process can grow beyond `size` bytes."""
    running = cashin.start("upload", *argv, url=url)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, size))
    return running.ends()


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_full_disk_does_not_stop_the_upload(cashin: CommandLine, quiet: list[str]) -> None:
    failed, report = cashin.folder / "failed.jsonl", cashin.folder / "report.csv"
    failed.write_bytes(YESTERDAY)
    path = cashin.file(*[b"broken" * 20] * 1000, *map(invoice, range(FIRST, FIRST + 100)))
    argv: list[str | Path] = [path, "--failed", failed, "--report", report, "--ledger", "none", *quiet]
    with server() as simulator:
        done = on_a_full_disk(cashin, 20_000, *argv, url=simulator.url)
        assert len(simulator.store) == 100
    assert done.code == 3, "1, were it not for the files"
    for option, where in (("--failed", failed), ("--report", report)):
        assert f"Error: {option} {where}: File too large; what could be written is in {part(where)}" in done.err
    assert failed.read_bytes() == YESTERDAY
    assert set(part(failed).read_bytes().splitlines()) == {b"broken" * 20}, "whole lines"
    assert not report.exists()


def test_a_pipe_as_the_input(cashin: CommandLine) -> None:
    """`cat failed.jsonl | upload - --failed failed.jsonl`: nobody can tell, so what was not read is not lost."""
    failed = cashin.file(*map(invoice, range(FIRST, FIRST + 300)), name="failed.jsonl")
    with server() as simulator:
        for limit, left in ((["--limit", "50"], 300), ([], 0)):
            feeding = subprocess.Popen(["/bin/cat", failed], stdout=subprocess.PIPE)
            done = cashin.upload(simulator, "-", "--failed", failed, *limit, stdin=feeding.stdout)
            assert feeding.stdout is not None
            feeding.stdout.close()
            feeding.wait()
            assert done.code == 0
            assert len(failed.read_bytes().splitlines()) == left


def test_a_folder_that_cannot_be_written(cashin: CommandLine) -> None:
    folder = cashin.folder / "folder"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with server() as simulator:
        for option, name in (("--failed", "failed.jsonl"), ("--report", "report.csv")):
            done = cashin.upload(simulator, cashin.invoices(1), option, folder / name)
            assert (done.code, simulator.requests) == (2, 0)
            assert option in done.err
            assert "Permission denied" in done.err
