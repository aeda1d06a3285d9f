"""The pages of the documentation as programs: their fenced blocks, in order, and what becomes of each.

| a block | is |
|---|---|
| `python` | run as a script; by pytest when it holds a test |
| `sh` | run by bash, after those before it on the page: folder and variables stay |
| `sh title="Another terminal"` | run beside the others until the page ends, or until a block of the same title |
| any language, `title="a name"` | written as that file, for the blocks below |
| `text` right behind one that runs | what it prints |
| `json`, `toml`, `csv` without title | read, so that it is well-formed |
| anything behind `<!-- not run: REASON -->` | not run; `test_examples.py` lists them |

Sybil, pytest-examples and phmdoctest were looked at: none of them keeps a shell session, a second terminal and files
to be written in one page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from markdown_it import MarkdownIt  # rich needs it, so it is there

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")))

DATA = ("json", "toml", "csv")
PROSE = ("", "text")
_TERMINAL = re.compile(r"terminal$", re.IGNORECASE)
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*", re.DOTALL)


class Kind(Enum):
    """What becomes of a block."""

    SCRIPT = auto()
    TESTS = auto()
    SHELL = auto()
    TERMINAL = auto()
    FILE = auto()
    PRINTED = auto()
    READ = auto()
    PROSE = auto()
    NOT_RUN = auto()


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    lines: tuple[int, int]
    """The first line of its content and the one behind its last, counted from 1."""
    language: str
    title: str
    content: str
    kind: Kind
    reason: str = ""
    """Why it is not run."""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.lines[0]}"


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    return read_blocks(page, (ROOT / page).read_text(encoding="utf-8"))


def read_blocks(page: str, text: str) -> list[Block]:
    """The blocks of this text. `AssertionError` for one that nobody would run."""
    return list(_blocks(page, text))


def _blocks(page: str, text: str) -> Iterator[Block]:
    before: Kind | None = None
    reason = ""
    for token in MarkdownIt().parse(text):
        if token.type == "html_block" and (marked := _NOT_RUN.fullmatch(token.content)):
            reason = marked[1]
        elif token.type == "fence":
            assert token.map is not None
            first, last = token.map[0] + 2, token.map[1]
            language, _, rest = token.info.partition(" ")
            title = found[1] if (found := _TITLE.search(rest)) else ""
            before = Kind.NOT_RUN if reason else _kind(f"{page}:{first}", language, title, token.content, before)
            yield Block(page, (first, last), language, title, token.content, before, reason)
            reason = ""
        elif token.type == "code_block":
            raise AssertionError(
                f"{page}:{token.map and token.map[0] + 1}: an indented block: nobody runs it, fence it"
            )
        elif token.type not in ("paragraph_close", "html_block"):
            before, reason = None, ""


def _kind(place: str, language: str, title: str, content: str, before: Kind | None) -> Kind:
    if language == "sh" and _TERMINAL.search(title):
        return Kind.TERMINAL
    if title:
        return Kind.FILE
    if language == "sh":
        return Kind.SHELL
    if language == "python":
        return Kind.TESTS if re.search(r"^(async )?def test_", content, re.MULTILINE) else Kind.SCRIPT
    if language == "text" and before in (Kind.SCRIPT, Kind.SHELL, Kind.TERMINAL, Kind.TESTS):
        return Kind.PRINTED
    if language in DATA:
        return Kind.READ
    assert language in PROSE, f"{place}: what becomes of a block of {language!r}? See {__name__}"
    return Kind.PROSE
