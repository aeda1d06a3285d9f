"""The report as one HTML file that needs nothing else: no network, no font, no other file.

Both languages are in it, and the style sheet shows one. What is fixed is written here; the rows of the table are in a
block of JSON, from which the page's program shows fifty at a time. The content security policy lets only this very
program and style sheet act, and nothing be fetched: should a value ever escape its quotes, it could still do nothing.
"""

import base64
import hashlib
import shlex
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from cashin_async.bulk.grouping import URGENCY, Kind, first_of_each
from cashin_async.bulk.outcome import FAILURES, State
from cashin_async.models.wire import well_formed
from cashin_async.report import words as w
from cashin_async.report.charts import ORDER, outcomes, peak, throughput
from cashin_async.report.columns import Columns
from cashin_async.report.explanations import explained
from cashin_async.report.markup import Markup, element, script_safe, together
from cashin_async.report.reported import Ending, Reported
from cashin_async.report.words import LANGS, Lang, Words, said
from cashin_async.rules import RULES

_KINDS = 50  # kinds of each outcome that stand above the table: whoever has more needs the table
_FIRST = 10  # numbers of a kind that are shown there
_SHORTEST = 0.1  # seconds of a run whose speed is told: below, one answer more or less is most of the figure
_LONGEST_ANSWER = 2000  # characters of a raw answer: what a person may read


def page(reported: Reported, lang: Lang, version: str) -> Iterator[bytes]:
    """The file in pieces, `lang` first. Nothing in it but this run: the same run gives the same bytes."""
    shown = first_of_each(reported.kinds, _KINDS)
    columns = Columns(reported.rows(), (kind for kind, _ in shown))
    yield b"<!DOCTYPE html>\n"
    yield f'<html lang="{lang}">'.encode()
    yield _head(reported, lang).encode()
    body = element(
        "main",
        _verdict(reported, len(columns)),
        _counts(reported),
        _to_do(reported, shown, columns),
        _throughput(reported),
        _table(shown, columns, lang),
        _facts(reported, version),
        id="main",
        tabindex=-1,
    )
    footer = element("footer", _both(lambda lang: f"cashin-async {version}, {reported.run}"))
    yield f'<body data-run="{_attribute(reported.run)}">'.encode()
    skip = element("a", _say(w.SKIP), href="#main", class_="skip screen")
    yield together([skip, _header(reported, lang), body, footer]).encode(errors="backslashreplace")
    yield b'<script type="application/json" id="words">' + script_safe(_words(shown)) + b"</script>\n"
    if reported.released_numbers:
        numbers = msgspec.json.encode(list(map(str, reported.released_numbers)))
        yield b'<script type="application/json" id="released">' + numbers + b"</script>\n"
    if len(columns):
        yield b'<script type="application/json" id="data">'
        yield from columns.json()
        yield b"</script>\n"
    yield b"<script>" + _file("report.js") + b"</script>\n</body></html>\n"


def _attribute(text: str) -> str:
    return together(text)


# -- what is the same in every file


@cache
def _file(name: str) -> bytes:
    return files(__package__).joinpath("templates", name).read_bytes().strip()


@cache
def _style() -> bytes:
    """Dark by the system's preference or by the switch, never on paper."""
    dark = _file("dark.css")
    preferred = b":root:not([data-theme=light]) {\n" + dark + b"\n}"
    chosen = b":root[data-theme=dark] {\n" + dark + b"\n}"
    both = (
        b"@media screen and (prefers-color-scheme: dark) {\n" + preferred + b"\n}\n@media screen {\n" + chosen + b"\n}"
    )
    return _file("report.css").replace(b"/*dark*/", both)


def _hash(content: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"


def _head(reported: Reported, lang: Lang) -> Markup:
    policy = (
        f"default-src 'none'; style-src {_hash(_style())}; script-src {_hash(_file('report.js'))};"
        " base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{w.TITLE.in_(lang)} {reported.run}"),
        Markup(f"<style>{_style().decode()}</style>"),
    )


# -- pieces


def _both(text: Callable[[Lang], str]) -> list[Markup]:
    """A text in both languages."""
    return [element("span", text(lang), class_="t", lang=lang) for lang in LANGS]


def _say(words: Words, **values: float | str) -> list[Markup]:
    return _both(lambda lang: said(words, lang, **values))


def _button(words: Words, class_: str | None = None, **attributes: Any) -> Markup:
    return element("button", _say(words), type="button", class_=class_, **attributes)


def _section(heading: Words, *content: Any, id_: str) -> Markup:
    return element("section", element("h2", _say(heading), id=id_), *content, aria_labelledby=id_)


def _header(reported: Reported, lang: Lang) -> Markup:
    names = {"fi": "Suomi", "en": "English"}
    languages = [
        element("button", names[one], type="button", data_lang=one, lang=one, aria_pressed=str(one == lang).lower())
        for one in LANGS
    ]
    label = element("span", _say(w.LANGUAGE), id="language", class_="hidden")
    moment = reported.began
    began = element("p", _both(lambda lang: w.moment(moment, lang))) if moment else None
    controls = element(
        "div",
        label,
        element("div", languages, class_="group", role="group", aria_labelledby="language"),
        _button(w.DARK, id="dark", aria_pressed="false"),
        class_="controls screen",
    )
    return element("header", element("div", element("h1", _say(w.TITLE)), began, controls))


# -- the verdict


def _verdict(reported: Reported, listed: int) -> Markup:
    notes = []
    if reported.stopped and reported.ending is Ending.STOPPED:
        notes.append(element("p", _say(w.STOPPED_BECAUSE), " ", element("bdi", reported.stopped, lang="en")))
    if settled := reported.settled_since:
        notes.append(element("p", _say(w.SETTLED_SINCE, settled=settled)))
    if reported.from_ledger:
        told = w.FROM_NOTES if reported.ending is Ending.CUT_OFF else w.FROM_LEDGER
        notes.append(element("p", _say(told), class_="soft"))
        if listed != reported.failed:
            words = w.LISTED if listed < reported.failed else w.MORE_LISTED
            notes.append(element("p", _say(words, listed=listed, failed=reported.failed), class_="soft"))
    words, values = _sentence(reported)
    first = element("p", _say(words, **values), class_="first")
    return element("div", first, notes, class_=f"verdict {'good' if reported.ok else 'look'}")


def _sentence(reported: Reported) -> tuple[Words, dict[str, float]]:
    """The upload in one sentence."""
    values: dict[str, float] = {
        "read": reported.read,
        "failed": reported.failed,
        "released": reported.released,
        "settled": reported.settled_since,
        **{str(state): count for state, count in reported.counts.items()},
    }
    return _which_sentence(reported), values


def _which_sentence(reported: Reported) -> Words:
    unusual = {
        Ending.STOPPED: w.STOPPED,
        Ending.INTERRUPTED: w.INTERRUPTED,
        Ending.CUT_OFF: w.CUT_OFF,
        Ending.UNDER_WAY: w.UNDER_WAY,
    }
    if reported.ending in (Ending.STOPPED, Ending.INTERRUPTED) and reported.read == 1 and reported.failed:
        return w.NONE_BUT_ONE_READ
    if reported.ending in unusual:
        return unusual[reported.ending]
    if reported.failed:
        if reported.read == 1:
            return w.ONE_NEEDS_A_LOOK
        return w.NEEDS_A_LOOK if reported.failed == 1 else w.NEED_A_LOOK
    if reported.source_errors:
        return w.BUT_UNREAD if reported.read else w.UNREADABLE
    if reported.released:
        return w.BUT_RELEASED
    if not reported.read:
        return w.NOTHING_READ
    if reported.settled_since:
        return w.SETTLED_ALL
    if reported.limited:
        return w.ALL_OF_SOME
    if reported.counts[State.DUPLICATE]:
        return w.ONE_DUPLICATE if reported.read == 1 else w.ACCOUNTED_FOR
    return w.ONE_ACCEPTED if reported.read == 1 else w.ALL_ACCEPTED


# -- the counts


def _counts(reported: Reported) -> Markup:
    tiles = [
        element(
            "li",
            element("b", _both(lambda lang, count=reported.counts[state]: w.number(count, lang))),  # type: ignore[misc]
            element("span", _say(w.STATES[state]), class_="name"),
            element("span", _say(w.MEANINGS[state]), class_="meaning"),
            class_=f"{'some' if reported.counts[state] else 'none'} {state}",
        )
        for state in ORDER
    ]
    chart = element(
        "figure",
        outcomes(reported.counts, "outcomes-told"),
        element("figcaption", _both(lambda lang: _shares(reported, lang)), id="outcomes-told"),
    )
    heading = element("h2", _say(w.OUTCOMES), class_="hidden", id="outcomes")
    tiles_of = element("ul", tiles, class_="counts")
    return element("section", heading, tiles_of, chart if reported.read else None, aria_labelledby="outcomes")


def _shares(reported: Reported, lang: Lang) -> str:
    shares = []
    for state in ORDER:
        if count := reported.counts[state]:
            share = 100 * count / reported.read
            shown = "< 0.1" if share < 0.1 else w.number(share, "en", 1)
            shown = "> 99.9" if 99.9 < share < 100 else shown
            shown = shown.removesuffix(".0").replace(".", "," if lang == "fi" else ".")
            percent = f"{shown} %" if lang == "fi" else f"{shown}%"
            shares.append(f"{w.STATES[state].in_(lang)} {percent.replace(' ', w.NO_BREAK)}")
    return f"{said(w.INVOICES_READ, lang, read=reported.read)}: {', '.join(shares)}"


# -- what needs somebody


def _to_do(reported: Reported, shown: Sequence[tuple[Kind, int]], columns: Columns) -> Markup:
    first, numbered = columns.first(_FIRST), columns.numbered()
    cards = [_of_state(state, reported, shown, first, numbered) for state in URGENCY]
    more = len(reported.kinds) - len(shown)
    further = element("p", _say(w.MORE_KINDS, kinds=more)) if more > 0 else None
    content = [card for card in (*cards, _released(reported), _inputs(reported), _unread(reported)) if card]
    nothing = element("p", _say(w.NOTHING_TO_DO), class_="card") if not content else None
    told = element("p", id="told", class_="toast screen", role="status")
    return _section(w.TO_BE_DONE, content, further, nothing, told, _settled(reported), id_="to-do")


def _of_state(
    state: State,
    reported: Reported,
    shown: Sequence[tuple[Kind, int]],
    first: Mapping[Kind, Sequence[str]],
    numbered: Container[Kind],
) -> Markup | None:
    kinds = [(place, kind, count) for place, (kind, count) in enumerate(shown) if kind.state is state]
    if not kinds:
        return None
    to_do = w.TO_DO_UNREMEMBERED if reported.ledger is None else w.TO_DO
    return element(
        "div",
        element("h3", _say(w.HEADINGS[state])),
        element("p", _say(to_do[state])),
        _settling(reported.ledger) if state is State.UNKNOWN and reported.ledger else None,
        [_kind(place, kind, count, first.get(kind, []), kind in numbered, reported) for place, kind, count in kinds],
        class_=f"state {state}",
    )


def _settling(ledger: str) -> list[Markup]:
    command = f"cashin-async settle {shlex.quote(ledger)}"
    commands = [(lang, f"{command} {w.SETTLE.in_(lang)}") for lang in LANGS]
    lines = [element("pre", element("code", text), class_="t", lang=lang) for lang, text in commands]
    buttons = [
        element("button", w.COPY_COMMAND.in_(lang), type="button", class_="t", lang=lang, data_command=text)
        for lang, text in commands
    ]
    return [*lines, element("p", _say(w.FILES_OF_SETTLE), class_="soft"), element("p", buttons, class_="screen")]


def _kind(place: int, kind: Kind, count: int, first: Sequence[str], numbered: bool, reported: Reported) -> Markup:
    answer = reported.answers.get(kind)
    rule = RULES.get(kind.rule or "")
    details = [
        element("details", element("summary", _say(w.EXAMPLE)), element("pre", element("code", rule.right)))
        if rule
        else None,
        element("details", element("summary", _say(w.RAW_ANSWER)), element("pre", answer[:_LONGEST_ANSWER]))
        if answer
        else None,
    ]
    words = element("p", element("bdi", kind.words, translate="no", lang="en"), class_="words") if kind.words else None
    named = element("p", element("code", kind.rule), class_="words") if kind.rule else None
    more = count - len(first)
    numbers = [", ".join(map(str, first)), " " if more > 0 else None, _say(w.AND_MORE, more=more) if more > 0 else None]
    buttons = element(
        "div",
        _button(w.COPY_NUMBERS, data_copy_kind=place) if numbered else None,
        _button(w.SHOW_THEM, data_show_kind=place),
        class_="buttons screen",
    )
    return element(
        "div",
        element(
            "div",
            element("h4", _both(explained(kind).in_), id=f"kind-{place}"),
            element("span", _both(lambda lang: w.number(count, lang)), class_="count"),
            class_="top",
        ),
        named,
        words,
        element("p", numbers, class_="numbers") if first else None,
        details,
        buttons if first else None,
        class_="kind",
    )


def _released(reported: Reported) -> Markup | None:
    if not reported.released:
        return None
    few = reported.released_numbers[:_FIRST]
    more = reported.released - len(few)
    numbers = [", ".join(map(str, few)), " ", _say(w.AND_MORE, more=more) if more else None]
    return element(
        "div",
        element("h3", _say(w.RELEASED), ": ", _both(lambda lang: w.number(reported.released, lang))),
        element("p", _say(w.RELEASED_TO_DO)),
        element("p", numbers, class_="numbers") if few else None,
        element("div", _button(w.COPY_NUMBERS, data_copy_released=True), class_="buttons screen") if few else None,
        class_="state unsent",
    )


def _inputs(reported: Reported) -> Markup | None:
    if not reported.source_errors:
        return None
    problems = [element("li", element("bdi", problem)) for problem in reported.problems[:_KINDS]]
    return element(
        "div",
        element("h3", _say(w.INPUTS)),
        element("p", _say(w.INPUTS_TO_DO_UNREMEMBERED if reported.ledger is None else w.INPUTS_TO_DO)),
        element("ul", problems) if problems else element("p", _say(w.INPUTS_UNNAMED, count=reported.source_errors)),
        class_="state rejected",
    )


def _unread(reported: Reported) -> Markup | None:
    ended = reported.ending is not Ending.UNDER_WAY
    unread = reported.limited or (ended and reported.ending is not Ending.WHOLE and not reported.read_to_end)
    if not unread:
        return None
    words = w.UNREAD_UNREMEMBERED if reported.ledger is None else w.UNREAD
    return element("div", element("p", _say(words)), class_="state unsent")


def _settled(reported: Reported) -> Markup | None:
    accepted, released = reported.settled_accepted, reported.settled_released
    return element("p", _say(w.SETTLED, accepted=accepted, released=released)) if accepted or released else None


# -- throughput


def _throughput(reported: Reported) -> Markup:
    past = reported.past
    if past is None or not sum(past.done):
        return _section(w.THROUGHPUT, element("p", _say(w.NO_HISTORY), class_="card soft"), id_="throughput")
    if reported.seconds < _SHORTEST:
        return _section(w.THROUGHPUT, element("p", _say(w.TOO_SHORT), class_="card soft"), id_="throughput")
    keys = [("bar-done", w.GOT_THROUGH)]
    keys += [("bar-failed", w.NEEDS_SOMEBODY)] if any(past.failed) else []
    keys += [("held", w.HELD)] if any(held >= past.every / 2 for held in past.held) else []
    legend = [
        element(
            "li",
            element("svg", element("rect", class_=kind, width=14, height=14), viewBox="0 0 14 14", aria_hidden="true"),
            _say(name),
        )
        for kind, name in keys
    ]

    def told(lang: Lang) -> str:
        rates = {"peak": w.rate(peak(past, reported.seconds), lang), "mean": w.rate(reported.per_second, lang)}
        sentence = said(w.THROUGHPUT_ALT, lang, **rates, seconds=w.duration(reported.seconds, lang))
        if not reported.held_seconds:
            return sentence
        return f"{sentence} {said(w.HELD_ALT, lang, held=w.duration(reported.held_seconds, lang))}"

    return _section(
        w.THROUGHPUT,
        element(
            "figure",
            element("p", _say(w.PER_SECOND), class_="soft figures"),
            throughput(past, reported.seconds, "throughput-told"),
            element("ul", legend, class_="legend"),
            element("figcaption", _both(told), id="throughput-told"),
            class_="card",
        ),
        id_="throughput",
    )


# -- the table


def _table(shown: Sequence[tuple[Kind, int]], columns: Columns, lang: Lang) -> Markup | None:
    if not len(columns):
        return None
    headings = [("state", w.OUTCOME), ("number", w.NUMBER), ("reason", w.REASON)]
    headings += [("place", w.PLACE)] if columns.has_places else []
    head = [
        element("th", _button(name), scope="col", role="columnheader", data_by=by, id=f"by-{by}")
        for by, name in headings
    ]
    states = [place for place, state in enumerate(FAILURES) if any(kind.state is state for kind, _ in shown)]
    filters = element(
        "div",
        _choice("state", w.OUTCOME, w.ANY_OUTCOME, [(place, w.STATES[FAILURES[place]]) for place in states], lang),
        _choice("kind", w.REASON, w.ANY_REASON, [(at, _named(kind)) for at, (kind, _) in enumerate(shown)], lang),
        element("label", _say(w.SEARCH), element("input", type="search", id="find", autocomplete="off"), class_="find"),
        _button(w.CLEAR, id="clear"),
        class_="filters screen",
    )
    pager = element(
        "span",
        _button(w.PREVIOUS, id="previous"),
        element("span", id="page"),
        _button(w.FOLLOWING, id="next"),
        class_="end",
    )
    bar = element(
        "div",
        element("p", id="status", class_="status", role="status"),
        _button(w.COPY_SHOWN, id="copy-shown"),
        _button(w.COPY_ALL, id="copy-all"),
        pager,
        class_="bar",
    )
    table = element(
        "table",
        element("caption", _say(w.FAILING), class_="hidden"),
        element("thead", element("tr", head, role="row"), role="rowgroup"),
        element("tbody", id="rows", role="rowgroup"),
        role="table",
    )
    return _section(
        w.FAILING,
        element(
            "div",
            filters,
            bar,
            element("p", _say(w.PRINTED), class_="print soft"),
            element("div", table, class_="wide", role="group", aria_labelledby="table", tabindex=0),
            element("p", _say(w.NONE_FOUND), id="nothing", class_="nothing soft", hidden=True),
            element("noscript", element("p", _say(w.WITHOUT_SCRIPT))),
            element("p", _say(w.FAILING_NOTE), class_="soft screen"),
            class_="card",
        ),
        id_="table",
    )


def _choice(id_: str, name: Words, any_: Words, options: Sequence[tuple[int, Words]], lang: Lang) -> Markup:
    """A list to choose from. Options hold text alone, so the page's program renames them with the language."""
    listed = [element("option", any_.in_(lang), value="")]
    listed += [element("option", text.in_(lang), value=value) for value, text in options]
    return element("label", _say(name), element("select", listed, id=id_), class_="reason" if id_ == "kind" else None)


def _named(kind: Kind) -> Words:
    """A kind with its outcome, for a list: two outcomes may have the same reason."""
    state, words = w.STATES[kind.state], explained(kind)
    detail = f" ({kind.rule or _cut(kind.words)})" if kind.rule or kind.words else ""
    return Words(f"{state.fi}: {words.fi}{detail}", f"{state.en}: {words.en}{detail}")


def _cut(text: str) -> str:
    return well_formed(text if len(text) <= 60 else text[:59] + "…")


def _words(kinds: Sequence[tuple[Kind, int]]) -> bytes:
    """What the page's program says, by language; and the outcomes' own names."""
    names = {
        "title": w.TITLE,
        "shown": w.SHOWN,
        "page": w.PAGE,
        "copied": w.COPIED,
        "notCopied": w.NOT_COPIED,
        "anyState": w.ANY_OUTCOME,
        "anyKind": w.ANY_REASON,
        "unreadable": w.UNREADABLE_DATA,
    }
    told: dict[str, Any] = {"states": list(map(str, FAILURES))}
    for lang in LANGS:
        told[lang] = {name: words.in_(lang) for name, words in names.items()}
        told[lang]["states"] = [w.STATES[state].in_(lang) for state in FAILURES]
        told[lang]["kinds"] = [_named(kind).in_(lang) for kind, _ in kinds]
    return msgspec.json.encode(told)


# -- facts


def _facts(reported: Reported, version: str) -> Markup:
    began, environment = reported.began, reported.environment
    ended = w.ENDED_BY_LIMIT if reported.limited else w.ENDINGS[reported.ending]
    facts: list[tuple[Words, Any]] = [
        (w.BEGAN, _both(lambda lang: w.moment(began, lang)) if began else "–"),
        (w.TOOK, _both(lambda lang: w.duration(reported.seconds, lang))),
        (w.ENDED, _say(ended)),
        (w.MEAN, _both(lambda lang: w.rate(reported.per_second, lang)) if reported.seconds >= _SHORTEST else "–"),
        (w.REQUESTS, _requests(reported)),
        (w.HOLDS, _both(lambda lang: _holds(reported, lang))),
        (w.ENVIRONMENT, _say(w.PRODUCTION) if environment == "production" else element("bdi", environment)),
        (w.CREDITOR, element("bdi", reported.creditor) if reported.creditor else _say(w.NOT_GIVEN)),
        (w.LEDGER, element("bdi", reported.ledger) if reported.ledger else _say(w.NONE)),
        (w.RUN, reported.run),
        (w.VERSION, f"cashin-async {version}"),
    ]
    rows = [[element("dt", _say(name)), element("dd", value)] for name, value in facts]
    return _section(w.FACTS, element("div", element("dl", rows, class_="facts"), class_="card"), id_="facts")


def _requests(reported: Reported) -> list[Markup]:
    told = {"requests": reported.requests, "retries": reported.retries}
    if reported.max_in_flight is None:
        return _say(w.REQUESTS_NOTED, **told)
    return _say(w.REQUESTS_TOLD, **told, max=reported.max_in_flight)


def _holds(reported: Reported, lang: Lang) -> str:
    if not reported.holds:
        return w.NO_HOLDS.in_(lang)
    return said(w.HOLDS_TOLD, lang, holds=reported.holds, seconds=w.duration(reported.held_seconds, lang))
