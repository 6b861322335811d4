"""The delivery's half: claim what is due (the intent), settle what became of it (the result).

A claim binds the waiting deliveries of one lane – one subscription, one subject – into a parcel. Only the process that
committed the intent may settle it; the lease is the time after which its silence counts as a crash.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import Kind, State
from notifier.parcel import Parcel, Part
from notifier.store import due, mutes, outdated
from notifier.store import schema as t
from notifier.store.dialect import json_rows
from notifier.store.schema import AT_ONCE, LEASE
from notifier.store.told import Lane, carriers_of, loaded
from notifier.subscription import Address

_d = t.deliveries.c


class Wish(NamedTuple):
    """One channel's claim."""

    channel: str
    most: int
    now: datetime
    can_edit: bool
    resting: Collection[int]
    token: int


async def claim(connection: AsyncConnection, wishes: Sequence[Wish], now: datetime) -> list[Parcel]:
    """For each channel up to so many parcels that may be sent now, their intents written. Where the channel can edit,
    an edit is none of them: it makes the message that it is about outdated.
    """
    editing = {wish.channel for wish in wishes if wish.can_edit}
    lanes = [lane for wish in wishes for lane in await _due_lanes(connection, wish, now)]
    if not lanes:
        return []
    waiting = await _waiting(connection, lanes)
    parcels = []
    for lane, found in waiting.items():
        if found and not found[0].active:
            await _drop(connection, found)
            continue
        if found and await mutes.held_back(connection, found, now):
            continue
        edits = bool(found) and found[0].channel in editing
        rows = await _without_edits(connection, lane, found, now) if edits else found
        if not rows:
            continue
        uncertain = [row for row in rows if row.state in (State.UNKNOWN, State.SENDING)]
        rows = [row for row in rows if row.parcel_id == uncertain[0].parcel_id] if uncertain else rows
        parcels.append(_bind(lane, rows, bool(uncertain), now))
    if not parcels:
        return []
    tokens = {wish.channel: wish.token for wish in wishes}
    bound = [
        (
            part.delivery_id,
            parcel.attempt,
            t.since_epoch(parcel.first_tried_at),
            parcel.parts[-1].delivery_id,
            tokens[parcel.address.channel],
        )
        for parcel in parcels
        for part in parcel.parts
    ]
    intents = _intents(connection.dialect.name)
    await connection.execute(intents, {"rows": json.dumps(bound), "lease": now + LEASE})
    return parcels


@cache
def _intents(dialect: str) -> sa.Update:
    number = sa.BigInteger()
    rows = json_rows(dialect, row=number, attempt=sa.Integer(), tried=number, parcel=number, token=number)
    return (
        sa.update(t.deliveries)
        .where(_d.id == rows.c.row)
        .values(
            state=State.SENDING,
            due_at=sa.bindparam("lease", type_=t.Instant),
            token=rows.c.token,
            rank=_d.rank - _d.rank % 2,
            attempt=rows.c.attempt,
            tried_at=rows.c.tried,
            parcel_id=rows.c.parcel,
        )
    )


WAITING = (
    sa.select(
        t.deliveries,
        t.changes.c.doc,
        t.subscriptions.c.address,
        t.subscriptions.c.mention,
        t.subscriptions.c.language,
        t.subscriptions.c.muted_until,
        t.filters.c.doc.label("wish"),
        t.mutes.c.subject_id.label("spared"),
        t.subscriptions.c.active,
        t.subscriptions.c.reason.label("off_because"),
        t.threads.c.receipt_to.label("thread_to"),
        t.threads.c.receipt_ref.label("thread_ref"),
    )
    .join(t.changes, t.changes.c.id == _d.change_id)
    .join(t.subscriptions, t.subscriptions.c.id == _d.subscription_id)
    .join(t.filters, t.filters.c.id == t.subscriptions.c.filter_id)
    .outerjoin(
        t.threads,
        (t.threads.c.subscription_id == _d.subscription_id) & (t.threads.c.subject_id == _d.subject_id),
    )
    .outerjoin(t.mutes, (t.mutes.c.subscription_id == _d.subscription_id) & (t.mutes.c.subject_id == _d.subject_id))
    .where(
        _d.subscription_id.in_(sa.bindparam("subscriptions", expanding=True)),  # SQLite finds no index for the pairs
        sa.tuple_(_d.subscription_id, _d.subject_id).in_(sa.bindparam("lanes", expanding=True)),
        _d.state.in_([State.PENDING, State.SENDING, State.UNKNOWN, State.EXPIRED]),
        (_d.state != State.UNKNOWN) | _d.due_at.is_not(None),
    )
    .order_by(_d.change_id)
)
"""The deliveries of some lanes that are not told yet, in the order of their changes, with what a send needs."""


async def _due_lanes(connection: AsyncConnection, wish: Wish, now: datetime) -> list[Lane]:
    """Mostly nobody who rests is owed anything else; to name them all in every claim would cost a fan-out dear."""
    most = wish.most * 2
    lanes = dict.fromkeys(await due.lanes(connection, wish.channel, now, wish.token, most))
    if any(subscription in wish.resting for subscription, _ in lanes):
        lanes = dict.fromkeys(await due.lanes(connection, wish.channel, now, wish.token, most, wish.resting))
    return list(lanes)[: wish.most]


async def _waiting(connection: AsyncConnection, lanes: Sequence[Lane]) -> dict[Lane, list[sa.Row[Any]]]:
    rows = await connection.execute(WAITING, {"lanes": lanes, "subscriptions": [lane[0] for lane in lanes]})
    waiting: dict[Lane, list[sa.Row[Any]]] = {lane: [] for lane in lanes}
    for row in rows:
        waiting[row.subscription_id, row.subject_id].append(row)
    return waiting


async def _without_edits(
    connection: AsyncConnection, lane: Lane, rows: Sequence[sa.Row[Any]], now: datetime
) -> Sequence[sa.Row[Any]]:
    """The rows but for edits of what is out already: the messages that told it become outdated, and that is that."""
    changes = {row.id: loaded(row.doc) for row in rows}
    told_here = {change.update_id for change in changes.values() if change.kind is Kind.UPDATE_POSTED}
    edits = [
        row
        for row in rows
        if (change := changes[row.id]).kind is Kind.UPDATE_EDITED and change.update_id not in told_here
    ]
    if not edits:
        return rows
    about = await carriers_of(connection, lane, {changes[row.id].update_id for row in edits})
    await outdated.messages(connection, about, edits[-1].change_id)
    await outdated.first_messages(connection, {lane})
    shown = {"state": State.SENT, "due_at": None, "tried_at": now, "reason": "shown in the message that it is about"}
    ids = [row.id for row in edits]
    await connection.execute(sa.update(t.deliveries).where(_d.id.in_(ids)).values(shown))
    return [row for row in rows if row.id not in ids]


async def _drop(connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> None:
    """What was under way when its recipient was switched off, and would be tried again."""
    off = {"state": State.FAILED, "due_at": None, "reason": rows[0].off_because}
    await connection.execute(sa.update(t.deliveries).where(_d.id.in_([row.id for row in rows])).values(off))


def _bind(lane: Lane, rows: Sequence[sa.Row[Any]], uncertain: bool, now: datetime) -> Parcel:
    first = rows[0]
    thread = Receipt(first.thread_to, first.thread_ref) if first.thread_to is not None else None
    parts = tuple(Part(delivery_id=row.id, change=loaded(row.doc), news_at=row.news_at) for row in rows)
    bound = {row.parcel_id for row in rows}
    unchanged = bound == {rows[-1].id} and first.tried_at is not None
    return Parcel(
        subscription_id=lane[0],
        subject_id=lane[1],
        address=Address.parse(first.address),
        mention=first.mention,
        language=first.language,
        parts=parts,
        thread=thread,
        attempt=max(row.attempt for row in rows) + 1,
        first_tried_at=first.tried_at if unchanged else now,
        uncertain=uncertain,
        plain=any(row.plain for row in rows),
    )


async def recover(connection: AsyncConnection, channel: str, ask_at: datetime, but: Collection[int]) -> int:
    """Deliveries of this channel that somebody left under way may have arrived; how many there are."""
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(_d.channel == channel, _d.state == State.SENDING, _d.due_at.is_not(None), _d.id.not_in(but))
        .values(state=State.UNKNOWN, due_at=ask_at)
    )
    await outdated.abandon(connection, channel, but)
    return result.rowcount


async def expire(
    connection: AsyncConnection, channel: str, news_since: datetime, ends_since: datetime, latest: datetime
) -> int:
    """Waiting news older than the horizon is no news any more: it rides in the next message of its lane.

    What may have arrived is asked about first, however old.
    """
    mine = (_d.channel == channel) & _d.state.in_([State.PENDING, State.UNKNOWN]) & _d.due_at.is_not(None)
    ends = sa.exists().where(t.changes.c.id == _d.change_id, t.changes.c.ends)
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(mine, _d.state == State.PENDING, _d.news_at < news_since, (_d.news_at < ends_since) | sa.not_(ends))
        .values(state=State.EXPIRED, due_at=None, reason="too old to be news")
        .returning(_d.subscription_id, _d.subject_id)
    )
    rows = result.all()
    await outdated.first_messages(connection, {(row.subscription_id, row.subject_id) for row in rows})
    await connection.execute(
        sa.update(t.deliveries).where(mine, _d.tried_at.is_not(None), _d.due_at > latest).values(due_at=AT_ONCE)
    )
    await outdated.not_after(connection, channel, latest)
    return len(rows)
