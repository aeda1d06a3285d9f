"""The laws of the house that a program can check."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cashin_async"
ROOMLESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def python(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def folders() -> list[Path]:
    return sorted({path.parent for path in PACKAGE.rglob("*.py")})


def named(folder: Path) -> str:
    return str(folder.relative_to(ROOT))


def test_imports_point_one_way() -> None:
    pytest.importorskip("importlinter", reason="a tool of the `lint` group; `nox -s laws` runs it in any case")
    done = python("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_name_without_a_room() -> None:
    names = {path: set(path.stem.strip("_").split("_")) for path in PACKAGE.rglob("*") if path.suffix in ("", ".py")}
    assert [named(path) for path, words in names.items() if words & ROOMLESS] == []


@pytest.mark.parametrize("folder", folders(), ids=named)
def test_each_room_says_what_it_is_for(folder: Path) -> None:
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))


def test_one_version() -> None:
    import cashin_async

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cashin_async.__version__ == project["version"]


@pytest.mark.parametrize("slow", ["aiohttp", "rich"])
def test_the_import_is_light(slow: str) -> None:
    done = python("-c", f"import sys, cashin_async; sys.exit({slow!r} in sys.modules)")
    assert done.returncode == 0, done.stderr or f"`import cashin_async` loads {slow}"
