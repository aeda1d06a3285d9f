"""What a shell proposes where the command line alone cannot know it: files, rules, faults."""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

_SEVERITIES = ("off", "warning", "error")


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders, which the shell knows better; how the command reads the name stays its own affair."""
    return [CompletionItem(incomplete, type="file")]


def nothing(_: click.Context, __: click.Parameter, ___: str) -> list[CompletionItem]:
    """For punctuation: bash would run a bare `;` or `|`, and what the shells are told cannot hold a comma."""
    return []


def rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The codes of the rules, as `--explain` takes them."""
    from cashin_async.report.problems import EXPLAINED

    return _items((code, rule.summary) for code, rule in EXPLAINED.items() if code.startswith(incomplete))


def severities(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """CODE=off and so on, as `--rule` takes them: first the codes; when one is left, what it can be set to."""
    from cashin_async.rules import RULES

    code, equals, _severity = incomplete.partition("=")
    codes = [code] if equals and code in RULES else [one for one in RULES if one.startswith(code) and not equals]
    if len(codes) != 1:
        return _items((one, RULES[one].summary) for one in codes)
    choices = [f"{codes[0]}={severity}" for severity in _SEVERITIES]
    return _items((choice, RULES[codes[0]].summary) for choice in choices if choice.startswith(incomplete))


def faults(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The kinds of faults; what stands behind `=` and `@` is a number."""
    from cashin_async.simulator.kinds import KINDS

    return _items((kind.name, kind.text) for kind in KINDS if kind.name.startswith(incomplete))


def _items(found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(value, help=text) for value, text in found]
