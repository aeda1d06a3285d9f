"""`cashin-async check`: what it finds, how it tells it, its exit codes, and that it needs nothing but the files."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from cashin_async.cli import main
from cashin_async.models.wire import encode
from cashin_async.report.problems import EXPLAINED, SHOWN
from cashin_async.rules import RULES
from cashin_async.simulator.samples import sample_invoices
from tests.cli.conftest import CLOSED, MARKER, CommandLine, Done, Running, environment
from tests.cli.test_interrupts import all_signals, never_ending
from tests.cli.test_terminal import COLUMNS, Terminal
from tests.cli.test_upload_command import PERSONAL

KEYS = ["file", "line", "invoice_number", "field", "rule", "severity", "message"]
SUMMARY = ["read", "clean", "with_errors", "with_warnings", "by_rule"]
PUBLISHED = Path(__file__).parents[1] / "data" / "published_invoice.json"
WRONG = "2516000017"
"""As a reference: its check digit should be 3."""
COLOUR = re.compile(r"\x1b\[(\d+;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;\d+)*m")


def sample(number: int, **changes: Any) -> bytes:
    """A correct invoice, but for the changes; with a name in it that must not get out."""
    (invoice,) = sample_invoices(1, start=number)
    return encode(msgspec.structs.replace(invoice, **{"sales_name": MARKER, **changes}))


def good(first: int = 1001, count: int = 1) -> list[bytes]:
    return [sample(number) for number in range(first, first + count)]


def with_error(number: int) -> bytes:
    return sample(number, reference=WRONG)


def with_warning(number: int) -> bytes:
    return sample(number, sales_postal_code="6510")


def many(path: Path, count: int, wrong: bool = False) -> Path:
    """A file of one invoice under many numbers, each with a wrong reference or each correct."""
    line = (with_error if wrong else sample)(100_000_000)
    head, tail = line.split(b":100000000", 1)
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(b"%b:%d%b\n" % (head, number, tail) for number in range(100_000_000, 100_000_000 + count))
    return path


def problems(done: Done) -> list[dict[str, Any]]:
    """What `--json` printed; its last line agrees with the others."""
    *found, summary = map(json.loads, done.out.splitlines())
    assert all(list(problem) == KEYS for problem in found)
    assert list(summary) == SUMMARY
    counts: dict[str, int] = {}
    for problem in found:
        counts[problem["rule"]] = counts.get(problem["rule"], 0) + 1
    assert summary["by_rule"] == counts
    invoices = {(problem["file"], problem["line"]) for problem in found if problem["rule"] != "unreadable"}
    assert summary["clean"] == summary["read"] - len(invoices)
    for severity in ("error", "warning"):
        some = {(problem["file"], problem["line"]) for problem in found if problem["severity"] == severity}
        assert summary[f"with_{severity}s"] == len(some & invoices)
    return found


def summary(done: Done) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(done.out.splitlines()[-1])
    return last


# -- what is found


def test_the_vendors_example(cashin: CommandLine) -> None:
    """It is published as an example of names and types, and is no valid invoice."""
    (published,) = json.loads(PUBLISHED.read_bytes())
    done = cashin.run("check", cashin.file(json.dumps(published).encode()), "--json", "--quiet")
    assert done.code == 1
    assert {(problem["rule"], problem["severity"], problem["field"]) for problem in problems(done)} == {
        ("reference", "error", "Reference"),
        ("sum-row", "error", "InvoiceRows[0].Total"),
        ("sum-net", "warning", "NetAmount"),
        ("payment-terms", "warning", "PaymentTermsCode"),
    }
    assert len(done.out.splitlines()) == 5
    assert summary(done) == {
        "read": 1,
        "clean": 0,
        "with_errors": 1,
        "with_warnings": 1,
        "by_rule": {"reference": 1, "sum-row": 1, "payment-terms": 1, "sum-net": 1},
    }


def test_correct_invoices(cashin: CommandLine) -> None:
    path = cashin.file(*good(count=50))
    done = cashin.run("check", path)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"50 invoices read, 50 clean, 0 with errors, 0 with warnings; \d s, [\d,]+ invoices/s\n", done.out
    )
    done = cashin.run("check", path, "--json")
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert summary(done) == {"read": 50, "clean": 50, "with_errors": 0, "with_warnings": 0, "by_rule": {}}
    assert "50 invoices read, 50 clean" in done.err, "the summary is for people, on stderr"


def test_the_objects_of_json(cashin: CommandLine) -> None:
    path = cashin.file(*good(), with_error(1002), b"", with_warning(1003))
    done = cashin.run("check", path, "--json", "--quiet")
    assert (done.code, done.err) == (1, "")
    assert problems(done) == [
        {
            "file": str(path),
            "line": 2,
            "invoice_number": 1002,
            "field": "Reference",
            "rule": "reference",
            "severity": "error",
            "message": "check digit is 7, 3 would be right",
        },
        {
            "file": str(path),
            "line": 4,
            "invoice_number": 1003,
            "field": "SalesPostalCode",
            "rule": "postal-code",
            "severity": "warning",
            "message": problems(done)[1]["message"],
        },
    ]
    assert done.out.splitlines()[-1] == (
        '{"read": 3, "clean": 1, "with_errors": 1, "with_warnings": 1, "by_rule": {"reference": 1, "postal-code": 1}}'
    )


def test_in_words(cashin: CommandLine) -> None:
    path = cashin.file(*good(), *map(with_error, range(1002, 1016)), with_warning(1016))
    done = cashin.run("check", path)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (1, "")
    assert lines[0].split() == ["rule", "severity", "problems"]
    assert lines[1].split() == ["reference", "error", "14"]
    assert lines[2 : 2 + SHOWN] == [
        f"    {path}:{line} ({1000 + line}) Reference: check digit is 7, 3 would be right"
        for line in range(2, 2 + SHOWN)
    ]
    assert lines[2 + SHOWN] == "    and 4 more"
    assert lines[3 + SHOWN].split() == ["postal-code", "warning", "1"]
    assert lines[4 + SHOWN].startswith(f"    {path}:16 (1016) SalesPostalCode: ")
    assert "cashin-async check --explain reference" in lines[-2]
    assert lines[-1].startswith("16 invoices read, 1 clean, 14 with errors, 1 with warnings; ")
    assert "\x1b" not in done.out


def test_warnings_alone_are_no_failure(cashin: CommandLine) -> None:
    done = cashin.run("check", cashin.file(with_warning(1001)))
    assert done.code == 0
    assert "1 invoice read, 0 clean, 0 with errors, 1 with warnings" in done.out


def test_several_files_and_standard_input(cashin: CommandLine) -> None:
    first = cashin.file(*good(), with_error(1002), name="first.jsonl")
    last = cashin.file(with_error(1003), name="last.jsonl")
    with cashin.file(*good(2001), *good(2002), with_error(2003), name="piped").open("rb") as stdin:
        done = cashin.run("check", first, "-", last, "--json", stdin=stdin)
    assert done.code == 1
    assert [(problem["file"], problem["line"], problem["invoice_number"]) for problem in problems(done)] == [
        (str(first), 2, 1002),
        ("<stdin>", 3, 2003),
        (str(last), 1, 1003),
    ]
    assert summary(done)["read"] == 6


def test_an_empty_file_is_said_to_be_empty(cashin: CommandLine) -> None:
    empty = cashin.file(name="empty.jsonl")
    done = cashin.run("check", empty)
    assert done.code == 0
    assert done.out == f"{empty}: is empty, there is no invoice in it\nThere was no invoice to check.\n"


def test_quiet(cashin: CommandLine) -> None:
    for line, code in ((sample(1001), 0), (with_warning(1001), 0), (with_error(1001), 1), (b"broken", 1)):
        done = cashin.run("check", cashin.file(line), "--quiet")
        assert (done.code, done.out, done.err) == (code, "", "")
    assert cashin.run("check", "missing", "--quiet").code == 2


# -- lines and files that cannot be read


def test_broken_lines(cashin: CommandLine) -> None:
    whole = sample(1001)
    wrong = whole.replace(b'"SalesCity":"', b'"SalesCity":5,"Description":"')
    lines = [
        whole[:-5],
        b"[]",
        b'"text"',
        whole.replace(b'"InvoiceNumber":1001,', b""),
        whole.replace(b'"InvoiceNumber":1001,', b'"InvoiceNumber":1001,"InvoiceNumber":1002,'),
        whole.replace(b'"InvoiceNumber":1001,', b'"InvoiceNumber":1001,"InvoiceNr":1001,'),
        wrong,
        whole.replace(MARKER.encode(), b"\xff"),
    ]
    done = cashin.run("check", cashin.file(*lines, *good(1002)), "--json", "--quiet")
    found = problems(done)
    assert done.code == 1
    assert {problem["line"] for problem in found} == set(range(1, len(lines) + 1))
    assert {problem["severity"] for problem in found} == {"error"}
    assert {problem["rule"] for problem in found} == {"type", "number"}
    assert [problem["rule"] for problem in found if problem["line"] == 4] == ["number"]
    assert any(problem["line"] == 7 and problem["field"] == "SalesCity" for problem in found)
    assert summary(done)["clean"] == 1


def test_a_line_of_wrong_types_is_judged_by_what_can_be_read_of_it(cashin: CommandLine) -> None:
    line = with_error(1001).replace(b'"SalesCity":"', b'"SalesCity":5,"Description":"')
    found = problems(cashin.run("check", cashin.file(line), "--json"))
    assert {("type", "SalesCity", 1001), ("reference", "Reference", 1001)} <= {
        (problem["rule"], problem["field"], problem["invoice_number"]) for problem in found
    }


def test_what_is_no_invoice_is_an_error(cashin: CommandLine) -> None:
    """An upload cannot send it, whatever is switched off here."""
    without_number = with_warning(1001).replace(b'"InvoiceNumber":1001,', b"")
    done = cashin.run(
        "check", cashin.file(b"broken", without_number), "--json", "--rule", "type=off", "--rule", "number=off"
    )
    assert (done.code, summary(done)["with_errors"]) == (1, 2)
    assert [(problem["line"], problem["rule"]) for problem in problems(done)] == [
        (1, "type"),
        (2, "postal-code"),
        (2, "type"),
    ]


def test_a_line_that_is_too_long(cashin: CommandLine) -> None:
    long = sample(1001, description="x" * 5_000)
    done = cashin.run("check", cashin.file(long, *good(1002)), "--json", CASHIN_CHUNK_BYTES="4000")
    assert done.code == 1
    (problem,) = problems(done)
    assert (problem["line"], problem["rule"], problem["severity"], problem["field"]) == (1, "type", "error", None)
    assert "chunk_bytes" in problem["message"]
    assert summary(done)["read"] == 2


def test_unpublished_fields(cashin: CommandLine) -> None:
    path = cashin.file(sample(1001)[:-1] + b',"Own":1}')
    done = cashin.run("check", path, "--json")
    (problem,) = problems(done)
    assert (done.code, problem["rule"], problem["field"]) == (1, "type", "Own")
    assert cashin.run("check", path, "--allow-unknown-fields").code == 0
    assert cashin.run("check", path, CASHIN_ALLOW_UNKNOWN_FIELDS="yes").code == 0


def test_files_that_cannot_be_read_among_good_ones(cashin: CommandLine) -> None:
    missing, packed = cashin.folder / "missing.jsonl", cashin.file(b"\x1f\x8b\x08\x00", name="packed.jsonl")
    path = cashin.file(with_error(1001), *good(1002))
    done = cashin.run("check", missing, cashin.folder, packed, path, missing, "--json")
    assert done.code == 2
    found = problems(done)
    assert [(problem["file"], problem["rule"]) for problem in found] == [
        (str(missing), "unreadable"),
        (str(cashin.folder), "unreadable"),
        (str(packed), "unreadable"),
        (str(path), "reference"),
        (str(missing), "unreadable"),
    ]
    assert {problem["severity"] for problem in found} == {"error"}
    assert [found[0]["message"], found[1]["message"]] == ["No such file or directory", "Is a directory"]
    assert "gzip" in found[2]["message"]
    assert summary(done) == {
        "read": 2,
        "clean": 1,
        "with_errors": 1,
        "with_warnings": 0,
        "by_rule": {"unreadable": 4, "reference": 1},
    }
    assert "4 inputs not read to the end" in done.err
    assert f"{missing}: No such file or directory" in done.err


def test_nothing_that_can_be_read(cashin: CommandLine) -> None:
    done = cashin.run("check", cashin.folder / "missing.jsonl")
    assert done.code == 2
    assert done.out.splitlines()[-1] == "Nothing could be read."


def test_standard_input_that_is_closed(cashin: CommandLine) -> None:
    done = cashin.run("check", "-", cashin.file(*good()), "--json", stdin=CLOSED)
    assert done.code == 2
    assert [(problem["file"], problem["rule"]) for problem in problems(done)] == [("<stdin>", "unreadable")]
    assert summary(done)["clean"] == 1


def test_nothing_personal_is_printed(cashin: CommandLine) -> None:
    """Each process here is checked for the marked values, on both its streams."""
    lines = [*PERSONAL, with_error(1001), with_warning(1002)]
    for form in ([], ["--json"], ["--allow-unknown-fields"]):
        done = cashin.run("check", cashin.file(*lines), *form)
        assert done.code == 1
        assert f"{len(lines)} invoices read, 0 clean" in done.out + done.err


# -- the rules that hold


def severities(done: Done) -> Mapping[str, str]:
    return {problem["rule"]: problem["severity"] for problem in problems(done)}


def test_rules_are_switched(cashin: CommandLine) -> None:
    path = cashin.file(with_error(1001), with_warning(1002))

    def run(*rules: str, **variables: str) -> tuple[int, Mapping[str, str]]:
        done = cashin.run("check", path, "--json", *(part for rule in rules for part in ("--rule", rule)), **variables)
        return done.code, severities(done)

    assert run() == (1, {"reference": "error", "postal-code": "warning"})
    assert run("reference=off") == (0, {"postal-code": "warning"})
    assert run("reference=warning") == (0, {"reference": "warning", "postal-code": "warning"})
    assert run("reference=off", "postal-code=error") == (1, {"postal-code": "error"})
    assert run("reference=off", "reference=error") == (1, {"reference": "error", "postal-code": "warning"}), "the last"
    everything_off = {"CASHIN_RULE_SEVERITIES": "reference=off, postal-code=off"}
    assert run(**everything_off) == (0, {})
    assert run("reference=warning", **everything_off) == (0, {"reference": "warning"}), "the option wins"


def test_a_number_that_stands_again_with_other_content_is_an_error(cashin: CommandLine) -> None:
    first, other = cashin.folder / "first.jsonl", cashin.folder / "other.jsonl"
    first.write_bytes(b"\n".join(good(1001, 3)))
    other.write_bytes(b"\n".join([*good(1001, 2), b"{", sample(1003, sales_name="Other"), *good(1004)]))
    done = cashin.run("check", str(first), str(other), "--json", "--quiet")
    assert (done.code, summary(done)["clean"], summary(done)["by_rule"]) == (1, 6, {"type": 1, "conflict": 1})
    (found,) = (problem for problem in problems(done) if problem["rule"] == "conflict")
    assert (found["file"], found["line"], found["invoice_number"]) == (str(other), 4, 1003)
    assert MARKER not in done.out + done.err


def test_the_rows_of_an_invoice_that_stand_apart_are_an_error_as_an_upload_would_reject_them(
    cashin: CommandLine,
) -> None:
    path = cashin.file(b"InvoiceNumber;Row.Text", b"1;a", b"2;b", b"1;c", b"2;d", name="unsorted.csv")
    done = cashin.run("check", path)
    assert done.code == 1
    assert "unsorted.csv:4 (1) InvoiceNumber: stands already with other content" in done.out
    assert "4 invoices read, 2 clean, 2 with errors" in done.out
    assert cashin.run("check", path, path, "--json").out.count("conflict") == 5, "two each time, and the summary"


def test_what_is_no_other_content_for_an_upload_is_none_for_a_check(cashin: CommandLine) -> None:
    path = cashin.file(sample(1001), sample(1001, sales_name="Other"))
    assert cashin.run("check", path).code == 1
    assert cashin.run("check", path, CASHIN_DIGEST_WITHOUT="SalesName").code == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], ["FILE"]),
        (["a", "--nope"], ["--nope"]),
        (["a", "--rule", "referense=off"], ["--rule", "'referense'", "did you mean reference?"]),
        (["a", "--rule", "zzz=off"], ["--rule", "'zzz'", *RULES]),
        (["a", "--rule", "reference"], ["--rule", "CODE=off"]),
        (["a", "--rule", "reference=of"], ["--rule", "reference", "error, warning or off"]),
        (["a", "--rule", "unreadable=off"], ["--rule", "'unreadable'"]),
        (["--explain", "referense"], ["--explain", "'referense'", "did you mean reference?"]),
        (["--explain", "zzz"], ["--explain", "'zzz'", *EXPLAINED]),
        (["a", "--iban", "FI21"], ["--iban"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(argv: list[str], words: list[str]) -> None:
    done = CliRunner().invoke(main, ["check", *argv])
    assert (done.exit_code, done.stdout) == (2, "")
    for word in words:
        assert word in done.stderr
    assert len(done.stderr.splitlines()) <= 6, "a message, not a story"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RULE_SEVERITIES", "referense=off"),
        ("RULE_SEVERITIES", "reference=of"),
        ("RULE_SEVERITIES", "reference"),
        ("CREDITOR_IBAN", "FI2212345600000785"),
        ("CHUNK_BYTES", "many"),
        ("CONFIG", "/nowhere.toml"),
    ],
)
def test_wrong_configuration(cashin: CommandLine, name: str, value: str) -> None:
    done = cashin.run("check", cashin.file(*good()), **{f"CASHIN_{name}": value})
    assert (done.code, done.out) == (2, "")
    assert name in done.err.upper() or "rule" in done.err or "account" in done.err
    assert "FI22" not in done.err, "an account is a personal value"


def test_neither_key_nor_address_is_needed(cashin: CommandLine) -> None:
    """What is wrong with the settings of other commands is none of its business."""
    path = cashin.file(*good())
    others = {"BASE_URL": "nonsense", "ENVIRONMENT": "moon", "PROXY": "socks5://", "CA_FILE": "/no.pem", "RATE": "x"}
    variables = {f"CASHIN_{name}": value for name, value in others.items()}
    for broken in ({}, variables):
        done = cashin.run("check", path, CASHIN_API_KEY=None, **broken)
        assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("code", EXPLAINED)
def test_every_rule_is_explained(code: str) -> None:
    done = CliRunner().invoke(main, ["check", "--explain", code])
    rule = EXPLAINED[code]
    assert (done.exit_code, done.stderr) == (0, "")
    for part in (f"{code} ({rule.severity})", rule.right, rule.wrong, rule.source):
        assert part in done.stdout
    assert ("RuleSet(severities=" in done.stdout) == (code in RULES)


def test_an_explanation_where_few_letters_are_known(cashin: CommandLine) -> None:
    done = cashin.run("check", "--explain", "vat-reason", PYTHONIOENCODING="ascii:strict")
    assert (done.code, done.err) == (0, "")
    assert "vat-reason" in done.out


# -- names, streams and signals


def test_names_do_not_steer_the_terminal(cashin: CommandLine) -> None:
    odd = cashin.folder / "\x1b[31m\x1b]0;title\x07\r[red].jsonl"
    odd.write_bytes(b"broken\n")
    done = cashin.run("check", odd, cashin.folder / "\x1b[2Jmissing")
    assert (done.code, done.err) == (2, "")
    assert "[red].jsonl:1" in done.out
    assert not {"\x1b", "\x07", "\r"} & set(done.out)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_the_terminal_cannot_show(cashin: CommandLine, encoding: str) -> None:
    odd = cashin.folder / os.fsdecode("€ ä".encode() + b"\xff.jsonl")
    odd.write_bytes(with_error(1001) + b"\n")
    done = cashin.run("check", odd, PYTHONIOENCODING=f"{encoding}:strict")
    assert done.code == 1
    assert ".jsonl:1 (1001)" in done.out
    done = cashin.run("check", odd, "--json", PYTHONIOENCODING=f"{encoding}:strict")
    assert problems(done)[0]["file"].endswith("€ ä\\udcff.jsonl")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("where", ["a dead pipe", "/dev/full"])
def test_the_exit_code_still_tells(cashin: CommandLine, where: str, stream: str, form: list[str]) -> None:
    """As with `cashin-async check --json ... | head -1`, and on a full disk."""
    if where == "a dead pipe":
        reading, target = os.pipe()
        os.close(reading)
    else:
        target = os.open(where, os.O_WRONLY)
    path = many(cashin.folder / "many.jsonl", 3_000, wrong=True)
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: target}
    done = subprocess.run([*PROGRAM, path, *form], env=environment(), timeout=20, check=False, **streams)
    os.close(target)
    assert done.returncode == 1
    assert b"Traceback" not in (done.stdout or b"") + (done.stderr or b"")
    if stream == "stderr":
        last = done.stdout.splitlines()[-1]
        assert last.startswith(b'{"read": 3000,' if form else b"3,000 invoices read, 0 clean, 3,000 with errors")


PROGRAM = [sys.executable, "-c", "from cashin_async.cli import main; main()", "check"]


@all_signals
def test_an_interrupt_tells_what_was_found_so_far(cashin: CommandLine, number: signal.Signals) -> None:
    with never_ending(*good(), with_error(1002)) as stdin:
        running = cashin.start("check", "-", "--json", stdin=stdin)
        running.until(lambda: "1002" in running.out)
        running.send(number)
        done = running.ends(within=3)
    assert done.code == 130
    assert [problem["invoice_number"] for problem in problems(done)] == [1002]
    assert done.err.splitlines()[-1].startswith("Interrupted: 2 invoices read, 1 clean, 1 with errors")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="how Linux tells of threads")
def test_an_interrupt_while_standard_input_delivers_nothing(cashin: CommandLine) -> None:
    with never_ending() as stdin:
        running = cashin.start("check", "-", "--json", stdin=stdin)
        running.until(reads(running))
        running.send(signal.SIGINT)
        done = running.ends(within=3)
    assert (done.code, summary(done)["read"]) == (130, 0)


def reads(running: Running) -> Any:
    """Whether the thread that reads has begun: by then it handles signals."""
    return lambda: len(os.listdir(f"/proc/{running.process.pid}/task")) > 1


def test_a_second_one_leaves_although_nobody_takes_the_output(cashin: CommandLine) -> None:
    path = many(cashin.folder / "many.jsonl", 5_000, wrong=True)
    process = subprocess.Popen(
        [*PROGRAM, path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    )
    assert process.stdout is not None
    with process.stdout as out:
        out.read(1)  # and then nothing more: it writes until the pipe is full
        for _ in range(2):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
            process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130


# -- on a terminal, and for long


def test_a_table_on_a_terminal(cashin: CommandLine) -> None:
    lines = [with_error(number) for number in range(1001, 1101)] + [
        with_warning(number) for number in range(2001, 2101)
    ]
    with Terminal("check", cashin.file(*lines), url="nonsense") as terminal:
        assert terminal.ends() == 1
    shown = terminal.screen.text.rstrip("\n").splitlines()
    assert [row.split() for row in shown if row.endswith("  100")] == [
        ["reference", "error", "100"],
        ["postal-code", "warning", "100"],
    ]
    assert "(1001) Reference: check" in " ".join(terminal.screen.text.split())
    assert any(re.fullmatch(r"    and \d+ more", row) for row in shown)
    assert all(len(row) <= COLUMNS for row in shown[:-1])
    assert len(shown) < 24, "the first line is still there to be read"
    assert "200 invoices read, 0 clean, 100 with errors, 100 with warnings; " in " ".join(shown[-2:])
    assert COLOUR.search(terminal.raw)
    assert "\x1b[?25" not in terminal.raw, "no view for what takes no time"


def test_no_colour_when_it_is_not_wanted(cashin: CommandLine) -> None:
    with Terminal("check", cashin.file(with_error(1001)), url="nonsense", NO_COLOR="1") as terminal:
        assert terminal.ends() == 1
    assert not COLOUR.search(terminal.raw)


def test_a_calm_view_of_long_work(cashin: CommandLine) -> None:
    path = many(cashin.folder / "many.jsonl", 60_000, wrong=True)
    with Terminal("check", path, url="nonsense") as terminal:
        assert terminal.ends() == 1
    live = [text for text in terminal.screen.shown if " invoices/s" in text]
    assert live
    assert any("━" in text for text in live)
    assert all(re.search(r"^[\d,]+ read, [\d,]+ problems?, [\d,]+ invoices/s", text, re.MULTILINE) for text in live)
    assert max(len(row) for text in live for row in text.splitlines()) <= COLUMNS
    assert len(live) < 100, "drawn now and then, not for each block"
    assert "━" not in terminal.screen.text, "the view leaves nothing behind"
    assert terminal.screen.cursor_shown


def test_no_view_among_the_lines_of_json(cashin: CommandLine) -> None:
    path = many(cashin.folder / "many.jsonl", 20_000, wrong=True)
    with Terminal("check", path, "--json", url="nonsense") as terminal:
        assert terminal.ends() == 1
    assert "━" not in terminal.raw
    found = [line for line in terminal.raw.splitlines() if line.startswith("{")]
    assert len([json.loads(line) for line in found]) == 20_001


def test_an_interrupt_on_a_terminal(cashin: CommandLine) -> None:
    path = many(cashin.folder / "many.jsonl", 400_000)
    with Terminal("check", path, url="nonsense") as terminal:
        terminal.read(until=lambda: " invoices/s" in terminal.raw)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 130
    assert re.search("^Interrupted: ", terminal.screen.text, re.MULTILINE)
    assert "━" not in terminal.screen.text
    assert terminal.screen.cursor_shown


@pytest.mark.parametrize("wrong", [False, True], ids=["clean", "a problem in each"])
def test_many_invoices_in_little_memory(cashin: CommandLine, wrong: bool) -> None:
    count = 60_000
    path = many(cashin.folder / "many.jsonl", count, wrong)
    done = cashin.run("check", path, "--json", "--quiet")
    assert done.code == wrong
    assert len(done.out.splitlines()) == 1 + wrong * count
    assert summary(done)["by_rule"] == ({"reference": count} if wrong else {})
    assert 10 < done.peak < 100, "megabytes"
    assert done.seconds < 12, "5,000 a second, also on a busy machine"
