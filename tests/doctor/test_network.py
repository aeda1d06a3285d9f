"""What is made of a probe: marks, and what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cashin_async.doctor.finding import Finding, Mark
from cashin_async.doctor.network import CLOCK_SECONDS, RENEWAL, clock, way
from cashin_async.transport.probe import Probe

NOW = datetime(2026, 1, 5, tzinfo=UTC)
GOOD = Probe("api.example.test:443", None, ("192.0.2.1",), "TLSv1.3", NOW + RENEWAL, 404, 0.4, 0.12)


def marks(findings: list[Finding]) -> list[Mark]:
    return [one.mark for one in findings]


def test_all_is_well() -> None:
    findings = [*way(GOOD, NOW), *clock(GOOD)]
    assert marks(findings) == [Mark.OK] * 4
    said = " ".join(one.what for one in findings)
    for word in ("192.0.2.1", "TLSv1.3", "2026-01-12", "answers over HTTP", "no key was sent"):
        assert word in said


def test_a_certificate_that_is_about_to_end() -> None:
    findings = list(way(replace(GOOD, expires=NOW + RENEWAL - timedelta(seconds=1)), NOW))
    assert marks(findings) == [Mark.OK, Mark.WARNING, Mark.OK]


def test_a_certificate_that_nobody_verified() -> None:
    warning = list(way(replace(GOOD, expires=None), NOW))[1]
    assert (warning.mark, "verify_tls" in warning.what) == (Mark.WARNING, True)


@pytest.mark.parametrize(
    ("why", "word"),
    [
        ("cannot connect to a:443: its certificate is not trusted (ca_file)", "--ca-file"),
        ("cannot connect to a:443: its certificate is not trusted, expired (or the clock of this machine)", "renew"),
        ("no connection within connect_timeout (base_url)", "connect_timeout"),
        ("cannot connect to the proxy: connection refused (proxy)", "--proxy"),
        ("the proxy refused the connection with HTTP 407 (it wants a login: proxy)", "--proxy"),
        ("cannot connect to a:443: connection refused (base_url)", "--base-url"),
    ],
)
def test_each_reason_has_its_setting(why: str, word: str) -> None:
    broken = replace(GOOD, tls=None, status=None, ahead=None, proxy="http://proxy:1", why_not=why)
    problem = list(way(broken, NOW))[-1]
    assert (problem.mark, problem.what) == (Mark.PROBLEM, why)
    assert word in problem.todo
    assert list(clock(broken)) == []


@pytest.mark.parametrize(
    ("ahead", "mark", "word"),
    [
        (CLOCK_SECONDS, Mark.OK, "within"),
        (-CLOCK_SECONDS, Mark.OK, "within"),
        (CLOCK_SECONDS + 1, Mark.WARNING, "0:01:01 ahead of"),
        (-7200.4, Mark.WARNING, "2:00:00 behind"),
        (None, Mark.OK, "no Date"),
    ],
)
def test_the_clock(ahead: float | None, mark: Mark, word: str) -> None:
    (one,) = clock(replace(GOOD, ahead=ahead))
    assert (one.mark, word in one.what) == (mark, True)
