"""`cashin-async upload`: exit codes, the JSON object, and what is said and what never is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CLOSED, COUNTS, KEY, MARKER, CommandLine, invoice, server

KEYS = [
    "read",
    *COUNTS,
    "source_errors",
    "seconds",
    "invoices_per_second",
    "requests",
    "retries",
    "max_in_flight",
    "run",
    "ledger",
]


def test_all_accepted(cashin: CommandLine, state: Path) -> None:
    with server("latency=0.1") as simulator:
        done = cashin.run("upload", cashin.invoices(250), "--json", url=simulator.url)
        assert (len(simulator.store), simulator.store.twice) == (250, ())
    assert done.code == 0
    assert list(done.json) == KEYS
    assert done.counts == {"accepted": 250}
    assert (done.json["read"], done.json["source_errors"]) == (250, 0)
    assert Path(done.json["ledger"]).is_relative_to(state), "the account's usual place"
    assert done.err.startswith(f"Ledger: {done.json['ledger']}\n")
    assert done.json["requests"] == simulator.requests == 4
    assert done.json["retries"] == 0
    assert 1 < simulator.max_in_flight <= done.json["max_in_flight"]
    assert done.json["seconds"] > 0
    assert done.json["invoices_per_second"] > 0
    assert len(done.out.splitlines()) == 1, "the summary is for people, on stderr"
    assert "All 250 invoices are accepted." in done.err
    assert done.json["run"] in done.err


def test_the_summary_is_on_stdout_without_json(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.invoices(3), url=simulator.url)
    assert done.code == 0
    assert re.fullmatch(r"Ledger: /.*\.db\n", done.err)
    assert "All 3 invoices are accepted." in done.out
    for count in COUNTS:
        assert f" {count} " in done.out
    assert "\x1b" not in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines() if " run " not in line)


def test_quiet(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(3)
        done = cashin.run("upload", path, "--quiet", url=simulator.url)
        assert (done.code, done.out, done.err) == (0, "", "")
        done = cashin.run("upload", path, "--quiet", "--json", url=simulator.url)
        assert (done.code, len(done.out.splitlines()), done.err) == (0, 1, "")


def test_a_limit(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.upload(simulator, cashin.invoices(1000), "--limit", "10")
        assert sorted(simulator.store.numbers) == list(range(1, 11))
    assert (done.code, done.json["read"], done.counts) == (0, 10, {"accepted": 10})


def test_duplicates_are_no_failure(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(20)
        done = cashin.run("upload", path, path, "--json", url=simulator.url)
        assert simulator.store.twice == ()
    assert (done.code, done.counts) == (0, {"accepted": 20, "duplicate": 20})
    assert "20 accepted, 20 duplicates" in done.err


def test_an_empty_file_is_said_to_be_empty(cashin: CommandLine) -> None:
    with server() as simulator:
        empty = cashin.file(name="empty.jsonl")
        done = cashin.run("upload", empty, url=simulator.url)
        assert simulator.requests == 0
    assert done.code == 0
    assert f"{empty}: is empty" in done.out
    assert "no invoice" in done.out


def test_invalid_lines(cashin: CommandLine) -> None:
    path = cashin.file(invoice(1), b"broken", invoice(2, ',"InvoiceNr":2'), invoice(3), invoice(1, ',"Status":"H"'))
    with server() as simulator:
        done = cashin.run("upload", path, "--json", url=simulator.url)
    assert (done.code, done.counts) == (1, {"accepted": 2, "invalid": 2, "rejected": 1})
    assert f"{path}:2" in done.err
    assert f"{path}:3" in done.err
    assert "`InvoiceNr`" in done.err
    assert f"{path}:5 (1)" in done.err


def test_rejected_by_the_server(cashin: CommandLine) -> None:
    with server("poison=55", "fail-object=77") as simulator:
        path = cashin.invoices(200)
        done = cashin.run("upload", path, "--json", url=simulator.url)
        assert len(simulator.store) == 198
    assert (done.code, done.counts) == (1, {"accepted": 198, "rejected": 2})
    assert f"{path}:55 (55)" in done.err
    assert f"{path}:77 (77)" in done.err


def test_unknown(cashin: CommandLine) -> None:
    with server("drop-after@2") as simulator:
        # chunks of 10, 100 and 100: whichever of the two comes second
        done = cashin.run("upload", cashin.invoices(210), "--json", url=simulator.url)
        assert (len(simulator.store), simulator.store.twice) == (210, ())
    assert (done.code, done.counts) == (3, {"accepted": 110, "unknown": 100})
    assert "find out before sending again" in done.err


def test_unsent(cashin: CommandLine) -> None:
    with server("key-refused@2+") as simulator:
        done = cashin.run("upload", cashin.invoices(200), "--json", url=simulator.url)
        assert len(simulator.store) == 10
    assert (done.code, done.counts) == (3, {"accepted": 10, "unsent": 190})
    assert "401" in done.err


def test_a_deadline(cashin: CommandLine) -> None:
    with server("429=60@2+") as simulator:
        done = cashin.run("upload", cashin.invoices(200), "--json", "--deadline", "0.3", url=simulator.url)
    assert (done.code, done.counts["accepted"]) == (3, 10)
    assert set(done.counts) == {"accepted", "unsent"}
    assert done.seconds < 3
    assert "deadline" in done.err


def test_a_deadline_while_standard_input_delivers_nothing(cashin: CommandLine) -> None:
    """The report is there; the process must not stay for an input that it has given up."""
    read, write = os.pipe()
    try:
        with server() as simulator:
            running = cashin.start("upload", "-", "--json", "--deadline", "0.3", url=simulator.url, stdin=read)
            done = running.ends(within=3)
    finally:
        os.close(read)
        os.close(write)
    assert done.code == 3
    assert done.json["read"] == 0


def test_no_server(cashin: CommandLine) -> None:
    done = cashin.run(
        "upload", cashin.invoices(20), "--json", url="http://127.0.0.1:9", CASHIN_RETRIES="1", CASHIN_BACKOFF="0.01"
    )
    assert (done.code, done.counts) == (3, {"unsent": 20})
    assert "cannot connect to 127.0.0.1:9" in done.err


def test_three_wins_over_one(cashin: CommandLine) -> None:
    good, missing = cashin.file(invoice(1), b"broken"), cashin.folder / "missing.jsonl"
    with server() as simulator:
        done = cashin.run("upload", missing, good, cashin.folder, "--json", url=simulator.url)
    assert (done.code, done.counts) == (3, {"accepted": 1, "invalid": 1})
    assert done.json["source_errors"] == 2
    assert f"{missing}:" in done.err
    assert "No such file" in done.err
    assert "Is a directory" in done.err
    assert f"{good}:2" in done.err


def test_only_files_that_cannot_be_read(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.run("upload", cashin.folder / "missing.jsonl", "--json", url=simulator.url)
        assert simulator.requests == 0
    assert (done.code, done.json["read"], done.json["source_errors"]) == (3, 0, 1)


def test_standard_input(cashin: CommandLine) -> None:
    path = cashin.file(invoice(1), b"broken", invoice(2))
    with server() as simulator, path.open("rb") as stdin:
        done = cashin.run("upload", "-", "--json", url=simulator.url, stdin=stdin)
    assert (done.code, done.counts) == (1, {"accepted": 2, "invalid": 1})
    assert "<stdin>:2" in done.err


def test_standard_input_that_is_closed(cashin: CommandLine) -> None:
    """As under some service managers: an input that cannot be read, not a crash."""
    with server() as simulator:
        done = cashin.run("upload", "-", cashin.invoices(1), "--json", url=simulator.url, stdin=CLOSED)
    assert (done.code, done.counts, done.json["source_errors"]) == (3, {"accepted": 1}, 1)
    assert "<stdin>" in done.err


def test_a_pipe_that_delivers_slowly(cashin: CommandLine) -> None:
    with server() as simulator:
        running = cashin.start("upload", "-", "--json", url=simulator.url, stdin=subprocess.PIPE)
        stdin = running.process.stdin
        assert stdin is not None
        for number in range(1, 11):
            stdin.write(invoice(number) + b"\n")
        stdin.flush()
        running.until(lambda: len(simulator.store) == 10)  # the first chunk goes before the input ends
        stdin.write(invoice(11))
        stdin.close()
        done = running.ends()
    assert (done.code, done.counts) == (0, {"accepted": 11})


def test_a_key_file(cashin: CommandLine) -> None:
    path = cashin.folder / "key"
    path.write_text(KEY + "\n")
    with server() as simulator:
        done = cashin.run(
            "upload",
            cashin.invoices(1),
            url=simulator.url,
            CASHIN_API_KEY=None,
            CASHIN_API_KEY_FILE=str(path),
        )
    assert done.code == 0


def test_settings_by_option_win_over_the_environment(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(100)
        none = ("--ledger", "none")
        by_environment = cashin.upload(simulator, path, *none, CASHIN_CHUNK_SIZE="10")
        by_option = cashin.upload(simulator, path, *none, "--chunk-size", "50", CASHIN_CHUNK_SIZE="10")
        assert (by_environment.json["requests"], by_option.json["requests"]) == (10, 3)
        elsewhere = cashin.run(
            "upload", path, "--base-url", simulator.url, "--json", CASHIN_BASE_URL="http://127.0.0.1:9"
        )
        assert elsewhere.counts == {"accepted": 100}


def test_unknown_fields_when_allowed(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.file(invoice(1, ',"Own":1'))
        assert cashin.upload(simulator, path).code == 1
        assert cashin.upload(simulator, path, "--allow-unknown-fields").code == 0


def test_503_taken_at_its_word(cashin: CommandLine) -> None:
    with server("503-before=0@1") as simulator:
        done = cashin.upload(simulator, cashin.invoices(5))
        assert (done.code, done.counts) == (3, {"unknown": 5})
    with server("503-before=0@1") as simulator:
        done = cashin.upload(simulator, cashin.invoices(5), "--retry-503")
        assert (done.code, done.counts, done.json["retries"]) == (0, {"accepted": 5}, 1)


PERSONAL = [
    invoice(1)[:-5],
    f'"{MARKER}"'.encode(),
    MARKER.encode(),
    f'{{"InvoiceNumber":"{MARKER}"}}'.encode(),
    f'{{"InvoiceNumber":2,"TotalAmount":"{MARKER}"}}'.encode(),
    f'{{"InvoiceNumber":3,"DueDate":"{MARKER}"}}'.encode(),
    f'{{"InvoiceNumber":4,"InvoiceRows":[{{"Qty":"{MARKER}"}}]}}'.encode(),
    f'{{"InvoiceNumber":5,"InvoiceRows":{{"{MARKER}":1}}}}'.encode(),
    f'{{"InvoiceNumber":6,"SalesName":["{MARKER}"]}}'.encode(),
    f'{{"InvoiceNumber":7,"SalesName":"{MARKER}\xff"}}'.encode("latin-1"),
    f'{{"InvoiceNumber":8,"SalesName":"{MARKER}","InvoiceNumber":9}}'.encode(),
]


@pytest.mark.parametrize(
    "fault",
    [
        "quote",
        "quote@2+",
        "poison=11,30",
        "fail-sentence=11",
        "fail-anonymous=11",
        "miscount=-1",
        "garbage",
        "status=422",
    ],
)
def test_nothing_personal_is_printed(cashin: CommandLine, fault: str) -> None:
    """Each process here is checked for the key and the marked values, on both its streams."""
    lines = [*PERSONAL, *(invoice(number) for number in range(11, 60)), invoice(11, ',"Status":"H"')]
    with server(fault) as simulator:
        done = cashin.run("upload", cashin.file(*lines), "--json", url=simulator.url)
        assert simulator.requests
    assert done.code in (1, 3)
    assert done.json["invalid"] == len(PERSONAL)
    assert done.json["read"] == len(lines)
    assert MARKER not in done.out + done.err
    assert KEY not in done.out + done.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_the_terminal_cannot_show(cashin: CommandLine, encoding: str) -> None:
    """An outcome must not be lost over a letter: Windows consoles and old locales know few of them."""
    odd = cashin.folder / os.fsdecode("\u20ac ä".encode() + b"\xff.jsonl")
    odd.write_bytes(invoice(1) + b"\nbroken\n")
    with server() as simulator:
        done = cashin.run(
            "upload", odd, cashin.folder / "\u20ac-missing", url=simulator.url, PYTHONIOENCODING=f"{encoding}:strict"
        )
        assert len(simulator.store) == 1
    assert done.code == 3
    assert ".jsonl:2" in done.out
    assert "No such file" in done.out


def test_names_do_not_steer_the_terminal(cashin: CommandLine) -> None:
    odd = cashin.folder / "\x1b[31m\x1b]0;title\x07\r.jsonl"
    odd.write_bytes(b"broken\n")
    with server() as simulator:
        done = cashin.run("upload", odd, cashin.folder / "\x1b[2Jmissing", url=simulator.url)
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    assert ".jsonl:1" in done.out
    assert not {"\x1b", "\x07", "\r"} & set(done.out + done.err)


def test_a_reader_of_stdout_that_leaves_does_not_cost_the_upload(cashin: CommandLine) -> None:
    """`cashin-async upload ... | head -0`: all invoices are sent, and nothing is said about broken pipes."""
    with server() as simulator:
        script = f'"$@" upload {cashin.invoices(500)} --json --quiet | true'
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *program()],
            env={**os.environ, "CASHIN_API_KEY": KEY, "CASHIN_BASE_URL": simulator.url},
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
        assert (len(simulator.store), simulator.store.twice) == (500, ())
    assert "Traceback" not in done.stderr


def program() -> list[str]:
    return [sys.executable, "-c", "from cashin_async.cli import main; main()"]


def test_the_console_script(cashin: CommandLine) -> None:
    with server() as simulator:
        done = subprocess.run(
            [Path(sys.executable).with_name("cashin-async"), "upload", cashin.invoices(3), "--json", "--quiet"],
            env={**os.environ, "CASHIN_API_KEY": KEY, "CASHIN_BASE_URL": simulator.url},
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
        )
    assert json.loads(done.stdout)["accepted"] == 3


def test_nothing_is_left_open(cashin: CommandLine) -> None:
    with server() as simulator:
        path = cashin.invoices(50_000)
        for argv in (["--limit", "5"], ["--deadline", "0.2"], []):
            done = cashin.run(
                "upload", path, cashin.folder / "missing", "--quiet", *argv, url=simulator.url, PYTHONWARNINGS="always"
            )
            assert done.err == ""


@pytest.mark.parametrize("end", [b"\n" + invoice(2) + b"\n", b""], ids=["then another", "then nothing"])
def test_a_line_of_fifty_megabytes(cashin: CommandLine, end: bytes) -> None:
    path = cashin.folder / "large.jsonl"
    with path.open("wb") as file:
        file.write(invoice(1) + b'\n{"InvoiceNumber":3,"SalesName":"')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}' + end)
    with server() as simulator:
        done = cashin.run("upload", path, "--json", url=simulator.url)
    assert done.code == 1
    assert done.counts == {"accepted": 2 if end else 1, "invalid": 1}
    assert f"{path}:2" in done.err
    assert "chunk_bytes" in done.err
    assert 10 < done.peak < 120


def test_compressed(cashin: CommandLine) -> None:
    path = cashin.invoices(250)
    with server() as simulator:
        done = cashin.upload(simulator, path, "--compress", "gzip")
        assert (done.code, done.counts) == (0, {"accepted": 250})
        assert {seen.encoding for seen in simulator.log} == {"gzip"}
        assert simulator.store.numbers == tuple(range(1, 251))
        assert cashin.upload(simulator, path, CASHIN_COMPRESS="gzip").counts == {"duplicate": 250}, "the same content"
        path = cashin.invoices(5, first=1000)
        assert cashin.upload(simulator, path, CASHIN_COMPRESS="gzip").code == 0
        assert simulator.log[-1].encoding == "gzip"
        assert cashin.upload(simulator, cashin.invoices(5, first=2000)).code == 0
        assert simulator.log[-1].encoding == ""


def test_a_server_that_takes_nothing_compressed(cashin: CommandLine) -> None:
    """What its 415 proves is for the table to say, not for the setting: nothing goes again by itself."""
    path = cashin.invoices(5)
    with server("status=415") as simulator:
        done = cashin.upload(simulator, path, "--compress", "gzip")
        assert (done.code, done.counts) == (3, {"unknown": 5})
        simulator.clear_faults()
        assert cashin.upload(simulator, path).counts == {"unknown": 5}
        assert (simulator.requests, len(simulator.store)) == (1, 0)
