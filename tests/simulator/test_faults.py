"""Reading the specs of faults, and which requests they strike."""

import pytest

from cashin_async.errors import ConfigurationError
from cashin_async.simulator.effects import (
    Echo,
    Effect,
    Fail,
    Late,
    Latency,
    Miscount,
    OnLookUp,
    Poison,
    RateLimit,
    Sent,
    Stale,
    TooLarge,
    TooMany,
)
from cashin_async.simulator.faults import Faults, When, describe, parse
from cashin_async.simulator.kinds import KINDS
from cashin_async.simulator.replies import hold, message


@pytest.mark.parametrize(
    ("spec", "effect"),
    [
        ("latency=2", Latency(2, 2)),
        ("latency=0.1~0.3", Latency(0.1, 0.3)),
        ("413-items=200", TooMany(200)),
        ("413-bytes=1000", TooLarge(1000)),
        ("poison=5", Poison(400, {5})),
        ("poison=5,6,-7", Poison(400, {5, 6, -7})),
        ("poison-402=5", Poison(402, {5})),
        ("poison-403=5", Poison(403, {5})),
        ("poison-422=5", Poison(422, {5})),
        ("poison-402-partly=5", Poison(402, {5}, partly=True)),
        ("poison-422-partly=5", Poison(422, {5}, partly=True)),
        ("miscount=-2", Miscount(uploaded=-2)),
        ("miscount-failed=2", Miscount(failed=2)),
        ("apply-late=0.5", Late(0.5)),
        ("lookup-echo", Echo()),
        ("lookup-stale=600", Stale(600)),
        ("lookup-429", OnLookUp(message(429))),
        ("lookup-429=2", OnLookUp(hold(429, "2"))),
        ("lookup-500", OnLookUp(message(500))),
        ("lookup-503=2", OnLookUp(hold(503, "2"))),
        ("lookup-status=401", OnLookUp(message(401))),
    ],
)
def test_the_argument(spec: str, effect: Effect) -> None:
    assert parse(spec).effect == effect


@pytest.mark.parametrize(
    ("spec", "when"),
    [
        ("drop-after", When()),
        ("drop-after@3", When(3, 3)),
        ("drop-after@3+", When(3, None)),
        ("drop-after@3-5", When(3, 5)),
        ("drop-after@5%", When(probability=0.05)),
        ("drop-after@0.5%", When(probability=0.005)),
        (" drop-after@100% ", When(probability=1)),
        ("429=2@3-5", When(3, 5)),
        ("poison=1,2@4", When(4, 4)),
    ],
)
def test_when(spec: str, when: When) -> None:
    assert parse(spec).when == when
    assert parse(spec).spec == spec.strip()


@pytest.mark.parametrize(
    ("spec", "struck"),
    [
        ("empty", [1, 2, 3, 4, 5, 6]),
        ("empty@3", [3]),
        ("empty@3+", [3, 4, 5, 6]),
        ("empty@3-5", [3, 4, 5]),
        ("empty@100%", [1, 2, 3, 4, 5, 6]),
        ("empty@0%", []),
    ],
)
def test_the_requests_it_strikes(spec: str, struck: list[int]) -> None:
    fault = parse(spec)
    assert [request for request in range(1, 7) if fault.strikes(request)] == struck


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "drop-aftr",
            ["no fault 'drop-aftr'", "Did you mean 'drop-after'?", "5xx-before[=SECONDS]", "latency=SECONDS"],
        ),
        ("", ["no fault ''", "Known: "]),
        ("600-before", ["no fault '600-before'"]),
        ("fail-objekt=1", ["Did you mean 'fail-object'?"]),
        ("latency", ["'' is no number of seconds", "latency=SECONDS[@WHEN]", "'latency=0.1~0.3'"]),
        ("latency=-1", ["'-1' is no number of seconds"]),
        ("latency=nan", ["'nan' is no number of seconds"]),
        ("latency=2~1", ["runs backwards"]),
        ("429=", ["nothing behind the ="]),
        ("429=soon", ["'soon' is no number of seconds", "429[=SECONDS]"]),
        ("429-date", ["429-date=SECONDS"]),
        ("503-after=x", ["503-after[=SECONDS]"]),
        ("rate-limit=0", ["0 is less than 1"]),
        ("413-items=many", ["'many' is no whole number"]),
        ("poison", ["'' is no whole number", "poison=NUMBER[,NUMBER...]"]),
        ("poison=1,,2", ["'' is no whole number"]),
        ("drop-after=5", ["it takes no argument"]),
        ("status=199", ["199 is not between 200 and 599"]),
        ("status-after=600", ["600 is not between 200 and 599"]),
        ("apply-late", ["'' is no number of seconds", "apply-late=SECONDS"]),
        ("lookup-stale=soon", ["'soon' is no number of seconds"]),
        ("lookup-echo=5", ["it takes no argument"]),
        ("lookup-600", ["no fault 'lookup-600'"]),
        ("lookup-status=600", ["600 is not between 200 and 599"]),
        ("drop-after@", ["'' is no WHEN", "5%, 3, 3+ or 3-5"]),
        ("drop-after@0", ["names no request"]),
        ("drop-after@5-3", ["names no request"]),
        ("drop-after@101%", ["101 is not between 0 and 100"]),
        ("drop-after@3@4", ["'3@4' is no WHEN"]),
        ("drop-after@٣", ["is no WHEN"]),
    ],
)
def test_what_cannot_be_read(spec: str, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(spec)
    assert isinstance(caught.value, ValueError)
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_probability_is_drawn_from_the_seed_alone() -> None:
    faults = parse("drop-after@5%", seed=1), parse("drop-after@5%", seed=1), parse("drop-after@5%", seed=2)
    struck = [[request for request in range(1, 20_001) if fault.strikes(request)] for fault in faults]
    assert struck[0] == struck[1] != struck[2]
    assert len(struck[0]) == pytest.approx(1000, rel=0.1)


def test_the_draws_are_the_same_on_every_python() -> None:
    fault = parse("empty@20%")
    assert [request for request in range(1, 31) if fault.strikes(request)] == [21, 22, 25, 26, 28, 30]


def test_latency_is_spread_between_its_ends() -> None:
    spread = [parse("latency=0.1~0.3").delay(request) for request in range(1, 1001)]
    assert 0.1 <= min(spread) < 0.11
    assert 0.29 < max(spread) <= 0.3
    assert {parse("latency=0.2").delay(request) for request in range(1, 10)} == {0.2}


def test_the_limiter_slides() -> None:
    limiter = RateLimit(2)

    def passes(at: float) -> bool:
        return limiter.before(Sent(b"", at=at)) is None

    assert [passes(at) for at in (10.0, 10.9, 10.95, 10.99)] == [True, True, False, False]
    assert [passes(at) for at in (11.0, 11.5, 11.9, 11.95)] == [True, False, True, False]


def test_faults_are_added_and_cleared() -> None:
    faults = Faults(["latency=1@2+"])
    faults.add("drop-after@3")
    assert [[fault.spec for fault in faults.striking(request)] for request in (1, 2, 3)] == [
        [],
        ["latency=1@2+"],
        ["latency=1@2+", "drop-after@3"],
    ]
    faults.clear()
    assert faults.striking(3) == ()


def test_every_kind_has_an_example_that_works() -> None:
    described = describe()
    assert len(described) == len(KINDS) == len({kind.name for kind in KINDS})
    for (example, text), kind in zip(described, KINDS, strict=True):
        assert isinstance(parse(example).effect, Effect)
        assert text
        assert example.startswith(kind.name) or "5xx" in kind.name


@pytest.mark.parametrize(
    ("form", "element"),
    [
        ("object", {"InvoiceNumber": 70001, "Message": "Refused"}),
        ("camel", {"invoiceNumber": 70001, "message": "Refused"}),
        ("snake", {"invoice_number": "70001"}),
        ("nested", {"Invoice": {"Header": {"InvoiceNumber": 70001}}, "Errors": ["Refused"]}),
        ("number", 70001),
        ("string", "70001"),
        ("sentence", "Invoice 70001 was refused: VatPercent 24 is not known"),
        ("anonymous", {"Message": "An invoice was refused"}),
        ("index", 2),
    ],
)
def test_the_forms_of_a_failure(form: str, element: object) -> None:
    effect = parse(f"fail-{form}=70001").effect
    assert isinstance(effect, Fail)
    assert effect.failures(Sent(b"", (70003, 70002, 70001))) == {2: element}
