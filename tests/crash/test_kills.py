"""A process is killed, at random instants and at chosen points; then the same command runs again: nobody is billed
twice, and nobody is forgotten.

The short form runs with the other tests; the long one, of 200 kills by SIGKILL, is

    CASHIN_KILLS=200 python3 run.py pytest tests/crash
"""

import os
import random
import signal

import pytest

from tests.crash.conftest import Scene
from tests.crash.uploader import POINTS

KILLS = int(os.environ.get("CASHIN_KILLS", "8"))


def _instants(seed: int, count: int) -> list[float]:
    """Most of them while requests are on their way, some while the process still starts."""
    chance = random.Random(seed)
    return [-chance.uniform(0.0, 0.6) if chance.random() < 0.15 else chance.uniform(0.0001, 0.25) for _ in range(count)]


@pytest.mark.parametrize("part", range(max(1, KILLS // 8)))
def test_killed_at_random_instants_and_resumed_with_a_look_up(scene: Scene, part: int) -> None:
    for instant in _instants(part, 8):
        if scene.run_and_strike(signal.SIGKILL, instant, "--lookup") is not None:
            break  # it had ended before
    report = scene.run("--lookup")
    scene.check_complete(report)


@pytest.mark.parametrize("part", range(max(1, KILLS // 40)))
def test_killed_at_random_instants_and_resumed_without_a_look_up(scene: Scene, part: int) -> None:
    for instant in _instants(1000 + part, 4):
        scene.run_and_strike(signal.SIGKILL, instant)
    report = scene.run()
    scene.check(report)
    assert report is not None
    assert {state for _, state in report["failures"]} <= {"unknown"}
    assert len(report["failures"]) <= scene.kills * 4 * 50, "more is in doubt than was in flight"
    settled = scene.run("--lookup")
    scene.check_complete(settled)


@pytest.mark.parametrize(
    ("point", "count"),
    [
        (point, count)
        for point in POINTS
        if "decision" not in point
        for count in ((1, 2) if "lease" in point else (1, 7))
    ],
)
def test_killed_between_two_steps(scene: Scene, point: str, count: int) -> None:
    assert scene.run("--die", f"{point}:{count}") is None
    report = scene.run()
    scene.check(report)
    assert report is not None
    sure = point in ("before-lease", "after-lease", "before-mark")
    if sure and count == 1:
        assert report["failures"] == [], "nothing was in flight"
    scene.check_complete(scene.run("--lookup"))


@pytest.mark.parametrize("point", ["before-decision", "after-decision"])
def test_killed_while_settling(scene: Scene, point: str) -> None:
    assert scene.run("--die", "between-mark-and-send:5") is None
    assert scene.run("--lookup", "--die", f"{point}:1") is None
    scene.check_complete(scene.run("--lookup"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_in_order_leaves_nothing_in_doubt(scene: Scene, number: signal.Signals) -> None:
    for instant in (abs(instant) for instant in _instants(int(number), max(2, KILLS // 8))):
        report = scene.run_and_strike(number, instant)
        assert report is not None
        assert report["code"] in (0, 130)
        assert report["unknown"] == 0, "what was in flight is waited for"
        assert scene.simulator.store.twice == ()
    scene.check_complete(scene.run())
