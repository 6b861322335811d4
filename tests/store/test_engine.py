"""Opening the database: up to date, alone, and refusing what is not its own without touching it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from notifier.ports import StoreRefused
from notifier.store import schema
from notifier.store.engine import migrate, only_process, open_engine
from notifier.store.sql import SqlStore
from tests.store.conftest import Opened
from tests.store.telling import dump, watch
from tests.world import ON_SQLITE


def written(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    written(path, "CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('9999')")


def foreign(path: Path) -> None:
    written(path, "CREATE TABLE customers (name TEXT)", "INSERT INTO customers VALUES ('Ada')")


def no_database(path: Path) -> None:
    path.write_text("dear diary, today nothing happened\n" * 200)


def corrupt(path: Path) -> None:
    written(path, "PRAGMA page_size = 512", *(f"CREATE TABLE t{n} (a TEXT, b TEXT, c TEXT)" for n in range(50)))
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


class Refused(NamedTuple):
    make: Callable[[Path], None]
    why: str
    cure: str


REFUSED = {
    "a schema of a newer version": Refused(newer, "newer than 0006", "run the newer version"),
    "tables of something else": Refused(foreign, "tables of something else", "name another one"),
    "not a database": Refused(no_database, "is not a database", "move it away or name another"),
    "a damaged file": Refused(corrupt, "is damaged", "restore a backup"),
}


@pytest.mark.fault("B10")
@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_not_ours_is_refused_with_the_cure_and_left_as_it_is(path: Path, case: str) -> None:
    REFUSED[case].make(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreRefused) as refused:
            await SqlStore.open(f"sqlite:///{path}", token=1)
        assert REFUSED[case].why in str(refused.value)
        assert REFUSED[case].cure in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.fault("B10")
async def test_a_database_damaged_behind_its_schema_is_refused_too(path: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{path}", token=1)
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'meta'")
        [(size,)] = connection.execute("PRAGMA page_size")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(StoreRefused, match="is damaged; restore a backup"):
        await SqlStore.open(f"sqlite:///{path}", token=1)


async def test_a_missing_folder_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"folder of .* does not exist; make it, or name another"):
        await SqlStore.open(f"sqlite:///{tmp_path}/missing/notifier.db", token=1)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_in_place_of_the_file_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreRefused, match="cannot be opened; check the folder and its permissions"):
        await SqlStore.open(f"sqlite:///{path}", token=1)


def unwritable(folder: Path) -> Path:
    """Root may write anywhere but in the kernel's own folders."""
    if os.geteuid() == 0:
        return Path("/proc")
    folder.chmod(0o500)
    return folder


async def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = unwritable(tmp_path)
    with pytest.raises(StoreRefused, match="cannot be opened; check the folder and its permissions"):
        await SqlStore.open(f"sqlite:///{folder}/notifier.db", token=1)
    with pytest.raises(StoreRefused, match="folder cannot be written"), only_process(f"sqlite:///{folder}/notifier.db"):
        pytest.fail("nobody can hold a lock there")


BAD_URLS = {
    "no URL at all": "notifier.db",
    "a URL without a file": "sqlite://",
}


@pytest.mark.parametrize("case", BAD_URLS)
async def test_a_url_that_names_no_database_is_refused(case: str) -> None:
    with pytest.raises(StoreRefused, match=r"store\.url"):
        await SqlStore.open(BAD_URLS[case], token=1)


def test_the_spellings_of_postgresql_all_lead_to_one_driver() -> None:
    for url in ("postgresql://user:secret@db/notifier", "postgres://user:secret@db/notifier"):
        engine = open_engine(url)
        assert engine.dialect.name == "postgresql" and engine.driver == "psycopg"
        assert "secret" not in repr(engine)


async def test_a_new_file_gets_the_newest_schema_and_an_old_one_keeps_its_rows(path: Path) -> None:
    engine = open_engine(f"sqlite:///{path}")
    assert await migrate(engine) == (None, "0006")
    await engine.dispose()
    store = await SqlStore.open(f"sqlite:///{path}", token=1)
    await watch(store, "console:")
    await store.close()
    before = dump(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    assert await migrate(engine) == ("0006", "0006")
    await engine.dispose()
    assert dump(f"sqlite:///{path}") == before


async def test_the_migrations_make_exactly_the_schema(store: SqlStore) -> None:
    async with store.engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(sync, opts={"compare_type": _same_type, "compare_server_default": True}),
                schema.metadata,
            )
        )
    assert differences == []


def _same_type(
    context: MigrationContext, there: object, here: sa.Column[object], found: object, wanted: object
) -> bool:
    """Whether the types differ, by the words that the database has for them."""
    dialect = context.dialect
    assert isinstance(found, sa.types.TypeEngine) and isinstance(wanted, sa.types.TypeEngine)
    return str(found.compile(dialect)) != str(wanted.compile(dialect))


def test_the_schema_is_one_that_postgresql_can_make() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = {table.name: str(CreateTable(table).compile(dialect=dialect)) for table in schema.metadata.sorted_tables}
    assert made.keys() == schema.metadata.tables.keys()
    assert "id BIGSERIAL NOT NULL" in made["deliveries"] and "due_at BIGINT" in made["deliveries"]
    types = {str(c.type.compile(dialect)) for table in schema.metadata.tables.values() for c in table.columns}
    assert types == {"BIGINT", "BOOLEAN", "INTEGER", "TEXT"}
    indexes = [str(CreateIndex(index).compile(dialect=dialect)) for index in schema.deliveries.indexes]
    assert any("WHERE due_at IS NOT NULL" in index for index in indexes)


def test_only_counters_are_32_bits_wide_in_postgresql() -> None:
    narrow = {
        f"{table.name}.{column.name}"
        for table in schema.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Integer) and not isinstance(column.type, sa.BigInteger)
    }
    assert narrow == {"deliveries.attempt", "deliveries.rank", "sources.failures", "outdated.attempt"}


async def test_a_database_keeps_its_name_whoever_opens_it(opened: Opened) -> None:
    first, second = await opened(token=2**61 + 5), await opened(token=7)
    assert first.origin == second.origin != ""


@ON_SQLITE
async def test_the_file_is_written_ahead_and_synced_to_the_disk(store: SqlStore) -> None:
    async with store.engine.connect() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_one_process_holds_a_sqlite_file_and_the_next_one_gets_it_afterwards(path: Path) -> None:
    url = f"sqlite:///{path}"
    with only_process(url), pytest.raises(BlockingIOError), only_process(url):
        pytest.fail("two processes hold one file")
    with only_process(url):
        assert path.with_name("notifier.db.lock").exists()


def test_any_number_of_processes_may_share_postgresql(tmp_path: Path) -> None:
    url = "postgresql://db/notifier"
    with only_process(url), only_process(url):
        assert list(tmp_path.iterdir()) == []


async def test_a_connection_that_is_given_up_holds_no_lock_even_while_a_cursor_of_it_is_left(path: Path) -> None:
    engine = open_engine(f"sqlite:///{path}")
    async with engine.connect() as connection:
        given_up: Any = (await connection.get_raw_connection()).driver_connection
        await given_up.execute("BEGIN IMMEDIATE")
        left = await given_up.execute("SELECT 1 UNION ALL SELECT 2")
        await connection.invalidate()
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
    del left
    await engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:canary@canary@host/name", "postgresql://user:canary/name", "postgresql://u:p@host:canary/name"],
)
async def test_a_url_that_cannot_be_read_is_refused_without_a_word_of_what_may_be_its_password(url: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        await SqlStore.open(url, token=1)
    assert "canary" not in str(refused.value)
    with pytest.raises(StoreRefused) as refused, only_process(url):
        pass
    assert "canary" not in str(refused.value)
