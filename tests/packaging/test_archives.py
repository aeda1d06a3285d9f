"""The sdist and the wheel: the same bytes wherever they are built, and in them what belongs there."""

import email
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.packaging.conftest import EPOCH, ROOT, Archives, build, copy_of_the_tree
from tests.packaging.installed import DIRECT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = f"cashin_async-{PROJECT['version']}"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def in_sdist(archives: Archives) -> set[str]:
    with tarfile.open(archives.sdist) as archive:
        return {member.name.removeprefix(f"{NAME}/") for member in archive if member.isfile()}


def in_wheel(archives: Archives) -> set[str]:
    with zipfile.ZipFile(archives.wheel) as archive:
        return set(archive.namelist())


def metadata(archives: Archives) -> Message:
    with zipfile.ZipFile(archives.wheel) as archive:
        return email.message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA"))


# -- reproducible


def test_another_checkout_gives_the_same_bytes(archives: Archives, tmp_path: Path) -> None:
    """Another folder, other times and permissions, another order of hashes, place on earth and language."""
    tree = copy_of_the_tree(tmp_path / "some where else" / "deeper")
    for place, path in enumerate(sorted(tree.rglob("*"))):
        os.utime(path, (place * 1000, place * 1000))
        path.chmod(0o700 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    other = {"PYTHONHASHSEED": "17", "TZ": "Asia/Kolkata", "LC_ALL": "C"}
    again = build(tree, tmp_path / "dist", "--sdist", "--wheel", **other)  # each straight from the tree
    assert {path.name: path.read_bytes() for path in again} == {
        path.name: path.read_bytes() for path in (archives.sdist, archives.wheel)
    }


def test_every_time_in_them_is_the_one_that_was_given(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as archive:
        assert {member.mtime for member in archive} == {EPOCH}
        assert {(member.uid, member.gid, member.uname, member.gname) for member in archive} == {(0, 0, "", "")}
    with zipfile.ZipFile(archives.wheel) as wheel:
        assert {info.date_time for info in wheel.infolist()} == {(2023, 11, 14, 22, 13, 20)}


# -- what is in them


def test_the_wheel_holds_the_package_and_nothing_else(archives: Archives) -> None:
    package = {f"cashin_async/{name}" for name in files(archives.tree / "cashin_async")}
    assert "cashin_async/py.typed" in package
    described = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    assert in_wheel(archives) == package | described | {f"{NAME}.dist-info/licenses/LICENSE"}


def test_the_sdist_holds_what_the_tests_and_a_contributor_need(archives: Archives) -> None:
    inside = in_sdist(archives)
    assert inside - {"PKG-INFO"} == files(archives.tree)
    assert {"README.md", "LICENSE", "run.py", "noxfile.py", "pyproject.toml", ".ci/run", "mkdocs.yml"} <= inside
    assert {".pre-commit-config.yaml", "tests/data/published_invoice.json"} <= inside


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="no checkout")
def test_whatever_is_committed_is_in_the_sdist(archives: Archives) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    committed = {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    assert committed - in_sdist(archives) == set()


def test_the_sdist_can_be_worked_in(archives: Archives, tmp_path: Path) -> None:
    """README's test command, for tests that need no server; all of them are found."""
    with tarfile.open(archives.sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # 3.11.4
            archive.extractall(tmp_path, filter="data")
        else:
            archive.extractall(tmp_path)
    tree = tmp_path / NAME

    def python(*argv: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, *argv], cwd=tree, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    assert python("-c", "import cashin_async; print(cashin_async.__file__)").startswith(str(tree))
    found = python("-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-qq")
    assert "tests/packaging/test_archives.py: " in found
    assert " passed" in python(
        "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/models", "tests/test_redaction.py"
    )


# -- what they say of themselves


def test_the_metadata_is_complete(archives: Archives) -> None:
    said = metadata(archives)
    assert said["Name"] == "cashin-async"
    assert said["Version"] == PROJECT["version"]
    assert said["Summary"] == PROJECT["description"]
    assert (said["License-Expression"], said.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert said["Requires-Python"] == ">=3.11"
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_payload() == (archives.tree / "README.md").read_text(encoding="utf-8")
    assert set(said.get_all("Classifier", [])) == set(PROJECT["classifiers"])
    assert said["Keywords"]


def test_it_brings_six_packages_and_extras_by_name_only(archives: Archives) -> None:
    lines = metadata(archives).get_all("Requires-Dist", [])
    assert {line.partition(">")[0] for line in lines if "extra ==" not in line} == DIRECT
    assert set(metadata(archives).get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])


def test_an_index_would_take_them(archives: Archives) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(archives.sdist), str(archives.wheel)],
        env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2
