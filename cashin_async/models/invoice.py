"""What travels to `POST /v2/gensalesinvoices`: one sales invoice and its rows.

Source: the vendor's page "Create an invoice". Names, order and JSON types are those of its published
example; nothing else is published, so every field may be left out, may be null, and every code
(`status`, `sales_type`, `delivery_type`, ...) is an open string.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import msgspec
from msgspec import UNSET, UnsetType

from cashin_async.models.money import added, cents, exact, negated, row_sum, tax_in_gross, tax_of_net

Whole = int | None | UnsetType
Number = Decimal | None | UnsetType
Day = date | None | UnsetType
Moment = datetime | None | UnsetType
Text = str | None | UnsetType
Open = str | int | None | UnsetType
"""A field that the example shows as null only: its JSON type is not published."""

IRREGULAR_NAMES = {"finvoice_ovt": "FinvoiceOVT"}
"""The wire names that PascalCase of the Python name does not give."""

Given = Decimal | int | str
"""A number as whoever builds a row gives it: never a float, since 0.1 is not a tenth."""

_AMOUNTS = ("nto", "tax", "round", "total")
"""What an invoice's net, tax, rounding and total are the sums of."""

_ZERO = Decimal(0)


def wire_name(name: str) -> str:
    """The published name of a field: `billing_street_addr1` is `BillingStreetAddr1`."""
    return IRREGULAR_NAMES.get(name) or "".join(word.capitalize() for word in name.split("_"))


class _Wire(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename=wire_name, gc=False):
    """Fields never set are not sent; fields set to None are sent as null.

    Nothing published can refer back, so the garbage collector need not look: a list is decoded faster for it.
    """

    def __repr__(self) -> str:
        """Names no value: an invoice is personal data, and a repr ends in logs and tracebacks."""
        held = sum(getattr(self, name) is not UNSET for name in self.__struct_fields__)
        return f"{type(self).__name__}({held} fields)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class InvoiceRow(_Wire):
    """One row of an invoice: 29 published keys. Amounts and percentages are exact decimals."""

    prod_code: Open = UNSET
    """`ProdCode`: shown as null, so its type is not published."""
    description: Text = UNSET
    """`Description`: string, "Myyntituotteen nimi" in the example."""
    vat_percent: Number = UNSET
    """`VatPercent`: number, 24 in the example."""
    ship_date: Open = UNSET
    """`ShipDate`: shown as null, so its type is not published."""
    qty: Number = UNSET
    """`Qty`: number, 1 in the example."""
    price: Number = UNSET
    """`Price`: number, 100 in the example."""
    discount: Number = UNSET
    """`Discount`: number, 0 in the example."""
    nto: Number = UNSET
    """`Nto`: number, 100 in the example."""
    tax: Number = UNSET
    """`Tax`: number, 24 in the example."""
    round: Number = UNSET
    """`Round`: number, 0 in the example."""
    total: Number = UNSET
    """`Total`: number, 100 in the example."""
    text: Open = UNSET
    """`Text`: shown as null, so its type is not published."""
    type: Text = UNSET
    """`Type`: string, "I" in the example."""
    discount_percent: Number = UNSET
    """`DiscountPercent`: number, 0 in the example."""
    unit: Text = UNSET
    """`Unit`: string, "kpl" in the example."""
    vat_type: Text = UNSET
    """`VatType`: string, "N" in the example."""
    currency: Text = UNSET
    """`Currency`: string, "EUR" in the example."""
    start_date: Day = UNSET
    """`StartDate`: date, "2022-01-20" in the example."""
    end_date: Day = UNSET
    """`EndDate`: date, "2022-01-20" in the example."""
    buyer_article_id: Text = UNSET
    """`BuyerArticleId`: string, shown as the word "string"."""
    ean_code: Text = UNSET
    """`EanCode`: string, shown as the word "string"."""
    serial_number: Text = UNSET
    """`SerialNumber`: string, shown as the word "string"."""
    delivery_identifier: Text = UNSET
    """`DeliveryIdentifier`: string, shown as the word "string"."""
    delivery_date: Day = UNSET
    """`DeliveryDate`: date, "2022-01-20" in the example."""
    manufacturer_order_id: Text = UNSET
    """`ManufacturerOrderId`: string, shown as the word "string"."""
    meter_nbr: Text = UNSET
    """`MeterNbr`: string, shown as the word "string"."""
    meter_start_value: Text = UNSET
    """`MeterStartValue`: string, shown as the word "string"."""
    meter_end_value: Text = UNSET
    """`MeterEndValue`: string, shown as the word "string"."""
    meter_time_period: Text = UNSET
    """`MeterTimePeriod`: string, shown as the word "string"."""

    @classmethod
    def from_net(
        cls,
        price: Given,
        vat_percent: Given,
        *,
        quantity: Given = 1,
        discount: Given | None = None,
        discount_percent: Given | None = None,
        vat_reason: str | None = None,
        **fields: Any,
    ) -> Self:
        """A row from a unit price without tax: `nto` is the row's sum, `tax` is on it, `total` is both.

        The row's sum is quantity × price less the discount, rounded half up to two decimals; so is the tax. `price` and
        `quantity` may have more decimals. `discount` is an amount off the row, `discount_percent` 0 to 100: give one.
        `vat_percent` is not looked up: whether a rate is a Finnish one is for the rules. `vat_reason`, required at 0 %,
        goes into `text`, which may be given instead. `fields` are the other fields by their Python names:
        `description=`, `unit=`, ...

        Raises TypeError for a float, or a field that is unknown or computed; ValueError for what is no finite number,
        two discounts, a discount of more than two decimals or 100 %, a rate below 0, and 0 % without a reason.
        """
        reason = fields.pop("text", None) if vat_reason is None else vat_reason
        given = _given(price, vat_percent, quantity, discount, discount_percent, reason)
        nto = row_sum(given["qty"], given["price"], given["discount"], given["discount_percent"])
        tax = tax_of_net(nto, given["vat_percent"])
        return cls(**given, nto=nto, tax=tax, round=_ZERO, total=added((nto, tax)), **fields)

    @classmethod
    def from_gross(
        cls,
        price: Given,
        vat_percent: Given,
        *,
        quantity: Given = 1,
        discount: Given | None = None,
        discount_percent: Given | None = None,
        vat_reason: str | None = None,
        **fields: Any,
    ) -> Self:
        """A row from a unit price with tax: `total` is the row's sum, `tax` is what it holds, `nto` is the rest.

        So the total is what was asked for: one in five cannot be had from a net of two decimals at 25.5 %. Arguments
        and errors as in `from_net`.
        """
        reason = fields.pop("text", None) if vat_reason is None else vat_reason
        given = _given(price, vat_percent, quantity, discount, discount_percent, reason)
        total = row_sum(given["qty"], given["price"], given["discount"], given["discount_percent"])
        tax = tax_in_gross(total, given["vat_percent"])
        return cls(**given, nto=added((total, negated(tax))), tax=tax, round=_ZERO, total=total, **fields)


def _given(
    price: Given,
    vat_percent: Given,
    quantity: Given,
    discount: Given | None,
    discount_percent: Given | None,
    vat_reason: str | None,
) -> dict[str, Any]:
    """The fields of a row that are not computed."""
    given: dict[str, Any] = {
        "qty": exact(quantity, "quantity"),
        "price": exact(price, "price"),
        "vat_percent": exact(vat_percent, "vat_percent"),
        "discount": exact(0 if discount is None else discount, "discount"),
        "discount_percent": exact(0 if discount_percent is None else discount_percent, "discount_percent"),
    }
    if discount is not None and discount_percent is not None:
        raise ValueError("give discount or discount_percent, not both")
    if cents(given["discount"]) is None:
        raise ValueError("discount has more than two decimals")
    if not 0 <= given["discount_percent"] <= 100:
        raise ValueError("discount_percent is not between 0 and 100")
    if vat_reason is not None:
        given["text"] = vat_reason
    if not given["vat_percent"] and not (vat_reason or "").strip():
        raise ValueError("0 % VAT needs a vat_reason: the ground of the exemption stands on the invoice")
    return given


class SalesInvoice(_Wire):
    """One sales invoice: 73 published keys. Amounts in the invoice's currency, exact decimals.

    `invoice_number` is what the API, the outcomes and the ledger know an invoice by.
    """

    invoice_number: Whole = UNSET
    """`InvoiceNumber`: whole number, 251600002 in the example."""
    status: Text = UNSET
    """`Status`: string, "H" in the example."""
    invoice_date: Day = UNSET
    """`InvoiceDate`: date, "2022-01-20" in the example."""
    due_date: Day = UNSET
    """`DueDate`: date, "2022-02-04" in the example."""
    sales_reference: Open = UNSET
    """`SalesReference`: shown as null, so its type is not published."""
    buyers_reference: Open = UNSET
    """`BuyersReference`: shown as null, so its type is not published."""
    order_identifier: Text = UNSET
    """`OrderIdentifier`: string, shown as the word "string"."""
    order_date: Moment = UNSET
    """`OrderDate`: date-time with Z, "2019-08-24T14:15:22.123Z" in the example."""
    agreement_identifier: Text = UNSET
    """`AgreementIdentifier`: string, shown as the word "string"."""
    payment_terms_code: Whole = UNSET
    """`PaymentTermsCode`: whole number, 14 in the example."""
    invoice_language: Text = UNSET
    """`InvoiceLanguage`: string, "FI" in the example."""
    currency: Text = UNSET
    """`Currency`: string, "EUR" in the example."""
    net_amount: Number = UNSET
    """`NetAmount`: number, 76 in the example."""
    disc_amount: Number = UNSET
    """`DiscAmount`: number, 0 in the example."""
    round_amount: Number = UNSET
    """`RoundAmount`: number, 0 in the example."""
    tax_amount: Number = UNSET
    """`TaxAmount`: number, 24 in the example."""
    total_amount: Number = UNSET
    """`TotalAmount`: number, 100 in the example."""
    reference: Text = UNSET
    """`Reference`: string, "2516000017" in the example."""
    description: Open = UNSET
    """`Description`: shown as null, so its type is not published."""
    sales_name: Text = UNSET
    """`SalesName`: string."""
    sales_name2: Text = UNSET
    """`SalesName2`: shown as null; its numbered siblings are strings."""
    sales_street_address: Text = UNSET
    """`SalesStreetAddress`: string."""
    sales_street_address2: Text = UNSET
    """`SalesStreetAddress2`: shown as null; its numbered siblings are strings."""
    sales_postal_code: Text = UNSET
    """`SalesPostalCode`: string."""
    sales_city: Text = UNSET
    """`SalesCity`: string."""
    sales_country: Text = UNSET
    """`SalesCountry`: string, "FI" in the example."""
    sales_type: Text = UNSET
    """`SalesType`: string, "H" in the example."""
    sales_customer_code: Text = UNSET
    """`SalesCustomerCode`: string."""
    sales_identifier: Open = UNSET
    """`SalesIdentifier`: shown as null, so its type is not published."""
    sales_email: Text = UNSET
    """`SalesEmail`: string."""
    sales_phone: Text = UNSET
    """`SalesPhone`: string."""
    invoice_type: Text = UNSET
    """`InvoiceType`: string, "I" in the example."""
    interest_type: Text = UNSET
    """`InterestType`: string, "V" in the example."""
    interest_number: Number = UNSET
    """`InterestNumber`: number, 8 in the example."""
    virtual_bank_barcode: Open = UNSET
    """`VirtualBankBarcode`: shown as null, so its type is not published."""
    delivery_type: Text = UNSET
    """`DeliveryType`: string, "E" in the example."""
    payment_type: Text = UNSET
    """`PaymentType`: string, shown as the word "string"."""
    issue_date: Moment = UNSET
    """`IssueDate`: date-time with Z, "2019-08-24T14:15:22.123Z" in the example."""
    finvoice_version: Text = UNSET
    """`FinvoiceVersion`: string, "2.01" in the example."""
    finvoice_specification: Text = UNSET
    """`FinvoiceSpecification`: string, "B2C" in the example."""
    finvoice_account: Open = UNSET
    """`FinvoiceAccount`: shown as null, so its type is not published."""
    finvoice_ovt: Open = UNSET
    """`FinvoiceOVT`: shown as null, so its type is not published."""
    auto_advancement: Whole = UNSET
    """`AutoAdvancement`: whole number, 1 in the example."""
    invoice_copy_url: Text = UNSET
    """`InvoiceCopyUrl`: string."""
    billing_name1: Text = UNSET
    """`BillingName1`: string."""
    billing_name2: Text = UNSET
    """`BillingName2`: string."""
    billing_street_addr1: Text = UNSET
    """`BillingStreetAddr1`: string."""
    billing_street_addr2: Text = UNSET
    """`BillingStreetAddr2`: string."""
    billing_street_addr3: Text = UNSET
    """`BillingStreetAddr3`: string."""
    billing_postal_code: Text = UNSET
    """`BillingPostalCode`: string, "00100" in the example."""
    billing_city: Text = UNSET
    """`BillingCity`: string, "HELSINKI" in the example."""
    billing_country: Text = UNSET
    """`BillingCountry`: string, "FI" in the example."""
    billing_email_address: Text = UNSET
    """`BillingEmailAddress`: string, "laskutus@example.com" in the example."""
    delivery_name: Text = UNSET
    """`DeliveryName`: string."""
    delivery_name2: Text = UNSET
    """`DeliveryName2`: string."""
    delivery_street_addr1: Text = UNSET
    """`DeliveryStreetAddr1`: string."""
    delivery_street_addr2: Text = UNSET
    """`DeliveryStreetAddr2`: string."""
    delivery_street_addr3: Text = UNSET
    """`DeliveryStreetAddr3`: shown as null; its numbered siblings are strings."""
    delivery_postal_code: Text = UNSET
    """`DeliveryPostalCode`: string, "00100" in the example."""
    delivery_city: Text = UNSET
    """`DeliveryCity`: string, "HELSINKI" in the example."""
    delivery_country: Text = UNSET
    """`DeliveryCountry`: string, "FI" in the example."""
    extended_field1: Text = UNSET
    """`ExtendedField1`: string, shown as the word "string"."""
    extended_field2: Text = UNSET
    """`ExtendedField2`: string, shown as the word "string"."""
    extended_field3: Text = UNSET
    """`ExtendedField3`: string, shown as the word "string"."""
    extended_field4: Text = UNSET
    """`ExtendedField4`: string, shown as the word "string"."""
    extended_field5: Text = UNSET
    """`ExtendedField5`: string, shown as the word "string"."""
    extended_field6: Text = UNSET
    """`ExtendedField6`: string, shown as the word "string"."""
    extended_field7: Text = UNSET
    """`ExtendedField7`: string, shown as the word "string"."""
    extended_field8: Text = UNSET
    """`ExtendedField8`: string, shown as the word "string"."""
    extended_field9: Text = UNSET
    """`ExtendedField9`: string, shown as the word "string"."""
    extended_field10: Text = UNSET
    """`ExtendedField10`: string, shown as the word "string"."""
    credited_invoice_information: Text = UNSET
    """`CreditedInvoiceInformation`: string, shown as the word "string"."""
    invoice_rows: list[InvoiceRow] | None | UnsetType = UNSET
    """`InvoiceRows`: array of rows."""

    def __repr__(self) -> str:
        """The number and nothing else: see `_Wire.__repr__`."""
        return f"SalesInvoice(invoice_number={self.invoice_number!r})"

    def with_totals(self) -> Self:
        """A copy whose NetAmount, TaxAmount, RoundAmount and TotalAmount add up its rows' Nto, Tax, Round and Total.

        A row of text, which has none of these, is left out; where a row's Nto holds the tax, its net is without it.
        DiscAmount stays as it is. Raises ValueError, naming the wire path, when a row lacks Nto, Tax or Total, or no
        row has any; TypeError when one is a float.
        """
        rows = [sums for place, row in enumerate(self.invoice_rows or ()) if (sums := _sums(row, place))]
        if not rows:
            raise ValueError("InvoiceRows: there is no row with amounts")
        net, tax, rounded, total = map(added, zip(*rows, strict=True))
        return msgspec.structs.replace(self, net_amount=net, tax_amount=tax, round_amount=rounded, total_amount=total)


def _sums(row: InvoiceRow, place: int) -> list[Decimal]:
    """Nto, Tax, Round and Total of a row; nothing for a row of text."""
    amounts = {f"InvoiceRows[{place}].{wire_name(name)}": getattr(row, name) for name in _AMOUNTS}
    missing = [path for path, amount in amounts.items() if amount is None or amount is UNSET]
    if len(missing) == len(amounts):
        return []
    for path in missing:
        if not path.endswith(".Round"):
            raise ValueError(f"{path} is missing")
    nto, tax, rounding, total = (_ZERO if path in missing else exact(amount, path) for path, amount in amounts.items())
    holds_its_tax = added((nto, rounding)) == total != added((nto, tax, rounding))
    return [added((nto, negated(tax))) if holds_its_tax else nto, tax, rounding, total]
