"""A page run as its reader would run it: in a folder of its own, block by block, with a server to talk to."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from cashin_async.models.wire import encode
from cashin_async.simulator.background import BackgroundSimulator
from cashin_async.simulator.samples import sample_invoices
from tests.docs.pages import Block, Kind

LOOKUP_PATH = "/v2/.../{InvoiceNumber}"
"""The vendor's is not published. This is how the pages write it, and the server of a page answers there."""
SAMPLES = 20
"""Invoices in the file `invoices.jsonl`, which a reader is taken to have."""
SHOWN_PORT = "8765"
SHOWN_HOME = "/home/maija"
PATIENCE = 60.0
"""Seconds after which a block hangs."""

_PYTEST = (
    "python -m pytest -q -W error -p no:cacheprovider --rootdir ."
    " -p no:schemathesis -p no:hypothesispytest"  # no part in an example, and a second to load
)
_SIMULATOR = re.compile(r"\bcashin-async simulator\b(?! --port)")
_VARYING = [
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r"\b[\d,]+ invoices/s"), "N invoices/s"),
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?( [A-Z]+)?"), "TIME"),
    (re.compile(r"\d+ requests \(\d+ again, \d+ at once\)"), "N requests (N again, N at once)"),
    (re.compile(r"\bprocess \d+"), "process N"),
    (re.compile(r'"(seconds|invoices_per_second|max_in_flight)": ?[\d.]+'), r'"\1": N'),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"^(=+ .*? in) .*? =+$|in \d+\.\d+s$", re.MULTILINE), "in N s"),
]
"""What differs from run to run, and what is compared in its place."""


def settled(printed: str) -> str:
    """`printed` without what differs from run to run."""
    for pattern, word in _VARYING:
        printed = pattern.sub(word, printed)
    return printed.strip("\n")


def fits(shown: str, printed: str) -> bool:
    """Whether `printed` is what a page shows; a line `...` there stands for any lines."""
    parts = re.split(r"^\.\.\.$", settled(shown), flags=re.MULTILINE)
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, settled(printed), re.DOTALL) is not None


class Failed(AssertionError):
    """A block does not do what its page says."""


@dataclass
class Session:
    """Runs the blocks of one page, in order."""

    tmp: Path
    own_server: bool
    """Whether the page starts the simulator by itself, and says which variables to set."""
    printed: dict[Block, str] = field(default_factory=dict)
    """What stands in the page where something is printed, and what was printed."""

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self._home = self.tmp / "home"
        self._folder = self._home / "invoices"
        self._state = self.tmp / "state.sh"
        self._terminals: dict[str, subprocess.Popen[bytes]] = {}
        self._last = ""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        lines = [encode(invoice) + b"\n" for invoice in sample_invoices(SAMPLES)]
        (self._folder / "invoices.jsonl").write_bytes(b"".join(lines))
        self._port = _free_port()
        variables = {}
        if not self.own_server:
            simulator = BackgroundSimulator(port=self._port, lookup_path=LOOKUP_PATH)
            self._stack.enter_context(simulator)
            variables = {"CASHIN_BASE_URL": simulator.url, "CASHIN_API_KEY": "anything"}
        self._environment = {**_environment(self._home), **variables}
        self._state.write_text(f"cd '{self._folder}'\n")
        (self.tmp / "pytest.ini").write_text(
            "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for title in list(self._terminals):
            self._end(title)
        self._stack.close()

    def run(self, block: Block) -> None:
        """What becomes of a block. Raises `Failed`."""
        match block.kind:
            case Kind.SCRIPT:
                self._run(block, f"python -W error {self._script(block)}")
            case Kind.TESTS:
                self._run(block, f"{_PYTEST} -c {self.tmp}/pytest.ini {self._script(block)}")
            case Kind.SHELL:
                self._run(block, self._put_port(block.content))
            case Kind.TERMINAL:
                self._begin(block)
            case Kind.FILE:
                path = self._folder / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self._put_port(block.content), encoding="utf-8")
            case Kind.READ:
                _READERS[block.language](block.content)
            case Kind.PRINTED:
                self.printed[block] = self._last

    def _script(self, block: Block) -> Path:
        path = self._folder / f"test_line_{block.lines[0]}.py"
        path.write_text(self._put_port(block.content), encoding="utf-8")
        return path

    def _run(self, block: Block, script: str) -> None:
        remember = f"export -p > '{self._state}'; echo \"cd '$PWD'\" >> '{self._state}'"
        whole = f"set -eu -o pipefail; . '{self._state}'\n{script}\n{remember}\n"
        process = subprocess.Popen(
            ["bash", "-c", whole],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = (self._as_shown(text.decode()) for text in process.communicate(timeout=PATIENCE))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failed(f"{block.place}: did not end within {PATIENCE:g} s:\n{block.content}") from None
        if process.returncode or "Traceback (most recent call last)" in err:
            raise Failed(f"{block.place}: exit code {process.returncode}\n{block.content}\n{out}\n{err}")
        self._last = out or err

    def _begin(self, block: Block) -> None:
        """A server in a terminal of its own: it has begun when it has said something."""
        self._end(block.title)
        log = self.tmp / f"line-{block.lines[0]}.log"
        script = f"set -eu; . '{self._state}'\n{self._put_port(block.content)}"
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"trap 'exit 130' INT\n{script}"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._terminals[block.title] = process
        over = time.monotonic() + PATIENCE
        while not log.read_bytes().endswith(b"\n"):
            if process.poll() is not None or time.monotonic() > over:
                raise Failed(f"{block.place}: said nothing, exit code {process.poll()}")
            time.sleep(0.02)
        self._last = self._as_shown(log.read_text())

    def _end(self, title: str) -> None:
        """Ctrl-C in a terminal."""
        process = self._terminals.pop(title, None)
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Failed(f"{title}: did not end on Ctrl-C") from None

    def _put_port(self, text: str) -> str:
        text = _SIMULATOR.sub(f"cashin-async simulator --port {self._port}", text)
        return text.replace(SHOWN_PORT, str(self._port))

    def _as_shown(self, printed: str) -> str:
        printed = printed.replace("\r\n", "\n").replace(str(self._home), SHOWN_HOME)
        return printed.replace(str(self._port), SHOWN_PORT)


def _read_csv(text: str) -> None:
    """Raises `ValueError` unless all lines have as many cells as the first."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    widths = {len(cells) for cells in csv.reader(text.splitlines(), delimiter=delimiter)}
    if len(widths) != 1:
        raise ValueError(f"lines of {sorted(widths)} cells")


_READERS: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads, "csv": _read_csv}


def _environment(home: Path) -> dict[str, str]:
    """This process' variables without those that would change what is printed."""
    unwanted = (
        "CASHIN_",
        "XDG_",
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR",
        "PYTHON",
        "COVERAGE",
        "PYTEST",
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**kept, "PATH": path, "HOME": str(home), "COLUMNS": "88", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _free_port() -> int:
    """One with five digits that is free now, and in nobody's text by chance."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def run_page(blocks: list[Block], tmp: Path) -> dict[Block, str]:
    """Run a page. Gives what was printed where the page shows it. Raises `Failed`."""
    own_server = any(block.kind is Kind.TERMINAL and "cashin-async simulator" in block.content for block in blocks)
    with Session(tmp, own_server) as session:
        for block in blocks:
            session.run(block)
        return session.printed
