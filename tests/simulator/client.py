"""A bare client: one connection for each request, the answer as it is."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from cashin_async.simulator import Simulator

CREATE = "/v2/gensalesinvoices"


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def array(*numbers: int) -> bytes:
    return json.dumps([{"InvoiceNumber": number} for number in numbers]).encode()


async def request(verb: str, url: str, *, key: str | None = "key", body: bytes | None = None) -> Got:
    headers = {} if key is None else {"X-Api-Key": key}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
        session.request(verb, url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        return Got(answer.status, await answer.read(), dict(answer.headers))


async def post(simulator: Simulator, *numbers: int) -> Got:
    return await request("POST", simulator.url + CREATE, body=array(*numbers))


async def get(simulator: Simulator, path: str, key: str | None = "key") -> Got:
    return await request("GET", simulator.url + path, key=key)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server does beside its answers."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the condition is the server's state, it has no event
            await asyncio.sleep(0.005)


async def abandon(sending: "asyncio.Task[Got]") -> None:
    """Leave without the answer: the connection is closed from this side."""
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
