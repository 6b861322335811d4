"""The first messages of conversations, which follow what happens: when one has to, and how it shall read.

News comes first: a message that has to follow is due in its own column, claimed when no delivery is, and as safe from
a crash as those. Whatever happens to it meanwhile makes it due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import State
from notifier.ports import Refresh, Settlement
from notifier.store import schema as t
from notifier.store.schema import AT_ONCE, LEASE, OUTDATED
from notifier.store.told import first_message
from notifier.subscription import Address

_t = t.threads.c
_d = t.deliveries.c


async def outdate(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """What was sent is news that the first messages of its conversations do not show yet."""
    rows = [
        {"subscription": each.parcel.subscription_id, "delivery": each.parcel.parts[-1].delivery_id}
        for each in settlements
        if each.state is State.SENT and each.root_follows
    ]
    if not rows:
        return
    newest = sa.select(_d.change_id).where(_d.id == sa.bindparam("delivery")).scalar_subquery()
    lane = sa.select(_d.subject_id).where(_d.id == sa.bindparam("delivery")).scalar_subquery()
    await connection.execute(
        sa.update(t.threads)
        .where(_t.subscription_id == sa.bindparam("subscription"), _t.subject_id == lane)
        .values(OUTDATED | {"wanted": newest}),
        rows,
    )


async def claim(connection: AsyncConnection, channel: str, limit: int, token: int, now: datetime) -> list[Refresh]:
    """Up to so many first messages that have to follow and are not being edited."""
    rows = (
        await connection.execute(
            sa.select(t.threads, t.subscriptions.c.address)
            .join(t.subscriptions, t.subscriptions.c.id == _t.subscription_id)
            .where(_t.channel == channel, _t.due_at <= now)
            .order_by(_t.due_at)
            .limit(limit)
        )
    ).all()
    claimed = []
    for row in rows:
        mine = (_t.subscription_id == row.subscription_id) & (_t.subject_id == row.subject_id)
        root = Receipt(row.receipt_to, row.receipt_ref)
        told = await first_message(connection, row.subscription_id, row.subject_id, root)
        if told is None:
            await connection.execute(sa.update(t.threads).where(mine).values(due_at=None))
            continue
        await connection.execute(
            sa.update(t.threads).where(mine).values(due_at=now + LEASE, token=token, attempt=row.attempt + 1)
        )
        claimed.append(
            Refresh(
                subscription_id=row.subscription_id,
                subject_id=row.subject_id,
                address=Address.parse(row.address),
                told=told,
                wanted=row.wanted,
                attempt=row.attempt + 1,
            )
        )
    return claimed


async def settle(connection: AsyncConnection, refresh: Refresh, again_at: datetime | None, token: int) -> None:
    """Edited, or given up, unless it is to be tried again; what came meanwhile makes it due at once."""
    done = sa.case((_t.wanted == refresh.wanted, sa.null()), else_=sa.literal(AT_ONCE, t.Instant))
    await connection.execute(
        sa.update(t.threads)
        .where(
            _t.subscription_id == refresh.subscription_id,
            _t.subject_id == refresh.subject_id,
            _t.receipt_ref == refresh.told.receipt.ref,
            _t.token == token,
        )
        .values(due_at=done if again_at is None else again_at, token=None)
    )


async def abandon(connection: AsyncConnection, token: int) -> None:
    """Edits that a process which is gone left under way are done again: they can be repeated."""
    await connection.execute(sa.update(t.threads).where(_t.token != token).values(token=None, due_at=AT_ONCE))


async def forget(connection: AsyncConnection, subscription_ids: Sequence[int]) -> None:
    """Nobody reads them any more."""
    await connection.execute(
        sa.update(t.threads).where(_t.subscription_id.in_(subscription_ids), _t.due_at.is_not(None)).values(due_at=None)
    )


async def next_due(connection: AsyncConnection, channel: str) -> datetime | None:
    """When a first message of this channel has to follow next; None if all are current."""
    due: datetime | None = (
        await connection.execute(
            sa.select(_t.due_at).where(_t.channel == channel, _t.due_at.is_not(None)).order_by(_t.due_at).limit(1)
        )
    ).scalar()
    return due
