"""`--log-json`: events as lines of JSON on stderr, and nothing else there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from cashin_async.cli import LOG_JSON
from cashin_async.events import COMMAND_BROKE, COMMAND_FAILED, where

log = logging.getLogger(__name__)

_LEVELS = ("debug", "info", "warning", "error")
_BEGUN = f"{__name__}.begun"


def log_options(command: Any) -> Any:
    """`--log-json` and `--log-level`. Neither is a setting: a program configures `logging` itself."""
    level = click.option(
        "--log-level",
        type=click.Choice(_LEVELS),
        expose_value=False,
        callback=_begin,
        help=f"With {LOG_JSON}, from this level on.  [default: info]",
    )
    json = click.option(
        LOG_JSON,
        is_flag=True,
        expose_value=False,
        help="Log what happens as JSON lines on stderr, progress too, and nothing else there.",
    )
    return json(level(command))


def wanted() -> bool:
    """Whether the command that runs logs JSON: then nothing else may go to stderr."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(LOG_JSON))


def _begin(context: click.Context, _: click.Parameter, level: str | None) -> None:
    if not context.meta.get(LOG_JSON):
        if level is not None:
            raise click.BadParameter(f"it is of {LOG_JSON}, which is not given.")
        return
    from cashin_async.report.logs import log_to_stderr

    log_to_stderr(getattr(logging, (level or "info").upper()))
    context.meta[_BEGUN] = True


def _begin_at_last(context: click.Context) -> None:
    """For what ends a command before its options are read."""
    if not context.meta.get(_BEGUN):
        _begin(context, click.Option(["--log-level"]), None)


@contextmanager
def errors_as_events(context: click.Context) -> Iterator[None]:
    """What ends a command is logged, in place of a message or a traceback."""
    try:
        yield
    except click.exceptions.Exit:
        raise
    except Exception as error:
        _begin_at_last(context)
        if isinstance(error, click.ClickException):
            complain(error.format_message(), error.exit_code)
            raise click.exceptions.Exit(error.exit_code) from None
        COMMAND_BROKE.tell(log, error=type(error).__name__, where=where(error))
        raise click.exceptions.Exit(1) from None


def complain(text: str, exit_code: int) -> None:
    """Say why the command ends with this code."""
    if wanted():
        _begin_at_last(click.get_current_context())
        COMMAND_FAILED.tell(log, reason=text, exit_code=exit_code)
    else:
        click.echo(text, err=True)
