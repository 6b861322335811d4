"""Every test on SQLite and on PostgreSQL, each with a database of its own, and further processes on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from notifier.store.sql import SqlStore
from tests.postgres import Databases

Opened = Callable[..., Awaitable[SqlStore]]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, where it is SQLite."""
    return tmp_path / "notifier.db"


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that was never opened."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    databases: Databases = request.getfixturevalue("postgresql")
    with databases.one("template0") as made:
        yield made


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opened]:
    """Opens the database as one more process would; all are closed with the test."""
    async with AsyncExitStack() as stack:

        async def another(token: int = 1) -> SqlStore:
            made = await SqlStore.open(url, token=token)
            stack.push_async_callback(made.close)
            return made

        yield another


@pytest.fixture
async def store(opened: Opened) -> SqlStore:
    return await opened()
