"""The key in force, and how it is replaced while a process runs.

Source: "Authentication & security": after a renewal the new key is deployed before the old one is retired.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from typing import cast

import anyio
from anyio import to_thread

from cashin_async.errors import CashInError, ConfigurationError, LedgerError
from cashin_async.events import KEY_CHANGED, KEY_FAILED
from cashin_async.settings import ApiKey, KeyProvider

log = logging.getLogger(__name__)

_PAUSE = 60.0  # seconds after which a provider without a newer key may be asked once more


class Keyring:
    """Hands out the key and the generation it belongs to; asks its provider once per refused generation."""

    def __init__(
        self, source: str | ApiKey | KeyProvider, timeout: float = 120.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = source if callable(source) else None
        self._key = None if callable(source) else ApiKey(source)
        self._timeout = timeout
        self._clock = clock
        self._asked_at = float("-inf")
        self._lock = anyio.Lock()
        self.why_not: str | None = None
        """Why the provider's newer key is not used, if there was one."""
        self._checks: list[Callable[[str], Awaitable[None]]] = []
        self.generation = 0

    async def current(self) -> tuple[ApiKey, int]:
        """The key and its generation. The first call may wait for the provider.

        Raises `ConfigurationError` when the provider fails.
        """
        if self._key is None:
            async with self._lock:
                if self._key is None:
                    self._key = await self._ask()
        return self._key, self.generation

    async def check(self, check: Callable[[str], Awaitable[None]]) -> None:
        """Hold the key, and each that follows it, against a ledger. Raises `ConfigurationError` as `check` does."""
        key, _ = await self.current()
        await check(key.reveal())
        self._checks.append(check)

    async def renew(self, refused: int) -> bool:
        """Whether there is a newer key than the one of generation `refused`, which the server did not take.

        The provider is asked once per generation; one that had nothing new is asked again a minute later at the
        earliest, so that a process which lives long recovers by itself.
        """
        async with self._lock:
            if refused == self.generation and self._provider is not None and self._clock() >= self._asked_at + _PAUSE:
                try:
                    key = await self._ask()
                    for check in self._checks if key != self._key else ():
                        await check(key.reveal())
                except (ConfigurationError, LedgerError) as error:
                    KEY_FAILED.tell(log, reason=str(error))
                    self.why_not = str(error)
                    self._asked_at = self._clock()
                else:
                    self._replace(key)
            return self.generation > refused

    def _replace(self, key: ApiKey) -> None:
        if key == self._key:
            KEY_FAILED.tell(log, reason="the key provider has no newer one")
            self._asked_at = self._clock()
        else:
            self._key = key
            self.generation += 1
            self._asked_at = float("-inf")
            KEY_CHANGED.tell(log, generation=self.generation)

    async def _ask(self) -> ApiKey:
        assert self._provider is not None  # noqa: S101 - for the type checker: only asked when there is one
        value: object = None
        try:
            with anyio.fail_after(self._timeout):
                value = await to_thread.run_sync(self._provider, abandon_on_cancel=True)
                if inspect.isawaitable(value):
                    value = await value
            return ApiKey(cast(str, value))
        except CashInError:
            raise
        except TimeoutError:
            raise ConfigurationError(f"the key provider gave no key within {self._timeout:g} s (timeout)") from None
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            raise ConfigurationError(f"the key provider failed with {type(error).__name__}") from None
        finally:
            value = None  # a traceback with its locals must not show it
