"""The same invoices in whatever form are the same records; memory stays flat, whatever is in a file."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cashin_async import Place
from cashin_async.models.wire import encode
from cashin_async.simulator.samples import sample_invoices
from cashin_async.sources.files import Files
from tests.sources.conftest import MakeDesk, dripping, files_of, line, places, reasons

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAMPLES = [encode(invoice) for invoice in sample_invoices(40)]
BAD = [b'{"InvoiceNumber":0}', b"17", b'{"InvoiceNumber":5,"Nope":1}', b'{"TotalAmount":1.50}', b"null", b'"x"']


def as_array(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


FORMS: dict[str, Callable[[list[bytes]], bytes]] = {
    "jsonl": b"\n".join,
    "jsonl.gz": lambda items: gzip.compress(b"\n".join(items), 1),
    "jsonl.gz of two": lambda items: (
        gzip.compress(b"\n".join([*items[:3], b""])) + gzip.compress(b"\n".join(items[3:]))
    ),
    "jsonl.zst": lambda items: zstd.compress(b"\n".join(items)),
    "json": as_array,
    "json.gz": lambda items: gzip.compress(as_array(items)),
    "json.zst, spread out": lambda items: zstd.compress(b" [\n\t" + b"\r\n,  ".join(items) + b"\n]\n "),
}

Read = list[tuple[str, int | None, bytes, str | None]]


async def everything(source: Files) -> Read:
    assert not source.problems
    return [
        (str(source.locate(record.ref)), record.number, record.encoded, record.problem)
        async for batch in source.batches()
        for record in batch
    ]


@settings(deadline=None)  # it runs an event loop
@given(
    items=st.lists(st.sampled_from([*SAMPLES, *BAD]), min_size=1, max_size=60),
    most=st.integers(1, 5000),
    form=st.sampled_from(list(FORMS)),
)
def test_in_every_form_and_however_it_is_cut_they_are_the_same_records(
    items: list[bytes], most: int, form: str
) -> None:
    packed = FORMS[form](items)
    source = files_of("-", stdin=dripping(packed, max(most, len(packed) // 200)))
    expected = asyncio.run(everything(files_of("-", stdin=dripping(b"\n".join(items)))))
    assert asyncio.run(everything(source)) == expected
    assert source.problems == []
    assert [encoded for _, _, encoded, _ in expected] == items


async def test_files_of_several_forms_are_one_input(desk: MakeDesk, tmp_path: Path) -> None:
    paths = []
    for index, (form, pack) in enumerate(FORMS.items()):
        paths.append(tmp_path / f"{index}.{form.split(',')[0].replace(' ', '')}")
        paths[-1].write_bytes(pack([line(10 * index + number) for number in range(1, 6)] + [b"17"]))
    table = await desk()
    report = await table.upload(paths)
    assert (report.accepted, report.invalid, report.source_errors) == (5 * len(FORMS), len(FORMS), 0)
    assert sorted(reasons(report)) == sorted(f"{path}:6" for path in paths)


@pytest.mark.parametrize("make", [list, tuple])
async def test_several_paths_are_files_and_a_pattern_is_a_name(
    desk: MakeDesk, tmp_path: Path, make: Callable[[list[Path]], Any]
) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b*[1].jsonl"
    first.write_bytes(line(1))
    second.write_bytes(line(2) + b"\nbad")
    table = await desk()
    report = await table.upload(make([first, second]))
    assert report.accepted == 2
    assert report.failures[0].source == Place(str(second), 2)


async def test_an_empty_list_is_no_invoice_and_no_file(desk: MakeDesk) -> None:
    assert (await (await desk()).upload([])).read == 0


async def test_the_settings_of_the_client_hold_for_its_files(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(as_array([line(1, ',"Own":1'), line(2, ',"SalesZip":"' + "x" * 5000 + '"')]))
    report = await (await desk(allow_unknown_fields=True, chunk_bytes=2000)).upload(path)
    assert (report.accepted, report.invalid) == (1, 1)
    assert "chunk_bytes" in (report.failures[0].reason or "")


async def test_a_file_that_grows_less_than_its_share_was_is_read_to_its_end(tmp_path: Path) -> None:
    """One refused at once, one missing a part: the share is right where the next one begins."""
    bad, good = tmp_path / "bad", tmp_path / "good.jsonl"
    bad.write_bytes(b"\x89PNG" + bytes(1_000_000))
    good.write_bytes(b"\n".join(map(line, range(1, 10_000))))
    source = files_of(bad, good)
    shares = [source.share_read() or 0 async for _ in source.batches()]
    assert 0.6 < shares[0] < 1
    assert shares[-1] == 1


async def test_there_is_no_share_of_what_has_no_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(1))
    assert files_of(path, "-").share_read() is None
    assert files_of(tmp_path / "missing").share_read() is None
    assert files_of().share_read() is None


@pytest.mark.parametrize("form", FORMS)
async def test_the_same_upload_again_sends_nothing(desk: MakeDesk, tmp_path: Path, form: str) -> None:
    path = tmp_path / "some"
    path.write_bytes(FORMS[form](SAMPLES))
    table = await desk()
    assert (await table.upload(path)).accepted == len(SAMPLES)
    assert (await table.cashin.invoices.upload(path)).duplicate == len(SAMPLES)


async def test_parquet_through_a_pipe_or_packed_is_refused(tmp_path: Path) -> None:
    pipe, packed = tmp_path / "pipe", tmp_path / "packed.parquet.gz"
    packed.write_bytes(gzip.compress(b"PAR1" + bytes(100) + b"PAR1"))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"PAR1" + bytes(100),))
    writer.start()
    source = files_of(pipe, "-", packed, stdin=dripping(b"PAR1" + bytes(100)))
    assert await places(source) == []
    writer.join()
    assert ["hand in a plain file" in problem.reason for problem in source.problems] == [True] * 3


# -- memory, each in a process of its own

COUNT = 30_000
ENOUGH = 12 * 1024
"""Kilobytes that reading may take besides what the first invoices took: some blocks, and what Python keeps."""


def numbered() -> Iterator[bytes]:
    """Some invoices again and again, each with a number of its own."""
    for number in range(COUNT):
        yield SAMPLES[number % len(SAMPLES)].replace(b'"InvoiceNumber":2516', b'"InvoiceNumber":%d' % (number + 1), 1)


def read_alone(path: Path, **settings: object) -> dict[str, Any]:
    named = [f"{name}={value}" for name, value in settings.items()]
    done = subprocess.run(
        [sys.executable, "-m", "tests.sources.reading", str(path), *named],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst", "json", "json.gz"])
def test_thirty_thousand_invoices_take_no_more_memory_than_the_first(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"many.{form}"
    path.write_bytes(FORMS[form](list(numbered())))
    found = read_alone(path)
    assert (found["records"], found["wrong"], found["problems"]) == (COUNT, 0, [])
    assert found["grown"] < ENOUGH


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "a line": (b"\n", b"x" * 10_000),
    "a text in an array": (b",", b"x" * 10_000),
    "an item of many values": (b',{"a":[1', b',"xxxxxxxxxxxxxxxxxxxx",1,{}' * 400),
    "levels": (b",", b"[" * 10_000),
    "objects": (b",", b'{"a":' * 2_000),
    "blanks": (b",", b" " * 10_000),
}


@pytest.mark.parametrize(("start", "filling"), ENDLESS.values(), ids=ENDLESS)
def test_what_has_no_end_takes_no_memory_and_the_first_invoice_counts(
    tmp_path: Path, start: bytes, filling: bytes
) -> None:
    """Sixty megabytes of it, and no bomb by the setting."""
    path = tmp_path / "endless.gz"
    begin = b"" if start == b"\n" else b"["
    quote = b'"' if filling.startswith(b"x") and begin else b""
    packer = zlib.compressobj(1, wbits=31)
    packed = packer.compress(begin + SAMPLES[0] + start + quote)
    packed += b"".join(packer.compress(filling) for _ in range(60_000_000 // len(filling))) + packer.flush()
    path.write_bytes(packed)
    found = read_alone(path, max_unpack=2000)
    assert found["records"] >= 1
    assert found["wrong"] <= 1
    assert "chunk_bytes" in "".join(found["problems"]) or found["wrong"] == 1 or "cut short" in found["problems"][0]
    assert found["grown"] < 5 * ENOUGH
