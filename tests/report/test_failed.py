"""`--failed`: the very bytes that failed, an invoice a line, for nobody else's eyes, never at another file's cost."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cashin_async.bulk.outcome import FAILURES, Settled, State
from cashin_async.errors import InvalidInvoice
from cashin_async.models.wire import number_of
from cashin_async.report.failed import FailedInvoices
from tests.report.conftest import disk_of, ended, group

INVOICE = b'{"InvoiceNumber":1,"TotalAmount":100.10}'
YESTERDAY = b'{"InvoiceNumber":9}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "failed.jsonl"


def part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_whatever_failed_as_it_came(path: Path) -> None:
    failed = FailedInvoices(path)
    groups = [group(state, b'{"a":  %d}' % place, b"no JSON \xff\r") for place, state in enumerate(State)]
    for one in groups:
        failed.add(one)
    failed.finish(ended(*groups))
    assert path.read_bytes() == b"".join(
        b'{"a":  %d}\nno JSON \xff\r\n' % place for place, state in enumerate(State) if state in FAILURES
    )
    assert failed.notes() == [f"To mend and upload, the 8 that failed are in {path}"]
    assert not part(path).exists()


def test_an_empty_file_when_nothing_failed(path: Path) -> None:
    """Yesterday's must not be taken for today's."""
    path.write_bytes(YESTERDAY)
    failed = FailedInvoices(path)
    failed.add(group(State.ACCEPTED, INVOICE))
    failed.finish(ended())
    assert path.read_bytes() == b""
    assert failed.notes() == []


def test_nobody_else_can_read_it_at_any_moment(path: Path) -> None:
    path.write_bytes(YESTERDAY)
    path.chmod(0o644)
    before = os.umask(0)
    try:
        failed = FailedInvoices(path)
        assert mode(part(path)) == 0o600, "before its first byte"
        failed.add(group(State.REJECTED, INVOICE))
        failed.finish(ended())
    finally:
        os.umask(before)
    assert mode(path) == 0o600


def test_it_takes_its_place_only_when_it_is_whole(path: Path) -> None:
    path.write_bytes(YESTERDAY)
    failed = FailedInvoices(path)
    failed.add(group(State.UNKNOWN, INVOICE))
    assert (path.read_bytes(), part(path).read_bytes()) == (YESTERDAY, INVOICE + b"\n")
    failed.close()
    assert (path.read_bytes(), part(path).read_bytes()) == (YESTERDAY, INVOICE + b"\n"), "cut off: both are kept"
    FailedInvoices(path).close()
    assert not part(path).exists(), "begun, and nothing was written"


def test_what_was_written_outlives_a_kill(path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from cashin_async.bulk.outcome import Settled, State\n"
        "from cashin_async.report.failed import FailedInvoices\n"
        "failed = FailedInvoices(sys.argv[1])\n"
        "failed.add(Settled(State.UNSENT, [1, 2], [1, 2], encoded=[b'one', b'two']))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == -9
    assert part(path).read_bytes() == b"one\ntwo\n"


def test_what_was_never_held_as_a_whole_is_counted(path: Path) -> None:
    failed = FailedInvoices(path)
    failed.add(group(State.INVALID, b"", b"broken", reason="is longer than 10 bytes (chunk_bytes)"))
    failed.add(Settled(State.REJECTED, [3], [3], "bytes not known"))
    failed.finish(ended())
    assert path.read_bytes() == b"broken\n"
    assert failed.without_bytes == 2
    assert failed.notes() == [
        f"To mend and upload, the invoice that failed is in {path}",
        "2 that failed could not be written there: see where they stand above.",
    ]


BLANKS = st.text(" \t\r\n", max_size=3)
VALID = st.builds(
    '{}{{{}"InvoiceNumber"{}:{}7,"SalesName":{}}}{}'.format,
    BLANKS,
    BLANKS,
    BLANKS,
    BLANKS,
    st.text(max_size=5).map(lambda text: msgspec.json.encode(text).decode()),
    BLANKS,
).map(str.encode)


@given(VALID)
def test_an_invoice_of_several_lines_becomes_one_of_the_same_meaning(encoded: bytes) -> None:
    written = line_of(encoded)
    assert b"\n" not in written
    assert number_of(written) == 7
    assert msgspec.json.decode(written) == msgspec.json.decode(encoded)


@given(st.lists(st.sampled_from([b"{", b"}", b'"', b"\n", b"\\", b":", b",", b'"InvoiceNumber"', b"7", b"\xff"])))
@example([b'{"InvoiceNumber":7,"SalesName":"a\nb"}'])
@example([b'{"InvoiceNumber":7,"SalesName":"a\\\nb"}'])
@example([b'{"InvoiceNumber":7\n7}'])
def test_what_is_invalid_does_not_become_valid_by_being_written(pieces: list[bytes]) -> None:
    """It would be sent the next day, and nobody has mended it."""
    encoded = b"".join(pieces)
    assert b"\n" not in line_of(encoded)
    assert is_valid(line_of(encoded)) == is_valid(encoded)


def line_of(encoded: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        failed = FailedInvoices(Path(folder, "failed.jsonl"))
        failed.add(group(State.REJECTED, encoded))
        failed.close()
        written = Path(folder, "failed.jsonl.part")
        return written.read_bytes().removesuffix(b"\n") if encoded else b""


def is_valid(encoded: bytes) -> bool:
    try:
        return bool(number_of(encoded))
    except InvalidInvoice:
        return False


# -- the place is an input of the same run


def test_it_may_replace_an_input_that_was_read(path: Path) -> None:
    path.write_bytes(YESTERDAY + INVOICE)
    failed = FailedInvoices(path, [str(path)])
    failed.add(group(State.REJECTED, INVOICE))
    failed.finish(ended())
    assert path.read_bytes() == INVOICE + b"\n"


@pytest.mark.parametrize("how", ["the path", "a link", "a hard link", "standard input"])
@pytest.mark.parametrize("why", ["stopped", "a source error", "no bytes"])
def test_an_input_that_is_not_wholly_in_it_is_kept(path: Path, how: str, why: str) -> None:
    path.write_bytes(YESTERDAY)
    name = str(path)
    if how == "a link":
        name = str(path.with_name("link"))
        os.symlink(path, name)
    elif how == "a hard link":
        name = str(path.with_name("link"))
        os.link(path, name)
    elif how == "standard input":
        name = "-"
    failed = FailedInvoices(path, ["elsewhere", name])
    failed.add(group(State.UNSENT, INVOICE, *([b""] if why == "no bytes" else [])))
    report = ended()
    report.read_to_end = why != "stopped"
    report.problems = [None] if why == "a source error" else []  # type: ignore[list-item]
    failed.finish(report)
    assert path.read_bytes() == YESTERDAY
    assert part(path).read_bytes() == INVOICE + b"\n"
    assert str(part(path)) in failed.notes()[0]
    assert f"{path} stays as it was" in failed.notes()[-1]


def test_another_file_is_replaced_though_the_run_was_stopped(path: Path) -> None:
    path.write_bytes(YESTERDAY)
    failed = FailedInvoices(path, [str(path.with_name("input.jsonl"))])
    failed.add(group(State.UNSENT, INVOICE))
    report = ended()
    report.read_to_end = False
    failed.finish(report)
    assert path.read_bytes() == INVOICE + b"\n"


def test_what_a_killed_run_left_is_no_input(path: Path) -> None:
    """It would be overwritten before it is read."""
    part(path).write_bytes(YESTERDAY)
    with pytest.raises(OSError, match="is an input"):
        FailedInvoices(path, [str(part(path))])
    assert part(path).read_bytes() == YESTERDAY
    failed = FailedInvoices(path, ["elsewhere"])
    failed.finish(ended())
    assert (path.read_bytes(), part(path).exists()) == (b"", False)


# -- where it cannot be written


def test_places_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name in ("nowhere/failed.jsonl", "file/failed.jsonl", "folder", "/dev/null"):
        with pytest.raises(OSError):  # noqa: PT011 - each has another class and the system's own words
            FailedInvoices(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "failed.jsonl", tmp_path / "there" / "target.jsonl"
    link.symlink_to(target)
    failed = FailedInvoices(link)
    failed.add(group(State.UNSENT, INVOICE))
    failed.finish(ended())
    assert link.is_symlink()
    assert target.read_bytes() == INVOICE + b"\n"


def test_a_disk_that_is_full(path: Path) -> None:
    path.write_bytes(YESTERDAY)
    failed = FailedInvoices(path)
    failed.add(group(State.REJECTED, b"x" * 99))
    with disk_of(250):
        failed.add(group(State.REJECTED, b"y" * 99, b"z" * 99))
    failed.add(group(State.REJECTED, b"later"))
    failed.finish(ended())
    assert failed.failure == f"{path}: File too large; what could be written is in {part(path)}"
    assert part(path).read_bytes() == b"x" * 99 + b"\n" + b"y" * 99 + b"\n", "whole lines only"
    assert path.read_bytes() == YESTERDAY
    assert failed.notes() == []


def test_a_disk_that_is_full_from_the_beginning(path: Path) -> None:
    path.write_bytes(YESTERDAY)
    failed = FailedInvoices(path)
    with disk_of(10):
        failed.add(group(State.REJECTED, b"x" * 99))
    failed.finish(ended())
    assert failed.failure == f"{path}: File too large; nothing could be written"
    assert (path.read_bytes(), part(path).exists()) == (YESTERDAY, False)


def test_another_process_that_has_the_same_path(path: Path) -> None:
    mine, theirs = FailedInvoices(path), FailedInvoices(path)
    mine.add(group(State.REJECTED, b"mine"))
    theirs.add(group(State.REJECTED, b"theirs"))
    mine.finish(ended())
    assert (mine.failure or "").startswith(f"{path}: another process writes the same file; ")
    assert not path.exists()
    theirs.finish(ended())
    assert path.read_bytes() == b"theirs\n"
