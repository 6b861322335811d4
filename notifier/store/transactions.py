"""A database, and the two ways to work on it: a transaction that writes, and statements that wait for no writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.ports import StoreFailed


@contextmanager
def _told_as_store_failed() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).partition("\n")[0]
        raise StoreFailed(f"{type(error).__name__}: {said}") from error
    except PoolTimeout as error:
        raise StoreFailed("no connection to the database became free in time") from error


class Transactions:
    """Both raise StoreFailed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.unwritable = ""
        """Why a transaction was not written; empty once `touch` was, as one that changes no row proves nothing."""
        self._lock = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; the writers of this process queue up where the database has one writer at a time."""
        try:
            with _told_as_store_failed():
                async with self._lock or nullcontext(), self.engine.begin() as connection:
                    yield connection
        except StoreFailed as failed:
            self.unwritable = str(failed)
            raise

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        """Each statement by itself."""
        with _told_as_store_failed():
            async with self.engine.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")
