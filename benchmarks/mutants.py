"""The mutation test of the rules: change them a little, thousands of times, and see whether their tests notice.

    python -m benchmarks.mutants [FILE...] [--minutes 40] [--least 90]

FILE is a file of the rules (`payment.py`), or mutmut's pattern of names (`cashin_async.rules.tax.x_check_*`); unset,
all of them. What is mutated and what is not: [tool.mutmut] in pyproject.toml. It works in a copy, on all processors.

It prints a score for each file and every change that survived, and exits with 1 when fewer than `--least` per cent were
noticed, or when time was over before all were tried. tests/rules/survivors.md says of those that cannot be noticed why.
"""

import argparse
import ast
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.arena import ROOT
from benchmarks.machine import processors

EXPLAINED = ROOT / "tests" / "rules" / "survivors.md"

_COPIED = ("cashin_async", "docs", "pyproject.toml", "tests/__init__.py", "tests/data", "tests/rules")
_SETTINGS = """\
import pytest
from hypothesis import HealthCheck, Phase, settings

# One failure is enough: no shrinking. Examples are the same each time, and none is too slow on a busy machine.
settings.register_profile(
    "mutants",
    phases=[Phase.explicit, Phase.generate],
    database=None,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc):
    # Tests are asked for by name, in other processes: what is made of values may hold an address, or not get there.
    by_value = metafunc.parametrize

    def by_number(names, values, *args, ids=None, **options):
        values = list(values)
        by_value(names, values, *args, ids=list(map(str, range(len(values)))), **options)

    metafunc.parametrize = by_number
"""
_PYTEST = ("-pno:cacheprovider", "--hypothesis-profile=mutants", "tests/rules")
"""As [tool.mutmut] has it."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TOLD_EVERY = 60.0
"""Seconds between two lines about how far it is."""
_UNTRIED = "not tried"
_OUTCOMES = {
    **dict.fromkeys((0, 5, 33), "survived"),  # 5, 33: no test comes there
    **dict.fromkeys((1, 3), "noticed"),
    **dict.fromkeys((36, 24, -24, 152, -9), "endless"),  # several times as long as the tests take
    34: "left out",
}
"""By mutmut's exit code. With others nothing was tried: 255, a death to mutmut, is a worker that broke down."""


@dataclass(slots=True)
class Score:
    """What became of one file's mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    """Names, as mutmut gives them."""

    @property
    def total(self) -> int:
        return self.outcomes.total() - self.outcomes["left out"]

    @property
    def noticed(self) -> int:
        return self.outcomes["noticed"] + self.outcomes["endless"]

    @property
    def share(self) -> float:
        return 100 * self.noticed / max(1, self.total)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--least", type=float, default=90.0)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cashin-mutants-") as folder:
        copy = Path(folder)
        _copy_into(copy)
        _run(copy, [_pattern(name) for name in chosen.files], chosen.minutes)
        scores = {file: score for file, score in _scores(copy, chosen.files) if score.total}
        told = [_Survivor.of(copy, file, name) for file, score in scores.items() for name in score.survivors]
    _print(scores, told, whole=not chosen.files)
    print(f"{time.monotonic() - began:.0f} s")
    return _judge(scores, chosen.least)


def _copy_into(copy: Path) -> None:
    for name in _COPIED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (copy / "conftest.py").write_text(_SETTINGS, encoding="utf-8")


def _pattern(name: str) -> str:
    return f"*.{Path(name).stem}.*" if name.endswith(".py") else name


# -- running


def _run(copy: Path, patterns: Sequence[str], minutes: float) -> None:
    """Until all are tried or time is over. Stops the program when mutmut itself does not work."""
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(len(processors()))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CASHIN_")}
    log = copy / "mutmut.log"
    until = time.monotonic() + 60 * minutes
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *patterns],
            cwd=copy,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its workers are stopped with it
        )
        try:
            while process.poll() is None and (left := until - time.monotonic()) > 0:
                _wait(process, min(left, _TOLD_EVERY))
                tried = Counter(outcome != _UNTRIED for _, _, outcome in _outcomes(copy))
                print(f"  {time.strftime('%H:%M:%S')} tried {tried[True]}", file=sys.stderr, flush=True)
        finally:
            _stop(process)
    if process.returncode > 0:
        said = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        told = [line for line in said if line.strip() and not line.startswith(tuple(_SPINNER))]
        print("\n".join(told[-20:]), file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pytest", "-x", "-q", *_PYTEST], cwd=copy, env=environment, check=False)
        sys.exit("benchmarks.mutants: mutmut failed; above are its last lines, and the tests without it")


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# -- what came of it


def _outcomes(copy: Path) -> Iterator[tuple[str, str, str]]:
    """File, name and outcome of each mutant."""
    for path in sorted((copy / "mutants").rglob("*.py.meta")):
        file = path.relative_to(copy / "mutants").as_posix().removesuffix(".meta")
        try:
            codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        except ValueError:  # it is being written
            continue
        for name, code in codes.items():
            yield file, name, _OUTCOMES.get(code, _UNTRIED)


def _scores(copy: Path, files: Sequence[str]) -> Iterator[tuple[str, Score]]:
    """Of the files that were asked for; a part of a file's mutants is judged by what was tried."""
    scores: dict[str, Score] = {}
    named = {Path(name).name for name in files if name.endswith(".py")}
    for file, name, outcome in _outcomes(copy):
        if outcome == _UNTRIED and files and Path(file).name not in named:
            continue
        score = scores.setdefault(file, Score())
        score.outcomes[outcome] += 1
        if outcome == "survived":
            score.survivors.append(name)
    yield from scores.items()


@dataclass(frozen=True, slots=True)
class _Survivor:
    """A change that no test notices."""

    file: str
    function: str
    change: str

    @classmethod
    def of(cls, copy: Path, file: str, name: str) -> "_Survivor":
        """`name`: module, function and number: `cashin_async.rules.tax.x_check_vat__mutmut_3`."""
        mangled = name.rpartition(".")[2]
        function = mangled.partition("__mutmut_")[0]
        source = (copy / "mutants" / file).read_text(encoding="utf-8")
        before, after = _lines_of(source, f"{function}__mutmut_orig"), _lines_of(source, mangled)
        changes = [line for line in difflib.ndiff(before[1:], after[1:]) if line[:2] in ("- ", "+ ")]
        old, new = (" ".join(line[2:].strip() for line in changes if line[0] == sign) for sign in "-+")
        return cls(file, function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."), f"`{old}` → `{new}`")

    def text(self) -> str:
        return f"`{self.function}`: {self.change}"


def _lines_of(source: str, function: str) -> list[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return source.splitlines()[node.lineno - 1 : node.end_lineno]
    return []


def _explained() -> set[tuple[str, str]]:
    """File and survivor of each line `- survivor: reason`, below the heading of its file."""
    file, found = "", set()
    for line in EXPLAINED.read_text(encoding="utf-8").splitlines() if EXPLAINED.exists() else ():
        if line.startswith("## "):
            file = line[3:].strip()
        elif line.startswith("- `"):
            found.add((file, line[2:].rpartition("`: ")[0] + "`"))
    return found


def _print(scores: dict[str, Score], survivors: Sequence[_Survivor], whole: bool) -> None:
    explained = _explained()
    columns = ("noticed", "endless", "survived", _UNTRIED)
    print(" " * 36 + "".join(f"{name:>10}" for name in (*columns, "score")))
    for file, score in sorted(scores.items(), key=lambda pair: pair[1].share):
        print(f"{file:36}" + "".join(f"{score.outcomes[name]:10}" for name in columns) + f"{score.share:8.1f} %")
    print("\nSurvivors, those that tests/rules/survivors.md explains in brackets:")
    for one in survivors:
        text = f"{one.file} {one.text()}"
        print(f"  ({text})" if (one.file, one.text()) in explained else f"  {text}")
    if whole:
        for file, text in sorted(explained - {(one.file, one.text()) for one in survivors}):
            print(f"  no longer there: {file} {text}")


def _judge(scores: dict[str, Score], least: float) -> int:
    total = sum(score.total for score in scores.values())
    noticed = sum(score.noticed for score in scores.values())
    untried = sum(score.outcomes[_UNTRIED] for score in scores.values())
    share = 100 * noticed / total
    print(f"\n{noticed} of {total} noticed: {share:.1f} %, at least {least:g} % are wanted")
    if untried:
        reason = "time was over, or a test cannot be run alone"
        print(f"benchmarks.mutants: {untried} were not tried: {reason}", file=sys.stderr)
    return int(share < least or untried > 0)


if __name__ == "__main__":
    sys.exit(main())
