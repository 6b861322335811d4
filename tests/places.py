"""New, empty databases of either kind."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

SERVER = os.environ.get("NOTIFIER_TEST_POSTGRESQL", "")
"""`postgresql://…` of a server on loopback on which databases may be made; without it SQLite is all there is."""

KINDS = ("sqlite", "postgresql") if SERVER else ("sqlite",)
MOVES = tuple(zip(KINDS, reversed(KINDS), strict=True))
"""From one kind to the other."""

Place = Callable[[], str]
"""The URL of one that nobody used before."""


def place(kind: str, folder: Path) -> Place:
    def new_file() -> str:
        return f"sqlite:///{folder / uuid.uuid4().hex}.db"

    def new_on_server() -> str:
        url = sa.make_url(SERVER).set(drivername="postgresql+psycopg", database="postgres")
        name = f"test_{uuid.uuid4().hex}"
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    return new_file if kind == "sqlite" else new_on_server


def opened(url: str) -> sa.Engine:
    """For a test to look into it."""
    parsed = sa.make_url(url)
    postgresql = parsed.get_backend_name() == "postgresql"
    return sa.create_engine(parsed.set(drivername="postgresql+psycopg") if postgresql else parsed)
