"""One try at one piece of work – a parcel to send, a first message to edit – and what follows from its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from notifier.message import Message, Receipt
from notifier.model import Kind, State
from notifier.pace import Pace
from notifier.ports import (
    Ambiguous,
    BadMessage,
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
    Throttled,
    Told,
)
from notifier.render import Page, render
from notifier.retry import MAX_BAD, MAX_BUGS, MAX_TRIES, Decision, Policy, decide

SEND_SECONDS = 45
"""The longest that a channel may take for one parcel; well within the lease."""

CLOCKS_DIFFER = timedelta(hours=1)
"""By how much the provider's clock may differ from ours when a message is looked for; the ids decide."""

log = structlog.get_logger("deliver")


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

    async def refresh(self, work: Refresh) -> datetime | None:
        """Edits the first message of a conversation; when to try again, None if there is no need or no use."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._edit(work.told, plain=work.attempt == MAX_BAD)
            return None
        except ChannelFailure as failure:
            found = failure
        except TimeoutError:
            found = NotSent(f"no answer within {SEND_SECONDS} s")
        except Exception as bug:
            log.exception("an edit failed in a way that no channel may", channel=self._channel.name)
            found = NotSent(type(bug).__name__) if work.attempt < MAX_BUGS else BadMessage(type(bug).__name__)
        finally:
            self._tell_notes()
        decision = self._decide(found, work.attempt)
        hopeless = isinstance(found, Gone | Moved) or decision.state is State.DEAD or work.attempt >= MAX_TRIES
        if hopeless:
            log.warning("a first message keeps its old text", channel=self._channel.name, reason=found.reason)
        return None if hopeless else self._clock.now() + (decision.after or timedelta())

    async def _deliver(self, parcel: Parcel) -> Settlement:
        if parcel.uncertain and parcel.attempt > MAX_TRIES:
            return Settlement(parcel=parcel, state=State.DEAD, reason="nobody knows what became of any try")
        if parcel.uncertain and not self._channel.can_find and not self._policy.resend_ambiguous:
            return Settlement(parcel=parcel, state=State.UNKNOWN, reason="may have arrived; not sent again")
        parts = _to_tell(parcel, self._clock.now(), can_edit=self._channel.can_edit)
        if parts and all(part.change.kind is Kind.UPDATE_EDITED for part in parts):
            return Settlement(parcel=parcel, state=State.EXPIRED, reason="cannot be edited; rides in the next message")
        root = parcel.thread if self._channel.keeps_root else None
        edits = [told for told in parcel.edits if self._channel.can_edit and told.receipt != root]
        if not parts:
            for told in edits:
                await self._edit(told, plain=parcel.plain)
            reason = "nothing new to send"
            return Settlement(parcel=parcel, state=State.SENT, reason=reason, root_follows=root is not None)
        message = self._message(parcel, parts)
        try:
            receipt = await self._found(parcel, message)
            await self._edit_first(parcel, edits)
        except ChannelFailure as failure:
            return self._after(parcel, failure, sending=False)
        receipt = receipt or await self._channel.send(parcel.address, message)
        follows = root is not None and not receipt.root
        return Settlement(parcel=parcel, state=State.SENT, receipt=receipt, root_follows=follows)

    async def _edit_first(self, parcel: Parcel, edits: Sequence[Told]) -> None:
        """Earlier messages that the parcel's edits are about, before its news: an edit can be repeated, news cannot.

        What cannot be edited holds up no news for long.
        """
        for told in edits:
            try:
                await self._edit(told, plain=parcel.plain)
            except ChannelFailure as failure:
                if isinstance(failure, NotSent | Throttled) and parcel.attempt < MAX_BAD:
                    raise
                log.warning("an earlier message keeps its old text", channel=self._channel.name, reason=failure.reason)

    async def _edit(self, told: Told, *, plain: bool) -> None:
        """What became of an edit need not be known: it is done again."""
        message = render(
            told.parts,
            self._page,
            origin=self._origin,
            date=told.date,
            since=told.since,
            thread=told.thread,
            plain=plain,
        )
        try:
            await self._channel.edit(told.receipt, message)
        except Ambiguous as unclear:
            raise NotSent(unclear.reason) from None

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
        decision = self._decide(failure, parcel.attempt)
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

    def _decide(self, failure: ChannelFailure, attempt: int) -> Decision:
        """What follows from a failure; the channel's pause begins at once."""
        decision = decide(
            failure, self._policy, attempt=attempt, can_find=self._channel.can_find, jitter=self._jitter()
        )
        if decision.pause is not None:
            self._pace.pause(self._clock.seconds(decision.pause))
            log.warning("channel paused", channel=self._channel.name, reason=failure.reason, for_=str(decision.pause))
        return decision

    def _tell_notes(self) -> None:
        for note in self._channel.notes[self._notes_told :]:
            log.warning("note", channel=self._channel.name, note=note)
        self._notes_told = len(self._channel.notes)


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
