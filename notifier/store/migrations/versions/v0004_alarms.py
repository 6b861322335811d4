"""What is wrong with the bot itself, as it was told; what says how it fares is found without a search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_index("ix_subscriptions_origin", "subscriptions", ["origin"])
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["channel", "id"],
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
