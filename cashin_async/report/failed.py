"""`--failed`: the invoices that did not get through, ready to be mended and uploaded."""

import os
from collections.abc import Sequence
from contextlib import suppress

from cashin_async.bulk.outcome import FAILURES, Settled, UploadReport
from cashin_async.report.part import PartFile, is_input
from cashin_async.sources.compression import packing_of
from cashin_async.sources.forms import LOOK, Format, format_of
from cashin_async.sources.source import CannotReadOn

_ONE_LINE = bytes.maketrans(b"\n", b"\t")
"""Between JSON's tokens a tab says as little as a newline, and inside a string it is as invalid: what was not valid
must not become so by being written down. No other byte of UTF-8 is that of a newline."""


class FailedInvoices:
    """JSON Lines of whatever is neither accepted nor a duplicate, as it came, for the owner's eyes only (mode 0600).

    A place that is, or may be, one of `inputs` is replaced only if nothing of that would be lost: if all was read, and
    every failed invoice is in the new file; and only if it is JSON Lines itself. Else the new one stays beside it.

    Raises `OSError` when it cannot be begun.
    """

    option = "--failed"

    def __init__(self, place: str | os.PathLike[str], inputs: Sequence[str] = ()) -> None:
        self.written = 0
        self.without_bytes = 0
        """Failed invoices that are not in the file, since there is no JSON of them: lines that are too long, CSV that
        cannot be read."""
        fed_by_a_pipe = "-" in inputs and os.path.exists(place)  # from what file, nobody can tell
        self._may_be_input = fed_by_a_pipe or is_input(place, inputs)
        self._file = PartFile(place, inputs, mode=0o600)
        self._of_another_form = self._may_be_input and not _is_json_lines(self._file.place)

    @property
    def failure(self) -> str | None:
        """Why it is not complete, if that is so."""
        return self._file.explained_failure

    def add(self, settled: Settled) -> None:
        """Write those that failed."""
        if settled.state not in FAILURES:
            return
        lines = [encoded.translate(_ONE_LINE) for encoded in settled.encoded if encoded]
        self.without_bytes += len(settled.refs) - len(lines)
        if lines and self._file.write(b"\n".join([*lines, b""])):
            self.written += len(lines)

    def finish(self, report: UploadReport) -> None:
        """The run has ended."""
        whole = report.read_to_end and not report.problems and not self.without_bytes
        if self._of_another_form or (self._may_be_input and not whole):
            self._file.close()
            return
        self._file.move()

    def close(self) -> None:
        """The run was cut off: what is known so far stays beside the place."""
        self._file.close()

    def notes(self) -> list[str]:
        """What is to be said of it."""
        notes: list[str] = []
        if self._file.failure:
            return notes
        if self.written:
            these = "the invoice that failed is" if self.written == 1 else f"the {self.written:,} that failed are"
            notes.append(f"To mend and upload, {these} in {self._file.path}")
        if self.without_bytes:
            notes.append(f"{self.without_bytes:,} that failed could not be written there: see where they stand above.")
        if self._may_be_input and self._file.path != self._file.place:
            why = "is not JSON Lines" if self._of_another_form else "not all of that was read"
            notes.append(f"{self._file.place} stays as it was: it may be the input, and {why}.")
        return notes


def _is_json_lines(place: str) -> bool:
    with suppress(OSError, CannotReadOn), open(place, "rb") as file:
        start = file.read(LOOK)
        return packing_of(start) is None and format_of(start, place) is Format.JSONL
    return False
