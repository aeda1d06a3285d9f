"""Tables into the pages, plots as SVG beside them, all from results.json."""

import re
from pathlib import Path

from benchmarks import plots, tables
from benchmarks.arena import ROOT
from benchmarks.results import Results

PAGES = (ROOT / "benchmarks" / "README.md", ROOT / "docs" / "performance.md")
IMAGES = ROOT / "docs" / "images"


def draw(results: Results) -> None:
    blocks = {"figures": tables.whole(results), "surface": tables.best_of_surface(results)}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, block in blocks.items():
            if block:
                text = _between_markers(text, name, block)
        page.write_text(text, encoding="utf-8")
    IMAGES.mkdir(exist_ok=True)
    for name, plot in plots.ALL.items():
        if name in results:
            _write(IMAGES / plot.file, plot.draw(results[name]))


def _between_markers(text: str, name: str, block: str) -> str:
    """`text` with `block` in place of what stands between the markers; unchanged where the page has none."""
    begin, end = f"<!-- {name}: drawn by the suite -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{end}", text)


def _write(path: Path, svg: str) -> None:
    path.write_text(svg, encoding="utf-8")
