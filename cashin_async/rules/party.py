"""Who an invoice is for, and where it goes."""

from collections.abc import Container

from cashin_async.models.invoice import SalesInvoice
from cashin_async.rules.finding import Finding
from cashin_async.rules.identity import (
    is_business_id_shaped,
    is_personal_code_shaped,
    is_test_person,
    problem_of_business_id,
    problem_of_personal_code,
    shape_of_business_id,
)

FINLAND = "FI"
_FIVE_DIGITS = 5
_OVT = "0037"


def is_consumer(invoice: SalesInvoice) -> bool:
    """By the one published value of FinvoiceSpecification, or by a personal code."""
    identifier = invoice.sales_identifier
    return invoice.finvoice_specification == "B2C" or (type(identifier) is str and is_personal_code_shaped(identifier))


def is_business(invoice: SalesInvoice) -> bool:
    """By what the published B2C stands against, or by a business ID."""
    identifier = invoice.sales_identifier
    return invoice.finvoice_specification == "B2B" or (type(identifier) is str and is_business_id_shaped(identifier))


def check_identifier(invoice: SalesInvoice, found: list[Finding]) -> None:
    identifier = invoice.sales_identifier
    if not identifier or type(identifier) is not str:
        return
    if is_personal_code_shaped(identifier):
        if invoice.sales_country == FINLAND:
            _check_personal_code(identifier, found)
    elif (invoice.sales_country == FINLAND or not is_business_id_shaped(identifier)) and (
        problem := problem_of_business_id(identifier)
    ):
        found.append(Finding("business-id", "SalesIdentifier", problem))


def _check_personal_code(code: str, found: list[Finding]) -> None:
    if problem := problem_of_personal_code(code):
        found.append(Finding("personal-code", "SalesIdentifier", problem))
    elif is_test_person(code):
        found.append(Finding("test-person", "SalesIdentifier", "is the code of a test person"))


def check_einvoice_address(invoice: SalesInvoice, found: list[Finding], *, operators: Container[object]) -> None:
    account, ovt = invoice.finvoice_account, invoice.finvoice_ovt
    if not account and not ovt:
        return
    for field, text in (("FinvoiceAccount", account), ("FinvoiceOVT", ovt)):
        if isinstance(text, str) and text.startswith(_OVT) and (problem := _problem_of_ovt(text)):
            found.append(Finding("business-id", field, problem))
    if not account or not ovt:
        given, missing = ("FinvoiceAccount", "FinvoiceOVT") if account else ("FinvoiceOVT", "FinvoiceAccount")
        found.append(Finding("einvoice-address", missing, f"is missing, while {given} is there"))
    elif not any(_is_known(text, operators) for text in (account, ovt)):
        found.append(Finding("operator", "FinvoiceOVT", "neither it nor FinvoiceAccount is a known intermediator"))


def _problem_of_ovt(text: str) -> str | None:
    if shape_of_business_id(text) is None:
        return "an OVT code is 0037, eight digits and up to five letters or digits more"
    return problem_of_business_id(text)


def _is_known(address: object, operators: Container[object]) -> bool:
    """A bank's code may end in XXX, its head office."""
    return address in operators or (isinstance(address, str) and address.removesuffix("XXX") in operators)


def check_postal_codes(invoice: SalesInvoice, found: list[Finding]) -> None:
    if invoice.sales_country == FINLAND:
        _check_postal_code("SalesPostalCode", invoice.sales_postal_code, found)
    if invoice.billing_country == FINLAND:
        _check_postal_code("BillingPostalCode", invoice.billing_postal_code, found)
    if invoice.delivery_country == FINLAND:
        _check_postal_code("DeliveryPostalCode", invoice.delivery_postal_code, found)


def _check_postal_code(field: str, code: object, found: list[Finding]) -> None:
    if code and not (isinstance(code, str) and len(code) == _FIVE_DIGITS and code.isascii() and code.isdigit()):
        found.append(Finding("postal-code", field, "is not five digits"))
