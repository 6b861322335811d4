"""What is urgent goes first, and a pause that a provider asked for outlives a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_waiting = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("rank", sa.Integer, nullable=False, server_default="11"))
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["channel", "rank", "due_at"],
        sqlite_where=_waiting,
        postgresql_where=_waiting,
    )
    op.create_table(
        "pauses",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
