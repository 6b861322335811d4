"""The delivery's half: claim what is due (the intent), settle what became of it (the result).

A claim binds the waiting deliveries of one lane – one subscription, one subject – into a parcel. Only the process that
committed the intent may settle it; the lease is the time after which its silence counts as a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import State
from notifier.ports import Parcel, Part, Settlement
from notifier.store import recipients, roots
from notifier.store import schema as t
from notifier.store.record import insert
from notifier.store.schema import AT_ONCE, CHANGE, LEASE
from notifier.store.told import messages_to_edit
from notifier.subscription import Address

_d = t.deliveries.c
_Lane = tuple[int, int]


async def claim(
    connection: AsyncConnection, wishes: Sequence[tuple[str, int]], token: int, now: datetime
) -> list[Parcel]:
    """For each channel up to so many parcels that may be sent now, their intents written."""
    lanes = [lane for channel, most in wishes for lane in await _due_lanes(connection, channel, most, token, now)]
    if not lanes:
        return []
    waiting = await _waiting(connection, lanes)
    parcels = []
    for lane, rows in waiting.items():
        if not rows:
            continue
        uncertain = [row for row in rows if row.state in (State.UNKNOWN, State.SENDING)]
        rows = [row for row in rows if row.parcel_id == uncertain[0].parcel_id] if uncertain else rows
        parcels.append(await _bind(connection, lane, rows, bool(uncertain), now))
    await connection.execute(
        sa.update(t.deliveries)
        .where(_d.id == sa.bindparam("row"))
        .values(
            state=State.SENDING,
            due_at=now + LEASE,
            token=token,
            attempt=sa.bindparam("number"),
            tried_at=sa.bindparam("tried"),
            parcel_id=sa.bindparam("parcel"),
        ),
        [
            {
                "row": part.delivery_id,
                "number": parcel.attempt,
                "tried": parcel.first_tried_at,
                "parcel": parcel.parts[-1].delivery_id,
            }
            for parcel in parcels
            for part in parcel.parts
        ],
    )
    return parcels


_other = t.deliveries.alias()
_BUSY = sa.exists().where(
    _other.c.subscription_id == _d.subscription_id,
    _other.c.subject_id == _d.subject_id,
    ((_other.c.state == State.SENDING) & (_other.c.token == sa.bindparam("token", type_=sa.BigInteger)))
    | (
        (_other.c.due_at > sa.bindparam("now", type_=t.Instant))
        & (
            _other.c.state.in_([State.SENDING, State.UNKNOWN])
            | ((_other.c.state == State.PENDING) & (_other.c.attempt > 0))
        )
    ),
)
"""Under way here, whatever the clock says; under way elsewhere; or backing off."""

DUE_LANES = (
    sa.select(_d.subscription_id, _d.subject_id)
    .where(_d.channel == sa.bindparam("channel"), _d.due_at <= sa.bindparam("now", type_=t.Instant), sa.not_(_BUSY))
    .order_by(_d.due_at, _d.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
"""Lanes with something due and nothing under way or backing off, the longest waiting first."""

WAITING = (
    sa.select(
        t.deliveries,
        t.changes.c.doc,
        t.subscriptions.c.address,
        t.subscriptions.c.mention,
        t.threads.c.receipt_to.label("thread_to"),
        t.threads.c.receipt_ref.label("thread_ref"),
    )
    .join(t.changes, t.changes.c.id == _d.change_id)
    .join(t.subscriptions, t.subscriptions.c.id == _d.subscription_id)
    .outerjoin(
        t.threads,
        (t.threads.c.subscription_id == _d.subscription_id) & (t.threads.c.subject_id == _d.subject_id),
    )
    .where(
        _d.subscription_id.in_(sa.bindparam("subscriptions", expanding=True)),  # SQLite finds no index for the pairs
        sa.tuple_(_d.subscription_id, _d.subject_id).in_(sa.bindparam("lanes", expanding=True)),
        _d.state.in_([State.PENDING, State.SENDING, State.UNKNOWN, State.EXPIRED]),
        (_d.state != State.UNKNOWN) | _d.due_at.is_not(None),
    )
    .order_by(_d.change_id)
)
"""The deliveries of some lanes that are not told yet, in the order of their changes, with what a send needs."""


async def _due_lanes(connection: AsyncConnection, channel: str, limit: int, token: int, now: datetime) -> list[_Lane]:
    rows = await connection.execute(DUE_LANES, {"channel": channel, "now": now, "token": token, "most": limit * 4})
    return list(dict.fromkeys((row[0], row[1]) for row in rows))[:limit]


async def _waiting(connection: AsyncConnection, lanes: Sequence[_Lane]) -> dict[_Lane, list[sa.Row[Any]]]:
    rows = await connection.execute(WAITING, {"lanes": lanes, "subscriptions": [lane[0] for lane in lanes]})
    waiting: dict[_Lane, list[sa.Row[Any]]] = {lane: [] for lane in lanes}
    for row in rows:
        waiting[row.subscription_id, row.subject_id].append(row)
    return waiting


async def _bind(
    connection: AsyncConnection, lane: _Lane, rows: Sequence[sa.Row[Any]], uncertain: bool, now: datetime
) -> Parcel:
    first = rows[0]
    thread = Receipt(first.thread_to, first.thread_ref) if first.thread_to is not None else None
    parts = tuple(Part(delivery_id=row.id, change=CHANGE.load(row.doc)) for row in rows)
    bound = {row.parcel_id for row in rows}
    unchanged = bound == {rows[-1].id} and first.tried_at is not None
    return Parcel(
        subscription_id=lane[0],
        address=Address.parse(first.address),
        mention=first.mention,
        parts=parts,
        edits=await messages_to_edit(connection, *lane, [part.change for part in parts], thread),
        thread=thread,
        attempt=max(row.attempt for row in rows) + 1,
        first_tried_at=first.tried_at if unchanged else now,
        uncertain=uncertain,
        plain=any(row.plain for row in rows),
    )


async def settle(connection: AsyncConnection, settlements: Sequence[Settlement], token: int) -> None:
    """Writes the results. What another process holds by now is left as it is, with all that would follow from it."""
    settlements = await _held(connection, settlements, token)
    if not settlements:
        return
    rows = []
    for each in settlements:
        newest = each.parcel.parts[-1].delivery_id
        due = each.next_attempt_at if each.state in (State.PENDING, State.UNKNOWN) else None
        if each.state is State.PENDING and due is None:
            due = AT_ONCE
        for part in each.parcel.parts:
            carries = part.delivery_id == newest
            sent = each.state is State.SENT
            rows.append(
                {
                    "row": part.delivery_id,
                    "new_state": each.state if carries or not sent else State.SUPERSEDED,
                    "due": due,
                    "number": each.parcel.attempt if each.counts else each.parcel.attempt - 1,
                    "why": each.reason or None,
                    "bare": each.plain or None,
                    "to": each.receipt.to if carries and each.receipt else None,
                    "ref": each.receipt.ref if carries and each.receipt else None,
                }
            )
    await connection.execute(
        sa.update(t.deliveries)
        .where(_d.id == sa.bindparam("row"), _d.token == token, _d.state == State.SENDING)
        .values(
            state=sa.bindparam("new_state"),
            due_at=sa.bindparam("due", type_=t.Instant),
            attempt=sa.bindparam("number"),
            reason=sa.bindparam("why"),
            plain=sa.bindparam("bare"),
            receipt_to=sa.bindparam("to"),
            receipt_ref=sa.bindparam("ref"),
        ),
        rows,
    )
    await _start_threads(connection, settlements)
    await roots.outdate(connection, settlements)
    for each in settlements:
        if each.gone:
            await recipients.switch_off(connection, [each.parcel.subscription_id], each.reason)
        if each.moved_to is not None:
            await recipients.move(connection, each.parcel.subscription_id, each.moved_to)


async def _held(connection: AsyncConnection, settlements: Sequence[Settlement], token: int) -> Sequence[Settlement]:
    newest = {each.parcel.parts[-1].delivery_id: each for each in settlements}
    rows = await connection.execute(
        sa.select(_d.id).where(_d.id.in_(newest), _d.token == token, _d.state == State.SENDING).with_for_update()
    )
    return [newest[number] for number in rows.scalars()]


async def _start_threads(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """A message that stands by itself is what the later ones of its lane hang on."""
    first = [
        {"row": each.parcel.parts[-1].delivery_id, "to": each.receipt.to, "ref": each.receipt.ref}
        for each in settlements
        if each.receipt is not None and each.receipt.root
    ]
    if not first:
        return
    lane = sa.select(
        _d.subscription_id,
        _d.subject_id,
        _d.channel,
        sa.bindparam("to", type_=sa.Text),
        sa.bindparam("ref", type_=sa.Text),
        sa.literal(0),
    ).where(_d.id == sa.bindparam("row"))
    columns = ["subscription_id", "subject_id", "channel", "receipt_to", "receipt_ref", "attempt"]
    query = insert(connection, t.threads).from_select(columns, lane)
    replaced = {name: query.excluded[name] for name in ("receipt_to", "receipt_ref", "channel")}
    current = {"wanted": None, "due_at": None, "token": None}
    await connection.execute(
        query.on_conflict_do_update(index_elements=["subscription_id", "subject_id"], set_=replaced | current), first
    )


async def abandon_leases(connection: AsyncConnection, token: int, ask_at: datetime) -> int:
    """Deliveries that a process which is gone left under way may have arrived; how many there are."""
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(_d.state == State.SENDING, _d.token != token)
        .values(state=State.UNKNOWN, due_at=ask_at)
    )
    await roots.abandon(connection, token)
    return result.rowcount


async def expire(
    connection: AsyncConnection, channel: str, news_since: datetime, ends_since: datetime, latest: datetime
) -> int:
    """Waiting news older than the horizon is no news any more: it rides in the next message of its lane."""
    mine = (_d.channel == channel) & _d.state.in_([State.PENDING, State.UNKNOWN]) & _d.due_at.is_not(None)
    ends = sa.exists().where(t.changes.c.id == _d.change_id, t.changes.c.ends)
    result = await connection.execute(
        sa.update(t.deliveries)
        .where(mine, _d.news_at < news_since, (_d.news_at < ends_since) | sa.not_(ends))
        .values(state=State.EXPIRED, due_at=None, reason="too old to be news")
    )
    await connection.execute(
        sa.update(t.deliveries).where(mine, _d.attempt > 0, _d.due_at > latest).values(due_at=AT_ONCE)
    )
    return result.rowcount


NEXT_DUE = (
    sa.select(_d.due_at)
    .where(
        _d.channel == sa.bindparam("channel"),
        _d.due_at.is_not(None),
        (_d.due_at > sa.bindparam("now", type_=t.Instant)) | sa.not_(_BUSY),
    )
    .order_by(_d.due_at)
    .limit(1)
)


async def next_due(
    connection: AsyncConnection, channel: str, token: int, now: datetime, *, with_roots: bool
) -> datetime | None:
    """When something of this channel can be claimed next; None if nothing waits."""
    found = await connection.execute(NEXT_DUE, {"channel": channel, "token": token, "now": now})
    dues: list[datetime | None] = [found.scalar()]
    if with_roots:
        dues.append(await roots.next_due(connection, channel))
    return min((due for due in dues if due is not None), default=None)
