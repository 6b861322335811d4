"""Messages that are out and have to show what happened since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_index("ix_changes_subject", "changes", ["subject_id"])
    op.add_column("threads", sa.Column("kept", sa.Boolean))
    op.create_index("ix_threads_subject", "threads", ["subject_id", "subscription_id"])
    op.create_table(
        "outdated",
        sa.Column("delivery_id", _id, sa.ForeignKey("deliveries.id"), primary_key=True, autoincrement=False),
        sa.Column("subscription_id", _id, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("wanted", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("plain", sa.Boolean, nullable=False),
        sa.Column("token", sa.BigInteger),
    )
    op.create_index("ix_outdated_due", "outdated", ["channel", "due_at"])
    op.create_index("ix_outdated_subscription", "outdated", ["subscription_id"])
