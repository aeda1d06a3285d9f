"""One server, one ledger, one input, and processes that come and go."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cashin_async.simulator.background import BackgroundSimulator

FIRST = 260_000_001
PATIENCE = 60.0
ROOT = Path(__file__).parents[2]


@dataclass
class Scene:
    """One server, one ledger, one input, and processes that come and go."""

    simulator: BackgroundSimulator
    folder: Path
    count: int = 2_000
    kills: int = 0

    def __post_init__(self) -> None:
        self.input = self.folder / "invoices.jsonl"
        with self.input.open("wb") as file:
            for number in range(FIRST, FIRST + self.count):
                file.write(b'{"InvoiceNumber":%d,"SalesName":"Maija","TotalAmount":100.10}\n' % number)

    def command(self, *options: str) -> list[str]:
        ledger = str(self.folder / "ledger.db")
        start = [sys.executable, "-m", "tests.crash.uploader", self.simulator.url, ledger]
        return [*start, str(self.input), *options]

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(*options), cwd=ROOT, stdout=subprocess.PIPE)

    def wait(self, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        """What the process reported; None when it was killed."""
        out, _ = process.communicate(timeout=PATIENCE)
        if process.returncode:
            assert process.returncode == -signal.SIGKILL, f"ended with {process.returncode}"
            self.kills += 1
            return None
        return json.loads(out)  # type: ignore[no-any-return]

    def run(self, *options: str) -> dict[str, Any] | None:
        return self.wait(self.start(*options))

    def run_and_strike(self, number: signal.Signals, after: float, *options: str) -> dict[str, Any] | None:
        """Signal a process so many seconds after its first request; 0 or less: so long after its start."""
        process = self.start(*options)
        before, give_up = self.simulator.requests, time.monotonic() + PATIENCE
        while after > 0 and self.simulator.requests == before and process.poll() is None:
            assert time.monotonic() < give_up
            time.sleep(0.002)
        time.sleep(abs(after))
        process.send_signal(number)
        return self.wait(process)

    def check(self, report: dict[str, Any] | None) -> None:
        """Nobody twice; and nobody lost: whoever the server does not have is named as a failure."""
        store = self.simulator.store
        assert store.twice == (), "somebody was billed twice"
        assert report is not None
        assert report["read"] == self.count
        failed = {number for number, _ in report["failures"]}
        missing = set(range(FIRST, FIRST + self.count)) - set(store.numbers)
        assert missing <= failed, "somebody was forgotten"

    def check_complete(self, report: dict[str, Any] | None) -> None:
        self.check(report)
        assert report is not None
        assert (report["code"], report["failures"], report["released"]) == (0, [], [])
        assert len(self.simulator.store) == self.count


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with BackgroundSimulator(faults=["latency=0.005~0.03"], keep_invoices=False) as simulator:
        yield Scene(simulator, tmp_path)
