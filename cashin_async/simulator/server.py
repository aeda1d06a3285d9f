"""The stand-in server: the published contract over real TCP, and faults by name.

Published, and so always the same: the paths `POST /v2/gensalesinvoices` and `GET /v2/salesinvoices`, the
header `X-Api-Key`, 202 with its four keys, 400, 401. Everything else is assumed, and said to be so where
it stands: the look-up, the form of the list, the bodies of errors, compressed requests, and every fault.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from cashin_async.errors import ConfigurationError
from cashin_async.simulator import exchange, openapi, replies
from cashin_async.simulator.effects import LookedFor, Sent
from cashin_async.simulator.exchange import Decision
from cashin_async.simulator.faults import Fault, Faults
from cashin_async.simulator.replies import Answer, Bytes, Cut, Hang, Reply
from cashin_async.simulator.store import Store

LOG_LENGTH = 10_000
"""Requests remembered, of either kind: enough for a million invoices in chunks of 100, and a few megabytes."""
UNPACKED_BYTES = 67_108_864
"""What a compressed request may grow to: 64 MiB. One megabyte can hold a gigabyte of blanks."""
SHUTDOWN_SECONDS = 0.5
"""How long closing waits for a request that is still arriving; every other one is ended at once."""
GONE_POLL_SECONDS = 0.02
"""How often a hanging request looks whether its client has left: aiohttp has no event for that."""
PLACEHOLDER = "{InvoiceNumber}"


@dataclass(slots=True)
class Seen:
    """One POST in the log: entered when its headers arrive, completed when it is over."""

    at: float
    """Monotonic seconds (`time.monotonic()`) when its headers arrived."""
    request: int
    """Its number, counted from 1."""
    encoding: str = ""
    """Its `Content-Encoding`: "gzip"; "" when it came as it is."""
    count: int = 0
    """How many invoices it held."""
    numbers: tuple[int, ...] = ()
    """Their numbers; none when the simulator does not keep invoices."""
    applied: int = 0
    """How many of them were accepted."""
    faults: tuple[str, ...] = ()
    """The faults that had a part in it."""
    reply: str = ""
    """A status, or "cut", "hang", "bytes"; "" while it is not replied to."""
    until: float | None = None
    """Monotonic seconds when it was over."""


@dataclass(slots=True)
class LookedUp:
    """One look-up in its log: entered when it arrives, completed when it is over."""

    at: float
    """Monotonic seconds (`time.monotonic()`) when it arrived."""
    request: int
    """Its number, counted from 1 apart from the POSTs."""
    number: int | None
    """The invoice number; None when the path held something else."""
    faults: tuple[str, ...] = ()
    """The fault that had a part in it."""
    reply: str = ""
    """A status, or "cut", "hang"; "" while it is not replied to."""
    until: float | None = None
    """Monotonic seconds when it was over."""


class Simulator:
    """A server of the published contract on a port of its own, in the running event loop.

        async with Simulator(faults=["drop-after@5%", "latency=0.05"]) as simulator:
            ...  # POST to f"{simulator.url}/v2/gensalesinvoices"
            assert simulator.store.twice == ()

    `api_keys`: the keys that are known; by default any that is not empty. `lookup_path`: where an invoice can be
    looked up besides `/simulator/invoices/{InvoiceNumber}`, for example `/v2/invoice/{InvoiceNumber}`.
    `keep_invoices=False` keeps the numbers only. `port=0` takes a free one. `seed` decides what the
    faults with a probability strike.
    """

    def __init__(
        self,
        *,
        faults: Iterable[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: SSLContext | None = None,
        keep_invoices: bool = True,
        api_keys: Collection[str] | None = None,
        lookup_path: str | None = None,
        seed: int = 0,
    ) -> None:
        self.store = Store(keep_invoices)
        """What was accepted."""
        self.requests = 0
        """How many POSTs came to the create call, whatever became of them."""
        self.max_in_flight = 0
        """How many of them were under way at once, at most."""
        self.log: deque[Seen] = deque(maxlen=LOG_LENGTH)
        """The latest of them, in the order of their arrival."""
        self.look_ups = 0
        """How many times an invoice was looked up, whatever was answered."""
        self.look_up_log: deque[LookedUp] = deque(maxlen=LOG_LENGTH)
        """The latest of these."""
        self.url = ""
        """Where it listens, without a slash at the end: "http://127.0.0.1:40123"."""
        self._faults = Faults(faults, seed)
        self._host, self._port, self._ssl = host, port, ssl_context
        self._keep = keep_invoices
        self.api_keys = api_keys
        """The keys that are known, None for any. May be changed while it runs: keys are rotated."""
        self._lookup_path = None if lookup_path is None else _checked_template(lookup_path)
        self._in_flight = 0
        self._late: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Future[None] | None = None
        self._runner: web.AppRunner | None = None

    def fault(self, spec: str) -> None:
        """Add a fault from now on: `simulator.fault("429=2@3")`. Requests are counted from the start."""
        self._faults.add(spec)

    def clear_faults(self) -> None:
        """Be well from the next request on."""
        self._faults.clear()

    async def start(self) -> None:
        """Listen. `OSError` when the port is taken."""
        self._closing = asyncio.get_running_loop().create_future()
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._ssl)
        try:
            await site.start()
        except BaseException:
            await self.close()
            raise
        host, port = self._runner.addresses[0][:2]
        self.url = f"{'https' if self._ssl else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    async def close(self) -> None:
        """End every connection, those that hang too, and stop listening. What was accepted can still be read.

        What was to be applied late is applied now: nobody may take it for never sent.
        """
        if self._closing is not None and self._runner is not None and not self._closing.done():
            self._closing.set_result(None)
            await self._runner.cleanup()
            await asyncio.sleep(0)  # the transports report their end in the loop's next turn
            await asyncio.gather(*self._late)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Simulator({self.url or 'not started'}, requests={self.requests}, {self.store!r})"

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=0)  # no limit: none is published
        application.router.add_post(replies.CREATE_PATH, self._create)
        application.router.add_get(openapi.LIST_PATH, self._list)
        application.router.add_get(openapi.LOOKUP_PATH, self._look_up)
        application.router.add_get(openapi.STORE_PATH, self._summary)
        application.router.add_get("/openapi.json", self._describe)
        if self._lookup_path is not None:
            application.router.add_get(self._lookup_path, self._look_up_with_key)
        return application

    async def _create(self, request: web.Request) -> web.Response:
        """`POST /v2/gensalesinvoices`, counted and logged from its first byte to its last."""
        seen = self._enter()
        seen.encoding = request.headers.get("Content-Encoding", "")
        try:
            return await self._exchange(request, await _body(request), seen)
        except _Bomb:
            seen.reply = "413"
            return _response(replies.message(413))
        except web.RequestPayloadError:
            return _response(replies.message(400, "The body is not encoded as its headers say."))
        except ConnectionError:
            return web.Response()  # the client left before its request was whole: nobody reads this
        finally:
            self._in_flight -= 1
            seen.until = time.monotonic()

    def _enter(self) -> Seen:
        self.requests += 1
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)
        seen = Seen(time.monotonic(), self.requests)
        self.log.append(seen)
        return seen

    async def _exchange(self, request: web.Request, body: bytes, seen: Seen) -> web.Response:
        striking = self._faults.striking(seen.request)
        delays = [fault.delay(seen.request) for fault in striking]
        seen.faults = tuple([fault.spec for fault, seconds in zip(striking, delays, strict=True) if seconds])
        if await self._wait(sum(delays)):
            return await self._deliver(request, Cut())
        reply = self._unauthorized(request) or self._apply(body, striking, seen)
        seen.reply = str(reply)
        return await self._deliver(request, reply)

    def _unauthorized(self, request: web.Request) -> Answer | None:
        key = request.headers.get("X-Api-Key", "")
        known = bool(key) if self.api_keys is None else key in self.api_keys
        return None if known else replies.message(401)

    def _apply(self, body: bytes, striking: Sequence[Fault], seen: Seen) -> Reply:
        numbers, problem = _read(body)
        sent = Sent(body, numbers, time.monotonic(), time.time())
        decision = exchange.decide(sent, striking, problem)
        seen.count, seen.numbers = len(numbers), numbers if self._keep else ()
        seen.faults += decision.faults
        if decision.late:
            task = asyncio.get_running_loop().create_task(self._accept_late(sent, decision, seen))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        else:
            self._accept(sent, decision.applied, seen)
        return decision.reply

    def _accept(self, sent: Sent, applied: Sequence[int], seen: Seen) -> None:
        numbers = [sent.numbers[index] for index in applied]
        invoices = exchange.read_invoices(sent.body) if numbers and self._keep else []
        self.store.add(numbers, [invoices[index] for index in applied] if invoices else (), time.monotonic())
        seen.applied = len(applied)

    async def _accept_late(self, sent: Sent, decision: Decision, seen: Seen) -> None:
        await self._wait(decision.late)
        self._accept(sent, decision.applied, seen)

    async def _wait(self, seconds: float) -> bool:
        """Wait so long; true when the simulator is closed meanwhile.

        A client that leaves is not waited for: the server works on and applies, as real ones do.
        """
        assert self._closing is not None  # noqa: S101 - set in start(), before any request
        if seconds <= 0:
            return False
        await asyncio.wait([self._closing], timeout=seconds)
        return self._closing.done()

    async def _deliver(self, request: web.Request, reply: Reply) -> web.Response:
        if isinstance(reply, Answer):
            return _response(reply)
        if isinstance(reply, Hang):
            await self._hang(request)
        _break_off(request, reply.data if isinstance(reply, Bytes) else b"")
        return web.Response()  # goes nowhere: aiohttp drops what is for a closed connection

    async def _hang(self, request: web.Request) -> None:
        """Until the client leaves or the simulator is closed."""
        while request.transport is not None and not await self._wait(GONE_POLL_SECONDS):
            pass

    async def _list(self, request: web.Request) -> web.Response:
        """`GET /v2/salesinvoices`. Only the path is published; a plain array, without pages, is assumed."""
        return _response(self._unauthorized(request) or Answer(200, self.store.as_array()))

    async def _look_up(self, request: web.Request) -> web.Response:
        """One invoice by its number. Path and form are assumed: the vendor's are not published."""
        return await self._look(request, None)

    async def _look_up_with_key(self, request: web.Request) -> web.Response:
        """The same at a path of the API's own, where every request has a key."""
        return await self._look(request, self._unauthorized(request))

    async def _look(self, request: web.Request, refusal: Answer | None) -> web.Response:
        self.look_ups += 1
        looked_up = LookedUp(time.monotonic(), self.look_ups, _path_number(request))
        self.look_up_log.append(looked_up)
        try:
            reply = refusal or self._find(looked_up)
            looked_up.reply = str(reply)
            return await self._deliver(request, reply)
        finally:
            looked_up.until = time.monotonic()

    def _find(self, looked_up: LookedUp) -> Reply:
        number = looked_up.number
        if number is None:
            return replies.message(404)
        times = self.store.times(number)
        asked = LookedFor(number, times, self.store.since(number) if times else 0.0, looked_up.at)
        decision = exchange.look_up(asked, self._faults.striking(looked_up.request))
        looked_up.faults = decision.faults
        return decision.reply

    async def _summary(self, request: web.Request) -> web.Response:
        """`GET /simulator/store`: the counts, for a look from outside."""
        summary = {
            "requests": self.requests,
            "accepted": self.store.accepted,
            "numbers": len(self.store),
            "twice": self.store.twice,
            "max_in_flight": self.max_in_flight,
        }
        return _response(Answer(200, msgspec.json.encode(summary)))

    async def _describe(self, request: web.Request) -> web.Response:
        """`GET /openapi.json`."""
        return _response(Answer(200, openapi.document(self._lookup_path)))


def _checked_template(template: str) -> str:
    path = template.replace(PLACEHOLDER, "", 1)
    if not template.startswith("/") or len(path) == len(template) or any(sign in path for sign in "{}?#"):
        raise ConfigurationError(f"lookup_path {template!r}: expected a path from / on that holds {PLACEHOLDER} once")
    return template


def _read(body: bytes) -> tuple[tuple[int, ...], str]:
    """The numbers of a body, or what is wrong with it."""
    try:
        return exchange.read_numbers(body), ""
    except ValueError as error:
        return (), str(error)


class _Bomb(Exception):
    """A compressed request grew beyond `UNPACKED_BYTES`."""


async def _body(request: web.Request) -> bytes:
    """The body, unpacked when it is compressed, which is assumed: whether the vendor's server takes it is not known."""
    if "Content-Encoding" not in request.headers:
        return await request.read()
    unpacked = bytearray()
    async for part in request.content.iter_any():  # aiohttp unpacks as much as is read, a few hundred KB each time
        unpacked += part
        if len(unpacked) > UNPACKED_BYTES:
            raise _Bomb
    return bytes(unpacked)


def _path_number(request: web.Request) -> int | None:
    text = request.match_info["InvoiceNumber"]
    return int(text) if re.fullmatch(r"-?[0-9]{1,100}", text) else None


def _response(answer: Answer) -> web.Response:
    content_type = None if answer.status in replies.BODILESS else replies.JSON
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers, content_type=content_type)


def _break_off(request: web.Request, data: bytes) -> None:
    """Write bytes past aiohttp and close; without any, abort, which the client sees as a reset."""
    transport = request.transport
    if transport is None:
        return
    if data:
        transport.write(data)
        transport.close()
    else:
        transport.abort()
