"""A database of an older version is brought up to date with every row that it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from notifier.model import State
from notifier.ports import StoreRefused
from notifier.store import upgrade
from notifier.store.codec import CHANGE, FILTER, INCIDENT
from notifier.store.engine import migrate, open_engine
from notifier.store.schema import since_epoch
from notifier.store.sql import SqlStore
from notifier.subscription import Filter
from tests.builders import NOW
from tests.store.telling import change
from tests.store.test_schema import FULL

INCIDENT_SEEN = FULL["an incident"][1]
ROWS: dict[str, Sequence[object]] = {
    "meta": ("origin", "abcdef12"),
    "known": ("incident", INCIDENT_SEEN.id, False, INCIDENT.dump(INCIDENT_SEEN)),
    "sources": ("summary", 1, 1, 0, ""),
    "filters": (3, FILTER.dump(Filter(components=("BTC",)))),
    "subscriptions": (5, "slack:C1", "slack:C1", "slack", "config", "desk", "<!here>", 3, True, "", True, 1),
    "subjects": (4, "wsincident01"),
    "changes": (6, "a", 4, since_epoch(NOW), False, CHANGE.dump(change("a"))),
    "fanouts": (6, 0, 5, '{"matching":[],"following":[]}'),
    "deliveries": (9, 6, 5, 4, "slack", "sent", None, 1, 1, 1, 9, 7, None, None, "C1", "17.1", 3),
    "threads": (5, 4, "C1", "17.1", True),
    "outdated": (9, 5, "slack", 6, 0, 0, False, None),
    "pauses": ("slack", "", 1, "ratelimited"),
    "alarms": ("page", 1, CHANGE.dump(change("b"))),
}
"""One row of each table of version 0004."""


@pytest.fixture
async def old(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as older:
        older.setattr(upgrade, "REVISION", "0004")
        engine = open_engine(f"sqlite:///{path}")
        await migrate(engine)
        await engine.dispose()
    with closing(sqlite3.connect(path)) as database, database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables - {"alembic_version"} == ROWS.keys()
        for table, row in ROWS.items():
            database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    return path


async def test_every_row_of_an_older_version_is_kept_with_its_number(old: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{old}", token=1)
    try:
        [entry] = await store.deliveries((), 9)
        assert (entry.id, entry.state, entry.address, entry.receipt) == (9, State.SENT, "slack:C1", "17.1")
        assert [each.name for each in await store.subscriptions()] == ["desk"]
        assert (await store.scene()).incidents == (INCIDENT_SEEN,), "it is found by its last move"
    finally:
        await store.close()
    with closing(sqlite3.connect(old)) as database:
        for table, row in ROWS.items():
            [now] = database.execute(f"SELECT * FROM {table}").fetchall()
            assert now[: len(row)] == tuple(row), table
        assert list(database.execute("PRAGMA foreign_key_check")) == []


async def test_the_next_row_gets_a_number_that_nobody_ever_had(old: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{old}", token=1)
    await store.close()
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("DELETE FROM deliveries")
        row = (7, 5, 4, "slack", "sent", 1, 0, 0)
        columns = "change_id, subscription_id, subject_id, channel, state, news_at, attempt, rank"
        added = database.execute(f"INSERT INTO deliveries ({columns}) VALUES ({', '.join('?' * len(row))})", row)
        assert added.lastrowid == 10


async def test_a_database_whose_rows_refer_to_nothing_is_refused_and_left_as_it_is(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database, database:
        database.execute("DELETE FROM filters")
    before = old.read_bytes()
    with pytest.raises(StoreRefused, match="subscriptions refers to rows that are not there"):
        await SqlStore.open(f"sqlite:///{old}", token=1)
    assert old.read_bytes() == before


async def test_rows_that_are_deleted_are_checked_again_once_it_is_up_to_date(old: Path) -> None:
    engine = open_engine(f"sqlite:///{old}")
    await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1
    await engine.dispose()
