"""What a pushback teaches: by hand, one at a time."""

import pytest

from cashin_async.bulk.pace import Pace

SHARE = 0.99


def pushed_back(times: list[float], refused: float, heard: float, asked: float = 1.0) -> Pace:
    """After requests that passed, one that was refused, and the hold that it asked for."""
    pace = Pace()
    for time in times:
        pace.passed(time)
    pace.refused(refused, heard, asked)
    pace.resume(heard + asked)
    return pace


def rate(pace: Pace, now: float) -> float:
    at = pace.at(now)
    assert at is not None
    return at


def every(seconds: float, count: int, start: float = 0.0) -> list[float]:
    return [start + seconds * n for n in range(count)]


def test_nothing_is_known_at_first() -> None:
    pace = Pace()
    pace.passed(0.0)
    pace.resume(1.0)
    assert pace.at(1.0) is None


def test_who_is_refused_before_anything_passed_learns_nothing() -> None:
    assert pushed_back([], 0.0, 0.1).at(5.0) is None


def test_the_rate_is_what_passed_in_a_second() -> None:
    assert rate(pushed_back(every(0.01, 10), 0.1, 0.2), 1.2) == pytest.approx(10 * SHARE)


def test_time_without_requests_is_not_taken_for_the_servers_limit() -> None:
    assert rate(pushed_back(every(100.0, 10) + every(0.001, 20, 2000.0), 2000.1, 2000.2), 2001.2) == 20 * SHARE


def test_requests_that_overtook_the_refused_one_count() -> None:
    assert rate(pushed_back([*every(0.01, 8), 0.12, 0.13], 0.1, 0.2), 1.2) == pytest.approx(10 * SHARE)


def test_more_than_a_second_is_counted_by_its_fullest_second() -> None:
    assert rate(pushed_back(every(0.1, 31), 3.05, 3.1), 4.1) == pytest.approx(10 * SHARE)


def test_a_receipt_slower_than_the_hold_still_counts() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    pace.passed(0.11)
    assert rate(pace, 1.5) == pytest.approx(11 * SHARE)


def test_a_receipt_within_the_hold_counts_when_it_is_over() -> None:
    pace = Pace()
    for time in every(0.01, 10):
        pace.passed(time)
    pace.refused(0.1, 0.11, 1.0)
    pace.passed(0.095)
    assert pace.at(0.5) is None
    pace.resume(1.11)
    assert rate(pace, 1.11) == pytest.approx(11 * SHARE)


def test_a_flight_counts_once() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    pace.refused(0.11, 1.5, 1.0)
    assert rate(pace, 1.5) == pytest.approx(10 * SHARE)


def test_a_rate_stays_for_a_minute_and_then_rises_ever_faster() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    rates = [rate(pace, 1.2 + 60 + seconds) / (10 * SHARE) for seconds in (-60, 0, 5, 30, 60, 1e6)]
    assert rates == pytest.approx([1, 1, 2 ** (1 / 36), 2, 16, 2**30])


def test_a_rate_learned_from_few_rises_at_once() -> None:
    pace = pushed_back(every(0.01, 4), 0.1, 0.2)
    assert [rate(pace, 1.2 + seconds) for seconds in (0, 5, 10)] == pytest.approx([4 * SHARE, 8 * SHARE, 64 * SHARE])


def again(pace: Pace, times: list[float], refused: float, asked: float = 1.0) -> float:
    """The rate after the next pushback."""
    for time in times:
        pace.passed(time)
    pace.refused(refused, refused + 0.1, asked)
    pace.resume(refused + 0.1 + asked)
    return rate(pace, refused + 0.1 + asked)


def test_who_kept_to_the_rate_and_is_refused_goes_slower_by_5_percent() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, every(0.1, 300, 1.3), 31.3) == pytest.approx(0.95 * 10 * SHARE)


def test_right_after_a_hold_by_15_percent() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, every(0.1, 30, 1.3), 4.3) == pytest.approx(0.85 * 10 * SHARE)


def test_a_count_that_is_lower_still_holds() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, every(0.1, 6, 1.3), 1.9) == pytest.approx(6 * SHARE)


def test_a_one_second_count_takes_half_at_most() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, [1.3], 1.4) == pytest.approx(5 * SHARE)


def test_a_rise_that_fails_goes_back_to_what_was_borne() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, every(0.1, 640, 1.3), 65.2) == pytest.approx(10 * SHARE)


def test_what_rose_far_loses_5_percent_of_what_it_rose_to() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert again(pace, every(0.02, 1000, 72.0), 91.2) == pytest.approx(0.95 * 20 * SHARE)


def test_refused_again_within_the_hold_asked_for_it_is_counted_over_as_long() -> None:
    pace = pushed_back(every(0.01, 50), 0.5, 0.6, asked=10.0)
    assert rate(pace, 10.6) == pytest.approx(50 * SHARE)
    assert again(pace, every(0.02, 50, 10.6), 11.6, asked=10.0) == pytest.approx(5 * SHARE)


def test_refused_again_and_again_it_is_counted_over_as_long_as_that_lasted() -> None:
    pace = pushed_back(every(0.01, 50), 0.5, 0.6)
    for second in range(2, 11):
        pace.refused(float(second), second + 0.1, 0.8)
        pace.resume(second + 0.9)
    assert rate(pace, 10.9) == pytest.approx(50 * SHARE / 9.5)
    assert rate(pace, 30.9) > 20 * rate(pace, 10.9), "half a second of that was used: no reason to keep to it"


def test_the_longest_span_is_a_minute() -> None:
    pace = pushed_back(every(0.01, 120), 1.2, 1.3)
    pace.refused(801.2, 801.3, 1.0)
    pace.resume(802.3)
    assert rate(pace, 802.3) == pytest.approx(2 * SHARE)


def test_a_long_span_takes_no_account_of_more_than_is_remembered() -> None:
    pace = pushed_back(every(0.001, 10_000), 10.0, 10.1)
    pace.refused(40.0, 40.1, 1.0)
    pace.resume(41.1)
    assert rate(pace, 41.1) == pytest.approx(1000 * SHARE, rel=0.03)


def test_a_server_that_refuses_every_other_request_is_still_asked_once_a_minute() -> None:
    pace = pushed_back([0.0], 0.1, 0.2)
    now = 1.2
    for _ in range(300):
        again(pace, [now], now + 0.5, asked=60.0)
        now += 61.0
    assert SHARE / 60 <= rate(pace, now) < 0.1


def test_time_passing_alone_makes_a_rate_no_limit_and_no_overflow() -> None:
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    assert rate(pace, 1e9) > 1e9


def test_refused_again_within_the_second_that_the_hold_was_shorter_than() -> None:
    """Some of the first ones have left the server's second by then, so that one passes, and the next does not."""
    pace = pushed_back(every(0.01, 10), 0.1, 0.15, asked=0.3)
    pace.passed(1.05)
    pace.refused(1.07, 1.1, 0.0)
    pace.resume(1.6)
    assert rate(pace, 1.6) == pytest.approx(10 * SHARE)


def test_a_lone_429_an_hour_after_another_says_nothing_of_the_rate() -> None:
    """Otherwise thirty invoices that are created at once would go one a second."""
    pace = pushed_back([], 0.0, 0.1)
    for hour in (3600.0, 7200.0):
        pace.passed(hour)
        pace.refused(hour + 0.5, hour + 0.6, 1.0)
        pace.resume(hour + 1.6)
    assert rate(pace, 7200.0 + 1.6) == pytest.approx(SHARE)
    assert rate(pace, 7200.0 + 11.6) == pytest.approx(16 * SHARE)


def test_stragglers_that_end_when_more_have_passed_than_is_remembered() -> None:
    """They were sent behind the refused one: what had passed in front of it is known all the same."""
    pace = pushed_back(every(0.01, 10), 0.1, 0.2)
    for time in every(0.01, 10_000, 1.3):
        pace.passed(time)
    for straggler in (0.12, 0.15):
        pace.passed(straggler)
        assert rate(pace, 1.5) >= 10 * SHARE


def test_a_429_that_took_so_long_that_nothing_in_front_of_it_is_remembered() -> None:
    pace = pushed_back(every(0.01, 5_000, 1.0), 0.5, 51.0)
    assert rate(pace, 52.0) == pytest.approx(100 * SHARE, rel=0.05)
