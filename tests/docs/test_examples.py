"""Every example of README and of the documentation does what its page says: see `pages.py` and `session.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cashin_async.simulator.background import BackgroundSimulator
from tests.cli.conftest import environment
from tests.docs.pages import PAGES, ROOT, Block, Kind, blocks
from tests.docs.session import fits, run_page, settled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pages speak to bash")

NOT_RUN = {
    ("README.md", "the checks of a clean checkout run these"): 1,
    ("docs/docker.md", "needs Docker; the Dockerfile itself is tested in tests/docs/test_deployment.py"): 1,
    ("docs/install.md", "installs a package; `nox -s install` does, from the wheel"): 3,
    ("docs/performance.md", "an hour of measuring"): 1,
    ("docs/going-live.md", "bills real people"): 1,
}
"""The blocks that no test runs: page, reason, how many. Whoever adds one adds it here."""


WITH_BLOCKS = [page for page in PAGES if "```" in (ROOT / page).read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_the_examples_of_a_page_run_and_print_what_stands_there(page: str, tmp_path: Path) -> None:
    if "curl " in (ROOT / page).read_text(encoding="utf-8") and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for block, printed in run_page(blocks(page), tmp_path).items():
        assert fits(block.content, printed), (
            f"{block.place} shows\n{settled(block.content)}\n\nbut it prints\n{settled(printed)}\n\n"
            f"python -m tests.docs {page} writes that into the page"
        )


SENDING = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.kind is Kind.SCRIPT and "CashIn.from_env(" in block.content and "invoices.settle(" not in block.content
]


@pytest.mark.parametrize("block", SENDING, ids=[block.place for block in SENDING])
def test_an_example_that_is_run_twice_bills_nobody_twice(block: Block, tmp_path: Path) -> None:
    """Each time by a process of its own, as readers do."""
    (tmp_path / "in").mkdir()
    for name in ("in/monday.jsonl", "mended.jsonl"):
        (tmp_path / name).write_text('{"InvoiceNumber": 1}\n')
    script = tmp_path / "example.py"
    script.write_text(block.content, encoding="utf-8")
    with BackgroundSimulator() as simulator:
        for _ in range(2):
            variables = environment(simulator.url, HOME=str(tmp_path))
            subprocess.run([sys.executable, script], cwd=tmp_path, env=variables, timeout=60, check=True)
        assert simulator.store.accepted > 0
        assert simulator.store.twice == ()


def test_no_example_is_left_out_silently() -> None:
    left_out: dict[tuple[str, str], int] = {}
    for page in PAGES:
        for block in blocks(page):
            if block.kind is Kind.NOT_RUN:
                left_out[page, block.reason] = left_out.get((page, block.reason), 0) + 1
    assert left_out == NOT_RUN
