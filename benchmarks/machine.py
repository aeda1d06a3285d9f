"""What the figures were measured on. No names of hosts or people: the file with the results is public."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("cashin-async", "aiohttp", "msgspec", "httpx", "pydantic", "requests", "uvloop")


def processors() -> list[int]:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def describe(sink: str, cores: int) -> dict[str, str]:
    """`cores` from before the suite bound itself to one of them."""
    return {
        "processor": _processor(),
        "cores": str(cores),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: found for name in _PACKAGES if (found := _version(name))},
        "sink": sink,
    }


def in_words(machine: dict[str, str]) -> str:
    """One sentence for the docs."""
    packages = ", ".join(f"{name} {machine[name]}" for name in _PACKAGES if name in machine)
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}; {machine['system']};"
        f" {machine['python']}; {packages}; sink in {machine['sink']}"
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    facts = _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.processor() or platform.machine()
    virtual = " (virtual machine)" if _first(Path("/proc/cpuinfo"), r"flags\s*:.*\b(hypervisor)\b") else ""
    return facts + virtual


def _memory() -> str:
    kilobytes = _first(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)")
    return f"{int(kilobytes) / 2**20:.0f} GiB" if kilobytes else "memory unknown"


def _first(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1].strip() if found else None
