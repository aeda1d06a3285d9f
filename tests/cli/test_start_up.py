"""What `cashin-async --help` says of the commands, and that it waits for none of them."""

import re
import subprocess
import sys

import click
import pytest

from cashin_async.cli import COMMANDS, FIRST_STEPS, main
from tests.cli.conftest import CommandLine

CONTEXT = click.Context(main, info_name="cashin-async")

LEAVING_A_LIST = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"


def loaded_by(*argv: str) -> set[str]:
    """The modules that a process has at its end."""
    code = f"{LEAVING_A_LIST}; from cashin_async.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("argv", [("--help",), ("-h",)])
def test_the_help_loads_no_command(argv: tuple[str, ...]) -> None:
    loaded = loaded_by(*argv)
    assert {name for name in loaded if name.startswith("cashin_async")} == {"cashin_async", "cashin_async.cli"}
    slow = {"aiohttp", "anyio", "asyncio", "importlib.metadata", "msgspec", "platformdirs", "rich", "sqlite3", "ssl"}
    assert loaded & slow == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_no_transport(command: str) -> None:
    loaded = loaded_by(command, "--help")
    assert f"cashin_async.cli.{command}" in loaded
    assert {f"cashin_async.cli.{other}" for other in COMMANDS if other != command} & loaded == set()
    assert loaded & {"aiohttp", "rich", "sqlite3", "cashin_async.client"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = main.get_command(CONTEXT, name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=1000) == COMMANDS[name]
    assert main.get_command(CONTEXT, name) is command


def test_the_table_has_every_command() -> None:
    assert main.list_commands(CONTEXT) == list(COMMANDS)
    assert main.commands.keys() == COMMANDS.keys()
    assert main.get_command(CONTEXT, "nope") is None


def test_the_help(cashin: CommandLine) -> None:
    done = cashin.run("--help")
    assert (done.code, done.err) == (0, "")
    said = " ".join(done.out.split())
    for name, text in COMMANDS.items():
        assert f" {name} {text}" in said
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_command_that_is_misspelt(cashin: CommandLine) -> None:
    done = cashin.run("uplod")
    assert done.code == 2
    assert "uplod" in done.err


def test_the_version(cashin: CommandLine) -> None:
    import cashin_async

    assert cashin.run("--version").out.strip().endswith(cashin_async.__version__)


def test_without_arguments_it_says_what_to_do_first(cashin: CommandLine) -> None:
    """Exit code 2, as wrong usage: a script whose command is an empty variable has done nothing."""
    done = cashin.run()
    assert (done.code, done.out, done.err) == (2, "", FIRST_STEPS)
    assert max(map(len, done.err.splitlines())) < 80
    steps = re.findall(r"^  cashin-async (\w+)", done.err, re.MULTILINE)
    assert steps == ["demo", "doctor", "check", "upload"]
    assert set(steps) <= set(COMMANDS)


def test_the_first_steps_load_no_command() -> None:
    code = f"{LEAVING_A_LIST}; from cashin_async.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {name for name in loaded - loaded_by("--help") if name.startswith("cashin_async")} == set()
