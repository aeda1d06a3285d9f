"""What people see: one calm view within 80 columns while it runs, and the summary when it has ended."""

import codecs
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
from tests.screen import Screen, view_starts

COLUMNS = 80
COLOUR = re.compile(r"\x1b\[(\d+;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;\d+)*m")


class Terminal:
    """A process on a pseudo-terminal of 24 rows and 80 columns."""

    def __init__(
        self, *argv: str | Path, url: str, stdout: Any = None, columns: int = COLUMNS, **variables: str | None
    ) -> None:
        self.raw = ""
        self.screen = Screen(columns)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from cashin_async.cli import main; main()", *argv],
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env=environment(url, **variables),
        )
        self.slave = slave

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
            text = self._decoder.decode(block)
            self.raw += text
            self.screen.write(text)

    def resize(self, columns: int) -> None:
        """As when somebody draws the window smaller or larger."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.screen.resize(columns, 24)

    def ends(self) -> int:
        os.close(self.slave)
        self.slave = -1
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
        if self.slave >= 0:
            os.close(self.slave)


def test_a_live_view_and_then_the_summary(cashin: CommandLine) -> None:
    path = cashin.file(*map(invoice, range(1, 5000)), b"broken")
    with server("latency=0.1") as simulator, Terminal("upload", path, url=simulator.url) as terminal:
        assert terminal.ends() == 1
    live = terminal.screen.live
    assert len(live) > 2, "it is drawn again and again"
    assert all(re.search(rf"\b{state}\b", text) for state in State for text in live)
    assert all(re.search(rf"\b{name}\b", live[-1]) for name in ("read", "requests", "window", "now", "overall"))
    assert re.search(r"^━+─* +\d+% +.* (so far|left)$", live[-1], re.MULTILINE)
    assert re.search(r"^last failure: invalid \S+\.jsonl:5000: ", live[-1], re.MULTILINE)
    assert terminal.screen.widest < COLUMNS
    assert len({view_starts(text) for text in live}) == 1, "it does not jump"
    assert "4,999 of 5,000 invoices are accepted, 1 needs a look." in terminal.screen.text
    assert "in flight" not in terminal.screen.text, "the view leaves nothing behind"
    assert terminal.screen.cursor_shown
    assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_other_widths(cashin: CommandLine, columns: int) -> None:
    path = cashin.file(*map(invoice, range(1, 3000)), b"broken", name="laskut-yhtiön-pääkonttorilta-marraskuu.jsonl")
    with server("latency=0.1") as simulator, Terminal("upload", path, url=simulator.url, columns=columns) as terminal:
        assert terminal.ends() == 1
    frames = terminal.screen.shown
    assert any("acce" in text for text in frames)
    heights = {text.count("\n") for text in frames[2:-1]}
    assert len(heights) <= 2, "but for the words in its last rows, it is as high at every moment"
    assert terminal.screen.cursor_shown


def test_a_terminal_that_is_resized(cashin: CommandLine) -> None:
    """The view follows, and nothing of the one before stays in its rows."""
    path = cashin.invoices(30_000)
    with server("latency=0.2") as simulator, Terminal("upload", path, url=simulator.url, columns=78) as terminal:
        terminal.read(until=lambda: len(terminal.screen.live) >= 2)
        terminal.resize(120)
        terminal.read(until=lambda: len(terminal.screen.live) >= 5)
        terminal.resize(45)
        seen = len(terminal.screen.shown)
        terminal.read(until=lambda: len(terminal.screen.shown) >= seen + 3)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 130
    for text in terminal.screen.shown[seen + 1 : seen + 3]:
        assert text.count("accepted") == 1
        assert text.count("overall") == 1
    assert terminal.screen.cursor_shown


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_no_colour_when_it_is_not_wanted(cashin: CommandLine, variables: dict[str, str]) -> None:
    path = cashin.invoices(300)
    with (
        server("latency=0.05") as simulator,
        Terminal("upload", path, url=simulator.url, columns=COLUMNS, **variables) as terminal,
    ):
        assert terminal.ends() == 0
    assert not COLOUR.search(terminal.raw)
    assert "All 300 invoices are accepted." in terminal.screen.text
    assert ("\x1b" in terminal.raw) == ("TERM" not in variables), "nothing at all for what knows no sequences"


def test_large_numbers_and_long_words_fit(cashin: CommandLine) -> None:
    """A hold, an estimate and a reason to stop at once."""
    with server("latency=0.05", "429=30@4+") as simulator:
        path = cashin.invoices(50_000)
        with Terminal("upload", path, "--deadline", "1.2", url=simulator.url) as terminal:
            assert terminal.ends() == 3
    assert any(re.search(r"^the server asks to wait: \d+ s", text, re.MULTILINE) for text in terminal.screen.live)
    assert terminal.screen.widest < COLUMNS
    assert re.search("^Stopped: ", terminal.screen.text, re.MULTILINE)


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
    assert "Once more to leave at once." in " ".join(terminal.screen.text.split())
    assert "overall" not in terminal.screen.text
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
        "12,000 read, 9,000 accepted, 100 unknown, 8 in flight, 100 invoices/s now, 100 overall,"
        " stopping: the deadline is [red]over[/red], the server asks to wait: 12 s,"
        " 1,200 in doubt, asked again in 208 s, 3 requests sent again"
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
    assert all(
        re.fullmatch(r"[\d,]+ read, .*\d in flight, [\d,]+ invoices/s now, [\d,]+ overall.*", line) for line in lines
    )
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr


def test_a_file_that_is_called_a_terminal_gets_lines(cashin: CommandLine) -> None:
    """Build servers set FORCE_COLOR for all that runs there."""
    with server("latency=0.05") as simulator:
        done = cashin.run("upload", cashin.invoices(2000), url=simulator.url, FORCE_COLOR="1")
    assert done.code == 0
    assert "\x1b[?25" not in done.err + done.out
    assert "A" not in re.findall(r"\x1b\[\d*([A-Z])", done.err), "the cursor moves in no file"


def test_a_terminal_that_takes_nothing_holds_no_upload_up(cashin: CommandLine) -> None:
    """As after Ctrl-S, or while text is marked: what is in flight would not be read, and be in doubt."""
    path = cashin.invoices(30_000)
    with server("latency=0.1") as simulator, Terminal("upload", path, url=simulator.url) as terminal:
        terminal.read(until=lambda: terminal.screen.live)
        termios.tcflow(terminal.slave, termios.TCOOFF)
        end = time.monotonic() + 15
        while len(simulator.store) < 30_000 and time.monotonic() < end:
            time.sleep(0.02)
        assert len(simulator.store) == 30_000
        termios.tcflow(terminal.slave, termios.TCOON)
        assert terminal.ends() == 0
