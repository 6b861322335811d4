"""A database as a first start leaves it, made once in a process and copied: its migrations take longer than a test."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from notifier.store.upgrade import upgrade


def laid_out(path: Path) -> Path:
    """The path, with the newest schema there if nothing was."""
    if not path.exists():
        shutil.copyfile(_template(), path)
    return path


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp()) / "template.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, None)
    engine.dispose()
    return path
