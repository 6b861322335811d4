"""What SQLite and PostgreSQL say differently."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, TypeEngine

from notifier.store.schema import Instant


def json_rows(dialect: str, **columns: TypeEngine[Any]) -> sa.Subquery:
    """Rows that come as one JSON text, the parameter `rows`: a list of lists with these columns.

    One statement for many rows: with a statement for each, SQLite's thread would have to get hold of the interpreter
    for each.
    """
    text = sa.bindparam("rows", type_=Text)
    if dialect == "postgresql":
        each = sa.func.jsonb_array_elements(sa.cast(text, postgresql.JSONB)).table_valued(
            sa.column("value", postgresql.JSONB)
        )
        fields = [
            sa.cast(each.c.value[place].astext, kind).label(name) for place, (name, kind) in enumerate(columns.items())
        ]
    else:
        each = sa.func.json_each(text).table_valued("value")
        fields = [
            sa.func.json_extract(each.c.value, f"$[{place}]", type_=kind).label(name)
            for place, (name, kind) in enumerate(columns.items())
        ]
    return sa.select(*fields).subquery("given")


def is_postgresql(dialect: sa.Dialect) -> bool:
    return dialect.name == "postgresql"


def has(dialect: str, rows: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Whether there are such rows for the row at hand, looked up by an index. PostgreSQL prefers to read a whole table
    once, however few lookups a limit leaves; the offset keeps it from that.
    """
    return sa.exists(rows if dialect == "sqlite" else rows.offset(0))


def now(dialect: str, later: timedelta = timedelta()) -> sa.ColumnElement[Any]:
    """The database's own time, or so much later, as `schema.Instant` has it."""
    clock = sa.func.clock_timestamp() if dialect == "postgresql" else None
    seconds = sa.func.julianday("now") * 86400 - 210866760000 if clock is None else sa.extract("epoch", clock)
    milliseconds = later // timedelta(milliseconds=1)
    return sa.type_coerce(sa.cast(seconds * 1000, sa.BigInteger) + milliseconds, Instant)


def insert(connection: AsyncConnection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the connection's dialect."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
