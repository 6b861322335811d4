"""Recipients that moved, or that are told nothing any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import State
from notifier.store import outdated
from notifier.store import schema as t
from notifier.store.codec import FILTER
from notifier.store.dialect import insert
from notifier.subscription import Address, Filter

OPERATOR = "operator"
"""The origin of a row that is told of the bot's own troubles only."""
ENDED = "no longer in the configuration"
"""Why a subscription is off that nobody wants any more."""
MERGED = "moved to "
"""How the reason begins where somebody is subscribed under two addresses that became one."""


async def filter_id(connection: AsyncConnection, wish: Filter) -> int:
    """Equal wishes share a row."""
    doc = FILTER.dump(wish)
    await connection.execute(insert(connection, t.filters).values(doc=doc).on_conflict_do_nothing())
    found = await connection.execute(sa.select(t.filters.c.id).where(t.filters.c.doc == doc))
    return int(found.scalar_one())


async def enlist(connection: AsyncConnection, operators: Collection[Address], now: datetime) -> None:
    """Gives each operator without a row one of his own: he may have subscribed in its place, and left."""
    s = t.subscriptions.c
    for each in operators:
        here = (s.written == str(each)) | (s.address == str(each))
        if (await connection.execute(sa.select(s.id).where(here))).first() is None:
            values = {**await own_row(connection, str(each)), "address": str(each), "channel": each.channel}
            await connection.execute(sa.insert(t.subscriptions).values({**values, "created_at": now}))


async def own_row(connection: AsyncConnection, written: str) -> dict[str, object]:
    """What makes a row an operator's: no news is routed to it, and nothing mutes it."""
    return {
        "written": written,
        "origin": OPERATOR,
        "name": "",
        "mention": None,
        "filter_id": await filter_id(connection, Filter(kinds=())),
        "active": True,
        "reason": "",
        "welcomed": True,
        "muted_until": None,
    }


async def move(connection: AsyncConnection, subscription_id: int, to: Address) -> None:
    """The new address takes the place of the old one; where somebody is subscribed there, the old one ends."""
    s = t.subscriptions.c
    there = (
        await connection.execute(sa.select(s.id, s.active).where(s.address == str(to), s.id != subscription_id))
    ).first()
    if there is not None and there.active:
        await switch_off(connection, [subscription_id], f"{MERGED}{to}, which is subscribed already")
        return
    if there is not None:
        ended = sa.update(t.subscriptions).where(s.id == there.id)
        await connection.execute(ended.values(address=f"{to} (until {there.id})", written=""))
    await connection.execute(sa.update(t.subscriptions).where(s.id == subscription_id).values(address=str(to)))


async def switch_off(connection: AsyncConnection, subscription_ids: Sequence[int], reason: str) -> None:
    """No more deliveries to these, and none of those that wait."""
    await connection.execute(
        sa.update(t.subscriptions).where(t.subscriptions.c.id.in_(subscription_ids)).values(active=False, reason=reason)
    )
    await close(connection, subscription_ids, reason)


async def close(connection: AsyncConnection, subscription_ids: Sequence[int], reason: str) -> None:
    """Nothing of what waits for these is sent."""
    await outdated.forget(connection, subscription_ids)
    await connection.execute(
        sa.update(t.deliveries)
        .where(
            t.deliveries.c.subscription_id.in_(subscription_ids),
            t.deliveries.c.state.in_([State.PENDING, State.EXPIRED, State.UNKNOWN]),
        )
        .values(state=State.FAILED, due_at=None, reason=reason)
    )
