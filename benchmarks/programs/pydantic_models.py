"""The same 73 fields and 29 of a row as pydantic models: Decimal for amounts, dates as dates, names as published.

Written out they would be these; made from the struct they cannot differ from it. Amounts are to travel as JSON numbers,
as published, which pydantic does not do by itself with Decimal.
"""

from decimal import Decimal
from typing import Annotated, Any, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter, create_model

from cashin_async import InvoiceRow, SalesInvoice

_Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
_strict_names = ConfigDict(extra="forbid", populate_by_name=True)


def _model(struct: type[msgspec.Struct], swap: dict[Any, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        kind, *others = (swap.get(member, member) for member in get_args(field.type))
        for other in others:
            if other is not msgspec.UnsetType:
                kind = kind | other
        fields[field.name] = (kind, Field(default=None, alias=field.encode_name))
    return create_model(struct.__name__, __config__=_strict_names, **fields)


Row = _model(InvoiceRow, {Decimal: _Amount})
Invoice = _model(SalesInvoice, {Decimal: _Amount, list[InvoiceRow]: list[Row]})  # type: ignore[valid-type]
INVOICES = TypeAdapter(list[Invoice])  # type: ignore[valid-type]


class Receipt(BaseModel):
    status_description: Any = Field(default=None, alias="StatusDescription")
    uploaded_invoices_count: int = Field(alias="UploadedInvoicesCount")
    failed_invoices_count: int = Field(alias="FailedInvoicesCount")
    failed_invoices: Any = Field(default=None, alias="FailedInvoices")
