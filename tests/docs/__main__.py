"""Run pages of the documentation, and write what is really printed into them.

python -m tests.docs [PAGE...]
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.docs.session import fits, run_page


def refresh(page: str) -> int:
    """Give how many blocks do not fit. If any, all are put in, so that a page shows one session.

    What a line `...` cuts short is left to its writer.
    """
    with TemporaryDirectory() as tmp:
        printed = run_page(blocks(page), Path(tmp))
    stale = [block for block, text in printed.items() if not fits(block.content, text)]
    if stale:
        _put_in(page, printed)
    return len(stale)


def _put_in(page: str, printed: dict[Block, str]) -> None:
    path = ROOT / page
    lines = path.read_text(encoding="utf-8").splitlines()
    for block, text in reversed(printed.items()):
        if "\n...\n" not in f"\n{block.content}":
            first, behind = block.lines
            lines[first - 1 : behind - 1] = [line.rstrip() for line in text.strip("\n").splitlines()]
        elif not fits(block.content, text):
            raise SystemExit(f"{block.place}: does not fit any more:\n{text}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


for page in sys.argv[1:] or PAGES:
    sys.stdout.write(f"{page}: {refresh(page)} changed\n")
