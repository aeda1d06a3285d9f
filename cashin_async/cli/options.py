"""Options that are settings, and the ledger that they mean."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import click

from cashin_async.cli import candidates
from cashin_async.cli.process import Refused
from cashin_async.settings import Environment, Settings

OWN_DEFAULTS = {"rules": "enforce"}
"""Those of the command line, where they differ from the library's."""
_DEFAULTS = {item.name: item.default for item in fields(Settings)} | OWN_DEFAULTS

Decorator = Callable[[Any], Any]


def setting(option: str, name: str, kind: Any, text: str, **more: Any) -> Decorator:
    """An option that is a setting: unset, the environment variable or the default of `Settings` holds.

    `more`: what else click is to know of it.
    """
    default = _DEFAULTS[name]
    shown = "" if default in (None, "") else f"  [default: {default}]"
    return click.option(option, name, type=kind, default=None, help=text + shown, **more)


def flag(option: str, name: str, text: str) -> Decorator:
    """The same for a setting that is switched on."""
    return click.option(option, name, is_flag=True, default=None, help=text)


def naming_its_setting(error: click.NoSuchOption) -> click.NoSuchOption:
    """The same error; where what is no option of a command is a setting, it says how that is set."""
    name = error.option_name.removeprefix("--").replace("-", "_")
    if name not in _DEFAULTS:
        return error
    message = f"No such option here: {error.option_name}. It is a setting: CASHIN_{name.upper()}"
    return click.NoSuchOption(error.option_name, message, ctx=error.ctx)


def together(*decorators: Decorator) -> Decorator:
    """Several options in this order, for more than one command."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


account = together(
    setting("--base-url", "base_url", str, "Where the API is (CASHIN_BASE_URL). http:// for loopback only."),
    setting("--environment", "environment", click.Choice(list(map(str, Environment))), "Instead of --base-url."),
    setting("--creditor", "creditor", str, "The creditor's label: each has a ledger of its own."),
)
look_up = together(
    setting(
        "--lookup-path",
        "lookup_path",
        str,
        "Settles what is unknown: where the API shows one invoice, as in /v2/.../{InvoiceNumber}.",
    ),
    setting("--settle-after", "settle_after", float, "Seconds after which it counts that it shows none."),
)
lang = setting(
    "--lang", "report_lang", click.Choice(["fi", "en"]), "The report's first language; the other one is in it too."
)
connection = together(
    setting("--proxy", "proxy", str, "An http:// or https:// proxy; unset: HTTPS_PROXY."),
    setting("--ca-file", "ca_file", click.Path(), "PEM file of the certificate authorities to trust."),
)


def check_ending(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    """A path whose ending says in what form a report is to be written."""
    from cashin_async.report.html import ENDINGS, ending_of

    if path is not None and ending_of(path) is None:
        raise click.BadParameter(f"{path!r} does not end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    return path


def _checked_severities(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> str:
    from cashin_async.errors import ConfigurationError
    from cashin_async.rules import RuleSet, severities_of

    for one in given:
        try:
            RuleSet(severities=severities_of(one))
        except ConfigurationError as error:
            raise click.BadParameter(f"{error}.") from None
    return ", ".join(given)


rule_severities = click.option(
    "--rule",
    "severities",
    metavar="CODE=off|warning|error",
    multiple=True,
    shell_complete=candidates.severities,
    callback=_checked_severities,
    help="Switch or re-grade a rule. May be given several times; wins over CASHIN_RULE_SEVERITIES.",
)


def with_severities(settings: Settings, severities: str) -> Settings:
    """The settings with what `--rule` says behind what they say: the last word counts."""
    return replace(settings, rule_severities=", ".join(filter(None, (settings.rule_severities, severities))))


def ledger_named(ledger: str | None, options: dict[str, Any]) -> str:
    """The ledger that a command's argument names, else the one that its settings mean."""
    from cashin_async.ledger.place import NONE, place_named

    place = ledger_of(Settings.load(**options)) if ledger is None else place_named(ledger)
    if place == NONE:
        what = "the setting ledger" if ledger is None else "LEDGER"
        raise Refused(f"{what} is none: name a LEDGER (./none is a file of that name)")
    return place


def ledger_of(settings: Settings) -> str:
    """The ledger that the settings name, or the account's usual one; or `none`."""
    from cashin_async.ledger.place import place_of, usual_place

    if settings.ledger is not None:
        return place_of(settings, None)
    try:
        return usual_place(settings)
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}: name another place for the ledger (--ledger)") from None
