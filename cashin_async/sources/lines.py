"""Blocks of bytes into lines, without ever holding a line that is too long. Pure."""


class LineSplitter:
    """Feed it blocks, take whole lines; a line of more than `longest` bytes comes out as None."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._too_long = False

    def feed(self, block: bytes) -> list[bytes | None]:
        """The lines that end in `block`, without their newlines."""
        lines: list[bytes | None] = [*(self._rest + block).split(b"\n")]
        rest = lines.pop() or b""
        if self._too_long and lines:
            lines[0] = None
            self._too_long = False
        if len(rest) > self._longest:
            self._too_long = True
        self._rest = b"" if self._too_long else rest
        return [line if line is None or len(line) <= self._longest else None for line in lines]

    def end(self) -> list[bytes | None]:
        """The last line, when no newline ends it."""
        if self._too_long:
            return [None]
        return [self._rest] if self._rest else []
