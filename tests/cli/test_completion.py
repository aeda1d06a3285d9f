"""Completion, asked for as the shells do: bash and zsh by somebody who types, fish by its own question."""

import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cashin_async.cli import COMMANDS
from cashin_async.cli.completion import SHELLS, VARIABLE
from cashin_async.rules import RULES
from cashin_async.simulator.kinds import KINDS
from tests.cli.conftest import PATIENCE, CommandLine, environment

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
TAB = "\t"

IN_BASH = {
    "a command": ("up" + TAB, "cashin-async upload "),
    "an option": ("upload --chunk-s" + TAB, "cashin-async upload --chunk-size "),
    "a choice": ("upload --rules en" + TAB, "--rules enforce "),
    "a choice behind =": ("upload --rules=en" + TAB, "--rules=enforce "),
    "a rule": ("check --explain posta" + TAB, "--explain postal-code "),
    "a rule to be switched": ("check --rule posta" + TAB, "--rule postal-code="),
    "its severity": ("check --rule postal-code=o" + TAB, "--rule postal-code=off "),
    "a fault": ("simulator --fault drop-a" + TAB, "--fault drop-after "),
    "a file": ("upload invo" + TAB, "cashin-async upload invoices.jsonl "),
    "a file behind an option": ("upload --ledger invo" + TAB, "--ledger invoices.jsonl "),
    "a file behind =": ("upload --ledger=invo" + TAB, "--ledger=invoices.jsonl "),
    "a shell": ("completion f" + TAB, "cashin-async completion fish "),
}


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, folder: Path, *argv: str) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 200))  # a line that is broken would be told in two parts
        env = environment(PATH=PATH, PS1="> ", TERM="dumb", HOME=str(folder), PROMPT="> ", HISTFILE=None)
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=folder, close_fds=True
        )
        os.close(slave)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def shows(self, text: str) -> bool:
        """Whether `text` comes up in what was not looked at before."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return False
            self.seen += os.read(self._master, 65536).decode(errors="replace").replace("\a", "")
        self.seen = self.seen.partition(text)[2]
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@contextmanager
def terminal(folder: Path, *argv: str) -> Iterator[Terminal]:
    (folder / "invoices.jsonl").touch()
    opened = Terminal(folder, *argv)
    try:
        yield opened
    finally:
        opened.close()


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


def test_bash(tmp_path: Path) -> None:
    with terminal(tmp_path, shell("bash"), "--norc", "--noprofile", "-i") as bash:
        bash.type('eval "$(cashin-async completion bash)"; echo rea""dy\n')
        assert bash.shows("ready"), bash.seen
        for what, (typed, completed) in IN_BASH.items():
            bash.type(f"cashin-async {typed}")
            assert bash.shows(completed), f"{what}: {bash.seen}"
            bash.type("\x15")  # clears the line


def test_zsh(tmp_path: Path) -> None:
    with terminal(tmp_path, shell("zsh"), "-f", "-i") as zsh:
        zsh.type('autoload -U compinit; compinit -u -D; eval "$(cashin-async completion zsh)"; echo rea""dy\n')
        assert zsh.shows("ready"), zsh.seen
        for what in ("a command", "an option", "a choice", "a rule", "its severity", "a fault", "a file"):
            typed, completed = IN_BASH[what]
            zsh.type(f"cashin-async {typed}")
            assert zsh.shows(completed.strip()[-8:]), f"{what}: {zsh.seen}"
            zsh.type("\x15")


def test_fish(tmp_path: Path) -> None:
    fish, env = shell("fish"), environment(PATH=PATH, HOME=str(tmp_path))
    (tmp_path / "invoices.jsonl").touch()
    for what in ("a command", "an option", "a choice", "a rule", "its severity", "a fault", "a file"):
        typed, completed = IN_BASH[what]
        question = f"cashin-async completion fish | source; complete --do-complete 'cashin-async {typed.strip()}'"
        done = subprocess.run([fish, "-c", question], env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
        proposed = [line.partition("\t")[0] for line in done.stdout.splitlines()]
        assert completed.split()[-1] in proposed, what


def proposed(*words: str) -> list[str]:
    """What bash is told for the last of these words."""
    asked = {"COMP_WORDS": "\n".join(["cashin-async", *words]), "COMP_CWORD": str(len(words))}
    command = [sys.executable, "-c", "from cashin_async.cli import main; main(prog_name='cashin-async')"]
    env = environment(**asked, **{VARIABLE: "bash_complete"})
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_everything_that_there_is_is_proposed() -> None:
    assert proposed("") == list(COMMANDS)
    assert {"postal-code", "unreadable"} <= set(proposed("check", "--explain", ""))
    assert proposed("check", "--rule", "") == list(RULES)
    assert proposed("simulator", "--fault", "") == [kind.name for kind in KINDS]
    assert proposed("check", "--rule", "no-such-rule") == []


@pytest.mark.parametrize("option", ["--csv-delimiter", "--csv-decimal"])
def test_no_punctuation_is_proposed_that_a_shell_would_lose_or_run(option: str) -> None:
    assert proposed("check", option, "") == []


def test_commands_are_proposed_without_loading_one() -> None:
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from cashin_async.cli import main; main(prog_name='cashin-async')"
    )
    env = environment(COMP_WORDS="cashin-async\nup", COMP_CWORD="1", **{VARIABLE: "bash_complete"})
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "plain,upload\n"
    assert not set(done.stderr.split()) & {"cashin_async.settings", "msgspec", "asyncio", "aiohttp", "rich"}


@pytest.mark.parametrize("name", SHELLS)
def test_the_script_is_printed(cashin: CommandLine, name: str) -> None:
    done = cashin.run("completion", name)
    assert (done.code, done.err) == (0, "")
    assert f"{VARIABLE}={name}_complete" in done.out


def test_a_shell_that_is_not_known(cashin: CommandLine) -> None:
    done = cashin.run("completion", "csh")
    assert done.code == 2
    assert "bash" in done.err
