"""What a database says of itself: that it holds a part of another one only, or that it is a backup put in its place."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.ports import StoreRefused
from notifier.store import schema as t
from notifier.store.dialect import insert
from notifier.store.rows import COPYING, number_from
from notifier.store.schema import since_epoch

BACKUP = "backup"
"""The key in `meta` of a backup, until it is in use."""


async def noted(connection: AsyncConnection, key: str) -> str | None:
    found = await connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == key))
    value: str | None = found.scalar()
    return value


async def refuse_unfinished(connection: AsyncConnection) -> None:
    """Raises StoreRefused for a part of another database."""
    if await noted(connection, COPYING) is not None:
        raise StoreRefused(
            "the database holds an unfinished copy; run the same `notifier store copy` again to finish it, or name "
            "another one"
        )


async def made_as_backup(connection: AsyncConnection, at: datetime) -> None:
    """A backup of a backup is as old as that."""
    row = {"key": BACKUP, "value": at.isoformat(timespec="seconds")}
    await connection.execute(insert(connection, t.meta).values(row).on_conflict_do_nothing())


async def restored(connection: AsyncConnection) -> datetime | None:
    """When the backup was made that this is; None if it is none, or in use."""
    made_at = await noted(connection, BACKUP)
    return datetime.fromisoformat(made_at) if made_at is not None else None


async def skip_numbers(connection: AsyncConnection, now: datetime) -> None:
    """Deliveries get numbers that the lost database cannot have come to, nor another restored from the same backup:
    mailboxes drop a mail whose Message-ID they have, and that is made of them.
    """
    await number_from(connection, t.deliveries.name, since_epoch(now))


async def in_use(connection: AsyncConnection) -> None:
    """It is no backup any more."""
    await connection.execute(sa.delete(t.meta).where(t.meta.c.key == BACKUP))
