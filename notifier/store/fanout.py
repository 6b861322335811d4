"""Who is owed a change: its deliveries, chunk by chunk, behind a cursor that survives a crash."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.model import State
from notifier.parcel import Want
from notifier.store import outdated
from notifier.store import schema as t
from notifier.store.codec import CHANGE, WANT
from notifier.store.dialect import has, insert, json_rows
from notifier.store.schema import fresh

CHUNK = 1000
"""Subscriptions whose deliveries are written at once. The first send waits for the first chunk only."""

LATER_CHUNK = 5 * CHUNK
"""Every later one: fewer commits, and still so few rows that a claim gets its turn within a tenth of a second. Changes
that come together share it, down to CHUNK for each.
"""

_d, _m, _s = t.deliveries.c, t.mutes.c, t.subscriptions.c


async def begin(connection: AsyncConnection, change_id: int, want: Want) -> None:
    """Nothing is owed yet; who subscribes from now on is owed nothing of it."""
    last = (await connection.execute(sa.select(sa.func.max(_s.id)))).scalar() or 0
    await connection.execute(
        sa.insert(t.fanouts).values(change_id=change_id, cursor=0, last=last, want=WANT.dump(want))
    )


async def fan_out(connection: AsyncConnection) -> bool | None:
    """Writes the next chunk of every unfinished fan-out; whether anything is left; None if there was none.

    All of them cover the same range of subscriptions, oldest change first, so that no change overtakes another.
    """
    unfinished = (
        await connection.execute(
            sa.select(t.fanouts, t.changes.c.doc, t.changes.c.subject_id)
            .join(t.changes, t.changes.c.id == t.fanouts.c.change_id)
            .order_by(t.fanouts.c.change_id)
        )
    ).all()
    if not unfinished:
        return None
    reached: int | None = None
    for row in unfinished:
        size = max(CHUNK, LATER_CHUNK // len(unfinished)) if row.cursor else CHUNK
        until = await _chunk_end(connection, row.cursor, row.last, size)
        until = until if reached is None else min(until, reached)
        reached = until
        if until > row.cursor:
            await _insert_deliveries(connection, row, until)
            await outdated.first_messages_of_others(connection, row, until)
        if until >= row.last:
            await connection.execute(sa.delete(t.fanouts).where(t.fanouts.c.change_id == row.change_id))
        else:
            await connection.execute(
                sa.update(t.fanouts).where(t.fanouts.c.change_id == row.change_id).values(cursor=until)
            )
    return any(row.last > (reached or 0) for row in unfinished)


async def _chunk_end(connection: AsyncConnection, cursor: int, last: int, size: int) -> int:
    found = await connection.execute(sa.select(_s.id).where(_s.id > cursor).order_by(_s.id).limit(1).offset(size - 1))
    return min(found.scalar() or last, last)


async def _insert_deliveries(connection: AsyncConnection, fanout: sa.Row[Any], until: int) -> None:
    given = {"change": fanout.change_id, "subject": fanout.subject_id, "after": fanout.cursor, "until": until}
    await connection.execute(_owed(connection), given | _routed(fanout.doc, fanout.want))


@lru_cache(maxsize=4)
def _routed(change_doc: str, want_doc: str) -> dict[str, Any]:
    """What is the same in every chunk; `rows` are the filters that want it, as `_select` takes them."""
    change, want = CHANGE.load(change_doc), WANT.load(want_doc)
    matching = {number for number, _ in want.matching}
    at_once, detected = t.since_epoch(t.AT_ONCE), t.since_epoch(change.detected_at)
    rows = [
        (number, number in matching, *((t.since_epoch(wait),) * 2 if wait else (at_once, detected)))
        for number, wait in want.following
    ]
    return {
        "rows": json.dumps(rows),
        "detected": change.detected_at,
        "rank": fresh(want.rank),
        "introduces": change.introduces,
        "younger": change.told_since,
        "people": want.people_only,
    }


@cache
def _select(dialect: str) -> sa.Select[Any]:
    """One row for each subscription of a chunk whose filter wants the change; a mute holds it, or spares it."""
    given = json_rows(dialect, filter=sa.BigInteger(), wants=sa.Boolean(), due=t.Instant(), news=t.Instant())
    wish = sa.select(given).cte("wish").prefix_with("MATERIALIZED").c  # looked up by its filter, not read each time
    change, subject, rank, after, until = (
        sa.bindparam(name, type_=sa.BigInteger) for name in ("change", "subject", "rank", "after", "until")
    )
    introduces, people = (sa.bindparam(name, type_=sa.Boolean) for name in ("introduces", "people"))
    told = has(dialect, sa.select(_d.id).where(_d.subscription_id == _s.id, _d.subject_id == subject))
    may = introduces | (_s.created_at > sa.bindparam("younger", type_=t.Instant)) | told
    spared = sa.exists().where(_m.subscription_id == _s.id, _m.subject_id == subject)
    muted = (_s.muted_until > sa.bindparam("detected", type_=t.Instant)) & (_s.muted_until > wish.due)
    waits = sa.case((muted | (wish.due > t.AT_ONCE), 1), else_=0)
    return (
        sa.select(
            change,
            _s.id,
            subject,
            _s.channel,
            sa.literal(State.PENDING.value),
            sa.literal(0),
            sa.case((muted, _s.muted_until), else_=wish.due),
            sa.case((muted, _s.muted_until), else_=wish.news),
            rank - waits,
        )
        .join_from(t.subscriptions, sa.inspect(wish.filter).table, wish.filter == _s.filter_id)
        .where(
            _s.id > after,
            _s.id <= until,
            _s.active,
            sa.not_(people) | (_s.origin == "self"),
            (wish.wants & may) | told,
            sa.not_(spared),
        )
        .order_by(_s.id)
    )


_COLUMNS = ["change_id", "subscription_id", "subject_id", "channel", "state", "attempt", "due_at", "news_at", "rank"]


def _owed(connection: AsyncConnection) -> Any:
    chosen = _select(connection.dialect.name)
    return insert(connection, t.deliveries).from_select(_COLUMNS, chosen).on_conflict_do_nothing()
