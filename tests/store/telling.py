"""What the store tests say to a store, and what they read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import psycopg

from notifier.diff import diff_page
from notifier.known import KnownPage
from notifier.model import Change, Kind, Snapshot, State, Topic
from notifier.parcel import News
from notifier.route import route
from notifier.store.sql import SqlStore
from tests.builders import NOW, page
from tests.world import to


async def subscribe(store: SqlStore, *addresses: str, now: datetime = NOW, welcome: bool = False) -> None:
    """Makes these the subscriptions, and no others."""
    await store.sync([to(address) for address in addresses], welcome=welcome, now=now)


async def read(store: SqlStore, snapshot: Snapshot, now: datetime = NOW) -> News:
    """Records one reading of the page; the very first one is the baseline."""
    baseline = await store.page() == KnownPage()
    ids = [incident.id for incident in snapshot.incidents]
    news, _ = await store.record(ids, lambda known: diff_page(known, snapshot, now, baseline=baseline), route)
    return news


async def watch(store: SqlStore, *addresses: str) -> None:
    """Subscribes these and reads an empty page."""
    await subscribe(store, *addresses)
    await read(store, page())


async def tell(store: SqlStore, *changes: Change) -> None:
    """Records changes as they are."""
    await store.record((), lambda _: News(changes=changes), route)


def change(key: str = "posted/wsincident01/u1", **more: object) -> Change:
    given: dict[str, object] = {
        "kind": Kind.UPDATE_POSTED,
        "topic": Topic.INCIDENT,
        "subject": "wsincident01",
        "reason": "a test",
        "at": NOW,
        "detected_at": NOW,
        "title": "WebSocket API connection errors",
        "impact": "minor",
    }
    return Change(key=key, **{**given, **more})  # type: ignore[arg-type]


async def owed(store: SqlStore, states: Collection[State] = ()) -> list[tuple[str, str]]:
    """(change, address) of every delivery, in the order in which they were written."""
    return [(each.change.key, each.address) for each in reversed(await store.deliveries(states, 1000))]


LOCKS = (
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)
"""Of writers, in this database."""


def ask(url: str, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """What the database says to a client of its own, which knows nothing of the product; `?` stands for a value."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            return connection.execute(statement, values).fetchall()
    with psycopg.connect(url) as client:
        cursor = client.execute(statement.replace("?", "%s").encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def tables(url: str) -> list[str]:
    if url.startswith("sqlite"):
        named = ask(url, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'")
    else:
        named = ask(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return sorted(name for (name,) in named)


def dump(url: str) -> list[str]:
    """Everything that the database holds."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return list(connection.iterdump())
    rows = " UNION ALL ".join(f"SELECT '{table} ' || to_jsonb({table})::text FROM {table}" for table in tables(url))
    return sorted(row for (row,) in ask(url, rows))
