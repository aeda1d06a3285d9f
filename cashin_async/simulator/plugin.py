"""The pytest plugin: `cashin_simulator`, a server of one's own for each test.

    def test_billing(cashin_simulator):
        cashin_simulator.fault("drop-after@1")
        bill_everybody(base_url=cashin_simulator.url)
        assert cashin_simulator.store.twice == ()

It listens on real TCP from a thread, so it serves tests with and without an event loop, of any plugin.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cashin_async.simulator.background import BackgroundSimulator

__all__ = ["cashin_simulator"]


@pytest.fixture
def cashin_simulator() -> "Iterator[BackgroundSimulator]":
    """The stand-in server of the Cash-In API: `.url`, `.store`, `.requests`, `.fault(spec)`, `.clear_faults()`."""
    from cashin_async.simulator.background import BackgroundSimulator  # pytest loads this file at every start

    with BackgroundSimulator() as simulator:
        yield simulator
