"""docs/commands.md, made of what the commands say of themselves: `python -m tests.docs.commands` writes it.

mkdocs-click was looked at: it shows the stand-ins of commands that are loaded late, and click's marks of
absent defaults.
"""

import inspect
from collections.abc import Iterator

import click

from cashin_async.cli import COMMANDS, main
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "commands.md"
COMMAND = "python -m tests.docs.commands"

_INTRODUCTION = """\
# The command line

Every command as its own `--help` tells it. Most options are [settings](settings.md): each can be an environment
variable, `CASHIN_` and its name in capitals, or stand in the file that `CASHIN_CONFIG` names. The key is never an
argument: it comes from `CASHIN_API_KEY`, or from the file that `CASHIN_API_KEY_FILE` names. Exit codes:
[what to do on each](nightly.md#what-to-do-on-each-exit-code).
"""


def commands_page() -> str:
    """The page: the group first, then each command in the order of its help."""
    with click.Context(main, info_name="cashin-async") as group:
        parts = [_INTRODUCTION, *_section("cashin-async", main, group), _contents()]
        for name in COMMANDS:
            command = main.get_command(group, name)
            assert command is not None
            with click.Context(command, parent=group, info_name=name) as context:
                parts += _section(f"cashin-async {name}", command, context)
    return "\n".join(parts)


def _contents() -> str:
    rows = [f"| [`{name}`](#cashin-async-{name}) | {_cell(text)} |" for name, text in COMMANDS.items()]
    return "\n".join(["| command | |", "|---|---|", *rows, ""])


def _section(heading: str, command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {heading}\n\n```text\n{usage}\n```\n"
    for paragraph in _paragraphs(command):
        yield paragraph + "\n"
    options = [option for option in command.params if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    if not records:
        return
    rows = [f"| `{names.replace('|', chr(92) + '|')}` | {_cell(text)} |" for names, text in records]
    yield "\n".join(["| option | |", "|---|---|", *rows, ""])


def _paragraphs(command: click.Command) -> Iterator[str]:
    """The help's text; what is laid out by hand there (behind a `\\b`) stays so when it is indented."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line != "\b"]
        if not any(line.startswith(" ") for line in lines):
            yield _plain(" ".join(lines))
            continue
        shown = "\n".join(line.removeprefix("    ") for line in lines if line.startswith(" "))
        told = [line for line in lines if not line.startswith(" ")]
        place = next(place for place, line in enumerate(lines) if line.startswith(" "))
        before, after = " ".join(told[:place]), " ".join(told[place:])
        yield "\n\n".join(filter(None, [_plain(before), f"```text\n{shown}\n```", _plain(after)]))


def _plain(text: str) -> str:
    """No mark-up where none is meant."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
