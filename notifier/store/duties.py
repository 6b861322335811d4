"""Who does what: leases by the database's clock, and the fences that keep out what comes too late.

SQLite serves one process at a time, which holds a lock on a file beside it; whoever asks there is that one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import DutyState
from notifier.ports import OffDuty
from notifier.store import schema as t
from notifier.store.dialect import insert, now
from notifier.store.schema import AT_ONCE, DUTY_LEASE

_u = t.duties.c

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


async def hold(connection: AsyncConnection, holder: str, wanted: Collection[str]) -> dict[str, int]:
    """Each statement by itself: a process that stops in between holds nobody up."""
    found = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()
    if found != t.REVISION:
        await release(connection, holder, wanted)
        raise OffDuty(f"the database has schema {found} by now, and this version knows {t.REVISION}; stop this process")
    dialect = connection.dialect.name
    until = sa.literal(FOR_EVER, t.Instant) if dialect == "sqlite" else now(dialect, DUTY_LEASE)
    mine = (_u.holder == holder) & _u.name.in_(wanted)
    if dialect == "sqlite":
        kept = await connection.execute(sa.select(_u.name, _u.token).where(mine, _u.until == FOR_EVER))
    else:
        kept = await connection.execute(
            sa.update(t.duties).where(mine).values(until=until).returning(_u.name, _u.token)
        )
    held = {row.name: row.token for row in kept}
    missing = [name for name in wanted if name not in held]
    if not missing:
        return held
    fresh = [{"name": name, "holder": "", "token": 0, "since": AT_ONCE, "until": AT_ONCE} for name in missing]
    await connection.execute(insert(connection, t.duties).values(fresh).on_conflict_do_nothing())
    free = sa.select(_u.name).where(_u.name.in_(missing))
    if dialect != "sqlite":
        # A claim under way keeps the row: it commits before the duty changes hands.
        free = free.where(_u.until < now(dialect)).with_for_update(skip_locked=True)
    taken = await connection.execute(
        sa.update(t.duties)
        .where(_u.name.in_(free))
        .values(holder=holder, token=_u.token + 1, since=now(dialect), until=until)
        .returning(_u.name, _u.token)
    )
    return held | {row.name: row.token for row in taken}


async def release(connection: AsyncConnection, holder: str, names: Collection[str]) -> None:
    mine = (_u.holder == holder) & _u.name.in_(names)
    await connection.execute(sa.update(t.duties).where(mine).values(until=AT_ONCE))


async def fence(connection: AsyncConnection, tokens: Mapping[str, int]) -> None:
    """None of these duties changes hands before the transaction ends. Raises OffDuty if one has."""
    rows = await connection.execute(
        sa.select(_u.name, _u.token).where(_u.name.in_(tokens)).with_for_update(read=True, key_share=True)
    )
    now_valid = {row.name: row.token for row in rows}
    if late := [name for name, token in tokens.items() if now_valid.get(name) != token]:
        raise OffDuty(f"another process does {', '.join(late)} by now")


async def states(connection: AsyncConnection) -> list[DutyState]:
    rows = await connection.execute(
        sa.select(t.duties, (_u.until > now(connection.dialect.name)).label("held")).order_by(_u.name)
    )
    return [DutyState(name=r.name, holder=r.holder, since=r.since, until=r.until, held=r.held) for r in rows]
