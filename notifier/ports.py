"""Source, Store and Channel as the two steps see them, and the failures that are part of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from notifier.known import DutyState, Known, KnownIncident, KnownPage, Owed, SourceState
from notifier.message import Message, Receipt
from notifier.model import Change, Snapshot
from notifier.parcel import Again, News, Parcel, Pause, Refresh, Settlement, Turn, Want
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
    """How long the last answer had lain in a cache by its own word, a repetition too; None if it did not say."""

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
    """Carries messages to one provider; never sleeps, loops or counts. Raises the seven failures above and no other."""

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
    """One transaction did not come off; a later one may work. Nothing of it is written, or, where the connection was
    lost as it was committed, all of it may be.
    """


class StoreDown(StoreFailed):
    """The database, or the way to it, is in trouble: whatever else is asked now does not come off either."""


class OffDuty(StoreFailed):
    """Other processes have the duty by now, and nothing is written."""


class PollStore(Protocol):
    """What the poll remembers with. Every method is one transaction; nothing is written when it raises."""

    async def page(self) -> KnownPage: ...

    async def restored(self, now: datetime) -> datetime | None:
        """When the backup was made that this is, until it is `in_use`. Deliveries get numbers that were never given."""

    async def in_use(self) -> None: ...

    async def record(
        self,
        incident_ids: Collection[str],
        decide: Callable[[Known], News],
        route: Callable[[Change, Mapping[int, Filter]], Want],
    ) -> tuple[News, bool]:
        """Loads what is known of these incidents and of all open ones, decides, and writes the news with the first
        of its deliveries; whether `fan_out` has more to write. What `decide` raises passes through.
        """

    async def fan_out(self) -> bool | None:
        """Writes the next deliveries of changes whose recipients are not all written; whether more are left. None if
        there were none to write.
        """

    async def open_incidents(self) -> Sequence[KnownIncident]: ...

    async def sources(self) -> Sequence[SourceState]: ...

    async def polled(self, name: str, at: datetime, *, ok: bool, failures: int, reason: str) -> None: ...

    async def welcome(self, greet: Callable[[int, str, Known], Change]) -> int:
        """Owes each subscription that was never welcomed its own change, made of its id, its language and what is
        known; how many. Nothing before the baseline.
        """


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

    async def recover(self, channel: str, ask_at: datetime, but: Collection[int] = ()) -> int:
        """Whatever is under way on this channel but for these deliveries was lost with a process, or with the answer
        to a claim: from `ask_at` on it is asked for, or tried again; how many deliveries.
        """

    async def expire(self, channel: str, news_since: datetime, ends_since: datetime, latest: datetime) -> int:
        """Takes what is older out of the queue; how many. No retry stays due after `latest`: clocks are put back."""

    async def pause(self, channel: str, pause: Pause) -> None:
        """Keeps what a provider asked for, so that a restart does not forget it."""

    async def pauses(self, channel: str, now: datetime) -> Sequence[Pause]:
        """Those that are not over."""

    async def next_due(self, channel: str, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When news of this channel can be claimed next, and when an outdated message; None if never."""


POLL, INBOX = "poll", "inbox"


def sending(channel: str) -> str:
    """The duty of a channel's sender."""
    return f"send/{channel}"


class DutyStore(Protocol):
    """Who does what, where several processes share a database: each duty has one holder, until its lease ends.

    A duty is POLL, INBOX, or that of `sending` on a channel. What is written on behalf of one that has changed hands
    raises OffDuty. Every method is one transaction. Raises StoreFailed.
    """

    lease: timedelta | None
    """How long a process that is not heard of keeps its duties; None where no other process can take them."""

    async def hold(self, holder: str, wanted: Collection[str]) -> Mapping[str, int]:
        """Renews the leases of those that this process holds, and takes those that nobody does. All that it holds now,
        each with a token that grows whenever the duty changes hands; a holder that was late and was not replaced
        keeps its token. Raises OffDuty, and gives all of them up, where a newer version has changed the database.
        """

    async def release(self, holder: str, names: Collection[str]) -> None:
        """Whoever wants them may take them at once."""

    async def duties(self) -> Sequence[DutyState]: ...

    def calls(self) -> AsyncGenerator[str]:
        """What other processes call out, without end: `due` (something is owed), `duty` (one is free), `said`
        (somebody said something). A call may get lost: whoever waits looks by himself now and then, too.
        """


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
