"""What travels: invoices, rows, receipts, under the vendor's published names."""

from cashin_async.models.invoice import InvoiceRow, SalesInvoice
from cashin_async.models.receipt import UploadReceipt

__all__ = ["InvoiceRow", "SalesInvoice", "UploadReceipt"]
