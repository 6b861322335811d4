"""What an operator tells everybody: a draft until it is confirmed, then a change like any other."""

from __future__ import annotations

import json
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.notice import broadcast as said
from notifier.parcel import FIRST, Want
from notifier.store import fanout
from notifier.store import schema as t
from notifier.store.dialect import insert
from notifier.store.record import add_change

_DRAFT = "draft"
_s = t.subscriptions.c


async def draft(connection: AsyncConnection, number: int, text: str) -> None:
    query = insert(connection, t.meta).values(key=_DRAFT, value=json.dumps([number, text]))
    await connection.execute(query.on_conflict_do_update(index_elements=["key"], set_={"value": query.excluded.value}))


async def broadcast(connection: AsyncConnection, number: int, now: datetime) -> int | None:
    found = (await connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == _DRAFT))).scalar()
    drafted, text = json.loads(found) if found else (None, "")
    if drafted != number:
        return None
    await connection.execute(sa.delete(t.meta).where(t.meta.c.key == _DRAFT))
    change_id = await add_change(connection, said(number, text, now))
    if change_id is None:
        return None
    filters = [(each, None) for each in (await connection.execute(sa.select(t.filters.c.id))).scalars()]
    want = Want(matching=tuple(filters), following=tuple(filters), rank=FIRST, people_only=True)
    await fanout.begin(connection, change_id, want)
    await fanout.fan_out(connection)
    people = sa.select(sa.func.count()).select_from(t.subscriptions).where(_s.origin == "self", _s.active)
    return int((await connection.execute(people)).scalar_one())
