"""What processes call out to one another through PostgreSQL. A call may get lost; nothing depends on it but speed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.ext import asyncio as alchemy

from notifier.store.dialect import is_postgresql
from notifier.store.server import REACHED

Called = Literal["due", "duty", "said"]
CALLS: tuple[Called, ...] = ("due", "duty", "said")

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before a lost connection is made again, doubled each time."""

_RING = sa.select(sa.func.pg_notify("notifier", sa.bindparam("call", type_=sa.Text)))

log = structlog.get_logger("store")


async def ring(connection: alchemy.AsyncConnection, call: Called) -> None:
    """Heard by every other process when, and only if, the transaction is committed."""
    if is_postgresql(connection.dialect):
        await connection.execute(_RING, {"call": call})


async def calls(url: sa.URL) -> AsyncGenerator[str]:
    """Without end. All calls at once where some may have been missed. On SQLite there is nobody to call."""
    if url.get_backend_name() != "postgresql":
        await asyncio.Event().wait()
    from psycopg import AsyncConnection, Error

    where, named = url.get_dialect()().create_connect_args(url)
    reached: dict[str, Any] = {**named, **REACHED, "autocommit": True}
    wait = FIRST_WAIT
    while True:
        try:
            async with await AsyncConnection.connect(*where, **reached) as heard:
                await heard.execute("LISTEN notifier")
                wait = FIRST_WAIT
                for each in CALLS:
                    yield each
                async for notification in heard.notifies():
                    yield notification.payload
        except Error as error:
            log.info("other processes are not heard; what is due is looked for", reason=type(error).__name__)
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
