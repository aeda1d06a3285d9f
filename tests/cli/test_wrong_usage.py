"""Exit code 2: wrong usage or configuration, with a message that names what is wrong, before anything is sent."""

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, MARKER, CommandLine, Done, server

LOCAL = "http://127.0.0.1:9"


def check(done: Done, *words: str) -> None:
    assert done.code == 2
    assert done.out == ""
    for word in words:
        assert word in done.err
    assert len(done.err.splitlines()) <= 6, "a message, not a story"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["upload"], ["FILE"]),
        (["upload", "a", "--nope"], ["--nope"]),
        (["upload", "a", "--limit", "0"], ["--limit"]),
        (["upload", "a", "--limit", "many"], ["--limit"]),
        (["upload", "a", "--ledger", "redis://127.0.0.1"], ["ledger"]),
        (["upload", "a", "--ledger", "/nowhere/ledger.db"], ["/nowhere/ledger.db"]),
        (["upload", "a", "--report", "report.pdf"], ["--report", ".html", ".json", ".csv"]),
        (["upload", "a", "--report", "report"], ["--report", ".json", ".csv"]),
        (["upload", "a", "--report", "/nowhere/report.json"], ["--report", "/nowhere/report.json", "No such file"]),
        (["upload", "a", "--failed", "/nowhere/failed.jsonl"], ["--failed", "/nowhere/failed.jsonl", "No such file"]),
        (["upload", "a", "--failed", "/"], ["--failed", "directory"]),
        (["upload", "a", "--failed", "/dev/null"], ["--failed", "/dev/null"]),
        (["upload", "a", "--failed", "same.csv", "--report", "same.csv"], ["same.csv", "--failed", "--report"]),
        (["upload", "a", "--compress", "zip"], ["--compress", "gzip"]),
        (["upload", "a", "--settle-after", "-1"], ["settle_after"]),
        (["upload", "a", "--lookup-path", "/v2/invoices"], ["lookup_path", "option"]),
        (["upload", "a", "--creditor", ""], ["creditor", "option"]),
        (["upload", "a", "--creditor", " "], ["creditor", "option"]),
        (["upload", "a", "--retries", "3"], ["--retries", "CASHIN_RETRIES"]),
        (["upload", "a", "--csv-delimiter", "x"], ["--csv-delimiter", "'tab'"]),
        (["status", "none"], ["LEDGER is none"]),
        (["settle", "none", "--accepted", "1"], ["LEDGER is none"]),
        (["report", "none", "-o", "report.json"], ["LEDGER is none"]),
        (["status", f"postgresql://u:{MARKER}@h/db"], ["ledger must be a file's path"]),
        (["report", f"postgresql://u:{MARKER}@h/db", "-o", "report.json"], ["ledger must be a file's path"]),
        (["settle", f"postgresql://u:{MARKER}@h/db", "--accepted", "1"], ["ledger must be a file's path"]),
        (["upload", "a", "--ledger", f"postgresql://u:{MARKER}@h/db"], ["ledger must be a file's path", "option"]),
        (["status", "nowhere.db"], ["nowhere.db", "does not exist"]),
        (["status"], ["does not exist"]),
        (["status", "--ledger", "a.db"], ["--ledger"]),
        (["settle"], ["--lookup-path", "--accepted", "--release"]),
        (["settle", "nowhere.db", "--lookup-path", "/v2/{InvoiceNumber}"], ["nowhere.db", "does not exist"]),
        (["settle", "nowhere.db", "--accepted", "1"], ["nowhere.db", "does not exist"]),
        (["settle", "--accepted", "1,x"], ["--accepted", "1,x", "1001,1005-1010"]),
        (["settle", "--accepted", "1-9", "--accepted", "20", "--release", "9-20"], ["9 is both"]),
        (["upload", "a", "--environment", "moon"], ["--environment", "production"]),
        (["upload", "a", "--api-key", MARKER], ["--api-key"]),
        (["upload", "a", f"--api-key={MARKER}"], ["--api-key"]),
        (["upload", "a", "--key", MARKER], ["--key"]),
        (["nope"], ["nope"]),
        (["simulator", "--port", "70000"], ["--port"]),
        (["simulator", "--fault", "no-such-fault"], ["no-such-fault", "drop-after"]),
        (["simulator", "--fault", "drop-aftr"], ["drop-aftr", "Did you mean 'drop-after'"]),
        (["simulator", "--fault", "latency=soon"], ["latency=soon"]),
        (["simulator", "--fault", "drop-after@0"], ["drop-after@0"]),
        (["simulator", "--lookup-path", "nowhere"], ["lookup_path"]),
        (["demo", "--count", "0"], ["--count"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_command_line(cashin: CommandLine, argv: list[str], words: list[str]) -> None:
    check(cashin.run(*argv, url=LOCAL), *words)


NUMBERS = {
    "chunk_size": "1.5",
    "chunk_bytes": "-1",
    "concurrency": "0",
    "rate": "nan",
    "invoice_rate": "-0.1",
    "timeout": "inf",
    "deadline": "0",
}


@pytest.mark.parametrize(("name", "value"), [*NUMBERS.items(), ("rate", "many"), ("chunk_size", "many")])
def test_a_bad_number_in_an_option(cashin: CommandLine, name: str, value: str) -> None:
    option = f"--{name.replace('_', '-')}"
    done = cashin.run("upload", "a.jsonl", option, value, url=LOCAL)
    check(done)
    assert option in done.err or name in done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [*NUMBERS.items(), ("rate", "many"), ("chunk_size", "many"), ("retries", "-1"), ("drain_timeout", "-1")],
)
def test_a_bad_number_in_a_variable(cashin: CommandLine, name: str, value: str) -> None:
    variable = f"CASHIN_{name.upper()}"
    check(cashin.run("upload", "a.jsonl", url=LOCAL, **{variable: value}), variable)


def test_no_key(cashin: CommandLine) -> None:
    for empty in (None, ""):
        done = cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_API_KEY=empty)
        check(done, "CASHIN_API_KEY", "CASHIN_API_KEY_FILE")


@pytest.mark.parametrize("key", [f"{KEY} {KEY}", f"{KEY}\nX-Evil: 1", f"{KEY}ä"])
def test_a_key_that_no_header_can_carry(cashin: CommandLine, key: str) -> None:
    check(cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_API_KEY=key), "key")


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe\x00", b"two words"])
def test_a_key_file_that_holds_none(cashin: CommandLine, content: bytes | None) -> None:
    path = cashin.folder / "key"
    if content is not None:
        path.write_bytes(content)
    done = cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_API_KEY=None, CASHIN_API_KEY_FILE=str(path))
    check(done, "key" if content else "CASHIN_API_KEY_FILE")


def test_no_address(cashin: CommandLine) -> None:
    check(cashin.run("upload", "a.jsonl"), "base_url", "CASHIN_BASE_URL")


def test_a_ledger_is_not_opened_before_the_settings_are_right(cashin: CommandLine) -> None:
    ledger = cashin.folder / "ledger.db"
    check(
        cashin.run("upload", cashin.invoices(1), "--ledger", ledger, "--lookup-path", "/foo", url=LOCAL), "lookup_path"
    )
    assert not ledger.exists()


def test_two_addresses(cashin: CommandLine) -> None:
    both = ("--environment", "production", "--base-url", LOCAL)
    check(cashin.run("upload", "a.jsonl", *both), "base_url", "environment")
    check(cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_ENVIRONMENT="production"), "base_url", "environment")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1:8765",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        f"https://user:{MARKER}@example.com",
        "ftp://127.0.0.1",
        "api.example.com",
        "https://",
        "https://example.com/?x=1",
        "http://127.0.0.1:port",
    ],
)
def test_an_address_that_the_key_is_not_sent_to(cashin: CommandLine, url: str) -> None:
    check(cashin.run("upload", "a.jsonl", "--base-url", url), "base_url")


@pytest.mark.parametrize("proxy", ["http://", f"socks5://user:{MARKER}@127.0.0.1:1", f"http://user:{MARKER}@:x"])
def test_a_proxy_that_is_none(cashin: CommandLine, proxy: str) -> None:
    check(cashin.run("upload", "a.jsonl", "--base-url", "https://127.0.0.1:9", "--proxy", proxy), "proxy")


def test_authorities_that_cannot_be_read(cashin: CommandLine) -> None:
    check(cashin.run("upload", "a.jsonl", "--ca-file", "/nowhere.pem", url=LOCAL), "ca_file")


def test_a_file_of_settings(cashin: CommandLine, tmp_path: Path) -> None:
    config = tmp_path / "cashin.toml"
    check(cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_CONFIG=str(config)), "CASHIN_CONFIG", str(config))
    config.write_text("chunk_sise = 5")
    check(cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_CONFIG=str(config)), "chunk_sise")
    config.write_text("chunk_size = 'five'")
    check(cashin.run("upload", "a.jsonl", url=LOCAL, CASHIN_CONFIG=str(config)), "chunk_size", str(config))


def test_a_port_that_is_taken(cashin: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        check(cashin.run("simulator", "--port", port), port, "--port")


def test_nothing_is_sent(cashin: CommandLine) -> None:
    with server() as simulator:
        check(cashin.run("upload", cashin.invoices(1), "--chunk-size", "0", url=simulator.url))
        assert simulator.requests == 0


def test_help_needs_no_configuration(cashin: CommandLine) -> None:
    commands = ("demo", "doctor", "check", "upload", "status", "settle", "simulator", "completion")
    for argv in (["--help"], *([command, "-h"] for command in commands), ["--version"]):
        done = cashin.run(*argv, CASHIN_API_KEY=None)
        assert done.code == 0
        assert done.err == ""
        assert "CASHIN_API_KEY" in done.out or argv[0] != "upload"
