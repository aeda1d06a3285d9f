"""Those that run the pages notice what is wrong in one."""

import sys
from pathlib import Path

import pytest

from tests.docs import session
from tests.docs.pages import Block, Kind, read_blocks
from tests.docs.session import Failed, fits, run_page

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the pages speak to bash")


def page(*fences: str) -> list[Block]:
    return read_blocks("page.md", "\n\n".join(fences))


def fence(info: str, content: str) -> str:
    return f"```{info}\n{content}\n```"


def test_what_becomes_of_each_kind_of_block() -> None:
    text = (
        fence("sh", "true"),
        fence("text", "printed"),
        "Words.",
        fence("text", "prose"),
        fence("python", "print()"),
        fence("python", "async def test_it(): ..."),
        fence('python title="billing.py"', "x = 1"),
        fence('sh title="Another terminal"', "true"),
        fence('sh title="job.sh"', "true"),
        fence("json", "{}"),
        "<!-- not run: for a reason -->\n" + fence("sh", "false"),
        fence("", "prose"),
    )
    assert [block.kind for block in page(*text)] == [
        Kind.SHELL,
        Kind.PRINTED,
        Kind.PROSE,
        Kind.SCRIPT,
        Kind.TESTS,
        Kind.FILE,
        Kind.TERMINAL,
        Kind.FILE,
        Kind.READ,
        Kind.NOT_RUN,
        Kind.PROSE,
    ]


def test_a_mark_counts_for_the_block_right_behind_it() -> None:
    mark = "<!-- not run: for a reason -->"
    assert [block.kind for block in page(mark, "Words.", fence("sh", "true"))] == [Kind.SHELL]
    assert [block.reason for block in page(mark, fence("sh", "true"))] == ["for a reason"]


@pytest.mark.parametrize("text", ["Words.\n\n    indented\n", fence("perl", "1")])
def test_a_block_that_nobody_would_run_is_an_error(text: str) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:"):
        page(text)


def test_the_lines_of_a_block_are_those_of_its_content() -> None:
    text = "# Title\n\n```sh\none\ntwo\n```\n"
    (block,) = read_blocks("page.md", text)
    first, behind = block.lines
    assert text.splitlines()[first - 1 : behind - 1] == ["one", "two"]


@pytest.mark.parametrize(
    "content",
    [
        fence("sh", "false"),
        fence("sh", "false | true"),
        fence("sh", "echo $NEVER_SET"),
        fence("sh", "cashin-async upload missing.jsonl"),
        fence("python", "raise SystemExit(1)"),
        fence("python", "import warnings; warnings.warn('old')"),
        fence("python", "def test_it():\n    assert False"),
        fence("python", "def test_it():\n    import cashin_async\n    cashin_async.nothing"),
        fence('sh title="A terminal"', "exit 1"),
        fence("sh", "python -c 'raise ValueError' || true"),
    ],
)
def test_an_example_that_fails_is_noticed(content: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"page\.md:2"):
        run_page(page(content), tmp_path)


@pytest.mark.parametrize("content", [fence("json", "{"), fence("toml", "="), fence("csv", "a;b\n1")])
def test_data_that_cannot_be_read_is_noticed(content: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        run_page(page(content), tmp_path)


def test_an_example_that_does_not_end_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PATIENCE", 0.2)
    with pytest.raises(Failed, match="did not end"):
        run_page(page(fence("sh", "sleep 60")), tmp_path)


def test_folder_variables_files_and_server_stay_from_block_to_block(tmp_path: Path) -> None:
    blocks = page(
        fence("sh", "mkdir inner; cd inner; export WORD=kept"),
        fence('sh title="say.sh"', "echo said"),
        fence("sh", "echo $WORD; basename $PWD; sh ../say.sh; echo $CASHIN_BASE_URL"),
        fence("text", ""),
    )
    (printed,) = run_page(blocks, tmp_path).values()
    assert printed.splitlines()[:3] == ["kept", "inner", "said"]
    assert printed.splitlines()[3] == "http://127.0.0.1:8765"


def test_a_page_that_starts_a_server_has_no_other(tmp_path: Path) -> None:
    blocks = page(
        fence("sh", "echo ${CASHIN_BASE_URL-unset}"),
        fence("text", ""),
        fence('sh title="One terminal"', "cashin-async simulator"),
        fence("text", ""),
    )
    unset, began = run_page(blocks, tmp_path).values()
    assert unset == "unset\n"
    assert began.startswith("Listening on http://127.0.0.1:8765\n")


@pytest.mark.parametrize(
    ("shown", "printed", "fit"),
    [
        ("10 accepted", "10 accepted\n", True),
        ("10 accepted", "11 accepted\n", False),
        ("3 s, 379 invoices/s", "41 s, 1,234 invoices/s", True),
        ("run 20261122T011654Z-ed4321", "run 20270101T000000Z-000000", True),
        ("run 20261122T011654Z-ed4321", "run ", False),
        ("first\n...\nlast", "first\nsecond\nthird\nlast", True),
        ("first\n...\nlast", "first\nlast, and more", False),
        ("first", "first\nsecond", False),
        ("a | b", "a", False),
        ("", "", True),
    ],
)
def test_what_is_shown_fits_what_is_printed_but_for_times_and_names_of_runs(
    shown: str, printed: str, fit: bool
) -> None:
    assert fits(shown, printed) is fit
