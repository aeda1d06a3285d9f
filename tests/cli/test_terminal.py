"""What people see: one calm view within 80 columns while it runs, and the summary when it has ended."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cashin_async import Progress, State
from cashin_async.report.progress import progress_view
from tests.cli.conftest import KEY, MARKER, CommandLine, environment, invoice, server

COLUMNS = 80
COLOUR = re.compile(r"\x1b\[(\d+;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;\d+)*m")


class Screen:
    """As much of a terminal as the view needs, but as wide as it takes: lines do not wrap."""

    def __init__(self) -> None:
        self.rows = [""]
        self.row = self.column = 0
        self.cursor_shown = True
        self.shown: list[str] = []
        """The screen at each moment before something was erased."""

    def write(self, text: str) -> None:
        for part in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|\x1b.|[^\x1b]", text):
            if part.startswith("\x1b["):
                self._control(part[2:-1], part[-1])
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.row += 1
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif part >= " ":
                row = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = row[: self.column] + part + row[self.column + 1 :]
                self.column += 1

    def _control(self, argument: str, verb: str) -> None:
        if verb == "A":
            self.row = max(0, self.row - int(argument or 1))
        elif verb == "K":
            self.shown.append(self.text)
            self.rows[self.row] = ""
        elif verb in "hl" and argument == "?25":
            self.cursor_shown = verb == "h"
        else:
            assert verb == "m", f"an escape sequence that this screen does not know: {argument}{verb}"

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.rows)

    @property
    def live(self) -> list[str]:
        """The screen each time that the live view was on it."""
        return [text for text in self.shown if "requests in flight" in text]

    @property
    def widest(self) -> int:
        """Columns that the live view took; the ledger's path above it is as long as it is."""
        rows = [row for text in self.live for row in text.splitlines()]
        return max(len(row) for row in rows if not row.startswith("Ledger: "))


class Terminal:
    """A process on a pseudo-terminal of 24 rows and 80 columns."""

    def __init__(self, *argv: str | Path, url: str, stdout: Any = None, **variables: str | None) -> None:
        self.raw = ""
        self.screen = Screen()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from cashin_async.cli import main; main()", *argv],
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env=environment(url, **variables),
        )
        os.close(slave)

    def read(self, until: Callable[[], object] = lambda: False, patience: float = 15.0) -> None:
        """Read on until something is so, or to the end."""
        end = time.monotonic() + patience
        while not until():
            if not select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
                pytest.fail(f"nothing more came: {self.raw!r}")
            try:
                block = os.read(self._master, 65536)
            except OSError:  # how Linux tells that the other side is closed
                return
            if not block:
                return
            text = block.decode()
            self.raw += text
            self.screen.write(text)

    def ends(self) -> int:
        self.read()
        code = self.process.wait(10)
        assert "Traceback" not in self.raw
        assert KEY not in self.raw
        assert MARKER not in self.raw
        return code

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)


def test_a_live_view_and_then_the_summary(cashin: CommandLine) -> None:
    path = cashin.file(*map(invoice, range(1, 5000)), b"broken")
    with server("latency=0.1") as simulator, Terminal("upload", path, url=simulator.url) as terminal:
        assert terminal.ends() == 1
    live = terminal.screen.live
    assert len(live) > 2, "it is drawn again and again"
    assert all(str(state) in live[-1] for state in State)
    assert any(re.search(r"[\d,]+ read, [\d,]+ done, [\d,]+ invoices/s", text) for text in live)
    assert terminal.screen.widest <= COLUMNS
    assert "4,999 of 5,000 invoices are accepted, 1 needs a look." in terminal.screen.text
    assert "in flight" not in terminal.screen.text, "the view leaves nothing behind"
    assert terminal.screen.cursor_shown
    assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_no_colour_when_it_is_not_wanted(cashin: CommandLine, variables: dict[str, str]) -> None:
    path = cashin.invoices(300)
    with server("latency=0.05") as simulator, Terminal("upload", path, url=simulator.url, **variables) as terminal:
        assert terminal.ends() == 0
    assert not COLOUR.search(terminal.raw)
    assert "All 300 invoices are accepted." in terminal.screen.text


def test_large_numbers_and_long_words_fit(cashin: CommandLine) -> None:
    """A hold, an estimate and a reason to stop at once."""
    with server("latency=0.05", "429=30@4+") as simulator:
        path = cashin.invoices(50_000)
        with Terminal("upload", path, "--deadline", "1.2", url=simulator.url) as terminal:
            assert terminal.ends() == 3
    assert any("the server asks to wait" in text for text in terminal.screen.shown)
    assert terminal.screen.widest <= COLUMNS
    assert terminal.screen.text.splitlines()[1].startswith("Stopped: ")


def test_json_on_stdout_while_the_view_is_on_the_terminal(cashin: CommandLine) -> None:
    out, path = cashin.folder / "out", cashin.invoices(2000)
    with (
        server("latency=0.1") as simulator,
        out.open("wb") as stdout,
        Terminal("upload", path, "--json", url=simulator.url, stdout=stdout) as terminal,
    ):
        assert terminal.ends() == 0
    assert len(out.read_text().splitlines()) == 1
    assert out.read_text().startswith('{"read": 2000, "accepted": 2000')
    assert any("in flight" in text for text in terminal.screen.shown)
    assert "All 2,000 invoices are accepted." in terminal.screen.text


def test_an_interrupt(cashin: CommandLine) -> None:
    path = cashin.invoices(50_000)
    with server("latency=0.3") as simulator, Terminal("upload", path, url=simulator.url) as terminal:
        terminal.read(until=lambda: simulator.requests >= 3)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 130
    assert "invoices read are accepted." in terminal.screen.text
    assert "━" not in terminal.screen.text, "the view leaves nothing behind"
    assert "Once more to leave at once." in terminal.screen.text
    assert "requests in flight" not in terminal.screen.text
    assert terminal.screen.cursor_shown


def test_leaving_at_once_gives_the_terminal_back(cashin: CommandLine) -> None:
    path = cashin.invoices(500)
    with server("hang-after@2+") as simulator, Terminal("upload", path, url=simulator.url) as terminal:
        terminal.read(until=lambda: simulator.requests >= 2)
        terminal.process.send_signal(signal.SIGINT)
        terminal.read(until=lambda: "Once more" in terminal.raw)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 130
    assert terminal.screen.cursor_shown, "the shell's cursor is gone"


def test_plain_lines_elsewhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 1000.0
    monkeypatch.setattr("cashin_async.report.progress.time.monotonic", lambda: now)
    state = Progress(
        read=12_000,
        counts={**dict.fromkeys(State, 0), State.ACCEPTED: 9_000, State.UNKNOWN: 100},
        in_flight=8,
        window=8,
        requests=120,
        retries=3,
        held_for=12.4,
        seconds=91.0,
        share_read=0.5,
        stopped="the deadline is [red]over[/red]",
        in_doubt=1_200,
        next_ask=207.6,
    )
    with progress_view(quiet=False) as view:
        for _ in range(100):
            now += 0.25
            view.show(state)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 25 // 5
    assert set(lines) == {
        "12,000 read, 9,000 accepted, 100 unknown, 8 in flight, 100 invoices/s, about 2 min 29 s left,"
        " the server asks to wait: 12 s, 1,200 in doubt, asked again in 208 s,"
        " stopping: the deadline is [red]over[/red]"
    }


def test_plain_lines_of_a_process(cashin: CommandLine) -> None:
    impatient = "from cashin_async.report import progress; progress._LINE_EVERY = 0.3; "
    program = [sys.executable, "-c", f"{impatient}from cashin_async.cli import main; main()"]
    with server("latency=0.1") as simulator:
        done = subprocess.run(
            [*program, "upload", cashin.invoices(5000), "--json"],
            env=environment(simulator.url),
            capture_output=True,
            text=True,
            timeout=15,
            check=True,
        )
    lines = [line for line in done.stderr.splitlines() if "in flight" in line]
    assert lines
    assert all(re.fullmatch(r"[\d,]+ read, .*\d in flight, [\d,]+ invoices/s.*", line) for line in lines)
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
