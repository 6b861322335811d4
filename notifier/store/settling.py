"""The delivery's results: what became of each parcel, and what follows for its conversation and its recipient."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import State
from notifier.parcel import Settlement
from notifier.store import outdated, pauses, recipients
from notifier.store import schema as t
from notifier.store.dialect import insert, json_rows
from notifier.store.schema import AT_ONCE

_d = t.deliveries.c


async def settle(
    connection: AsyncConnection, settlements: Sequence[Settlement], token_of: Callable[[str], int]
) -> None:
    """Writes the results; `token_of` a channel is that of its intents.

    What another process holds by now is left as it is, with all that would follow from it.
    """
    for each in settlements:
        if each.pause is not None:
            await pauses.keep(connection, each.parcel.address.channel, each.pause)
    settlements = await _held(connection, settlements, token_of)
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
                (
                    part.delivery_id,
                    each.state if carries or not sent else State.SUPERSEDED,
                    None if due is None else t.since_epoch(due),
                    each.parcel.attempt if each.counts else each.parcel.attempt - 1,
                    each.reason or None,
                    each.plain or None,
                    each.receipt.to if carries and each.receipt else None,
                    each.receipt.ref if carries and each.receipt else None,
                    token_of(each.parcel.address.channel),
                )
            )
    results = _results(connection.dialect.name)
    await connection.execute(results, {"rows": json.dumps(rows)})
    await _count(connection, settlements)
    await _start_threads(connection, settlements)
    over = (
        each for each in settlements if each.state is not State.PENDING and not (each.receipt and each.receipt.root)
    )
    await outdated.first_messages(connection, {(each.parcel.subscription_id, each.parcel.subject_id) for each in over})
    for each in settlements:
        if each.gone:
            await recipients.switch_off(connection, [each.parcel.subscription_id], each.reason)
        if each.moved_to is not None:
            await recipients.move(connection, each.parcel.subscription_id, each.moved_to)


@cache
def _results(dialect: str) -> sa.Update:
    rows = json_rows(
        dialect,
        row=sa.BigInteger(),
        state=sa.Text(),
        due=sa.BigInteger(),
        attempt=sa.Integer(),
        reason=sa.Text(),
        plain=sa.Boolean(),
        to=sa.Text(),
        ref=sa.Text(),
        token=sa.BigInteger(),
    )
    said = sa.func.coalesce(rows.c.reason, _d.reason)  # what is put back untried keeps the reason for which it waits
    return (
        sa.update(t.deliveries)
        .where(_d.id == rows.c.row, _d.token == rows.c.token, _d.state == State.SENDING)
        .values(
            state=rows.c.state,
            due_at=rows.c.due,
            attempt=rows.c.attempt,
            reason=sa.case((rows.c.state == State.SENT, rows.c.reason), else_=said),
            plain=rows.c.plain,
            receipt_to=rows.c.to,
            receipt_ref=rows.c.ref,
        )
    )


async def _held(
    connection: AsyncConnection, settlements: Sequence[Settlement], token_of: Callable[[str], int]
) -> Sequence[Settlement]:
    newest = {each.parcel.parts[-1].delivery_id: each for each in settlements}
    rows = await connection.execute(
        sa.select(_d.id, _d.token).where(_d.id.in_(newest), _d.state == State.SENDING).with_for_update()
    )
    found = [(newest[row.id], row.token) for row in rows]
    return [each for each, token in found if token == token_of(each.parcel.address.channel)]


async def _count(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """So that nobody has to look through the deliveries for how many went out."""
    tried = (each.parcel.first_tried_at for each in settlements if each.state is State.SENT)
    hours = Counter(at.replace(minute=0, second=0, microsecond=0) for at in tried)
    if hours:
        query = insert(connection, t.hours)
        more = query.on_conflict_do_update(index_elements=["hour"], set_={"sent": t.hours.c.sent + query.excluded.sent})
        await connection.execute(more, [{"hour": hour, "sent": count} for hour, count in hours.items()])


def _starts(settlement: Settlement) -> bool:
    """Whether its message stands by itself."""
    return settlement.receipt is not None and settlement.receipt.root


async def _start_threads(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """A message that stands by itself is what the later ones of its lane hang on."""
    first = [
        (each.parcel.parts[-1].delivery_id, each.receipt.to, each.receipt.ref, each.keeps_root)
        for each in settlements
        if each.receipt is not None and _starts(each)
    ]
    if first:
        await connection.execute(_threads(connection), {"rows": json.dumps(first)})


def _threads(connection: AsyncConnection) -> Any:
    dialect = connection.dialect.name
    rows = json_rows(dialect, row=sa.BigInteger(), to=sa.Text(), ref=sa.Text(), kept=sa.Boolean())
    lanes = sa.select(_d.subscription_id, _d.subject_id, rows.c.to, rows.c.ref, rows.c.kept)
    query = insert(connection, t.threads).from_select(
        list(t.threads.c), lanes.join_from(rows, t.deliveries, _d.id == rows.c.row).where(sa.true())
    )
    replaced = {name: query.excluded[name] for name in ("receipt_to", "receipt_ref", "kept")}
    return query.on_conflict_do_update(index_elements=["subscription_id", "subject_id"], set_=replaced)
