"""The second step: pay what is owed on one channel. Intent committed, message sent, result committed.

Every channel has a sender of its own, so that none waits for another. Nothing is queued in memory beyond the sends
under way, and their number is the most that a crash can repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog

from notifier.attempt import Again, Attempts
from notifier.model import State
from notifier.pace import Pace
from notifier.ports import (
    Channel,
    Clock,
    Outbox,
    Parcel,
    Refresh,
    Settlement,
    StoreFailed,
)
from notifier.render import Page
from notifier.retry import END_HORIZON, Policy

IDLE_SECONDS = 5
"""The longest sleep of a sender: should a wake-up be lost, the interval finds the rows."""

_AGAIN_SECONDS = 0.2
"""What is due and could not be claimed waits for a send of its lane, or for a database that works again."""

PATIENCE = timedelta(seconds=30)
"""How long emptying the outbox waits for a retry."""

log = structlog.get_logger("deliver")


class Sender:
    """One channel's way out. `per_second` paces it, `in_flight` bounds its sends at once; `jitter` is in [0, 1)."""

    def __init__(
        self,
        channel: Channel,
        outbox: Outbox,
        page: Page,
        policy: Policy,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        in_flight: int = 8,
        per_second: float | None = None,
    ) -> None:
        self.channel = channel
        self._outbox = outbox
        self._policy = policy
        self._clock = clock
        self._in_flight = in_flight
        self._pace = Pace(per_second)
        self._attempts = Attempts(channel, outbox.origin, page, policy, clock, jitter, self._pace)
        self._woken = asyncio.Event()
        self._news = True
        self._stopping = False
        self._busy = 0

    def wake(self) -> None:
        """Something new is due."""
        self._news = True
        self._woken.set()

    def stop(self) -> None:
        """Claims nothing more; `run` returns when the sends under way are settled."""
        self._stopping = True
        self._woken.set()

    async def run(self, *, until_empty: bool = False) -> None:
        """Delivers until it is stopped, or until nothing is due within PATIENCE."""
        await self.expire()
        async with asyncio.TaskGroup() as sends:
            while not self._stopping:
                self._woken.clear()
                idle = self._busy == 0  # a send that ends while the database is asked may leave a retry behind
                wait = 0.0 if self._news else await self._until_due()
                if until_empty and idle and wait is None:
                    return
                if wait == 0:
                    self._news = False
                    work = await self._claim()
                    for each in work or ():
                        self._busy += 1
                        sends.create_task(self._do(each))
                    wait = None if work is None else 0 if work else _AGAIN_SECONDS
                await self._sleep(IDLE_SECONDS if wait is None else wait)

    async def _claim(self) -> Sequence[Parcel | Refresh] | None:
        """News, or else first messages that have to follow it. None if the database did not take the intents."""
        room = self._in_flight - self._busy
        if room <= 0 or self._pace.paused_for() > 0:
            return []
        name, now = self.channel.name, self._clock.now()
        try:
            parcels = await self._outbox.claim(name, room, now, can_edit=self.channel.can_edit)
            return parcels or (await self._outbox.outdated(name, room, now) if self.channel.can_edit else ())
        except StoreFailed as failed:
            log.warning("nothing claimed", channel=self.channel.name, reason=str(failed))
            return None

    async def _until_due(self) -> float | None:
        """Seconds until something can be claimed; None if that is later than PATIENCE, or nothing waits."""
        if self._busy >= self._in_flight:
            return IDLE_SECONDS
        now = self._clock.now()
        try:
            due = await self._outbox.next_due(self.channel.name, now, with_edits=self.channel.can_edit)
        except StoreFailed:
            return IDLE_SECONDS
        pause = self._pace.paused_for()
        if due is None or due - now > PATIENCE or pause > PATIENCE.total_seconds():
            return None
        wait = self._clock.seconds(due - now) if due > now else 0
        return min(max(wait, pause), IDLE_SECONDS)

    async def _sleep(self, seconds: float) -> None:
        if seconds == 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def expire(self) -> None:
        """Takes what is too old to be news out of the queue."""
        now = self._clock.now()
        try:
            latest = now + 2 * timedelta(seconds=max(self._policy.waits))
            await self._outbox.expire(self.channel.name, now - self._policy.horizon, now - END_HORIZON, latest)
        except StoreFailed as failed:
            log.warning("nothing expired", channel=self.channel.name, reason=str(failed))

    async def _do(self, work: Parcel | Refresh) -> None:
        try:
            may_send = await self._pace.slot()
            if isinstance(work, Refresh):
                await self._refresh(work, may_send=may_send)
                return
            if may_send:
                settlement = await self._attempts.deliver(work)
            else:
                state = State.UNKNOWN if work.uncertain else State.PENDING
                settlement = Settlement(parcel=work, state=state, next_attempt_at=self._clock.now(), counts=False)
            await self._written(partial(self._outbox.settle, settlement))
        finally:
            self._busy -= 1
            self._woken.set()

    async def _refresh(self, work: Refresh, *, may_send: bool) -> None:
        now = self._clock.now()
        again = await self._attempts.refresh(work) if may_send else Again(at=now, counts=False, plain=work.plain)
        how = {"counts": again.counts, "plain": again.plain} if again else {}
        await self._written(partial(self._outbox.refreshed, work, again.at if again else None, **how))

    async def _written(self, write: Callable[[], Awaitable[None]]) -> None:
        """Commits a result, as soon as the database takes it; at the latest the next process finds it uncertain."""
        while True:
            try:
                return await write()
            except StoreFailed as failed:
                log.error("a result is not written", channel=self.channel.name, reason=str(failed))
                if self._stopping:
                    return None
                await asyncio.sleep(1)
