"""What the inbox must not lose: where it stands, and what a webhook was told before it answers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.store import schema as t
from notifier.store.dialect import insert

REMEMBERED = 1000
"""So many numbers of handled updates are known as such: Telegram repeats an update whose 200 it did not get."""

_INBOX = "inbox/"
_r = t.received.c


async def remembered(connection: AsyncConnection, key: str) -> str | None:
    found = await connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == _INBOX + key))
    value: str | None = found.scalar()
    return value


async def remember(connection: AsyncConnection, key: str, value: str) -> None:
    query: Any = insert(connection, t.meta).values(key=_INBOX + key, value=value)
    await connection.execute(query.on_conflict_do_update(index_elements=["key"], set_={"value": query.excluded.value}))


async def receive(connection: AsyncConnection, number: int, doc: str) -> bool:
    query = insert(connection, t.received).values(number=number, doc=doc).on_conflict_do_nothing()
    return (await connection.execute(query.returning(_r.number))).first() is not None


async def waiting(connection: AsyncConnection, most: int) -> list[tuple[int, str]]:
    rows = await connection.execute(sa.select(_r.number, _r.doc).where(_r.doc != "").order_by(_r.number).limit(most))
    return [(row.number, row.doc) for row in rows]


async def handled(connection: AsyncConnection, number: int) -> None:
    """What was said in it is gone; its number stays for a while."""
    await connection.execute(sa.update(t.received).where(_r.number == number).values(doc=""))
    await connection.execute(sa.delete(t.received).where(_r.doc == "", _r.number <= number - REMEMBERED))
