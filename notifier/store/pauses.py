"""Pauses that providers asked for: a restart must not forget them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.parcel import Pause
from notifier.store import schema as t
from notifier.store.dialect import insert

_p = t.pauses.c


async def keep(connection: AsyncConnection, channel: str, pause: Pause) -> None:
    """The later end counts."""
    query = insert(connection, t.pauses).values(
        channel=channel, scope=pause.scope, until=pause.until, reason=pause.reason
    )
    await connection.execute(
        query.on_conflict_do_update(
            index_elements=["channel", "scope"],
            set_={"until": query.excluded.until, "reason": query.excluded.reason},
            where=_p.until < query.excluded.until,
        )
    )


async def lasting(connection: AsyncConnection, channel: str, now: datetime) -> list[Pause]:
    rows = await connection.execute(sa.select(t.pauses).where(_p.channel == channel, _p.until > now))
    return [Pause(scope=row.scope, until=row.until, reason=row.reason) for row in rows]
