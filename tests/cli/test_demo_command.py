"""`cashin-async demo`: ends, and what it claims is what the server has."""

import re
import signal
from pathlib import Path

from tests.cli.conftest import COUNTS, CommandLine


def test_it_shows_every_outcome_and_that_nobody_was_billed_twice(cashin: CommandLine, state: Path) -> None:
    done = cashin.run("demo", "--count", "300", "--quiet", CASHIN_API_KEY=None)
    assert (done.code, done.err) == (0, "")
    first, again = done.out.split("The same upload again")
    counts, then = counts_of(first), counts_of(again)
    assert sum(counts.values()) == sum(then.values()) == 300 + 5 + 1
    assert (counts["invalid"], counts["duplicate"], counts["rejected"]) == (5, 1, 2)
    assert counts["accepted"] > 100
    assert then["unknown"] == then["unsent"] == 0, "all is settled"
    assert then["accepted"] == counts["unknown"] + counts["unsent"]
    books = re.search(r"own books: (\d+) invoices, (\d+) of them billed twice", again)
    assert books is not None
    assert [*map(int, books.groups())] == [298, 0]
    assert max(map(len, done.out.splitlines())) < 200
    assert "\x1b" not in done.out
    assert not state.exists(), "its ledger goes with it"
    assert "Its ledger is gone with this demo" in done.out, "the page names a command for it"
    page = Path(done.out.splitlines()[-1])
    assert page == cashin.folder / "process1" / "cashin-async-demo.html"
    needing = 306 - counts["accepted"] - 1
    assert f"{needing} of 306 invoices need a look" in page.read_text(), "as it was after the first upload"


def counts_of(text: str) -> dict[str, int]:
    return {name: int(re.search(rf"^ *([\d,]+)  {name} ", text, re.MULTILINE)[1]) for name in COUNTS}  # type: ignore[index]


def test_configuration_of_the_user_does_not_disturb_it(cashin: CommandLine) -> None:
    """Nothing leaves the machine, whatever address is set."""
    done = cashin.run(
        "demo",
        "--count",
        "20",
        "--quiet",
        url="https://api.example.com",
        CASHIN_CHUNK_SIZE="many",
        HTTPS_PROXY="http://x",
    )
    assert done.code == 0


def test_it_can_be_interrupted(cashin: CommandLine) -> None:
    running = cashin.start("demo", "--count", "1000000", "--quiet", "--log-json")
    running.until(lambda: "upload.began" in running.err)
    running.send(signal.SIGINT)
    done = running.ends(within=8)
    assert done.code == 130
    assert "0 of them billed twice" in done.out


def test_its_report_goes_where_it_is_wanted(cashin: CommandLine) -> None:
    page = cashin.folder / "demo.html"
    done = cashin.run("demo", "--count", "50", "--quiet", "--report", page, "--lang", "fi")
    assert done.code == 0
    assert '<html lang="fi">' in page.read_text()
    assert str(page) in done.out
    for wrong, said in (("demo.pdf", "does not end in .html"), ("missing/demo.html", "No such file")):
        refused = cashin.run("demo", "--count", "50", "--quiet", "--report", wrong)
        assert (refused.code, refused.out) == (2, "")
        assert said in " ".join(refused.err.split())
