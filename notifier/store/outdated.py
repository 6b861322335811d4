"""Messages that are out and have to show what happened since: a conversation's first one, and those that Kraken edits.

News comes first: what is outdated is claimed when no delivery is, and is as safe from a crash as those. Whatever
happens to a message while it is edited makes it due again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.parcel import Again, Refresh
from notifier.store import schema as t
from notifier.store.dialect import insert
from notifier.store.schema import AT_ONCE, LEASE
from notifier.store.told import Lane, message_as_told
from notifier.subscription import Address

_o = t.outdated.c
_d = t.deliveries.c
_FIRST = t.deliveries.alias()
CHUNK = 1_000
"""Lanes in one statement: SQLite takes 32,766 variables."""


async def first_messages(connection: AsyncConnection, lanes: Collection[Lane]) -> None:
    """Those of these lanes, if they are kept current and their subscription is on, have to show all that happened."""
    ordered = sorted(lanes)
    for start in range(0, len(ordered), CHUNK):
        await _mark(connection, _first_of(ordered[start : start + CHUNK]))


def _first_of(lanes: Sequence[Lane]) -> sa.Select[Any]:
    thread = t.threads.c
    newest = sa.select(sa.func.max(t.changes.c.id)).where(t.changes.c.subject_id == thread.subject_id).scalar_subquery()
    return (
        sa.select(_FIRST.c.id, _FIRST.c.subscription_id, _FIRST.c.channel, newest, *_fresh())
        .select_from(t.threads)
        .join(
            _FIRST,
            (_FIRST.c.subscription_id == thread.subscription_id)
            & (_FIRST.c.subject_id == thread.subject_id)
            & (_FIRST.c.receipt_ref == thread.receipt_ref),
        )
        .join(t.subscriptions, (t.subscriptions.c.id == thread.subscription_id) & t.subscriptions.c.active)
        .where(
            thread.kept,
            thread.subscription_id.in_([subscription for subscription, _ in lanes]),
            sa.tuple_(thread.subscription_id, thread.subject_id).in_(list(lanes)),
        )
    )


async def first_messages_of_others(connection: AsyncConnection, fanout: sa.Row[Any], until: int) -> None:
    """Those of whom a chunk of a fan-out left out: their filters spare them the news, but an edit disturbs nobody."""
    thread = t.threads.c
    owed = sa.exists().where(_d.change_id == fanout.change_id, _d.subscription_id == thread.subscription_id)
    chunk = (thread.subscription_id > fanout.cursor) & (thread.subscription_id <= until)
    others = sa.select(thread.subscription_id).where(thread.subject_id == fanout.subject_id, chunk, thread.kept)
    left_out = (await connection.execute(others.where(sa.not_(owed)))).scalars().all()
    await first_messages(connection, {(subscription_id, fanout.subject_id) for subscription_id in left_out})


async def messages(connection: AsyncConnection, delivery_ids: Collection[int], change_id: int) -> None:
    """The messages that these deliveries carry have to show this change."""
    if delivery_ids:
        wanted = sa.literal(change_id, sa.BigInteger)
        carriers = sa.select(_d.id, _d.subscription_id, _d.channel, wanted, *_fresh()).where(_d.id.in_(delivery_ids))
        await _mark(connection, carriers)


def _fresh() -> tuple[Any, ...]:
    return sa.literal(AT_ONCE, t.Instant), sa.literal(0), sa.false()


async def _mark(connection: AsyncConnection, carriers: sa.Select[Any]) -> None:
    columns = ["delivery_id", "subscription_id", "channel", "wanted", "due_at", "attempt", "plain"]
    query = insert(connection, t.outdated).from_select(columns, carriers)
    await connection.execute(
        query.on_conflict_do_update(
            index_elements=["delivery_id"],
            set_={
                "wanted": query.excluded.wanted,
                "attempt": 0,
                "due_at": sa.case((_o.token.is_(None), sa.literal(AT_ONCE, t.Instant)), else_=_o.due_at),
            },
        )
    )


async def claim(
    connection: AsyncConnection, channel: str, limit: int, token: int, now: datetime, resting: Collection[int]
) -> list[Refresh]:
    """Up to so many messages that are outdated and not being edited."""
    rows = (
        await connection.execute(
            sa.select(t.outdated, _d.subject_id, t.subscriptions.c.address, t.subscriptions.c.language)
            .join(t.deliveries, _d.id == _o.delivery_id)
            .join(t.subscriptions, t.subscriptions.c.id == _o.subscription_id)
            .where(_o.channel == channel, _o.due_at <= now, _o.subscription_id.not_in(resting))
            .order_by(_o.due_at, _o.delivery_id)
            .limit(limit)
        )
    ).all()
    claimed = []
    for row in rows:
        told = await message_as_told(connection, (row.subscription_id, row.subject_id), row.delivery_id)
        claimed.append(
            Refresh(
                delivery_id=row.delivery_id,
                subscription_id=row.subscription_id,
                address=Address.parse(row.address),
                told=told,
                wanted=row.wanted,
                attempt=row.attempt + 1,
                plain=row.plain,
                language=row.language,
            )
        )
    if claimed:
        ids = [each.delivery_id for each in claimed]
        held = sa.update(t.outdated).where(_o.delivery_id.in_(ids))
        await connection.execute(held.values(due_at=now + LEASE, token=token, attempt=_o.attempt + 1))
    return claimed


async def settle(connection: AsyncConnection, refresh: Refresh, again: Again | None, token: int) -> None:
    """Edited, or given up, unless it is to be tried again; what came meanwhile makes it due at once."""
    mine = (_o.delivery_id == refresh.delivery_id) & (_o.token == token)
    if again is None:
        await connection.execute(sa.delete(t.outdated).where(mine, _o.wanted == refresh.wanted))
    # A row that came up to date is gone; one that was outdated again while it was edited starts anew.
    await connection.execute(
        sa.update(t.outdated)
        .where(mine)
        .values(
            due_at=again.at if again else AT_ONCE,
            attempt=_o.attempt if again is None or again.counts else sa.case((_o.attempt > 0, _o.attempt - 1), else_=0),
            plain=again is not None and again.plain,
            token=None,
        )
    )


async def abandon(connection: AsyncConnection, channel: str, but: Collection[int]) -> None:
    """Edits that somebody left under way are done again: they can be repeated."""
    lost = (_o.channel == channel) & _o.token.is_not(None) & _o.delivery_id.not_in(but)
    await connection.execute(sa.update(t.outdated).where(lost).values(token=None, due_at=AT_ONCE))


async def not_after(connection: AsyncConnection, channel: str, latest: datetime) -> None:
    """No edit of this channel waits longer to be tried again."""
    waiting = (_o.channel == channel) & _o.token.is_(None)
    await connection.execute(sa.update(t.outdated).where(waiting, _o.due_at > latest).values(due_at=AT_ONCE))


async def forget(connection: AsyncConnection, subscription_ids: Sequence[int]) -> None:
    """Nobody reads them any more."""
    await connection.execute(sa.delete(t.outdated).where(_o.subscription_id.in_(subscription_ids)))


async def next_due(connection: AsyncConnection, channel: str) -> datetime | None:
    """When a message of this channel has to be edited next; None if all are current."""
    due = await connection.execute(sa.select(_o.due_at).where(_o.channel == channel).order_by(_o.due_at).limit(1))
    found: datetime | None = due.scalar()
    return found
