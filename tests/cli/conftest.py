"""The command line as people and scripts run it: a process of its own, against a server on a real port."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cashin_async.simulator.background import BackgroundSimulator

KEY = "Zxqkey-1a2b3c"
"""Must never be printed."""
MARKER = "Zxqmarker"
"""A personal value: must never be printed."""
COUNTS = ("accepted", "rejected", "invalid", "duplicate", "unknown", "unsent")
PATIENCE = 15.0
"""Seconds after which a process hangs."""

LOOK_UP = ("--lookup-path", "/simulator/invoices/{InvoiceNumber}")
"""Where every simulator shows what it has."""

CLOSED = "closed"
"""For `stdin`: as `<&-` of a shell."""

_MAIN = "from cashin_async.cli import main; main()"


def peak_of(process: int) -> int:
    """The most memory that a process ever had, in kilobytes; 0 when it has ended.

    `ru_maxrss` would count the memory of the test process, from which the child was forked.
    """
    with suppress(OSError), open(f"/proc/{process}/status") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    return 0


@contextmanager
def server(*faults: str) -> Iterator[BackgroundSimulator]:
    """A simulator in a thread of the test, so that its books can be looked into."""
    with BackgroundSimulator(faults=faults, keep_invoices=False) as simulator:
        yield simulator


def invoice(number: int, rest: str = "") -> bytes:
    """A line with a name in it that must not get out."""
    return f'{{"InvoiceNumber":{number},"SalesName":"{MARKER}","TotalAmount":100.10{rest}}}'.encode()


def environment(url: str | None = None, **variables: str | None) -> dict[str, str]:
    """This process' variables without those that would change the outcome; None removes one."""
    unwanted = ("CASHIN_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "PYTHON", "COVERAGE")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
    given: dict[str, str | None] = {"CASHIN_API_KEY": KEY, "CASHIN_BASE_URL": url, "TERM": "xterm-256color"}
    return {**kept, **{name: value for name, value in {**given, **variables}.items() if value is not None}}


@dataclass(frozen=True)
class Done:
    """A process that ended."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int
    """The most memory it had, in megabytes."""

    @property
    def json(self) -> dict[str, Any]:
        """The last line of its stdout; its counts add up."""
        counts: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        assert sum(counts[name] for name in COUNTS) == counts["read"]
        return counts

    @property
    def counts(self) -> dict[str, int]:
        """Those of the six counts that are not 0."""
        return {name: self.json[name] for name in COUNTS if self.json[name]}


class Running:
    """A process under way. What it writes goes to files, so that it never waits for a reader."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, folder: Path, argv: tuple[str | bytes | Path, ...], env: Mapping[str, str], stdin: Any) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._started = time.monotonic()
        prefix = ["/bin/sh", "-c", 'exec "$@" <&-', "sh"] if stdin == CLOSED else []
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-c", _MAIN, *argv],
                stdin=subprocess.DEVNULL if stdin == CLOSED else stdin,
                stdout=out,
                stderr=err,
                env=env,
                cwd=folder,
            )

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    @property
    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self._started

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait for something that the process brings about."""
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"waited in vain; stdout: {self.out!r}, stderr: {self.err!r}"
            assert self.process.poll() is None, f"it ended; stdout: {self.out!r}, stderr: {self.err!r}"
            time.sleep(0.005)

    def ends(self, within: float = PATIENCE) -> Done:
        """Its end. No process ever shows a traceback, the key, or a value of an invoice."""
        end, peak = time.monotonic() + within, 0
        while (code := self.process.poll()) is None:
            peak = max(peak, peak_of(self.process.pid))
            if time.monotonic() > end:
                self.stop()
                pytest.fail(f"still running after {within} s; stdout: {self.out!r}, stderr: {self.err!r}")
            time.sleep(0.01)
        done = Done(code, self.out, self.err, self.seconds, peak // 1024)
        for text in (done.out, done.err):
            assert "Traceback" not in text
            assert "Unclosed" not in text
            assert KEY not in text
            assert MARKER not in text
        return done

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class CommandLine:
    """Runs `cashin-async` with the key, and with the address when there is one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._count = 0

    def start(
        self, *argv: str | bytes | Path, url: str | None = None, stdin: Any = subprocess.DEVNULL, **variables: Any
    ) -> Running:
        self._count += 1
        folder = self.folder / f"process{self._count}"
        folder.mkdir()
        running = Running(folder, argv, environment(url, **variables), stdin)
        self._stack.callback(running.stop)
        return running

    def run(
        self, *argv: str | bytes | Path, url: str | None = None, stdin: Any = subprocess.DEVNULL, **variables: Any
    ) -> Done:
        return self.start(*argv, url=url, stdin=stdin, **variables).ends()

    def upload(self, simulator: BackgroundSimulator, *argv: str | bytes | Path, **options: Any) -> Done:
        """`upload`, for its counts alone."""
        return self.run("upload", *argv, "--quiet", "--json", url=simulator.url, **options)

    def status(self, *argv: str | Path, **options: Any) -> Any:
        """What `status --json` prints. It needs no key."""
        done = self.run("status", *argv, "--json", **{"CASHIN_API_KEY": None, **options})
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)

    def file(self, *lines: bytes, name: str = "invoices.jsonl") -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    def invoices(self, count: int, first: int = 1) -> Path:
        return self.file(*map(invoice, range(first, first + count)), name=f"{first}-{count}.jsonl")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where ledgers go that nobody names a place for: never the home of whoever runs the tests."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    return home / "state" / "cashin-async"


@pytest.fixture
def cashin(tmp_path: Path) -> Iterator[CommandLine]:
    with ExitStack() as stack:
        yield CommandLine(tmp_path, stack)
