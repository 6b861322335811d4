"""All that a database holds, written into another one: to move, or as a backup.

The source is read in one snapshot and never written. The copy is committed page by page behind a mark, which names the
source and what it held: whoever comes back after a kill goes on, and nobody takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.known import Holding
from notifier.ports import StoreFailed, StoreRefused
from notifier.store import duties, marks, server
from notifier.store import schema as t
from notifier.store.cures import why
from notifier.store.engine import exists, migrate, only_process, open_engine, parsed_url, revision
from notifier.store.rows import COPYING, TABLES, bare, holdings, last_key, last_numbers, number_from, pages
from notifier.store.schema import REVISION

READ_SECONDS = 600
"""How long PostgreSQL may wait for what is done with one page of its rows."""

NAMES = ("origin", "signing_key")
"""What `meta` holds of a database that nothing was ever recorded in."""


async def copy(source_url: str, target_url: str) -> list[Holding]:
    """Moves everything into a new database, or goes on with an unfinished copy of the same source.

    Neither may be in use. Raises StoreRefused, or StoreFailed; after that the copy is taken up where it ended.
    """
    if parsed_url(source_url) == parsed_url(target_url):
        raise StoreRefused("the database to copy to is the one to copy from; name a new one")
    if not exists(source_url):
        raise StoreRefused("there is no database to copy from")
    async with AsyncExitStack() as stack:
        source = await _taken(stack, source_url)
        async with _snapshot(source) as reading:
            await _refuse_if_strange(reading)
        target = await _taken(stack, target_url)
        await _lay_out(target)
        held = await _write_all(source, target)
        await _refuse_if_held(source)
        await _finish(target, held)
        return held


async def _taken(stack: AsyncExitStack, url: str) -> AsyncEngine:
    stack.enter_context(_unused(url))
    engine = await stack.enter_async_context(_engine(url))
    await _refuse_if_held(engine)
    return engine


async def back_up(source_url: str, file: Path, now: datetime) -> list[Holding]:
    """Writes everything, as it is at one moment, into a SQLite file that is there only once it is whole.

    The source may be in use. Raises StoreRefused, or StoreFailed.
    """
    if not exists(source_url):
        raise StoreRefused("there is no database yet; `notifier run` makes it, in the place that store.url names")
    _refuse_place(file)
    try:
        with _unfinished(file) as path:
            async with _engine(source_url) as source, _engine(f"sqlite:///{path}") as target:
                await migrate(target)
                held = await _write_all(source, target)
                await _finish(target, held, backup_at=now)
                await _into_one_file(target)
            await asyncio.to_thread(_keep, path, file)
    except OSError as error:
        raise StoreFailed(f"{file} cannot be written ({error.strerror})") from error
    return held


def _refuse_place(file: Path) -> None:
    if file.exists():
        raise StoreRefused(f"{file} is there already; name another file, or move it away")
    if not file.parent.is_dir():
        raise StoreRefused(f"the folder of {file} does not exist; make it, or name another file")


@contextmanager
def _said(engine: AsyncEngine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreFailed(why(error.orig, engine.url)) from error


@contextmanager
def _unused(url: str) -> Iterator[None]:
    try:
        with only_process(url):
            yield
    except BlockingIOError as error:
        raise StoreRefused(_IN_USE) from error


_IN_USE = (
    "a notifier runs on one of the two databases; stop it first, or its news of the meantime would be lost (on "
    "PostgreSQL one that was killed counts for 20 seconds)"
)


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Reads one moment, however long it takes, and cannot write."""
    with _said(engine):
        async with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True, answer_seconds=READ_SECONDS
                )
                yield connection
                return
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in ("PRAGMA query_only=ON", "BEGIN"):
                await connection.exec_driver_sql(statement)
            yield connection
            for statement in ("ROLLBACK", "PRAGMA query_only=OFF"):
                await connection.exec_driver_sql(statement)


@asynccontextmanager
async def _writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with _said(engine):
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                await server.alone(connection)
            yield connection


async def _refuse_if_held(engine: AsyncEngine) -> None:
    """On a server a lease says that somebody runs on it; a file has its lock."""
    if engine.dialect.name == "sqlite":
        return
    async with _snapshot(engine) as connection:
        if await connection.run_sync(revision) == REVISION and any(d.held for d in await duties.states(connection)):
            raise StoreRefused(_IN_USE)


async def _lay_out(target: AsyncEngine) -> None:
    """Gives a new database its tables. One of another version is left as it is."""
    async with _snapshot(target) as connection:
        found = await connection.run_sync(revision)
    if found not in (None, REVISION):
        raise StoreRefused("the database to copy to is not new; name a new one")
    await migrate(target)


async def _write_all(source: AsyncEngine, target: AsyncEngine) -> list[Holding]:
    """Everything but the end; what the source holds."""
    async with _snapshot(source) as reading:
        await _refuse_if_strange(reading)
        held = await holdings(reading)
        origin = await marks.noted(reading, "origin")
        summed = sha256("".join(each.checksum for each in held).encode()).hexdigest()
        await _mark(target, str(origin), summed)
        for table in TABLES:
            async with _snapshot(target) as written:
                after = await last_key(written, table)
            async for rows in pages(reading, table, after):
                async with _writing(target) as writing:
                    await writing.execute(sa.insert(bare(table)), [row._asdict() for row in rows])
        numbers = await last_numbers(reading)
        async with _writing(target) as writing:
            for name, last in numbers.items():
                await number_from(writing, name, last)
    return held


async def _refuse_if_strange(source: AsyncConnection) -> None:
    found = await source.run_sync(revision)
    if found is None:
        raise StoreRefused("the database to copy from is none of this program")
    if found < REVISION:
        raise StoreRefused(f"the database has schema {found}, older than {REVISION}; run `notifier migrate` first")
    if found > REVISION:
        raise StoreRefused(f"the database has schema {found}, newer than {REVISION}; run the newer version")
    await marks.refuse_unfinished(source)


async def _mark(target: AsyncEngine, origin: str, state: str) -> None:
    """Takes the target for this source. What it holds of another state of it goes."""
    async with _writing(target) as connection:
        found = await marks.noted(connection, COPYING)
        if found == f"{origin} {state}":
            return
        if found is None and not await _is_new(connection):
            raise StoreRefused("the database to copy to holds something already; name a new one")
        if found is not None and found.partition(" ")[0] != origin:
            raise StoreRefused("the database to copy to holds an unfinished copy of another one; name a new one")
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in TABLES)}")
        else:
            for table in reversed(TABLES):
                await connection.execute(sa.delete(table))
        await connection.execute(sa.insert(t.meta).values(key=COPYING, value=f"{origin} {state}"))


async def _is_new(connection: AsyncConnection) -> bool:
    for table in TABLES:
        query: sa.Select[Any] = sa.select(sa.literal(1)).select_from(table).limit(1)
        if table is t.meta:
            query = query.where(t.meta.c.key.not_in(NAMES))
        if (await connection.execute(query)).first() is not None:
            return False
    return True


async def _finish(target: AsyncEngine, held: Sequence[Holding], *, backup_at: datetime | None = None) -> None:
    """Compares, and then only takes the mark away."""
    async with _snapshot(target) as written:
        found = await holdings(written)
    differing = [here.table for here, there in zip(held, found, strict=True) if here != there]
    async with _writing(target) as connection:
        marked = t.meta.c.key == COPYING
        if differing:  # the next one begins afresh
            origin = str(await marks.noted(connection, COPYING)).partition(" ")[0]
            await connection.execute(sa.update(t.meta).where(marked).values(value=origin))
        else:
            await connection.execute(sa.delete(t.meta).where(marked))
            if backup_at is not None:
                await marks.made_as_backup(connection, backup_at)
    if differing:
        raise StoreFailed(f"the copy differs from its source in {', '.join(differing)}; copy it again")


async def _into_one_file(target: AsyncEngine) -> None:
    """No second file beside it: a backup is moved about."""
    with _said(target):
        async with target.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """A file beside it that only its owner can read; gone afterwards, unless it was renamed."""
    number, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".unfinished", dir=file.parent)
    os.close(number)
    path = Path(name)
    try:
        yield path
    finally:
        for left in (path, *(path.with_name(path.name + tail) for tail in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)


def _keep(path: Path, file: Path) -> None:
    """The name stands for the whole file, even if the power fails."""
    for each in (path, file.parent):
        number = os.open(each, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
        if each == path:
            path.rename(file)
