"""The report as a person uses it: a file that is opened in a browser."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cashin_async.bulk.outcome import Settled, State, UploadReport
from cashin_async.sources.source import Place
from tests.browser.conftest import Open, keep, written
from tests.browser.uploads import FIRST, NASTY, NASTY_NAME, every_failure, many_failures

FAST = 2.0  # seconds in which a hundred thousand failures are there; 0.2 here when nothing else runs


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return written(folder / "report.html", every_failure(folder))


@pytest.fixture(scope="module")
def many_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("many") / "many.html", many_failures(100_000))


def status(tab: Any) -> str:
    return str(tab.inner_text("#status"))


def rows(tab: Any) -> list[list[str]]:
    """What the table shows, cell by cell."""
    found: list[list[str]] = tab.eval_on_selector_all(
        "#rows tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return found


def clipboard(tab: Any) -> str:
    return str(tab.evaluate("navigator.clipboard.readText()"))


def until_found(tab: Any, shown: str) -> None:
    """A search waits until nobody types any more."""
    tab.locator("#status").filter(has_text=re.compile(f"^{shown} ")).wait_for()


def said(tab: Any, text: str) -> None:
    """Copying takes a moment, and is told then."""
    tab.locator("#told").filter(has_text=re.compile(f"^{text}$")).wait_for()


def test_what_it_says(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    assert tab.inner_text(".verdict .first") == "246 of 3,002 invoices need a look; 2,755 are accepted."
    counts = tab.eval_on_selector_all(
        ".counts li", "tiles => tiles.map(tile => tile.innerText.split('\\n').slice(0, 2))"
    )
    assert counts == [
        ["2,755", "accepted"],
        ["1", "duplicate"],
        ["200", "unknown"],
        ["3", "rejected"],
        ["43", "invalid"],
        ["0", "unsent"],
    ]
    states = tab.eval_on_selector_all(".state", "cards => cards.map(card => card.className)")
    assert states == ["state unknown", "state rejected", "state invalid"], "the most urgent first"
    invalid = tab.inner_text(".state.invalid")
    assert "Reference is a Finnish reference with the right check digit" in invalid
    assert re.search(r"form\.\n+30\n", invalid), "thirty with ten reasons are one kind"
    assert ":3002" in invalid, "what has no number is known by its place"
    assert "Bad Request" in tab.inner_text(".state.rejected")
    assert "cashin-async settle " in tab.inner_text(".state.unknown")
    assert tab.locator("svg.throughput rect.bar-done").count() > 5
    assert tab.locator("svg.throughput rect.held").count() > 0, "the server asked for a hold of a second"
    facts = tab.inner_text("dl.facts")
    for fact in ("1, 1.0\u00a0s in all", "Esimerkki Oy", "https://api.example.fi", "ledger.db"):
        assert fact in facts
    keep(tab, "report-light")


def test_filtering(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    assert status(tab) == "246 of 246 invoices"
    tab.select_option("#state", label="invalid")
    assert status(tab) == "43 of 246 invoices"
    assert {row[0] for row in rows(tab)} == {"invalid"}
    tab.fill("#find", "DueDate")
    until_found(tab, "12")
    tab.click("#clear")
    assert status(tab) == "246 of 246 invoices"
    tab.fill("#find", str(FIRST + 1500))
    until_found(tab, "1")
    assert [row[:2] for row in rows(tab)] == [["rejected", str(FIRST + 1500)]]
    tab.fill("#find", "nobody has this")
    until_found(tab, "0")
    assert tab.is_visible("#nothing")
    assert tab.is_disabled("#copy-shown")
    tab.click("#clear")
    tab.click(".state.invalid .kind:first-of-type [data-show-kind]")
    assert status(tab) == "30 of 246 invoices"
    assert tab.evaluate("document.activeElement.id") == "kind"


def test_finding_what_is_written_elsewhere(opened: Open, report_file: Path) -> None:
    """A number as people group it, a place as the table shows it, an outcome by its name."""
    tab = opened(report_file)
    number = str(FIRST + 1500)
    for typed in (f"{number[:3]} {number[3:6]} {number[6:]}", "laskut-2026-11.jsonl:1501", "2026-11.jsonl:1501"):
        tab.fill("#find", typed)
        until_found(tab, "1")
        assert [row[1] for row in rows(tab)] == [number], typed
    tab.fill("#find", "rejected")
    until_found(tab, "3")
    tab.click("[data-lang=fi]")
    tab.fill("#find", "epäselvä")
    until_found(tab, "200")


@pytest.mark.parametrize(("column", "place"), [("state", 0), ("number", 1), ("reason", 2), ("place", 3)])
def test_sorting(opened: Open, report_file: Path, column: str, place: int) -> None:
    tab = opened(report_file)
    heading = tab.locator(f"th[data-by={column}]")
    tab.select_option("#state", label="invalid") if column != "state" else None
    shown = []
    for direction in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == direction
        assert tab.locator("th[aria-sort]").count() == 1
        shown.append([row[place] for row in rows(tab)])
    up, down = shown
    assert up != down
    if column == "number":
        figures = [int(one) if one.isdigit() else 0 for one in up]
        assert figures == sorted(figures)
        assert down[0] == str(FIRST + 1111)
    elif column == "place":
        lines = [int(one.rpartition(":")[2]) for one in up]
        assert lines == sorted(lines)
    elif column == "reason":
        assert up == sorted(up)
    else:
        assert up[0] == "rejected"
        assert down[0] == "unknown"


def test_turning_pages(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    assert (len(rows(tab)), tab.inner_text("#page"), tab.is_disabled("#previous")) == (50, "Page 1 of 5", True)
    seen = [row[1] + row[3] for row in rows(tab)]
    for page in range(2, 6):
        tab.click("#next")
        assert tab.inner_text("#page") == f"Page {page} of 5"
        seen += [row[1] + row[3] for row in rows(tab)]
    assert tab.is_disabled("#next")
    assert tab.evaluate("document.activeElement.id") == "next", "who turns pages stays where they are"
    tab.keyboard.press("Enter")
    assert tab.inner_text("#page") == "Page 5 of 5"
    assert len(set(seen)) == 246
    tab.click("#previous")
    assert tab.inner_text("#page") == "Page 4 of 5"


def test_copying_numbers(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    tab.click("#copy-all")
    said(tab, "Copied: 245")
    assert len(clipboard(tab).split()) == 245, "one has no number"
    assert tab.get_attribute("#told", "role") == "status"
    tab.click(".state.invalid .kind:first-of-type [data-copy-kind]")
    said(tab, "Copied: 30")
    copied = clipboard(tab)
    assert copied == "".join(f"{FIRST + place}\n" for place in range(1000, 1030)), "as `settle` reads a file"
    tab.select_option("#state", label="rejected")
    tab.click("#copy-shown")
    said(tab, "Copied: 3")
    assert {int(number) for number in clipboard(tab).split()} == {FIRST + 1500, FIRST + 1700, FIRST + 1701}
    tab.click("[data-command]:visible")
    said(tab, "Copied: 1")
    assert re.fullmatch(r"cashin-async settle \S+ --accepted found.txt --release missing.txt", clipboard(tab))


def test_without_a_clipboard_it_copies_all_the_same(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.evaluate("window.got = ''; document.addEventListener('copy', () => (got = document.activeElement.value))")
    tab.select_option("#state", label="rejected")
    tab.click("#copy-shown")
    said(tab, "Copied: 3")
    assert len(tab.evaluate("got").split()) == 3


def test_both_languages_are_in_it(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    tab.select_option("#state", label="invalid")
    tab.click("[data-lang=fi]")
    assert tab.get_attribute("html", "lang") == "fi"
    assert tab.inner_text(".verdict .first").replace("\u00a0", " ") == (
        "3 002 laskusta 246 vaatii toimenpiteitä; 2 755 on hyväksytty."
    )
    assert tab.title().startswith("Laskujen lähetysraportti 20")
    assert status(tab) == "43 / 246 laskua"
    assert {row[0] for row in rows(tab)} == {"virheellinen"}
    assert tab.get_attribute("#rows td.why bdi", "lang") == "en", "reasons are told in English only"
    assert tab.locator(".kind .words bdi:not([lang=en])").count() == 0
    assert tab.inner_text("#state option:checked") == "virheellinen"
    assert tab.get_attribute("[data-lang=fi]", "aria-pressed") == "true"
    visible = tab.inner_text("body")
    assert not re.search(r"\b(the|invoices|server)\b", re.sub(r"(?s)Laskut, joita ei.*?Ajon tiedot", "", visible)[:400])
    keep(tab, "report-finnish")
    tab.click("[data-lang=en]")
    assert {row[0] for row in rows(tab)} == {"invalid"}


def test_dark_by_the_system_and_by_the_switch(opened: Open, report_file: Path) -> None:
    tab = opened(report_file, dark=True)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(background)
    assert tab.get_attribute("#dark", "aria-pressed") == "true"
    keep(tab, "report-dark")
    tab.click("#dark")
    light = tab.evaluate(background)
    assert tab.get_attribute("#dark", "aria-pressed") == "false"
    assert (dark, light) == ("rgb(18, 22, 28)", "rgb(246, 247, 249)")
    tab.click("#dark")
    assert tab.evaluate(background) == dark


@pytest.mark.parametrize(("dark", "width", "lang"), [(False, 1200, "en"), (True, 1200, "fi"), (False, 360, "fi")])
def test_no_rule_of_accessibility_is_broken(opened: Open, report_file: Path, dark: bool, width: int, lang: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="of the `test` group")
    tab = opened(report_file, dark=dark, width=width)
    tab.evaluate(files(axe).joinpath("axe.min.js").read_text(encoding="utf-8"))
    tab.click(f"[data-lang={lang}]")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = tab.evaluate("tags => axe.run({ runOnly: tags })", tags)
    broken = [(one["id"], one["help"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]]
    assert broken == []
    assert len(found["passes"]) > 25


def test_with_the_keyboard_alone(opened: Open, report_file: Path) -> None:
    tab = opened(report_file)
    seen, outlines = [], set()
    for _ in range(80):
        tab.keyboard.press("Tab")
        name = tab.evaluate("document.activeElement.id || document.activeElement.innerText || ''")
        if tab.evaluate("document.activeElement === document.body"):
            break
        seen.append(name)
        outlines.add(tab.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    for wanted in ("Suomi", "dark", "Copy the command", "state", "kind", "find", "clear", "copy-all", "next"):
        assert wanted in seen
    assert outlines == {"solid"}, "it is always to be seen where one is"
    assert seen[0] == "Skip to the content"
    tab.locator(".skip").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    tab.focus("th[data-by=number] button")
    tab.keyboard.press("Enter")
    assert tab.get_attribute("th[data-by=number]", "aria-sort") == "ascending"
    tab.focus("#next")
    tab.keyboard.press("Space")
    assert tab.inner_text("#page") == "Page 2 of 5"


@pytest.mark.parametrize("width", [320, 390, 768, 1600])
def test_nothing_sticks_out(opened: Open, report_file: Path, width: int) -> None:
    tab = opened(report_file, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    out = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
    for lang in ("fi", "en"):
        tab.click(f"[data-lang={lang}]")
        assert tab.eval_on_selector_all(".counts li, .counts li span, .counts li b", out) == []
    if width == 390:
        keep(tab, "report-narrow")


def test_it_prints(opened: Open, report_file: Path, tmp_path: Path) -> None:
    tab = opened(report_file, dark=True)
    paper = tab.pdf(format="A4")
    pages = len(re.findall(rb"/Type\s*/Page[^s]", paper))
    assert 2 <= pages <= 6
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", (
        "never dark on paper"
    )
    assert (
        tab.eval_on_selector_all("button", "all => all.filter(one => !one.closest('th') && one.checkVisibility())")
        == []
    )
    assert not tab.is_visible("#find")
    assert tab.is_visible("text=Printed is the page of the table")
    assert tab.is_visible("dl.facts")
    assert len(rows(tab)) == 50
    keep(tab, "report-print")


def test_what_others_wrote_stays_text(opened: Open, tmp_path: Path) -> None:
    report = UploadReport("20260806T010000Z-abc123", f"/tmp/{NASTY}.db", locate=lambda ref: ref)
    report.look()
    report.add(Settled(State.REJECTED, [1], [Place(NASTY_NAME, 1)], f"HTTP 400: {NASTY}"))
    report.add(Settled(State.UNKNOWN, [2], [Place(NASTY, 2)], "HTTP 202 with something else", answer=NASTY))
    report.stopped = NASTY
    tab = opened(written(tmp_path / "nasty.html", report))
    shown = rows(tab)
    assert shown[0][2] == f"HTTP 400: {NASTY}"
    assert shown[0][3] == f"{NASTY_NAME}:1"
    assert NASTY in tab.inner_text(".state.rejected")
    assert tab.locator("script").count() == 3
    assert tab.locator("img").count() == 0
    assert NASTY in tab.text_content(".state.unknown pre:not(.t)")
    assert NASTY in tab.text_content("dl.facts")


def test_the_policy_stops_what_should_ever_get_through(browser: Any, report_file: Path) -> None:
    tab = browser.new_page()
    refused: list[str] = []
    tab.on("console", lambda message: refused.append(message.text))
    tab.goto(report_file.as_uri())
    tab.evaluate(
        """() => {
          for (const html of ['<script>document.title = "got through"<' + '/script>', '<b style="color: red">x</b>',
                              '<img src="http://127.0.0.1:9/x">'])
            document.body.append(document.createRange().createContextualFragment(html));
        }"""
    )
    tab.wait_for_timeout(50)
    assert tab.title() != "got through"
    assert len(refused) == 3
    assert all("Content Security Policy" in text for text in refused)
    tab.close()


def test_a_hundred_thousand_failures_open_at_once(opened: Open, many_file: Path) -> None:
    assert many_file.stat().st_size < 1_500_000
    tab = opened(many_file)
    paint, ready = tab.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,"
        " performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"
    )
    assert max(paint, ready) < 1000 * FAST, "there to be read, and to be used"
    assert status(tab) == "100,000 of 100,000 invoices"
    assert tab.locator("#rows tr").count() == 50
    for act in ("th[data-by=number] button", "th[data-by=reason] button", "th[data-by=place] button", "#copy-all"):
        timed = "{ const at = performance.now(); document.querySelector(act).click(); return performance.now() - at }"
        took = tab.evaluate(f"act => {timed}", act)
        assert took < 1000 * FAST, act
    tab.fill("#find", "code 17")
    until_found(tab, "900")
    tab.click("#next")
    assert all("code 17" in row[2] for row in rows(tab))
    tab.click("#clear")
    tab.click("#copy-all")
    said(tab, "Copied: 100,000")


def test_numbers_that_are_too_large_for_a_float_are_exact(opened: Open, tmp_path: Path) -> None:
    largest = 2**63 - 1
    report = UploadReport("20260806T010000Z-abc123", locate=lambda ref: ref)
    report.look()
    report.add(Settled(State.UNKNOWN, [largest, largest - 1, 7, None], [None] * 4, "no answer"))
    tab = opened(written(tmp_path / "large.html", report))
    tab.click("th[data-by=number] button")
    assert [row[1] for row in rows(tab)] == ["–", "7", str(largest - 1), str(largest)]
    assert all(len(row) == 3 for row in rows(tab)), "no file, no column for it"
    tab.click("#copy-all")
    said(tab, "Copied: 3")
    assert clipboard(tab).split() == ["7", str(largest - 1), str(largest)]


def test_a_night_without_failures(opened: Open, tmp_path: Path) -> None:
    report = UploadReport("20260806T010000Z-abc123", locate=lambda ref: ref)
    report.add(Settled(State.ACCEPTED, range(1, 11), range(10)))
    tab = opened(written(tmp_path / "good.html", report, lang="fi"))
    assert tab.inner_text(".verdict.good .first") == "Kaikki 10 laskua on hyväksytty."
    assert "Mikään ei vaadi toimenpiteitä." in tab.inner_text("main")
    assert tab.locator("table").count() == 0
    tab.click("[data-lang=en]")
    assert tab.inner_text(".verdict .first") == "All 10 invoices are accepted."
    keep(tab, "report-all-accepted")


def test_a_file_that_was_cut_short_says_so(opened: Open, report_file: Path, tmp_path: Path) -> None:
    """A mail program that truncates it must not show a table that looks whole."""
    text = report_file.read_text(encoding="utf-8")
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])
    cut = tmp_path / "cut.html"
    cut.write_text(text.replace(data[1], data[1][:-20]), encoding="utf-8")
    assert status(opened(cut)) == "The table cannot be read: the file is cut short."


def test_without_scripts_all_but_the_table_is_there(opened: Open, report_file: Path) -> None:
    tab = opened(report_file, java_script_enabled=False)
    assert tab.locator("noscript p").is_visible()
    assert tab.locator("text=246 of 3,002 invoices need a look").is_visible()
    assert not tab.locator("text=laskusta 246 vaatii").is_visible()
    dead = "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML)"
    assert tab.eval_on_selector_all("button, select, input, table", dead) == []


def test_copying_released_numbers(opened: Open, tmp_path: Path) -> None:
    report = UploadReport("20260806T010000Z-abc123", "/tmp/ledger.db", locate=lambda ref: ref)
    report.released = [2**63 - 1, *range(1, 100)]
    tab = opened(written(tmp_path / "released.html", report))
    tab.click("[data-copy-released]")
    said(tab, "Copied: 100")
    assert clipboard(tab) == "".join(f"{number}\n" for number in report.released)
