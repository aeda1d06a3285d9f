"""Python, this package, what it needs, and which inputs can be read."""

import json
import platform
import re
import ssl
import struct
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import cashin_async
from cashin_async.doctor.finding import Area, Finding
from cashin_async.ledger.health import SQLITE

PACKAGE = "cashin-async"
INSTALLATION = Area("installation")
INPUTS = Area("inputs")
OLDEST, NEWEST = (3, 11), (3, 14)
"""Pythons that the tests run on."""
EXTRAS = {
    "json-array": "a JSON array of any size",
    "parquet": "Parquet, and Arrow data of polars, pandas, duckdb",
    "zstd": "files packed with zstd (.zst)",
}
"""What each extra is for. JSON Lines, CSV and gzip need none."""

_IMPORTED_AS = {"backports-zstd": "backports.zstd"}
"""Of the distributions that are needed, those whose module has another name."""


class Requirement(NamedTuple):
    """A line of the package's metadata, as far as this package uses the syntax (PEP 508)."""

    name: str
    least: str
    """The version it takes at least."""
    extra: str | None
    below: tuple[int, ...] | None
    """Only needed on a Python below this one."""


def python(
    here: tuple[int, int] = sys.version_info[:2], level: str = sys.version_info.releaselevel
) -> Iterator[Finding]:
    """The interpreter: its version, and whether that is `final`."""
    bits = struct.calcsize("P") * 8
    what = f"{platform.python_implementation()} {platform.python_version()}, {bits} bit, {sys.executable}"
    if here < OLDEST:
        yield INSTALLATION.problem(what, f"install it into Python {_dotted(OLDEST)} or newer")
    elif here > NEWEST or level != "final":
        yield INSTALLATION.warning(f"{what}: not tested", f"Python {_dotted(OLDEST)} to {_dotted(NEWEST)} are")
    else:
        yield INSTALLATION.ok(what)
    yield INSTALLATION.ok(f"{ssl.OPENSSL_VERSION}; SQLite {SQLITE}; {platform.platform(terse=True)}")


def package() -> Iterator[Finding]:
    """Its version, and where it comes from."""
    folder = Path(cashin_async.__file__ or "").parent
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        yield INSTALLATION.problem(f"runs from {folder}, but is not installed", "python -m pip install .")
        return
    yield INSTALLATION.ok(f"{PACKAGE} {installed.version}, {_origin(installed)}, in {folder}")


def dependencies() -> Iterator[Finding]:
    """What it needs at run time."""
    there = []
    for requirement in _requirements(None):
        if why := _missing(requirement):
            yield INSTALLATION.problem(why, f'pip install "{requirement.name}>={requirement.least}"')
        else:
            there.append(f"{requirement.name} {version(requirement.name)}")
    if there:
        yield INSTALLATION.ok(", ".join(there))


def inputs() -> Iterator[Finding]:
    """Which forms of input can be read."""
    yield INPUTS.ok("JSON Lines, CSV, each packed with gzip or not: always")
    for extra, what in EXTRAS.items():
        needed = _requirements(extra)
        pip = f'pip install "{PACKAGE}[{extra}]"'
        if not any(_version(requirement) for requirement in needed) and needed:
            yield INPUTS.ok(f"not {what}: nothing of the extra {extra} is installed", f"if you need it: {pip}")
        elif why := next(filter(None, map(_missing, needed)), None):
            yield INPUTS.problem(f"not {what}: {why}", pip)
        elif extra == "json-array" and needed and not _is_fast():
            yield INPUTS.warning(f"{what}, but slowly: ijson has no C backend here", f"{pip} --force-reinstall")
        else:
            yield INPUTS.ok(what + _named(needed))


def _named(requirements: Sequence[Requirement]) -> str:
    names = ", ".join(f"{one.name} {_version(one)}" for one in requirements)
    return f" ({names})" if names else " (in the standard library)"


def _is_fast() -> bool:
    return str(import_module("ijson").backend).endswith("_c")


def _missing(requirement: Requirement) -> str | None:
    """Why a requirement is not met; None when it is."""
    found = _version(requirement)
    if found is None:
        return f"{requirement.name} is not installed"
    if _numbers(found) < _numbers(requirement.least):
        return f"{requirement.name} {found} is older than {requirement.least}"
    try:
        import_module(_IMPORTED_AS.get(requirement.name, requirement.name))
    except Exception as error:  # whatever a broken installation raises
        return f"{requirement.name} {found} cannot be imported ({type(error).__name__})"
    return None


def _version(requirement: Requirement) -> str | None:
    try:
        return version(requirement.name)
    except PackageNotFoundError:
        return None


_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^;]*?>=(?P<least>[0-9.]+)[^;]*(;(?P<marker>.*))?")
_EXTRA = re.compile(r"""extra == ["']([a-z0-9-]+)["']""")
_BELOW = re.compile(r"""python_version < ["']([0-9.]+)["']""")


def parsed(line: str) -> Requirement:
    """Raises `ValueError` for what this package does not write."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("a requirement without a least version")
    marker = match["marker"] or ""
    extra, below = _EXTRA.search(marker), _BELOW.search(marker)
    return Requirement(
        match["name"], match["least"], extra and extra[1], _numbers(below[1]) if below is not None else None
    )


def _requirements(extra: str | None) -> list[Requirement]:
    """Those of an extra, or those of the package itself, that this Python needs."""
    lines = map(parsed, distribution(PACKAGE).requires or ())
    return [one for one in lines if one.extra == extra and (one.below is None or sys.version_info[:2] < one.below)]


def _numbers(text: str) -> tuple[int, ...]:
    """Of a version, those that say which release it is."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _origin(installed: Distribution) -> str:
    """How it was installed. Source: "Recording the Direct URL Origin of installed distributions" (PEP 610)."""
    installer = (installed.read_text("INSTALLER") or "").strip()
    by = f" by {installer}" if installer.isalnum() else ""
    record = installed.read_text("direct_url.json")
    if record is None:
        return f"installed{by} from an index"
    origin = json.loads(record)
    if origin.get("dir_info", {}).get("editable"):
        return f"editable{by} from {unquote(urlsplit(origin['url']).path)}"
    kind = next((word for word, name in _KINDS.items() if name in origin), "a place of its own")
    return f"installed{by} from {kind}"


_KINDS = {"a folder": "dir_info", "a repository": "vcs_info", "a file": "archive_info"}
