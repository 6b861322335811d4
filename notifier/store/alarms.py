"""The bot's own health: what the database says of it, and what operators were told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import Backlog, DeadLetters, Owed, SwitchedOff
from notifier.model import Change, State
from notifier.parcel import FIRST, Turn
from notifier.store import schema as t
from notifier.store.codec import CHANGE
from notifier.store.dialect import insert
from notifier.store.recipients import ENDED, MERGED, enlist
from notifier.store.record import add_change
from notifier.store.schema import AT_ONCE, fresh
from notifier.store.told import loaded
from notifier.subscription import Address

_a, _d, _s = t.alarms.c, t.deliveries.c, t.subscriptions.c

_DEAD = _d.state == sa.literal_column("'dead'")
"""Spelt out, as an index only serves the very condition that it was made for."""


async def owed(connection: AsyncConnection, now: datetime) -> Owed:
    waiting = await connection.execute(
        sa.select(_d.channel, sa.func.min(_d.news_at), sa.func.count())
        .where(_d.due_at.is_not(None), _d.news_at <= now)
        .group_by(_d.channel)
    )
    newest = sa.select(_d.channel, sa.func.max(_d.id).label("id"), sa.func.count().label("count")).where(_DEAD)
    last = newest.group_by(_d.channel).subquery()
    dead = await connection.execute(
        sa.select(last.c.channel, last.c.count, _d.reason).join(t.deliveries, _d.id == last.c.id)
    )
    return Owed(
        backlogs=tuple(Backlog(channel=row[0], oldest=row[1], count=row[2]) for row in waiting),
        switched_off=await _switched_off(connection),
        dead=tuple(DeadLetters(channel=row[0], count=row[1], reason=row[2] or "") for row in dead),
        raised=await _raised(connection),
    )


async def _switched_off(connection: AsyncConnection) -> tuple[SwitchedOff, ...]:
    """The configured ones; those that are on again count until something has reached them."""
    reached = sa.exists().where(_d.subscription_id == _s.id, _d.state == State.SENT, _d.tried_at > _a.raised_at)
    refused = sa.not_(_s.active) & (_s.reason != ENDED) & sa.not_(_s.reason.startswith(MERGED))
    rows = await connection.execute(
        sa.select(_s.address, _s.reason, _s.active)
        .outerjoin(t.alarms, _a.key == sa.literal("off/") + _s.address)
        .where(
            _s.origin.in_(["config", "operator"]),
            refused | (_s.active & _a.key.is_not(None) & sa.not_(reached)),
        )
    )
    return tuple(SwitchedOff(address=row.address, reason=row.reason, again=row.active) for row in rows)


async def _raised(connection: AsyncConnection) -> dict[str, Change]:
    rows = await connection.execute(sa.select(_a.key, _a.doc))
    return {row.key: loaded(row.doc) for row in rows}


async def alarm(
    connection: AsyncConnection, decide: Callable[[Mapping[str, Change]], Turn], to: Collection[Address]
) -> Turn:
    """Of an end hear those who were told of its beginning. What another process told meanwhile is not told again."""
    turn = decide(await _raised(connection))
    for change in turn.raised.values():
        await enlist(connection, to, change.at)
    addresses = [str(address) for address in to]
    operators = (_s.written.in_(addresses) | _s.address.in_(addresses)) & _s.active
    for key, change in turn.raised.items():
        values = {"key": key, "raised_at": change.at, "doc": CHANGE.dump(change)}
        raised = insert(connection, t.alarms).values(values).on_conflict_do_nothing().returning(_a.key)
        if (await connection.execute(raised)).first() is not None:
            await _owe(connection, change, operators)
    for key, change in turn.over.items():
        ended = await connection.execute(sa.delete(t.alarms).where(_a.key == key).returning(_a.key))
        if ended.first() is None:
            continue
        subject = sa.select(t.subjects.c.id).where(t.subjects.c.key == change.subject).scalar_subquery()
        told = sa.exists().where(_d.subscription_id == _s.id, _d.subject_id == subject)
        await _owe(connection, change, _s.active & told)
    return turn


async def _owe(connection: AsyncConnection, change: Change, whom: sa.ColumnElement[bool]) -> None:
    change_id = await add_change(connection, change)
    if change_id is None:
        return
    subject = sa.select(t.changes.c.subject_id).where(t.changes.c.id == change_id).scalar_subquery()
    values = {
        "change_id": sa.literal(change_id, sa.BigInteger),
        "subscription_id": _s.id,
        "subject_id": subject,
        "channel": _s.channel,
        "state": sa.literal(State.PENDING.value),
        "rank": sa.literal(fresh(FIRST)),
        "attempt": sa.literal(0),
        "due_at": sa.literal(AT_ONCE, t.Instant),
        "news_at": sa.literal(change.detected_at, t.Instant),
    }
    rows = sa.select(*(column.label(name) for name, column in values.items())).where(whom).order_by(_s.id)
    await connection.execute(insert(connection, t.deliveries).from_select(list(values), rows).on_conflict_do_nothing())


async def touch(connection: AsyncConnection) -> None:
    query = insert(connection, t.meta).values(key="touched", value="")
    await connection.execute(query.on_conflict_do_update(index_elements=["key"], set_={"value": query.excluded.value}))
