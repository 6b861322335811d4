"""A database with something in every table, and what a test reads and changes in it behind the store's back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from notifier.store import schema as t
from notifier.store.engine import open_engine
from tests.builders import NOW
from tests.places import opened

HOSTILE = "«Ünïcödé» 😀 ' \" \\ % :x {} \n\t </b>"
LARGE = 2**62


def _delivery(number: int, change: int, state: str, **more: object) -> dict[str, object]:
    given = {"id": number, "change_id": change, "subscription_id": 5, "subject_id": 4, "channel": "telegram"}
    return {**given, "state": state, "rank": 1, "due_at": None, "news_at": NOW, "attempt": 0, **more}


def _subscription(number: int, target: str, **more: object) -> dict[str, object]:
    given = {"id": number, "address": f"telegram:{target}", "written": f"telegram:{target}", "channel": "telegram"}
    said = {"origin": "self", "name": HOSTILE, "mention": None, "filter_id": 3, "active": True, "reason": ""}
    return {**given, **said, "welcomed": False, "created_at": NOW, "language": "de", "zone": "UTC", **more}


ROWS: Mapping[sa.Table, Sequence[Mapping[str, object]]] = {
    t.meta: [{"key": "origin", "value": "abcdef12"}, {"key": "signing_key", "value": HOSTILE}],
    t.known: [
        {"noun": noun, "id": key, "open": key == "b", "doc": HOSTILE, "moved_at": NOW if key else None}
        for noun, key in (("page", ""), ("incident", "a"), ("incident", "B"), ("incident", "b"), ("incident", "é"))
    ],
    t.sources: [{"name": "summary", "polled_at": NOW, "ok_at": None, "failures": 3, "reason": HOSTILE}],
    t.filters: [{"id": 3, "doc": "{}"}, {"id": 7, "doc": HOSTILE}],
    t.subscriptions: [_subscription(5, "-100"), _subscription(6, "7", active=False, muted_until=NOW, mention="")],
    t.subjects: [{"id": 4, "key": "wsincident01"}, {"id": LARGE, "key": HOSTILE}],
    t.changes: [
        {"id": number, "key": f"posted/{number}", "subject_id": 4, "detected_at": NOW, "ends": number == 8, "doc": "{}"}
        for number in (6, 7, 8, 9, 10)
    ],
    t.fanouts: [{"change_id": 8, "cursor": 0, "last": 6, "want": "{}"}],
    t.deliveries: [
        _delivery(21, 6, "sent", receipt_to="-100", receipt_ref="17", parcel_id=21, tried_at=NOW, plain=True),
        _delivery(22, 7, "sending", due_at=NOW, token=LARGE, parcel_id=22, tried_at=NOW, attempt=1, plain=False),
        _delivery(23, 8, "pending", due_at=t.AT_ONCE),
        _delivery(24, 9, "expired", reason=HOSTILE),
        _delivery(LARGE, 10, "dead"),
    ],
    t.mutes: [{"subscription_id": 6, "subject_id": 4}],
    t.received: [{"number": LARGE, "doc": HOSTILE}],
    t.threads: [{"subscription_id": 5, "subject_id": 4, "receipt_to": "-100", "receipt_ref": "17", "kept": True}],
    t.outdated: [{"delivery_id": 21, "subscription_id": 5, "channel": "telegram", "wanted": 7, "due_at": NOW}],
    t.pauses: [{"channel": "telegram", "scope": scope, "until": NOW, "reason": "429"} for scope in ("", "send")],
    t.hours: [{"hour": NOW, "sent": LARGE}],
    t.alarms: [{"key": "page", "raised_at": NOW, "doc": HOSTILE}],
}
"""By table; whatever refers to another one comes after it."""


async def furnish(url: str) -> str:
    """The URL of a database that was laid out, with all of these in it. Readers of higher numbers were there once."""
    engine = open_engine(url)
    async with engine.begin() as connection:
        for table, rows in ROWS.items():
            for row in rows:
                await connection.execute(sa.insert(table).values(row))
        if engine.dialect.name == "postgresql":
            for table in (t.filters, t.subjects, t.changes):
                await connection.exec_driver_sql(
                    f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))"
                )
            await connection.exec_driver_sql(f"SELECT setval('deliveries_id_seq', {LARGE})")
            await connection.exec_driver_sql("SELECT setval('subscriptions_id_seq', 30)")
        else:
            await connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 30 WHERE name = 'subscriptions'")
    await engine.dispose()
    return url


def rows_of(url: str, *, without: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """Everything that it holds, by table, but this key in `meta`."""
    engine = opened(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in t.metadata.sorted_tables
        }
    engine.dispose()
    found["meta"] = [row for row in found["meta"] if row[0] != without]
    return found


def run_sql(url: str, *statements: str) -> None:
    engine = opened(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def counted(url: str, table: sa.Table) -> int:
    engine = opened(url)
    with engine.connect() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    engine.dispose()
    return int(count)


def next_number(url: str, table: sa.Table, row: Mapping[str, object]) -> int:
    """That of one more row."""
    engine = opened(url)
    with engine.begin() as connection:
        [number] = connection.execute(sa.insert(table).values(row).returning(table.c.id)).scalars().all()
    engine.dispose()
    return int(number)
