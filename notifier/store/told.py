"""What a message that is out told, and what happened since."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import Change, Kind
from notifier.parcel import Part, Told
from notifier.store import schema as t
from notifier.store.codec import CHANGE

Lane = tuple[int, int]
"""Subscription and subject."""

_d = t.deliveries.c


async def carriers_of(connection: AsyncConnection, lane: Lane, update_ids: Iterable[str | None]) -> set[int]:
    """The deliveries of this lane that carry the receipts of the messages that told these updates."""
    subscription_id, subject_id = lane
    original, carrier = t.deliveries.alias(), t.deliveries.alias()
    rows = await connection.execute(
        sa.select(carrier.c.id, t.changes.c.doc)
        .select_from(original)
        .join(carrier, carrier.c.id == original.c.parcel_id)
        .join(t.changes, t.changes.c.id == original.c.change_id)
        .where(
            original.c.subscription_id == subscription_id,
            original.c.subject_id == subject_id,
            carrier.c.receipt_ref.is_not(None),
        )
    )
    wanted = set(update_ids)
    told = ((number, loaded(doc)) for number, doc in rows)
    return {number for number, change in told if change.kind is Kind.UPDATE_POSTED and change.update_id in wanted}


async def message_as_told(connection: AsyncConnection, lane: Lane, delivery_id: int) -> Told:
    """The message whose receipt this delivery carries. A first message follows everything that happened to its subject,
    told here or not, any other one only the edits of its own updates.
    """
    subscription_id, subject_id = lane
    rows = (
        await connection.execute(
            sa.select(t.deliveries, t.changes.c.doc)
            .join(t.changes, t.changes.c.id == _d.change_id)
            .where(_d.parcel_id == delivery_id)
            .order_by(_d.change_id)
        )
    ).all()
    carrier = next(row for row in rows if row.id == delivery_id)
    thread = t.threads.c
    root = (
        await connection.execute(
            sa.select(thread.receipt_to, thread.receipt_ref).where(
                thread.subscription_id == subscription_id, thread.subject_id == subject_id
            )
        )
    ).first()
    is_root = root is not None and root.receipt_ref == carrier.receipt_ref
    later = await connection.execute(
        sa.select(t.changes.c.doc)
        .where(t.changes.c.subject_id == subject_id, t.changes.c.id > carrier.change_id)
        .order_by(t.changes.c.id)
    )
    parts = tuple(Part(delivery_id=row.id, change=loaded(row.doc)) for row in rows)
    own = {part.change.update_id for part in parts if part.change.kind is Kind.UPDATE_POSTED}
    return Told(
        receipt=Receipt(carrier.receipt_to, carrier.receipt_ref),
        thread=Receipt(root.receipt_to, root.receipt_ref) if root is not None and not is_root else None,
        parts=tuple(p for p in parts if p.change.kind is not Kind.UPDATE_EDITED or p.change.update_id in own),
        date=carrier.tried_at,
        since=tuple(
            change
            for change in map(loaded, later.scalars())
            if is_root or (change.kind is Kind.UPDATE_EDITED and change.update_id in own)
        ),
    )


@lru_cache(maxsize=256)
def loaded(doc: str) -> Change:
    """A change from its document. Many readers are told the same few."""
    return CHANGE.load(doc)
