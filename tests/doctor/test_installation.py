"""Python, the package, and what it needs: the table of extras against pyproject.toml, and the real environment."""

import platform
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

import cashin_async
from cashin_async.doctor import installation
from cashin_async.doctor.finding import Finding, Mark, found_by
from cashin_async.doctor.installation import EXTRAS, INSTALLATION, Requirement, parsed

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def has(findings: list[Finding], mark: Mark, *words: str) -> bool:
    return any(one.mark is mark and all(word in one.what + one.todo for word in words) for one in findings)


def test_every_extra_for_inputs_is_told_of() -> None:
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"])


def test_every_requirement_of_the_project_can_be_read() -> None:
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    for line in lines:
        requirement = parsed(line)
        assert line.startswith(requirement.name)
        assert requirement.least in line


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        ("aiohttp>=3.14", Requirement("aiohttp", "3.14", None, None)),
        ("pyarrow>=17; extra == 'parquet'", Requirement("pyarrow", "17", "parquet", None)),
        (
            "backports-zstd>=1.0; (python_version < '3.14') and extra == 'zstd'",
            Requirement("backports-zstd", "1.0", "zstd", (3, 14)),
        ),
    ],
)
def test_requirements(line: str, requirement: Requirement) -> None:
    assert parsed(line) == requirement


def test_the_limits_are_those_of_the_project() -> None:
    assert PROJECT["requires-python"] == f">={'.'.join(map(str, installation.OLDEST))}"
    newest = max(tuple(map(int, one.split(" :: ")[2].split("."))) for one in PROJECT["classifiers"] if "3.1" in one)
    assert newest == installation.NEWEST


def test_this_python_and_this_package() -> None:
    findings = [*found_by(INSTALLATION, installation.python), *found_by(INSTALLATION, installation.package)]
    assert has(findings, Mark.OK, platform.python_version(), sys.executable)
    assert has(findings, Mark.OK, cashin_async.__version__, str(Path(str(cashin_async.__file__)).parent))
    assert not has(findings, Mark.PROBLEM)


@pytest.mark.parametrize(
    ("version", "level", "mark"),
    [
        ((3, 10), "final", Mark.PROBLEM),
        ((3, 11), "final", Mark.OK),
        ((3, 14), "candidate", Mark.WARNING),
        ((3, 15), "final", Mark.WARNING),
    ],
)
def test_another_python(version: tuple[int, int], level: str, mark: Mark) -> None:
    assert next(installation.python(version, level)).mark is mark


def test_all_that_is_needed_is_there() -> None:
    findings = list(installation.dependencies())
    assert [one.mark for one in findings] == [Mark.OK]
    for line in PROJECT["dependencies"]:
        assert parsed(line).name in findings[0].what


def without(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """As if these distributions had other versions, or were not installed."""

    def told(name: str) -> str:
        found = versions.get(name.replace("-", "_"), version(name) if name.replace("-", "_") not in versions else None)
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(installation, "version", told)


def test_a_dependency_that_is_missing_and_one_that_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, anyio=None, aiohttp="3.9.5")
    findings = list(installation.dependencies())
    assert has(findings, Mark.PROBLEM, "anyio is not installed", 'pip install "anyio>=')
    assert has(findings, Mark.PROBLEM, "aiohttp 3.9.5 is older than 3.14", 'pip install "aiohttp>=3.14"')
    assert has(findings, Mark.OK, "msgspec")


def test_every_input_can_be_read_where_the_tests_run() -> None:
    assert {one.mark for one in installation.inputs()} == {Mark.OK}
    assert not has(list(installation.inputs()), Mark.OK, "pip install")


def test_an_input_whose_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, pyarrow=None)
    findings = list(installation.inputs())
    assert has(findings, Mark.OK, "not Parquet", 'pip install "cashin-async[parquet]"')


def test_an_input_whose_extra_is_old_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, pyarrow="16.1")
    monkeypatch.setitem(sys.modules, "ijson", None)  # as when its files are damaged
    findings = list(installation.inputs())
    assert has(findings, Mark.PROBLEM, "pyarrow 16.1 is older than", 'pip install "cashin-async[parquet]"')
    assert has(findings, Mark.PROBLEM, "ijson", "cannot be imported", 'pip install "cashin-async[json-array]"')


def test_json_arrays_without_the_c_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    ijson = pytest.importorskip("ijson")
    monkeypatch.setattr(ijson, "backend", "python")
    assert has(list(installation.inputs()), Mark.WARNING, "slowly")


class Installed:
    """A distribution's files."""

    def __init__(self, **files: str) -> None:
        self.files = files

    def read_text(self, name: str) -> str | None:
        return self.files.get(name.partition(".")[0])


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, "by uv from an index"),
        ('{"url": "file:///home/a%20b/x", "dir_info": {"editable": true}}', "editable by uv from /home/a b/x"),
        ('{"url": "file:///x", "dir_info": {}}', "from a folder"),
        ('{"url": "https://token@host/x.whl", "archive_info": {}}', "from a file"),
        ('{"url": "https://token@host/x", "vcs_info": {"vcs": "git"}}', "from a repository"),
    ],
)
def test_where_it_was_installed_from(record: str | None, said: str) -> None:
    files = {"INSTALLER": "uv\n"} | ({} if record is None else {"direct_url": record})
    origin = installation._origin(Installed(**files))  # type: ignore[arg-type]
    assert said in origin
    assert "token" not in origin


def test_a_check_that_fails_says_where_and_not_what() -> None:
    def check() -> Any:
        yield INSTALLATION.ok("first")
        raise RuntimeError("secret")

    first, second = found_by(INSTALLATION, check)
    assert first.what == "first"
    assert second.mark is Mark.PROBLEM
    assert "RuntimeError" in second.what
    assert "test_installation.py" in second.what
    assert "secret" not in second.what + second.todo
