"""The fixture and the thread behind it, from code without an event loop."""

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cashin_async.simulator import BackgroundSimulator

from .client import CREATE, array


def post(simulator: BackgroundSimulator, *numbers: int) -> int:
    url, headers = simulator.url + CREATE, {"X-Api-Key": "key"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, array(*numbers), headers), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def test_the_fixture_without_a_loop(cashin_simulator: BackgroundSimulator) -> None:
    assert post(cashin_simulator, 5, 6) == 202
    assert cashin_simulator.store.numbers == (5, 6)
    cashin_simulator.fault("500-after@2")
    assert post(cashin_simulator, 5) == 500
    cashin_simulator.clear_faults()
    assert post(cashin_simulator, 7) == 202
    assert (cashin_simulator.requests, cashin_simulator.max_in_flight, cashin_simulator.store.twice) == (3, 1, (5,))
    assert [seen.reply for seen in cashin_simulator.log] == ["202", "500", "202"]


def test_look_ups_without_a_loop(cashin_simulator: BackgroundSimulator) -> None:
    post(cashin_simulator, 5)
    with urllib.request.urlopen(f"{cashin_simulator.url}/simulator/invoices/5", timeout=5) as answer:
        assert answer.status == 200
    assert (cashin_simulator.look_ups, [seen.number for seen in cashin_simulator.look_up_log]) == (1, [5])


async def test_the_fixture_beside_a_loop(cashin_simulator: BackgroundSimulator) -> None:
    assert cashin_simulator.store.numbers == ()


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    with BackgroundSimulator(faults=["latency=0.01"], keep_invoices=False) as simulator:
        assert threading.active_count() == before + 1
        assert post(simulator, 5) == 202
    assert threading.active_count() == before
    with pytest.raises(urllib.error.URLError):
        post(simulator, 6)


def test_a_port_that_is_taken() -> None:
    with BackgroundSimulator() as simulator:
        port = int(simulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), BackgroundSimulator(port=port):
            pass


PROJECT_TEST = """
import json, urllib.request

def test_billing(cashin_simulator):
    body = json.dumps([{"InvoiceNumber": 5}]).encode()
    request = urllib.request.Request(cashin_simulator.url + "/v2/gensalesinvoices", body, {"X-Api-Key": "key"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 202
    assert cashin_simulator.store.times(5) == 1
"""


def test_the_plugin_in_a_project_of_its_own(tmp_path: Path) -> None:
    """No `-p`: an installed plugin may not be named a second time."""
    (tmp_path / "conftest.py").write_text("from cashin_async.simulator.plugin import cashin_simulator\n")
    (tmp_path / "test_billing.py").write_text(PROJECT_TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("slow", ["aiohttp", "cashin_async.simulator.server"])
def test_the_plugin_is_light(slow: str) -> None:
    code = f"import sys, cashin_async.simulator.plugin; sys.exit({slow!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_plugin_brings_nothing_along() -> None:
    """pytest loads it at every start, in projects whose tests never ask for it."""
    code = "import sys, pytest; before = set(sys.modules); import cashin_async.simulator.plugin"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sorted(set(sys.modules) - before))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["cashin_async", "cashin_async.simulator", "cashin_async.simulator.plugin"]
