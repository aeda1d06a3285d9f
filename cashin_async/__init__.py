"""asyncio SDK for the Cash-In invoicing API: bulk uploads with a proven outcome for every invoice."""

import logging
from importlib.metadata import version

from cashin_async.bulk.lookup import Found
from cashin_async.bulk.outcome import Outcome, Progress, State, UnseenFailures, UploadReport
from cashin_async.client import CashIn, Settlement
from cashin_async.errors import (
    CashInError,
    ConfigurationError,
    InvalidInvoice,
    InvoiceError,
    InvoiceRejected,
    InvoiceUnknown,
    InvoiceUnsent,
    LedgerError,
    LedgerInUse,
    SourceError,
    UploadFailed,
)
from cashin_async.models import InvoiceRow, SalesInvoice, UploadReceipt
from cashin_async.settings import ApiKey, Environment, Settings
from cashin_async.sources.jsonlines import JsonLines
from cashin_async.sources.source import Place, SourceProblem

logging.getLogger(__name__).addHandler(logging.NullHandler())

__version__ = version("cashin-async")

__all__ = [
    "ApiKey",
    "CashIn",
    "CashInError",
    "ConfigurationError",
    "Environment",
    "Found",
    "InvalidInvoice",
    "InvoiceError",
    "InvoiceRejected",
    "InvoiceRow",
    "InvoiceUnknown",
    "InvoiceUnsent",
    "JsonLines",
    "LedgerError",
    "LedgerInUse",
    "Outcome",
    "Place",
    "Progress",
    "SalesInvoice",
    "Settings",
    "Settlement",
    "SourceError",
    "SourceProblem",
    "State",
    "UnseenFailures",
    "UploadFailed",
    "UploadReceipt",
    "UploadReport",
]
