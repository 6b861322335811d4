"""Finds the messages that are out and whose text has to follow what happened since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import Change, Kind
from notifier.ports import Part, Told
from notifier.store import schema as t
from notifier.store.schema import CHANGE

_d = t.deliveries.c
_Changes = dict[int, Change]


async def messages_to_edit(
    connection: AsyncConnection, subscription_id: int, subject_id: int, changes: Sequence[Change], root: Receipt | None
) -> tuple[Told, ...]:
    """The messages already out that the edits among `changes` are about. `root` is the lane's first one."""
    edited = {change.update_id for change in changes if change.kind is Kind.UPDATE_EDITED}
    if not edited:
        return ()
    lane, known = await _lane(connection, subscription_id, subject_id)
    about = {
        row.parcel_id
        for row in lane
        if (change := known[row.change_id]).kind is Kind.UPDATE_POSTED and change.update_id in edited
    }
    return tuple(_told(row, lane, known, root) for row in lane if row.id in about and row.receipt_ref)


async def first_message(
    connection: AsyncConnection, subscription_id: int, subject_id: int, root: Receipt
) -> Told | None:
    """The first message of this lane with what happened since; None if nothing of it is known."""
    lane, known = await _lane(connection, subscription_id, subject_id)
    return next((_told(row, lane, known, root) for row in lane if row.receipt_ref == root.ref), None)


async def _lane(
    connection: AsyncConnection, subscription_id: int, subject_id: int
) -> tuple[Sequence[sa.Row[Any]], _Changes]:
    """The deliveries of a lane, and all that happened to its subject, told here or not; oldest first."""
    lane = await connection.execute(
        sa.select(t.deliveries)
        .where(_d.subscription_id == subscription_id, _d.subject_id == subject_id)
        .order_by(_d.change_id)
    )
    changes = await connection.execute(
        sa.select(t.changes.c.id, t.changes.c.doc).where(t.changes.c.subject_id == subject_id).order_by(t.changes.c.id)
    )
    return lane.all(), {number: CHANGE.load(doc) for number, doc in changes}


def _told(carrier: sa.Row[Any], lane: Sequence[sa.Row[Any]], known: _Changes, root: Receipt | None) -> Told:
    """The first message follows everything, any other only the edits of its own updates."""
    is_root = root is not None and carrier.receipt_ref == root.ref
    parts = tuple(Part(delivery_id=row.id, change=known[row.change_id]) for row in lane if row.parcel_id == carrier.id)
    own = {part.change.update_id for part in parts}
    since = tuple(
        change
        for number, change in known.items()
        if number > carrier.change_id and (is_root or (change.kind is Kind.UPDATE_EDITED and change.update_id in own))
    )
    return Told(
        receipt=Receipt(carrier.receipt_to, carrier.receipt_ref),
        thread=None if is_root else root,
        parts=parts,
        date=carrier.tried_at,
        since=since,
    )
