"""Databases of either kind for one test, as many as it wants."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import sqlalchemy as sa

from tests.postgres import Databases
from tests.template import laid_out

KINDS = ("sqlite", "postgresql")
MOVES = (KINDS, KINDS[::-1])
"""From one kind to the other."""


class Places:
    """The URLs of databases that nobody used before; they are gone with the test."""

    def __init__(self, folder: Path, server: Callable[[], Databases], until: ExitStack) -> None:
        self._folder = folder
        self._server = server
        self._until = until

    def new(self, kind: str) -> str:
        """Nothing is in it, or it is not there at all."""
        if kind == "sqlite":
            return f"sqlite:///{self._folder / uuid.uuid4().hex}.db"
        return self._until.enter_context(self._server().one("template0"))

    def laid_out(self, kind: str) -> str:
        """As a first start leaves it."""
        if kind == "sqlite":
            return f"sqlite:///{laid_out(self._folder / f'{uuid.uuid4().hex}.db')}"
        return self._until.enter_context(self._server().one())


def opened(url: str) -> sa.Engine:
    """For a test to look into it."""
    parsed = sa.make_url(url)
    postgresql = parsed.get_backend_name() == "postgresql"
    return sa.create_engine(parsed.set(drivername="postgresql+psycopg") if postgresql else parsed)
