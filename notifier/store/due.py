"""What may be claimed now, and when there will be more of it. Every claim asks this, however much waits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import State
from notifier.parcel import LAST
from notifier.store import schema as t
from notifier.store.dialect import has
from notifier.store.schema import fresh
from notifier.store.told import Lane

_d = t.deliveries.c
_RANKS = range(fresh(LAST) + 1)

_channel, _now = sa.bindparam("channel", type_=sa.Text), sa.bindparam("now", type_=t.Instant)
_most = sa.bindparam("most", type_=sa.Integer)

_other = t.deliveries.alias()
_busy = sa.select(_other.c.id).where(
    _other.c.subscription_id == _d.subscription_id,
    _other.c.subject_id == _d.subject_id,
    ((_other.c.state == State.SENDING) & (_other.c.token == sa.bindparam("token", type_=sa.BigInteger)))
    | (
        (_other.c.due_at > _now)
        & (
            _other.c.state.in_([State.SENDING, State.UNKNOWN])
            | ((_other.c.state == State.PENDING) & (_other.c.attempt > 0))
        )
    ),
)
"""Under way here, whatever the clock says; under way elsewhere; or backing off."""


@cache
def due_lanes(dialect: str, *, resting: bool) -> sa.Select[Any]:
    """Lanes with something due and nothing under way or backing off, the most urgent and then the longest waiting
    first; without the subscriptions that rest, if any do.

    The index has this order. Either database leaps over what is not due yet only where it is told every rank: else it
    would read all that waits for quiet hours.
    """
    due = sa.select(_d.subscription_id, _d.subject_id).where(_d.channel == _channel, _d.due_at <= _now)
    if resting:
        due = due.where(_d.subscription_id.not_in(sa.bindparam("resting", expanding=True)))
    if dialect == "sqlite":
        free = due.where(_d.rank.in_(_RANKS), sa.not_(has(dialect, _busy)))
        return free.order_by(_d.rank, _d.due_at, _d.id).limit(_most)
    # PostgreSQL before 17 loses the order of the index where it is given a list of ranks.
    rank = sa.func.generate_series(0, _RANKS[-1]).table_valued("rank").render_derived()
    free = due.add_columns(_d.due_at, _d.id).where(_d.rank == rank.c.rank, sa.not_(has(dialect, _busy)))
    each = free.order_by(_d.due_at, _d.id).limit(_most).lateral()
    return (
        sa.select(each.c.subscription_id, each.c.subject_id)
        .join_from(rank, each, sa.true())
        .order_by(rank.c.rank, each.c.due_at, each.c.id)
        .limit(_most)
    )


async def lanes(
    connection: AsyncConnection, channel: str, now: datetime, token: int, most: int, resting: Collection[int] = ()
) -> list[Lane]:
    """Of up to so many deliveries; a lane may come more than once."""
    given = {"channel": channel, "now": now, "token": token, "most": most}
    if resting:
        given["resting"] = list(resting)
    rows = await connection.execute(due_lanes(connection.dialect.name, resting=bool(resting)), given)
    return [(row[0], row[1]) for row in rows]


_LATER = sa.select(sa.func.min(_d.due_at)).where(_d.channel == _channel, _d.due_at > _now)


async def next_due(connection: AsyncConnection, channel: str, token: int, now: datetime) -> datetime | None:
    """When news of this channel can be claimed next; None if none waits."""
    if await lanes(connection, channel, now, token, 1):
        return now
    found: datetime | None = (await connection.execute(_LATER, {"channel": channel, "now": now})).scalar()
    return found
