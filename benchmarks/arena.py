"""Where programs are measured: a sink in a process of its own, each program in a fresh one, the two on different cores.

A fresh process for each run of a program makes its peak memory its own, and lets no program warm another. Rounds are
interleaved: every program once, then every program again; a machine that slows down slows all of them.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks import invoices
from benchmarks.machine import describe, processors

ROOT = Path(__file__).parents[1]
WARM = 200
"""Invoices that each program sends before its clock starts."""
_IDLE = 0.5
"""A load above it comes from others."""
_DISTURBED = 0.35
"""Share of its time that a program waits for its core: threads of its own are a fifth, one other program is a half."""
LONGEST = 180.0
"""Seconds after which a program is taken for hung."""

Taken = dict[str, Any]
"""What a program printed: seconds, invoices, peak_mb, cpu, and what it found."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured."""

    rounds: int = 7
    invoices: int = 100_000
    quick: bool = False
    """Shows that everything works; its figures mean nothing."""


class Sink:
    """A running sink."""

    def __init__(self, port: int) -> None:
        self.port = port

    def counts(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/")
        counts: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return counts


class Arena:
    """Files, sinks and programs of one run of the suite; all of it is gone at its end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._resources = ExitStack()

    def __enter__(self) -> "Arena":
        self.folder = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="cashin-benchmarks-")))
        self._cores = processors()
        self._compiled = self._compile()
        if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > _IDLE:
            self.say(
                f"this machine is busy (load {load:.1f}): programs that share a core come out slower than they are"
            )
        self.fast_sink = self._compiled is not None
        if not self.fast_sink:
            self.say(
                "no C compiler: the sink in Python is slower than raw sockets, which flatters whatever is beside them"
            )
        self.machine = describe("C" if self.fast_sink else "Python", len(self._cores))
        if len(self._cores) > 1:
            _bind(0, self._cores[1])  # the programs inherit it
            self._resources.callback(_bind, 0, *self._cores)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _compile(self) -> Path | None:
        compiler = shutil.which("cc")
        if compiler is None or not sys.platform.startswith("linux"):  # it uses epoll
            return None
        target = self.folder / "sink"
        source = Path(__file__).with_name("sink.c")
        done = subprocess.run([compiler, "-O2", "-o", target, source], capture_output=True, check=False)
        return None if done.returncode else target

    @contextmanager
    def sink(self, **terms: Any) -> Iterator[Sink]:
        """One that answers at once; or on `terms`, the options of sink.py."""
        command = [sys.executable, "-m", "benchmarks.sink"]
        if self._compiled and not terms:
            command = [str(self._compiled)]
        for name, value in terms.items():
            flag = f"--{name.replace('_', '-')}"
            command += [flag] if value is True else [] if value in (None, False) else [flag, str(value)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        try:
            if len(self._cores) > 1:
                _bind(process.pid, self._cores[0])
            yield Sink(int(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def file(self, count: int, *, correct: bool = False) -> Path:
        """JSON Lines, made at the first call. `correct`: of invoices that break no rule."""
        path = self.folder / f"{count}{'-correct' if correct else ''}.jsonl"
        if not path.exists():
            self.say(f"writing {count:,} invoices")
            (invoices.write_correct if correct else invoices.write)(path, count)
        return path

    def run(self, program: str, sink: Sink | None = None, warm: int = WARM, **job: Any) -> Taken:
        """Run a program on a `Job` once, and check that the sink has as many invoices more as it says."""
        job = {"count": self.options.invoices, "port": sink.port if sink else 0, **job}
        if isinstance(job.get("file"), Path):
            job["file"] = str(job["file"])
        before = sink.counts()["invoices"] if sink else 0
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.programs", program, json.dumps(job), str(warm)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=LONGEST,
        )
        taken: Taken = json.loads(done.stdout)
        if taken["waited"] > _DISTURBED * taken["seconds"]:
            self.say(f"{program} waited {taken['waited']:.2f} of {taken['seconds']:.2f} s for its core: others use it")
        if sink and sink.counts()["invoices"] - before != taken["invoices"] + taken["warmed"]:
            raise RuntimeError(f"{program}: the sink's count is another than the program's")
        return taken

    def rounds(self, minutes: float, rounds: int | None = None) -> Iterator[int]:
        """Numbers of rounds; none begins after `minutes`."""
        until = time.monotonic() + minutes * 60
        for number in range(rounds or self.options.rounds):
            if number and time.monotonic() > until:
                self.say(f"stopped after {number} rounds: {minutes:g} minutes are over")
                return
            self.say(f"round {number + 1} of {rounds or self.options.rounds}")
            yield number

    def say(self, text: str) -> None:
        print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _bind(process: int, *cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process, cores)
