"""Readers who come by themselves: their language and zone, what they muted, and what they said to a webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("language", sa.Text, nullable=False, server_default="en"))
    op.add_column("subscriptions", sa.Column("zone", sa.Text, nullable=False, server_default="UTC"))
    op.add_column("subscriptions", sa.Column("muted_until", sa.BigInteger))
    op.create_table(
        "mutes",
        sa.Column("subscription_id", _id, sa.ForeignKey("subscriptions.id"), primary_key=True),
        sa.Column("subject_id", _id, sa.ForeignKey("subjects.id"), primary_key=True),
    )
    op.create_table(
        "received",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
