"""What `POST /v2/gensalesinvoices` answers with 202.

Source: the vendor's page "Create an invoice", its 202 example.
"""

from typing import Any

import msgspec
from msgspec import UNSET


class UploadReceipt(msgspec.Struct, kw_only=True, rename="pascal"):
    """The receipt of one request. 202 is acceptance, not delivery."""

    status_description: Any = UNSET
    """`StatusDescription`: text for people ("Successfull ..."); never parsed."""
    uploaded_invoices_count: int
    """`UploadedInvoicesCount`: how many of the request's invoices were taken."""
    failed_invoices_count: int
    """`FailedInvoicesCount`: how many were not."""
    failed_invoices: Any = UNSET
    """`FailedInvoices`: null when none failed. The form of an element is not published."""

    def __repr__(self) -> str:
        """The two counts: the other keys may quote an invoice."""
        return (
            f"UploadReceipt(uploaded_invoices_count={self.uploaded_invoices_count},"
            f" failed_invoices_count={self.failed_invoices_count})"
        )
