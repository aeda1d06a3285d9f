"""The settings: which are set, from where, and every one that is wrong, not just the first; and the key, unseen."""

import difflib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cashin_async.doctor.finding import Area, Finding
from cashin_async.errors import ConfigurationError
from cashin_async.models.digest import digest_without
from cashin_async.settings import KEY_VARIABLES, ApiKey, Settings, WrongSetting, read_file

SETTINGS = Area("settings")
KEY = Area("key")

_NAMES = tuple(item.name for item in fields(Settings))
_SHOWN = {item.name for item in fields(Settings) if item.repr} - {"lookup_path"}  # a query may hold a token
_ADDRESS = ("base_url", "environment")
_ANYWHERE = "https://localhost"
"""An address beside which every setting may stand."""
_FILE = "CASHIN_CONFIG"
_PREFIX = "CASHIN_"
_VARIABLES = {_PREFIX + name.upper(): name for name in _NAMES}
_OTHERS = (*KEY_VARIABLES, _FILE, "CASHIN_VENV", "CASHIN_ARTEFACTS", "CASHIN_KILLS")
"""Variables that are no settings; the last three are for a checkout's own run.py and tests."""


def _check_fields(text: str) -> None:
    digest_without([name.strip() for name in text.split(",") if name.strip()])


_CHECKED_LATER: Mapping[str, Callable[[Any], object]] = {"digest_without": _check_fields}
"""What a client looks into at its start only."""


@dataclass(frozen=True, slots=True)
class Given:
    """One setting from one place."""

    name: str
    origin: str
    """The option, the variable, or the file."""
    value: Any
    """As it is used; None when it is wrong."""
    wrong: str | None = None
    """Why; never the value."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that is set."""

    given: tuple[Given, ...]
    """In the order in which they win, for each name."""
    defaults: Mapping[str, Any]
    """Of the program."""
    file_problems: tuple[Finding, ...] = ()

    def used(self) -> dict[str, Any]:
        """The right ones that win."""
        options = {one.name for one in self.given if one.origin.startswith("--")}
        used: dict[str, Any] = {}
        for one in self.given:
            beaten = one.name in _ADDRESS and options & set(_ADDRESS) and not one.origin.startswith("--")
            if one.wrong is None and not beaten:
                used.setdefault(one.name, one.value)
        return used

    @property
    def has_wrong_address_only(self) -> bool:
        """Whether there is an address, and none that is right."""
        return self.is_wrong(*_ADDRESS) and self.used().keys().isdisjoint(_ADDRESS)

    def is_wrong(self, *names: str) -> bool:
        """Whether one of these settings is, in any place."""
        return any(one.wrong is not None and one.name in names for one in self.given)

    def settings(self) -> Settings:
        """What is right of it, together. Raises `ConfigurationError` when it does not go together."""
        return Settings.load({}, defaults=self.defaults, **self.used())


def configuration(env: Mapping[str, str], arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> Configuration:
    """Every setting by itself; nothing is raised for what is wrong."""
    given = [_alone(name, _option(name), {}, value) for name, value in arguments.items() if value is not None]
    given += [
        _alone(name, variable, {variable: env[variable]}) for variable, name in _VARIABLES.items() if env.get(variable)
    ]
    in_file, problems = _of_file(env.get(_FILE))
    return Configuration((*given, *in_file), defaults, tuple(problems))


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _alone(name: str, origin: str, env: Mapping[str, str], value: Any = None) -> Given:
    arguments: dict[str, Any] = {} if name in _ADDRESS else {"base_url": _ANYWHERE}
    try:
        settings = Settings.load(env, **arguments | ({} if value is None else {name: value}))
        found = getattr(settings, name)
        if check := _CHECKED_LATER.get(name):
            check(found)
    except ConfigurationError as error:
        return Given(name, origin, None, f"{error.name} {error.why}" if isinstance(error, WrongSetting) else str(error))
    return Given(name, origin, found)


def _of_file(path: str | None) -> tuple[list[Given], list[Finding]]:
    if not path:
        return [], []
    if _is_special(path):
        return [], [SETTINGS.problem(f"{_FILE}: {path} is no regular file: it was not read", "name a regular file")]
    try:
        values = read_file(Path(path))
    except ConfigurationError as error:
        return [], [SETTINGS.problem(str(error), f"mend the file, or unset {_FILE}")]
    unknown = [
        SETTINGS.problem(f"{_FILE}: {path} has an unknown setting {name!r}", _meant(name, _NAMES) or "remove it")
        for name in values
        if name not in _NAMES
    ]
    return [_alone(name, path, {}, value) for name, value in values.items() if name in _NAMES], unknown


def _is_special(path: str | Path) -> bool:
    """Whether it is there and no file: whoever reads from a pipe may wait forever, or take what another needs."""
    return os.path.exists(path) and not os.path.isfile(path)


def _meant(name: str, names: tuple[str, ...], prefix: str = "") -> str:
    close = difflib.get_close_matches(name, names, 1)
    return f"did you mean {prefix}{close[0]}?" if close else ""


# -- findings


def settings_set(found: Configuration) -> Iterator[Finding]:
    """Each setting that is set anywhere."""
    yield from found.file_problems
    wins: set[str] = set()
    used = found.used()
    for one in found.given:
        if one.wrong is not None:
            yield SETTINGS.problem(f"{one.origin}: {one.wrong}", f"mend {one.origin}")
        elif one.name in wins or one.name not in used:
            yield SETTINGS.warning(f"{one.name} of {one.origin} is not used: another place wins", f"unset {one.origin}")
        else:
            wins.add(one.name)
            yield SETTINGS.ok(f"{one.name} = {_shown(one)}, from {one.origin}")


def _shown(one: Given) -> str:
    return str(one.value) if one.name in _SHOWN else "(set)"


def together(found: Configuration) -> Iterator[Finding]:
    """Whether what is right by itself goes together. All that has to, goes with the address."""
    if found.has_wrong_address_only:
        return
    try:
        found.settings()
    except ConfigurationError as error:
        yield SETTINGS.problem(str(error), _address_hint(found))


def _address_hint(found: Configuration) -> str:
    if not any(name in found.used() for name in _ADDRESS):
        return "--environment production, or --base-url URL of the sandbox or a simulator"
    return "change one of the settings that it names"


def misspelt(env: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that look like settings, and that nobody reads."""
    known = (*_VARIABLES, *_OTHERS)
    endings = tuple(name.removeprefix(_PREFIX) for name in known)  # the prefix is alike in all
    for name in sorted(env):
        if name.upper().startswith(_PREFIX) and name not in known:
            hint = _meant(name.upper().removeprefix(_PREFIX), endings, _PREFIX)
            yield SETTINGS.warning(f"{name} is no setting, and nobody reads it", hint or "unset it")


def key(env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether there is a key, and whether it could be one; never the key."""
    variable, file = KEY_VARIABLES
    if env.get(variable):
        if env.get(file):
            yield KEY.warning(f"{file} is not used: {variable} wins", f"unset one of them; {file} can be rotated")
        yield from _form(env[variable], variable)
    elif env.get(file):
        yield from _key_file(Path(env[file]), file)
    else:
        yield KEY.problem("there is none", f"set {variable}, or {file} to a file that holds it")


def _key_file(path: Path, variable: str) -> Iterator[Finding]:
    if _is_special(path):
        yield KEY.problem(f"{variable}: {path} is no regular file: it was not read", "name a regular file")
        return
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        yield KEY.problem(f"{variable}: {path} is not text", "write the key into it, and nothing else")
        return
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        yield KEY.problem(f"{variable}: cannot read {path}: {why}", "name a file that this user can read")
        return
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        said = f"{path} can be read or written by others (mode {stat.S_IMODE(mode):04o})"
        yield KEY.warning(f"{variable}: {said}", f"chmod 600 {path}")
    yield from _form(text, variable)


def _form(text: str, origin: str) -> Iterator[Finding]:
    try:
        value = ApiKey(text).reveal()
    except ConfigurationError as error:
        yield KEY.problem(f"{origin}: {error}", f"mend {origin}")
        return
    if value[0] in "\"'" or value[-1] in "\"'":
        yield KEY.warning(
            f"{origin}: present, but it begins or ends with a quotation mark",
            "quotation marks of a shell or a file of variables are no part of the key: remove them",
        )
    else:
        yield KEY.ok(f"present, from {origin}; whether it is the right one only an upload tells")
