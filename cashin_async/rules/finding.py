"""What a rule's check finds, before severities are looked up."""

from collections.abc import Callable
from typing import NamedTuple

from cashin_async.models.invoice import SalesInvoice


class Finding(NamedTuple):
    """A rule that is broken."""

    rule: str
    field: str | None
    """The wire path."""
    message: str


Check = Callable[[SalesInvoice, list[Finding]], None]
"""Looks at an invoice whose fields have their published types, and appends what it finds.

It may get an invoice of the same field names whose amounts are floats, as read from JSON.
"""
