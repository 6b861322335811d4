"""The watch over the bot itself: gathers how it fares, tells operators what is wrong, and gives signs of life."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from notifier.alarm import as_told, turn
from notifier.distress import Distress
from notifier.health import OLD, Health, Trouble, duty_of, troubles
from notifier.known import ChannelState, InboxState, SourceHealth
from notifier.ports import POLL, AlarmStore, Channel, ChannelFailure, Clock, Pulse, StoreFailed, sending
from notifier.subscription import Address

log = structlog.get_logger("watch")

_BLINDNESS = {"page", "page-id", "page-stale"}
"""Troubles in which no reading of the page is worth a sign of life."""


class Polling(Protocol):
    """What the poll says of itself."""

    @property
    def wrong_page(self) -> str: ...

    @property
    def oddities(self) -> tuple[str, ...]: ...

    def health(self) -> tuple[SourceHealth, ...]: ...


class Sending(Protocol):
    """What a sender says of itself."""

    channel: Channel

    def condition(self) -> ChannelState: ...

    def suspect(self) -> None: ...

    def wake(self) -> None: ...


class Listening(Protocol):
    """What the inbox says of itself."""

    def condition(self) -> InboxState: ...


class Watch:
    """`distress` tells of a database that cannot be written; `pulse` is pinged after each fresh reading of the page
    while all that is owed is young. Where several processes share a database, each tells of what it does itself: of
    the duties that are `mine`, as long as they are `trusted` to it.
    """

    def __init__(
        self,
        store: AlarmStore,
        polling: Polling,
        senders: Sequence[Sending],
        clock: Clock,
        operators: Collection[Address],
        distress: Distress,
        pulse: Pulse | None,
        mine: Callable[[str], bool],
        trusted: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._polling = polling
        self._senders = senders
        self._clock = clock
        self._operators = operators
        self._distress = distress
        self._pulse = pulse
        self._mine = mine
        self._trusted = trusted
        self.inbox: Listening | None = None
        """What reads what people say; set once it is made, as it tells operators how the bot fares."""
        self._pinged_for: datetime | None = None
        self._ping_fails = self._blind = False

    @property
    def unfinished(self) -> bool:
        """Whether something is left to tell, even if other processes do everything by now."""
        return self._distress.unfinished

    async def step(self) -> bool:
        """Whether anything new was told. Writes only then."""
        polls = self._mine(POLL)
        looks = polls or self._distress.unfinished
        try:
            health = await self._health()
            present = troubles(health, self._clock.now())
            told = await self._tell(health, present)
        except StoreFailed as failed:
            if not self._blind:
                log.warning("the bot's own health is not known", reason=str(failed))
            self._blind = True
            if looks:
                await self._distress.look()
            return False
        self._blind = False
        fails = looks and await self._distress.look()
        if polls and not fails and _is_well(health, present, self._clock.now()):
            await self._ping(health)
        return told

    async def troubles(self) -> Mapping[str, Trouble]:
        """What is wrong for long enough to be told. Raises StoreFailed."""
        now = self._clock.now()
        health = await self._health()
        here = troubles(health, now).items()
        told = {key: as_told(change) for key, change in health.owed.raised.items() if not self._mine(duty_of(key))}
        mine = {
            key: each for key, each in here if self._mine(duty_of(key)) and each.told_from and each.told_from <= now
        }
        return told | mine

    async def _health(self) -> Health:
        return Health(
            sources=self._polling.health(),
            wrong_page=self._polling.wrong_page,
            channels=tuple(sender.condition() for sender in self._senders),
            owed=await self._store.owed(self._clock.now()),
            inbox=self.inbox.condition() if self.inbox else None,
            oddities=self._polling.oddities,
        )

    async def _tell(self, health: Health, present: Mapping[str, Trouble]) -> bool:
        decide = partial(turn, present=present, now=self._clock.now(), mine=lambda key: self._trusted(duty_of(key)))
        for sender in self._senders:
            if not self._mine(sending(sender.channel.name)):
                continue
            if f"channel/{sender.channel.name}" in health.owed.raised and not sender.condition().heard:
                sender.suspect()
        if not decide(health.owed.raised):
            return False
        told = await self._store.alarm(decide, self._operators)
        for key, change in told.raised.items():
            log.error("trouble", key=key, what=change.title, text=change.text)
        for key, change in told.over.items():
            log.info("trouble over", key=key, what=change.title)
        for sender in self._senders:
            sender.wake()
        return bool(told)

    async def _ping(self, health: Health) -> None:
        """Once for a reading."""
        summary = next((source for source in health.sources if source.name == "summary"), None)
        if self._pulse is None or summary is None or summary.ok_at in (None, self._pinged_for):
            return
        self._pinged_for = summary.ok_at
        try:
            await self._pulse.ping()
        except ChannelFailure as failure:
            if not self._ping_fails:
                log.warning("the heartbeat does not arrive", reason=failure.reason)
            self._ping_fails = True
            return
        if self._ping_fails:
            log.info("the heartbeat arrives again")
        self._ping_fails = False


def _is_well(health: Health, present: Mapping[str, Trouble], now: datetime) -> bool:
    """Whether the page is read and nothing waits too long. Troubles that are not told yet count."""
    return _BLINDNESS.isdisjoint(present) and all(now - each.oldest <= OLD for each in health.owed.backlogs)
