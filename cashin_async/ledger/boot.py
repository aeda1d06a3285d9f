"""Which start of the machine this is: what was on its way to the disk is lost when another one follows."""

import subprocess
import sys
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")
_MACOS = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")


def boot_id() -> str | None:
    """The same until the machine starts anew; None where there is no telling (Windows, some containers)."""
    try:
        if sys.platform == "darwin":
            told = subprocess.run(_MACOS, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        else:
            told = _LINUX.read_text()
    except (OSError, subprocess.SubprocessError):
        return None
    return told.strip() or None
