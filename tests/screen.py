"""What stands on a terminal's screen: pyte plays the terminal."""

import pyte

END_OF_FRAME = "\x1b[?2026l"


class Screen:
    """A terminal of so many columns and rows, and what was on it after each frame of the live view."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=2000)
        self._stream = pyte.Stream(self._screen)
        self.shown: list[str] = []
        """The screen after each frame."""
        self._left = ""

    def write(self, text: str) -> None:
        """What a process writes; a terminal driver has made its newlines carriage returns and newlines."""
        *frames, self._left = (self._left + text).split(END_OF_FRAME)
        for frame in frames:
            self._stream.feed(frame + END_OF_FRAME)
            self.shown.append(self.visible)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)

    def flush(self) -> None:
        """Take in what came after the last frame."""
        self._stream.feed(self._left)
        self._left = ""

    @property
    def visible(self) -> str:
        """The rows on the screen, without the spaces at their ends."""
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip("\n")

    @property
    def text(self) -> str:
        """All that was written, also what has left the screen at its top."""
        self.flush()
        columns = range(self._screen.columns)
        gone = ["".join(row[column].data for column in columns).rstrip() for row in self._screen.history.top]
        return "\n".join([*gone, self.visible])

    @property
    def cursor_shown(self) -> bool:
        self.flush()
        return not self._screen.cursor.hidden

    @property
    def live(self) -> list[str]:
        """The screen after each frame of an upload's view."""
        return [text for text in self.shown if "in flight" in text]

    @property
    def widest(self) -> int:
        """Columns that the view's own rows took."""
        rows = [row for text in self.live for row in text.splitlines()[view_starts(text) :]]
        return max(map(len, rows))


def view_starts(text: str) -> int:
    """The row of the screen that an upload's view begins in: the names of the outcomes are its third."""
    return next(place for place, row in enumerate(text.splitlines()) if "accepted    rejected" in row) - 2
