"""When a look-up can be believed."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.calibration import Absences, Calibration, unused_number
from cashin_async.bulk.lookup import Found
from cashin_async.models.wire import LARGEST_NUMBER

EXISTS, ABSENT, CANNOT_TELL = Found.EXISTS, Found.ABSENT, Found.CANNOT_TELL
NUMBER = 251600001

# -- a number that was never used


@given(st.lists(st.integers(1, LARGEST_NUMBER), min_size=1, max_size=5), st.randoms())
def test_an_unused_number_looks_like_those_accepted(accepted: list[int], chance: random.Random) -> None:
    number = unused_number(accepted, chance.randrange)
    assert len(str(number)) in {len(str(known)) for known in accepted}
    assert 1 <= number <= LARGEST_NUMBER


@pytest.mark.parametrize(
    ("accepted", "least", "most"),
    [(5, 1, 9), (10, 10, 99), (NUMBER, 100_000_000, 999_999_999), (10**18, 10**18, LARGEST_NUMBER)],
)
def test_an_unused_number_may_be_any_of_that_length(accepted: int, least: int, most: int) -> None:
    assert unused_number([accepted], lambda count: 0) == least
    assert unused_number([accepted], lambda count: count - 1) == most


def test_an_unused_number_is_like_any_of_those_accepted() -> None:
    draws = random.Random(1).randrange
    assert {len(str(unused_number([7, 4711, NUMBER], draws))) for _ in range(100)} == {1, 4, 9}


# -- whether a look-up can be believed

LookOne = Callable[[int], Found]
ACCEPTED = list(range(NUMBER + 20, NUMBER, -1))
"""The latest first."""


class Night:
    """One run's calibration, driven as the engine drives it: a batch of numbers with its probes, over and over."""

    def __init__(self, look: LookOne, accepted: Sequence[int] = ACCEPTED, seed: int = 0) -> None:
        self.look = look
        self.accepted = list(accepted)
        self.calibration = Calibration()
        self.asked: list[list[int]] = []
        self.draw = random.Random(seed).randrange

    def unused(self) -> list[int]:
        """Numbers that stand apart from all accepted ones, in these tests."""
        return [self.draw(10**9, 10**12) for _ in range(2)]

    def batch(self, too_young: Collection[int] = ()) -> bool:
        probes = self.calibration.probes(self.accepted[:10], self.unused())
        assert len(probes) == len(set(probes)) <= 16
        self.asked.append(probes)
        counts = self.calibration.record({number: self.look(number) for number in [1, 2, 3, *probes]}, too_young)
        check(self.calibration)
        return counts

    def batches(self, count: int) -> list[bool]:
        return [self.batch() for _ in range(count)]

    @property
    def doubt(self) -> str:
        return self.calibration.doubt or ""


def check(calibration: Calibration) -> None:
    """What holds at any time."""
    assert calibration.trusted == (calibration.doubt is None)
    if calibration.refused is not None:
        assert not calibration.trusted
        assert calibration.doubt == calibration.refused
    for words in (calibration.refused, calibration.doubt):
        assert words is None or ("look-up" in words and "--lookup-path" in words)


def honest(number: int) -> Found:
    return EXISTS if number in ACCEPTED else ABSENT


def test_an_honest_look_up_counts_from_the_first_batch_on() -> None:
    night = Night(honest)
    assert night.batches(50) == [True] * 50
    assert (night.calibration.trusted, night.calibration.refused, night.calibration.doubt) == (True, None, None)


def test_before_anything_was_asked() -> None:
    calibration = Calibration()
    assert not calibration.trusted
    assert calibration.refused is None
    assert "no accepted number is known" in (calibration.doubt or "")
    assert calibration.record({5: EXISTS, 6: ABSENT}) is False


def test_numbers_that_were_not_asked_as_probes_prove_nothing() -> None:
    calibration = Calibration()
    calibration.probes([5], [6])
    assert calibration.record({7: EXISTS, 8: ABSENT}) is False
    assert not calibration.trusted


def test_one_accepted_number_is_enough() -> None:
    assert Night(honest, ACCEPTED[:1]).batches(3) == [True] * 3


def test_without_an_accepted_number_nothing_counts() -> None:
    night = Night(honest, [])
    assert night.batches(5) == [False] * 5
    assert night.calibration.refused is None
    assert "no accepted number is known" in night.doubt
    night.accepted = ACCEPTED[-1:]
    assert night.batch(), "the first one has been accepted meanwhile"


ALWAYS = [
    (EXISTS, "finds numbers that were never used, as "),
    (ABSENT, "does not find what is known to be accepted"),
]


@pytest.mark.parametrize(("found", "words"), ALWAYS)
def test_a_look_up_that_says_the_same_of_everything_is_refused(found: Found, words: str) -> None:
    night = Night(lambda number: found)
    assert night.batches(5) == [False] * 5
    assert words in (night.calibration.refused or "")
    assert "nothing that it says counts" in (night.calibration.refused or "")
    assert night.asked[2:] == [[]] * 3, "once refused, nothing more is asked"


def test_a_look_up_that_never_can_tell_stays_in_doubt() -> None:
    night = Night(lambda number: CANNOT_TELL)
    assert night.batches(20) == [False] * 20
    assert night.calibration.refused is None
    assert "has not shown yet that it finds" in night.doubt
    assert {number for probes in night.asked for number in probes} >= set(ACCEPTED[:10]), "every candidate has its turn"


def test_a_look_up_that_never_says_absent_stays_in_doubt() -> None:
    night = Night(lambda number: EXISTS if number in ACCEPTED else CANNOT_TELL)
    assert night.batches(20) == [False] * 20
    assert night.calibration.refused is None
    assert "has not shown yet that it says absent" in night.doubt


def test_a_look_up_that_never_finds_stays_in_doubt() -> None:
    night = Night(lambda number: CANNOT_TELL if number in ACCEPTED else ABSENT)
    assert night.batches(20) == [False] * 20
    assert night.calibration.refused is None


SILENT: dict[str, LookOne] = {
    "of none": lambda number: CANNOT_TELL,
    "of none accepted": lambda number: CANNOT_TELL if number in ACCEPTED else ABSENT,
    "of none never used": lambda number: EXISTS if number in ACCEPTED else CANNOT_TELL,
}


@pytest.mark.parametrize("look", SILENT.values(), ids=SILENT)
def test_a_batch_whose_probes_are_not_answered_does_not_count(look: LookOne) -> None:
    night = Night(honest)
    assert night.batches(3) == [True] * 3
    night.look = look
    assert night.batches(3) == [False] * 3
    assert night.calibration.trusted
    night.look = honest
    assert night.batch()


def test_a_look_up_that_begins_to_say_absent_of_everything_is_refused_at_once() -> None:
    night = Night(honest)
    assert night.batches(3) == [True] * 3
    night.look = lambda number: ABSENT
    assert night.batch() is False
    assert "absent, which it had found" in (night.calibration.refused or "")


def test_a_look_up_that_begins_to_find_everything_counts_no_more() -> None:
    night = Night(honest)
    assert night.batches(3) == [True] * 3
    night.look = lambda number: EXISTS
    assert night.batches(20) == [False] * 20
    assert "never used" in (night.calibration.refused or "")


def test_an_accepted_number_that_is_found_late_ends_it() -> None:
    night = Night(lambda number: ABSENT if number == ACCEPTED[0] else honest(number))
    assert night.batch() is False
    night.look = honest
    assert night.batch() is False
    assert f"finds invoice {ACCEPTED[0]}, which it had called absent" in (night.calibration.refused or "")
    assert "settle_after" in (night.calibration.refused or "")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("chance", [0.3, 0.5, 0.7])
def test_a_look_up_that_answers_by_chance_is_refused(chance: float, seed: int) -> None:
    dice = random.Random(seed)
    night = Night(lambda number: EXISTS if dice.random() < chance else ABSENT, seed=seed)
    counted = sum(night.batches(60))
    assert night.calibration.refused
    assert counted <= 5


@pytest.mark.parametrize("seed", range(20))
def test_a_look_up_that_now_and_then_overlooks_one_is_refused(seed: int) -> None:
    dice = random.Random(seed)
    night = Night(lambda number: ABSENT if dice.random() < 0.1 else honest(number), seed=seed)
    night.batches(100)
    assert night.calibration.refused


def test_old_invoices_may_be_gone_from_the_view() -> None:
    night = Night(lambda number: ABSENT if number < ACCEPTED[4] else honest(number))
    counts = night.batches(10)
    assert counts == [False] + [True] * 9, "not when it first shows"
    assert night.calibration.trusted


def test_one_that_is_gone_is_outweighed_by_later_ones() -> None:
    gone = ACCEPTED[3]
    night = Night(lambda number: ABSENT if number == gone else honest(number), accepted=ACCEPTED[3:])
    assert night.batches(3) == [False] * 3
    assert f"invoice {gone} absent, which was accepted" in night.doubt
    assert night.calibration.refused is None
    night.accepted = ACCEPTED[2:]
    assert night.batches(5) == [True] * 5, "one later, and most of all"
    assert gone in night.asked[-1], "it is asked for again all the same"


@pytest.mark.parametrize(
    ("latest_first", "trusted"),
    [
        ("F", True),
        ("FF", True),
        ("M", False),
        ("FM", False),
        ("MF", False),
        ("MFFFFFFFF", False),
        ("FFM", False),
        ("FMF", False),
        ("FMFF", True),
        ("FFMF", True),
        ("FFFM", True),
        ("FFFMMMMMMM", True),
        ("FFMMMMMMMM", False),
        ("FMMFF", False),
        ("FMMFFFF", True),
        ("MMFFFFFFFF", False),
        ("?F", True),
        ("?M", False),
        ("?FMFF", True),
        ("??", False),
        ("", False),
    ],
)
def test_what_outweighs_what(latest_first: str, trusted: bool) -> None:
    """F for an accepted number that is found, M for a missing one, ? for one of which nothing can be told."""
    words = {"F": EXISTS, "M": ABSENT, "?": CANNOT_TELL}
    said = dict(enumerate((words[letter] for letter in latest_first), 1))
    night = Night(lambda number: said.get(number, ABSENT), accepted=list(said))
    night.batches(3)
    assert night.calibration.trusted is trusted
    refused = latest_first.count("M") >= 3 and not trusted
    assert (night.calibration.refused is not None) is refused


def test_a_server_that_shows_invoices_late_is_not_believed() -> None:
    """The old ones are all there, the latest are not yet: what it calls absent may be on its way."""
    night = Night(lambda number: ABSENT if number in ACCEPTED[:2] else honest(number))
    assert night.batches(20) == [False] * 20
    assert not night.calibration.trusted


def test_a_server_that_falls_behind_is_believed_no_more() -> None:
    night = Night(honest, accepted=ACCEPTED[5:])
    assert night.batches(3) == [True] * 3
    night.look = lambda number: ABSENT if number in ACCEPTED[:5] else honest(number)
    night.accepted = ACCEPTED
    assert night.batch() is False
    assert f"invoice {ACCEPTED[0]} absent, which was accepted" in night.doubt
    assert night.batches(5) == [False] * 5
    assert "does not find what is known to be accepted" in (night.calibration.refused or "")


def test_a_server_that_stays_behind_is_refused() -> None:
    """The run goes on, what it has accepted grows old enough to be shown, and is not."""
    night = Night(lambda number: EXISTS if NUMBER - 20 < number <= NUMBER else ABSENT)
    for newest in range(NUMBER, NUMBER + 5):
        night.accepted = list(range(newest, NUMBER - 20, -1))
        assert night.batch() is (newest == NUMBER)
    assert "does not find what is known to be accepted" in (night.calibration.refused or "")


def test_absence_of_what_is_too_young_tells_nothing() -> None:
    night = Night(lambda number: ABSENT if number in ACCEPTED[:2] else honest(number))
    assert night.batches(2) == [False, False]
    night.calibration = Calibration()
    assert night.batch(too_young=ACCEPTED[:2]) is True
    assert night.calibration.trusted
    night.look = honest
    assert night.batches(5) == [True] * 5, "found late, but never held against it"


def test_what_is_too_young_may_be_found_and_then_may_not_be_absent() -> None:
    night = Night(honest)
    assert night.batch(too_young=ACCEPTED) is True
    night.look = lambda number: ABSENT
    assert night.batch(too_young=ACCEPTED) is False
    assert night.calibration.refused


@pytest.mark.parametrize("digit", range(10))
def test_random_numbers_may_be_in_use_by_other_software(digit: int) -> None:
    night = Night(lambda number: EXISTS if number in ACCEPTED or number % 10 == digit else ABSENT, seed=1)
    counts = night.batches(100)
    assert night.calibration.refused is None
    assert night.calibration.trusted
    assert sum(counts) > 75


def test_one_invention_is_outweighed_by_three_right_answers() -> None:
    calibration = Calibration()
    trusted = []
    for number, found in [(11, EXISTS), (12, ABSENT), (13, ABSENT), (14, ABSENT)]:
        calibration.probes([5], [number])
        trusted.append(calibration.record({5: EXISTS, number: found}))
    assert trusted == [False, False, False, True]


def test_it_takes_three_wrong_answers_to_be_refused() -> None:
    for unused, found in ((EXISTS, EXISTS), (ABSENT, ABSENT)):
        calibration = Calibration()
        refused = []
        for number in range(1, 5):
            calibration.probes([number], [100 + number])
            calibration.record({number: found, 100 + number: unused})
            refused.append(calibration.refused is not None)
        assert refused == [False, False, True, True]


def test_an_invention_in_an_overlapping_batch_spoils_it() -> None:
    calibration = Calibration()
    for number in range(11, 20):
        calibration.probes([5], [number])
    assert calibration.record({5: EXISTS, **dict.fromkeys(range(11, 19), ABSENT)}) is True
    calibration.probes([5], [21])
    assert calibration.record({5: EXISTS, 19: EXISTS, 21: ABSENT}) is False
    assert calibration.trusted


def test_where_most_numbers_are_in_use_nothing_can_be_told() -> None:
    night = Night(lambda number: ABSENT if number % 3 == 0 else EXISTS)
    assert night.batches(100) == [False] * 100
    assert "never used" in (night.calibration.refused or "")


def test_a_number_offered_as_accepted_is_not_taken_for_one_never_used() -> None:
    calibration = Calibration()
    assert calibration.probes([5, 5, 6], [5, 7, 7, 8, 9]) == [5, 6, 7, 8]


def test_accepted_numbers_are_asked_again_in_turn() -> None:
    calibration, accepted = Calibration(), list(range(1, 26))
    asked = Counter[int]()
    for batch in range(100):
        probes = calibration.probes(accepted, [1000 + batch])
        asked.update(probes)
        assert calibration.record({number: EXISTS if number in accepted else ABSENT for number in probes}) is True
    assert {number: times for number, times in asked.items() if number in accepted and not 30 < times < 50} == {}
    assert set(accepted) < asked.keys()


def test_those_that_never_have_an_answer_do_not_stand_in_the_way() -> None:
    calibration = Calibration()
    for batch, expected in enumerate([False, True]):
        probes = calibration.probes(range(1, 21), [1000 + batch])
        said = {number: ABSENT if number >= 1000 else EXISTS if number > 10 else CANNOT_TELL for number in probes}
        assert calibration.record(said) is expected


def test_missing_numbers_are_asked_again_in_turn() -> None:
    night = Night(lambda number: ABSENT if number < ACCEPTED[3] else honest(number), accepted=ACCEPTED[:10])
    night.batches(20)
    again = Counter(number for probes in night.asked[2:] for number in probes if number in ACCEPTED[4:])
    assert again == dict.fromkeys(ACCEPTED[4:10], 9)


def test_batches_may_overlap() -> None:
    calibration = Calibration()
    first, second = calibration.probes([5], [6]), calibration.probes([5], [7])
    assert (first, second) == ([5, 6], [5, 7])
    assert calibration.record({5: EXISTS, 7: ABSENT}) is True
    assert calibration.record({5: EXISTS, 6: ABSENT}) is True
    assert calibration.record({5: ABSENT, 6: ABSENT}) is False


def test_what_is_remembered_does_not_grow_with_the_run() -> None:
    night = Night(lambda number: ABSENT if number > 10**9 else EXISTS, accepted=[])
    for number in range(1000, 2000):
        night.accepted = [number, *night.accepted][:10]
        night.batch()
    assert night.calibration.trusted
    held = vars(night.calibration._accepted)
    assert {name: len(value) for name, value in held.items() if len(value) > 100} == {}
    assert len(night.calibration._unused.asked) == 0


def test_what_is_forgotten_is_not_held_against_it() -> None:
    gone = 1000
    night = Night(lambda number: ABSENT if number > 10**9 or number == gone else EXISTS, accepted=[gone])
    night.batch()
    for number in range(1001, 1150):
        night.accepted = [number, *night.accepted][:10]
        night.batch()
    assert night.calibration.trusted
    assert gone not in night.calibration._accepted.missing


@given(st.data(), st.integers(1, 4))
def test_a_batch_counts_only_when_everything_known_was_answered_rightly(data: st.DataObject, known: int) -> None:
    calibration, accepted = Calibration(), list(range(1, known + 1))
    contradicted, said = False, dict[int, Found]()
    for batch in range(data.draw(st.integers(1, 12))):
        probes = calibration.probes(accepted, [100 + 2 * batch, 101 + 2 * batch])
        answers = {number: data.draw(st.sampled_from(Found)) for number in probes}
        before, refused = calibration.trusted, calibration.refused
        counts = calibration.record(answers)
        check(calibration)
        told = {number: found for number, found in answers.items() if found is not CANNOT_TELL}
        if counts:
            assert calibration.trusted
            assert EXISTS in {found for number, found in told.items() if number < 100}
            assert {found for number, found in told.items() if number >= 100} == {ABSENT}
            assert all(said.get(number) is ABSENT for number in told if number < 100 and told[number] is ABSENT)
        contradicted |= any(said.get(number, found) is not found for number, found in told.items())
        said |= told
        assert not contradicted or calibration.refused
        assert refused is None or calibration.refused == refused
        assert not calibration.trusted or before or EXISTS in told.values() or ABSENT in told.values()
        accepted = [accepted[0] + 50, *accepted][:10] if batch == 0 else accepted


# -- absent, and sure of it


def test_a_number_is_absent_when_it_was_called_so_three_times() -> None:
    absences = Absences()
    assert absences.confirm([1, 2]) == []
    assert absences.confirm([]) == []
    assert absences.confirm([2]) == []
    assert absences.confirm(number for number in (1, 2, 3)) == [2]
    assert absences.confirm([1, 2, 3]) == [1]
    assert absences.confirm([3]) == [3]
    assert absences.confirm([2]) == []


@pytest.mark.parametrize("chance", [0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_look_up_that_overlooks_some_by_chance_has_hardly_any_sent_again(chance: float) -> None:
    """A hundred nights with a hundred numbers each that were all applied: to send any of them again is wrong."""
    sent_again = 0
    for seed in range(100):
        dice = random.Random(seed)

        def look(number: int, dice: random.Random = dice) -> Found:
            return ABSENT if number > 10**9 or dice.random() < chance else EXISTS

        night, absences = Night(look, seed=seed), Absences()
        unknown = set(range(100))
        for _ in range(10):
            said = {number: look(number) for number in unknown}
            if night.batch():
                absent = absences.confirm(number for number in unknown if said[number] is ABSENT)
                sent_again += len(absent)
                unknown = {number for number in unknown if said[number] is ABSENT} - set(absent)
    assert sent_again <= 2
