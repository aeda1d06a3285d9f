"""The report's page without a browser: its colours, its words, and what it may do."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from cashin_async.bulk.grouping import Kind
from cashin_async.bulk.history import Past
from cashin_async.bulk.outcome import FAILURES, Settled, State, UploadReport
from cashin_async.ledger.base import Account
from cashin_async.report import words as w
from cashin_async.report.charts import outcomes, peak, throughput
from cashin_async.report.columns import Columns
from cashin_async.report.explanations import RULES_IN_FINNISH, explained
from cashin_async.report.markup import Markup, element, script_safe, together
from cashin_async.report.outcomes import Row
from cashin_async.report.page import page
from cashin_async.report.reported import Ending, of_upload
from cashin_async.report.words import LANGS, Words
from cashin_async.rules import RULES
from cashin_async.sources.source import Place, SourceProblem
from tests.report.conftest import ended, group

ACCEPTED = group(State.ACCEPTED, b"", b"")
NASTY = '</script><script>alert(1)</script><!-- \u2028 \'"quoted" &amp;'

ESCAPED = "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- \u2028 &#x27;&quot;quoted&quot; &amp;amp;"


def told(report: UploadReport, lang: w.Lang = "en", **account: Any) -> str:
    of = Account(account.get("environment", "https://api.example.fi"), account.get("creditor"))
    return b"".join(page(of_upload(report, of), lang, "1.2.3")).decode()


def verdict(text: str, lang: str) -> str:
    found = re.search(rf'<p class="first">.*?lang="{lang}">(.*?)</span>', text)
    assert found is not None
    return found[1].replace("\u00a0", " ")


# -- colours


def colours(file: str) -> dict[str, str]:
    text = files("cashin_async.report").joinpath("templates", file).read_text(encoding="utf-8")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text.split("/*dark*/")[0]))


LIGHT, DARK = colours("report.css"), {**colours("report.css"), **colours("dark.css")}
STATES = [str(state) for state in State]
TEXT = [
    *((ink, ground) for ink in ("ink", "soft") for ground in ("page", "card", "quiet")),
    ("on-accent", "accent"),
    ("accent", "card"),
    ("page", "ink"),
    *((state, f"{state}-tint") for state in map(str, FAILURES)),
]
"""What is written in which colour on which."""
SHAPES = [
    *((state, "card") for state in STATES),
    *((state, "page") for state in STATES),
    ("accent", "card"),
    ("rejected", "held"),
    ("accent", "held"),
    ("field", "card"),
    ("accent", "page"),
]
"""What is to be seen on which: parts of charts, borders of what is operated, the focus."""


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_reckoned_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_shapes_have_the_contrast_of_wcag_aa(theme: dict[str, str]) -> None:
    poor = [(pair, contrast(theme[pair[0]], theme[pair[1]])) for pair in TEXT]
    poor = [one for one in poor if one[1] < 4.5]
    poor += [one for pair in SHAPES if (one := (pair, contrast(theme[pair[0]], theme[pair[1]])))[1] < 3]
    assert poor == []


def test_both_themes_name_the_same_colours() -> None:
    assert colours("dark.css").keys() == colours("report.css").keys()
    style = files("cashin_async.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) <= LIGHT.keys()


# -- markup


def test_text_is_escaped_wherever_it_stands() -> None:
    assert element("p", NASTY, title=NASTY) == (f'<p title="{ESCAPED}">{ESCAPED}</p>')
    assert element("p", element("b", "<"), None, [1, "&"]) == "<p><b>&lt;</b>1&amp;</p>"
    assert element("input", type="search", hidden=True, disabled=False, data_by="a_b") == (
        '<input type="search" hidden data-by="a_b">'
    )
    assert together(Markup("<b>")) == "<b>"


def test_json_ends_no_script() -> None:
    safe = script_safe(f'["{NASTY}"]'.encode()).decode()
    assert not set("<>&\u2028\u2029") & set(safe)


def test_the_page_may_do_nothing_but_what_is_in_it() -> None:
    text = told(ended(ACCEPTED, group(State.UNKNOWN, b"", reason=NASTY)))
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', text)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#x27;", "'").split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy[1]
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert not re.search(
        r"(?i)\b(src|href|url)\s*[=(]|@import|\son\w+=|\sstyle=", text.split("<script>")[0].replace('href="#main"', "")
    )
    assert "http" not in re.sub(r"https://api\.example\.fi|http-equiv|http_equiv|HTTP", "", text)
    assert "innerHTML" not in text


def test_it_holds_no_name_that_is_no_text() -> None:
    odd = Settled(State.UNSENT, [1], [Place("\udcff.jsonl", 1)], "half a \ud800 pair")
    report = UploadReport("run", locate=lambda ref: ref)
    report.look()
    report.add(odd)
    report.problems = [SourceProblem("cannot be read", "\udcff.csv")]
    assert "\\\\udcff.jsonl" in told(report)


# -- the verdict


@pytest.mark.parametrize(
    ("groups", "facts", "fi", "en"),
    [
        ([], {}, "Aineistossa ei ollut yhtään laskua.", "There was no invoice to upload."),
        ([ACCEPTED], {}, "Kaikki 2 laskua on hyväksytty.", "All 2 invoices are accepted."),
        ([group(State.ACCEPTED, b"")], {}, "Lasku on hyväksytty.", "The invoice is accepted."),
        (
            [group(State.DUPLICATE, b"")],
            {},
            "Lasku on kaksoiskappale: se on hyväksytty jo aiemmin.",
            "The invoice is a duplicate.",
        ),
        (
            [ACCEPTED, group(State.DUPLICATE, b"")],
            {},
            "Kaikki 3 laskua on käsitelty: hyväksyttyjä 2, kaksoiskappaleita 1.",
            "All 3 invoices are accounted for: accepted 2, duplicates 1.",
        ),
        (
            [ACCEPTED, group(State.UNKNOWN, b"")],
            {},
            "3 laskusta yksi vaatii toimenpiteitä; 2 on hyväksytty.",
            "One of 3 invoices needs a look; 2 are accepted.",
        ),
        (
            [ACCEPTED, group(State.INVALID, *[b""] * 1200)],
            {},
            "1 202 laskusta 1 200 vaatii toimenpiteitä; 2 on hyväksytty.",
            "1,200 of 1,202 invoices need a look; 2 are accepted.",
        ),
        ([group(State.REJECTED, b"")], {}, "Lasku vaatii toimenpiteitä.", "The invoice needs a look."),
        (
            [ACCEPTED],
            {"stopped": "HTTP 401"},
            "Ajo pysähtyi ennen loppua: 2 luetusta laskusta 2 on hyväksytty.",
            "The upload stopped before its end: 2 of the 2 invoices read are accepted.",
        ),
        (
            [ACCEPTED],
            {"interrupted": True, "stopped": "interrupted by SIGINT"},
            "Ajo keskeytettiin: 2 luetusta laskusta 2 on hyväksytty.",
            "The upload was interrupted: 2 of the 2 invoices read are accepted.",
        ),
        (
            [ACCEPTED],
            {"released": [7, 8]},
            "Laskut on käsitelty, mutta aiemmin vapautettuja laskuja on vielä lähettämättä: 2.",
            "The invoices are accounted for, but released ones are still to be sent: 2.",
        ),
        (
            [ACCEPTED],
            {"problems": [SourceProblem("is truncated", "a.gz")]},
            "Luetut laskut on käsitelty, mutta koko aineistoa ei voitu lukea.",
            "What was read is accounted for, but not every input could be read to its end.",
        ),
        ([], {"problems": [SourceProblem("x")]}, "Aineistoa ei voitu lukea.", "Nothing could be read."),
    ],
)
def test_the_verdict(groups: list[Settled], facts: dict[str, Any], fi: str, en: str) -> None:
    report = ended(*groups)
    for name, value in facts.items():
        setattr(report, name, value)
    text = told(report)
    assert (verdict(text, "fi"), verdict(text, "en")) == (fi, en)
    assert ('class="verdict good"' in text) == (report.exit_code == 0)


def test_what_is_left_to_do_is_there() -> None:
    report = ended(ACCEPTED)
    report.released = [*range(1, 15)]
    report.problems = [SourceProblem("is truncated", "a<b.gz", 7)]
    report.settled_accepted, report.settled_released = [1, 2], [3]
    text = told(report)
    assert "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 " in text
    assert "and 4 more" in text
    assert "a&lt;b.gz:7: is truncated" in text
    assert "a look-up found 2 as accepted and 1 as missing" in text


def test_without_a_ledger_no_command_is_proposed() -> None:
    text = told(ended(group(State.UNKNOWN, b"", reason="no answer within read_timeout")))
    assert "cashin-async settle" not in text
    assert "There was no ledger" in text


@pytest.mark.parametrize("state", FAILURES)
def test_without_a_ledger_nobody_is_told_to_upload_it_all_again(state: State) -> None:
    """What is accepted would be sent, and billed, a second time."""
    report = ended(ACCEPTED, group(state, b"", reason="x"))
    report.stopped, report.read_to_end, report.problems = "x", False, [SourceProblem("is truncated", "a.gz")]
    forgotten = told(report)
    report.ledger = "/var/lib/ledger.db"
    kept = told(report)
    for words in (w.TO_DO[state], w.INPUTS_TO_DO, w.UNREAD):
        for lang in LANGS:
            assert w.said(words, lang) in kept
            assert w.said(words, lang) not in forgotten


def test_a_run_with_a_limit_says_that_there_is_more() -> None:
    report = ended(ACCEPTED)
    report.read_to_end = False
    text = told(report)
    assert verdict(text, "en") == "The 2 invoices read are accounted for, but the input was not read to its end."
    assert verdict(text, "fi") == "Kaikki 2 luettua laskua on käsitelty, mutta aineistoa ei luettu loppuun."
    for wrong in ("Nothing needs to be done", "ran to its end", "All 2 invoices are accepted"):
        assert wrong not in text
    assert "ran as far as its limit" in text


def test_many_kinds_of_one_outcome_do_not_push_out_another() -> None:
    refused = [group(State.REJECTED, b"", first=place, reason="HTTP 400: " + "a" * place) for place in range(1, 62)]
    text = told(ended(*refused, group(State.INVALID, b"", reason="Reference: bad (reference)")))
    assert "Reference is a Finnish reference" in text
    assert "Further reasons: 11" in text


def test_one_of_a_thing_is_one() -> None:
    one = told(ended(group(State.REJECTED, b"", reason="x")))
    assert "1 invoice read: rejected 100%" in one
    assert "1 luettu lasku: hylätty" in one
    assert "9 invoices need a look; 1 is accepted" in told(
        ended(group(State.ACCEPTED, b""), group(State.UNSENT, *[b""] * 9, reason="x"))
    ).replace("9 of 10 ", "9 ")
    assert "and 1 more" in told(ended(group(State.UNSENT, *[b""] * 11, reason="x")))
    assert "ja 1 muu<" in told(ended(group(State.UNSENT, *[b""] * 11, reason="x")))
    stopped = ended(group(State.UNSENT, b"", reason="HTTP 401"))
    stopped.stopped = "HTTP 401"
    assert verdict(told(stopped), "fi") == "Ajo päättyi kesken: laskua ei hyväksytty."


def test_released_numbers_are_all_in_it() -> None:
    report = ended(ACCEPTED)
    report.released = [2**63 - 1, *range(1, 101)]
    found = re.search(r'id="released">(.*?)</script>', told(report))
    assert found is not None
    assert json.loads(found[1]) == list(map(str, report.released))


def test_a_run_of_a_moment_has_no_speed() -> None:
    report = ended(ACCEPTED)
    report.seconds, report.past = 0.0007, past(2, every=0.05)
    text = told(report)
    assert "too short to tell" in text
    assert "on average. It took" not in text
    assert '<rect class="bar-done"' not in text


@pytest.mark.parametrize("seconds", [0.1, 0.101, 0.13, 0.149, 0.15])
def test_the_mean_is_never_above_the_peak(seconds: float) -> None:
    full = past(*[100] * min(3, int(seconds / 0.05) + 1), every=0.05)
    assert sum(full.done) / seconds <= peak(full, seconds) + 1e-6
    assert peak(full, seconds) <= 4000.001, "a few in a moment are no speed"


def test_facts() -> None:
    report = ended(ACCEPTED)
    report.began = datetime(2026, 8, 6, 1, 2, 3, tzinfo=UTC)
    report.seconds, report.requests, report.retries, report.max_in_flight = 3725.0, 12_345, 6, 8
    report.holds, report.held_seconds = 3, 61.0
    text = told(report, creditor="Me & <You>", environment="production").replace("\u00a0", " ")
    for fact in (
        "1 h 2 min",
        "12,345, 6 of them again; 8 at once at most",
        "12 345, joista uusintoja 6; enintään 8 samanaikaista",
        "3, 1 min 1 s in all",
        "Me &amp; &lt;You&gt;",
        "tuotanto",
        "cashin-async 1.2.3",
    ):
        assert fact in text


# -- words


def all_words() -> Iterator[tuple[str, Words]]:
    for name, value in vars(w).items():
        if isinstance(value, Words):
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}[{key}]", words) for key, words in value.items() if isinstance(words, Words))


def test_each_text_is_there_in_both_languages_with_the_same_values() -> None:
    names = re.compile(r"\{(\w+)\}")
    for name, words in all_words():
        assert words.fi, name
        assert words.en, name
        assert sorted(set(names.findall(words.fi))) == sorted(set(names.findall(words.en))), name


def test_every_outcome_and_ending_has_its_words() -> None:
    assert w.STATES.keys() == w.MEANINGS.keys() == set(State)
    assert w.HEADINGS.keys() == w.TO_DO.keys() == set(FAILURES)
    assert w.ENDINGS.keys() == set(Ending)


def test_every_rule_is_told_in_finnish() -> None:
    assert RULES_IN_FINNISH.keys() == RULES.keys()
    for code in RULES:
        words = explained(Kind(State.INVALID, code, ""))
        assert words.en == f"Breaks the rule: {RULES[code].summary}"
        assert words.fi == f"Rikkoo sääntöä: {RULES_IN_FINNISH[code]}"
    assert explained(Kind(State.INVALID, "ours", "")).en == "Breaks a rule of your own: ours"


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (State.UNKNOWN, "no whole answer within timeout", "No answer came in time"),
        (State.UNKNOWN, "the connection was lost (ServerDisconnectedError)", "The connection broke off"),
        (State.UNKNOWN, "HTTP 503: busy", "The server had a fault"),
        (State.UNKNOWN, "something new", "Nobody knows whether it arrived"),
        (State.REJECTED, "HTTP 400: no", "The server refused it"),
        (State.REJECTED, "its number is taken by a different invoice earlier in this input", "Another invoice"),
        (State.INVALID, "is cut short: the JSON does not end", "The line cannot be read"),
        (State.INVALID, "Expected `object`, got `array`", "The line cannot be read"),
        (State.INVALID, "TotalAmount: Expected `number | null`, got `string`", "A field holds a value of the wrong"),
        (State.INVALID, "is larger alone than a request may be: … bytes (chunk_bytes)", "The invoice is too large"),
        (State.UNSENT, "HTTP 401: the key is refused (CASHIN_API_KEY)", "The server does not take the API key"),
        (State.UNSENT, "the deadline of 5 s is over (deadline)", "The time for the run was over"),
    ],
)
def test_reasons_are_explained(state: State, reason: str, said: str) -> None:
    words = explained(Kind(state, None, reason))
    assert words.en.startswith(said)
    assert words.fi != words.en


def test_figures_as_each_language_writes_them() -> None:
    assert (w.number(1234567.5, "fi", 1), w.number(1234567.5, "en", 1)) == ("1\u00a0234\u00a0567,5", "1,234,567.5")
    assert (w.rate(3.21, "fi"), w.rate(1234.5, "en")) == ("3,2", "1,234")
    assert [w.duration(s, "fi").replace("\u00a0", " ") for s in (0.04, 9.96, 59, 61, 3600)] == [
        "0,0 s",
        "10,0 s",
        "59 s",
        "1 min 1 s",
        "1 h 0 min",
    ]
    moment = datetime(2026, 8, 6, 9, 5, 7, tzinfo=UTC)
    local = moment.astimezone()
    assert w.moment(moment, "fi").startswith(f"{local.day}.8.2026 klo {local:%H.%M.%S} (UTC")
    assert w.moment(moment, "en").startswith(f"{local.day} August 2026, {local:%H:%M:%S} (UTC")


# -- charts


def past(*done: int, every: float = 1.0, failed: tuple[int, ...] = (), held: tuple[float, ...] = ()) -> Past:
    more = len(done)
    return Past(every, done, (failed or (0,) * more), (held or (0.0,) * more))


def rects(svg: str, kind: str) -> list[tuple[float, ...]]:
    found = re.findall(rf'<rect class="{kind}" x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)">', svg)
    return [tuple(map(float, one)) for one in found]


def test_bars_are_as_high_as_the_rate() -> None:
    svg = throughput(past(1000, 500, 0, 250, failed=(0, 500, 0, 1)), 4.0, "label")
    bars, failed = rects(svg, "bar-done"), rects(svg, "bar-failed")
    heights = [height for _, _, _, height in bars]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2) == pytest.approx(4 * heights[2], abs=0.3)
    assert failed[0][3] == pytest.approx(heights[1])
    assert failed[1][3] >= 1.5, "one is to be seen"
    assert {y + height for _, y, _, height in (*bars, *failed)} == {190.0}, "all stand on the axis"
    assert ">1,000<" in svg
    assert ">1\u00a0000<" in svg
    assert 'role="img" aria-labelledby="label"' in svg


def test_holds_are_shaded_where_they_were() -> None:
    svg = throughput(past(10, 0, 0, 10, 0, held=(0.0, 1.0, 0.6, 0.2, 0.5)), 5.0, "label")
    (long, last) = rects(svg, "held")
    assert long == pytest.approx((208.0, 12.0, 248.0, 178.0))
    assert last == pytest.approx((580.0, 12.0, 124.0, 178.0))


@pytest.mark.parametrize("seconds", [0.05, 1, 59, 61, 3600, 86_400, 7 * 86_400])
def test_times_below_are_few(seconds: float) -> None:
    svg = throughput(past(*[5] * 60, every=seconds / 60), seconds, "label")
    assert 2 <= len(re.findall(r'<text class="t" lang="en"[^>]*y="210"', svg)) <= 8


def test_each_outcome_has_its_share_and_what_is_few_is_seen() -> None:
    counts = dict.fromkeys(State, 0) | {State.ACCEPTED: 1_000_000, State.UNKNOWN: 1, State.DUPLICATE: 250_000}
    svg = outcomes(counts, "label")
    widths = {state: float(width) for state, width in re.findall(r'class="part (\w+)".*?width="(.*?)"', svg)}
    assert list(widths) == ["accepted", "duplicate", "unknown"]
    assert widths["unknown"] >= 4
    assert widths["accepted"] / widths["duplicate"] == pytest.approx(4, rel=0.05)
    assert "rect" not in outcomes(dict.fromkeys(State, 0), "label")


# -- columns


def test_columns_are_small() -> None:
    rows = [Row(10**9 + place, "unknown", "no answer", "night.jsonl", place + 1) for place in range(100_000)]
    kind = Kind(State.UNKNOWN, None, "no answer")
    text = b"".join(Columns(rows, [kind]).json())
    assert len(text) < 450_000
    columns = Columns(rows, [kind])
    assert columns.first(3) == {kind: ["1000000000", "1000000001", "1000000002"]}
    assert columns.numbered() == {kind}


def test_a_kind_without_numbers_is_known_by_its_places() -> None:
    columns = Columns([Row(None, "invalid", "is not JSON", "a.jsonl", 7), Row(None, "unsent", "x", None, None)], [])
    assert columns.first(3) == {
        Kind(State.INVALID, None, "is not JSON"): ["a.jsonl:7"],
        Kind(State.UNSENT, None, "x"): [],
    }
    assert columns.numbered() == set()


def test_the_first_numbers_of_a_kind_are_the_lowest() -> None:
    rows = [Row(number, "unsent", "x", None, None) for number in (9, 3, 7, 1, 8)]
    assert Columns(rows, []).first(3) == {Kind(State.UNSENT, None, "x"): ["1", "3", "7"]}


def test_each_language_is_said() -> None:
    for lang in LANGS:
        assert f'<html lang="{lang}">' in told(ended(ACCEPTED), lang)
