"""The archives of this tree, built as for a release."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EPOCH = 1_700_000_000
"""SOURCE_DATE_EPOCH: the time that every file in an archive has."""


@dataclass(frozen=True)
class Archives:
    """One build."""

    tree: Path
    """What was built."""
    sdist: Path
    wheel: Path


def copy_of_the_tree(to: Path) -> Path:
    """What would be committed of this tree: no environments, caches, or results of earlier runs."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    names = [".git", *(name.rstrip("/") for name in ignored)]
    return Path(shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*names)))


def build(tree: Path, to: Path, *what: str, **env: str) -> list[Path]:
    """Run `python -m build` without the network; the files that it gave."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(to), *what, str(tree)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(to.iterdir())


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("package")
    tree = copy_of_the_tree(folder / "tree")
    sdist, wheel = sorted(build(tree, folder / "dist"), key=lambda path: path.suffix)
    return Archives(tree, sdist, wheel)
