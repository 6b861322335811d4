"""The tables, for SQLite and PostgreSQL alike, and how the nouns are written into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.types import BigInteger, Boolean, Integer, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = _EPOCH
"""The due time of what waits for nothing: no clock, however wrong, holds it back."""

LEASE = timedelta(seconds=120)
"""How long a process may be at something; longer than any send may take."""

DUTY_LEASE = timedelta(seconds=20)
"""How long a process that is not heard of keeps its duties."""


def since_epoch(instant: datetime) -> int:
    """In milliseconds."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as milliseconds since 1970: eight bytes, the same order, no zone to get wrong."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else since_epoch(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(milliseconds=value)


REVISION = "0006"
"""The newest of the migrations, whose outcome are the tables below."""

metadata = MetaData()
_id = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

known = Table(
    "known",
    metadata,
    Column("noun", Text, primary_key=True),  # page, incident, components, exchange
    Column("id", Text, primary_key=True),
    Column("open", Boolean, nullable=False, default=False),
    Column("doc", Text, nullable=False),
    Column("moved_at", Instant),  # of an incident: its last update
    Index("ix_known_moved", "noun", "open", "moved_at"),
)

sources = Table(
    "sources",
    metadata,
    Column("name", Text, primary_key=True),
    Column("polled_at", Instant, nullable=False),
    Column("ok_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)

filters = Table(
    "filters",
    metadata,
    Column("id", _id, primary_key=True),
    Column("doc", Text, nullable=False, unique=True),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", _id, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("written", Text, nullable=False),  # the address as the configuration has it; a chat that moved has another
    Column("channel", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mention", Text),
    Column("filter_id", _id, ForeignKey("filters.id"), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("welcomed", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("language", Text, nullable=False, server_default="en"),
    Column("zone", Text, nullable=False, server_default="UTC"),
    Column("muted_until", Instant),
    Index("ix_subscriptions_origin", "origin"),
    Index("ix_subscriptions_filter", "filter_id"),
    sqlite_autoincrement=True,  # a newcomer is never taken for somebody who left
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", _id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
)

changes = Table(
    "changes",
    metadata,
    Column("id", _id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("subject_id", _id, ForeignKey("subjects.id"), nullable=False),
    Column("detected_at", Instant, nullable=False),
    Column("ends", Boolean, nullable=False),  # it stays news for longer
    Column("doc", Text, nullable=False),
    Index("ix_changes_subject", "subject_id"),
)

fanouts = Table(
    "fanouts",
    metadata,
    Column("change_id", _id, ForeignKey("changes.id"), primary_key=True, autoincrement=False),
    Column("cursor", _id, nullable=False),
    Column("last", _id, nullable=False),
    Column("want", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _id, primary_key=True),
    Column("change_id", _id, ForeignKey("changes.id"), nullable=False),
    Column("subscription_id", _id, ForeignKey("subscriptions.id"), nullable=False),
    Column("subject_id", _id, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rank", Integer, nullable=False, server_default="11"),  # see `fresh`
    Column("due_at", Instant),  # when to do something: try, ask again, give up on a lost sender; null: nothing
    Column("news_at", Instant, nullable=False),  # since when it is news: its detection, or the end of quiet hours
    Column("attempt", Integer, nullable=False, default=0),
    Column("tried_at", Instant),  # the first try of the parcel as it is bound now
    Column("parcel_id", _id),  # the newest delivery of the parcel that it is, or was, part of
    Column("token", BigInteger),  # the process that holds the intent
    Column("plain", Boolean),
    Column("reason", Text),
    Column("receipt_to", Text),
    Column("receipt_ref", Text),
    UniqueConstraint("change_id", "subscription_id"),
    Index(
        "ix_deliveries_due",
        "channel",
        "rank",
        "due_at",
        "id",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
    Index("ix_deliveries_lane", "subscription_id", "subject_id"),
    Index("ix_deliveries_parcel", "parcel_id"),
    Index(
        "ix_deliveries_dead",
        "channel",
        "id",
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    ),
    sqlite_autoincrement=True,  # a late result of what was deleted is no other delivery's
)

mutes = Table(
    "mutes",
    metadata,
    Column("subscription_id", _id, ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
    Column("subject_id", _id, ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
)

received = Table(
    "received",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # Telegram's update_id
    Column("doc", Text, nullable=False),
)

threads = Table(
    "threads",
    metadata,
    Column("subscription_id", _id, ForeignKey("subscriptions.id"), primary_key=True, autoincrement=False),
    Column("subject_id", _id, ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
    Column("receipt_to", Text, nullable=False),
    Column("receipt_ref", Text, nullable=False),
    Column("kept", Boolean),  # whether this first message is kept current
    Index("ix_threads_subject", "subject_id", "subscription_id"),
)

outdated = Table(
    "outdated",
    metadata,
    Column("delivery_id", _id, ForeignKey("deliveries.id"), primary_key=True, autoincrement=False),  # carries a receipt
    Column("subscription_id", _id, nullable=False),
    Column("channel", Text, nullable=False),
    Column("wanted", BigInteger, nullable=False),  # the newest change that the message has to show
    Column("due_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("plain", Boolean, nullable=False, default=False),
    Column("token", BigInteger),  # the process that is editing it
    Index("ix_outdated_due", "channel", "due_at"),
    Index("ix_outdated_subscription", "subscription_id"),
)

pauses = Table(
    "pauses",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("scope", Text, primary_key=True),  # empty for everything, a kind of call, or an address
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

hours = Table(
    "hours",
    metadata,
    Column("hour", Instant, primary_key=True, autoincrement=False),
    Column("sent", BigInteger, nullable=False),  # messages whose first try was in it, on every channel
)

duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # the process that has it, or had it last
    Column("token", BigInteger, nullable=False),  # grows whenever it changes hands: what carries an older one is late
    Column("since", Instant, nullable=False),  # by the database's clock, both
    Column("until", Instant, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("key", Text, primary_key=True),
    Column("raised_at", Instant, nullable=False),
    Column("doc", Text, nullable=False),  # the change that told of it
)


def fresh(rank: int) -> int:
    """The rank of `parcel.Want` as the column has it: 0 is the most urgent, and what was tried before, or had to wait
    for its hour, is one less than what is fresh. In a long queue it would never come to its turn.
    """
    return 2 * rank + 1
