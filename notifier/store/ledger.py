"""What the command line shows and mends: subscriptions, deliveries, sources. Reads, and an operator's few writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import Entry, KnownIncident, SourceState
from notifier.model import State
from notifier.store import mutes
from notifier.store import schema as t
from notifier.store.codec import CHANGE, INCIDENT
from notifier.store.dialect import insert
from notifier.store.recipients import ENDED, OPERATOR, enlist, filter_id, own_row, switch_off
from notifier.store.record import moved_at
from notifier.store.schema import AT_ONCE
from notifier.subscription import Address, Subscription

_d = t.deliveries.c
_s = t.subscriptions.c


async def sync(connection: AsyncConnection, wanted: Sequence[Subscription], *, welcome: bool, now: datetime) -> None:
    """Makes the configuration's subscriptions those given; those gone from it end, with what waits for them."""
    addresses = [str(each.address) for each in wanted]
    for each, address in zip(wanted, addresses, strict=True):
        known = await connection.execute(
            sa.select(_s.id, _s.origin, _s.muted_until)
            .where((_s.written == address) | (_s.address == address))
            .order_by(_s.written != address)
        )
        values: dict[str, object] = {
            "written": address,
            "origin": each.origin,
            "name": each.name,
            "mention": each.mention,
            "filter_id": await filter_id(connection, each.filter),
            "active": True,
            "reason": "",
            "language": each.language,
            "zone": each.zone,
            "muted_until": each.muted_until,
        }
        row = known.first()
        new = {"welcomed": not welcome, "created_at": now}
        if row is not None:
            values = {**values, **new} if row.origin == OPERATOR else values
            await connection.execute(sa.update(t.subscriptions).where(_s.id == row.id).values(values))
            if row.origin != each.origin:
                await mutes.shift(connection, row.id, row.muted_until, each.muted_until, now)
                await mutes.choose(connection, row.id, each.muted)
        else:
            there = {"address": address, "channel": each.address.channel}
            await connection.execute(sa.insert(t.subscriptions).values({**values, **new, **there}))
    gone = await connection.execute(
        sa.select(_s.id).where(_s.origin == "config", _s.active, _s.written.not_in(addresses))
    )
    ended = [row.id for row in gone]
    if ended:
        await switch_off(connection, ended, ENDED)


async def sync_operators(connection: AsyncConnection, operators: Collection[Address], now: datetime) -> None:
    """Gives each operator a row to be told by, which no news is routed to; who subscribes has one that serves.

    After `sync`. Those gone from the configuration end.
    """
    addresses = [str(each) for each in operators]
    for address in addresses:
        known = await connection.execute(
            sa.select(_s.id, _s.origin, _s.active).where((_s.written == address) | (_s.address == address))
        )
        row = known.first()
        if row is not None and (not row.active or row.origin == OPERATOR):
            values = await own_row(connection, address)
            await connection.execute(sa.update(t.subscriptions).where(_s.id == row.id).values(values))
    await enlist(connection, operators, now)
    gone = await connection.execute(
        sa.select(_s.id).where(_s.origin == OPERATOR, _s.active, _s.written.not_in(addresses))
    )
    if ended := [row.id for row in gone]:
        await switch_off(connection, ended, ENDED)


async def kept(connection: AsyncConnection, key: str, fresh: str) -> str:
    """What the database remembers under this key for ever; `fresh`, if that is nothing yet."""
    await connection.execute(insert(connection, t.meta).values(key=key, value=fresh).on_conflict_do_nothing())
    found = await connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == key))
    return str(found.scalar_one())


async def incidents(connection: AsyncConnection, *, only_open: bool) -> list[KnownIncident]:
    """The known incidents and maintenances, the one that moved last first."""
    query = sa.select(t.known.c.doc).where(t.known.c.noun == "incident")
    rows = await connection.execute(query.where(t.known.c.open) if only_open else query)
    found = [INCIDENT.load(doc) for doc in rows.scalars()]
    return sorted(found, key=moved_at, reverse=True)


async def deliveries(connection: AsyncConnection, states: Collection[State], limit: int) -> list[Entry]:
    """The newest deliveries in these states (none given: in any), newest first."""
    query = (
        sa.select(t.deliveries, t.changes.c.doc, _s.address)
        .join(t.changes, t.changes.c.id == _d.change_id)
        .join(t.subscriptions, _s.id == _d.subscription_id)
        .order_by(_d.id.desc())
        .limit(limit)
    )
    rows = await connection.execute(query.where(_d.state.in_(states)) if states else query)
    return [
        Entry(
            id=row.id,
            state=row.state,
            address=row.address,
            change=CHANGE.load(row.doc),
            attempt=row.attempt,
            due_at=row.due_at if row.due_at != AT_ONCE else None,
            tried_at=row.tried_at,
            reason=row.reason or "",
            receipt=row.receipt_ref,
        )
        for row in rows
    ]


async def counts(connection: AsyncConnection) -> dict[str, int]:
    rows = await connection.execute(sa.select(_d.state, sa.func.count()).group_by(_d.state))
    return {row[0]: row[1] for row in rows}


async def revive(connection: AsyncConnection, delivery_id: int, now: datetime) -> bool:
    """Tries a given-up delivery again, as news of now, and its subscription with it; whether there was one."""
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(_d.id == delivery_id, _d.state.in_([State.FAILED, State.DEAD, State.UNKNOWN, State.EXPIRED]))
        .values(state=State.PENDING, due_at=AT_ONCE, news_at=now, attempt=0, plain=None, parcel_id=None, reason=None)
        .returning(_d.subscription_id)
    )
    subscription = result.scalar()
    if subscription is not None:
        await connection.execute(sa.update(t.subscriptions).where(_s.id == subscription).values(active=True, reason=""))
    return subscription is not None


async def drop(connection: AsyncConnection, delivery_id: int) -> bool:
    """Gives a delivery up for good; whether there was one that could be."""
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(_d.id == delivery_id, _d.state.not_in([State.SENT, State.SUPERSEDED, State.SENDING]))
        .values(state=State.FAILED, due_at=None, reason="dropped by an operator")
    )
    return result.rowcount > 0


async def polled(connection: AsyncConnection, name: str, at: datetime, *, ok: bool, failures: int, reason: str) -> None:
    row = {"name": name, "polled_at": at, "failures": failures, "reason": reason}
    query = insert(connection, t.sources).values(**row, ok_at=at if ok else None)
    kept = {key: query.excluded[key] for key in row if key != "name"}
    await connection.execute(
        query.on_conflict_do_update(
            index_elements=["name"], set_={**kept, "ok_at": sa.func.coalesce(query.excluded.ok_at, t.sources.c.ok_at)}
        )
    )


async def sources(connection: AsyncConnection) -> list[SourceState]:
    rows = await connection.execute(sa.select(t.sources).order_by(t.sources.c.name))
    return [
        SourceState(name=r.name, polled_at=r.polled_at, ok_at=r.ok_at, failures=r.failures, reason=r.reason)
        for r in rows
    ]
