"""The rules as a user wants them: switched, re-graded, and with rules of the user's own."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property, partial
from typing import Any, Literal, cast

import msgspec

from cashin_async.errors import ConfigurationError, InvalidInvoice
from cashin_async.models.invoice import SalesInvoice
from cashin_async.models.wire import encode_mapping, encode_to_check, number_of, well_formed
from cashin_async.rules.account import problem_of_iban
from cashin_async.rules.amounts import check_amounts
from cashin_async.rules.catalogue import RULES
from cashin_async.rules.finding import Check, Finding
from cashin_async.rules.identity import OPERATORS
from cashin_async.rules.party import check_einvoice_address, check_identifier, check_postal_codes
from cashin_async.rules.payment import (
    check_accounts,
    check_barcode,
    check_number,
    check_reference,
)
from cashin_async.rules.problem import Problem, Severity
from cashin_async.rules.reading import Written, read, read_in_parts, read_strictly, read_whole
from cashin_async.rules.schedule import check_credit_note, check_dates, check_interest
from cashin_async.rules.tax import check_vat
from cashin_async.rules.terms import REFERENCE_RATES, consumer_interest_limits

OwnRule = Callable[[SalesInvoice], Iterable[Problem]]
"""A rule of the user's: yields what is wrong. `invoice_number` is filled in where it is None."""

OFF = "off"
Level = Severity | Literal["error", "warning", "off"]

_CHECKS: tuple[tuple[Check, frozenset[str]], ...] = (
    (check_number, frozenset({"number"})),
    (check_reference, frozenset({"reference", "reference-spaces"})),
    (check_accounts, frozenset({"iban", "account-luhn"})),
    (check_identifier, frozenset({"business-id", "personal-code", "test-person"})),
    (check_postal_codes, frozenset({"postal-code"})),
    (check_amounts, frozenset({"sum-row", "sum-invoice", "sum-net"})),
    (check_vat, frozenset({"vat-rate", "vat-date", "vat-reason"})),
    (check_dates, frozenset({"due-before-issued", "payment-terms", "consumer-terms", "business-terms"})),
    (check_credit_note, frozenset({"credit-note"})),
)
"""Each check with the rules that it looks at: it is left out when all of them are off."""


def severities_of(text: str) -> dict[str, Level]:
    """The severities as a setting has them: "postal-code=off, credit-note=error". Raises `ConfigurationError`."""
    pairs = [pair.split("=") for pair in text.split(",") if pair.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ConfigurationError("rule severities are CODE=off, CODE=warning or CODE=error, with commas between")
    return {code.strip(): cast(Level, level.strip()) for code, level in pairs}


@dataclass(frozen=True)
class RuleSet:
    """The rules to check by. Unset, every rule with its own severity.

        RuleSet(severities={"postal-code": "off", "credit-note": "error"}, own=[my_rule])

    Raises `ConfigurationError` for a rule that does not exist, and for an `iban` that is none.
    """

    severities: Mapping[str, Level] = field(default_factory=dict)
    """By the rule's code: "error", "warning" or "off". Codes of `own` rules too."""
    own: Sequence[OwnRule] = ()
    iban: str | None = field(default=None, repr=False)
    """The creditor's account, which bar codes are compared with."""
    reference_rates: Mapping[date, Decimal] = field(default_factory=lambda: REFERENCE_RATES, repr=False)
    """The reference rate of the Interest Act, in per cent, by the first day of its half-year."""
    operators: Collection[str] = field(default=frozenset(OPERATORS), repr=False)
    """The addresses of the e-invoice intermediators that are known."""
    allow_unknown_fields: bool = False
    """Let names pass that are not published."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "severities", dict(self.severities))
        object.__setattr__(self, "own", tuple(self.own))
        object.__setattr__(self, "reference_rates", dict(self.reference_rates))  # the default cannot be pickled
        _ = self._checks, self._levels

    # -- checking

    def check(self, invoice: Written) -> list[Problem]:
        """What is wrong with an invoice: a struct, a dict of the published names, or the bytes of its JSON."""
        try:
            if isinstance(invoice, SalesInvoice):  # it may be built of anything: what would travel is judged
                data = encode_to_check(invoice)
                return self._judge(read_strictly(data), lambda: read_whole(data, False))
            if isinstance(invoice, Mapping):
                _, data = encode_mapping(invoice, self.allow_unknown_fields)
                return self.inspect(data)
            if not isinstance(invoice, bytes | bytearray | memoryview):
                what = f"is a {type(invoice).__name__}, not a SalesInvoice, a dict or bytes"
                return self._graded([Finding("type", None, what)], None)
            data = bytes(invoice)
            number_of(data, self.allow_unknown_fields)
        except (InvalidInvoice, msgspec.MsgspecError, TypeError):  # the last: a struct whose rows are a number, say
            return self.explain(invoice)
        return self.inspect(data)

    def inspect(self, data: bytes) -> list[Problem]:
        """The same for the JSON of one invoice that is known to have the published names and types.

        Raises `msgspec.MsgspecError` if it has not.
        """
        try:
            return self._judge(read(data), lambda: read_whole(data, self.allow_unknown_fields))
        except RecursionError:  # a field that is not published may hold anything
            return self._graded([Finding("type", None, "is nested too deeply")], None)

    def explain(self, invoice: Written) -> list[Problem]:
        """The same for one that may be anything: what is wrong with its types, and by the rules with what is right."""
        readable, found = read_in_parts(invoice, self.allow_unknown_fields)
        if readable is None:
            return self._graded(found, None)
        for check in self._checks:
            if check is not check_number or all(finding.rule != "number" for finding in found):
                check(readable, found)
        return self._graded(found, readable.invoice_number)

    def _judge(self, invoice: SalesInvoice, whole: Callable[[], SalesInvoice]) -> list[Problem]:
        found: list[Finding] = []
        for check in self._checks:
            check(invoice, found)
        if not found and not self.own:
            return []
        problems = self._graded(found, invoice.invoice_number)
        if self.own:
            problems += self._by_own_rules(whole())
        return problems

    def _graded(self, found: Iterable[Finding], number: Any) -> list[Problem]:
        levels, number = self._levels, number if type(number) is int else None
        return [
            Problem(invoice_number=number, field=field, rule=rule, severity=level, message=message)
            for rule, field, message in found
            if (level := levels[rule]) is not None
        ]

    def _by_own_rules(self, invoice: SalesInvoice) -> Iterator[Problem]:
        number = invoice.invoice_number if type(invoice.invoice_number) is int else None
        for rule in self.own:
            try:
                for problem in rule(invoice):
                    level = self._levels.get(problem.rule, Severity(problem.severity))
                    if level is not None:
                        yield _completed(problem, number, level)
            except Exception as error:  # the user's own: it must not cost the other invoices
                name = getattr(rule, "__name__", type(rule).__name__)
                message = f"the rule itself raised {type(error).__name__}"
                if (level := self._levels.get(name, Severity.ERROR)) is not None:
                    yield Problem(invoice_number=number, rule=name, severity=level, message=message)

    # -- what is switched how

    @cached_property
    def _levels(self) -> dict[str, Severity | None]:
        """None: it is off."""
        levels: dict[str, Severity | None] = {code: rule.severity for code, rule in RULES.items()}
        for code, level in self.severities.items():
            if code not in RULES and not self.own:
                close = get_close_matches(code, RULES, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(RULES)}"
                raise ConfigurationError(f"there is no rule {code!r}: {hint}")
            if level not in (*Severity, OFF):
                raise ConfigurationError(f"the severity of rule {code} must be error, warning or off")
            levels[code] = None if level == OFF else Severity(level)
        return levels

    @cached_property
    def _checks(self) -> tuple[Check, ...]:
        """Those that look at a rule which is not off."""
        on = {code for code, level in self._levels.items() if level is not None}
        return tuple(check for check, codes in (*_CHECKS, *self._knowing()) if codes & on)

    def _knowing(self) -> Iterator[tuple[Check, frozenset[str]]]:
        """The checks that need to know something."""
        codes = frozenset({"business-id", "einvoice-address", "operator"})
        yield partial(check_einvoice_address, operators=self.operators), codes
        limits = consumer_interest_limits(self.reference_rates)
        yield partial(check_interest, limits=limits), frozenset({"consumer-interest"})
        codes = frozenset({"barcode", "barcode-account", "iban", "account-luhn"})
        yield partial(check_barcode, iban=self._iban), codes

    @cached_property
    def _iban(self) -> str | None:
        if self.iban is None:
            return None
        if problem := problem_of_iban(self.iban):
            raise ConfigurationError(f"the creditor's account: {problem}")
        return self.iban.replace(" ", "")


def _completed(problem: Problem, number: int | None, level: Severity) -> Problem:
    """What a rule of the user's says of the invoice with `number`; its texts may quote what no encoding has."""
    return msgspec.structs.replace(
        problem,
        invoice_number=number if problem.invoice_number is None else problem.invoice_number,
        severity=level,
        field=problem.field and well_formed(problem.field),
        rule=well_formed(problem.rule),
        message=well_formed(problem.message),
    )
