"""Settings and the key: every wrong one, where it comes from, and no value that may be a secret."""

import os
from pathlib import Path
from typing import Any

import pytest

from cashin_async.cli.options import OWN_DEFAULTS
from cashin_async.doctor.configuration import KEY, SETTINGS, configuration, key, misspelt, settings_set, together
from cashin_async.doctor.finding import Finding, Mark, found_by
from cashin_async.settings import Settings

SECRET = "S3cretOfNobody"
LOCAL = "http://127.0.0.1:9"


def findings(env: dict[str, str], **arguments: Any) -> list[Finding]:
    found = configuration(env, arguments, OWN_DEFAULTS)
    told = [*settings_set(found), *together(found), *misspelt(env)]
    assert SECRET not in str(told)
    return told


def marked(found: list[Finding], mark: Mark) -> list[str]:
    return [one.what for one in found if one.mark is mark]


def test_nothing_is_set() -> None:
    (one,) = findings({})
    assert one.mark is Mark.PROBLEM
    assert "base_url is not set" in one.what
    assert "--environment production" in one.todo


def test_where_each_setting_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "cashin.toml"
    file.write_text("chunk_size = 50\nretries = 3\n")
    env = {"CASHIN_CONFIG": str(file), "CASHIN_RETRIES": "4", "CASHIN_BASE_URL": LOCAL}
    found = findings(env, base_url="http://127.0.0.1:10", creditor=None)
    assert marked(found, Mark.OK) == [
        "base_url = http://127.0.0.1:10, from --base-url",
        "retries = 4, from CASHIN_RETRIES",
        f"chunk_size = 50, from {file}",
    ]
    assert marked(found, Mark.WARNING) == [
        "base_url of CASHIN_BASE_URL is not used: another place wins",
        f"retries of {file} is not used: another place wins",
    ]


def test_an_address_by_hand_wins_over_an_environment_that_is_set() -> None:
    found = configuration({"CASHIN_ENVIRONMENT": "production"}, {"base_url": LOCAL}, {})
    assert found.settings().base_url == LOCAL
    assert found.settings() == Settings.load({"CASHIN_ENVIRONMENT": "production"}, base_url=LOCAL)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cashin.toml"
    file.write_text(f'chunk_sise = 5\nretries = "{SECRET}"\nrules = "{SECRET}"\n')
    env = {
        "CASHIN_CONFIG": str(file),
        "CASHIN_RATE": SECRET,
        "CASHIN_TIMEOUT": "-1",
        "CASHIN_PROXY": f"socks5://user:{SECRET}@127.0.0.1",
        "CASHIN_LOOKUP_PATH": f"/v2/invoices?token={SECRET}",
        "CASHIN_DIGEST_WITHOUT": "InvoiceNumber",
        "CASHIN_BASE_URL": f"https://user:{SECRET}@example.com",
    }
    problems = marked(findings(env), Mark.PROBLEM)
    for name in ("chunk_sise", "retries", "rules", "RATE", "TIMEOUT", "PROXY", "LOOKUP_PATH", "digest_without"):
        assert sum(name in one for one in problems) == 1, name
    assert sum("CASHIN_BASE_URL" in one for one in problems) == 1
    assert len(problems) == 9, "and not that there is no address: it is wrong"
    assert sum(one.startswith(f"{file}: ") for one in problems) == 2
    assert not any("environment variable" in one for one in problems), "each begins with its place"


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"CASHIN_BASE_URL": LOCAL, "CASHIN_ENVIRONMENT": "production"}, "both set"),
        ({"CASHIN_BASE_URL": LOCAL, "CASHIN_PROXY": "http://127.0.0.1:1"}, "proxy needs"),
        ({"CASHIN_ENVIRONMENT": "production", "CASHIN_VERIFY_TLS": "no"}, "loopback only"),
    ],
)
def test_settings_that_do_not_go_together(env: dict[str, str], word: str) -> None:
    (problem,) = marked(findings(env), Mark.PROBLEM)
    assert word in problem


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (f"rate = {SECRET}".encode(), "line 1, column"),
        (b'a = 1\nb = "' + SECRET.encode(), "no TOML"),
        (b"\xff\xfe" + SECRET.encode(), "UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_of_settings_that_cannot_be_read(tmp_path: Path, content: bytes | None, word: str) -> None:
    file = tmp_path / "cashin.toml"
    if content is not None:
        file.write_bytes(content)
    (problem,) = marked(findings({"CASHIN_CONFIG": str(file), "CASHIN_BASE_URL": LOCAL}), Mark.PROBLEM)
    assert str(file) in problem
    assert word in problem


def test_values_that_nobody_needs_to_see_are_not_shown() -> None:
    env = {
        "CASHIN_BASE_URL": "https://127.0.0.1",
        "CASHIN_PROXY": f"http://user:{SECRET}@127.0.0.1:1",
        "CASHIN_LOOKUP_PATH": "/v2/{InvoiceNumber}?token=" + SECRET,
        "CASHIN_CREDITOR_IBAN": "FI2112345600000785",
    }
    found = findings(env)
    assert marked(found, Mark.PROBLEM) == []
    assert "FI21" not in str(found)
    assert sum("(set)" in one.what for one in found) == 3


def test_variables_that_are_misspelt() -> None:
    env = {"CASHIN_CHUNKSIZE": SECRET, "cashin_base_url": SECRET, "CASHIN_QQQQ": SECRET}
    env |= dict.fromkeys(("CASHIN_VENV", "CASHIN_ARTEFACTS", "CASHIN_KILLS"), "of a checkout's own tools")
    told = {one.what.split()[0]: one.todo for one in misspelt(env)}
    assert told == {
        "CASHIN_CHUNKSIZE": "did you mean CASHIN_CHUNK_SIZE?",
        "cashin_base_url": "did you mean CASHIN_BASE_URL?",
        "CASHIN_QQQQ": "unset it",
    }


def of_key(env: dict[str, str]) -> list[tuple[Mark, str]]:
    found = found_by(KEY, lambda: key(env))
    assert SECRET not in str(found)
    return [(one.mark, one.what + one.todo) for one in found]


def test_a_key_is_present_or_not() -> None:
    ((mark, said),) = of_key({})
    assert (mark, "CASHIN_API_KEY_FILE" in said) == (Mark.PROBLEM, True)
    ((mark, said),) = of_key({"CASHIN_API_KEY": SECRET})
    assert (mark, "present" in said) == (Mark.OK, True)


@pytest.mark.parametrize("text", [f"{SECRET} {SECRET}", f"{SECRET}ä", " ", f"{SECRET}\n{SECRET}"])
def test_a_key_that_cannot_be_one(text: str) -> None:
    ((mark, _),) = of_key({"CASHIN_API_KEY": text})
    assert mark is Mark.PROBLEM


def test_a_key_in_quotation_marks() -> None:
    ((mark, said),) = of_key({"CASHIN_API_KEY": f'"{SECRET}"'})
    assert mark is Mark.WARNING
    assert "quotation mark" in said


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_a_key_file_that_others_can_read(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o644)
    (warning, said), (ok, _) = of_key({"CASHIN_API_KEY_FILE": str(file)})
    assert (warning, ok) == (Mark.WARNING, Mark.OK)
    assert f"chmod 600 {file}" in said
    file.chmod(0o600)
    assert [mark for mark, _ in of_key({"CASHIN_API_KEY_FILE": str(file)})] == [Mark.OK]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe" + SECRET.encode()])
def test_a_key_file_that_holds_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    ((mark, said),) = of_key({"CASHIN_API_KEY_FILE": str(file)})
    assert mark is Mark.PROBLEM
    assert "CASHIN_API_KEY_FILE" in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_pipes_are_not_read_since_nobody_may_write_them(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    ((mark, said),) = of_key({"CASHIN_API_KEY_FILE": str(pipe)})
    assert (mark, "no regular file" in said) == (Mark.PROBLEM, True)
    (problem,) = marked(findings({"CASHIN_CONFIG": str(pipe), "CASHIN_BASE_URL": LOCAL}), Mark.PROBLEM)
    assert "no regular file" in problem


def test_two_keys() -> None:
    (warning, said), (ok, _) = of_key({"CASHIN_API_KEY": SECRET, "CASHIN_API_KEY_FILE": "/nowhere"})
    assert (warning, ok) == (Mark.WARNING, Mark.OK)
    assert "CASHIN_API_KEY_FILE is not used" in said


def test_the_area_is_named() -> None:
    assert {one.area for one in findings({})} == {SETTINGS.name}
