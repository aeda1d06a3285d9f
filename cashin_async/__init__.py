"""asyncio SDK for the Cash-In invoicing API: bulk uploads with a proven outcome for every invoice.

The public names are loaded when they are first used: a program that wants the models must not wait for the client,
nor `cashin-async --help` for either.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; `_HOMES` says the same to the interpreter
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
    from cashin_async.rules import Problem, RuleSet
    from cashin_async.settings import ApiKey, Environment, Settings
    from cashin_async.sources.source import Place, SourceProblem

    __version__: str

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
    "LedgerError",
    "LedgerInUse",
    "Outcome",
    "Place",
    "Problem",
    "Progress",
    "RuleSet",
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

_HOMES = {
    "bulk.lookup": ("Found",),
    "bulk.outcome": ("Outcome", "Progress", "State", "UnseenFailures", "UploadReport"),
    "client": ("CashIn", "Settlement"),
    "errors": (
        "CashInError",
        "ConfigurationError",
        "InvalidInvoice",
        "InvoiceError",
        "InvoiceRejected",
        "InvoiceUnknown",
        "InvoiceUnsent",
        "LedgerError",
        "LedgerInUse",
        "SourceError",
        "UploadFailed",
    ),
    "models": ("InvoiceRow", "SalesInvoice", "UploadReceipt"),
    "rules": ("Problem", "RuleSet"),
    "settings": ("ApiKey", "Environment", "Settings"),
    "sources.source": ("Place", "SourceProblem"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = ("client", "errors", "models", "rules", "settings")
"""What mypy lets pass after `import cashin_async`, as in `except cashin_async.errors.LedgerError`."""

logging.getLogger(__name__).addHandler(logging.NullHandler())


if not TYPE_CHECKING:  # whoever saw it would let every misspelt name pass

    def __getattr__(name: str) -> object:
        if name in _ROOMS:
            return import_module(f"{__name__}.{name}")
        if name == "__version__":
            from importlib.metadata import version  # loads zipfile and email, which is slow

            value = version("cashin-async")
        elif name in _HOME_OF:
            value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value  # asked for once: the next use finds it without coming here
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS, "__version__"})
