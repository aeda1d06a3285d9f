"""TLS: verified always, with the system's authorities or with those of `ca_file`; off for loopback only."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from cashin_async import CashIn, ConfigurationError, Settings
from cashin_async.simulator.samples import sample_invoices
from cashin_async.simulator.server import Simulator
from cashin_async.transport.exchange import Answered, NotSent
from cashin_async.transport.keyring import Keyring
from cashin_async.transport.pool import SessionPool
from tests.transport.conftest import BODY, KEY, Server, ca_file, pool_to, post, server_tls


async def test_a_ca_file_is_trusted(tmp_path: Path) -> None:
    async with Server(tls=server_tls("127.0.0.1")) as server:
        assert isinstance(await post(server.url, ca_file=ca_file(tmp_path)), Answered)


async def test_a_ca_file_may_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.load({"CASHIN_BASE_URL": "https://127.0.0.1:1", "CASHIN_CA_FILE": ca_file(tmp_path)})
    assert settings.ca_file == str(tmp_path / "ca.pem")


async def test_a_ca_file_of_another_authority_is_not_enough(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    async with Server(tls=server_tls("127.0.0.1")) as server:
        assert isinstance(await post(server.url, ca_file=str(other)), NotSent)
    assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_verification_can_be_switched_off_for_loopback(host: str) -> None:
    async with Server(tls=server_tls("other.example.test")) as server:
        exchange = await post(f"https://{host}:{server.port}", verify_tls=False)
    assert isinstance(exchange, Answered)


@pytest.mark.parametrize(
    "host",
    ["api.example.test", "127.0.0.1.example.test", "localhost.example.test", "10.0.0.1", "0.0.0.0", "[2001:db8::1]"],
)
def test_verification_cannot_be_switched_off_for_anything_else(host: str) -> None:
    with pytest.raises(ConfigurationError, match="verify_tls can be switched off for loopback only"):
        Settings(base_url=f"https://{host}", verify_tls=False)


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "not a certificate"])
def test_a_ca_file_that_cannot_be_read(what: str, tmp_path: Path) -> None:
    path = tmp_path if what == "folder" else tmp_path / "ca.pem"
    if what == "empty":
        path.write_bytes(b"")
    if what == "not a certificate":
        path.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigurationError, match="ca_file cannot be read"):
        SessionPool(Settings(base_url="https://127.0.0.1:1", ca_file=str(path)), Keyring(KEY))


async def test_a_ca_file_that_cannot_be_read_stops_the_client_before_it_begins(tmp_path: Path) -> None:
    settings = Settings(base_url="https://127.0.0.1:1", ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match="ca_file"):
        async with CashIn(KEY, settings=settings):
            pytest.fail("opened")


async def test_several_posts_share_one_handshake(tmp_path: Path) -> None:
    async with (
        Server(tls=server_tls("127.0.0.1")) as server,
        pool_to(server.url, ca_file=ca_file(tmp_path)) as pool,
    ):
        for _ in range(3):
            assert isinstance(await pool.post(BODY), Answered)
    assert server.connections == 1


async def test_an_upload_over_tls(tmp_path: Path) -> None:
    async with Simulator(ssl_context=server_tls("127.0.0.1")) as simulator:
        settings = Settings(base_url=simulator.url, ca_file=ca_file(tmp_path), chunk_size=20)
        assert simulator.url.startswith("https://")
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(200))
    assert report.ok
    assert report.accepted == len(simulator.store) == 200
    assert simulator.store.twice == ()


async def test_an_upload_to_a_server_that_is_not_trusted_sends_nothing() -> None:
    async with Simulator(ssl_context=server_tls("127.0.0.1")) as simulator:
        settings = Settings(base_url=simulator.url, retries=1, backoff=0.01)
        async with CashIn(KEY, settings=settings) as cashin:
            report = await cashin.invoices.upload(sample_invoices(30))
    assert report.unsent == report.read == 30
    assert "certificate is not trusted" in str(report.failures[0].reason)
    assert simulator.requests == 0


PROGRAM = """
import asyncio, sys
from cashin_async import CashIn, Settings
from cashin_async.simulator.samples import sample_invoices

async def main() -> None:
    settings = Settings(base_url=sys.argv[1], ca_file=sys.argv[2], chunk_size=10)
    async with CashIn("a-key-of-nobody", settings=settings) as cashin:
        await cashin.invoices.create(next(sample_invoices(1)))
        report = await cashin.invoices.upload(sample_invoices(60, start=300000000))
        print(report.accepted)

asyncio.run(main())
"""


async def test_a_program_that_ends_right_after_leaves_nothing_open(tmp_path: Path) -> None:
    async with Simulator(ssl_context=server_tls("127.0.0.1")) as simulator:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "always", "-c", PROGRAM),
            *(simulator.url, ca_file(tmp_path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            out, errors = await process.communicate()
    assert out.decode().strip() == "60"
    assert errors.decode() == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://127.9.9.9", "http://localhost", "http://[::1]:8080"])
def test_plain_http_is_for_loopback(url: str) -> None:
    assert Settings(base_url=url).base_url == url


@pytest.mark.parametrize(
    "host",
    ["api.example.test", "10.0.0.1", "0.0.0.0", "localhost.example.test", "127.0.0.1.example.test", "127.0.0.1@a.test"],
)
def test_plain_http_is_for_nothing_else(host: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url must"):
        Settings(base_url=f"http://{host}")
