"""The page of the rules, made from their catalogue so that it cannot drift.

    python -m cashin_async.report.rules > docs/rules.md

What is written by hand stands at the top, the rest is of `cashin_async.rules.catalogue`.
"""

import sys
from collections.abc import Iterable

from cashin_async.rules import RULES, Rule, Severity

COMMAND = "python -m cashin_async.report.rules > docs/rules.md"

_INTRODUCTION = """\
# The rules

The vendor says that the sender alone answers for an invoice's data: a wrong sum can reach the debtor. So each invoice
is checked before it is sent.

- An **error** is a national rule or plain arithmetic that is broken. Such an invoice is wrong whatever its fields are
  used for.
- A **warning** rests on something that the vendor has not published, or on something that may be meant.

No field is asked for on its own but the number, since which ones are required is not published; some are asked for by
what is there, as a credit note is to say what it credits. No message shows a personal value: it tells the field, the
rule and the invoice's number.

## On the command line

```sh
cashin-async check invoices.jsonl                       # every rule, nothing is sent
cashin-async check invoices.jsonl --json                # a problem a line, the counts on the last one
cashin-async check --explain vat-date                   # what a rule is, a right and a wrong example
cashin-async check invoices.jsonl --rule vat-date=off   # or =warning, or =error
```

`check` needs neither key nor address. It exits with 0 when there is no error, with 1 when there is one, with 2 when an
input cannot be read to its end. Beside the rules it tells of that (`unreadable`), and of a number that stands again
with other content (`conflict`): neither can be switched off.

## Before sending

| `rules` | what becomes of an invoice with an error | default of |
|---|---|---|
| `enforce` | it is `invalid` and not sent: mend it | `cashin-async upload` |
| `warn` | it is sent; the problems are counted in `UploadReport.broken_rules` and told in the log | the library |
| `off` | it is sent, nobody looks | |

Warnings keep nothing back. `type` and `number` hold in each of the three: what has not the published types is
`invalid`. The mode is `--rules`, `CASHIN_RULES`, `Settings(rules=...)`, or `rules=` of `create` and `upload`.

## Switching

A rule is switched off, or graded as warning or error, by its code: with `--rule CODE=off` of `check` and `upload`,
which may be given several times; for good with `CASHIN_RULE_SEVERITIES="postal-code=off, credit-note=error"`, the same
as `Settings(rule_severities=...)`; in Python with a `RuleSet`, which `CashIn(..., rule_set=...)` takes too.

| `RuleSet(...)` | |
|---|---|
| `severities` | by the rule's code: `"error"`, `"warning"` or `"off"` |
| `own` | rules of your own, see below |
| `iban` | the creditor's account, which bar codes are compared with; also `CASHIN_CREDITOR_IBAN` |
| `reference_rates` | the reference rates of the Interest Act, by the first day of each half-year |
| `operators` | the e-invoice intermediators that are known |
| `allow_unknown_fields` | let names pass that are not published |

## Rules of your own

A rule of your own is a function from a `SalesInvoice` to `Problem`s. It gets the whole invoice with exact decimals, and
the number is filled in for it. Its code can be switched like any other. When it raises, that is a problem of its own,
and the other invoices go on. It is not asked about what has not the published types.

```python
from collections.abc import Iterator

from cashin_async import Problem, RuleSet, SalesInvoice, rules


def customer_code(invoice: SalesInvoice) -> Iterator[Problem]:
    if not invoice.sales_customer_code:
        severity = rules.Severity.ERROR
        yield Problem(rule="customer-code", field="SalesCustomerCode", severity=severity, message="is missing")


ours = RuleSet(severities={"postal-code": "off"}, own=[customer_code], iban="FI37 1590 3000 0007 76")
invoice = {"InvoiceNumber": 251600001, "Reference": "2516000017", "SalesPostalCode": "6510", "SalesCountry": "FI"}

for problem in rules.check(invoice, ours):
    print(f"{problem.severity} in {problem.invoice_number}, {problem.field}: {problem.message} ({problem.rule})")
```

```text
error in 251600001, Reference: check digit is 7, 3 would be right (reference)
error in 251600001, SalesCustomerCode: is missing (customer-code)
```

How to make invoices that break none: [Building correct invoices](building.md).
"""


def rules_page() -> str:
    """docs/rules.md: what rules are, how they are switched, and each of them."""
    kinds = (("Errors", Severity.ERROR), ("Warnings", Severity.WARNING))
    parts = [_INTRODUCTION, _table(RULES.values())]
    for heading, severity in kinds:
        parts += [f"## {heading}\n", *(_section(rule) for rule in RULES.values() if rule.severity is severity)]
    return "\n".join(parts)


def _table(rules: Iterable[Rule]) -> str:
    rows = [f"| [`{rule.code}`](#{rule.code}) | {rule.severity} | {_cell(rule.summary)} |" for rule in rules]
    return "\n".join(["## All of them\n", "| rule | severity | |", "|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _section(rule: Rule) -> str:
    other = Severity.WARNING if rule.severity is Severity.ERROR else Severity.ERROR
    paragraphs = [
        f"### `{rule.code}`",
        rule.summary,
        rule.detail,
        f"Source: {rule.source}.",
        f"Right:\n\n```json\n{rule.right}\n```",
        f"Wrong:\n\n```json\n{rule.wrong}\n```",
        f"To switch it: `--rule {rule.code}=off` or `--rule {rule.code}={other}`.",
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(rules_page().encode())
