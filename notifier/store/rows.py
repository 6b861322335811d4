"""The rows of every table, in an order and a form that are the same in both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.known import Holding
from notifier.store import schema as t

PAGE = 1_000
"""Rows that are read at once, and committed at once where they are copied."""

COPYING = "copying"
"""The key in `meta` while a database holds a part of another one only; never copied."""

TABLES = [table for table in t.metadata.sorted_tables if table is not t.duties]
"""Whatever refers to another one comes after it. Who does what is no matter of another database."""


@cache
def bare(table: sa.Table) -> sa.TableClause:
    """The table with its instants as the numbers that they are."""
    kinds = [(each.name, sa.BigInteger() if isinstance(each.type, t.Instant) else each.type) for each in table.columns]
    return sa.table(table.name, *(sa.column(name, kind) for name, kind in kinds))


def _key(table: sa.Table, dialect: str) -> list[sa.ColumnElement[Any]]:
    """Its primary key. PostgreSQL would order texts as in a dictionary."""
    columns = [bare(table).c[each.name] for each in table.primary_key]
    return [
        each.collate("C") if dialect == "postgresql" and isinstance(each.type, sa.Text) else each for each in columns
    ]


def _ours(table: sa.Table) -> sa.ColumnElement[bool]:
    return bare(table).c.key != COPYING if table is t.meta else sa.true()


async def last_key(connection: AsyncConnection, table: sa.Table) -> Sequence[Any] | None:
    """Of the last row; None if there is none."""
    key = _key(table, connection.dialect.name)
    columns = [bare(table).c[each.name] for each in table.primary_key]
    query = sa.select(*columns).where(_ours(table)).order_by(*(each.desc() for each in key)).limit(1)
    return (await connection.execute(query)).first()


async def pages(
    connection: AsyncConnection, table: sa.Table, after: Sequence[Any] | None = None
) -> AsyncIterator[Sequence[sa.Row[Any]]]:
    """Its rows behind the key `after`, by their keys, so many at once."""
    key = _key(table, connection.dialect.name)
    places = [table.columns.keys().index(each.name) for each in table.primary_key]
    query = sa.select(bare(table)).where(_ours(table)).order_by(*key).limit(PAGE)
    while True:
        rest = query if after is None else query.where(sa.tuple_(*key) > sa.tuple_(*after))
        rows = (await connection.execute(rest)).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = [rows[-1][place] for place in places]


async def holding(connection: AsyncConnection, table: sa.Table) -> Holding:
    """Counts and sums up all of its rows."""
    digest, count = sha256(), 0
    async for rows in pages(connection, table):
        count += len(rows)
        for row in rows:
            digest.update(json.dumps([*row]).encode() + b"\n")
    return Holding(table=table.name, rows=count, checksum=digest.hexdigest())


async def holdings(connection: AsyncConnection) -> list[Holding]:
    return [await holding(connection, table) for table in TABLES]


async def last_numbers(connection: AsyncConnection) -> dict[str, int]:
    """The last number that each table gave to a row, those deleted since included."""
    found = {}
    for table in TABLES:
        numbered = table.autoincrement_column
        if numbered is None:
            continue
        highest = (await connection.execute(sa.select(sa.func.max(bare(table).c[numbered.name])))).scalar() or 0
        given = (await connection.execute(_given(connection.dialect.name), {"name": table.name})).scalar() or 0
        found[table.name] = max(highest, given)
    return found


def _given(dialect: str) -> sa.TextClause:
    if dialect == "postgresql":
        return sa.text(f"SELECT pg_sequence_last_value({_SEQUENCE})")
    return sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")


_SEQUENCE = "CAST(pg_get_serial_sequence(:name, 'id') AS regclass)"


async def number_from(connection: AsyncConnection, table: str, last: int) -> None:
    """The next row of this table gets a number above `last`, and above every one that it ever gave."""
    given = {"name": table, "last": last}
    if connection.dialect.name == "postgresql":
        raised = f"SELECT setval({_SEQUENCE}, greatest(:last, pg_sequence_last_value({_SEQUENCE}))) WHERE :last > 0"
        await connection.execute(sa.text(raised), given)
        return
    known = await connection.execute(_given("sqlite"), given)
    if known.first() is not None:
        await connection.execute(sa.text("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :name"), given)
    elif t.metadata.tables[table].dialect_options["sqlite"]["autoincrement"]:
        await connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), given)
