"""The second step: pay what is owed on one channel. Intent committed, message sent, result committed.

Every channel has a sender of its own, so that none waits for another. Nothing is queued in memory beyond the sends
under way, and their number is the most that a crash can repeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from notifier.model import Kind, Message, Receipt, State
from notifier.ports import (
    Ambiguous,
    Channel,
    ChannelFailure,
    Clock,
    Outbox,
    Parcel,
    Part,
    Settlement,
    StoreFailed,
)
from notifier.render import Page, render
from notifier.retry import END_HORIZON, MAX_BUGS, MAX_TRIES, Policy, decide

SEND_SECONDS = 45
"""The longest that a channel may take for one parcel; well within the lease."""

IDLE_SECONDS = 5
"""The longest sleep of a sender: should a wake-up be lost, the interval finds the rows."""

_AGAIN_SECONDS = 0.2
"""What is due and could not be claimed waits for a send of its lane, or for a database that works again."""

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much the provider's clock may differ from ours when a message is looked for; the ids decide."""

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
        self._page = page
        self._policy = policy
        self._clock = clock
        self._jitter = jitter
        self._in_flight = in_flight
        self._gap = 1 / per_second if per_second else 0.0
        self._woken = asyncio.Event()
        self._news = True
        self._stopping = False
        self._busy = 0
        self._notes_told = 0
        self._next_slot = 0.0
        self._paused_until = 0.0

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
                wait = 0.0 if self._news else await self._until_due()
                if until_empty and self._busy == 0 and wait is None:
                    return
                if wait == 0:
                    self._news = False
                    parcels = await self._claim()
                    for parcel in parcels or ():
                        self._busy += 1
                        sends.create_task(self._deliver(parcel))
                    wait = None if parcels is None else 0 if parcels else _AGAIN_SECONDS
                await self._sleep(IDLE_SECONDS if wait is None else wait)

    async def _claim(self) -> Sequence[Parcel] | None:
        """None if the database did not take the intents."""
        room = self._in_flight - self._busy
        if room <= 0 or self._loop_time() < self._paused_until:
            return []
        try:
            return await self._outbox.claim(self.channel.name, room, self._clock.now())
        except StoreFailed as failed:
            log.warning("nothing claimed", channel=self.channel.name, reason=str(failed))
            return None

    async def _until_due(self) -> float | None:
        """Seconds until something can be claimed; None if that is later than PATIENCE, or nothing waits."""
        if self._busy >= self._in_flight:
            return IDLE_SECONDS
        now = self._clock.now()
        try:
            due = await self._outbox.next_due(self.channel.name, now)
        except StoreFailed:
            return IDLE_SECONDS
        pause = self._paused_until - self._loop_time()
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

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            await self._slot()
            if self._loop_time() < self._paused_until:
                state = State.UNKNOWN if parcel.uncertain else State.PENDING
                again = Settlement(parcel=parcel, state=state, next_attempt_at=self._clock.now(), counts=False)
                await self._settle(again)
                return
            await self._settle(await self._attempt(parcel))
        finally:
            self._busy -= 1
            self._woken.set()

    async def _attempt(self, parcel: Parcel) -> Settlement:
        """One try, and what follows from its end."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                settlement = await self._send(parcel)
        except ChannelFailure as failure:
            settlement = self._after(parcel, failure)
        except TimeoutError:
            settlement = self._after(parcel, Ambiguous(f"no answer within {SEND_SECONDS} s"))
        except Exception as bug:
            log.exception("a send failed in a way that no channel may", channel=self.channel.name)
            settlement = self._after(parcel, Ambiguous(type(bug).__name__))
            if parcel.attempt >= MAX_BUGS:
                settlement = Settlement(parcel=parcel, state=State.DEAD, reason=f"a bug: {type(bug).__name__}")
        for note in self.channel.notes[self._notes_told :]:
            log.warning("note", channel=self.channel.name, note=note)
        self._notes_told = len(self.channel.notes)
        well = settlement.state is State.SENT
        log.log(
            logging.INFO if well else logging.WARNING,
            "delivery",
            channel=self.channel.name,
            ids=[part.delivery_id for part in parcel.parts],
            state=str(settlement.state),
            attempt=parcel.attempt,
            reason=settlement.reason,
        )
        return settlement

    async def _send(self, parcel: Parcel) -> Settlement:
        if parcel.uncertain and parcel.attempt > MAX_TRIES:
            return Settlement(parcel=parcel, state=State.DEAD, reason="nobody knows what became of any try")
        if parcel.uncertain and not self.channel.can_find and not self._policy.resend_ambiguous:
            return Settlement(parcel=parcel, state=State.UNKNOWN, reason="may have arrived; not sent again")
        parts = _to_tell(parcel, self._clock.now(), can_edit=self.channel.can_edit)
        if parts and all(part.change.kind is Kind.UPDATE_EDITED for part in parts):
            return Settlement(parcel=parcel, state=State.EXPIRED, reason="cannot be edited; rides in the next message")
        if not parts:
            await self._edit(parcel)
            return Settlement(parcel=parcel, state=State.SENT, reason="nothing new to send")
        message = self._message(parcel, parts)
        try:
            receipt = await self._found(parcel, message)
        except ChannelFailure as failure:
            return self._after(parcel, failure, sending=False)
        receipt = receipt or await self.channel.send(parcel.address, message)
        try:
            await self._edit(parcel)
        except ChannelFailure as failure:
            log.warning("an earlier message keeps its old text", channel=self.channel.name, reason=failure.reason)
        return Settlement(parcel=parcel, state=State.SENT, receipt=receipt)

    async def _edit(self, parcel: Parcel) -> None:
        for told in parcel.edits if self.channel.can_edit else ():
            message = render(told.parts, self._page, origin=self._outbox.origin, date=told.date, plain=parcel.plain)
            await self.channel.edit(told.receipt, message)

    def _message(self, parcel: Parcel, parts: tuple[Part, ...]) -> Message:
        return render(
            parts,
            self._page,
            origin=self._outbox.origin,
            date=parcel.first_tried_at,
            mention=parcel.mention,
            thread=parcel.thread,
            plain=parcel.plain,
        )

    async def _found(self, parcel: Parcel, message: Message) -> Receipt | None:
        if not (parcel.uncertain and self.channel.can_find):
            return None
        since = parcel.first_tried_at - CLOCKS_DIFFER
        return await self.channel.find(parcel.address, message, since)

    async def _slot(self) -> None:
        """Waits for this send's place in the channel's pace."""
        if self._gap:
            slot = max(self._next_slot, self._loop_time())
            self._next_slot = slot + self._gap
            await asyncio.sleep(slot - self._loop_time())

    def _after(self, parcel: Parcel, failure: ChannelFailure, *, sending: bool = True) -> Settlement:
        """What becomes of the parcel. If it failed before anything was sent, what may have arrived still may have."""
        decision = decide(
            failure,
            self._policy,
            attempt=parcel.attempt,
            can_find=self.channel.can_find,
            jitter=self._jitter(),
        )
        if decision.pause is not None:
            self._paused_until = max(self._paused_until, self._loop_time() + self._clock.seconds(decision.pause))
            log.warning("channel paused", channel=self.channel.name, reason=failure.reason, for_=str(decision.pause))
        still_uncertain = parcel.uncertain and not sending and decision.state is State.PENDING
        return Settlement(
            parcel=parcel,
            state=State.UNKNOWN if still_uncertain else decision.state,
            reason=failure.reason,
            next_attempt_at=self._clock.now() + decision.after if decision.after is not None else None,
            counts=decision.counts and not still_uncertain,
            plain=parcel.plain or decision.plain,
            gone=decision.gone,
            moved_to=decision.moved_to,
        )

    async def _settle(self, settlement: Settlement) -> None:
        """Commits the result, as soon as the database takes it; at the latest the next process finds it uncertain."""
        while True:
            try:
                return await self._outbox.settle(settlement)
            except StoreFailed as failed:
                log.error("a result is not written", channel=self.channel.name, reason=str(failed))
                if self._stopping:
                    return None
                await asyncio.sleep(1)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


def _to_tell(parcel: Parcel, now: datetime, *, can_edit: bool) -> tuple[Part, ...]:
    """The parts that a new message has to tell: an edit only where its update is told in the same message, or where
    nothing already sent can be edited; a reminder only before its time.
    """
    told_here = {part.change.update_id for part in parcel.parts if part.change.kind is Kind.UPDATE_POSTED}
    return tuple(
        part
        for part in parcel.parts
        if (part.change.kind is not Kind.UPDATE_EDITED or part.change.update_id in told_here or not can_edit)
        and not (part.change.kind is Kind.MAINTENANCE_DUE and part.change.window and part.change.window.start <= now)
    )
