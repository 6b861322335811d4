"""The outbox: what is known, who subscribed, what changed, who is owed what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "known",
        sa.Column("noun", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("polled_at", sa.BigInteger, nullable=False),
        sa.Column("ok_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "filters",
        sa.Column("id", _id, primary_key=True),
        sa.Column("doc", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", _id, primary_key=True),
        sa.Column("address", sa.Text, nullable=False, unique=True),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mention", sa.Text),
        sa.Column("filter_id", _id, sa.ForeignKey("filters.id"), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("welcomed", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "subjects",
        sa.Column("id", _id, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "changes",
        sa.Column("id", _id, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("subject_id", _id, sa.ForeignKey("subjects.id"), nullable=False),
        sa.Column("detected_at", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.Boolean, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )
    op.create_table(
        "fanouts",
        sa.Column("change_id", _id, sa.ForeignKey("changes.id"), primary_key=True, autoincrement=False),
        sa.Column("cursor", _id, nullable=False),
        sa.Column("last", _id, nullable=False),
        sa.Column("want", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", _id, primary_key=True),
        sa.Column("change_id", _id, sa.ForeignKey("changes.id"), nullable=False),
        sa.Column("subscription_id", _id, sa.ForeignKey("subscriptions.id"), nullable=False),
        sa.Column("subject_id", _id, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("news_at", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("parcel_id", _id),
        sa.Column("token", sa.BigInteger),
        sa.Column("plain", sa.Boolean),
        sa.Column("reason", sa.Text),
        sa.Column("receipt_to", sa.Text),
        sa.Column("receipt_ref", sa.Text),
        sa.UniqueConstraint("change_id", "subscription_id"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_deliveries_due", "deliveries", ["channel", "due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_deliveries_lane", "deliveries", ["subscription_id", "subject_id"])
    op.create_index("ix_deliveries_parcel", "deliveries", ["parcel_id"])
    op.create_table(
        "threads",
        sa.Column("subscription_id", _id, sa.ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
        sa.Column("subject_id", _id, sa.ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
        sa.Column("receipt_to", sa.Text, nullable=False),
        sa.Column("receipt_ref", sa.Text, nullable=False),
    )
