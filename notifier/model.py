"""The nouns, frozen: what a source *said* (Snapshot and its parts) and what *follows* (Change, Subscription, …).
What is *known* in between has shapes of its own, in `known`; what is *told*, in `message`.

Every instant is an aware datetime in UTC.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Topic(StrEnum):
    """What a piece of news is about; the `kinds` of a subscription's filter."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"
    EXCHANGE = "exchange"
    COMPONENT = "component"
    BOT = "bot"


class Kind(StrEnum):
    """What happened; see the table of change kinds in ARCHITECTURE.md."""

    UPDATE_POSTED = "update.posted"
    UPDATE_EDITED = "update.edited"
    INCIDENT_RETITLED = "incident.retitled"
    INCIDENT_WITHDRAWN = "incident.withdrawn"
    COMPONENT_CHANGED = "component.changed"
    EXCHANGE_CHANGED = "exchange.changed"
    MAINTENANCE_DUE = "maintenance.due"
    WELCOME = "welcome"
    BOT_TROUBLE = "bot.trouble"
    BOT_RECOVERED = "bot.recovered"
    BROADCAST = "broadcast"


ALARMS = (Kind.BOT_TROUBLE, Kind.BOT_RECOVERED)
"""For operators."""


class Phase(StrEnum):
    """What an update does to its incident or maintenance."""

    OPENED = "opened"
    PROGRESS = "progress"
    WORSENED = "worsened"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    POSTMORTEM = "postmortem"
    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    STARTED = "started"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    OVERDUE = "overdue"


TERMINAL = frozenset({"resolved", "completed", "postmortem"})
"""The only statuses that end an incident or a maintenance."""

IMPACTS = ("none", "minor", "major", "critical")
"""Kraken's impacts, mildest first. `maintenance` ranks with `minor`; an unknown one with `major`."""


def impact_rank(impact: str | None) -> int:
    """Place of an impact among IMPACTS. Not stated ranks as `minor`: a missed alert is worse than noise."""
    if impact is None or impact == "maintenance":
        return 1
    return IMPACTS.index(impact) if impact in IMPACTS else 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """One update of an incident as a source showed it. `id` is None where the source has none (the feed)."""

    id: str | None
    status: str
    text: str
    """Visible text: no markup, no control characters, paragraphs kept as newlines."""
    at: datetime
    """The displayed time; the posting time where none is displayed."""
    created_at: datetime | None = None
    """The posting time, which gives the order; None from the feed."""


def fingerprint(status: str, at: datetime, text: str) -> str:
    """Hash of what a reader sees of an update: status, time to the minute, words. White space and markup do not count.

    To the minute, because that is what the page and the feed show, and because an edit cuts the milliseconds.
    """
    seen = f"{status}\n{at:%Y-%m-%dT%H:%M}\n{' '.join(text.split())}"
    return hashlib.sha256(seen.encode()).hexdigest()[:24]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The planned time of a maintenance."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """A component as shown now. In an incident these are today's objects, not those of its time."""

    id: str
    name: str
    status: str = "operational"
    group_id: str | None = None
    is_group: bool = False
    updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """An incident or a maintenance as a source showed it. None means "not stated", never "none"."""

    id: str
    topic: Topic
    name: str
    status: str
    updates: tuple[Update, ...]
    """Oldest first."""
    impact: str | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    window: Window | None = None
    components: tuple[Component, ...] | None = None
    shortlink: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advisory:
    """An entry of SystemStatus' `upcoming_maintenance` or `emergency`, joined to the page by `source_url` only."""

    event_id: str
    title: str
    emergency: bool
    impact: str | None = None
    status: str | None = None
    services: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    action: str | None = None
    source_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """Kraken's engine: `status` is online, maintenance, cancel_only, post_only or a word not known yet."""

    status: str
    advisories: tuple[Advisory, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What one source said at one moment."""

    source: str
    incidents: tuple[Incident, ...] = ()
    complete: bool = False
    """True where every open incident and maintenance must be listed, so that absence means something."""
    components: tuple[Component, ...] | None = None
    exchange: Exchange | None = None
    page_id: str | None = None
    clock: datetime | None = None
    """The source's own clock: the newest instant it stated about itself."""
    broken: tuple[str, ...] = ()
    """One line for each part that could not be read and was left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Affected:
    """A component that a piece of news names."""

    name: str
    group: str | None = None

    def __str__(self) -> str:
        return f"{self.group} ({self.name})" if self.group else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A step of an incident's life."""

    status: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """How an incident stood before a change; None where the change left it as it was."""

    status: str | None = None
    impact: str | None = None
    title: str | None = None
    window: Window | None = None
    components: tuple[Affected, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that happened, with all that is needed to route and to tell it."""

    key: str
    """Unique for ever: the same happening always has the same key."""
    kind: Kind
    topic: Topic
    subject: str
    """The conversation: deliveries of one subject to one subscription go strictly in order."""
    reason: str
    at: datetime
    """When Kraken says that it happened."""
    detected_at: datetime
    title: str
    phase: Phase | None = None
    status: str = ""
    impact: str | None = None
    text: str = ""
    before: str | None = None
    """What `text` (an edit) or the status (component, exchange) was before."""
    stood: Before = Before()
    """What else this change moved."""
    repeats: int = 0
    """How many updates in a row, with this one, say nothing but that work goes on."""
    first_title: str = ""
    """What the incident was called at first; empty where titles do not change."""
    revision: int = 0
    """How often title, impact or window changed so far: the sequence of a calendar entry."""
    loud: bool = False
    posted_at: datetime | None = None
    """When Kraken posted it, if that is known; well after `at` for what is published after the fact."""
    introduces: bool = True
    """May be the first thing that a subscriber hears of the subject."""
    told_since: datetime | None = None
    """Subscriptions younger than this may hear it even if it does not introduce the subject."""
    incident_id: str | None = None
    update_id: str | None = None
    components: tuple[Affected, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    window: Window | None = None
    timeline: tuple[Moment, ...] = ()
    engine: str = ""
    """Of an advisory of the exchange: the engine's status when it appeared."""
    action: str = ""
    """Of an advisory of the exchange: what it recommends, in its own words."""


class State(StrEnum):
    """States of a delivery; the diagram is in ARCHITECTURE.md."""

    PENDING = "pending"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    FAILED = "failed"
    DEAD = "dead"
