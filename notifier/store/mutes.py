"""What readers muted: everything for a while, or single subjects. A mute holds what waits, never what is under way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import State
from notifier.store import outdated
from notifier.store import schema as t
from notifier.store.record import subject_id
from notifier.store.schema import AT_ONCE

MUTED = "muted by its reader"

_d = t.deliveries.c
_m = t.mutes.c


async def hold(connection: AsyncConnection, which: sa.ColumnElement[bool], until: datetime) -> None:
    """Of these deliveries, what would be due before `until` waits for it, and is news from then on.

    What certainly did not arrive starts anew: a try that waits so long is none that backs off.
    """
    waits = which & (_d.due_at < until)
    later = {
        "due_at": until,
        "news_at": sa.case((_d.news_at < until, sa.literal(until, t.Instant)), else_=_d.news_at),
        "rank": _d.rank - _d.rank % 2,
    }
    fresh = sa.update(t.deliveries).where(waits, _d.state == State.PENDING)
    await connection.execute(fresh.values({**later, "attempt": 0, "tried_at": None}))
    unclear = sa.update(t.deliveries).where(waits, _d.state.in_([State.UNKNOWN, State.SENDING]))
    await connection.execute(unclear.values({**later, "state": State.UNKNOWN}))


async def silence(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> None:
    """Nothing of these deliveries is sent; the first messages of their conversations still follow, by edits."""
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(which, _d.due_at.is_not(None))
        .values(state=State.EXPIRED, due_at=None, reason=MUTED)
        .returning(_d.subscription_id, _d.subject_id)
    )
    await outdated.first_messages(connection, {(row.subscription_id, row.subject_id) for row in result})


async def shift(
    connection: AsyncConnection, subscription_id: int, before: datetime | None, until: datetime | None, now: datetime
) -> None:
    """What one reader's mute held `before` waits for its new end now, or is due."""
    if before == until:
        return
    waits = (_d.subscription_id == subscription_id) & _d.state.in_([State.PENDING, State.UNKNOWN])
    if before is not None and before > now:
        held = sa.update(t.deliveries).where(waits, _d.due_at == before)
        await connection.execute(held.values(due_at=AT_ONCE, news_at=now))
    if until is not None and until > now:
        await hold(connection, waits, until)


async def choose(connection: AsyncConnection, subscription_id: int, subjects: Collection[str]) -> None:
    """Makes these the subjects that one reader muted; what waits of the new ones is told no more."""
    rows = await connection.execute(
        sa.select(t.subjects.c.key, _m.subject_id)
        .join(t.subjects, t.subjects.c.id == _m.subject_id)
        .where(_m.subscription_id == subscription_id)
    )
    before = {row.key: row.subject_id for row in rows}
    over = [number for key, number in before.items() if key not in subjects]
    new = [await subject_id(connection, key) for key in subjects if key not in before]
    if over:
        gone = sa.delete(t.mutes).where(_m.subscription_id == subscription_id, _m.subject_id.in_(over))
        await connection.execute(gone)
    if new:
        muted = [{"subscription_id": subscription_id, "subject_id": number} for number in new]
        await connection.execute(sa.insert(t.mutes), muted)
        waits = (_d.subscription_id == subscription_id) & _d.state.in_([State.PENDING, State.UNKNOWN])
        await silence(connection, waits & _d.subject_id.in_(new))
