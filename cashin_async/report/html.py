"""`--report PATH.html`: the page about a run, written when the run has ended."""

import errno
import os
from collections.abc import Callable, Iterable, Sequence

from cashin_async.bulk.outcome import Settled, UploadReport
from cashin_async.report import outcomes
from cashin_async.report.page import page
from cashin_async.report.part import PartFile, is_input
from cashin_async.report.reported import Reported
from cashin_async.report.words import Lang

ENDING = ".html"
ENDINGS = (ENDING, *outcomes.ENDINGS)
"""Of all forms that a report can have."""


def ending_of(place: str | os.PathLike[str]) -> str | None:
    """Which of `ENDINGS` a path has."""
    ending = os.path.splitext(os.fspath(place))[1].lower()
    return ending if ending in ENDINGS else None


class HtmlReport:
    """Begun before anything is sent, so that a place that cannot be written is known in time.

    `describe` tells of the run when it has ended. Raises `OSError` when it cannot be begun, or would replace one of
    `inputs`.
    """

    option = "--report"

    def __init__(
        self,
        place: str | os.PathLike[str],
        describe: Callable[[UploadReport], Reported],
        lang: Lang,
        version: str,
        inputs: Sequence[str] = (),
    ) -> None:
        if is_input(place, inputs):
            raise OSError(errno.EEXIST, "Is an input, and would be overwritten")
        self._describe = describe
        self._lang = lang
        self._version = version
        self._file = PartFile(place, inputs)

    @property
    def place(self) -> str:
        """The absolute path."""
        return self._file.place

    @property
    def failure(self) -> str | None:
        """Why it is not complete, if that is so."""
        return self._file.explained_failure

    def add(self, settled: Settled) -> None:
        """Nothing to write yet: what the page needs is in the report at the end."""

    def finish(self, report: UploadReport) -> None:
        """The run has ended."""
        write_pieces(self._file, page(self._describe(report), self._lang, self._version))

    def close(self) -> None:
        """The run was cut off: there is no page; `cashin-async report` makes one of what is on record."""
        self._file.close()

    def notes(self) -> list[str]:
        """What is to be said of it."""
        return [] if self._file.failure else [f"The report is in {self.place}: open it in a browser"]


def write_pieces(file: PartFile, pieces: Iterable[bytes]) -> None:
    """Write them all, and move the file into its place; the first that cannot be written ends it."""
    if all(map(file.write, pieces)):
        file.move()
    file.close()
