"""Debian's Chromium without a window, started and stopped by the tests; and pages to open in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cashin_async import __version__
from cashin_async.bulk.outcome import UploadReport
from cashin_async.ledger.base import Account
from cashin_async.report.page import page
from cashin_async.report.reported import of_upload
from cashin_async.report.words import Lang

ROOT = Path(__file__).parents[2]
ARTEFACTS = Path(os.environ.get("CASHIN_ARTEFACTS", ROOT / "build" / "screenshots"))
"""Where screenshots are kept."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Debian's name, and what others call it."""
PATIENCE = 5000.0
"""Milliseconds after which what should come does not."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """It runs as root too, and so without its sandbox: it opens nothing but what these tests have written.

    Not for longer than a module: its driver runs an event loop in this thread, beside which no other one can run.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="of the `test` group: pip install playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a file as a double click does. At the end nothing was fetched, and the console is empty."""
    with _watching() as watch:
        contexts = []

        def opens(path: Path, *, dark: bool = False, width: int = 1200, **options: Any) -> Any:
            scheme = "dark" if dark else "light"
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
            contexts.append(context)
            context.set_default_timeout(PATIENCE)
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            tab = context.new_page()
            watch(tab)
            tab.goto(path.as_uri())
            return tab

        yield opens
        for context in contexts:
            context.close()


@contextmanager
def _watching() -> Iterator[Callable[[Any], None]]:
    said: list[str] = []
    fetched: list[str] = []

    def watch(tab: Any) -> None:
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda request: fetched.append(request.url))

    yield watch
    assert said == []
    assert all(url.startswith("file://") and url.endswith(".html") for url in fetched), fetched


def written(path: Path, report: UploadReport, lang: Lang = "en") -> Path:
    """The page of an upload that has ended."""
    account = Account("https://api.example.fi", "Esimerkki Oy")
    path.write_bytes(b"".join(page(of_upload(report, account), lang, __version__)))
    return path


def keep(tab: Any, name: str, **options: Any) -> None:
    """A screenshot for people to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True, **options)
