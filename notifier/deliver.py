"""The second step: pay what is owed on one channel. Intent committed, message sent, result committed.

Every channel has a sender of its own, so that none waits for another. Nothing is queued in memory beyond the sends
under way, and their number is the most that a crash can repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import structlog

from notifier.attempt import Attempts
from notifier.gate import Gate
from notifier.known import ChannelState
from notifier.model import State
from notifier.pace import Limits
from notifier.parcel import Again, Parcel, Refresh, Settlement
from notifier.ports import Channel, Clock, Outbox, StoreFailed
from notifier.render import Page
from notifier.retry import END_HORIZON, Policy
from notifier.tongue import ENGLISH_ONLY, Tongue
from notifier.urgent import Urgent

IDLE_SECONDS = 5
"""The longest sleep of a sender: should a wake-up be lost, the interval finds the rows."""

ASK_AFTER = timedelta(seconds=3)
"""What somebody left under way may still be arriving: so long nobody asks for it."""

_AGAIN_SECONDS = 0.2
"""What is due and could not be claimed waits for a send of its lane, or for a database that works again."""

_TOGETHER_SECONDS = 0.05
"""What a long queue waits for half of the places to be free, so that one claim takes many."""

PATIENCE = timedelta(seconds=30)
"""How long emptying the outbox waits for a retry."""

log = structlog.get_logger("deliver")


class Sender:
    """One channel's way out. `limits` pace it, `in_flight` bounds its sends at once; `jitter` is in [0, 1); `tongues`
    are by the codes of their languages. No send begins unless the channel is `trusted` to this process.
    """

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
        limits: Limits | None = None,
        tongues: Mapping[str, Tongue] = ENGLISH_ONLY,
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.channel = channel
        self._outbox = outbox
        self._policy = policy
        self._clock = clock
        self._in_flight = in_flight
        self._trusted = trusted
        self._gate = Gate(channel, limits or Limits(), clock)
        self._attempts = Attempts(channel, outbox.origin, page, policy, clock, jitter, self._gate, tongues, trusted)
        self.urgent = Urgent(channel.name, self._gate, outbox, policy, clock)
        self._woken = asyncio.Event()
        self._news = True
        self._stopping = False
        self._more = False
        self._claimed_at = 0.0
        self._busy = 0
        self._under_way: set[int] = set()
        self._unsure = True
        self._ended: set[int] = set()
        self._editing = 0

    def condition(self) -> ChannelState:
        """How the channel fares."""
        return self._gate.condition()

    def suspect(self) -> None:
        """It was broken when the process before this one ended: asks the provider, even if nothing is due."""
        self._gate.suspect()
        self._woken.set()

    def wake(self) -> None:
        """Something new is due."""
        self._news = True
        self._woken.set()

    def end(self, subscription_id: int) -> None:
        """It is no more: nothing goes to it, not even what was claimed and waits for its turn."""
        self._ended.add(subscription_id)

    def stop(self) -> None:
        """Claims nothing more; `run` returns when the sends under way are settled."""
        self._stopping = True
        self._gate.stop()
        self._woken.set()

    async def run(self, *, until_empty: bool = False) -> None:
        """Delivers until it is stopped, or until nothing is due within PATIENCE. What was under way is lost."""
        self._unsure = True
        if not until_empty:
            self._gate.begin_anew()
        self._busy = self._editing = 0  # what was cut off before it began never counted itself out
        self._under_way.clear()
        await self._recall()
        await self._recover()
        await self.expire()
        async with asyncio.TaskGroup() as sends:
            while not self._stopping:
                self._woken.clear()
                await self._gate.probe()
                idle = self._busy == 0  # a send that ends while the database is asked may leave a retry behind
                wait = await self._until_due()
                if until_empty and idle and (wait is None or not self._trusted()):
                    return  # what is left is for whoever has the channel by now
                if wait == 0 and not self._stopping:
                    supposed = self._news or self._more
                    self._news, self._more = False, False
                    self._claimed_at = asyncio.get_running_loop().time()
                    work = await self._claim()
                    for each in work or ():
                        self._begin(each)
                        sends.create_task(self._do(each))
                    wait = None if work is None else 0 if work or supposed else _AGAIN_SECONDS
                await self._sleep(IDLE_SECONDS if wait is None else wait)

    async def _recall(self) -> None:
        """What the provider asked the process before this one for."""
        try:
            self._gate.recall(await self._outbox.pauses(self.channel.name, self._clock.now()))
        except StoreFailed as failed:
            log.warning("pauses not read", channel=self.channel.name, reason=str(failed))

    async def _recover(self) -> None:
        """Whatever is under way and not here was lost: with a process, or with the answer to a claim."""
        try:
            at = self._clock.now() + ASK_AFTER
            lost = await self._outbox.recover(self.channel.name, at, self._under_way)
        except StoreFailed as failed:
            log.warning("what was under way is not known", channel=self.channel.name, reason=str(failed))
            return
        self._unsure = False
        if lost:
            log.info("found under way", channel=self.channel.name, deliveries=lost)

    async def _claim(self) -> Sequence[Parcel | Refresh] | None:
        """News, or else messages that have to follow it; edits take half of the places at most. None if the database
        did not take the intents.
        """
        name, now, resting = self.channel.name, self._clock.now(), self._gate.resting()
        room = self._gate.room(self._in_flight, self._busy)
        edits = min(self._in_flight - self._busy, (self._in_flight + 1) // 2 - self._editing, self._gate.edits())
        found: Sequence[Parcel | Refresh] = ()
        if self._unsure:
            await self._recover()
        try:
            if room > 0:
                can_edit = self.channel.can_edit
                found = await self._outbox.claim(name, room, now, can_edit=can_edit, resting=resting)
                self._more = len(found) == room
            if not found and self.channel.can_edit and edits > 0:
                found = await self._outbox.outdated(name, edits, now, resting=resting)
            return found
        except StoreFailed as failed:
            self._unsure = True
            log.warning("nothing claimed", channel=self.channel.name, reason=str(failed))
            return None

    async def _until_due(self) -> float | None:
        """Seconds until something can be claimed; None if that is later than PATIENCE, or nothing waits."""
        if not self._trusted():
            return IDLE_SECONDS
        if self._news or self._unsure:
            return 0
        if self._busy >= self._in_flight:
            return IDLE_SECONDS
        if self._more:
            together = self._claimed_at + _TOGETHER_SECONDS - asyncio.get_running_loop().time()
            return 0 if self._busy * 2 <= self._in_flight else max(0, together)
        now = self._clock.now()
        try:
            news, edits = await self._outbox.next_due(self.channel.name, now)
        except StoreFailed:
            return IDLE_SECONDS
        if news is None and edits is None:
            self._gate.idle()
        waits = [max(news - now, self._gate.closed_for("send"))] if news else []
        if edits and self.channel.can_edit:
            waits.append(max(edits - now, self._gate.closed_for("edit")))
        wait = min(waits, default=None)
        if wait is None or wait > PATIENCE:
            return None
        return min(self._clock.seconds(wait), IDLE_SECONDS) if wait > timedelta() else 0

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

    def _begin(self, work: Parcel | Refresh) -> None:
        self._busy += 1
        self._editing += isinstance(work, Refresh)
        self._under_way.update(_deliveries(work))

    async def _do(self, work: Parcel | Refresh) -> None:
        editing = isinstance(work, Refresh)
        try:
            may = await self._gate.turn("edit" if editing else "send", work.address, work.subscription_id)
            may = may and self._trusted() and work.subscription_id not in self._ended
            await (self._refresh(work, may=may) if isinstance(work, Refresh) else self._deliver(work, may=may))
        finally:
            self._busy -= 1
            self._editing -= editing
            self._under_way.difference_update(_deliveries(work))
            self._woken.set()

    async def _deliver(self, parcel: Parcel, *, may: bool) -> None:
        if may:
            settlement = await self._attempts.deliver(parcel)
        else:
            state = State.UNKNOWN if parcel.uncertain else State.PENDING
            at = self._clock.now() + self._gate.closed_for("send", parcel.address)
            settlement = Settlement(parcel=parcel, state=state, next_attempt_at=at, counts=False, plain=parcel.plain)
        await self._written(partial(self._outbox.settle, settlement))

    async def _refresh(self, work: Refresh, *, may: bool) -> None:
        now = self._clock.now()
        again = await self._attempts.refresh(work) if may else Again(at=now, counts=False, plain=work.plain)
        await self._written(partial(self._outbox.refreshed, work, again))

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


def _deliveries(work: Parcel | Refresh) -> tuple[int, ...]:
    return (work.delivery_id,) if isinstance(work, Refresh) else tuple(part.delivery_id for part in work.parts)
