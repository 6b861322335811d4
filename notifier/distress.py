"""Tells operators that the database cannot be written: straight through the channels, as there is nowhere to owe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from notifier.alarm import begun, ended
from notifier.health import Trouble
from notifier.message import Receipt
from notifier.model import Change
from notifier.parcel import Part
from notifier.ports import AlarmStore, Channel, ChannelFailure, Clock, Gone, StoreFailed
from notifier.render import Page, render
from notifier.subscription import Address

PATIENCE = timedelta(seconds=30)
"""How long the database may fail before anybody is told."""

AGAIN = timedelta(minutes=1)
"""When an operator who could not be reached is tried again."""

log = structlog.get_logger("watch")


class Distress:
    """Tells each operator once, and once more at the end. What it remembers is lost with the process."""

    def __init__(
        self,
        store: AlarmStore,
        channels: Mapping[str, Channel],
        operators: Sequence[Address],
        page: Page,
        clock: Clock,
    ) -> None:
        self._store = store
        self._channels = channels
        self._operators = operators
        self._page = page
        self._clock = clock
        self._since: datetime | None = None
        self._trouble: Change | None = None
        self._end: Change | None = None
        self._told: dict[Address, Receipt | None] = {}
        self._tried_at: datetime | None = None

    @property
    def unfinished(self) -> bool:
        """Whether operators wait for the end of what this process told them: no other one knows of it."""
        return self._trouble is not None or self._end is not None

    async def look(self) -> bool:
        """Whether the database cannot be written. Writes only to find out if that is over."""
        if not self._store.unwritable:
            await self._over()
            return False
        now = self._clock.now()
        self._since = self._since or now
        try:
            await self._store.touch()
        except StoreFailed as failed:
            if now - self._since >= PATIENCE:
                await self._tell(self._since, str(failed), now)
            return True
        await self._over()
        return False

    async def _tell(self, since: datetime, reason: str, now: datetime) -> None:
        if self._trouble is None:
            self._end, self._told = None, {}
            self._trouble = begun("database", _unwritable(since, reason), now)
            log.error("trouble", key="database", what=self._trouble.title, text=self._trouble.text)
        if self._tried_at is not None and now - self._tried_at < AGAIN:
            return
        self._tried_at = now
        for to in self._operators:
            if to not in self._told:
                await self._send(to, self._trouble, None)

    async def _over(self) -> None:
        """Those who were told of the beginning are told of the end, as soon as they can be reached."""
        now = self._clock.now()
        self._since = None
        if self._trouble is not None:
            log.info("trouble over", key="database", what=self._trouble.title)
            self._end = ended(self._trouble, now)
            self._trouble, self._tried_at = None, None
        if self._end is None or (self._tried_at is not None and now - self._tried_at < AGAIN):
            return
        self._tried_at = now
        for to, receipt in [*self._told.items()]:
            if receipt is None or await self._send(to, self._end, receipt):
                del self._told[to]
        if not self._told:
            self._end = self._tried_at = None

    async def _send(self, to: Address, change: Change, thread: Receipt | None) -> bool:
        """Whether there is nothing left to try."""
        part = Part(delivery_id=int(change.at.timestamp()), change=change)
        message = render([part], self._page, origin=f"{self._store.origin}-direct", date=change.at, thread=thread)
        try:
            self._told[to] = await self._channels[to.channel].send(to, message)
        except Gone as gone:
            self._told[to] = None
            log.warning("an operator is not told", reason=gone.reason)
        except ChannelFailure as failure:
            log.warning("an operator is not told", reason=failure.reason)
            return False
        return True


def _unwritable(since: datetime, reason: str) -> Trouble:
    text = (
        f"The answer was: {reason}.\nNothing is sent as long as that lasts, and what is new is read again afterwards.\n"
        "If the disk is full, make room; else check the database in store.url and its folder."
    )
    return Trouble(title="The notifier's database cannot be written", since=since, told_from=since, text=text)
