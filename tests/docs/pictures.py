"""The diagrams of the documentation, drawn: `python -m tests.docs.pictures` writes them into docs/images.

They are readable on a light and on a dark page. What they show is told in the text beside them, too. The one of the
admission is no sketch: it is what `Admission` does in simulated time.
"""

import heapq
from dataclasses import dataclass, field
from html import escape

from cashin_async.bulk.admission import Admission, Ticket
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import Proof, Then, Verdict
from tests.docs.pages import ROOT

IMAGES = ROOT / "docs" / "images"

_WIDTH = 760
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .small { font-size: 12px; fill: #57606a; }
  .ground { fill: #ffffff; }
  .box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.3; }
  .again { stroke-dasharray: 5 3; }
  .good { fill: #d9f2e3; stroke: #1f7a4d; }
  .doubt { fill: #fdeccf; stroke: #9a5b00; }
  .line { stroke: #57606a; stroke-width: 1.5; fill: none; }
  .head { fill: #57606a; }
  .cross { stroke: #b3261e; stroke-width: 2.5; }
  .bar { fill: #1f7a4d; }
  .refused { fill: #b3261e; }
  .hold { fill: #eceff2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9da7b3; }
    .ground { fill: #16191f; }
    .box { fill: #21262d; stroke: #9da7b3; }
    .good { fill: #12351f; stroke: #3fb27f; }
    .doubt { fill: #3d2a08; stroke: #e3a33d; }
    .line { stroke: #9da7b3; }
    .head { fill: #9da7b3; }
    .cross { stroke: #ff7b72; }
    .bar { fill: #3fb27f; }
    .refused { fill: #ff7b72; }
    .hold { fill: #2a3038; }
  }
"""


def _svg(height: int, title: str, *parts: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">'
    ground = '<rect class="ground" width="100%" height="100%" rx="6"/>'
    return (
        "\n".join([head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", ground, *parts, "</svg>"])
        + "\n"
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{style} text-anchor="{anchor}">{escape(text)}</text>'


def _box(x: float, y: float, width: float, text: str, kind: str = "", height: float = 30) -> str:
    shape = f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"/>'
    return shape + _text(x + width / 2, y + height / 2 + 4.5, text, anchor="middle")


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line with a head, level or upright."""
    across, down = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    back_x, back_y = x2 - 8 * across, y2 - 8 * down
    wing_x, wing_y = (0, 4) if across else (4, 0)
    head = f"{x2:g},{y2:g} {back_x + wing_x:g},{back_y + wing_y:g} {back_x - wing_x:g},{back_y - wing_y:g}"
    return f'<path class="line" d="M{x1:g} {y1:g}L{back_x:g} {back_y:g}"/><polygon class="head" points="{head}"/>'


def _path(steps: str) -> str:
    return f'<path class="line" d="{steps}"/>'


def _cross(x: float, y: float) -> str:
    return f'<path class="cross" d="M{x - 6:g} {y - 6:g}l12 12m0 -12l-12 12"/>'


def states() -> str:
    """What a number goes through."""
    return _svg(
        266,
        "The states of an invoice number",
        _box(20, 98, 100, "never seen", "again"),
        _arrow(120, 113, 160, 113),
        _box(160, 98, 90, "leased"),
        _arrow(250, 113, 290, 113),
        _box(290, 98, 90, "in flight"),
        _path("M380 113H410M410 35V203"),
        *[_arrow(410, y, 440, y) for y in (35, 91, 147, 203)],
        _box(440, 20, 110, "accepted", "good"),
        _box(440, 76, 110, "unknown", "doubt"),
        _box(440, 132, 110, "rejected", "again"),
        _box(440, 188, 110, "unsent", "again"),
        _path("M550 91H580M580 35V91"),
        _arrow(580, 35, 550, 35),
        _text(590, 58, "settled: it is there", "small"),
        _arrow(580, 91, 625, 91),
        _box(625, 76, 110, "released", "again"),
        _text(625, 124, "settled: it is not", "small"),
        _text(
            20,
            246,
            "Dashed: it may be sent when its invoice is in an upload. Accepted and unknown are never sent again.",
            "small",
        ),
    )


def lost_answer() -> str:
    """Where an exchange can break, and what is seen of it."""
    rows = (
        ("no connection is made", 250, None, "nothing", "it was refused: not sent", ""),
        ("lost on the way there", 350, None, "nothing", "the connection was lost", "doubt"),
        ("lost while it is applied", 450, 450, "the invoices", "the connection was lost", "doubt"),
        ("lost on the way back", 450, 350, "the invoices", "the connection was lost", "doubt"),
    )
    parts = [
        _text(250, 28, "client", "small", "middle"),
        _text(455, 28, "server", "small", "end"),
        _text(470, 28, "has then", "small"),
        _text(580, 28, "the client sees", "small"),
    ]
    for place, (what, to, back, has, seen, kind) in enumerate(rows):
        y = 64 + 56 * place
        parts += [_text(20, y + 4, what), _path(f"M250 {y - 18}v36M450 {y - 18}v36"), _text(475, y + 4, has)]
        parts.append(_box(572, y - 15, 174, seen, kind or "good"))
        there, again = y - 6, y + 8
        if to > 250:
            parts.append(_arrow(250, there, to - (10 if to < 450 else 0), there))
        if back is not None and back < 450:
            parts += [_arrow(450, again, back + 10, again), _cross(back, again)]
        else:
            parts.append(_cross(to, there if to < 450 else y))
    return _svg(276, "Where an exchange can break", *parts)


def marks() -> str:
    """What is on disk when, and what a crash leaves."""
    steps = (
        (120, "leased", "on disk"),
        (270, "in flight", "written"),
        (400, "first byte", "goes out"),
        (530, "answer", "comes in"),
        (660, "outcome", "written"),
    )
    parts = [_path("M40 66H730")]
    for x, name, below in steps:
        parts += [
            f'<circle class="head" cx="{x}" cy="66" r="5"/>',
            _text(x, 50, name, anchor="middle"),
            _text(x, 88, below, "small", "middle"),
        ]
    parts += [
        _text(40, 128, "The process is killed here, and the next run knows:", "small"),
        _box(40, 138, 228, "not sent: it goes"),
        _box(272, 138, 386, "in doubt: unknown, never just sent again", "doubt"),
        _box(662, 138, 78, "known", "good"),
        _text(40, 200, "The power fails here, and the last marks may be lost:", "small"),
        _box(40, 210, 78, "it goes"),
        _box(122, 210, 618, "in doubt: unknown, unless the outcome had reached the disk", "doubt"),
    ]
    return _svg(258, "What is on record of a chunk, and when", *parts)


# -- the admission, in simulated time

_LIMIT = 40  # requests in any second, which is what the server allows
_ANSWER, _REFUSAL, _RETRY_AFTER = 0.1, 0.02, 1.0  # seconds
_SECONDS = 6.0
_BAR = 0.25  # seconds that a bar stands for
_CONCURRENCY = 8

_RECEIPT = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "")
_TOO_MANY = Verdict(Proof.REFUSED, Then.AGAIN, State.UNSENT, "", pushback=True, wait=_RETRY_AFTER, slower=True)


@dataclass
class Course:
    """What `Admission` did before a server that allows 40 requests in any second."""

    sent: list[tuple[float, bool]] = field(default_factory=list)
    """When, and whether it was refused."""
    windows: list[tuple[float, int]] = field(default_factory=list)
    """Since when so many might be under way at once."""
    holds: list[tuple[float, float]] = field(default_factory=list)


def course() -> Course:
    """There is always something to send, and time is simulated."""
    admission, made = Admission(concurrency=_CONCURRENCY), Course()
    for _ in range(_CONCURRENCY):
        admission.arrive(100)
    under_way: list[tuple[float, int, Ticket, Verdict]] = []
    now = 0.0
    while now < _SECONDS:
        for ticket in admission.admit(now):
            admission.arrive(100)  # the next one is in the line at once
            passed = [sent for sent, refused in made.sent if not refused and sent > now - 1.0]
            verdict, seconds = (_TOO_MANY, _REFUSAL) if len(passed) >= _LIMIT else (_RECEIPT, _ANSWER)
            made.sent.append((now, verdict is _TOO_MANY))
            heapq.heappush(under_way, (now + seconds, ticket.serial, ticket, verdict))
        made.windows.append((now, int(admission.window)))
        times = [
            when for when in (admission.next_check(now), under_way[0][0] if under_way else None) if when is not None
        ]
        now = min(times)
        while under_way and under_way[0][0] <= now:
            _, _, ticket, verdict = heapq.heappop(under_way)
            admission.finish(ticket, verdict, now, 0.5)
            if verdict is _TOO_MANY:
                made.holds.append((now, admission.held_until))
    return made


def admission() -> str:
    """Requests in flight, and requests sent, over six seconds."""
    made = course()

    def across(seconds: float) -> float:
        return 60 + 660 * min(seconds, _SECONDS) / _SECONDS

    parts = []
    for begin, end in made.holds:
        x, width = across(begin), across(end) - across(begin)
        parts.append(f'<rect class="hold" x="{x:.1f}" y="40" width="{width:.1f}" height="270"/>')
    parts += [
        _text(60, 26, "Requests that may be in flight", "small"),
        _text(60, 176, f"Requests sent in each {_BAR:g} s: taken, and refused with 429", "small"),
    ]
    begin, end = made.holds[0]
    parts.append(_text(across((begin + end) / 2), 56, "hold", "small", "middle"))
    steps = [f"M{across(0):.1f} {150 - 12 * made.windows[0][1]}"]
    for since, window in made.windows:
        steps.append(f"H{across(since):.1f}V{150 - 12 * window}")
    parts.append(_path("".join(steps) + f"H{across(_SECONDS):.1f}"))
    for window in (1, 2, 4, 8):
        parts.append(_text(52, 154 - 12 * window, str(window), "small", "end"))
    bars = int(_SECONDS / _BAR)
    for place in range(bars):
        now = [refused for sent, refused in made.sent if place * _BAR <= sent < (place + 1) * _BAR]
        taken, x, width = now.count(False), across(place * _BAR) + 2, across(_BAR) - 64
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{310 - 5 * taken}" width="{width:.1f}" height="{5 * taken}"/>')
        if refused := now.count(True):
            top = 310 - 5 * (taken + refused)
            parts.append(f'<rect class="refused" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{5 * refused}"/>')
    parts.append(_path("M60 310H720"))
    parts += [_text(across(second), 328, f"{second} s", "small", "middle") for second in range(int(_SECONDS) + 1)]
    return _svg(342, "What the admission does when a server says that there are too many requests", *parts)


PICTURES = {"states": states, "lost-answer": lost_answer, "marks": marks, "admission": admission}

if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(draw(), encoding="utf-8")
