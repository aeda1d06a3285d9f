"""Every exception of the package.

    CashInError
    ├── ConfigurationError        a setting is missing or wrong (also a ValueError)
    ├── LedgerError               the ledger cannot be opened, read or written
    │   └── LedgerInUse           another process, or another client, writes it
    ├── SourceError               an input could not be read to its end; has the .report
    ├── UploadFailed              raise_for_failures(): not every invoice got through; has the .report
    └── InvoiceError              what create() raises; has .numbers and .reason
        ├── InvalidInvoice        never left: unreadable, wrong types, too large
        ├── InvoiceRejected       the server refused it
        ├── InvoiceUnknown        may have been accepted, there is no proof: never just send it again
        └── InvoiceUnsent         provably not sent or not applied, given up for now

No message holds the key, nor a value of an invoice that was sent, other than its number. What the server said may be
part of a reason, with these blanked; what else it may know of is its own.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cashin_async.bulk.outcome import UploadReport


class CashInError(Exception):
    """The base of all."""


class ConfigurationError(CashInError, ValueError):
    """A setting is missing or wrong; the message names it."""


class LedgerError(CashInError):
    """The ledger cannot be opened, read or written; the message says why and names the file."""


class LedgerInUse(LedgerError):
    """Somebody else writes this ledger: there is one writer at a time."""


class SourceError(CashInError):
    """An input could not be read to its end. What was read has its outcomes in `report`."""

    def __init__(self, message: str, report: "UploadReport | None" = None) -> None:
        super().__init__(message)
        self.report = report


class UploadFailed(CashInError):
    """Not every invoice was accepted; `report` tells which."""

    def __init__(self, message: str, report: "UploadReport") -> None:
        super().__init__(message)
        self.report = report


class InvoiceError(CashInError):
    """One invoice, or the few of one request, did not get through."""

    def __init__(self, reason: str, numbers: Sequence[int] = (), status: int | None = None) -> None:
        self.reason = reason
        self.numbers = tuple(numbers)
        """The invoice numbers it is about."""
        self.status = status
        """The HTTP status, when there was an answer."""
        few = ", ".join(map(str, self.numbers[:5])) + (", ..." if len(self.numbers) > 5 else "")
        super().__init__(f"invoice {few}: {reason}" if few else reason)


class InvalidInvoice(InvoiceError):
    """It never left: unreadable, of wrong types, or larger than the size limit alone."""


class InvoiceRejected(InvoiceError):
    """The server refused it."""


class InvoiceUnknown(InvoiceError):
    """It may have been accepted: there is no proof either way, so it must not just be sent again."""


class InvoiceUnsent(InvoiceError):
    """Provably not sent, or not applied, and given up for now."""
