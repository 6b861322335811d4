"""One try at one piece of work – a parcel to send, a first message to edit – and what follows from its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from notifier.message import Message, Receipt
from notifier.model import Kind, State
from notifier.pace import Pace
from notifier.ports import (
    Ambiguous,
    Channel,
    ChannelFailure,
    Clock,
    Gone,
    Moved,
    NotSent,
    Parcel,
    Part,
    Refresh,
    Settlement,
)
from notifier.render import Page, render
from notifier.retry import MAX_BUGS, MAX_TRIES, Decision, Policy, decide

SEND_SECONDS = 45
"""The longest that a channel may take for one parcel; well within the lease."""

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much the provider's clock may differ from ours when a message is looked for; the ids decide."""

log = structlog.get_logger("deliver")


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """An edit to be tried again."""

    at: datetime
    counts: bool
    plain: bool


class Attempts:
    """One channel's tries. `origin` names the database, `jitter` is in [0, 1); `pace` hears of pauses."""

    def __init__(
        self,
        channel: Channel,
        origin: str,
        page: Page,
        policy: Policy,
        clock: Clock,
        jitter: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._channel = channel
        self._origin = origin
        self._page = page
        self._policy = policy
        self._clock = clock
        self._jitter = jitter
        self._pace = pace
        self._notes_told = 0

    async def deliver(self, parcel: Parcel) -> Settlement:
        """Sends the parcel, or edits what it is about. Never raises but when it is cancelled."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                settlement = await self._deliver(parcel)
        except ChannelFailure as failure:
            settlement = self._after(parcel, failure)
        except TimeoutError:
            settlement = self._after(parcel, Ambiguous(f"no answer within {SEND_SECONDS} s"))
        except Exception as bug:
            log.exception("a send failed in a way that no channel may", channel=self._channel.name)
            settlement = self._after(parcel, Ambiguous(type(bug).__name__))
            if parcel.attempt >= MAX_BUGS:
                settlement = Settlement(parcel=parcel, state=State.DEAD, reason=f"a bug: {type(bug).__name__}")
        self._tell_notes()
        settlement = replace(settlement, keeps_root=self._channel.keeps_root)
        well = settlement.state is State.SENT
        log.log(
            logging.INFO if well else logging.WARNING,
            "delivery",
            channel=self._channel.name,
            ids=[part.delivery_id for part in parcel.parts],
            state=str(settlement.state),
            attempt=parcel.attempt,
            reason=settlement.reason,
        )
        return settlement

    async def refresh(self, work: Refresh) -> Again | None:
        """Edits a message that is out; when and how to try again, None if there is no need or no use."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._edit(work)
            return None
        except ChannelFailure as failure:
            found = failure
        except TimeoutError:
            found = NotSent(f"no answer within {SEND_SECONDS} s")
        except Exception as bug:
            log.exception("an edit failed in a way that no channel may", channel=self._channel.name)
            found = NotSent(type(bug).__name__) if work.attempt < MAX_BUGS else Gone(type(bug).__name__)
        finally:
            self._tell_notes()
        decision = self._decide(found, work.attempt, plain=work.plain)
        hopeless = isinstance(found, Gone | Moved) or decision.state is State.DEAD or work.attempt >= MAX_TRIES
        if hopeless:
            log.warning("a message keeps its old text", channel=self._channel.name, reason=found.reason)
            return None
        at = self._clock.now() + (decision.after or timedelta())
        return Again(at=at, counts=decision.counts, plain=work.plain or decision.plain)

    async def _edit(self, work: Refresh) -> None:
        """What became of an edit need not be known: it is done again."""
        told = work.told
        message = render(
            told.parts,
            self._page,
            origin=self._origin,
            date=told.date,
            since=told.since,
            thread=told.thread,
            plain=work.plain,
        )
        try:
            await self._channel.edit(told.receipt, message)
        except Ambiguous as unclear:
            raise NotSent(unclear.reason) from None

    async def _deliver(self, parcel: Parcel) -> Settlement:
        if parcel.uncertain and parcel.attempt > MAX_TRIES:
            return Settlement(parcel=parcel, state=State.DEAD, reason="nobody knows what became of any try")
        if parcel.uncertain and not self._channel.can_find and not self._policy.resend_ambiguous:
            return Settlement(parcel=parcel, state=State.UNKNOWN, reason="may have arrived; not sent again")
        parts = _to_tell(parcel, self._clock.now())
        if not parts:
            return Settlement(parcel=parcel, state=State.SENT, reason="nothing new to send")
        if all(part.change.kind is Kind.UPDATE_EDITED for part in parts):
            return Settlement(parcel=parcel, state=State.EXPIRED, reason="cannot be edited; rides in the next message")
        message = self._message(parcel, parts)
        try:
            receipt = await self._found(parcel, message)
        except ChannelFailure as failure:
            return self._after(parcel, failure, sending=False)
        return Settlement(
            parcel=parcel, state=State.SENT, receipt=receipt or await self._channel.send(parcel.address, message)
        )

    def _message(self, parcel: Parcel, parts: tuple[Part, ...]) -> Message:
        return render(
            parts,
            self._page,
            origin=self._origin,
            date=parcel.first_tried_at,
            mention=parcel.mention,
            thread=parcel.thread,
            plain=parcel.plain,
        )

    async def _found(self, parcel: Parcel, message: Message) -> Receipt | None:
        if not (parcel.uncertain and self._channel.can_find):
            return None
        return await self._channel.find(parcel.address, message, parcel.first_tried_at - CLOCKS_DIFFER)

    def _after(self, parcel: Parcel, failure: ChannelFailure, *, sending: bool = True) -> Settlement:
        """What becomes of the parcel. If it failed before anything was sent, what may have arrived still may have."""
        decision = self._decide(failure, parcel.attempt, plain=parcel.plain)
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

    def _decide(self, failure: ChannelFailure, attempt: int, *, plain: bool) -> Decision:
        """What follows from a failure; the channel's pause begins at once."""
        decision = decide(
            failure,
            self._policy,
            attempt=attempt,
            plain=plain,
            can_find=self._channel.can_find,
            jitter=self._jitter(),
        )
        if decision.pause is not None:
            self._pace.pause(self._clock.seconds(decision.pause))
            log.warning("channel paused", channel=self._channel.name, reason=failure.reason, for_=str(decision.pause))
        return decision

    def _tell_notes(self) -> None:
        for note in self._channel.notes[self._notes_told :]:
            log.warning("note", channel=self._channel.name, note=note)
        self._notes_told = len(self._channel.notes)


def _to_tell(parcel: Parcel, now: datetime) -> tuple[Part, ...]:
    """The parts that are still news: a reminder only before its time."""
    return tuple(
        part
        for part in parcel.parts
        if not (part.change.kind is Kind.MAINTENANCE_DUE and part.change.window and part.change.window.start <= now)
    )
