"""The stand-in server of the Cash-In API: the published contract, and faults by name to build against.

`Simulator` runs in the event loop that awaits it, `BackgroundSimulator` in a thread of its own, and the
pytest fixture `cashin_simulator` gives the latter. They are loaded on first use: pytest loads this
package at every start, and aiohttp must not come along.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cashin_async.simulator.background import BackgroundSimulator
    from cashin_async.simulator.server import Simulator

__all__ = ["BackgroundSimulator", "Simulator"]


def __getattr__(name: str) -> Any:
    if name == "Simulator":
        from cashin_async.simulator.server import Simulator

        return Simulator
    if name == "BackgroundSimulator":
        from cashin_async.simulator.background import BackgroundSimulator

        return BackgroundSimulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
