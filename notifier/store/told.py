"""Finds the messages that are out and whose text has to follow what happened since."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.message import Receipt
from notifier.model import Change, Kind, State
from notifier.ports import Part, Told
from notifier.store import schema as t
from notifier.store.schema import CHANGE

_d = t.deliveries.c


async def messages_to_edit(
    connection: AsyncConnection, subscription_id: int, subject_id: int, changes: Sequence[Change], root: Receipt | None
) -> tuple[Told, ...]:
    """The messages already out that the edits among `changes` are about. `root` is the lane's first one."""
    edited = {change.update_id for change in changes if change.kind is Kind.UPDATE_EDITED}
    if not edited:
        return ()
    rows = (await connection.execute(_LANE, {"subscription": subscription_id, "subject": subject_id})).all()
    carriers = {row.id: row.receipt_ref for row in rows if row.receipt_ref}
    told: dict[str, Told] = {}
    for row in rows:
        change = CHANGE.load(row.doc)
        ref = carriers.get(row.parcel_id)
        if change.kind is Kind.UPDATE_POSTED and change.update_id in edited and ref is not None and ref not in told:
            found = _told(rows, ref, changes, root)
            told |= {ref: found} if found else {}
    return tuple(told.values())


async def first_message(
    connection: AsyncConnection, subscription_id: int, subject_id: int, root: Receipt
) -> Told | None:
    """The first message of this lane with what happened since; None if nothing of it is known."""
    rows = (await connection.execute(_LANE, {"subscription": subscription_id, "subject": subject_id})).all()
    return _told(rows, root.ref, (), root)


_LANE = (
    sa.select(t.deliveries, t.changes.c.doc)
    .join(t.changes, t.changes.c.id == _d.change_id)
    .where(_d.subscription_id == sa.bindparam("subscription"), _d.subject_id == sa.bindparam("subject"))
    .order_by(_d.change_id)
)


def _told(
    rows: Sequence[sa.Row[tuple[object, ...]]], ref: str, news: Sequence[Change], root: Receipt | None
) -> Told | None:
    """`news` counts as told. The first message follows everything, any other only the edits of its own updates."""
    carrier = next((row for row in rows if row.receipt_ref == ref), None)
    if carrier is None:
        return None
    is_root = root is not None and ref == root.ref
    mine = [row for row in rows if row.parcel_id == carrier.id]
    parts = tuple(Part(delivery_id=row.id, change=CHANGE.load(row.doc)) for row in mine)
    own = {part.change.update_id for part in parts}
    out = {change.key for change in news}
    others = [
        (row.state, CHANGE.load(row.doc)) for row in rows if row.change_id > carrier.change_id and row not in mine
    ]
    since = tuple(
        change
        for state, change in others
        if (state in (State.SENT, State.SUPERSEDED) or change.key in out)
        and (is_root or (change.kind is Kind.UPDATE_EDITED and change.update_id in own))
    )
    return Told(
        receipt=Receipt(carrier.receipt_to, ref),
        thread=None if is_root else root,
        parts=parts,
        date=carrier.tried_at,
        since=since,
    )
