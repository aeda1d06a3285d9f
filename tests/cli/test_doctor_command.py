"""`cashin-async doctor`: it finds out and says so, whatever is broken, and keeps what it saw to itself."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cashin_async.ledger.base import Account, NumberState
from cashin_async.ledger.sqlite import SqliteLedger
from tests.cli.conftest import KEY, MARKER, CommandLine, Done, environment, server

NOWHERE = "http://127.0.0.1:9"


def findings(done: Done) -> list[dict[str, str]]:
    """What `--json` printed; the counts and the exit code fit it."""
    said: dict[str, Any] = json.loads(done.out)
    found: list[dict[str, str]] = said.pop("findings")
    marks = [one["mark"] for one in found]
    assert said == {mark: marks.count(mark) for mark in ("ok", "warning", "problem")}
    assert done.code == (1 if said["problem"] else 0)
    assert done.err == ""
    return found


def problems(done: Done) -> str:
    return "\n".join(f"{one['area']}: {one['what']}" for one in findings(done) if one["mark"] == "problem")


def test_all_is_well(cashin: CommandLine, state: Path) -> None:
    with server() as simulator:
        done = cashin.run("doctor", url=simulator.url)
        found = findings(cashin.run("doctor", "--json", url=simulator.url))
        assert len(simulator.store) == 0
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "No problem."
    assert [one for one in found if one["mark"] != "ok"] == []
    assert list(dict.fromkeys(one["area"] for one in found)) == [
        *("installation", "inputs", "settings", "key", "address", "clock", "ledger")
    ]
    assert str(state) in found[-1]["what"]
    assert not state.exists(), "nothing is made"


def test_it_fits_eighty_columns(cashin: CommandLine) -> None:
    done = cashin.run("doctor", url=NOWHERE, CASHIN_CHUNKSIZE="1", CASHIN_RATE=MARKER, CASHIN_API_KEY=None)
    assert done.code == 1
    long = [line for line in done.out.splitlines() if len(line) > 80]
    assert [line for line in long if "/" not in line.split()[-1]] == [], "but for a path, which is not broken"
    assert [line for line in done.out.splitlines() if line != line.rstrip()] == []
    assert "\x1b" not in done.out
    assert "-> did you mean CASHIN_CHUNK_SIZE?" in done.out
    assert done.out.splitlines()[-1] == "3 problems to mend, 1 warning."


def test_nobody_answers(cashin: CommandLine) -> None:
    said = problems(cashin.run("doctor", "--json", url=NOWHERE))
    assert said == "address: cannot connect to 127.0.0.1:9: connection refused (base_url)"


def test_offline_asks_nobody(cashin: CommandLine) -> None:
    with server() as simulator:
        found = findings(cashin.run("doctor", "--offline", "--json", url=simulator.url))
        assert simulator.requests == 0
    assert [one["what"] for one in found if one["area"] == "address"] == [f"{simulator.url}: not tried (--offline)"]
    assert "clock" not in {one["area"] for one in found}


def test_options_are_settings(cashin: CommandLine) -> None:
    with server() as simulator:
        done = cashin.run("doctor", "--base-url", simulator.url, "--creditor", "ACME", "--json", url=NOWHERE)
    said = [one["what"] for one in findings(done) if one["area"] == "settings"]
    assert said == [
        f"base_url = {simulator.url}, from --base-url",
        "creditor = ACME, from --creditor",
        "base_url of CASHIN_BASE_URL is not used: another place wins",
    ]


async def test_a_ledger_with_unknowns(cashin: CommandLine, tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await SqliteLedger.open(place, Account(NOWHERE), new=True)
    (lease,) = await ledger.lease("a-run", [([1, 2], [3, 4])])
    await ledger.post(lease)
    await ledger.abandon("a-run")
    assert await ledger.in_state(NumberState.UNKNOWN) == [1, 2]
    await ledger.close()
    found = findings(cashin.run("doctor", str(place), "--offline", "--json", url=NOWHERE))
    (warning,) = [one for one in found if one["mark"] == "warning"]
    assert warning["what"].startswith("2 numbers are unknown")
    assert warning["todo"] == f"cashin-async settle {place}"


@pytest.mark.parametrize("content", [b"", b"x", b"garbage " * 1000], ids=["empty", "short", "garbage"])
def test_a_ledger_that_is_none(cashin: CommandLine, tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "ledger.db"
    place.write_bytes(content)
    assert f"ledger: ledger {place} " in problems(cashin.run("doctor", str(place), "--offline", "--json", url=NOWHERE))


def test_settings_that_are_broken_in_every_way(cashin: CommandLine, tmp_path: Path) -> None:
    config = tmp_path / "cashin.toml"
    config.write_text(f"retries = = {MARKER}")
    variables = {
        "CASHIN_CONFIG": str(config),
        "CASHIN_TIMEOUT": MARKER,
        "CASHIN_PROXY": f"http://user:{MARKER}@:x",
        "CASHIN_CA_FILE": "/nowhere.pem",
        "CASHIN_RULES": MARKER,
        "CASHIN_API_KEY": f"{KEY} {KEY}",
        "CASHIN_LEDGER": "~nobody-of-that-name/ledger.db",
    }
    said = problems(cashin.run("doctor", "--json", url=f"https://user:{MARKER}@example.test", **variables))
    for name in ("CONFIG", "line 1", "TIMEOUT", "PROXY", "RULES", "BASE_URL", "key"):
        assert name in said
    config.unlink()
    config.mkdir()
    assert "directory" in problems(cashin.run("doctor", "--offline", "--json", url=NOWHERE, **variables))


def test_authorities_that_cannot_be_read(cashin: CommandLine) -> None:
    done = cashin.run("doctor", "--offline", "--json", "--ca-file", "/nowhere.pem", url="https://127.0.0.1:9")
    assert "address: ca_file cannot be read" in problems(done)


def test_a_proxy_of_the_environment_is_told_of_without_its_login(cashin: CommandLine) -> None:
    variables = {"HTTPS_PROXY": f"http://user:{MARKER}@127.0.0.1:9"}
    done = cashin.run("doctor", "--offline", "--json", "--environment", "production", **variables)
    (said,) = [one["what"] for one in findings(done) if one["area"] == "address"]
    assert "through the proxy http://***@127.0.0.1:9" in said


def test_without_a_home(cashin: CommandLine) -> None:
    done = cashin.run("doctor", "--offline", "--json", url=NOWHERE, HOME=None, XDG_STATE_HOME=None)
    assert findings(done)


@pytest.mark.parametrize("where", [">&-", ">/dev/full", "| head -c 1"])
@pytest.mark.parametrize("how", ["", "--json"])
def test_nobody_reads_it(tmp_path: Path, where: str, how: str) -> None:
    """The exit code still tells how it went."""
    code = f"from cashin_async.cli import main; main(['doctor', '--offline'{how and f', {how!r}'}])"
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {where}; echo "${{PIPESTATUS[0]}}" >&2', sys.executable, code],
        env=environment(NOWHERE),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == "0\n"


def test_wrong_usage(cashin: CommandLine) -> None:
    assert cashin.run("doctor", "--nope").code == 2
    assert cashin.run("doctor", "a", "b").code == 2


def test_a_ledger_named_none_is_none(cashin: CommandLine) -> None:
    *_, last = findings(cashin.run("doctor", "none", "--offline", "--json", url=NOWHERE))
    assert (last["area"], last["mark"]) == ("ledger", "warning")
    assert last["what"].startswith("none: nothing is remembered")
    *_, last = findings(cashin.run("doctor", "./none", "--offline", "--json", url=NOWHERE))
    assert "/none: the first upload begins it" in last["what"]


def test_an_address_as_ledger_is_refused_and_not_shown(cashin: CommandLine) -> None:
    """`Running.ends` looks for the marker."""
    address = f"postgresql://user:{MARKER}@host/db"
    named = cashin.run("doctor", address, "--offline", "--json", url=NOWHERE)
    assert problems(named) == "ledger: the ledger must be a file's path, or none"
    as_setting = cashin.run("doctor", "--offline", "--json", url=NOWHERE, CASHIN_LEDGER=address)
    assert problems(as_setting) == "settings: CASHIN_LEDGER: ledger must be a file's path, or none"
    assert "first upload begins it" not in as_setting.out


def test_a_wrong_address_is_one_problem(cashin: CommandLine) -> None:
    done = cashin.run("doctor", "--offline", "--json", "--base-url", f"https://user:{MARKER}@host")
    assert problems(done) == "settings: --base-url: base_url must not hold a user or a password"
