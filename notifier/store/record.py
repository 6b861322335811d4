"""The poll's half: what is known, and a change together with its debts, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import Known, KnownIncident, KnownPage
from notifier.model import Change
from notifier.parcel import FIRST, LAST, News, Want
from notifier.retry import lasts
from notifier.store import fanout
from notifier.store import schema as t
from notifier.store.codec import CHANGE, COMPONENTS, EXCHANGE, FILTER, INCIDENT, PAGE
from notifier.store.dialect import insert
from notifier.store.fanout import CHUNK
from notifier.store.schema import AT_ONCE, fresh
from notifier.subscription import Filter

_NOBODY = Want(matching=(), following=())

FEW = 100
"""As many are greeted before they hear anything else; a crowd is greeted when no news waits."""


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
    docs: dict[str, str] = {}
    if now.page not in (before.page, KnownPage()):
        docs["page"] = PAGE.dump(now.page)
    if now.components is not None:
        docs["components"] = COMPONENTS.dump(dict(now.components))
    if now.exchange is not None:
        docs["exchange"] = EXCHANGE.dump(now.exchange)
    rows: list[dict[str, object]] = [
        {"noun": noun, "id": "", "open": False, "doc": doc, "moved_at": None} for noun, doc in docs.items()
    ]
    for key, each in now.incidents.items():
        doc = INCIDENT.dump(each)
        rows.append({"noun": "incident", "id": key, "open": each.open, "doc": doc, "moved_at": moved_at(each)})
    if rows:
        query = insert(connection, t.known)
        query = query.on_conflict_do_update(
            index_elements=["noun", "id"],
            set_={column: query.excluded[column] for column in ("open", "doc", "moved_at")},
        )
        await connection.execute(query, rows)


def moved_at(incident: KnownIncident) -> datetime:
    """When its last update was, or will be: one may be of a later hour."""
    return max((update.at for update in incident.updates), default=AT_ONCE)


async def announce(
    connection: AsyncConnection, news: News, route: Callable[[Change, Mapping[int, Filter]], Want]
) -> bool:
    """Writes each change not yet there with the first chunk of its deliveries and a cursor for the rest, if any."""
    if not news.changes:
        return False
    wanted = sa.exists().where(t.subscriptions.c.filter_id == t.filters.c.id)
    rows = await connection.execute(sa.select(t.filters.c.id, t.filters.c.doc).where(wanted))
    filters = {number: wish(doc) for number, doc in rows}
    for change in news.changes:
        change_id = await add_change(connection, change)
        want = _NOBODY if change.key in news.silent else route(change, filters)
        if change_id is not None and (want.following or await _is_told(connection, change_id)):
            await fanout.begin(connection, change_id, want)
    return bool(await fanout.fan_out(connection))


@lru_cache(maxsize=4096)
def wish(doc: str) -> Filter:
    """A filter from its document. Many changes are routed by the same ones."""
    return FILTER.load(doc)


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
            subject_id=await subject_id(connection, change.subject),
            detected_at=change.detected_at,
            ends=lasts(change),
            doc=CHANGE.dump(change),
        )
        .on_conflict_do_nothing()
        .returning(t.changes.c.id)
    )
    return change_id.scalar()


async def subject_id(connection: AsyncConnection, key: str) -> int:
    await connection.execute(insert(connection, t.subjects).values(key=key).on_conflict_do_nothing())
    found = await connection.execute(sa.select(t.subjects.c.id).where(t.subjects.c.key == key))
    return int(found.scalar_one())


async def welcome(connection: AsyncConnection, greet: Callable[[int, str, Known], Change]) -> int:
    """One delivery of its own for each subscription not yet welcomed, once the page is known; how many."""
    s = t.subscriptions.c
    waiting = (
        await connection.execute(
            sa.select(s.id, s.channel, s.language).where(s.active, sa.not_(s.welcomed)).order_by(s.id).limit(CHUNK)
        )
    ).all()
    if not waiting:
        return 0
    known = await load(connection, ())
    if known.page.watched_since is None:
        return 0
    for subscription_id, channel, language in waiting:
        change = greet(subscription_id, language, known)
        change_id = await add_change(connection, change)
        if change_id is not None:
            await connection.execute(
                sa.insert(t.deliveries).values(
                    change_id=change_id,
                    subscription_id=subscription_id,
                    subject_id=await subject_id(connection, change.subject),
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
