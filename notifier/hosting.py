"""Whether what is written here is still there tomorrow: by the host's name, and by what is mounted. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_LAYERS = ("overlay", "fuse.fuse-overlayfs", "aufs")
"""File systems that containers are made of; what is written to one goes with its container."""

_MEMORY = ("tmpfs", "ramfs")


class Mount(NamedTuple):
    """A file system, and where it hangs."""

    at: str
    kind: str


def mount_of(path: str, table: str) -> Mount | None:
    """The mount that an absolute path lies on; None if nobody says. `table` is /proc/self/mountinfo: see proc(5)."""
    found = None
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        columns = left.split()
        if len(columns) > 4 and right:
            at = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), columns[4])
            inside = path == at or path.startswith(f"{at.rstrip('/')}/")
            if inside and (found is None or len(at) >= len(found.at)):  # of two at one place the later one is seen
                found = Mount(at, right.split()[0])
    return found


def why_forgotten(path: str, table: str, *, heroku: bool, fly: bool) -> str:
    """Why the file at an absolute path will be lost, with the cure; empty if it stays, as far as anybody can see."""
    if heroku:
        return (
            f"{path} is on a dyno's disk, which Heroku empties at every restart, at least once a day: "
            "heroku addons:create heroku-postgresql:essential-0, whose DATABASE_URL is used unless store.url names "
            "another one"
        )
    mount, root = mount_of(path, table), mount_of("/", table)
    if mount is None or root is None:
        return ""
    in_container = root.kind in _LAYERS
    if fly and (mount == root or mount.kind in _MEMORY):
        return f"{path} is not on a volume, and the next deploy empties it: mount one there, or set DATABASE_URL"
    if mount.kind in _LAYERS or (in_container and mount.kind in _MEMORY):
        return f"{path} is part of the container, and lost with it: mount a volume there, or set DATABASE_URL"
    return ""
