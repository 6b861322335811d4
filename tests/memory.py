"""A folder in memory, where the system has one with room: a database there never waits for a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOM = 1 << 30
"""Bytes."""


def in_memory() -> Path | None:
    """None if files have to lie on a disk. No test asks what is left when the power is cut."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return memory if roomy else None
