"""What the writers are fed with: groups of outcomes, as the engine tells them."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from cashin_async.bulk.outcome import Settled, State, UploadReport


def group(state: State, *encoded: bytes, first: int = 1, reason: str | None = None) -> Settled:
    """Invoices from the lines `first`, ... of a file, numbered likewise."""
    places = range(first, first + len(encoded))
    return Settled(state, [*places], [*places], reason, encoded=encoded)


def ended(*settled: Settled) -> UploadReport:
    """The report of a run that read its input to the end."""
    report = UploadReport("20260806T080000Z-abc123")
    report.look()
    for part in settled:
        report.add(part)
    return report


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: the next write fails, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
