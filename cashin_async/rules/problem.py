"""What a rule says of an invoice. It never holds a personal value."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a problem weighs."""

    ERROR = "error"
    """A national rule or plain arithmetic is broken: under `enforce` the invoice is not sent."""
    WARNING = "warning"
    """Probably wrong, but it rests on something that is not published, or may be meant."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with one invoice.

    `message` and `field` show the path, the rule and the number of an invoice: no name, address, account, e-mail,
    phone or personal code.
    """

    file: str | None = None
    """The input's name as it was given; None for an invoice that is in no file."""
    line: int | None = None
    """Its line there, the first is 1."""
    invoice_number: int | None = None
    """None when it cannot be read."""
    field: str | None = None
    """The wire path, as in `InvoiceRows[0].VatPercent`; None for the invoice as a whole."""
    rule: str
    severity: Severity
    message: str
