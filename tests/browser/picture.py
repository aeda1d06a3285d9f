"""The picture in docs/report.md, from an upload of made-up invoices to the simulator.

python -m tests.browser.picture
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.browser.conftest import BROWSERS, ROOT, written
from tests.browser.uploads import every_failure

PICTURE = ROOT / "docs" / "images" / "report.png"


def draw() -> None:
    """The top of the page, as wide as a column of text."""
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        path = next(filter(None, map(shutil.which, BROWSERS)))
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = chromium.new_page(viewport={"width": 1000, "height": 780}, color_scheme="light")
        report = every_failure(Path(folder))
        report.ledger = "/var/lib/cashin/ledger.db"  # not the folder of this script
        tab.goto(written(Path(folder, "report.html"), report).as_uri())
        tab.screenshot(path=PICTURE)
        chromium.close()


if __name__ == "__main__":
    draw()
