"""The ledger cannot be written any more in the middle of an upload."""

from tests.crash.conftest import Scene


def test_sending_stops_at_once_and_what_was_in_flight_is_reported(scene: Scene) -> None:
    report = scene.run("--largest-file", "120000", "--concurrency", "2")
    scene.check(report)
    assert report is not None
    assert report["code"] == 3
    assert "ledger.db" in report["stopped"]
    assert report["accepted"] == len(scene.simulator.store), "what the server said is told, recorded or not"
    assert 0 < report["accepted"] < scene.count
    assert {state for _, state in report["failures"]} == {"unsent"}
    requests = scene.simulator.requests
    assert requests < 30, "it went on sending"
    again = scene.run("--lookup")
    scene.check_complete(again)
