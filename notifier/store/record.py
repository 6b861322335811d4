"""The poll's half: what is known, and a change together with its debts, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import Known, KnownPage
from notifier.model import Change
from notifier.parcel import FIRST, LAST, News, Want
from notifier.store import outdated
from notifier.store import schema as t
from notifier.store.schema import AT_ONCE, CHANGE, COMPONENTS, EXCHANGE, FILTER, INCIDENT, PAGE, WANT, fresh, insert
from notifier.subscription import Filter

FEW = 100
"""As many are greeted before they hear anything else; a crowd is greeted when no news waits."""

CHUNK = 1000
"""Subscriptions whose deliveries are written at once. The first send waits for the first chunk only."""


async def load(connection: AsyncConnection, incident_ids: Collection[str]) -> Known:
    """What is known of these incidents, of all the open ones, of the page, its components and the exchange."""
    rows = await connection.execute(
        sa.select(t.known.c.noun, t.known.c.id, t.known.c.doc).where(
            t.known.c.open | (t.known.c.noun != "incident") | t.known.c.id.in_(incident_ids)
        )
    )
    docs: dict[str, dict[str, str]] = {}
    for noun, key, doc in rows:
        docs.setdefault(noun, {})[key] = doc
    page, components, exchange = (docs.get(noun, {}).get("") for noun in ("page", "components", "exchange"))
    return Known(
        page=PAGE.load(page) if page else KnownPage(),
        incidents={key: INCIDENT.load(doc) for key, doc in docs.get("incident", {}).items()},
        components=COMPONENTS.load(components) if components else None,
        exchange=EXCHANGE.load(exchange) if exchange else None,
    )


async def keep(connection: AsyncConnection, before: Known, now: Known) -> None:
    """Writes what differs."""
    rows = [
        {"noun": "incident", "id": key, "open": incident.open, "doc": INCIDENT.dump(incident)}
        for key, incident in now.incidents.items()
    ]
    if now.page not in (before.page, KnownPage()):
        rows.append({"noun": "page", "id": "", "open": False, "doc": PAGE.dump(now.page)})
    if now.components is not None:
        rows.append({"noun": "components", "id": "", "open": False, "doc": COMPONENTS.dump(dict(now.components))})
    if now.exchange is not None:
        rows.append({"noun": "exchange", "id": "", "open": False, "doc": EXCHANGE.dump(now.exchange)})
    if rows:
        query = insert(connection, t.known)
        query = query.on_conflict_do_update(
            index_elements=["noun", "id"], set_={"open": query.excluded.open, "doc": query.excluded.doc}
        )
        await connection.execute(query, rows)


async def announce(
    connection: AsyncConnection, news: News, route: Callable[[Change, Mapping[int, Filter]], Want]
) -> bool:
    """Writes each change not yet there with the first chunk of its deliveries and a cursor for the rest, if any."""
    if not news.changes:
        return False
    rows = await connection.execute(sa.select(t.filters.c.id, t.filters.c.doc))
    filters = {number: FILTER.load(doc) for number, doc in rows}
    last = (await connection.execute(sa.select(sa.func.max(t.subscriptions.c.id)))).scalar() or 0
    for change in news.changes:
        change_id = await add_change(connection, change)
        want = route(change, filters)
        if change_id is not None and (want.following or await _is_told(connection, change_id)):
            await connection.execute(
                sa.insert(t.fanouts).values(change_id=change_id, cursor=0, last=last, want=WANT.dump(want))
            )
    return await fan_out(connection)


async def _is_told(connection: AsyncConnection, change_id: int) -> bool:
    """Whether anybody has a first message of its subject."""
    subject = sa.select(t.changes.c.subject_id).where(t.changes.c.id == change_id).scalar_subquery()
    found = await connection.execute(
        sa.select(t.threads.c.subject_id).where(t.threads.c.subject_id == subject).limit(1)
    )
    return found.first() is not None


async def add_change(connection: AsyncConnection, change: Change) -> int | None:
    """The new row's id; None if this very change is there already."""
    change_id = await connection.execute(
        insert(connection, t.changes)
        .values(
            key=change.key,
            subject_id=await _subject_id(connection, change.subject),
            detected_at=change.detected_at,
            ends=change.ended_at is not None,
            doc=CHANGE.dump(change),
        )
        .on_conflict_do_nothing()
        .returning(t.changes.c.id)
    )
    return change_id.scalar()


async def _subject_id(connection: AsyncConnection, key: str) -> int:
    await connection.execute(insert(connection, t.subjects).values(key=key).on_conflict_do_nothing())
    found = await connection.execute(sa.select(t.subjects.c.id).where(t.subjects.c.key == key))
    return int(found.scalar_one())


async def fan_out(connection: AsyncConnection) -> bool:
    """Writes the next chunk of every unfinished fan-out; whether anything is left.

    All of them cover the same range of subscriptions, oldest change first, so that no change overtakes another.
    """
    unfinished = (
        await connection.execute(
            sa.select(t.fanouts, t.changes.c.doc, t.changes.c.subject_id)
            .join(t.changes, t.changes.c.id == t.fanouts.c.change_id)
            .order_by(t.fanouts.c.change_id)
        )
    ).all()
    reached: int | None = None
    for row in unfinished:
        until = await _chunk_end(connection, row.cursor, row.last)
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


async def _chunk_end(connection: AsyncConnection, cursor: int, last: int) -> int:
    subscription = t.subscriptions.c.id
    found = await connection.execute(
        sa.select(subscription).where(subscription > cursor).order_by(subscription).limit(1).offset(CHUNK - 1)
    )
    return min(found.scalar() or last, last)


async def _insert_deliveries(connection: AsyncConnection, fanout: sa.Row[Any], until: int) -> None:
    change, want = CHANGE.load(fanout.doc), WANT.load(fanout.want)
    s, d = t.subscriptions.c, t.deliveries.c
    told = sa.exists().where(d.subscription_id == s.id, d.subject_id == fanout.subject_id)
    may: sa.ColumnElement[bool]
    if change.introduces:
        may = sa.true()
    elif change.told_since is not None:
        may = told | (s.created_at > change.told_since)
    else:
        may = told
    for wait in {wait for _, wait in want.following}:
        matching = [number for number, each in want.matching if each == wait]
        following = [number for number, each in want.following if each == wait]
        chosen = sa.select(
            sa.literal(fanout.change_id, sa.BigInteger),
            s.id,
            sa.literal(fanout.subject_id, sa.BigInteger),
            s.channel,
            sa.literal("pending"),
            sa.literal(0),
            sa.literal(wait or AT_ONCE, t.Instant),
            sa.literal(wait or change.detected_at, t.Instant),
            sa.literal(fresh(want.rank) - (wait is not None)),
        ).where(
            s.id > fanout.cursor,
            s.id <= until,
            s.active,
            (s.filter_id.in_(matching) & may) | (s.filter_id.in_(following) & told),
        )
        columns = [
            "change_id",
            "subscription_id",
            "subject_id",
            "channel",
            "state",
            "attempt",
            "due_at",
            "news_at",
            "rank",
        ]
        await connection.execute(
            insert(connection, t.deliveries).from_select(columns, chosen.order_by(s.id)).on_conflict_do_nothing()
        )


async def welcome(connection: AsyncConnection, greet: Callable[[int, Known], Change]) -> int:
    """One delivery of its own for each subscription not yet welcomed, once the page is known; how many."""
    s = t.subscriptions.c
    waiting = (
        await connection.execute(
            sa.select(s.id, s.channel).where(s.active, sa.not_(s.welcomed)).order_by(s.id).limit(CHUNK)
        )
    ).all()
    if not waiting:
        return 0
    known = await load(connection, ())
    if known.page.watched_since is None:
        return 0
    for subscription_id, channel in waiting:
        change = greet(subscription_id, known)
        change_id = await add_change(connection, change)
        if change_id is not None:
            await connection.execute(
                sa.insert(t.deliveries).values(
                    change_id=change_id,
                    subscription_id=subscription_id,
                    subject_id=await _subject_id(connection, change.subject),
                    channel=channel,
                    state="pending",
                    attempt=0,
                    rank=fresh(FIRST if len(waiting) <= FEW else LAST),
                    due_at=AT_ONCE,
                    news_at=change.detected_at,
                )
            )
    await connection.execute(
        sa.update(t.subscriptions).where(s.id.in_([row.id for row in waiting])).values(welcomed=True)
    )
    return len(waiting)
