"""asyncio SDK for the Cash-In invoicing API: bulk uploads with a proven outcome for every invoice."""

import logging
from importlib.metadata import version

from cashin_async.bulk.outcome import Outcome, Progress, State, UnseenFailures, UploadReport
from cashin_async.client import CashIn
from cashin_async.errors import (
    CashInError,
    ConfigurationError,
    InvalidInvoice,
    InvoiceError,
    InvoiceRejected,
    InvoiceUnknown,
    InvoiceUnsent,
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
    "InvalidInvoice",
    "InvoiceError",
    "InvoiceRejected",
    "InvoiceRow",
    "InvoiceUnknown",
    "InvoiceUnsent",
    "JsonLines",
    "Outcome",
    "Place",
    "Progress",
    "SalesInvoice",
    "Settings",
    "SourceError",
    "SourceProblem",
    "State",
    "UnseenFailures",
    "UploadFailed",
    "UploadReceipt",
    "UploadReport",
]
