"""A few lines of a terminal that are drawn anew in place, and what is said meanwhile above them."""

import os
import select
from collections.abc import Sequence
from contextlib import suppress

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Synchronized output: a terminal that knows it shows what is between at once, another one ignores it."""
_REST_OF_LINE, _BELOW = "\x1b[K", "\x1b[J"


class SafeConsole(Console):
    """A console that falls silent when nobody reads it any more; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def can_redraw(console: Console) -> bool:
    """Whether lines can be drawn anew there: what FORCE_COLOR calls a terminal may be a file."""
    return console.file.isatty() and not console.is_dumb_terminal and not console.legacy_windows


class Frame:
    """Lines at the end of a terminal, each cut to its width. A frame is one write, over the frame before.

    Nothing is erased before it is drawn over, so nothing flickers. A terminal that takes nothing at the moment, as
    after Ctrl-S, is left alone: an upload must not wait for it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[str] = []
        self._lengths: list[int] = []

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines; as many as there is room for."""
        if not self._lines or _takes_more(self._console):
            back = self._back()
            self._render(lines)
            self._write(_HIDE + back + self._drawn())

    def say(self, text: str) -> None:
        """A line that stays, above those that are drawn."""
        with self._console.capture() as capture:
            self._console.print(text, soft_wrap=True)
        self._write(self._back() + _BELOW + capture.get() + self._drawn())

    def close(self) -> None:
        """Leave nothing behind. May be called twice."""
        if self._lines:
            self._write(self._back() + _BELOW + _SHOW)
            self._lines, self._lengths = [], []

    def _render(self, lines: Sequence[Text]) -> None:
        width, room = self._console.width - 1, max(1, self._console.height - 1)  # the last column may begin a new line
        shown = [line if line.cell_len <= width else cut(line, width, self._ellipsis) for line in lines[:room]]
        self._lengths = [line.cell_len for line in shown]
        with self._console.capture() as capture:
            for line in shown:
                self._console.print(line, soft_wrap=True)
        self._lines = capture.get().splitlines()

    @property
    def _ellipsis(self) -> str:
        return ellipsis_of(self._console)

    def _back(self) -> str:
        """To the first line. Terminals wrap what was drawn before they became narrower."""
        width = max(1, self._console.width)
        rows = sum(max(1, -(-length // width)) for length in self._lengths)
        return f"\r\x1b[{rows}A" if rows else "\r"

    def _drawn(self) -> str:
        return "".join(f"{line}{_REST_OF_LINE}\n" for line in self._lines) + _BELOW

    def _write(self, text: str) -> None:
        with suppress(OSError):  # nobody looks any more
            self._console.file.write(f"{_BEGIN}{text}{_END}")
            self._console.file.flush()


def ellipsis_of(console: Console) -> str:
    """The sign for what is cut off, where the terminal's encoding has it."""
    return "..." if console.options.ascii_only else "…"


def cut(line: Text, width: int, ellipsis: str = "…") -> Text:
    """`line` in at most `width` columns of a terminal, cut at its end."""
    if line.cell_len <= width:
        return line
    kept = next(iter(chop_cells(line.plain, max(1, width - cell_len(ellipsis)))), "")
    return line[: len(kept)].append(ellipsis)


def cut_middle(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` columns of a terminal, without its middle: names of files differ at both ends."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    first, last = chop_cells(text, room - room // 2)[0], chop_cells(text[::-1], max(1, room // 2))[0]
    return first + ellipsis + last[::-1]


def printable(text: str) -> str:
    """`text` without what would move a terminal's cursor: a file's name may hold anything."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _takes_more(console: Console) -> bool:
    if os.name == "nt":  # where only sockets can be asked
        return True
    try:
        return bool(select.select([], [console.file.fileno()], [], 0)[1])
    except (OSError, ValueError):
        return True
