"""What a program is asked to do."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Job:
    """Send `count` invoices in chunks, so many chunks at once, to the sink at `port`."""

    port: int
    count: int
    file: Path | None = None
    """JSON Lines with at least `count` lines, for the programs that read."""
    chunk: int = 100
    concurrency: int = 8
    ledger: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """More settings of this project."""
    uvloop: bool = False
    ticker: bool = False
    """Measure how late the event loop is."""
    begin_at: float = 0.0
    """When the clock starts, in seconds since the epoch: for programs that are to begin together."""
    at_least: float = 1.0
    """Seconds that `blast` goes on."""
    handicap: float = 1.0
    """How many times slower, and larger, this project is to look: the proof that the guard can fail."""
    found: dict[str, Any] = field(default_factory=dict)
    """What the program wants to report besides."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> Iterator[bytes]:
        """The file's lines, without their line feeds."""
        assert self.file is not None
        with self.file.open("rb") as file:
            yield from map(bytes.strip, islice(file, self.count))

    @classmethod
    def parse(cls, text: str) -> "Job":
        values = json.loads(text)
        if values.get("file"):
            values["file"] = Path(values["file"])
        return cls(**values)


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
