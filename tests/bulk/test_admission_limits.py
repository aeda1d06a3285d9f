"""Admission against servers that allow so much a second and no more, in simulated time.

`used`: what passed in the minute from the first 429 on, of what the server would have let pass.
"""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.bulk.limiters import Bucket, Client, Fixed, Limiter, Places, Sliding

LATENCIES = [(5, latency) for latency in (0.005, 0.02, 0.1, 0.2, 0.3)] + [(50, 0.005), (50, 0.02), (50, 0.1)]
SEEDS = (1, 2)

each_rate_and_latency = pytest.mark.parametrize(("rate", "latency"), LATENCIES)
each_seed = pytest.mark.parametrize("seed", SEEDS)


# -- the goals


@each_seed
@each_rate_and_latency
@pytest.mark.parametrize("mark", [0.0, 0.001], ids=["no ledger", "ledger"])
def test_of_a_limit_a_second_95_percent_is_used_with_2_percent_refused(
    rate: int, latency: float, mark: float, seed: int
) -> None:
    client = Client(Sliding(rate), latency, mark=mark, seed=seed).until(250.0)
    first = client.refused[0]
    assert client.used(rate, first) >= 0.96
    assert client.share_refused(first) <= 0.016
    assert client.used(rate, first + 60, 180) >= 0.96, "and it stays so"
    assert client.share_refused(first + 60, 180) <= 0.01


@each_seed
@each_rate_and_latency
def test_of_a_rate_that_is_set_98_percent_is_used_and_none_refused(rate: int, latency: float, seed: int) -> None:
    client = Client(Sliding(rate), latency, seed=seed, rate=float(rate)).until(120.0)
    assert client.refused == []
    assert client.used(rate, 0.0) >= 0.98
    assert client.used(rate, 60.0) >= 0.985


@each_seed
@pytest.mark.parametrize(("rate", "latency"), [(10, 0.1), (10, 0.2), (10, 0.3), (50, 0.1)])
def test_halved_in_mid_run_the_new_rate_is_kept_after_less_than_10_flights(
    rate: int, latency: float, seed: int
) -> None:
    limiter = Sliding(rate)
    client = Client(limiter, latency, seed=seed).until(40.0)
    limiter.most = rate // 2
    client.until(100.0)
    pushbacks = [time for time in client.pushbacks if time > 40.0]
    assert len(pushbacks) == 2
    held = 1.0  # asked for by the first of them
    assert (pushbacks[1] - 40.0 - held) / latency < 10
    assert client.used(rate // 2, pushbacks[1] + 1.0, 40.0) >= 0.96


@pytest.mark.parametrize(("rate", "latency"), [(10, 0.005), (10, 0.02), (50, 0.005), (50, 0.02)])
def test_where_flights_are_short_it_takes_the_second_that_the_server_counts_over(rate: int, latency: float) -> None:
    limiter = Sliding(rate)
    client = Client(limiter, latency).until(40.0)
    limiter.most = rate // 2
    pushbacks = [time for time in client.until(100.0).pushbacks if time > 40.0]
    assert len(pushbacks) == 2
    assert pushbacks[1] - 40.0 - 1.0 < 1.0


# -- other servers: no goal, but neither a storm of 429s nor a crawl


@each_rate_and_latency
def test_without_a_retry_after(rate: int, latency: float) -> None:
    client = Client(Sliding(rate), latency, retry_after=None).until(250.0)
    first = client.refused[0]
    assert client.used(rate, first) >= 0.93
    assert client.share_refused(first) <= 0.03
    assert client.used(rate, first + 60, 180) >= 0.95


def fixed(rate: int) -> Limiter:
    return Fixed(rate, phase=0.99)


def full_bucket(rate: int) -> Limiter:
    return Bucket(rate, rate)


def half_bucket(rate: int) -> Limiter:
    return Bucket(rate, rate / 2)


def evenly(rate: int) -> Limiter:
    return Bucket(rate, 1)


@each_rate_and_latency
@pytest.mark.parametrize(
    ("make", "used", "refused", "later"),
    [
        (fixed, 0.8, 0.05, 0.85),
        (full_bucket, 0.93, 0.06, 0.95),
        (half_bucket, 0.45, 0.04, 0.88),
        (evenly, 0.4, 0.04, 0.45),
    ],
)
def test_other_ways_to_count_a_second(
    make: Callable[[int], Limiter], used: float, refused: float, later: float, rate: int, latency: float
) -> None:
    client = Client(make(rate), latency).until(250.0)
    first = client.refused[0]
    assert client.used(rate, first) >= used
    assert client.share_refused(first) <= refused
    assert client.used(rate, first + 60, 180) >= later
    assert client.share_refused(first + 60, 180) <= 0.01


@each_rate_and_latency
@pytest.mark.parametrize(
    ("span", "retry_after"), [(10, 1.0), (10, 10.0), (10, None), (60, 1.0), (60, 60.0), (60, None)]
)
@pytest.mark.parametrize("make", [Sliding, Fixed])
def test_limits_over_ten_seconds_or_a_minute(
    make: type[Sliding] | type[Fixed], span: int, retry_after: float | None, rate: int, latency: float
) -> None:
    client = Client(make(rate * span, span), latency, retry_after=retry_after).until(400.0)
    first = client.refused[0]
    assert client.used(rate, 0.0, 400.0) >= 0.6
    assert client.share_refused(first + 60, 280) <= 0.1


@each_rate_and_latency
def test_requests_that_overtake_one_another(rate: int, latency: float) -> None:
    client = Client(Sliding(rate), latency, jitter=0.5).until(250.0)
    first = client.refused[0]
    assert client.used(rate, first, 240.0) >= 0.75
    assert client.share_refused(first, 240.0) <= 0.02


@each_rate_and_latency
def test_refused_from_the_first_request_on(rate: int, latency: float) -> None:
    client = Client(Sliding(rate, closed_until=5.0), latency).until(120.0)
    assert client.used(rate, 12.0) >= 0.95


@pytest.mark.parametrize("places", [1, 2, 4])
@pytest.mark.parametrize("latency", [0.02, 0.1, 0.3])
def test_so_many_at_once_and_no_more(places: int, latency: float) -> None:
    client = Client(Places(places, latency), latency, jitter=0.3).until(240.0)
    assert client.share_refused(0.0, 240.0) <= 0.02
    assert client.used(places / latency, 180.0) >= 0.3


# -- what changes in mid-run


@pytest.mark.parametrize(("rate", "latency"), [(5, 0.005), (5, 0.1), (50, 0.005), (50, 0.07)])
def test_a_server_that_becomes_twice_as_fast_is_found_out_within_100_seconds(rate: int, latency: float) -> None:
    limiter = Sliding(rate)
    client = Client(limiter, latency).until(30.0)
    limiter.most = 2 * rate
    client.until(200.0)
    assert client.used(2 * rate, 130.0) >= 0.9
    assert client.share_refused(30.0, 170.0) <= 0.02


@pytest.mark.parametrize(("rate", "latency"), [(5, 0.005), (5, 0.3), (50, 0.1)])
def test_a_bucket_that_is_halved(rate: int, latency: float) -> None:
    limiter = Bucket(rate, rate)
    client = Client(limiter, latency).until(40.0)
    limiter.rate, limiter.burst = rate / 2, rate / 2
    client.until(120.0)
    assert len([time for time in client.pushbacks if time > 40.0]) < 10
    assert client.used(rate / 2, 60.0) >= 0.9


@pytest.mark.parametrize("idle", [5.0, 30.0, 100.0, 1000.0])
@pytest.mark.parametrize("rate", [5, 50])
def test_time_without_requests_teaches_nothing(rate: int, idle: float) -> None:
    client = Client(Sliding(rate), 0.05).until(20.0)
    client.until(20.0 + idle, idle=True)
    client.until(90.0 + idle)
    assert client.used(rate, 25.0 + idle) >= 0.95
    assert client.share_refused(20.0 + idle) <= 0.03


# -- no price where nothing is refused


def test_a_server_that_never_refuses_is_sent_all_that_the_window_lets_through() -> None:
    client = Client(Places(1_000_000, 0.1), 0.1, jitter=0.0, mark=0.0).until(30.0)
    assert client.used(8 / 0.1, 0.0, 30.0) >= 0.98


def test_after_a_hold_requests_are_spaced() -> None:
    client = Client(Sliding(10), 0.2).until(30.0)
    after = [time for time in client.sent if time > client.refused[0]]
    assert min(later - time for time, later in pairwise(after)) > 0.09
