"""JSON Lines: whatever is wrong with one line or one file has a clear message and stops nothing else."""

import asyncio
import errno
import gzip
import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cashin_async import Place, SourceError
from tests.sources.conftest import MakeDesk, dripping, files_of, line, places, reasons

MARKER = "Zxqmarker"

BAD_LINES = {
    "cut short": (line(1)[:40], "cut short"),
    "no JSON": (b"nonsense", "malformed"),
    "two on a line": (line(1) + line(2), "trailing characters"),
    "a trailing comma": (line(1) + b",", "trailing characters"),
    "an array": (b"[" + line(1) + b"]", "Expected `object`, got `array`"),
    "a number": (b"17", "Expected `object`"),
    "a string": (f'"{MARKER}"'.encode(), "Expected `object`, got `string`"),
    "null": (b"null", "Expected `object`, got `null`"),
    "no number": (b"{}", "InvoiceNumber is missing"),
    "null for a number": (b'{"InvoiceNumber":null}', "InvoiceNumber is missing"),
    "zero": (b'{"InvoiceNumber":0}', "InvoiceNumber is not between 1 and"),
    "a negative number": (b'{"InvoiceNumber":-5}', "InvoiceNumber is not between 1 and"),
    "a number too large": (b'{"InvoiceNumber":9223372036854775808}', "InvoiceNumber is not between 1 and"),
    "a fraction": (b'{"InvoiceNumber":1.5}', "InvoiceNumber: Expected `whole number"),
    "a number in quotes": (b'{"InvoiceNumber":"1"}', "InvoiceNumber: Expected `whole number"),
    "a wrong type": (f'{{"InvoiceNumber":1,"TotalAmount":"{MARKER}"}}'.encode(), "TotalAmount: Expected `number"),
    "a date that is none": (f'{{"InvoiceNumber":1,"DueDate":"{MARKER}"}}'.encode(), "DueDate: Invalid"),
    "a wrong type in a row": (
        f'{{"InvoiceNumber":1,"InvoiceRows":[{{}},{{"Qty":"{MARKER}"}}]}}'.encode(),
        "InvoiceRows[1].Qty: Expected `number",
    ),
    "an unknown field": (line(1, ',"InvoiceNr":1'), "unknown field `InvoiceNr`"),
    "an unknown field in a row": (
        b'{"InvoiceNumber":1,"InvoiceRows":[{"Quantity":1}]}',
        "InvoiceRows[0]: Object contains unknown field `Quantity`",
    ),
    "two numbers": (b'{"InvoiceNumber":1,"InvoiceNumber":2}', "InvoiceNumber stands more than once"),
    "two numbers, one escaped": (
        b'{"InvoiceNumber":1,"\\u0049nvoiceNumber":2}',
        "InvoiceNumber stands more than once",
    ),
    "broken UTF-8": (b'{"InvoiceNumber":1,"SalesName":"\xff\xfe"}', "not JSON: UnicodeDecodeError"),
    "Latin-1": ('{"InvoiceNumber":1,"SalesName":"Meikäläinen"}'.encode("latin-1"), "not JSON: UnicodeDecodeError"),
    "NaN": (b'{"InvoiceNumber":1,"TotalAmount":NaN}', "malformed"),
    "nested too deeply": (b'{"InvoiceNumber":' + b"[" * 200_000, "InvoiceNumber: Expected `whole number"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES.values(), ids=BAD_LINES)
async def test_a_bad_line_is_named_and_stops_nothing(desk: MakeDesk, tmp_path: Path, bad: bytes, reason: str) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join([line(11), bad, line(12)]))
    table = await desk()
    report = await table.upload(path)
    assert (report.read, report.accepted, report.invalid, report.source_errors) == (3, 2, 1, 0)
    assert table.numbers == [11, 12]
    (failure,) = report.failures
    assert failure.source == Place(str(path), 2)
    assert str(failure.source) == f"{path}:2"
    assert reason in (failure.reason or "")
    assert MARKER not in (failure.reason or "")
    assert report.exit_code == 1


async def test_a_lone_surrogate_is_not_called_a_line_cut_short(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b'{"InvoiceNumber":1,"SalesName":"\\ud800"}\n')
    report = await (await desk()).upload(path)
    assert report.invalid == 1
    assert "cut short" not in (report.failures[0].reason or "")


async def test_broken_utf8_in_an_unknown_field_does_not_leave(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join([line(1), b'{"InvoiceNumber":2,"Extra":"\xff"}', line(3, ',"Extra":1')]))
    table = await desk(allow_unknown_fields=True)
    report = await table.upload(path)
    assert (report.accepted, report.invalid) == (2, 1)
    assert report.requests == 1, "an unreadable invoice was sent: the whole request was refused for it"


FILES_THAT_ARE_NOT_JSON_LINES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "No such file"),
    "a directory": (lambda path: path.mkdir(), "Is a directory"),
    "PNG": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))), "binary file"),
    "ELF": (lambda path: path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(500)), "binary file"),
    "gzip": (lambda path: path.write_bytes(gzip.compress(line(1))[:-9]), "cut short"),
    "zstd": (lambda path: path.write_bytes(b"\x28\xb5\x2f\xfd\x04\x00"), "cut short"),
    "zip": (lambda path: path.write_bytes(b"PK\x03\x04\x14\x00"), "zip archive"),
    "Parquet": (lambda path: path.write_bytes(b"PAR1\x15\x04"), "Parquet"),
    "UTF-16": (lambda path: path.write_bytes(line(1).decode().encode("utf-16")), "UTF-16"),
    "UTF-16, big end first": (lambda path: path.write_bytes(b"\xfe\xff" + "{}".encode("utf-16-be")), "UTF-16"),
    "UTF-16 without a mark": (lambda path: path.write_bytes("{}".encode("utf-16-le")), "binary"),
    "a link to itself": (lambda path: path.symlink_to(path), "symbolic links"),
}


@pytest.mark.parametrize(("make", "reason"), FILES_THAT_ARE_NOT_JSON_LINES.values(), ids=FILES_THAT_ARE_NOT_JSON_LINES)
@pytest.mark.parametrize("where", ["first", "between", "last"])
async def test_a_bad_file_stops_no_other(
    desk: MakeDesk, tmp_path: Path, make: Callable[[Path], object], reason: str, where: str
) -> None:
    bad, good, better = tmp_path / "bad", tmp_path / "good.jsonl", tmp_path / "better.jsonl"
    make(bad)
    good.write_bytes(line(1) + b"\n" + b"broken\n")
    better.write_bytes(line(2) + b"\n" + line(3) + b"\n[]")
    files = [good, better]
    files.insert({"first": 0, "between": 1, "last": 2}[where], bad)
    table = await desk()
    with pytest.raises(SourceError, match=reason) as caught:
        await table.cashin.invoices.upload(files_of(*files))
    report = caught.value.report
    assert report is not None
    assert table.numbers == [1, 2, 3]
    assert (report.read, report.accepted, report.invalid, report.source_errors) == (5, 3, 2, 1)
    assert report.exit_code == 3
    assert sorted(reasons(report)) == [f"{better}:3", f"{good}:2"]
    (problem,) = report.problems
    assert problem.file == str(bad)
    assert str(bad) in str(problem)
    assert str(bad) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
async def test_a_file_without_an_invoice_is_noticed_and_no_error(
    desk: MakeDesk, tmp_path: Path, content: bytes
) -> None:
    empty, good = tmp_path / "empty.jsonl", tmp_path / "good.jsonl"
    empty.write_bytes(content)
    good.write_bytes(line(1))
    source = files_of(empty, good)
    report = await (await desk()).upload(source)
    assert (report.read, report.accepted, report.source_errors, report.exit_code) == (1, 1, 0, 0)
    assert source.empty_files == [str(empty)]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not ended"])
async def test_marks_and_line_ends_are_not_the_invoices(
    desk: MakeDesk, tmp_path: Path, mark: bytes, end: bytes, last: bool
) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(mark + end.join([line(1), b"", line(2), b" \t", b"[]", b"  " + line(3) + b" "]) + end * last)
    table = await desk()
    report = await table.upload(path)
    assert (report.read, report.accepted, report.invalid) == (4, 3, 1)
    assert table.received == b"[" + b",".join([line(1), line(2), line(3)]) + b"]"
    assert report.failures[0].source == Place(str(path), 5)


async def test_the_server_receives_the_original_bytes(desk: MakeDesk, tmp_path: Path) -> None:
    lines = [
        b'{"TotalAmount":100.10,"InvoiceNumber":1,"NetAmount":1e2,"TaxAmount":-0.0}',
        b'{ "InvoiceNumber" : 2 , "TotalAmount" : 0.1000000000000000055511151231257827 }',
        '{"SalesName":"Meikäläinen \\u00e4\\/\\"","InvoiceNumber":3}'.encode(),
        b'{"InvoiceNumber":4,"DueDate":"2026-01-31","SalesName":null,"InvoiceRows":[{"Total":1.50,"Qty":1.0}]}',
        b'{"InvoiceNumber":9223372036854775807,"OrderDate":"2019-08-24T14:15:22.123Z"}',
    ]
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join(lines))
    table = await desk()
    assert (await table.upload(path)).accepted == 5
    assert table.received == b"[" + b",".join(lines) + b"]"


async def test_unknown_fields_travel_as_they_are_when_allowed(desk: MakeDesk, tmp_path: Path) -> None:
    only = line(1, ',"Zzz":{"a":[1.10,null]},"InvoiceRows":[{"Own":"x"}]')
    path = tmp_path / "some.jsonl"
    path.write_bytes(only)
    table = await desk(allow_unknown_fields=True)
    assert (await table.upload(path)).accepted == 1
    assert table.received == b"[" + only + b"]"


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b" \n"], ids=["none", "LF", "CRLF", "blank"])
async def test_the_longest_line_is_as_long_as_a_request_bears(desk: MakeDesk, tmp_path: Path, end: bytes) -> None:
    head = b'{"InvoiceNumber":1,"SalesName":"'
    most = head + b"x" * (2000 - 2 - len(head) - 2) + b'"}'
    path = tmp_path / "some.jsonl"
    path.write_bytes(line(2) + b"\n" + most + end)
    table = await desk(chunk_bytes=2000)
    assert (await table.upload(path)).accepted == 2
    path.write_bytes(line(3) + b"\n" + most.replace(b"1,", b"12,") + end + b"\n" + line(4))
    report = await table.cashin.invoices.upload(path)
    assert (report.accepted, report.invalid) == (2, 1)
    assert "chunk_bytes" in reasons(report)[f"{path}:2"]


async def test_line_numbers_across_blocks_and_files(tmp_path: Path) -> None:
    """Some four megabytes in lines of random lengths: every block border lies in another place of a line."""
    rng = random.Random(5)
    expected: list[tuple[str, int | None]] = []
    files = []
    for name in ("a", "empty", "b", "missing", "c"):
        path = tmp_path / f"{name}.jsonl"
        files.append(path)
        if name in ("empty", "missing"):
            path.write_bytes(b"") if name == "empty" else None
            continue
        lines = []
        for number in range(1, 1200):
            kind = rng.random()
            long = b'{"InvoiceNumber":%d,"SalesName":"%s"}' % (number, b"x" * rng.randrange(2000))
            lines.append(b"" if kind < 0.1 else b"!" * rng.randrange(1, 3000) if kind < 0.2 else long)
            if kind >= 0.1:
                expected.append((f"{path}:{number}", None if kind < 0.2 else number))
        path.write_bytes((b"\r\n" if name == "b" else b"\n").join(lines))
    source = files_of(*files)
    assert await places(source) == expected
    assert len(source.problems) == 1
    assert source.share_read() is None, "a missing file has no size"


async def test_share_read_goes_from_nothing_to_all(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join(line(number) for number in range(1, 20_000)))
    source = files_of(path)
    shares = [source.share_read() async for _ in source.batches()]
    assert source.share_read() == shares[-1] == 1
    assert shares == sorted(shares, key=lambda share: share or 0)
    assert 0 < (shares[0] or 0) < 0.5


async def test_the_same_file_twice_is_duplicates(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join(line(number) for number in range(1, 251)))
    table = await desk()
    report = await table.upload(files_of(path, path))
    assert (report.read, report.accepted, report.duplicate, report.exit_code) == (500, 250, 250, 0)


async def test_a_conflict_is_named_by_its_place(desk: MakeDesk, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_bytes(b"[]\n" + line(7))
    second.write_bytes(line(7) + b"\n" + line(7, ',"Status":"H"') + b"\n" + line(8))
    table = await desk()
    report = await table.upload(files_of(first, second))
    assert (report.accepted, report.duplicate, report.rejected, report.invalid) == (2, 1, 1, 1)
    assert "different" in reasons(report)[f"{second}:2"]
    assert table.received == b"[" + line(7) + b"," + line(8) + b"]"


async def test_a_line_that_was_invalid_before_does_not_take_the_number(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(line(7, ',"Nope":1') + b"\n" + line(7))
    report = await (await desk()).upload(path)
    assert (report.accepted, report.invalid, report.duplicate, report.rejected) == (1, 1, 0, 0)


async def test_standard_input(desk: MakeDesk) -> None:
    stdin = dripping(line(1) + b"\nbroken\n" + line(2))
    table = await desk()
    report = await table.upload(files_of("-", stdin=stdin))
    assert (report.accepted, report.invalid) == (2, 1)
    assert list(reasons(report)) == ["<stdin>:2"]
    assert not stdin.closed, "it is not ours to close"


async def test_an_error_in_the_middle_of_a_file(desk: MakeDesk, tmp_path: Path) -> None:
    good = tmp_path / "good.jsonl"
    good.write_bytes(line(4))
    stdin = dripping(line(1) + b"\n" + line(2) + b"\n" + line(3)[:9], 7, OSError(errno.EIO, os.strerror(errno.EIO)))
    table = await desk()
    report = await table.upload(files_of("-", good, stdin=stdin))
    assert table.numbers == [1, 2, 4]
    assert (report.read, report.source_errors) == (3, 1), "a line that was not read to its end is no invoice"
    assert str(report.problems[0]) == f"<stdin>:3: {os.strerror(errno.EIO)}"


async def test_a_file_that_only_its_owner_may_not_read() -> None:
    """Root may read every file but this one."""
    source = files_of("/proc/self/mem")
    assert await places(source) == []
    assert [problem.reason for problem in source.problems] == [os.strerror(errno.EIO)]


async def test_a_pipe_that_breaks_off(desk: MakeDesk, tmp_path: Path) -> None:
    pipe, good = tmp_path / "pipe", tmp_path / "good.jsonl"
    os.mkfifo(pipe)
    good.write_bytes(line(300))
    content = b"\n".join(line(number) for number in range(1, 251))
    writer = threading.Thread(target=pipe.write_bytes, args=(content[:-10],))
    writer.start()
    table = await desk()
    report = await table.upload(files_of(pipe, good))
    writer.join()
    assert (report.read, report.accepted, report.invalid) == (251, 250, 1)
    assert "cut short" in reasons(report)[f"{pipe}:250"]


async def test_a_pipe_that_never_delivers_does_not_hold_up_an_interrupt(desk: MakeDesk, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    keeps_open = os.open(pipe, os.O_RDWR)
    released = threading.Timer(2, os.write, (keeps_open, b"\n"))  # should the loop be blocked: not for ever
    released.start()
    try:
        run = await (await desk()).cashin.invoices.prepare(pipe)
        task = asyncio.create_task(run.run())
        await asyncio.sleep(0.1)
        run.interrupt()
        started = asyncio.get_running_loop().time()
        report = await task
        assert asyncio.get_running_loop().time() - started < 1, "the event loop was blocked until something came"
        assert (report.read, report.exit_code) == (0, 130)
    finally:
        released.cancel()
        os.write(keeps_open, b"\n")
        await asyncio.sleep(0.05)
        os.close(keeps_open)


async def test_names_of_any_bytes(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff \xc3\xa4[red].jsonl")
    path.write_bytes(line(1) + b"\n[]")
    report = await (await desk()).upload(path)
    assert report.accepted == 1
    assert report.failures[0].source == Place(str(path), 2)


async def test_many_bad_lines_are_all_counted(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join(line(n) if n % 2 else json.dumps({"Nope": n}).encode() for n in range(1, 5001)))
    report = await (await desk()).upload(path)
    assert (report.accepted, report.invalid) == (2500, 2500)
    assert [failure.source.line for failure in report.failures] == list(range(2, 5001, 2))


async def test_a_pipe_in_non_blocking_mode_is_refused_where_it_has_nothing_ready(desk: MakeDesk) -> None:
    """What an earlier read left in the buffer must not be taken for what came."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb") as pipe:
        pipe.write(line(1) + b"\n" + line(2)[:9])
        pipe.flush()
        table = await desk()
        report = await table.upload(files_of("-", stdin=stdin))
    assert table.numbers == [1]
    assert report.read == 1
    assert "non-blocking" in str(report.problems[0])
