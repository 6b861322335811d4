"""What readers want later, or not at all: quiet hours, everything muted for a while, single subjects muted.

What waits is held, never what is under way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import ALARMS, Kind, State
from notifier.route import quiet_until
from notifier.store import outdated
from notifier.store import schema as t
from notifier.store.record import subject_id, wish
from notifier.store.schema import AT_ONCE
from notifier.store.told import loaded

MUTED = "muted by its reader"

_d = t.deliveries.c
_m = t.mutes.c


async def held_back(connection: AsyncConnection, rows: Sequence[sa.Row[Any]], now: datetime) -> bool:
    """Whether its reader wants it later or not at all. What was under way when he said so would be tried again, and a
    try that failed before his quiet hours must not succeed within them.
    """
    these = _d.id.in_([row.id for row in rows])
    if rows[0].spared is not None:
        await silence(connection, these)
        return True
    until = _quiet_until(rows, now)
    if until is None or until <= now:
        return False
    await hold(connection, these, until)
    return True


def _quiet_until(rows: Sequence[sa.Row[Any]], now: datetime) -> datetime | None:
    """Who reads and is an operator silenced Kraken, and not the bot's own troubles; a welcome answers what he did."""
    changes = [loaded(row.doc) for row in rows if row.due_at is not None]
    if any(change.kind in ALARMS for change in changes):
        return None
    muted: datetime | None = rows[0].muted_until
    quiet = wish(rows[0].wish).quiet_hours
    if (muted is not None and muted > now) or quiet is None:
        return muted
    waits = [quiet_until(quiet, change, now) for change in changes if change.kind is not Kind.WELCOME]
    return None if None in waits else max(filter(None, waits), default=None)


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


async def release(connection: AsyncConnection, subscription_id: int, now: datetime) -> None:
    """What waited for the end of one reader's quiet hours is due: they are others now, or none."""
    waits = (_d.subscription_id == subscription_id) & (_d.state == State.PENDING) & _d.tried_at.is_(None)
    await connection.execute(sa.update(t.deliveries).where(waits, _d.due_at > now).values(due_at=AT_ONCE, news_at=now))


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
