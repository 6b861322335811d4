"""What the store tests say to a store, and what they read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

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


def dump(path: Path) -> list[str]:
    """Everything that the file holds."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
