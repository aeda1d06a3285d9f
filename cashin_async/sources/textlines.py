"""Bytes of whatever encoding into lines of text, without ever holding a line that is too long. Pure.

The first line that is not ASCII decides: it is UTF-8, or Windows-1252, which is what Finnish programs mean by Latin-1,
and has the euro sign. A line that is neither, since it is broken UTF-8, decides nothing. A line that is not what the
deciding one was is told, not guessed at.
"""

import codecs
import re
from io import BytesIO, StringIO
from typing import NamedTuple

from cashin_async.sources.source import CannotReadOn

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark is the beginning of this one
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_LONGEST_BOM = 4
_UTF8 = "utf-8"
_NO_LETTER = b"\xff"  # in UTF-8
_WINDOWS = "cp1252"
_LATIN = (_WINDOWS, "iso8859-1")  # by its name the other's control characters are never meant
_DOS_END = b"\x1a"  # Ctrl-Z: what DOS programs put behind the last line
_sign_of_utf8 = re.compile(
    rb"[\xc2\xc3]"  # begins ä and ö; in Windows-1252 it is Â or Ã, which no Finnish name has
    rb"|[\xc4-\xdf][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{3}"
    rb"|[\xe0-\xe3\xe6-\xef][\x80-\xbf]{2}"  # not ä and å of Windows-1252, with its dashes and quotation marks behind
)


class Damage(NamedTuple):
    """Why a line cannot be read as it should."""

    reason: str
    whole: bool = True
    """Whether all of the line is there, but for letters that were replaced."""
    quoted: bool = False
    """Whether there was a quotation mark in what is not there."""


class Text(NamedTuple):
    """Some lines, each with its line feed."""

    lines: list[str]
    damaged: dict[int, Damage]
    """By place."""


class TextLines:
    """Feed it blocks, take whole lines; of one of more than `longest` bytes, a line feed is what comes out.

    `encoding`: None to be found. Where a file begins with a byte order mark, that is believed.
    """

    def __init__(self, longest: int, encoding: str | None = None) -> None:
        self._longest = longest
        self._encoding = codecs.lookup(encoding).name if encoding else None
        self._found = encoding is None
        self._start: bytes | None = b""  # None once it is known how the file begins
        self._transcoder: codecs.IncrementalDecoder | None = None
        self._rest = b""
        self._too_long = False
        self._quoted = False

    def feed(self, data: bytes | memoryview) -> Text:
        """The lines that end in `data`."""
        block = self._rest + self._as_utf8(bytes(data))
        cut = block.rfind(b"\n") + 1
        whole, self._rest = block[:cut], block[cut:]
        text = self._text(whole) if whole else Text([], {})
        if len(self._rest) > self._longest:
            self._drop()
        return text

    def end(self) -> Text:
        """The last line, when no line feed ends it."""
        block = (self._rest + self._as_utf8(b"", final=True)).rstrip(_DOS_END)
        self._rest = b""
        if self._too_long:
            return Text(["\n"], {0: self._too_long_damage(block)})
        return self._text(block) if block else Text([], {})

    # -- one encoding for what is not like ASCII

    def _as_utf8(self, data: bytes, final: bool = False) -> bytes:
        if self._start is not None:
            self._start += data
            if len(self._start) < _LONGEST_BOM and not final:
                return b""
            data, self._start = self._begin(self._start), None
        if self._transcoder is None:
            return data
        try:
            text = self._transcoder.decode(data, final)
        except UnicodeDecodeError:
            if final:
                return _NO_LETTER  # the last one is cut in two
            raise CannotReadOn(f"is not {self._encoding} (csv_encoding)") from None
        return text.encode(_UTF8, "surrogatepass")  # what is no letter is found again where lines are decoded

    def _begin(self, start: bytes) -> bytes:
        for mark, name in _BOMS.items():
            if start.startswith(mark):
                start, self._encoding, self._found = start[len(mark) :], name, False
                break
        if self._encoding in _LATIN:
            self._encoding = _WINDOWS
        if self._encoding not in (None, _UTF8, _WINDOWS, "utf-8-sig", "ascii"):
            errors = "surrogatepass" if self._encoding.startswith("utf") else "surrogateescape"
            self._transcoder = codecs.getincrementaldecoder(self._encoding)(errors)
        return start

    # -- lines

    def _drop(self) -> None:
        """Forget the beginning of a line that is too long."""
        self._quoted = self._quoted or b'"' in self._rest
        self._too_long, self._rest = True, b""

    def _too_long_damage(self, line: bytes) -> Damage:
        damage = Damage(f"is longer than {self._longest} bytes (chunk_bytes)", False, self._quoted or b'"' in line)
        self._too_long = self._quoted = False
        return damage

    def _text(self, block: bytes) -> Text:
        damaged: dict[int, Damage] = {}
        if self._too_long or len(block) > self._longest:
            lines = [*BytesIO(block)]
            for place, line in enumerate(lines):
                if self._too_long or len(line) > self._longest + 1:
                    damaged[place] = self._too_long_damage(line)
                    lines[place] = b"\n"
            block = b"".join(lines)
        return Text([*StringIO(self._decoded(block, damaged), newline="\n")], damaged)

    def _decoded(self, block: bytes, damaged: dict[int, Damage]) -> str:
        if block.isascii():
            return block.decode("ascii")
        if self._transcoder is not None:
            encoding = _UTF8
        else:
            self._encoding = self._encoding or _encoding_of(block)
            encoding = self._encoding or _UTF8
        if not (self._found and encoding == _WINDOWS and _sign_of_utf8.search(block)):
            try:
                return block.decode(encoding)
            except UnicodeDecodeError:
                pass
        return "".join(self._line(place, line, encoding, damaged) for place, line in enumerate(BytesIO(block)))

    def _line(self, place: int, line: bytes, encoding: str, damaged: dict[int, Damage]) -> str:
        text = line.decode(encoding, "replace")
        if not line.isascii() and not self._fits(line, encoding):
            which = "in the encoding of the other lines" if self._found else self._encoding
            damaged[place] = Damage(f"is not {which} (csv_encoding)")
        return text

    def _fits(self, line: bytes, encoding: str) -> bool:
        """Whether a line is of this encoding; in Windows-1252 that was found, no line is that may have been UTF-8."""
        return _is(line, encoding) and not (self._found and encoding == _WINDOWS and _sign_of_utf8.search(line))


def _encoding_of(block: bytes) -> str | None:
    """By the first line that is not ASCII and can decide it."""
    for line in BytesIO(block):
        if not line.isascii():
            if _is(line, _UTF8):
                return _UTF8
            if not _sign_of_utf8.search(line):
                return _WINDOWS
    return None


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
