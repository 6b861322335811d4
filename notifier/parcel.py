"""What the steps and the store hand one another: news and its takers, parcels and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from notifier.known import Known
from notifier.message import Receipt
from notifier.model import Change, State
from notifier.subscription import Address


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a diff found: the changes, and what is known from now on."""

    changes: tuple[Change, ...] = ()
    known: Known = field(default_factory=Known)
    """Only what differs from before."""
    silent: frozenset[str] = frozenset()
    """The keys of changes that are recorded and told to nobody."""
    notes: tuple[str, ...] = ()
    """Oddities for the log."""


FIRST, LAST = 0, 5
"""Ranks of what is told: loud news, then incidents by impact, then the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Want:
    """Which filters want a change."""

    matching: tuple[tuple[int, datetime | None], ...]
    """Filter ids that want it, each with the instant before which it must wait (quiet hours)."""
    following: tuple[tuple[int, datetime | None], ...]
    """Filter ids that want it only where the subject was already told."""
    rank: int = LAST
    """Its place in the queue: `FIRST` goes before all others."""
    people_only: bool = False
    """Only those who subscribed by themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One delivery of a parcel, with its change."""

    delivery_id: int
    change: Change
    news_at: datetime | None = None
    """Since when it is news to this recipient, if that is not since its detection: the end of quiet hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A message that is out, whose text has to follow what happened since."""

    receipt: Receipt
    thread: Receipt | None
    """What it hangs on; None if it is the first message of its conversation."""
    parts: tuple[Part, ...]
    """As sent, oldest first."""
    date: datetime
    since: tuple[Change, ...]
    """What it has to show now and did not when it was sent, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refresh:
    """A message that is out and has to show what happened since."""

    delivery_id: int
    """Which carries its receipt."""
    subscription_id: int
    address: Address
    told: Told
    wanted: int
    """Which news it will show; what came after that makes it due again."""
    attempt: int
    """This one's number, from 1."""
    plain: bool
    """The rich form was refused."""
    language: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """What goes to one recipient about one subject in one message, bound together by a committed intent."""

    subscription_id: int
    subject_id: int
    address: Address
    mention: str | None
    parts: tuple[Part, ...]
    """Oldest first."""
    thread: Receipt | None
    attempt: int
    """This one's number, from 1."""
    first_tried_at: datetime
    uncertain: bool
    """A try before this one may have arrived."""
    plain: bool
    """The rich form was refused."""
    language: str = "en"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """What a provider asked for. `scope` is empty for everything, a kind of call, or an address."""

    scope: str
    until: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """An edit to be tried again."""

    at: datetime
    counts: bool = True
    """Whether the try counts as an attempt."""
    plain: bool = False
    pause: Pause | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """What became of a parcel."""

    parcel: Parcel
    state: State
    """Of its newest delivery; the older members become `superseded` where it is `sent`, and share it otherwise."""
    reason: str = ""
    receipt: Receipt | None = None
    next_attempt_at: datetime | None = None
    counts: bool = True
    """Whether the try counts as an attempt."""
    plain: bool = False
    gone: bool = False
    """Switch the subscription off."""
    moved_to: Address | None = None
    keeps_root: bool = False
    """The channel keeps first messages current."""
    pause: Pause | None = None
    """What the provider wants; of the parcel's channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What is told of the bot's own state at one moment, by the keys of the troubles."""

    raised: Mapping[str, Change] = field(default_factory=dict)
    over: Mapping[str, Change] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.raised or self.over)
