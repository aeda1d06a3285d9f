"""What README and docs tell a newcomer to type works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cashin_async.simulator.background import BackgroundSimulator

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/simulator.md"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


EXAMPLES = [
    pytest.param(code, id=f"{page}-{place}") for page in PAGES for place, code in enumerate(blocks(page, "python"))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_python_examples_run(code: str, tmp_path: Path) -> None:
    example = tmp_path / "test_example.py"
    example.write_text(code)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    command = ["-m", "pytest", "-q"] if "def test_" in code else []
    with BackgroundSimulator() as simulator:
        env = {**os.environ, "CASHIN_BASE_URL": simulator.url, "CASHIN_API_KEY": "anything"}
        done = subprocess.run(
            [sys.executable, *command, str(example)], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shell_examples_run(tmp_path: Path) -> None:
    """README's upload and what follows it, against a simulator that is not at its default port."""
    shell = "\n".join(code for code in blocks("README.md", "sh") if "invoices.jsonl" in code or "settle" in code)
    with BackgroundSimulator() as simulator:
        script = shell.replace("http://127.0.0.1:8765", simulator.url)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-euc", script],
            env={**os.environ, "PATH": path, "XDG_STATE_HOME": str(tmp_path / "state")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"accepted": 1' in done.stdout
    assert (tmp_path / "failed.jsonl").read_text() == ""
    assert "251600002,duplicate" in (tmp_path / "outcomes.csv").read_text()
