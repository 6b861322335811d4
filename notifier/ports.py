"""Source, Store and Channel as the two steps see them, and the failures that are part of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from notifier.known import Known, KnownIncident, KnownPage, Owed, SourceState
from notifier.message import Message, Receipt
from notifier.model import Change, Snapshot, State
from notifier.subscription import Address, Filter


class Clock(Protocol):
    """The time of the world that is watched; a demonstration's runs faster than the wall's."""

    second: float
    """One of this world, in seconds of the process."""

    def now(self) -> datetime: ...

    def seconds(self, length: timedelta) -> float:
        """How long to wait, in seconds of the process, until so much of this world's time has passed."""


class SourceFailed(Exception):
    """A reading that did not come off: unreachable, refused, broken. Nothing known may change because of it."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        """What the server asked for, unclamped below by the caller's own interval; None if it asked for nothing."""


class Source(Protocol):
    """One thing that is polled."""

    name: str
    age: timedelta | None
    """How long the last answer had lain in a cache by its own word, the same answer again included; None if it did not
    say.
    """

    async def read(self) -> Snapshot | None:
        """None if it said the same as last time. Raises SourceFailed."""

    def forget(self) -> None:
        """The last reading could not be recorded: the next one must not be taken for a repetition of it."""


class Lookup(Protocol):
    """Asks for one incident by its own URLs, as incident and as maintenance."""

    async def look_up(self, incident_id: str) -> Snapshot | None:
        """None only if both answer 404. Raises SourceFailed."""


class ChannelFailure(Exception):
    """Why a message did not go out. The text holds no secret."""

    def __init__(self, reason: str) -> None:
        self.reason = reason.encode(errors="replace").decode().replace("\0", "?")  # it is written down, whoever said it
        super().__init__(self.reason)


class _Unclear(ChannelFailure):
    """`personal`: it says something of this recipient or this message, and nothing of the provider."""

    def __init__(self, reason: str, *, personal: bool = False) -> None:
        super().__init__(reason)
        self.personal = personal


class NotSent(_Unclear):
    """It certainly did not arrive; another try may work."""


class Ambiguous(_Unclear):
    """It may have arrived."""


class Throttled(ChannelFailure):
    """The provider wants a pause. `retry_after` in seconds; None if it did not say how long."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Gone(ChannelFailure):
    """The recipient refuses for good."""


class Moved(ChannelFailure):
    """The recipient has another address now."""

    def __init__(self, reason: str, to: Address) -> None:
        super().__init__(reason)
        self.to = to


class BadMessage(ChannelFailure):
    """The provider refuses this text; another text may pass."""


class BadCredentials(ChannelFailure):
    """The provider refuses the bot itself."""


Call = Literal["send", "edit", "find"]
"""What is asked of a provider."""

Throttles = Literal["all", "call", "recipient"]
"""What a provider means when it wants a pause: everything, calls of that kind, messages to that recipient."""


class Channel(Protocol):
    """Carries messages to one provider. Never sleeps, loops or counts attempts.

    Every method raises one of the seven failures above and nothing else.
    """

    name: str
    """The scheme of its addresses."""
    throttles: Throttles
    can_edit: bool
    keeps_root: bool
    """Whether the first message of a conversation is kept current by edits."""
    notes: list[str]
    """What an operator should hear, each once, oldest first."""
    can_find: bool
    """Whether the provider can be asked if a message arrived. It is asked before any second try."""

    async def send(self, to: Address, message: Message) -> Receipt: ...

    async def edit(self, receipt: Receipt, message: Message) -> None:
        """Replaces a message sent earlier. A message that a person deleted counts as done."""

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        """Looks for a message with one of these delivery ids, posted after `since`."""

    async def check(self) -> str:
        """Asks the provider whether the credentials work; says as whom. Delivers nothing."""

    async def close(self) -> None: ...


class StoreRefused(Exception):
    """The database cannot be used; the text says why and what to do."""


class StoreFailed(Exception):
    """One transaction did not come off, and nothing of it is written; a later one may work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a diff found: the changes, and what is known from now on."""

    changes: tuple[Change, ...] = ()
    known: Known = field(default_factory=Known)
    """Only what differs from before."""
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


class PollStore(Protocol):
    """What the poll remembers with. Every method is one transaction; nothing is written when it raises."""

    async def page(self) -> KnownPage: ...

    async def record(
        self,
        incident_ids: Collection[str],
        decide: Callable[[Known], News],
        route: Callable[[Change, Mapping[int, Filter]], Want],
    ) -> tuple[News, bool]:
        """Loads what is known of these incidents and of all open ones, decides, and writes the news with the first
        of its deliveries; whether `fan_out` has more to write. What `decide` raises passes through.
        """

    async def fan_out(self) -> bool:
        """Writes the next deliveries of changes whose recipients are not all written; whether more are left."""

    async def open_incidents(self) -> Sequence[KnownIncident]: ...

    async def sources(self) -> Sequence[SourceState]: ...

    async def polled(self, name: str, at: datetime, *, ok: bool, failures: int, reason: str) -> None: ...

    async def welcome(self, greet: Callable[[int, Known], Change]) -> int:
        """Owes each subscription that was never welcomed its own change; how many. Nothing before the baseline."""


class Outbox(Protocol):
    """What the delivery works on. Every method is one transaction; nothing is written when it raises."""

    origin: str

    async def claim(
        self, channel: str, limit: int, now: datetime, *, can_edit: bool = False, resting: Collection[int] = ()
    ) -> Sequence[Parcel]:
        """Binds what is due into parcels and commits the intents, the most urgent first; nothing of the subscriptions
        that are `resting`. With `can_edit`, edits of what is out are no parcels but make their messages outdated.
        """

    async def settle(self, settlement: Settlement) -> None:
        """Commits a result, together with those of other sends that end at the same moment."""

    async def outdated(
        self, channel: str, limit: int, now: datetime, *, resting: Collection[int] = ()
    ) -> Sequence[Refresh]:
        """Takes messages that have to be edited, and commits the intents."""

    async def refreshed(self, refresh: Refresh, again: Again | None) -> None:
        """It is edited, or given up; or it is tried again, in its plain form if the rich one was refused."""

    async def expire(self, channel: str, news_since: datetime, ends_since: datetime, latest: datetime) -> int:
        """Takes what is older out of the queue; how many. No retry stays due after `latest`: clocks are put back."""

    async def pauses(self, channel: str, now: datetime) -> Sequence[Pause]:
        """Those that are not over."""

    async def next_due(self, channel: str, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When news of this channel can be claimed next, and when an outdated message; None if never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What is told of the bot's own state at one moment, by the keys of the troubles."""

    raised: Mapping[str, Change] = field(default_factory=dict)
    over: Mapping[str, Change] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.raised or self.over)


class AlarmStore(Protocol):
    """What the watch over the bot itself remembers with. Every method is one transaction."""

    origin: str
    unwritable: str
    """Why an attempt to write failed; empty if none did since `touch` last worked."""

    async def owed(self, now: datetime) -> Owed:
        """Reads only, and little. Raises StoreFailed."""

    async def alarm(self, decide: Callable[[Mapping[str, Change]], Turn], to: Collection[Address]) -> Turn:
        """Loads what is raised, decides, and writes the changes with a delivery for each of these addresses; of an end
        only for those that were told of its beginning. Raises StoreFailed.
        """

    async def touch(self) -> None:
        """Writes something of no importance. Raises StoreFailed."""


class Pulse(Protocol):
    """Tells somebody outside that the bot lives."""

    async def ping(self) -> None:
        """Raises ChannelFailure."""
