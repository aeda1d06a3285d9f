"""Settings come from where they should, wrong ones are named, and a key never shows."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cashin_async.errors import CashInError, ConfigurationError
from cashin_async.settings import (
    BASE_URLS,
    ApiKey,
    Environment,
    Settings,
    checked_url,
    is_loopback,
    key_from_env,
)

KEY = "k3y-0f-a-creditor"
HIDDEN = "hunter2"  # stands for a password
URL = "https://api.example.com"


def refused(refuse: Callable[[], Any]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        refuse()
    assert isinstance(raised.value, CashInError)
    assert isinstance(raised.value, ValueError)
    assert HIDDEN not in "".join(traceback.format_exception_only(raised.value))
    return str(raised.value)


# -- the key


def logged(key: ApiKey) -> str:
    record = logging.LogRecord("name", logging.INFO, "path", 1, "key %s, %r", (key, key), None)
    return logging.Formatter().format(record)


def trace_with_locals(key: ApiKey) -> str:
    try:
        raise ValueError(key)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


FORMS: dict[str, Callable[[ApiKey], str]] = {
    "repr": repr,
    "str": str,
    "f-string": lambda key: f"{key}",
    "f-string of its repr": lambda key: f"{key!r}",
    "padded": lambda key: f"{key:>40}",
    "%s": lambda key: "%s" % key,  # noqa: UP031
    "%r": lambda key: "%r" % key,  # noqa: UP031
    "log": logged,
    "in a list": lambda key: repr([key]),
    "in an exception": lambda key: repr(ValueError(key)) + str(ValueError(key)),
    "in a traceback with locals": trace_with_locals,
    "copied": lambda key: repr(copy.copy(key)) + repr(copy.deepcopy({"key": key})),
    "pickled": lambda key: repr(pickle.dumps(key)),
    "pickled and back": lambda key: repr(pickle.loads(pickle.dumps(key))),
    "its directory": lambda key: " ".join(dir(key)),
}


@pytest.mark.parametrize("show", FORMS.values(), ids=FORMS)
def test_a_key_never_shows(show: Callable[[ApiKey], str]) -> None:
    assert KEY not in show(ApiKey(KEY))


def test_a_key_says_what_it_is() -> None:
    assert repr(ApiKey(KEY)) == str(ApiKey(KEY)) == f"{ApiKey(KEY)}" == "ApiKey(****)"


def test_a_key_is_in_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(ApiKey(KEY))


def test_a_key_gives_itself_away_only_on_request() -> None:
    assert ApiKey(KEY).reveal() == KEY
    assert ApiKey(ApiKey(f" {KEY}\n")).reveal() == KEY


def test_copies_of_a_key_still_work() -> None:
    key = ApiKey(KEY)
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0].reveal() == KEY


def test_a_pickled_key_comes_back_unusable() -> None:
    key = pickle.loads(pickle.dumps(ApiKey(KEY)))
    assert "pickled" in refused(key.reveal)
    assert "pickled" in refused(lambda: ApiKey(key))
    assert key != ApiKey(KEY)


def test_keys_are_equal_by_what_they_hold() -> None:
    assert ApiKey(KEY) == ApiKey(KEY)
    assert ApiKey(KEY) != ApiKey(KEY + "x")
    assert ApiKey(KEY) != KEY
    assert len({ApiKey(KEY), ApiKey(KEY), ApiKey("other")}) == 2


@pytest.mark.parametrize("text", ["", "  \n", None, 7, b"key"], ids=repr)
def test_no_key_names_the_variables(text: Any) -> None:
    message = refused(lambda: ApiKey(text))
    assert "CASHIN_API_KEY" in message
    assert "CASHIN_API_KEY_FILE" in message


@pytest.mark.parametrize("text", ["hunter2 hunter2", "hunter2\nX: y", "hunter2\x00", "hunter2\u00e4", "hunter2\t1"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(text: str) -> None:
    assert "API key" in refused(lambda: ApiKey(text))


def test_a_traceback_with_locals_does_not_show_the_refused_key() -> None:
    given = [HIDDEN, " with a space"]
    try:
        ApiKey("".join(given))
    except ConfigurationError as error:
        frame = traceback.TracebackException.from_exception(error, capture_locals=True).stack[-1]
        assert HIDDEN not in repr(frame.locals)


def test_the_key_comes_from_its_variable_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file")
    assert key_from_env({"CASHIN_API_KEY": KEY, "CASHIN_API_KEY_FILE": str(file)}) == KEY


def test_a_key_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    provider = key_from_env({"CASHIN_API_KEY": "", "CASHIN_API_KEY_FILE": str(file)})
    assert callable(provider)
    assert provider() == "first\n"
    file.write_text("second\n")
    assert provider() == "second\n"


@pytest.mark.parametrize("content", [None, b"hunter2 \xff"], ids=["missing", "not text"])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    provider = key_from_env({"CASHIN_API_KEY_FILE": str(file)})
    assert callable(provider)
    message = refused(provider)
    assert "CASHIN_API_KEY_FILE" in message
    assert str(file) in message


def test_no_key_at_all_names_both_variables() -> None:
    message = refused(lambda: key_from_env({}))
    assert "CASHIN_API_KEY," in message
    assert "CASHIN_API_KEY_FILE" in message


# -- where a setting comes from


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment that points to a file of the given text."""

    def write(text: str) -> dict[str, str]:
        file = tmp_path / "cashin.toml"
        file.write_text(text, encoding="utf-8")
        return {"CASHIN_CONFIG": str(file)}

    return write


Config = Callable[[str], dict[str, str]]


@pytest.mark.parametrize(
    ("argument", "variable", "in_file", "chosen"),
    [
        (1, "2", "3", 1),
        (1, None, "3", 1),
        (None, "2", "3", 2),
        (None, None, "3", 3),
        (None, "", "3", 3),
        (None, None, None, 100),
    ],
)
def test_an_argument_before_a_variable_before_the_file_before_the_default(
    config: Config, argument: int | None, variable: str | None, in_file: str | None, chosen: int
) -> None:
    env = config(f"chunk_size = {in_file}" if in_file else "")
    if variable is not None:
        env["CASHIN_CHUNK_SIZE"] = variable
    assert Settings.load(env, base_url=URL, chunk_size=argument).chunk_size == chosen


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("RATE", "2.5", 2.5),
        ("TIMEOUT", "5", 5.0),
        ("CONNECTIONS", "3", 3),
        ("RETRY_503", "yes", True),
        ("RETRY_503", "ON", True),
        ("RETRY_503", "1", True),
        ("RETRY_503", "true", True),
        ("RETRY_503", "no", False),
        ("RETRY_503", "Off", False),
        ("ON_REFUSED", "hold", "hold"),
        ("PROXY", "http://proxy:3128", "http://proxy:3128"),
    ],
)
def test_variables_are_read_as_what_they_mean(variable: str, text: str, value: Any) -> None:
    settings = Settings.load({f"CASHIN_{variable}": text, "CASHIN_BASE_URL": URL})
    assert getattr(settings, variable.lower()) == value
    assert type(getattr(settings, variable.lower())) is type(value)


def test_every_setting_can_come_from_its_variable() -> None:
    values = {item.name: getattr(Settings(base_url=URL), item.name) for item in fields(Settings)}
    env = {f"CASHIN_{name.upper()}": str(value) for name, value in values.items() if value is not None}
    assert Settings.load(env) == Settings(base_url=URL)


@pytest.mark.parametrize("argument", [{"base_url": URL}, {"environment": "production"}], ids=str)
@pytest.mark.parametrize(
    "variable", [{"CASHIN_BASE_URL": "https://other.example.com"}, {"CASHIN_ENVIRONMENT": "production"}], ids=str
)
def test_an_address_as_argument_replaces_whatever_address_the_variables_give(
    argument: dict[str, Any], variable: dict[str, str]
) -> None:
    settings = Settings.load(variable, **argument)
    assert settings.base_url == argument.get("base_url", "https://api.cash-in.com")


def test_production_is_the_published_address() -> None:
    settings = Settings(environment=Environment.PRODUCTION)
    assert settings.base_url == BASE_URLS[Environment.PRODUCTION] == "https://api.cash-in.com"
    assert Settings(environment=Environment.PRODUCTION, base_url=settings.base_url) == settings


def test_a_slash_at_the_end_of_the_address_is_dropped() -> None:
    assert Settings(base_url=f"{URL}/v2/").base_url == f"{URL}/v2"


def test_settings_do_not_show_the_proxys_password() -> None:
    assert HIDDEN not in repr(Settings(base_url=URL, proxy=f"http://user:{HIDDEN}@proxy:3128"))


# -- wrong settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunk_size", 0),
        ("chunk_size", -1),
        ("chunk_size", True),
        ("chunk_size", "100"),
        ("chunk_size", 1.5),
        ("chunk_bytes", 0),
        ("concurrency", 0),
        ("concurrency", 1001),
        ("connections", 0),
        ("rate", 0.0),
        ("rate", float("nan")),
        ("invoice_rate", float("inf")),
        ("timeout", -5.0),
        ("deadline", 0.0),
        ("retries", -1),
        ("retry_budget", -1),
        ("drain_timeout", -1.0),
        ("retry_503", "yes"),
        ("on_refused", "bisekt"),
        ("environment", "sandbox"),
        ("proxy", 7),
        ("ca_file", 7),
        ("base_url", 7),
        *(("csv_encoding", name) for name in ("", "no such", "hex", "rot13", "idna", "punycode", "undefined")),
        *(("csv_encoding", name) for name in ("unicode_escape", "Raw-Unicode-Escape", "charmap")),
        ("creditor", ""),
        ("creditor", " "),
        ("creditor", "ACME\n"),
        ("ledger", f"postgresql://user:{HIDDEN}@host/db"),
        ("lookup_path", f"/v2/invoices?token={HIDDEN}"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_and_its_variable(name: str, value: Any) -> None:
    message = refused(lambda: Settings(**{"base_url": URL, name: value}))
    assert message.startswith(f"{name} ")
    assert f"CASHIN_{name.upper()}" in message


@pytest.mark.parametrize("name", ["retries", "retry_budget", "drain_timeout"])
def test_some_settings_may_be_zero(name: str) -> None:
    assert getattr(Settings(**{"base_url": URL, name: 0}), name) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CHUNK_SIZE", "many"),
        ("CHUNK_SIZE", "1.5"),
        ("RATE", "fast"),
        ("RETRY_503", "perhaps"),
        ("ON_REFUSED", HIDDEN),
        ("ENVIRONMENT", f"https://user:{HIDDEN}@host"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name_and_not_shown(name: str, text: str) -> None:
    assert f"CASHIN_{name}" in refused(lambda: Settings.load({"CASHIN_BASE_URL": URL, f"CASHIN_{name}": text}))


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf"])
def test_a_variable_out_of_range_is_refused_by_its_name(text: str) -> None:
    assert "CASHIN_RATE" in refused(lambda: Settings.load({"CASHIN_BASE_URL": URL, "CASHIN_RATE": text}))


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("timeout", "abc", "a number of seconds"),
        ("deadline", "soon", "a number of seconds"),
        ("rate", "fast", "a number "),
        ("chunk_size", "1.5", "a whole number"),
        ("connections", "many", "a whole number"),
        ("retry_503", "perhaps", "true or false"),
        ("on_refused", "bisekt", "bisect or hold"),
        ("compress", "zip", "gzip"),
        ("csv_delimiter", "x", ";, ,, tab or |"),
        ("environment", "moon", "production"),
    ],
)
def test_what_is_wanted_instead_is_said(name: str, text: str, wanted: str) -> None:
    variable = f"CASHIN_{name.upper()}"
    message = refused(lambda: Settings.load({"CASHIN_BASE_URL": URL, variable: text}))
    assert message.startswith(f"{name} must be {wanted}")
    assert message.endswith(f"(environment variable {variable})")


def test_a_message_says_where_the_wrong_value_came_from(config: Config) -> None:
    env = config("rate = -1") | {"CASHIN_CHUNK_SIZE": "0"}
    assert refused(lambda: Settings.load(env, base_url=URL, chunk_size=1)).endswith(
        f"(in {env['CASHIN_CONFIG']}, which CASHIN_CONFIG names)"
    )
    assert refused(lambda: Settings.load(env, base_url=URL, rate=1.0)).endswith(
        "(environment variable CASHIN_CHUNK_SIZE)"
    )
    by_hand = refused(lambda: Settings.load(env, base_url=URL, rate=1.0, chunk_size=-1))
    assert by_hand == "chunk_size must be a number above 0 (option or argument)"


def test_a_wrong_setting_survives_pickling() -> None:
    """As an error does that another process raised."""
    with pytest.raises(ConfigurationError) as raised:
        Settings(base_url=URL, chunk_size=0)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_an_unknown_argument_is_named() -> None:
    assert "chunk_sizes" in refused(lambda: Settings.load({}, base_url=URL, chunk_sizes=1))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('chunk_sizes = "hunter2"', "chunk_sizes"),
        ('chunk_size = "hunter2"', "chunk_size"),
        ("chunk_size = 0", "chunk_size"),
        ('api_key = "hunter2"', "api_key"),
        ("base_url = hunter2", "CASHIN_CONFIG"),
        ('base_url = "https://user:hunter2@host"', "base_url"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_what_is_wrong(config: Config, text: str, named: str) -> None:
    assert named in refused(lambda: Settings.load(config(text)))


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cashin.toml"
    if content is not None:
        file.write_bytes(content)
    message = refused(lambda: Settings.load({"CASHIN_CONFIG": str(file)}))
    assert "CASHIN_CONFIG" in message
    assert str(file) in message


# -- addresses


def test_no_address_names_the_setting() -> None:
    assert refused(Settings).startswith("base_url ")


def test_an_environment_and_another_address_contradict_each_other() -> None:
    assert "base_url" in refused(lambda: Settings(environment=Environment.PRODUCTION, base_url=URL))


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:80/v2", "http://[::1]/v2"),
        ("http://LOCALHOST:1", "http://localhost:1"),
        ("http://localhost.", "http://localhost"),
        ("HTTPS://API.example.com:443/", "https://api.example.com"),
        ("https://api.example.com:8443/v2", "https://api.example.com:8443/v2"),
        ("https://10.0.0.1", "https://10.0.0.1"),
    ],
)
def test_addresses_that_a_key_may_travel_to_in_one_spelling(url: str, spelled: str) -> None:
    assert Settings(base_url=url).base_url == spelled


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[2001:db8::1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "HTTP://example.com",
        "ftp://localhost",
        "//api.example.com",
        "api.example.com",
        "https://",
        "https://:443",
        "https://[::1",
        "https://host:99999",
        "https://host:port",
        f"https://user:{HIDDEN}@api.example.com",
        f"https://{HIDDEN}@api.example.com",
        "https://@api.example.com",
        f"https://api.example.com?key={HIDDEN}",
        f"https://api.example.com/#{HIDDEN}",
        f"http://user:{HIDDEN}@api.example.com",
        f"https://user:{HIDDEN}@[::1",
        f"https://user:{HIDDEN}@host:port",
        "https://api.example.com?",
        "https://api.example.com/#",
    ],
)
def test_addresses_that_no_key_may_travel_to(url: str) -> None:
    message = refused(lambda: Settings(base_url=url))
    assert message.startswith("base_url ")
    assert "CASHIN_BASE_URL" in message


def test_the_parts_of_a_checked_url() -> None:
    url = checked_url("base_url", "https://api.example.com:8443/v2")
    assert (url.hostname, url.port, url.path) == ("api.example.com", 8443, "/v2")
    assert not is_loopback(url)


def test_certificates_go_unverified_on_loopback_only() -> None:
    assert Settings(base_url="https://localhost:8443", verify_tls=False).verify_tls is False
    message = refused(lambda: Settings(base_url=URL, verify_tls=False))
    assert message.startswith("verify_tls ")


@pytest.mark.parametrize("proxy", ["http://proxy:3128", "https://proxy", f"http://user:{HIDDEN}@proxy:3128"])
def test_proxies_that_can_be_used(proxy: str) -> None:
    assert Settings(base_url=URL, proxy=proxy).proxy == proxy


@pytest.mark.parametrize("proxy", ["proxy:3128", f"user:{HIDDEN}@proxy:3128"])
def test_a_proxy_that_names_no_scheme_speaks_http(proxy: str) -> None:
    assert Settings(base_url=URL, proxy=proxy).proxy == f"http://{proxy}"


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "proxy:port",
        "ftp://proxy",
        f"http://proxy/{HIDDEN}",
        f"http://proxy?{HIDDEN}",
        f"http://user%3A:{HIDDEN}@proxy",
        f"http://user:{HIDDEN}%0A@proxy",
        f"http://user:{HIDDEN}\u20ac@proxy",
        f"socks5://user:{HIDDEN}@proxy",
        f"http://user:{HIDDEN}@",
        f"http://user:{HIDDEN}@proxy:port",
        f"http://user:{HIDDEN}@[::1",
    ],
)
def test_proxies_that_cannot_be_used(proxy: str) -> None:
    assert refused(lambda: Settings(base_url=URL, proxy=proxy)).startswith("proxy ")


def test_a_proxy_is_for_https_only() -> None:
    proxy = f"http://user:{HIDDEN}@proxy:3128"
    assert refused(lambda: Settings(base_url="http://localhost", proxy=proxy)).startswith("proxy ")
