"""PostgreSQL as a server that several processes share: how it is reached, who writes, and an end to every wait.

Nothing here outlives a transaction, so that a pooler may stand between, which hands out connections by the transaction.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

ANSWER_SECONDS = 25
"""After which the server is taken for dead; a statement of a transaction that writes ends before, at the server."""

CONNECT_SECONDS = 5

REACHED = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * ANSWER_SECONDS,
    "target_session_attrs": "read-write",
    "prepare_threshold": None,
    "application_name": "kraken-status-notifier",
}

WRITER = int.from_bytes(b"notifier")
"""The number of the lock that whoever writes holds; no other user of the database will have thought of it."""

_ALONE = sa.text(
    "SELECT set_config('idle_in_transaction_session_timeout', :idle, true), set_config('lock_timeout', :wait, true),"
    " set_config('statement_timeout', :statement, true), pg_advisory_xact_lock(:number)"
)

LOST = ("08", "57P0", "25P03", "25P04", "25006")
"""How the SQLSTATE of an error begins after which a connection is of no use: cut, shut down, too slow, or to a server
that has become a replica.
"""


_LINES: WeakKeyDictionary[sa.Engine, WeakSet[Any]] = WeakKeyDictionary()


def connect(url: sa.URL) -> AsyncEngine:
    """Its pool is emptied when one of its connections is lost. Reaches for nothing yet."""
    engine = create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=4,
        max_overflow=0,
        pool_timeout=10,
        use_native_hstore=False,  # which costs a question for each connection
        connect_args=REACHED,
    )

    @event.listens_for(engine.sync_engine, "handle_error")
    def recognize(context: Any) -> None:
        if str(getattr(context.original_exception, "sqlstate", None)).startswith(LOST):
            context.is_disconnect = True

    _hang_up_on_silence(engine.sync_engine)
    _LINES[engine.sync_engine] = WeakSet()
    return engine


def hang_up(engine: AsyncEngine) -> None:
    """Cuts every line of the pool: whoever waits for an answer waits no more."""
    for driver in _LINES.get(engine.sync_engine, ()):
        _cut(driver)


async def alone(connection: AsyncConnection, *, idle: str = "5s", wait: str = "10s", statement: str = "15s") -> None:
    """Until this transaction ends, no other one writes. One that says nothing any more is ended by the server."""
    times = {"idle": idle, "wait": wait, "statement": statement}
    await connection.execute(_ALONE, {**times, "number": WRITER})


def _hang_up_on_silence(engine: sa.Engine) -> None:
    """Asking the server to cancel would take as long again, so the line is cut: whoever waits finds it lost."""

    @event.listens_for(engine, "connect", insert=True)  # before SQLAlchemy itself asks something
    @event.listens_for(engine, "checkout")
    def taken(driver: Any, record: Any, *_: object) -> None:
        _LINES[engine].add(driver.driver_connection)
        _expect(record.info, driver.driver_connection, ANSWER_SECONDS)

    @event.listens_for(engine, "before_cursor_execute")
    @event.listens_for(engine, "commit")
    def asked(connection: sa.Connection, *_: object) -> None:
        seconds = connection.get_execution_options().get("answer_seconds", ANSWER_SECONDS)
        _expect(connection.info, connection.connection.driver_connection, seconds)

    @event.listens_for(engine, "checkin")
    def returned(_driver: object, record: Any) -> None:
        if timer := record.info.pop("silence", None):
            timer.cancel()


def _expect(info: MutableMapping[Any, Any], driver: Any, seconds: float) -> None:
    """An answer within so many seconds from now."""
    if timer := info.pop("silence", None):
        timer.cancel()
    info["silence"] = asyncio.get_running_loop().call_later(seconds, _cut, driver)


def _cut(driver: Any) -> None:
    if not driver.closed:
        with suppress(OSError), socket.socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
