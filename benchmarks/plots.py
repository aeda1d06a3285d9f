"""The plots, as SVG. Each brings its own ground and follows the reader's system from light to dark."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

_WIDTH = 760
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .small { font-size: 11px; fill: #57606a; }
  .ground { fill: #ffffff; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .whisker { stroke: #24292f; stroke-width: 1.5; }
  .bar { fill: #9aa4af; }
  .ours { fill: #1f7a4d; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9da7b3; }
    .ground { fill: #16191f; }
    .grid { stroke: #353b44; }
    .whisker { stroke: #e6edf3; }
    .bar { fill: #6e7781; }
    .ours { fill: #3fb27f; }
  }
"""
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56a0d3")
"""Okabe and Ito's, which colour-blind readers tell apart, on either ground."""


@dataclass(frozen=True, slots=True)
class Plot:
    file: str
    draw: Callable[[dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Axes:
    """A rectangle with a logarithmic x axis and a y axis from zero."""

    left: float
    top: float
    width: float
    height: float
    xs: Sequence[float]
    top_y: float

    def x(self, value: float) -> float:
        low, high = math.log(self.xs[0]), math.log(self.xs[-1])
        return self.left + self.width * (math.log(value) - low) / (high - low)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / self.top_y)

    def frame(self, label_x: str, label_y: str) -> list[str]:
        parts = [_text(self.left, self.top - 8, label_y, "small")]
        for tick in _ticks(self.top_y):
            parts.append(_line(self.left, self.y(tick), self.left + self.width, self.y(tick), "grid"))
            parts.append(_text(self.left - 6, self.y(tick) + 4, _short(tick), "small", "end"))
        below = self.top + self.height + 16
        parts += [_text(self.x(value), below, _short(value), "small", "middle") for value in self.xs]
        parts.append(_text(self.left + self.width / 2, self.top + self.height + 32, label_x, "small", "middle"))
        return parts

    def curve(self, ys: Sequence[float], colour: str) -> list[str]:
        points = [(self.x(x), self.y(y)) for x, y in zip(self.xs, ys, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        return [f'<polyline class="line" stroke="{colour}" points="{path}"/>', *dots]


def programs(part: dict[str, Any]) -> str:
    """Bars: each program's speed as a share of the blocking raw socket's; whiskers from minimum to maximum."""
    bars = [one for one in part["data"]["programs"] if not one["label"].startswith("ready bytes")]
    blast = next(one for one in part["data"]["programs"] if one["label"].startswith("ready bytes"))
    bars.sort(key=lambda one: -statistics.median(one["of_raw"]))
    left, row, top = 285, 26, 62
    most = max(max(one["of_raw"]) for one in bars)
    scale = (_WIDTH - left - 75) / most
    body = [
        _text(16, 26, f"{part['invoices']:,} invoices, end to end", "title"),
        _text(
            16,
            44,
            "speed, as a share of one blocking raw socket's with JSON Lines; whiskers: minimum to maximum",
            "small",
        ),
    ]
    for place, one in enumerate(bars):
        y, value = top + place * row, statistics.median(one["of_raw"])
        low, high = left + min(one["of_raw"]) * scale, left + max(one["of_raw"]) * scale
        kind = "ours" if one["ours"] else "bar"
        body += [
            _text(left - 8, y + 13, one["label"], anchor="end"),
            f'<rect class="{kind}" x="{left}" y="{y}" width="{value * scale:.1f}" height="18" rx="2"/>',
            _line(low, y + 9, high, y + 9, "whisker"),
            _text(max(high, left + value * scale) + 6, y + 13, f"{value:.2f}"),
        ]
    bottom = top + len(bars) * row
    reach = statistics.median(blast["of_raw"])
    note = f"Not drawn: bytes that were encoded before, blasted by raw sockets, reach {reach:.1f}."
    body.append(_text(16, bottom + 18, note, "small"))
    return _svg(bottom + 32, body)


def surface(part: dict[str, Any]) -> str:
    """A panel for each server: throughput over chunk size, a line for each concurrency."""
    panels, height, gap = part["data"]["panels"], 190, 84
    body = [_text(16, 26, "Throughput by chunk size and requests at once (JSON Lines)", "title")]
    for place, panel in enumerate(panels):
        top = 70 + place * (height + gap)
        fastest = max(max(line["speed"]) for line in panel["lines"])
        axes = Axes(70, top, _WIDTH - 190, height, panel["chunks"], fastest * 1.05)
        answers = (
            f"a server that answers after {panel['delay_ms']:.0f} ms"
            if panel["delay_ms"]
            else "a server that answers at once"
        )
        body += axes.frame("invoices a request (chunk_size)", f"invoices a second; {answers}")
        for index, line in enumerate(panel["lines"]):
            colour = _COLOURS[index % len(_COLOURS)]
            body += axes.curve(line["speed"], colour)
            y, x = top + 12 + index * 18, _WIDTH - 100
            body += [
                f'<line x1="{x}" y1="{y - 4}" x2="{x + 16}" y2="{y - 4}" stroke="{colour}" stroke-width="3"/>',
                _text(x + 22, y, f"{line['at_once']} at once"),
            ]
    return _svg(70 + len(panels) * (height + gap) - 34, body)


def growth(part: dict[str, Any]) -> str:
    """Two panels, speed and peak memory, over the number of invoices."""
    lines = part["data"]["lines"]
    body = [_text(16, 26, "As the work grows", "title")]
    for place, (key, label) in enumerate((("speed", "invoices a second"), ("peak_mb", "peak memory, MB"))):
        medians = [[statistics.median(values) for values in line[key]] for line in lines]
        most = max(max(values) for line in lines for values in line[key])
        axes = Axes(70 + place * 370, 70, 270, 170, lines[0]["sizes"], most * 1.1)
        body += axes.frame("invoices in the run", label)
        for index, (line, middle) in enumerate(zip(lines, medians, strict=True)):
            body += axes.curve(middle, _COLOURS[index])
            for size, values in zip(line["sizes"], line[key], strict=True):
                body.append(_line(axes.x(size), axes.y(min(values)), axes.x(size), axes.y(max(values)), "whisker"))
    for index, line in enumerate(lines):
        x = 70 + index * 140
        body += [
            f'<line x1="{x}" y1="292" x2="{x + 16}" y2="292" stroke="{_COLOURS[index]}" stroke-width="3"/>',
            _text(x + 22, 296, line["label"]),
        ]
    return _svg(312, body)


ALL = {
    "throughput": Plot("programs.svg", programs),
    "surface": Plot("surface.svg", surface),
    "growth": Plot("growth.svg", growth),
}
"""By scenario."""


def _svg(height: float, body: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" role="img">'
    ground = '<rect class="ground" width="100%" height="100%" rx="6"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", ground, *body, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style} text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _ticks(most: float) -> list[float]:
    """Four to eight round numbers from zero."""
    step = 10 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.125, 0.25, 0.5, 1, 2) if most / (step * part) <= 8)
    return [step * place for place in range(int(most / step) + 1)]


def _short(value: float) -> str:
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{sign}"
    return f"{value:g}"
