"""A database, and the two ways to work on it: a transaction that writes, and statements that wait for no writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.ports import StoreDown, StoreFailed
from notifier.store import server

TURN_SECONDS = 30
"""How long a transaction waits for those of its own process."""


@contextmanager
def _told_as_store_failed() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        said = f"{type(error).__name__}: {str(error.orig).partition(chr(10))[0]}"
        raise (StoreDown if _down(error) else StoreFailed)(said) from error
    except PoolTimeout as error:
        raise StoreDown("no connection to the database became free in time") from error


def _down(error: DBAPIError) -> bool:
    """Whether it is the database, or the way to it, and not what was asked."""
    return isinstance(error, OperationalError) or error.connection_invalidated


class Transactions:
    """Both raise StoreFailed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.unwritable = ""
        """Why a transaction was not written; empty once `touch` was, as one that changes no row proves nothing."""
        self._lock = asyncio.Lock()
        self._over = False

    def hang_up(self) -> None:
        """Nobody waits for the database any more, and nobody asks it: the process has to end."""
        self._over = True
        server.hang_up(self.engine)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else writes, in this process or another."""
        try:
            with self._open():
                async with self._turn(), self.engine.begin() as connection:
                    if self.engine.dialect.name == "postgresql":
                        await server.alone(connection)
                    yield connection
        except StoreFailed as failed:
            self.unwritable = str(failed)
            raise

    @contextmanager
    def _open(self) -> Iterator[None]:
        if self._over:
            raise StoreDown("the process is ending")
        with _told_as_store_failed():
            yield

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Within the process there is no need to ask the database for it."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._lock.acquire()
        except TimeoutError as error:
            raise StoreDown("the database keeps another transaction waiting") from error
        try:
            yield
        finally:
            self._lock.release()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        """Each statement by itself."""
        with self._open():
            async with self.engine.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")
