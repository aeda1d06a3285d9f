"""The key in force: who is asked for it, how often, and what an upload does when the server takes it no more."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from cashin_async import (
    ApiKey,
    CashIn,
    ConfigurationError,
    InvoiceUnsent,
    SalesInvoice,
    Settings,
    UploadReport,
)
from cashin_async.settings import KeyProvider, key_from_env
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered
from cashin_async.transport.keyring import Keyring
from tests.transport.conftest import BODY, KEY, LONG, Server, pool_to, until


class Vault:
    """Holds the key now in force, and counts how often it is asked."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        """What is said, one each time; the last one stays."""
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]

    async def slowly(self) -> str:
        await asyncio.sleep(0.02)
        return self()


def known(simulator: Simulator, *keys: str) -> None:
    """From now on the server takes these keys only."""
    simulator.api_keys = frozenset(keys)


def settings(simulator: Simulator, **more: Any) -> Settings:
    return Settings(base_url=simulator.url, backoff=0.01, timeout=5.0, **{"chunk_size": 10, **more})


async def upload(simulator: Simulator, key: str | ApiKey | KeyProvider, count: int = 100) -> UploadReport:
    async with CashIn(key, settings=settings(simulator)) as cashin:
        return await cashin.invoices.upload(sample_invoices(count))


# -- the keyring alone


@pytest.mark.parametrize("key", [KEY, ApiKey(KEY), f"  {KEY}\n"], ids=["str", "ApiKey", "with white space"])
async def test_a_key_given_is_the_key(key: str | ApiKey) -> None:
    keys = Keyring(key)
    current, generation = await keys.current()
    assert (current.reveal(), generation) == (KEY, 0)
    assert not await keys.renew(0), "there is nobody to ask"
    assert (await keys.current())[1] == 0


def in_a_thread() -> str:
    assert threading.current_thread() is not threading.main_thread()
    return KEY


async def as_coroutine() -> str:
    return KEY


async def as_api_key() -> ApiKey:
    return ApiKey(KEY)


class AsObject:
    async def __call__(self) -> str:
        return KEY


@pytest.mark.parametrize(
    "provider",
    [in_a_thread, lambda: ApiKey(KEY), as_coroutine, as_api_key, AsObject(), lambda: as_coroutine()],
    ids=["in a thread", "ApiKey", "async", "async ApiKey", "an object", "a lambda around async"],
)
async def test_a_callable_gives_the_key(provider: KeyProvider) -> None:
    key, generation = await Keyring(provider).current()
    assert (key.reveal(), generation) == (KEY, 0)


async def test_nobody_is_asked_before_the_first_use() -> None:
    vault = Vault(KEY)
    keys = Keyring(vault)
    await asyncio.sleep(0)
    assert vault.asked == 0
    await keys.current()
    assert vault.asked == 1


@pytest.mark.parametrize("slow", [True, False], ids=["async", "sync"])
async def test_many_at_once_ask_once(slow: bool) -> None:
    vault = Vault("one", "two", "three")
    keys = Keyring(vault.slowly if slow else vault)
    first = await asyncio.gather(*(keys.current() for _ in range(20)))
    assert {(key.reveal(), generation) for key, generation in first} == {("one", 0)}
    assert vault.asked == 1
    assert all(await asyncio.gather(*(keys.renew(0) for _ in range(20))))
    assert vault.asked == 2
    key, generation = await keys.current()
    assert (key.reveal(), generation) == ("two", 1)


async def test_a_refusal_of_an_older_key_asks_nobody() -> None:
    vault = Vault("one", "two", "three")
    keys = Keyring(vault)
    await keys.current()
    assert await keys.renew(0)
    assert await keys.renew(0), "there is a newer one already"
    assert vault.asked == 2
    assert await keys.renew(1)
    assert vault.asked == 3
    assert (await keys.current())[1] == 2


async def test_the_same_key_again_is_no_newer_one() -> None:
    vault = Vault("one")
    keys = Keyring(vault)
    await keys.current()
    assert [await keys.renew(0) for _ in range(5)] == [False] * 5
    assert vault.asked == 2, "once at first, once for the generation that was refused"


def raising(error: Exception) -> Callable[[], str]:
    def provider() -> str:
        raise error

    return provider


def returning(value: object) -> KeyProvider:
    return lambda: value  # type: ignore[return-value]


async def test_a_provider_that_fails_at_first_may_be_asked_again() -> None:
    answers: Iterator[Callable[[], str]] = iter([raising(OSError("no vault today")), lambda: KEY])
    keys = Keyring(lambda: next(answers)())
    with pytest.raises(ConfigurationError, match="the key provider failed with OSError"):
        await keys.current()
    assert (await keys.current())[0].reveal() == KEY


@pytest.mark.parametrize(
    "provider",
    [
        raising(RuntimeError(f"the key is {KEY}")),
        raising(TimeoutError(KEY)),
        raising(StopIteration(KEY)),
        returning(None),
        returning(""),
        returning(" \n"),
        returning(KEY.encode()),
        returning(f"{KEY}\r\nX-Other: 1"),
        returning(f"{KEY} {KEY}"),
        returning(f"{KEY}ä"),
        returning([KEY]),
    ],
    ids=[
        "raises",
        "times out",
        "stops",
        "None",
        "empty",
        "blank",
        "bytes",
        "two lines",
        "a space",
        "not ASCII",
        "list",
    ],
)
async def test_a_provider_without_a_key(provider: KeyProvider) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await Keyring(provider).current()
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_provider_that_never_answers() -> None:
    async def never() -> str:
        await asyncio.sleep(LONG)
        return KEY

    with pytest.raises(ConfigurationError, match="gave no key within"):
        await Keyring(never, timeout=0.05).current()


async def test_a_provider_that_fails_when_asked_again_leaves_the_old_key() -> None:
    answers: Iterator[Callable[[], str]] = iter([lambda: "one", raising(OSError("no vault today"))])
    keys = Keyring(lambda: next(answers)())
    await keys.current()
    assert not await keys.renew(0)
    key, generation = await keys.current()
    assert (key.reveal(), generation) == ("one", 0)


async def test_being_cancelled_while_asking_lets_the_next_one_ask() -> None:
    vault = Vault(KEY)
    keys = Keyring(vault.slowly)
    task = asyncio.create_task(keys.current())
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await keys.current())[0].reveal() == KEY


async def test_being_cancelled_while_renewing_lets_the_next_one_ask() -> None:
    vault = Vault("one", "two")
    keys = Keyring(vault.slowly)
    await keys.current()
    task = asyncio.create_task(keys.renew(0))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await keys.renew(0), "nobody had an answer yet"
    assert (await keys.current())[0].reveal() == "two"


# -- the pool


async def test_each_exchange_tells_the_generation_of_its_key() -> None:
    vault = Vault("one", "two")
    async with Server() as server, pool_to(server.url, key=vault) as pool:
        first = await pool.post(BODY)
        await pool.keys.renew(0)
        second = await pool.post(BODY)
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.generation, second.generation) == (0, 1)
    assert [request.all("X-Api-Key") for request in server.requests] == [["one"], ["two"]]


async def test_a_key_renewed_during_an_exchange_does_not_change_its_generation() -> None:
    vault = Vault("one", "two")
    release = asyncio.Event()

    async def wait(request: object, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")

    async with Server(wait) as server, pool_to(server.url, key=vault) as pool:
        task = asyncio.create_task(pool.post(BODY))
        await until(lambda: len(server.requests) == 1)
        assert await pool.keys.renew(0)
        release.set()
        exchange = await task
    assert isinstance(exchange, Answered)
    assert exchange.generation == 0


# -- uploads


@pytest.mark.parametrize("slow", [True, False], ids=["async", "sync"])
async def test_an_upload_asks_once(slow: bool) -> None:
    vault = Vault(KEY)
    async with Simulator(api_keys={KEY}, faults=["latency=0.005"]) as simulator:
        report = await upload(simulator, vault.slowly if slow else vault)
    assert report.ok
    assert report.accepted == 100
    assert vault.asked == 1


async def test_many_refusals_at_once_ask_once() -> None:
    vault = Vault("old", "new")
    async with (
        Simulator(api_keys={"new"}, faults=["latency=0.02"]) as simulator,
        CashIn(vault.slowly, settings=settings(simulator, concurrency=8)) as cashin,
    ):
        reports = await asyncio.gather(
            *(cashin.invoices.upload(sample_invoices(50, start=(run + 1) * 100_000)) for run in range(4))
        )
    assert [report.accepted for report in reports] == [50] * 4
    assert vault.asked == 2
    assert simulator.store.twice == ()


async def rotating(count: int, at: int, rotate: Callable[[], None]) -> AsyncIterator[SalesInvoice]:
    for place, invoice in enumerate(sample_invoices(count)):
        if place == at:
            rotate()
        yield invoice


@pytest.mark.parametrize("at", [0, 5, 57, 200, 399])
async def test_a_rotation_in_mid_upload_loses_and_doubles_nothing(at: int) -> None:
    vault = Vault("old")
    async with Simulator(api_keys={"old"}, faults=["latency=0.002~0.01"]) as simulator:

        def rotate() -> None:
            vault.keys[:] = ["new"]
            known(simulator, "new")

        async with CashIn(vault, settings=settings(simulator)) as cashin:
            report = await cashin.invoices.upload(rotating(400, at, rotate))
    assert report.ok
    assert report.accepted == len(simulator.store) == 400
    assert simulator.store.twice == ()
    assert vault.asked <= 2


async def test_two_rotations_in_one_upload() -> None:
    vault = Vault("one")
    async with Simulator(api_keys={"one"}, faults=["latency=0.002~0.01"]) as simulator:

        async def invoices() -> AsyncIterator[SalesInvoice]:
            for place, invoice in enumerate(sample_invoices(400)):
                if place in (100, 250):
                    key = f"key-{place}"
                    vault.keys[:] = [key]
                    known(simulator, key)
                yield invoice

        async with CashIn(vault, settings=settings(simulator)) as cashin:
            report = await cashin.invoices.upload(invoices())
    assert report.ok
    assert report.accepted == len(simulator.store) == 400
    assert simulator.store.twice == ()
    assert vault.asked <= 3


@pytest.mark.parametrize("fault", ["key-refused@1", "key-refused@3-6", "key-refused@10%"])
async def test_refusals_now_and_then_with_a_new_key_each_time(fault: str) -> None:
    keys = (f"key-{number}" for number in range(1000))
    async with Simulator(faults=[fault, "latency=0.002"]) as simulator:
        report = await upload(simulator, lambda: next(keys), 300)
    assert report.ok
    assert report.accepted == len(simulator.store) == 300
    assert simulator.store.twice == ()


async def test_a_string_that_is_taken_no_more_leaves_the_rest_unsent() -> None:
    async with Simulator(faults=["key-refused@4+"]) as simulator:
        report = await upload(simulator, KEY, 200)
    stopped(report, simulator, tries=1)


@pytest.mark.parametrize(
    ("keys", "asked"),
    [([KEY], 2), ([KEY, "another", "third"], 4)],
    ids=["the same again", "newer ones that are refused too"],
)
async def test_without_a_key_that_is_taken_the_rest_is_unsent(keys: list[str], asked: int) -> None:
    vault = Vault(*keys)
    async with Simulator(faults=["key-refused@4+"], api_keys=keys) as simulator:
        report = await upload(simulator, vault, 200)
    stopped(report, simulator, tries=len(keys))
    assert vault.asked == asked


def stopped(report: UploadReport, simulator: Simulator, tries: int) -> None:
    """After three chunks of ten; the rest is unsent, and nothing more was sent once that was clear."""
    assert report.stopped is not None
    assert "HTTP 401" in report.stopped
    assert report.exit_code == 3
    assert (report.read, report.accepted, report.unsent) == (200, 30, 170)
    assert len(simulator.store) == 30
    assert simulator.store.twice == ()
    assert simulator.requests <= 3 + 8 * tries


async def test_a_provider_that_fails_in_mid_upload_leaves_the_rest_unsent(caplog: pytest.LogCaptureFixture) -> None:
    answers: Iterator[Callable[[], str]] = iter([lambda: KEY, raising(OSError(f"vault: {KEY}"))])
    async with Simulator(faults=["key-refused@4+"]) as simulator:
        report = await upload(simulator, lambda: next(answers)(), 200)
    assert report.accepted == len(simulator.store)
    assert report.unsent == 200 - report.accepted > 0
    assert "key.failed reason='the key provider failed with OSError'" in caplog.text
    assert KEY not in caplog.text


def open_sessions() -> list[ClientSession]:
    """Those that nobody closed, and nobody can any more: `__aexit__` is not called when `__aenter__` raises."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is ClientSession and not each.closed]


async def test_a_provider_that_fails_at_first_lets_nothing_begin() -> None:
    async with Simulator() as simulator:
        with pytest.raises(ConfigurationError, match="OSError"):
            await upload(simulator, raising(OSError("no vault today")))
        assert open_sessions() == []
    assert simulator.requests == 0


async def test_create_goes_again_with_the_newer_key() -> None:
    vault = Vault("old", "new")
    async with Simulator(api_keys={"new"}) as simulator, CashIn(vault, base_url=simulator.url) as cashin:
        receipt = await cashin.invoices.create(next(sample_invoices(1)))
    assert receipt.uploaded_invoices_count == 1
    assert (vault.asked, simulator.requests) == (2, 2)


async def test_create_with_a_key_that_is_refused_raises() -> None:
    async with Simulator(api_keys={"new"}) as simulator, CashIn("old", base_url=simulator.url) as cashin:
        with pytest.raises(InvoiceUnsent, match="401") as caught:
            await cashin.invoices.create(next(sample_invoices(1)))
    assert caught.value.status == 401
    assert simulator.requests == 1


# -- from the environment


async def test_the_key_file_is_read_again_after_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("old\n")
    monkeypatch.delenv("CASHIN_API_KEY", raising=False)
    monkeypatch.setenv("CASHIN_API_KEY_FILE", str(path))
    async with Simulator(api_keys={"old"}) as simulator:

        def rotate() -> None:
            path.write_text("new\n")
            known(simulator, "new")

        async with CashIn.from_env(base_url=simulator.url, chunk_size=10) as cashin:
            report = await cashin.invoices.upload(rotating(200, 120, rotate))
    assert report.ok
    assert report.accepted == len(simulator.store) == 200


async def test_a_key_file_that_is_gone_when_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("old\n")
    monkeypatch.delenv("CASHIN_API_KEY", raising=False)
    monkeypatch.setenv("CASHIN_API_KEY_FILE", str(path))
    async with Simulator(api_keys={"new"}) as simulator, CashIn.from_env(base_url=simulator.url) as cashin:
        path.unlink()
        report = await cashin.invoices.upload(sample_invoices(20))
    assert report.unsent == 20


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"two words"])
async def test_a_key_file_without_a_key(content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.delenv("CASHIN_API_KEY", raising=False)
    monkeypatch.setenv("CASHIN_API_KEY_FILE", str(path))
    with pytest.raises(ConfigurationError, match=r"(?i)key") as caught:
        async with CashIn.from_env(base_url="http://127.0.0.1:1"):
            pytest.fail("opened")
    assert "two words" not in str(caught.value)
    assert open_sessions() == []


def test_the_variable_wins_over_the_file() -> None:
    assert key_from_env({"CASHIN_API_KEY": KEY, "CASHIN_API_KEY_FILE": "/nowhere"}) == KEY
    with pytest.raises(ConfigurationError, match="CASHIN_API_KEY_FILE"):
        key_from_env({"CASHIN_API_KEY": ""})
