"""The files that a command reads: names, and patterns where no shell has expanded them."""

import glob
import os
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

import click

from cashin_async.cli import candidates
from cashin_async.cli.options import setting, together
from cashin_async.settings import Settings

_pattern = re.compile(r"[*?]|\[[^]]+\]")  # a bracket that nothing closes is one of a name


def expanded(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """The files that are meant, in the order given; those of one pattern sorted by name.

    A name of a file that is there is that file, whatever characters it has. One that is named twice is read twice.
    """
    return tuple(name for one in given for name in _files(one))


def _files(given: str) -> Iterator[str]:
    if given == "-" or os.path.lexists(given) or not _pattern.search(given):
        yield given
        return
    found = sorted(name for name in glob.glob(given, recursive=True) if not os.path.isdir(name))
    if not found:
        raise click.BadParameter(f"{given!r}: no file has a name like that.")  # unquoted it could steer the terminal
    yield from found


input_files = together(
    click.argument(
        "files", nargs=-1, required=True, metavar="FILE...", callback=expanded, shell_complete=candidates.files
    ),
    setting(
        "--input-format",
        "input_format",
        click.Choice(get_args(get_type_hints(Settings)["input_format"])),
        "The form of every FILE; auto: each one's own.",
    ),
    setting(
        "--csv-delimiter",
        "csv_delimiter",
        click.Choice([";", ",", "tab", "|"]),
        "What stands between the cells of CSV: one of ';' ',' '|' or the word tab; unset: found.",
        metavar="MARK",
        shell_complete=candidates.nothing,
    ),
    setting(
        "--csv-decimal",
        "csv_decimal",
        click.Choice([",", "."]),
        "The decimal mark of CSV: ',' or '.'; unset: found.",
        metavar="MARK",
        shell_complete=candidates.nothing,
    ),
    setting("--csv-encoding", "csv_encoding", str, "The encoding of CSV, such as latin-1; unset: found."),
)
