"""The first message of a conversation is kept current: whether it has to follow, since when, who is at it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("threads", sa.Column("channel", sa.Text))
    op.add_column("threads", sa.Column("wanted", sa.BigInteger))
    op.add_column("threads", sa.Column("due_at", sa.BigInteger))
    op.add_column("threads", sa.Column("attempt", sa.Integer, nullable=False, server_default="0"))
    op.add_column("threads", sa.Column("token", sa.BigInteger))
    op.execute("UPDATE threads SET channel = (SELECT channel FROM subscriptions WHERE id = threads.subscription_id)")
    op.create_index("ix_changes_subject", "changes", ["subject_id"])
    op.create_index("ix_threads_subject", "threads", ["subject_id", "subscription_id"])
    op.create_index(
        "ix_threads_due",
        "threads",
        ["channel", "due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
