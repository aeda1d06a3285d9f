"""The events that are logged: their table, the page that tells of them, and the places in the code that log them."""

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cashin_async import events
from cashin_async.events import EVENTS, Event, Thinned, where

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "logging.md"
LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
NAMES = {name: event for name, event in vars(events).items() if isinstance(event, Event)}


def described(event: Event) -> str:
    """Its row in the page."""
    fields = "<br>".join(f"`{field}`: {text}" for field, text in event.fields.items())
    return f"| `{event.name}` | {LEVELS[event.level]} | {event.meaning} | {fields} |"


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Where an event is logged: the file, the event's name in the code, and the fields that it is given."""
    package = ROOT / "cashin_async"
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tell"):
                continue
            fields = {keyword.arg or "**" for keyword in node.keywords}
            first = node.args[0] if node.args else None
            if isinstance(node.func.value, ast.Name) and node.func.value.id in NAMES:
                yield file, node.func.value.id, fields
            elif isinstance(first, ast.Name) and first.id in NAMES:  # by `Thinned`, which adds the count
                yield file, first.id, fields | {"count"}


def test_every_event_is_on_the_page_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if re.match(r"\| `[a-z]+\.[a-z]+` \|", row)]
    assert rows == [described(event) for event in EVENTS.values()]


def test_names_are_a_noun_and_a_verb_and_stand_once() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in EVENTS)
    assert len(NAMES) == len(EVENTS)
    assert all(name == event.name.upper().replace(".", "_") for name, event in NAMES.items())


def test_no_field_hides_what_a_record_has_itself() -> None:
    record = logging.makeLogRecord({})
    taken = {*vars(record), "message", "asctime", "event", "time", "level"}
    for event in EVENTS.values():
        assert not taken & event.fields.keys(), event.name


def test_each_place_that_logs_gives_the_fields_of_the_table_and_each_event_is_logged_somewhere() -> None:
    found = list(calls())
    for file, name, fields in found:
        assert fields == NAMES[name].fields.keys(), (file, name)
    assert {name for _, name, _ in found} == NAMES.keys()


def test_nothing_is_logged_but_events() -> None:
    for path in (ROOT / "cashin_async").rglob("*.py"):
        if path.name == "events.py":
            continue
        loose = re.findall(r"\blog\.(debug|info|warning|error|exception|critical|log)\(", path.read_text())
        assert not loose, path.name


def test_a_record_has_the_fields_as_attributes_and_in_its_message(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("cashin_async.test")
    with caplog.at_level(logging.INFO, "cashin_async.test"):
        events.HOLD_BEGAN.tell(log, seconds=1.5, reason="HTTP 429:\nforged line")
        events.LOOKUP_TRUSTED.tell(log)
    first, second = caplog.records
    assert (first.event, first.seconds, first.levelname) == ("hold.began", 1.5, "INFO")  # type: ignore[attr-defined]
    assert first.getMessage() == "hold.began seconds=1.5 reason='HTTP 429:\\nforged line'", "one line in any case"
    assert first.msg == "hold.began seconds=%(seconds)r reason=%(reason)r", "what collectors of errors group by"
    assert first.filename == "test_events.py", "the caller's place"
    assert second.getMessage() == "lookup.trusted"


def test_the_root_of_a_traceback_is_found() -> None:
    with pytest.raises(ValueError, match="quotes") as caught:
        raise ValueError("quotes something")
    assert re.fullmatch(r".*test_events\.py:\d+", where(caught.value))
    assert where(ValueError()) == "?"


# -- what may come 100,000 times


def counts(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(record.reason, record.count) for record in caplog.records]  # type: ignore[attr-defined]


def test_the_first_of_a_kind_is_told_at_once_and_then_one_a_minute_with_the_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    thinned = Thinned(logging.getLogger("cashin_async.test"), lambda: now)
    with caplog.at_level(logging.INFO, "cashin_async.test"):
        for place in range(100_000):
            now = place / 1000  # 100 s in all
            kind = "rare" if place == 70_000 else "often"
            thinned.tell(events.EXCHANGE_FAILED, kind, reason=kind, invoices=1)
        assert counts(caplog) == [("often", 1), ("often", 60_000), ("rare", 1)]
        assert {record.filename for record in caplog.records} == {"test_events.py"}, "the place that tells of it"
        thinned.tell_rest()
        thinned.tell_rest()
    assert counts(caplog)[3:] == [("often", 39_998)]
    assert sum(count for _, count in counts(caplog)) == 100_000


def test_more_kinds_than_anybody_reads_are_counted_together(caplog: pytest.LogCaptureFixture) -> None:
    thinned = Thinned(logging.getLogger("cashin_async.test"), lambda: 0.0)
    with caplog.at_level(logging.INFO, "cashin_async.test"):
        for kind in range(10_000):
            thinned.tell(events.EXCHANGE_FAILED, kind, reason=str(kind), invoices=1)
        thinned.tell_rest()
    assert len(caplog.records) == 102
    assert sum(count for _, count in counts(caplog)) == 10_000
