"""Whether a file lies on this machine (SQLite's WAL does not work across a network), and whether it stays there."""

import os
import re
from pathlib import Path, PurePath, PureWindowsPath

_NETWORK = (
    "afs beegfs ceph cifs coda davfs fuse.ceph fuse.cephfs fuse.davfs2 fuse.gcsfuse fuse.glusterfs fuse.mount-s3 "
    "fuse.rclone fuse.s3fs fuse.sshfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs pvfs2 smb2 smb3 smbfs"
)
_MOUNTS = Path("/proc/self/mountinfo")


def network_type(place: PurePath, mounts: Path = _MOUNTS) -> str | None:
    """The type of the network file system that the absolute `place` is on; None for a local one, or an unknown one."""
    if isinstance(place, PureWindowsPath) and place.drive.startswith("\\\\"):
        return "a Windows share"
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    of_place = [(point, kind) for point, kind in map(_mount, lines) if place.is_relative_to(point)]
    kind = max(reversed(of_place), key=lambda mount: len(mount[0].parts), default=(Path("/"), ""))[1]
    return kind if kind in _NETWORK.split() else None


def _mount(line: str) -> tuple[Path, str]:
    """Mount point and type of a line of mountinfo (man 5 proc), in which blanks and backslashes are octal."""
    fields, _, source = line.partition(" - ")
    point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields.split(" ")[4])
    return Path(point), source.split(" ")[0]


def sync_folder(folder: Path) -> None:
    """Write a folder to the disk, and with it the names of the files that were made in it."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
