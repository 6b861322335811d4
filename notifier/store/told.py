"""Finds the messages that are out and whose text has to follow an edit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import Change, Kind, Receipt
from notifier.ports import Part, Told
from notifier.store import schema as t
from notifier.store.schema import CHANGE

_d = t.deliveries.c


async def messages_to_edit(
    connection: AsyncConnection, subscription_id: int, changes: Sequence[Change]
) -> tuple[Told, ...]:
    """The messages already out that the edits among `changes` are about, with the newest texts."""
    told: list[Told] = []
    for key in dict.fromkeys(_original_key(change) for change in changes if change.kind is Kind.UPDATE_EDITED):
        original = t.deliveries.alias()
        carrier = t.deliveries.alias()
        found = (
            await connection.execute(
                sa.select(carrier)
                .join(original, original.c.parcel_id == carrier.c.id)
                .join(t.changes, t.changes.c.id == original.c.change_id)
                .where(
                    t.changes.c.key == key,
                    original.c.subscription_id == subscription_id,
                    carrier.c.receipt_ref.is_not(None),
                )
            )
        ).first()
        if found is not None and found.receipt_ref not in {each.receipt.ref for each in told}:
            told.append(
                Told(
                    receipt=Receipt(found.receipt_to, found.receipt_ref),
                    parts=await _with_edits(connection, found.id),
                    date=found.tried_at,
                )
            )
    return tuple(told)


def _original_key(change: Change) -> str:
    return f"posted/{change.incident_id}/{change.update_id}"


async def _with_edits(connection: AsyncConnection, parcel_id: int) -> tuple[Part, ...]:
    """The parts of a parcel as sent, each followed by the newest edit of it."""
    rows = await connection.execute(
        sa.select(_d.id, t.changes.c.doc)
        .join(t.changes, t.changes.c.id == _d.change_id)
        .where(_d.parcel_id == parcel_id)
        .order_by(_d.change_id)
    )
    parts = []
    for number, doc in rows:
        change = CHANGE.load(doc)
        parts.append(Part(delivery_id=number, change=change))
        if change.kind is Kind.UPDATE_POSTED:
            edits = await connection.execute(
                sa.select(t.changes.c.doc)
                .where(t.changes.c.key.startswith(f"edited/{change.incident_id}/{change.update_id}/", autoescape=True))
                .order_by(t.changes.c.id.desc())
                .limit(1)
            )
            parts += [Part(delivery_id=number, change=CHANGE.load(edit)) for edit in edits.scalars()]
    return tuple(parts)
