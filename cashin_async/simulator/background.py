"""The simulator in a thread of its own, for code that has no event loop, or another one."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from cashin_async.simulator.server import LookedUp, Seen, Simulator
from cashin_async.simulator.store import Store


class BackgroundSimulator:
    """A `Simulator` behind a plain `with`; takes the same arguments.

        with BackgroundSimulator(faults=["429=1@1"]) as simulator:
            ...  # anything that talks HTTP to simulator.url

    Everything here may be called from any thread.
    """

    def __init__(self, **options: Any) -> None:
        self._simulator = Simulator(**options)
        self._thread: threading.Thread | None = None
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self._simulator.url

    @property
    def store(self) -> Store:
        """What was accepted."""
        return self._simulator.store

    @property
    def requests(self) -> int:
        """How many POSTs came to the create call, whatever became of them."""
        return self._simulator.requests

    @property
    def max_in_flight(self) -> int:
        """How many of them were under way at once, at most."""
        return self._simulator.max_in_flight

    @property
    def log(self) -> tuple[Seen, ...]:
        """The latest of them, in the order of their arrival, as they stand now."""
        return tuple(self._simulator.log)

    @property
    def look_ups(self) -> int:
        """How many times an invoice was looked up, whatever was answered."""
        return self._simulator.look_ups

    @property
    def look_up_log(self) -> tuple[LookedUp, ...]:
        """The latest of these, as they stand now."""
        return tuple(self._simulator.look_up_log)

    def fault(self, spec: str) -> None:
        """Add a fault from now on. Requests are counted from the start."""
        self._simulator.fault(spec)

    def clear_faults(self) -> None:
        """Be well from the next request on."""
        self._simulator.clear_faults()

    def __enter__(self) -> Self:
        """Returns when it listens. `OSError` when the port is taken."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="cashin-simulator", daemon=True)
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Returns when the thread is gone and every socket closed."""
        loop, stop = self._started.result()
        loop.call_soon_threadsafe(stop.set)
        if self._thread is not None:
            self._thread.join()

    async def _serve(self) -> None:
        stop = asyncio.Event()
        try:
            await self._simulator.start()
        except BaseException as error:
            self._started.set_exception(error)
            return
        self._started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        await self._simulator.close()
