"""What is remembered of a page and its exchange: the shapes that a diff compares a snapshot with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from notifier.model import TERMINAL, Affected, Change, Topic, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when what was open before anybody could be told counts as told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownUpdate:
    """An update that was seen. `fingerprints` are all the forms it ever had: one of them seen again is no edit."""

    id: str
    """The API's id, or `feed:N` / `implied:STATUS` until the API gives one."""
    born: str
    """The id under which it was announced; stays when the API's id arrives."""
    status: str
    at: datetime
    created_at: datetime | None
    text: str
    fingerprints: tuple[str, ...]


WITHDRAWN = "withdrawn"
"""Among the headings: from then on it was gone from the page, until the next heading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownIncident:
    """Everything remembered of an incident or a maintenance. Never forgotten; an old one may lose its texts."""

    id: str
    topic: Topic
    subject: str
    """The conversation its news goes into."""
    name: str
    status: str
    impact: str | None
    updated_at: datetime | None
    started_at: datetime | None
    resolved_at: datetime | None
    window: Window | None
    components: tuple[Affected, ...]
    updates: tuple[KnownUpdate, ...]
    """Oldest first."""
    headings: tuple[str, ...] = ()
    """Every title, impact and window it ever had, so that an older copy of the page renames nothing."""
    told_since: datetime | None = None
    """From when on it was told to those who want it; the epoch if it was open at the baseline; None if it never was."""
    withdrawn: bool = False
    reminded: datetime | None = None
    """The start of the window that a reminder was made for."""
    shortlink: str | None = None

    @property
    def open(self) -> bool:
        return not (self.withdrawn or self.status in TERMINAL or self.resolved_at is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownComponent:
    name: str
    group: str | None
    """Its group's name."""
    status: str
    updated_at: datetime | None
    is_group: bool = False
    since: datetime | None = None
    """When it left `operational` without an incident that names it; None otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownExchange:
    """The engine's last state. An `episode` runs from leaving `online` until the next time it is left."""

    status: str
    episode: int = 0
    moves: int = 0
    """How often the status changed since the baseline."""
    told_since: datetime | None = None
    """As for an incident, of the running episode."""
    advisories: Mapping[str, str] = field(default_factory=dict)
    """Advisory (its source_url, or its event id) → the subject it was told under."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPage:
    """Which page this is, since when it is watched (by its own clock), and which sources gave their first reading."""

    id: str | None = None
    watched_since: datetime | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a diff compares with: the page, the incidents of the reading and all the open ones."""

    page: KnownPage = field(default_factory=KnownPage)
    incidents: Mapping[str, KnownIncident] = field(default_factory=dict)
    components: Mapping[str, KnownComponent] | None = None
    exchange: KnownExchange | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A delivery as the ledger shows it."""

    id: int
    state: str
    address: str
    change: Change
    attempt: int
    due_at: datetime | None
    tried_at: datetime | None
    reason: str
    receipt: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceState:
    """How polling one source goes."""

    name: str
    polled_at: datetime
    ok_at: datetime | None
    failures: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceHealth:
    """How one source fares as this process sees it."""

    name: str
    heard: bool = False
    """Whether this process tried it at all."""
    ok_at: datetime | None = None
    """Its last reading of this process."""
    failing_since: datetime | None = None
    stale_since: datetime | None = None
    """From when on it gave answers that were too old."""
    age: timedelta | None = None
    """How old the last answer said it was (HTTP `Age`)."""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelState:
    """How one channel fares as this process sees it."""

    name: str
    broken_since: datetime | None = None
    refused: bool = False
    """The credentials were."""
    reason: str = ""
    heard: bool = True
    """Whether the provider was asked for anything since the start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxState:
    """How reading what people say to the bot fares, as this process sees it."""

    name: str
    """The channel that it belongs to."""
    failing_since: datetime | None = None
    conflict: bool = False
    """Somebody else reads with the same token."""
    refused: bool = False
    """The credentials were."""
    reason: str = ""
    heard_at: datetime | None = None
    """When it was last known to work; None if it never did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What one channel owes."""

    channel: str
    oldest: datetime
    """Since when the oldest of it has been news; the end of quiet hours for what waited for them."""
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchedOff:
    """A configured recipient that refused. `again`: switched on since, and nothing has reached it yet."""

    address: str
    reason: str
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetters:
    """Deliveries that the bot gave up on one channel."""

    channel: str
    count: int
    reason: str
    """Of the newest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Kraken as the notifier knows it, to answer a question with."""

    incidents: tuple[KnownIncident, ...] = ()
    """All open ones and the newest of those that are over, the one that moved last first."""
    components: Mapping[str, KnownComponent] = field(default_factory=dict)
    exchange: KnownExchange | None = None
    read_at: datetime | None = None
    """When the page was last read; None before the first time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Who reads, in figures."""

    readers: int = 0
    """Who came by themselves and are told."""
    off: int = 0
    """Who came by themselves and cannot be reached any more."""
    muted: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    terms: tuple[tuple[str, int], ...] = ()
    """What most of them follow, with how many do."""
    sent: int = 0
    """Messages that went out in the last 24 hours, on every channel."""
    waiting: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """What the database says of the bot's own health."""

    backlogs: tuple[Backlog, ...] = ()
    switched_off: tuple[SwitchedOff, ...] = ()
    dead: tuple[DeadLetters, ...] = ()
    raised: Mapping[str, Change] = field(default_factory=dict)
    """The troubles told and not over, as they were told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyState:
    """Who holds a duty, or held it last; times are the database's."""

    name: str
    holder: str
    since: datetime
    until: datetime
    held: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """What one table of a database holds."""

    table: str
    rows: int
    checksum: str
    """SHA-256 over its rows, the same for the same rows in any database."""
