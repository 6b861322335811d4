"""Who subscribes by himself: what he wants, what he is spared, and that he leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.store import mutes, recipients
from notifier.store import schema as t
from notifier.store.recipients import ENDED, OPERATOR, filter_id
from notifier.store.record import wish
from notifier.subscription import Address, Subscription

_d, _s = t.deliveries.c, t.subscriptions.c

_SUBSCRIBED = (_s.origin != OPERATOR) & (_s.active | (_s.reason != ENDED))
"""An operator's row is told no news, and one that ended is nobody's any more."""


async def reader(connection: AsyncConnection, address: Address) -> Subscription | None:
    here = _s.address == str(address)
    if address.target.startswith("@"):  # nobody comes by himself under a name, and in whatever case it is written
        here = (_s.origin == "config") & (sa.func.lower(_s.address) == str(address).lower())
    found = await _subscriptions(connection, here)
    return found[0] if found else None


async def everybody(connection: AsyncConnection) -> list[Subscription]:
    """All subscriptions, in the order in which they came; those that recipients refused too."""
    return await _subscriptions(connection, sa.true())


async def _subscriptions(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> list[Subscription]:
    muted: dict[int, set[str]] = {}
    rows = await connection.execute(
        sa.select(t.mutes.c.subscription_id, t.subjects.c.key)
        .join(t.subjects, t.subjects.c.id == t.mutes.c.subject_id)
        .join(t.subscriptions, _s.id == t.mutes.c.subscription_id)
        .where(which)
    )
    for row in rows:
        muted.setdefault(row.subscription_id, set()).add(row.key)
    found = await connection.execute(
        sa.select(t.subscriptions, t.filters.c.doc)
        .join(t.filters, t.filters.c.id == _s.filter_id)
        .where(which, _SUBSCRIBED)
        .order_by(_s.id)
    )
    return [_subscription(row, frozenset(muted.get(row.id, ()))) for row in found]


def _subscription(row: sa.Row[Any], muted: frozenset[str]) -> Subscription:
    return Subscription(
        address=Address.parse(row.address),
        filter=wish(row.doc),
        name=row.name,
        mention=row.mention,
        origin=row.origin,
        language=row.language,
        zone=row.zone,
        active=row.active,
        muted_until=row.muted_until,
        muted=muted,
    )


async def keep(connection: AsyncConnection, subscription: Subscription, now: datetime) -> None:
    """Who was not told until now hears what is new, and no backlog. Raises ValueError for one of the configuration."""
    address = str(subscription.address)
    known = sa.select(t.subscriptions, t.filters.c.doc).join(t.filters, t.filters.c.id == _s.filter_id)
    found = (await connection.execute(known.where(_s.address == address))).first()
    if found is not None and is_configured(found):
        raise ValueError(f"{address} is in the configuration, where it is changed")
    wanted = _columns(subscription, await filter_id(connection, subscription.filter))
    if found is None:
        query = sa.insert(t.subscriptions).values({**wanted, **_new(subscription, now)}).returning(_s.id)
        number = (await connection.execute(query)).scalar_one()
    else:
        number = found.id
        if not found.active:
            await recipients.close(connection, [number], found.reason)
        new = {} if found.active and found.origin == "self" else {"created_at": now}
        await connection.execute(sa.update(t.subscriptions).where(_s.id == number).values({**wanted, **new}))
        if wish(found.doc).quiet_hours != subscription.filter.quiet_hours:
            await mutes.release(connection, number, now)
        await mutes.shift(connection, number, found.muted_until, subscription.muted_until, now)
    await mutes.choose(connection, number, subscription.muted)


def _columns(subscription: Subscription, filter_number: int) -> dict[str, object]:
    """What is kept of a person: his address, his filter and his preferences."""
    return {
        "written": str(subscription.address),
        "origin": "self",
        "name": "",
        "mention": None,
        "filter_id": filter_number,
        "active": True,
        "reason": "",
        "welcomed": True,
        "language": subscription.language,
        "zone": subscription.zone,
        "muted_until": subscription.muted_until,
    }


def _new(subscription: Subscription, now: datetime) -> dict[str, object]:
    return {"address": str(subscription.address), "channel": subscription.address.channel, "created_at": now}


async def enroll(connection: AsyncConnection, wanted: Sequence[Subscription], now: datetime) -> int:
    """Keeps them all, those of whom nothing waits otherwise at once; how many were not so before. Raises ValueError as
    `keep` does.
    """
    there = set((await connection.execute(sa.select(_s.address))).scalars())
    before = {each.address: each for each in await everybody(connection)}
    differ = [each for each in wanted if before.get(each.address) != each]
    filters = {wish: await filter_id(connection, wish) for wish in {each.filter for each in differ}}
    new, changed = [], []
    for each in differ:
        columns, known = _columns(each, filters[each.filter]), before.get(each.address)
        if str(each.address) not in there and not each.muted:
            new.append({**columns, **_new(each, now)})
        elif known and known == replace(each, filter=known.filter, language=known.language, zone=known.zone):
            changed.append({**columns, "here": str(each.address)})
        else:
            await keep(connection, each, now)
    if new:
        await connection.execute(sa.insert(t.subscriptions), new)
    if changed:
        names = [name for name in changed[0] if name != "here"]
        query = sa.update(t.subscriptions).where(_s.address == sa.bindparam("here"))
        await connection.execute(query.values({name: sa.bindparam(name) for name in names}), changed)
    return len(differ)


def is_configured(row: sa.Row[Any]) -> bool:
    """Whether a subscription stands in the configuration."""
    return bool(row.origin == "config" and (row.active or row.reason != ENDED))


async def forget(connection: AsyncConnection, address: Address) -> int | None:
    """Also what is under way: its result finds nothing to be written to. Raises ValueError for one of the
    configuration.
    """
    found = (await connection.execute(sa.select(t.subscriptions).where(_s.address == str(address)))).first()
    if found is None or found.origin == OPERATOR:
        return None
    if is_configured(found):
        raise ValueError(f"{address} is in the configuration, where it is removed")
    for table in (t.outdated, t.threads, t.mutes, t.deliveries):
        await connection.execute(sa.delete(table).where(table.c.subscription_id == found.id))
    await connection.execute(sa.delete(t.subscriptions).where(_s.id == found.id))
    await connection.execute(sa.delete(t.pauses).where(t.pauses.c.scope == str(address)))
    return int(found.id)


def _of_chat(chat: str) -> sa.ColumnElement[bool]:
    """A chat of Telegram and its topics, which only groups have: to look for them reads everybody."""
    whole = str(Address("telegram", chat))
    if not chat.startswith("-"):
        return _s.address == whole
    return (_s.address == whole) | _s.address.startswith(f"{whole}/", autoescape=True)


async def leave(connection: AsyncConnection, chat: str, reason: str) -> int:
    found = await connection.execute(sa.select(_s.id).where(_of_chat(chat), _s.active))
    told = list(found.scalars())
    if told:
        await recipients.switch_off(connection, told, reason)
    return len(told)


async def move(connection: AsyncConnection, chat: str, to: str) -> int:
    found = (await connection.execute(sa.select(_s.id, _s.address).where(_of_chat(chat)).order_by(_s.id))).all()
    for row in found:
        _, topic, number = row.address.partition("/")
        await recipients.move(connection, row.id, Address("telegram", f"{to}{topic}{number}"))
    return len(found)


async def subject_of(connection: AsyncConnection, address: Address, ref: str) -> str | None:
    chat = address.target.partition("/")[0]
    here = sa.true() if chat.startswith("@") else _d.receipt_to == chat  # numbers start anew in a chat that moved
    found = await connection.execute(
        sa.select(t.subjects.c.key)
        .join(t.deliveries, _d.subject_id == t.subjects.c.id)
        .join(t.subscriptions, _s.id == _d.subscription_id)
        .where(_s.address == str(address), _d.receipt_ref == ref, here)
        .order_by(_d.id.desc())
        .limit(1)
    )
    subject: str | None = found.scalar()
    return subject
