"""Opens the database: one engine, the right pragmas, the newest schema. Refuses rather than starting afresh."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from notifier.ports import StoreRefused
from notifier.store import server
from notifier.store.cures import why
from notifier.store.schema import REVISION

BUSY_SECONDS = 30

MIGRATION_SECONDS = 600
"""For one of its statements, on PostgreSQL."""


class _Connection(sqlite3.Connection):
    """Gives up the write lock when it is closed.

    SQLite itself waits until the last cursor is gone, and that of a cancelled task lives in its traceback until the
    garbage is collected. Until then every other writer would wait, for BUSY_SECONDS.
    """

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.rollback()
        super().close()


def parsed_url(url: str) -> sa.URL:
    """Raises StoreRefused, which says nothing of what stands there: a part of a password may pass for host or port."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreRefused(
            "that is no database URL as store.url wants it; write sqlite:///notifier.db or postgresql://…"
        ) from None
    if "@" in (parsed.host or ""):
        raise StoreRefused("the database URL has an @ too many; write that of a user or password as %40")
    return parsed


def open_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///path` or `postgresql://…`. Reads nothing yet. Raises StoreRefused."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        return server.connect(parsed)
    path = Path(parsed.database or "")
    if not parsed.database or not path.parent.is_dir():
        raise StoreRefused(f"store.url: the folder of {path} does not exist; make it, or name another file")
    try:
        if not path.exists():
            path.touch(mode=0o600)  # it holds who reads; what SQLite lays beside it is like it
        sqlite3.connect(path).close()  # tried here because aiosqlite leaves a thread behind where it fails
    except sqlite3.Error as error:
        raise StoreRefused(why(error, parsed)) from error
    except OSError as error:
        raise StoreRefused(
            f"the database file cannot be opened; check the folder and its permissions ({error.strerror}): {path}"
        ) from error
    options = {"timeout": BUSY_SECONDS, "factory": _Connection}
    engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), connect_args=options)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        # What people said, and who left, is blotted out in the file, too, however this SQLite was built.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred BEGIN that reads and then writes fails at once when another commit came between.
        # What only reads says AUTOCOMMIT, and waits for no writer.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def migrate(engine: AsyncEngine) -> tuple[str | None, str]:
    """Brings the schema up to date; the revision before and after. Raises StoreRefused."""
    try:
        if engine.dialect.name == "postgresql":  # where nothing is to be done nobody waits for who writes
            async with engine.connect() as connection:
                if await connection.run_sync(revision) == REVISION:
                    return REVISION, REVISION
        async with _migrating(engine) as connection:
            before = await connection.run_sync(revision)
            if before != REVISION:
                from notifier.store.upgrade import upgrade  # Alembic's memory, only where it is needed

                await connection.run_sync(upgrade, before)
        if engine.dialect.name == "sqlite":
            await _write_ahead(engine)  # only now: the mode is written into the file, ours or not
    except DBAPIError as error:
        raise StoreRefused(why(error.orig, engine.url)) from error
    return before, REVISION


async def _write_ahead(engine: AsyncEngine) -> None:
    """While another process opens the file, SQLite refuses this at once, however long it waits for anything else."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for left in reversed(range(round(BUSY_SECONDS * 20))):
            try:
                await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
            except OperationalError as error:
                if not left or "locked" not in str(error.orig):
                    raise
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _migrating(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction in which nobody else writes or migrates."""
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            async with _rebuilding(connection), connection.begin():
                yield connection
        else:
            await connection.execution_options(answer_seconds=MIGRATION_SECONDS)
            async with connection.begin():
                limit = f"{MIGRATION_SECONDS - 5}s"
                await server.alone(connection, idle=limit, wait=limit, statement=limit)
                yield connection


@asynccontextmanager
async def _rebuilding(connection: AsyncConnection) -> AsyncIterator[None]:
    """Lets tables be rebuilt in a transaction: SQLite would take what refers to a dropped one for dangling, and hears
    of it only outside of transactions.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await driver.execute("PRAGMA foreign_keys=ON")


def revision(connection: sa.Connection) -> str | None:
    """The schema's; None where none of this program is."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def exists(url: str) -> bool:
    """Whether opening this URL would find a database; a server is taken to have one."""
    parsed = parsed_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()


@contextmanager
def only_process(url: str) -> Iterator[None]:
    """Holds the right to run on a SQLite file; SQLite serves one process. Raises BlockingIOError if another holds it.

    The lock goes with the process, however it ends.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        yield
        return
    path = Path(f"{parsed.database}.lock")
    try:
        path.touch(mode=0o600)
        held = path.open("a")
    except OSError as error:
        raise StoreRefused(f"the database's folder cannot be written ({error.strerror}): {path}") from error
    with held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_served(url: sa.URL) -> bool:
    """Whether a process may be running on it: on a SQLite file one is if it holds the lock."""
    if url.get_backend_name() != "sqlite":
        return True
    try:
        with Path(f"{url.database}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
