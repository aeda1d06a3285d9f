"""Run a command of this checkout in an environment of its own, which the first run makes.

    python3 run.py COMMAND [ARG...]

    python3 run.py cashin-async demo
    python3 run.py pytest

Needs Python 3.11 or newer and nothing else. The environment is `.venv` beside this file, or where the variable
CASHIN_VENV says. `cashin-async` and `python` get what the package needs at run time, any other command the `dev`
group of pyproject.toml too. When pyproject.toml has changed, the next run installs it again.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

if sys.version_info < (3, 11):  # noqa: UP036 - who starts it with an older one must read why it stops
    sys.exit(f"run.py: needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")

ROOT = Path(__file__).resolve().parent
ENV = Path(os.environ.get("CASHIN_VENV") or ROOT / ".venv").expanduser().absolute()
BIN = ENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = ENV / "run.py.stamp"
"""Taken away first and written last: without it the environment is half made, and made anew."""
RUN_TIME_ONLY = {"cashin-async", "python", "python3"}
BASE = getattr(sys, "_base_executable", sys.executable)
"""Not sys.executable, which may lie in the very environment that is about to be replaced."""


def main(command: list[str]) -> NoReturn:
    if not command or command[0] in ("-h", "--help"):
        print(__doc__, file=sys.stdout if command else sys.stderr)
        sys.exit(0 if command else 2)
    os.environ.pop("PYTHONHOME", None)
    wanted = stamp("run-time" if command[0] in RUN_TIME_ONLY else "dev")
    if not is_made(wanted):
        with alone() as lock:
            if not is_made(wanted):  # not by the one that was waited for either
                make(wanted, lock)
    os.environ["VIRTUAL_ENV"] = str(ENV)
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH") or os.defpath])
    try:
        if os.name == "nt":  # where exec returns to the shell before the command has ended
            sys.exit(subprocess.call(command))
        os.execvp(command[0], command)
    except OSError as problem:
        sys.exit(f"run.py: {command[0]}: {problem.strerror}")


def stamp(group: str) -> list[str]:
    """What the environment was made for. A different first line needs a new one, the others only an installation."""
    content = (ROOT / "pyproject.toml").read_bytes()
    return [f"Python {sys.version_info[0]}.{sys.version_info[1]} {ROOT}", hashlib.sha256(content).hexdigest(), group]


def stamped() -> list[str]:
    try:
        return STAMP.read_text(encoding="utf-8").splitlines() if PYTHON.exists() else []
    except OSError:
        return []


def is_made(wanted: list[str]) -> bool:
    return stamped() in (wanted, [*wanted[:2], "dev"])


@contextlib.contextmanager
def alone() -> Iterator[int]:
    """Hold the folder of the environment against a second run.py; gives the descriptor that holds it."""
    ENV.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield -1
        return
    import fcntl

    lock = os.open(ENV, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another run.py that makes {ENV} ...")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield lock
    finally:
        os.close(lock)


def make(wanted: list[str], lock: int) -> None:
    found = stamped()
    STAMP.unlink(missing_ok=True)
    if found[:1] != wanted[:1]:
        say(f"first run, making {ENV} (about a minute) ...")
        make_empty(lock)
    else:
        say(f"installing into {ENV} what it lacks for this ...")
    pip = (str(PYTHON), "-m", "pip", "install")
    if found[:2] != wanted[:2]:
        do(lock, *pip, "--editable", ".")
    if wanted[2] == "dev":
        do(lock, *pip, "pip>=25.1")  # the first that installs a dependency group
        do(lock, *pip, "--group", "dev")
    STAMP.write_text("\n".join(wanted), encoding="utf-8")


def make_empty(lock: int) -> None:
    """An environment with nothing but pip, also where the distribution packs Python without ensurepip."""
    if "CASHIN_VENV" in os.environ and any(ENV.iterdir()) and not (ENV / "pyvenv.cfg").exists():
        sys.exit(f"run.py: {ENV} (CASHIN_VENV) holds something else than an environment; name an empty folder")
    venv = (BASE, "-m", "venv", "--clear", str(ENV))
    if find_spec("ensurepip"):
        return do(lock, *venv)
    if works(BASE, "-m", "pip", "--python", BASE, "--version"):  # pip has --python since 22.3
        do(lock, *venv, "--without-pip")
        return do(lock, BASE, "-m", "pip", "--python", str(PYTHON), "install", "pip>=25.1")
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    sudo = () if os.geteuid() == 0 else ("sudo", "-n")
    apt = (*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    if not works(*apt, "--version"):
        sys.exit(f"run.py: {BASE} has no ensurepip; on Debian and Ubuntu: sudo apt-get install {package}")
    say(f"this Python has no ensurepip: apt-get update, then apt-get install {package} ...")
    do(lock, *apt, "update")
    do(lock, *apt, "install", "-y", package)
    return do(lock, *venv)


def do(lock: int, *command: str) -> None:
    """One step, quietly. If it fails, show all it said and stop."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[lock] if lock >= 0 else [],  # a step that outlives a killed run.py keeps the others out
    )
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(f"run.py: failed ({done.returncode}): {' '.join(command)}")


def works(*command: str) -> bool:
    try:
        return not subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode
    except OSError:
        return False


def say(message: str) -> None:
    print(f"run.py: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
