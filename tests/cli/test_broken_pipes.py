"""Nobody reads what the command prints: the upload goes on, and the exit code still tells how it went."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cashin_async.simulator.background import BackgroundSimulator

COMMAND = [sys.executable, "-c", "from cashin_async.cli import main; main()", "upload"]


def lines(path: Path, count: int) -> Path:
    path.write_text("".join(f'{{"InvoiceNumber": {number}}}\n' for number in range(1, count + 1)))
    return path


def environment(simulator: BackgroundSimulator) -> dict[str, str]:
    return {**os.environ, "CASHIN_BASE_URL": simulator.url, "CASHIN_API_KEY": "key"}


def dead_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("where", ["a dead pipe", "/dev/full"])
def test_the_exit_code_still_tells(tmp_path: Path, options: list[str], stream: str, where: str) -> None:
    target = dead_pipe() if where == "a dead pipe" else os.open(where, os.O_WRONLY)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: target}
    with BackgroundSimulator() as simulator:
        command = [*COMMAND, *options, str(lines(tmp_path / "good.jsonl", 30))]
        done = subprocess.run(command, env=environment(simulator), timeout=20, check=False, **streams)  # type: ignore[call-overload]
        os.close(target)
        assert done.returncode == 0
        assert len(simulator.store) == 30
        if options and stream == "stderr":
            assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 30
        if stream == "stdout":
            assert b"Traceback" not in done.stderr


def test_an_interrupt_is_orderly_when_nobody_reads_stderr(tmp_path: Path) -> None:
    target = dead_pipe()
    with BackgroundSimulator(faults=["latency=0.3"]) as simulator:
        command = [*COMMAND, "--json", str(lines(tmp_path / "good.jsonl", 3000))]
        process = subprocess.Popen(command, env=environment(simulator), stdout=subprocess.PIPE, stderr=target)
        os.close(target)
        for _ in range(1000):
            if simulator.requests >= 2:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)
        counts = json.loads(printed.splitlines()[-1])
        assert process.returncode == 130
        assert counts["accepted"] == simulator.store.accepted
        assert counts["unknown"] == 0
