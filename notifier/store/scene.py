"""Kraken as it is known, to answer a question with; and who reads, in figures. Both are asked for in passing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import KnownComponent, KnownExchange, KnownIncident, Scene, Tally
from notifier.store import schema as t
from notifier.store.codec import COMPONENTS, EXCHANGE, INCIDENT
from notifier.store.record import moved_at, wish

ENDED_SHOWN = 30
"""So many incidents that are over are worth a question."""

TERMS_SHOWN = 10

_d, _k, _s = t.deliveries.c, t.known.c, t.subscriptions.c


async def scene(connection: AsyncConnection) -> Scene:
    incident = sa.select(_k.doc).where(_k.noun == "incident")
    still_open = (await connection.execute(incident.where(_k.open))).scalars().all()
    newest = incident.where(sa.not_(_k.open)).order_by(_k.moved_at.desc()).limit(ENDED_SHOWN)
    ended = (await connection.execute(newest)).scalars().all()
    rows = await connection.execute(sa.select(_k.noun, _k.doc).where(_k.noun.in_(["components", "exchange"])))
    docs = {row.noun: row.doc for row in rows}
    read_at = sa.select(sa.func.max(t.sources.c.ok_at)).where(t.sources.c.name != "exchange")
    return Scene(
        incidents=tuple(sorted(map(_incident, [*still_open, *ended]), key=moved_at, reverse=True)),
        components=_components(docs["components"]) if "components" in docs else {},
        exchange=_exchange(docs["exchange"]) if "exchange" in docs else None,
        read_at=(await connection.execute(read_at)).scalar(),
    )


@lru_cache(maxsize=256)
def _incident(doc: str) -> KnownIncident:
    return INCIDENT.load(doc)


@lru_cache(maxsize=2)
def _components(doc: str) -> MappingProxyType[str, KnownComponent]:
    return MappingProxyType(COMPONENTS.load(doc))


@lru_cache(maxsize=2)
def _exchange(doc: str) -> KnownExchange:
    return EXCHANGE.load(doc)


async def tally(connection: AsyncConnection, now: datetime) -> Tally:
    muted = sa.case((_s.muted_until > now, 1), else_=0)
    people = (
        await connection.execute(
            sa.select(
                _s.active, _s.language, _s.filter_id, sa.func.count().label("who"), sa.func.sum(muted).label("muted")
            )
            .where(_s.origin == "self")
            .group_by(_s.filter_id, _s.active, _s.language)
        )
    ).all()
    active = [row for row in people if row.active]
    languages: Counter[str] = Counter()
    for row in active:
        languages[row.language] += row.who
    sent = sa.select(sa.func.sum(t.hours.c.sent)).where(t.hours.c.hour > now - timedelta(hours=24))
    waiting = sa.select(sa.func.count()).select_from(t.deliveries).where(_d.due_at.is_not(None))
    return Tally(
        readers=sum(row.who for row in active),
        off=sum(row.who for row in people if not row.active),
        muted=sum(row.muted for row in active),
        languages=dict(languages.most_common()),
        terms=await _terms(connection, active),
        sent=int((await connection.execute(sent)).scalar() or 0),
        waiting=(await connection.execute(waiting)).scalar_one(),
    )


async def _terms(connection: AsyncConnection, active: list[sa.Row[Any]]) -> tuple[tuple[str, int], ...]:
    rows = await connection.execute(sa.select(t.filters.c.id, t.filters.c.doc))
    docs = {row.id: row.doc for row in rows}
    followed: Counter[str] = Counter()
    for row in active:
        for term in wish(docs[row.filter_id]).components:
            followed[term] += row.who
    return tuple(followed.most_common(TERMS_SHOWN))
