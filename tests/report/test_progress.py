"""An upload's live view, drawn from values on terminals of every width."""

import io
import time
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cashin_async import Outcome, Place, Progress, State
from cashin_async.report.frame import Frame, SafeConsole, cut_middle
from cashin_async.report.progress import drawn, line
from cashin_async.report.speed import Meter
from tests.report.test_speed import metered, progress
from tests.screen import Screen

MILLION: dict[str, Any] = {
    "counts": dict.fromkeys(State, 1_000_000),
    "in_flight": 1000,
    "window": 1000,
    "requests": 1_000_000,
    "retries": 1_000_000,
    "held_for": 899.6,
    "in_doubt": 1_000_000,
    "next_ask": 299.9,
}
LONG = "laskutusaineisto-työllisyys-ja-elinvoimapalvelut-marraskuu-2026-korjattu-lopullinen-äöå.jsonl"


def console(columns: int = 80, rows: int = 24, **other: Any) -> Console:
    return SafeConsole(file=io.StringIO(), width=columns, height=rows, highlight=False, markup=False, **other)


class Terminal(io.StringIO):
    """What a console writes goes to a screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.screen = screen
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += bool(text)
        self.screen.write(text.replace("\n", "\r\n"))
        return len(text)


def rows(progress: Progress, columns: int = 80, meter: Meter | None = None, **other: Any) -> list[str]:
    return [text.plain for text in drawn(progress, meter or metered(progress), console(columns, **other))]


def test_it_looks_like_this() -> None:
    seen = [progress(t / 4, int(12_400 * t / 4), 1_000_000, share_read=0.75, read=750_000) for t in range(161)]
    now = progress(
        40.0,
        496_000,
        share_read=0.75,
        read=750_000,
        counts=dict(zip(State, (495_000, 120, 15, 320, 545, 0), strict=True)),
        in_flight=8,
        window=8,
        requests=4_960,
        retries=13,
        held_for=12.3,
        last_failure=Outcome(State.REJECTED, 251_600_002, "HTTP 400: unknown CustomerCode"),
    )
    assert rows(now, meter=metered(*seen, now)) == [
        "━━━━━━━━━━━━━━━━━━━────────────────────  49%             about 40 s left",
        "",
        "    accepted    rejected     invalid   duplicate     unknown      unsent",
        "     495,000         120          15         320         545           0",
        "        read    requests   in flight      window         now     overall",
        "     750,000       4,960           8           8    12,400/s    12,400/s",
        "",
        "the server asks to wait: 12 s, 13 requests sent again",
        "last failure: rejected 251600002: HTTP 400: unknown CustomerCode",
    ]


@pytest.mark.parametrize("columns", [13, 20, 25, 26, 30, 37, 38, 40, 73, 74, 80, 200])
def test_a_million_in_each_column_fits_and_is_aligned(columns: int) -> None:
    now = progress(1.0, 0, 1_000_000, **MILLION)
    shown = rows(now, columns)
    assert all(cell_len(row) < columns for row in shown[:-3]), "but for the words below, which are cut"
    names = [row for row in shown if "accepted" in row or "read " in row or "unknown" in row or "window" in row]
    for row in names:
        values = shown[shown.index(row) + 1]
        assert len(values) == len(row), "a value ends under the end of its name"
        assert len(values.split()) == len(row.replace("in flight", "in-flight").split()), "there is room between them"
    assert " ".join(shown).count("1,000,000 ") >= 6
    assert "1,000,000" in " ".join(shown)


@pytest.mark.parametrize("columns", [13, 30, 40, 80, 200])
def test_it_is_as_high_at_every_moment(columns: int) -> None:
    moments = [
        progress(0.0, 0),
        progress(1.0, 5, share_read=None),
        progress(60.0, 90_000, **MILLION),
        progress(60.0, 100_000, stopped="the deadline of 60 s is over"),
        progress(9.0, 9, last_failure=Outcome(State.INVALID, None, "is not JSON", Place(LONG, 7))),
    ]
    assert len({len(rows(moment, columns)) for moment in moments}) == 1


def test_all_is_done_only_when_it_is() -> None:
    assert "100%" in rows(progress(9.0, 100_000))[0]
    assert " 99%" in rows(progress(9.0, 99_999))[0]
    assert "%" not in rows(progress(9.0, 99_999, share_read=None))[0], "there is no telling"


def test_a_terminal_without_unicode_gets_other_signs() -> None:
    plain = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"), width=80, height=24)
    for text in drawn(progress(9.0, 50_000), metered(progress(9.0, 50_000)), plain):
        assert text.plain.isascii()


def test_the_file_of_a_failure_is_cut_in_its_middle_and_its_reason_at_the_end() -> None:
    failed = Outcome(State.INVALID, None, "x" * 300, Place(f"/srv/{LONG}", 1_000_000))
    row = rows(progress(1.0, 1, last_failure=failed))[-1]
    assert row.startswith("last failure: invalid laskutusaineis…nen-äöå.jsonl:1000000: xxx"), row
    assert "…" not in cut_middle("laskut.jsonl", 28)


def test_nothing_in_a_name_or_a_reason_moves_the_cursor() -> None:
    failed = Outcome(State.INVALID, None, "a\x1b[2Jb\n", Place("x\x1b[1A\r.jsonl", 1))
    shown = "".join(rows(progress(1.0, 1, last_failure=failed, stopped="\x1b]0;title\x07")))
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_a_plain_line_has_the_same() -> None:
    now = progress(10.0, 10_000, held_for=3.0)
    assert line(now, metered(now)) == (
        "100,000 read, 10,000 accepted, 1 in flight, 1,000 invoices/s now, 1,000 overall, about 1 min 35 s left,"
        " the server asks to wait: 3 s"
    )


# -- on a screen


@pytest.fixture
def screen() -> Screen:
    return Screen()


def framed(screen: Screen, columns: int = 80, height: int = 24) -> tuple[Frame, Terminal]:
    terminal = Terminal(screen)
    return Frame(SafeConsole(file=terminal, width=columns, height=height, force_terminal=True)), terminal


def test_each_frame_is_one_write_over_the_one_before(screen: Screen) -> None:
    frame, terminal = framed(screen)
    frame.say("Ledger: /var/lib/cashin/ledger.db")
    failed = Outcome(State.UNKNOWN, 7, "x" * 200)
    for t in range(200):
        now = progress(t / 4, 500 * t, retries=t, last_failure=failed if t > 100 else None)
        frame.draw(drawn(now, metered(now), SafeConsole(file=terminal, width=80, height=24)))
    assert terminal.writes == 201
    assert {text.count("accepted") for text in screen.live} == {1}
    assert {text.splitlines().index("Ledger: /var/lib/cashin/ledger.db") for text in screen.shown} == {0}
    assert screen.visible.splitlines()[-1].endswith("xxx…")
    frame.close()
    frame.close()
    assert screen.visible == "Ledger: /var/lib/cashin/ledger.db"
    assert screen.cursor_shown


def test_what_is_said_stays_above_the_view(screen: Screen) -> None:
    frame, _ = framed(screen)
    for place in range(40):
        frame.draw([Text("first"), Text("second")])
        frame.say(f"line {place}")
    assert screen.text.splitlines()[-3:] == ["line 39", "first", "second"]
    assert screen.text.count("second") == 1


def test_what_does_not_fit_a_low_terminal_is_left_out(screen: Screen) -> None:
    low = Screen(80, 5)
    frame, terminal = framed(low, height=5)
    for t in range(5):
        frame.draw(drawn(progress(t, 1000 * t), Meter(), SafeConsole(file=terminal, width=80, height=5)))
    assert "accepted" in low.visible
    assert len(low.text.splitlines()) == 4, "no frame has scrolled"


def test_a_reader_who_is_gone_costs_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    frame = Frame(SafeConsole(file=Gone(), width=80, height=24, force_terminal=True))
    frame.draw(drawn(progress(1.0, 1), Meter(), console()))
    frame.say("something")
    frame.close()


def test_a_frame_costs_less_than_two_in_a_hundred_of_the_time_between_two() -> None:
    """Drawn four times a second; the mean of many, in the time of this thread alone."""
    screen_of = SafeConsole(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system="256")
    frame, meter = Frame(screen_of), Meter()
    now = progress(60.0, 90_000, **MILLION, last_failure=Outcome(State.UNKNOWN, 7, "HTTP 500 proves nothing"))
    began = time.thread_time()
    for _ in range(100):
        meter.note(now)
        frame.draw(drawn(now, meter, screen_of))
    assert (time.thread_time() - began) / 100 < 0.02 * 0.25
