"""gzip and zstd: whole files, several in one, and whatever can be wrong with them."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.sources.compression import Unpacked, packing_of
from tests.sources.conftest import MakeDesk, dripping, files_of, line, places, reasons

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Pack = Callable[[bytes], bytes]

SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
"""A zstd frame with a note in it, as parallel packers write them."""
LARGE_WINDOW = b"\x28\xb5\x2f\xfd\x00\x90" + b"\x01\x00\x00"
"""A zstd frame of a window of 256 MiB, and an empty block."""

PACKERS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "gzip, fast": lambda data: gzip.compress(data, 1),
    "gzip, stored": lambda data: gzip.compress(data, 0),
    "zstd": zstd.compress,
    "zstd, slow": lambda data: zstd.compress(data, 19),
    "zstd behind a note": lambda data: SKIPPABLE + zstd.compress(data),
}
each_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def lines(first: int, last: int) -> bytes:
    return b"".join(line(number) + b"\n" for number in range(first, last + 1))


def unpacked(packed: bytes, block: int = 1 << 20, most: float = 1000.0) -> bytes:
    """What comes out of it, fed in blocks of that size; all that came before it could not be read on is lost."""
    blocks = [packed[at : at + block] for at in range(0, len(packed), block)] or [b""]
    rest = iter([*[memoryview(block) for block in blocks[1:]], *[memoryview(b"")] * 100])
    packing = packing_of(packed)
    assert packing is not None
    reader = Unpacked(packing, blocks[0], lambda: next(rest), most)
    whole = b"".join(iter(lambda: bytes(reader.read()), b""))
    assert reader.taken <= len(packed)
    assert bytes(reader.read()) == b"", "the end stays the end"
    return whole


@given(
    parts=st.lists(st.binary(max_size=5000), min_size=1, max_size=4),
    pack=st.sampled_from(list(PACKERS.values())),
    block=st.integers(4, 3000),
    padding=st.integers(0, 20),
)
def test_several_packed_one_behind_the_other_whatever_the_blocks(
    parts: list[bytes], pack: Pack, block: int, padding: int
) -> None:
    assert unpacked(b"".join(map(pack, parts)) + bytes(padding), block) == b"".join(parts)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_what_unpacks_to_much_comes_in_pieces(pack: Pack) -> None:
    packed = pack(bytes(5_000_000))
    reader = Unpacked(packing_of(packed) or "", packed, lambda: memoryview(b""), 500.0)
    pieces = [len(piece) for piece in iter(lambda: bytes(reader.read()), b"")]
    assert sum(pieces) == 5_000_000
    assert max(pieces) <= 1 << 20


@each_packer
@pytest.mark.parametrize("name", ["some.jsonl.gz", "some.zst", "some", "some.jsonl"])
async def test_it_is_known_by_its_bytes_not_by_its_name(desk: MakeDesk, tmp_path: Path, pack: Pack, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pack(lines(1, 250)))
    table = await desk()
    report = await table.upload(path)
    assert (report.read, report.accepted, report.exit_code) == (250, 250, 0)


@each_packer
async def test_places_in_what_is_packed_are_those_of_what_is_in_it(pack: Pack) -> None:
    packed = pack(line(1) + b"\nbad\n\n") + pack(line(2) + b"\n" + line(3))
    source = files_of("-", stdin=dripping(packed, 7))
    found = await places(source)
    assert found == [("<stdin>:1", 1), ("<stdin>:2", None), ("<stdin>:4", 2), ("<stdin>:5", 3)]
    assert source.problems == []


@each_packer
async def test_what_came_before_a_file_is_cut_short_counts(desk: MakeDesk, tmp_path: Path, pack: Pack) -> None:
    path, good = tmp_path / "cut.jsonl.gz", tmp_path / "good.jsonl"
    path.write_bytes(pack(lines(1, 250)) + pack(lines(251, 500))[:-3])
    good.write_bytes(line(1000))
    table = await desk()
    report = await table.upload([path, good])
    assert report.accepted >= 251
    assert table.numbers[:250] == list(range(1, 251))
    assert table.numbers[-1] == 1000
    assert (report.invalid, report.source_errors, report.exit_code) == (0, 1, 3)
    assert "is cut short" in str(report.problems[0])
    assert str(report.problems[0]).startswith(f"{path}:")


@each_packer
@pytest.mark.parametrize("cut", [5, 9])
async def test_a_file_that_ends_in_its_first_bytes(tmp_path: Path, pack: Pack, cut: int) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(pack(lines(1, 3))[:cut])
    source = files_of(path)
    assert await places(source) == []
    assert [problem.reason.split(":")[0] for problem in source.problems] == ["is cut short"]


def damaged_sum(data: bytes) -> bytes:
    packed = bytearray(gzip.compress(data))
    packed[-5] ^= 1
    return bytes(packed)


WRONG: dict[str, tuple[bytes, str]] = {
    "a wrong check sum": (damaged_sum(lines(1, 3)), "is damaged: the gzip data"),
    "no gzip behind the signature": (b"\x1f\x8b\xff\xff" + bytes(20), "is damaged: the gzip data"),
    "no zstd behind the signature": (b"\x28\xb5\x2f\xfd\xff\xff" + bytes(20), "is damaged: the zstd data"),
    "a zstd dictionary that is not here": (b"\x28\xb5\x2f\xfd\x23\x11\x22\x33\x44\x00\x01\x00\x00", "a dictionary"),
    "too large a window": (LARGE_WINDOW, "needs a window of more than 128 MiB (zstd --long)"),
    "gzip in gzip": (gzip.compress(gzip.compress(lines(1, 3))), "packed once more: unpack it first"),
    "zstd in gzip": (gzip.compress(zstd.compress(lines(1, 3))), "packed once more: unpack it first"),
    "a zip archive in gzip": (gzip.compress(b"PK\x03\x04" + bytes(30)), "is a zip archive"),
    "a tar archive in gzip": (gzip.compress(b"a.jsonl".ljust(257, b"\0") + b"ustar" + bytes(250)), "is a tar archive"),
}


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=WRONG)
async def test_what_cannot_be_unpacked_is_said_and_stops_no_other_file(
    desk: MakeDesk, tmp_path: Path, content: bytes, reason: str
) -> None:
    path, good = tmp_path / "bad.jsonl.gz", tmp_path / "good.jsonl"
    path.write_bytes(content)
    good.write_bytes(line(1000))
    table = await desk()
    report = await table.upload([path, good])
    assert table.numbers == [1000]
    assert (report.source_errors, report.exit_code) == (1, 3)
    assert reason in report.problems[0].reason


@each_packer
async def test_something_else_behind_the_end_is_a_problem_and_the_invoices_count(
    desk: MakeDesk, tmp_path: Path, pack: Pack
) -> None:
    path = tmp_path / "some.gz"
    path.write_bytes(pack(lines(1, 5)) + b"\0\0" + b"something")
    table = await desk()
    report = await table.upload(path)
    assert table.numbers == [1, 2, 3, 4, 5]
    assert "has something behind its end" in report.problems[0].reason


async def test_zeros_behind_the_end_are_padding(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "tape.gz"
    path.write_bytes(gzip.compress(lines(1, 5)) + bytes(3_000_000))
    report = await (await desk()).upload(path)
    assert (report.accepted, report.exit_code) == (5, 0)


@pytest.mark.parametrize("pack", [lambda data: gzip.compress(data, 9), zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("filling", [b" " * 9_999 + b"\n", b"x" * 10_000], ids=["blank lines", "one endless line"])
async def test_a_bomb_ends_the_reading_and_what_came_before_counts(
    desk: MakeDesk, tmp_path: Path, pack: Pack, filling: bytes
) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(pack(lines(1, 5) + filling * 4_000))
    table = await desk(max_unpack=500.0)
    report = await table.upload(path)
    assert table.numbers == [1, 2, 3, 4, 5]
    assert report.source_errors == 1
    assert "unpacks to more than 500 times its packed size (max_unpack)" in report.problems[0].reason


async def test_what_bounds_a_bomb_is_a_setting(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zst"
    path.write_bytes(zstd.compress((b" " * 9_999 + b"\n") * 4_000 + line(1)))
    report = await (await desk(max_unpack=100_000.0)).upload(path)
    assert (report.accepted, report.source_errors) == (1, 0)
    report = await (await desk()).upload(path)
    assert "unpacks to more than 1000 times its packed size (max_unpack)" in report.problems[0].reason


async def test_a_little_that_is_packed_very_well_is_no_bomb(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "same.zst"
    path.write_bytes(zstd.compress(b"\n".join([line(1)] * 20_000)))
    report = await (await desk()).upload(path)
    assert (report.accepted, report.duplicate) == (1, 19_999)


@each_packer
async def test_share_read_goes_by_the_packed_bytes(tmp_path: Path, pack: Pack) -> None:
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    first.write_bytes(pack(lines(1, 10_000)))
    second.write_bytes(pack(lines(1, 10_000)))
    source = files_of(first, second)
    shares = [source.share_read() or 0.0 async for _ in source.batches()]
    assert source.share_read() == shares[-1] == 1
    assert shares == sorted(shares)
    assert any(0.2 < share < 0.45 for share in shares)


async def test_without_the_zstd_package_the_line_that_installs_it_is_said(
    desk: MakeDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("compression.zstd", "backports.zstd", "backports"):
        monkeypatch.setitem(sys.modules, name, None)
    path, good = tmp_path / "some.zst", tmp_path / "good.jsonl"
    path.write_bytes(zstd.compress(line(1)))
    good.write_bytes(line(2))
    table = await desk()
    report = await table.upload([path, good])
    assert table.numbers == [2]
    expected = "zstd" if sys.version_info >= (3, 14) else 'pip install "cashin-async[zstd]"'
    assert expected in report.problems[0].reason


async def test_what_the_command_gzip_writes(desk: MakeDesk, tmp_path: Path) -> None:
    """It has a name and a time in its header."""
    path = tmp_path / "some.jsonl"
    path.write_bytes(lines(1, 300))
    await anyio.run_process(["gzip", "-k", str(path)])
    assert (await (await desk()).upload(Path(f"{path}.gz"))).accepted == 300


async def test_reasons_of_bad_lines_in_what_is_packed(desk: MakeDesk, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl.gz"
    path.write_bytes(gzip.compress(line(1) + b"\nbad\n" + line(2)))
    report = await (await desk()).upload(path)
    assert list(reasons(report)) == [f"{path}:2"]
