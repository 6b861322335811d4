"""A database in a file of its own for each test, and further processes on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from notifier.store.sql import SqlStore
from tests.template import laid_out

Opened = Callable[..., Awaitable[SqlStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notifier.db"


@pytest.fixture
async def opened(path: Path) -> AsyncIterator[Opened]:
    """Opens the database as one more process would; all are closed with the test."""
    async with AsyncExitStack() as stack:

        async def another(token: int = 1) -> SqlStore:
            made = await SqlStore.open(f"sqlite:///{laid_out(path)}", token=token)
            stack.push_async_callback(made.close)
            return made

        yield another


@pytest.fixture
async def store(opened: Opened) -> SqlStore:
    return await opened()
