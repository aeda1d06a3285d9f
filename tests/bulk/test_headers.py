"""What headers say about when the next request may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.headers import quota_reset, retry_after
from cashin_async.transport.exchange import Answered

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
EPOCH = 1445412480.0  # DATE


def asked(text: str, **headers: str) -> float | None:
    return retry_after(Answered(429, {"retry-after": text, **headers}, received=EPOCH - 30))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("2", 2.0), (" 120 ", 120.0), ("1.5", 1.5), ("007", 7.0), ("9" * 400, 1e9)],
)
def test_retry_after_in_seconds(text: str, seconds: float) -> None:
    assert asked(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "soon",
        "-1",
        "+5",
        "1e3",
        "inf",
        "nan",
        "5s",
        "5, 10",
        "1.",
        ".5",
        "0x10",
        "\u0665",
        "\uff15",
    ],
)
def test_a_retry_after_that_says_nothing(text: str) -> None:
    assert asked(text) is None


def test_no_retry_after() -> None:
    assert retry_after(Answered(429)) is None


@pytest.mark.parametrize(
    "text", [DATE, "Wed, 21 Oct 2015 07:28:00 -0000", "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015"]
)
def test_a_date_is_read_against_the_answers_own_date(text: str) -> None:
    assert asked(text, date="Wed, 21 Oct 2015 07:27:00 GMT") == 60.0


def test_a_date_without_the_answers_date_is_read_against_when_it_came() -> None:
    assert asked(DATE) == 30.0


def test_a_date_beside_a_date_that_cannot_be_read_is_read_against_when_it_came() -> None:
    assert asked(DATE, date="yesterday") == 30.0


def test_a_date_in_the_past_is_now() -> None:
    assert asked(DATE, date="Wed, 21 Oct 2015 08:00:00 GMT") == 0.0


@pytest.mark.parametrize(
    "text",
    ["Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 27:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 +9999999999"],
)
def test_an_impossible_date_says_nothing(text: str) -> None:
    assert asked(text) is None


def reset(headers: dict[str, str]) -> float | None:
    return quota_reset(Answered(202, {"date": DATE, **headers}))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"ratelimit": "limit=10, remaining=0, reset=5"}, id="draft 6"),
        pytest.param({"ratelimit": "Limit=10, Remaining=0, Reset=5"}, id="capitals"),
        pytest.param({"ratelimit": '"default";r=0;t=5'}, id="draft 8"),
        pytest.param({"ratelimit": '"default"; r = 0; t = 5'}, id="with spaces"),
        pytest.param({"ratelimit": 'remaining="0", reset="5"'}, id="in quotes"),
        pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": "5"}, id="a pair"),
        pytest.param({"x-ratelimit-remaining": " 0 ", "x-ratelimit-reset": " 5 "}, id="an X- pair"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1445412485"}, id="a point in time"),
        pytest.param(
            {"ratelimit": "limit=10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, id="half a one"
        ),
        pytest.param(
            {"ratelimit-remaining": "0", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, id="half a pair"
        ),
    ],
)
def test_a_quota_that_is_used_up_says_when_it_comes_back(headers: dict[str, str]) -> None:
    assert reset(headers) == 5.0


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no header"),
        pytest.param({"ratelimit": "limit=10, remaining=1, reset=5"}, id="something left"),
        pytest.param({"ratelimit": '"default";r=3;t=5'}, id="something left, draft 8"),
        pytest.param({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "5"}, id="something left, X-"),
        pytest.param({"ratelimit-remaining": "0"}, id="no reset"),
        pytest.param({"ratelimit-reset": "5"}, id="no remaining"),
        pytest.param({"ratelimit-remaining": "-1", "ratelimit-reset": "5"}, id="negative"),
        pytest.param({"ratelimit-remaining": "none", "ratelimit-reset": "soon"}, id="words"),
        pytest.param({"ratelimit-remaining": "\u0660", "ratelimit-reset": "5"}, id="digits of another script"),
        pytest.param({"ratelimit": "gibberish"}, id="gibberish"),
        pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": "9" * 16}, id="too many digits"),
        pytest.param(
            {
                "ratelimit-remaining": "4",
                "ratelimit-reset": "5",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "9",
            },
            id="the standard one counts",
        ),
    ],
)
def test_a_quota_that_says_nothing(headers: dict[str, str]) -> None:
    assert reset(headers) is None


def test_a_reset_in_the_past_is_now() -> None:
    assert reset({"ratelimit-remaining": "0", "ratelimit-reset": "1445412400"}) == 0.0


def test_a_point_in_time_without_a_date_is_read_against_when_it_came() -> None:
    headers = {"ratelimit-remaining": "0", "ratelimit-reset": "1445412480"}
    assert quota_reset(Answered(202, headers, received=EPOCH - 7)) == 7.0


_texts = st.one_of(
    st.text(),
    st.text("0123456789 :,;=+-.rtGMTJanFebWedOct", max_size=40),
    st.from_regex(
        r"[A-Z][a-z]{2}, \d{1,4} (Jan|Oct) \d{1,12} \d{1,4}[:.]\d{1,4}[:.]\d{1,4} [+-]?\d{0,12}", fullmatch=True
    ),
)


@given(_texts, _texts)
def test_no_header_raises_or_asks_for_a_negative_wait(text: str, date: str) -> None:
    headers = {"retry-after": text, "ratelimit": text, "date": date}
    headers |= {"x-ratelimit-remaining": "0", "x-ratelimit-reset": text}
    answer = Answered(429, headers)
    for seconds in (retry_after(answer), quota_reset(answer)):
        assert seconds is None or 0 <= seconds < 1e16
