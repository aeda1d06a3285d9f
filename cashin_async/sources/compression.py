"""What is packed, unpacked: gzip (RFC 1952) and zstd (RFC 8878), found by their signatures. Pure, but for `read`."""

import sys
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from cashin_async.sources.source import CannotReadOn

GZIP = "gzip"
ZSTD = "zstd"

SIGNATURE = 4
"""Bytes that tell one from another."""

_AT_ONCE = 1_048_576  # unpacked bytes that one read gives at most
_SLICE = 65_536  # packed bytes that are unpacked together: what is damaged costs what stands around it
FREE = 16_777_216  # bytes that any input may unpack to: 16 MiB are a second of work, whatever is in them
_WINDOW = "128 MiB"  # the largest window that the library unpacks by itself: 2**27 bytes


def packing_of(start: bytes) -> str | None:
    """What a file that starts like this is packed with, or None."""
    if start.startswith(b"\x1f\x8b"):
        return GZIP
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return ZSTD
    if start[1:SIGNATURE] == b"\x2a\x4d\x18" and start[0] >> 4 == 5:  # a skippable frame, as pzstd begins with
        return ZSTD
    return None


class _Member(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """zlib's object with the manners of the newer ones: it keeps what it could not unpack yet."""

    def __init__(self) -> None:
        self._unpacking = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._unpacking.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacking.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._unpacking.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        unpacked = self._unpacking.decompress(self._unpacking.unconsumed_tail + data, max_length)
        self._full = len(unpacked) == max_length  # then there may be more of what it has taken
        return unpacked


class Unpacked:
    """The bytes of a packed input, read by `read` but for its `start`, unpacked.

    It has one member or frame or several, one behind the other; zeros behind the last one are padding, as of a tape.
    Beyond 16 MiB, more than `most` times its packed size are too many: nothing that is an invoice packs so
    well.
    """

    def __init__(self, packing: str, start: bytes, read: Callable[[], memoryview], most: float) -> None:
        self.taken = 0
        self._packing = packing
        self._member = _member(packing)
        self._packed = start
        self._read = read
        self._most = most
        self._unpacked = 0

    def read(self) -> memoryview:
        """The next bytes; none at the end. `CannotReadOn` when it is damaged, cut short, or unpacks to too much."""
        while not self._member.eof or self._begin_next():
            if data := self._unpack():
                self._unpacked += len(data)
                if self._unpacked > max(FREE, self._most * self.taken):
                    raise CannotReadOn(f"unpacks to more than {self._most:g} times its packed size (max_unpack)")
                return memoryview(data)
        return memoryview(b"")

    def _unpack(self) -> bytes:
        packed = b""
        if self._member.needs_input and not (packed := self._some_packed()):
            raise CannotReadOn(f"is cut short: the {self._packing} data does not end")
        try:
            return self._member.decompress(packed, _AT_ONCE)
        except Exception as error:  # zlib.error, or the ZstdError of whichever module is there
            if "memory" in str(error):
                raise CannotReadOn(f"needs a window of more than {_WINDOW} (zstd --long): pack it without") from None
            dictionary = ", or needs a dictionary" if self._packing == ZSTD else ""
            raise CannotReadOn(f"is damaged: the {self._packing} data cannot be unpacked{dictionary}") from None

    def _some_packed(self) -> bytes:
        if not self._packed:
            self._packed = bytes(self._read())
        some, self._packed = self._packed[:_SLICE], self._packed[_SLICE:]
        self.taken += len(some)
        return some

    def _begin_next(self) -> bool:
        """Whether there is one more member or frame."""
        behind = self._member.unused_data.lstrip(b"\0")
        while len(behind) < SIGNATURE and (more := self._some_packed()):
            behind = (behind + more).lstrip(b"\0")
        if not behind:
            return False
        packing = packing_of(behind)
        if packing is None:
            raise CannotReadOn(f"has something behind its end that is not packed with {self._packing}")
        self._packing, self._member = packing, _member(packing)
        self.taken -= len(behind)
        self._packed = behind + self._packed
        return True


def _member(packing: str) -> _Member:
    if packing == GZIP:
        return _GzipMember()
    return _zstd_member()


def _zstd_member() -> _Member:
    """A decompressor of Python 3.14's own module, or of its backport. A window above 128 MiB it refuses."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        where = "a Python that was built with zstd" if sys.version_info >= (3, 14) else INSTALL_ZSTD
        raise CannotReadOn(f"is packed with zstd, which needs: {where}") from None
    member: Any = zstd.ZstdDecompressor()
    return member  # type: ignore[no-any-return]


INSTALL_ZSTD = 'pip install "cashin-async[zstd]"'
