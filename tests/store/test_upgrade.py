"""A database of an older version is brought up to date with every row that it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from notifier.model import State
from notifier.ports import StoreRefused
from notifier.store import upgrade
from notifier.store.codec import CHANGE, FILTER, INCIDENT
from notifier.store.engine import migrate, open_engine
from notifier.store.schema import REVISION, since_epoch
from notifier.store.sql import SqlStore
from notifier.subscription import Filter
from tests.builders import NOW
from tests.store.telling import ask, change, dump, tables
from tests.store.test_schema import FULL
from tests.world import ON_SQLITE

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
async def old(empty: str, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as older:
        older.setattr(upgrade, "REVISION", "0004")
        engine = open_engine(empty)
        await migrate(engine)
        await engine.dispose()
    assert set(tables(empty)) - {"alembic_version"} == ROWS.keys()
    for table, row in ROWS.items():
        ask(empty, f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    if database == "postgresql":  # numbers that are given do not count there
        for table in ("filters", "subscriptions", "subjects", "changes", "deliveries"):
            ask(empty, f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    return empty


async def test_every_row_of_an_older_version_is_kept_with_its_number(old: str) -> None:
    store = await SqlStore.open(old, token=1)
    try:
        [entry] = await store.deliveries((), 9)
        assert (entry.id, entry.state, entry.address, entry.receipt) == (9, State.SENT, "slack:C1", "17.1")
        assert [each.name for each in await store.subscriptions()] == ["desk"]
        assert (await store.scene()).incidents == (INCIDENT_SEEN,), "it is found by its last move"
    finally:
        await store.close()
    for table, row in ROWS.items():
        [now] = ask(old, f"SELECT * FROM {table}")
        assert now[: len(row)] == tuple(row), table


async def test_the_next_row_gets_a_number_that_nobody_ever_had(old: str) -> None:
    store = await SqlStore.open(old, token=1)
    await store.close()
    ask(old, "DELETE FROM outdated")
    ask(old, "DELETE FROM deliveries")
    row = (7, 5, 4, "slack", "sent", 1, 0, 0)
    columns = "change_id, subscription_id, subject_id, channel, state, news_at, attempt, rank"
    ask(old, "INSERT INTO changes VALUES (7, 'b', 4, 0, ?, '')", (False,))
    marks = ", ".join("?" * len(row))
    assert ask(old, f"INSERT INTO deliveries ({columns}) VALUES ({marks}) RETURNING id", row) == [(10,)]


@ON_SQLITE
async def test_a_database_whose_rows_refer_to_nothing_is_refused_and_left_as_it_is(old: str, tmp_path: Path) -> None:
    ask(old, "DELETE FROM filters")
    file = tmp_path / "empty.db"
    before = file.read_bytes()
    with pytest.raises(StoreRefused, match="subscriptions refers to rows that are not there"):
        await SqlStore.open(old, token=1)
    assert file.read_bytes() == before


@ON_SQLITE
async def test_rows_that_are_deleted_are_checked_again_once_it_is_up_to_date(old: str) -> None:
    engine = open_engine(old)
    await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1
        assert (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all() == []
    await engine.dispose()


@pytest.mark.fault("B16")
@pytest.mark.parametrize("processes", [2, 4])
async def test_of_several_that_bring_it_up_to_date_at_once_one_does_and_the_others_wait(
    old: str, processes: int
) -> None:
    engines = [open_engine(old) for _ in range(processes)]
    outcomes = await asyncio.gather(*map(migrate, engines))
    assert sorted(outcomes) == [("0004", REVISION)] + [(REVISION, REVISION)] * (processes - 1)
    for engine in engines:
        await engine.dispose()


@pytest.mark.fault("B16")
async def test_half_of_it_never_stays(old: str) -> None:
    ask(old, "CREATE TABLE duties (name TEXT)")  # which the last step would make
    before = dump(old)
    with pytest.raises(StoreRefused, match=r"duties.* already exists"):
        await SqlStore.open(old, token=1)
    assert dump(old) == before
