"""Readers who come by themselves: their language and zone, what they muted, and what they said to a webhook."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _never_reuse_rows()
    op.add_column("subscriptions", sa.Column("language", sa.Text, nullable=False, server_default="en"))
    op.add_column("subscriptions", sa.Column("zone", sa.Text, nullable=False, server_default="UTC"))
    op.add_column("subscriptions", sa.Column("muted_until", sa.BigInteger))
    op.create_index("ix_subscriptions_filter", "subscriptions", ["filter_id"])
    op.create_table(
        "mutes",
        sa.Column("subscription_id", _id, sa.ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
        sa.Column("subject_id", _id, sa.ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
    )
    op.create_table(
        "received",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "hours",
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sent", sa.BigInteger, nullable=False),
    )
    op.add_column("known", sa.Column("moved_at", sa.BigInteger))
    op.create_index("ix_known_moved", "known", ["noun", "open", "moved_at"])
    _fill_in_last_moves()


def _never_reuse_rows() -> None:
    """SQLite hands the number of a deleted row out again, but of a table that is made otherwise."""
    for table in ("subscriptions", "deliveries"):
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def _fill_in_last_moves() -> None:
    """When each incident known by now moved last."""
    known = sa.table("known", sa.column("noun"), sa.column("id"), sa.column("doc"), sa.column("moved_at"))
    connection, epoch = op.get_bind(), datetime(1970, 1, 1, tzinfo=UTC)
    rows = connection.execute(sa.select(known.c.id, known.c.doc).where(known.c.noun == "incident")).all()
    for key, doc in rows:
        moves = [datetime.fromisoformat(update["at"]) for update in json.loads(doc)["updates"]]
        moved = (max(moves) - epoch) // timedelta(milliseconds=1) if moves else None
        this = (known.c.noun == "incident") & (known.c.id == key)
        connection.execute(sa.update(known).where(this).values(moved_at=moved))
