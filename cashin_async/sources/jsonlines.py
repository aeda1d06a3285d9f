"""JSON Lines: one invoice a line. Pure.

A valid line goes out as the bytes it came in, so that no digit is lost and nothing is encoded twice.
"""

from typing import cast

from cashin_async.models.wire import glance_numbers, numbers_of
from cashin_async.sources.lines import LineSplitter
from cashin_async.sources.source import Batch

_ROOM = 1024  # bytes of blanks around a line that are not counted as a part of it


class JsonLines:
    """A `Form`: its refs are those of lines.

    A line that is no valid invoice is a record with a problem. A line longer than `longest` bytes is such a record
    too, and never in memory as a whole.
    """

    def __init__(self, longest: int, allow_unknown_fields: bool = False) -> None:
        self.line = 0
        self.glances = False
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._splitter = LineSplitter(longest + _ROOM)

    def feed(self, data: memoryview) -> Batch:
        return self._batch(self._splitter.feed(data))

    def cut_off(self) -> Batch:
        return Batch((), (), [])

    def end(self) -> Batch:
        return self._batch(self._splitter.end())

    def _batch(self, lines: list[bytes | None]) -> Batch:
        first, self.line = self.line, self.line + len(lines)
        stripped = [line and line.strip() for line in lines]
        if not all(stripped) or len(max(cast(list[bytes], stripped), key=len, default=b"")) > self._longest:
            return self._batch_with_gaps(first, stripped)
        refs, good = range(first, self.line), cast(list[bytes], stripped)
        if self.glances:
            return Batch(refs, glance_numbers(good), good, unchecked=True)
        numbers, problems = numbers_of(good, self._allow_unknown_fields)
        return Batch(refs, numbers, good, problems)

    def _batch_with_gaps(self, first: int, lines: list[bytes | None]) -> Batch:
        """The same where some lines are empty or too long."""
        refs: list[int] = []
        kept: list[bytes] = []
        too_long = {}
        for ref, line in enumerate(lines, first):
            if line is None or len(line) > self._longest:
                too_long[len(refs)] = f"is longer than {self._longest} bytes (chunk_bytes)"
                line = b"-"
            if line:
                refs.append(ref)
                kept.append(line)
        numbers, problems = numbers_of(kept, self._allow_unknown_fields)
        for place in too_long:
            kept[place] = b""
        return Batch(refs, numbers, kept, problems | too_long)
