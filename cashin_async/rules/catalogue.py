"""Every rule there is: its code, how much it weighs, where it comes from, a right and a wrong example.

The examples are parts of an invoice as it travels; put into a correct invoice, the wrong one breaks this rule and no
other. The documentation and `cashin-async check --explain` are made from this table.
"""

from dataclasses import dataclass

from cashin_async.rules.problem import Severity

_GUIDES = "Finance Finland: guides on the reference number and on the international (RF) reference, ISO 11649"
_BARCODE = "Finance Finland: Bank Bar Code Guide 5.3"
_ARITHMETIC = "Arithmetic; EN 16931: totals are exact after rounding"
_VAT = "Government bills HE 61/2024, HE 141/2024, HE 93/2025; the VAT Act (1501/1993) as in force before"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked at, and why."""

    code: str
    """Stable: what `RuleSet.severities`, reports and `--explain` call it."""
    severity: Severity
    """Unless `RuleSet.severities` says otherwise."""
    summary: str
    """One sentence."""
    detail: str
    source: str
    right: str
    """A part of a correct invoice, JSON."""
    wrong: str
    """The same, breaking the rule."""


def _error(code: str, summary: str, source: str, right: str, wrong: str, detail: str = "") -> Rule:
    return Rule(code, Severity.ERROR, summary, detail, source, right, wrong)


def _warning(code: str, summary: str, source: str, right: str, wrong: str, detail: str = "") -> Rule:
    return Rule(code, Severity.WARNING, summary, detail, source, right, wrong)


_ALL = (
    _error(
        "number",
        "InvoiceNumber is a whole number above 0.",
        'The vendor\'s page "Create an invoice"; the API, the outcomes and the ledger know an invoice by it',
        '{"InvoiceNumber": 251600002}',
        '{"InvoiceNumber": 0}',
        "It is at most 2^63 - 1, which is what databases can store.",
    ),
    _error(
        "type",
        "Every field has the JSON type of the published example, and every name is a published one.",
        'The vendor\'s page "Create an invoice"',
        '{"TotalAmount": 125.50}',
        '{"TotalAmount": "125,50"}',
        "Names that are not published are let pass with --allow-unknown-fields (allow_unknown_fields).",
    ),
    _error(
        "reference",
        "Reference is a Finnish reference with the right check digit, in the national or the RF form.",
        _GUIDES,
        '{"Reference": "2516000013"}',
        '{"Reference": "2516000017"}',
        "4 to 20 digits, the last one completes the sum by the weights 7, 3, 1 from the right to the next ten. The RF "
        "form passes mod 97 and holds a valid national reference. Spaces that group the digits are not counted.",
    ),
    _error(
        "barcode",
        "VirtualBankBarcode has 54 digits and says the same amount, reference and due date as the invoice.",
        _BARCODE,
        '{"VirtualBankBarcode": "437159030000007760001255000000000000002516000013260217"}',
        '{"VirtualBankBarcode": "437159030000007760001256000000000000002516000013260217"}',
        "Version 4 with a national reference, version 5 with an RF one. 00000000 stands for no amount, 000000 for no "
        "date. There is none above 999,999.99 euros: it is left out then.",
    ),
    _error(
        "iban",
        "An account passes mod 97, and a Finnish one has 18 characters.",
        "ISO 13616; Finance Finland: IBAN guide",
        '{"FinvoiceAccount": "FI2112345600000785", "FinvoiceOVT": "OKOYFIHH"}',
        '{"FinvoiceAccount": "FI2212345600000785", "FinvoiceOVT": "OKOYFIHH"}',
        "Looked at: the account in VirtualBankBarcode, and FinvoiceAccount and FinvoiceOVT when they hold one.",
    ),
    _error(
        "business-id",
        "A Finnish business ID has the right check digit, also inside a VAT number or an OVT code.",
        "Decree 598/1991; TIEKE: OVT guide",
        '{"SalesIdentifier": "2332748-7"}',
        '{"SalesIdentifier": "2332748-8"}',
        "Looked at in SalesIdentifier (1234567-1, when SalesCountry is FI; FI12345671; 003712345671), and in "
        "FinvoiceOVT and FinvoiceAccount when they hold an OVT code: 0037, eight digits, up to five more: 12 to 17.",
    ),
    _error(
        "personal-code",
        "A Finnish personal identity code has the right check character, a day that exists, and a sign of the century.",
        "Digital and Population Data Services Agency, reform of 2023",
        '{"SalesIdentifier": "131052A308T"}',
        '{"SalesIdentifier": "131052A308U"}',
        "Looked at in SalesIdentifier when it has that shape and SalesCountry is FI. The sign (+, -, A to F, U to Y) "
        "is never replaced by another one: it tells two people apart.",
    ),
    _error(
        "sum-row",
        "In a row, Total = Nto + Tax + Round to the cent, and Tax is within 0.01 of the rate on the net.",
        _ARITHMETIC,
        '{"InvoiceRows": [{"VatPercent": 25.5, "Nto": 100, "Tax": 25.5, "Round": 0, "Total": 125.5}]}',
        '{"InvoiceRows": [{"VatPercent": 25.5, "Nto": 100, "Tax": 25.5, "Round": 0, "Total": 125.51}]}',
        "Sums have at most two decimals, prices may have more. Whether Nto holds the tax is not published: a row where "
        "Total = Nto + Round and Tax is the tax in it is right too.",
    ),
    _error(
        "sum-invoice",
        "NetAmount + TaxAmount + RoundAmount = TotalAmount and TaxAmount is the sum of the rows' Tax, to the cent.",
        _ARITHMETIC,
        '{"NetAmount": 100, "TaxAmount": 25.5, "RoundAmount": 0, "TotalAmount": 125.5}',
        '{"NetAmount": 100, "TaxAmount": 25.5, "RoundAmount": 0, "TotalAmount": 125.49}',
        "RoundAmount is less than 1, and no sum has more than two decimals.",
    ),
    _error(
        "vat-rate",
        "VatPercent is a rate that was in force in Finland at some time.",
        _VAT,
        '{"InvoiceRows": [{"VatPercent": 24, "Nto": 100, "Tax": 24, "Total": 124, "DeliveryDate": "2022-01-20"}], '
        '"TaxAmount": 24, "TotalAmount": 124}',
        '{"InvoiceRows": [{"VatPercent": 19, "Nto": 100, "Tax": 19, "Total": 119}], "TaxAmount": 19, '
        '"TotalAmount": 119}',
    ),
    _error(
        "due-before-issued",
        "DueDate is not before InvoiceDate.",
        "Arithmetic",
        '{"InvoiceDate": "2026-02-03", "DueDate": "2026-02-17"}',
        '{"InvoiceDate": "2026-02-03", "DueDate": "2026-02-02"}',
    ),
    _warning(
        "reference-spaces",
        "Reference has no spaces: those that group its digits are for print.",
        _GUIDES,
        '{"Reference": "2516000013"}',
        '{"Reference": "25160 00013"}',
    ),
    _warning(
        "barcode-account",
        "The account in VirtualBankBarcode is the creditor's.",
        _BARCODE,
        '{"VirtualBankBarcode": "437159030000007760001255000000000000002516000013260217"}',
        '{"VirtualBankBarcode": "421123456000007850001255000000000000002516000013260217"}',
        "Looked at when the creditor's account is given: RuleSet(iban=...), CASHIN_CREDITOR_IBAN.",
    ),
    _warning(
        "account-luhn",
        "A Finnish account has the right check digit of its own, inside the IBAN.",
        "Finance Finland: account numbers; published IBANs exist that fail it",
        '{"FinvoiceAccount": "FI2112345600000785", "FinvoiceOVT": "OKOYFIHH"}',
        '{"FinvoiceAccount": "FI4250001510000023", "FinvoiceOVT": "OKOYFIHH"}',
        "Luhn's check over the 14 digits after FI and the IBAN's check digits.",
    ),
    _warning(
        "test-person",
        "SalesIdentifier is not one of a test person: individual numbers from 900 to 999 are for tests.",
        "Digital and Population Data Services Agency",
        '{"SalesIdentifier": "131052A308T"}',
        '{"SalesIdentifier": "010594Y9032"}',
    ),
    _warning(
        "einvoice-address",
        "An e-invoice address has its intermediator, and the other way round.",
        "TIEKE: e-invoice addresses; which of FinvoiceAccount and FinvoiceOVT holds which is not published",
        '{"FinvoiceAccount": "003723327487", "FinvoiceOVT": "OKOYFIHH"}',
        '{"FinvoiceAccount": "003723327487", "FinvoiceOVT": null}',
    ),
    _warning(
        "operator",
        "The intermediator of an e-invoice address is one that is known.",
        "TIEKE's list of e-invoice intermediators",
        '{"FinvoiceAccount": "003723327487", "FinvoiceOVT": "OKOYFIHH"}',
        '{"FinvoiceAccount": "TE00372332", "FinvoiceOVT": "OKOYFIHX"}',
        "Which field holds it is not published, so one of the two is to be known. The list here is not complete.",
    ),
    _warning(
        "postal-code",
        "A Finnish postal code has five digits.",
        "Posti; a bad one blocks dispatch and payment monitoring at the vendor",
        '{"SalesPostalCode": "65100", "SalesCountry": "FI"}',
        '{"SalesPostalCode": "6510", "SalesCountry": "FI"}',
        "Looked at in SalesPostalCode, BillingPostalCode and DeliveryPostalCode where the country beside it is FI.",
    ),
    _warning(
        "sum-net",
        "NetAmount is what the rows' Nto add up to.",
        "Arithmetic; a warning, since what DiscAmount and Nto hold is not published",
        '{"NetAmount": 100}',
        '{"NetAmount": 99.99, "RoundAmount": 0.01}',
        "With or without DiscAmount taken off; where the rows' Nto holds the tax, without it. With a DiscAmount, "
        "TaxAmount is compared here too.",
    ),
    _warning(
        "vat-date",
        "VatPercent was in force on the day of supply, and all through the period that a row is for.",
        _VAT,
        '{"InvoiceRows": [{"VatPercent": 25.5, "DeliveryDate": "2026-02-01"}]}',
        '{"InvoiceRows": [{"VatPercent": 25.5, "DeliveryDate": "2024-08-31"}]}',
        "The day of supply is the row's DeliveryDate, else its EndDate, else InvoiceDate.",
    ),
    _warning(
        "vat-reason",
        "A row with 0 % VAT says why.",
        "The VAT Act (1501/1993), section 209e: the ground of an exemption is on the invoice; where is not published",
        '{"InvoiceRows": [{"VatPercent": 0, "Nto": 100, "Tax": 0, "Total": 100, "Text": "AVL 72 a §"}], '
        '"TaxAmount": 0, "TotalAmount": 100}',
        '{"InvoiceRows": [{"VatPercent": 0, "Nto": 100, "Tax": 0, "Total": 100, "Text": null}], '
        '"TaxAmount": 0, "TotalAmount": 100}',
        "In the row's Text or the invoice's Description.",
    ),
    _warning(
        "payment-terms",
        "PaymentTermsCode is the days from InvoiceDate to DueDate.",
        "Arithmetic; a warning, since what the code means is not published",
        '{"InvoiceDate": "2026-02-03", "DueDate": "2026-02-17", "PaymentTermsCode": 14}',
        '{"InvoiceDate": "2026-02-03", "DueDate": "2026-02-17", "PaymentTermsCode": 21}',
    ),
    _warning(
        "consumer-terms",
        "A consumer has at least 14 days to pay.",
        "Act 385/2015",
        '{"FinvoiceSpecification": "B2C", "InvoiceDate": "2026-02-03", "DueDate": "2026-02-17", '
        '"PaymentTermsCode": 14}',
        '{"FinvoiceSpecification": "B2C", "InvoiceDate": "2026-02-03", "DueDate": "2026-02-16", '
        '"PaymentTermsCode": 13}',
        "A consumer: FinvoiceSpecification is B2C, or SalesIdentifier is a personal identity code.",
    ),
    _warning(
        "business-terms",
        "A business pays within 30 days.",
        "Act 385/2015: longer terms are to be agreed upon expressly",
        '{"FinvoiceSpecification": "B2B", "InvoiceDate": "2026-02-03", "DueDate": "2026-03-05", '
        '"PaymentTermsCode": 30}',
        '{"FinvoiceSpecification": "B2B", "InvoiceDate": "2026-02-03", "DueDate": "2026-03-06", '
        '"PaymentTermsCode": 31}',
        "A business: FinvoiceSpecification is B2B, or SalesIdentifier is a business ID.",
    ),
    _warning(
        "consumer-interest",
        "A consumer's penalty interest is at most the reference rate and 7 points.",
        "Interest Act (633/1982), section 4; Bank of Finland: reference rates",
        '{"FinvoiceSpecification": "B2C", "InterestNumber": 9.5}',
        '{"FinvoiceSpecification": "B2C", "InterestNumber": 10}',
        "By the reference rate of the half-year of DueDate (else InvoiceDate), where it is known: "
        "RuleSet(reference_rates=...).",
    ),
    _warning(
        "credit-note",
        "A credit note names the invoice that it credits.",
        "EN 16931: preceding invoice reference; a warning, since which InvoiceType is a credit note is not published",
        '{"InvoiceRows": [{"Nto": -100, "Tax": -25.5, "Total": -125.5}], "NetAmount": -100, "TaxAmount": -25.5, '
        '"TotalAmount": -125.5, "CreditedInvoiceInformation": "251600001"}',
        '{"InvoiceRows": [{"Nto": -100, "Tax": -25.5, "Total": -125.5}], "NetAmount": -100, "TaxAmount": -25.5, '
        '"TotalAmount": -125.5, "CreditedInvoiceInformation": null}',
        "An invoice whose TotalAmount is below 0, without CreditedInvoiceInformation.",
    ),
)

RULES = {rule.code: rule for rule in _ALL}
"""Every rule by its code, errors first."""
