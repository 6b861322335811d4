"""One try at one piece of work – a parcel to send, a message to edit – and what follows from its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from notifier.gate import Gate
from notifier.message import Message, Receipt
from notifier.model import Kind, State
from notifier.parcel import Again, Parcel, Part, Pause, Refresh, Settlement
from notifier.ports import Ambiguous, Call, Channel, ChannelFailure, Clock, Gone, Moved, NotSent
from notifier.render import Page, render
from notifier.retry import MAX_BUGS, MAX_TRIES, Decision, Policy, decide, is_news, is_past
from notifier.subscription import Address
from notifier.tongue import ENGLISH, ENGLISH_ONLY, Tongue

SEND_SECONDS = 45
"""The longest that a channel may take for one parcel; well within the lease."""

CLOCKS_DIFFER = timedelta(days=1, hours=1)
"""By how much the provider's clock may differ from ours when a message is looked for; the ids decide."""

REMEMBERED = 64
"""Texts that many readers are told, of each kind that is remembered."""

LINES_A_SECOND = 10
"""Log lines about messages that arrived; the others are counted."""

Key = TypeVar("Key")
Value = TypeVar("Value")

log = structlog.get_logger("deliver")


class Attempts:
    """One channel's tries. `origin` names the database, `jitter` is in [0, 1); `gate` hears how they end. A language
    that `tongues` lacks is told in English. What was looked for is sent only if the channel is `trusted` to this
    process even then.
    """

    def __init__(
        self,
        channel: Channel,
        origin: str,
        page: Page,
        policy: Policy,
        clock: Clock,
        jitter: Callable[[], float],
        gate: Gate,
        tongues: Mapping[str, Tongue] = ENGLISH_ONLY,
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._channel = channel
        self._origin = origin
        self._page = page
        self._policy = policy
        self._clock = clock
        self._jitter = jitter
        self._gate = gate
        self._tongues = tongues
        self._trusted = trusted
        self._refused: dict[tuple[str, ...], None] = {}
        self._rendered: dict[tuple[object, ...], Message] = {}
        self._notes_told = 0
        self._second = self._lines = self._unlogged = 0

    async def deliver(self, parcel: Parcel) -> Settlement:
        """Sends the parcel, if it has not arrived and is still news. Never raises but when it is cancelled."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                settlement = await self._deliver(parcel)
        except ChannelFailure as failure:
            settlement = self._after(parcel, failure, "send")
        except TimeoutError:
            settlement = self._after(parcel, Ambiguous(f"no answer within {SEND_SECONDS} s"), "send")
        except Exception as bug:
            log.exception("a send failed in a way that no channel may", channel=self._channel.name)
            settlement = self._after(parcel, Ambiguous(type(bug).__name__, personal=True), "send")
            if parcel.attempt >= MAX_BUGS:
                settlement = Settlement(parcel=parcel, state=State.DEAD, reason=f"a bug: {type(bug).__name__}")
        self._tell_notes()
        self._log(settlement)
        return replace(settlement, keeps_root=self._channel.keeps_root)

    async def refresh(self, work: Refresh) -> Again | None:
        """Edits a message that is out; when and how to try again, None if there is no need or no use."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._edit(work)
            self._gate.worked()
            return None
        except ChannelFailure as failure:
            found = failure
        except TimeoutError:
            found = NotSent(f"no answer within {SEND_SECONDS} s")
        except Exception as bug:
            log.exception("an edit failed in a way that no channel may", channel=self._channel.name)
            name = type(bug).__name__
            found = NotSent(name, personal=True) if work.attempt < MAX_BUGS else Gone(name)
        finally:
            self._tell_notes()
        decision, pause = self._decide(found, "edit", work.address, work.attempt, plain=work.plain)
        hopeless = isinstance(found, Gone | Moved) or decision.state is State.DEAD or work.attempt >= MAX_TRIES
        if hopeless:
            log.warning("a message keeps its old text", channel=self._channel.name, reason=found.reason)
            return None
        at = self._clock.now() + (decision.after or timedelta())
        return Again(at=at, counts=decision.counts, plain=work.plain or decision.plain, pause=pause)

    async def _edit(self, work: Refresh) -> None:
        """What became of an edit need not be known: it is done again."""
        told = work.told
        message = render(
            told.parts,
            self._page,
            origin=self._origin,
            date=_minute(told.date),
            since=told.since,
            thread=told.thread,
            plain=work.plain,
            tongue=self._tongues.get(work.language, ENGLISH),
        )
        try:
            await self._channel.edit(told.receipt, message)
        except Ambiguous as unclear:
            raise NotSent(unclear.reason, personal=unclear.personal) from None

    async def _deliver(self, parcel: Parcel) -> Settlement:
        if parcel.uncertain and parcel.attempt > MAX_TRIES:
            return Settlement(parcel=parcel, state=State.DEAD, reason="nobody knows what became of any try")
        asks = parcel.uncertain and self._channel.can_find
        if parcel.uncertain and not asks and not self._policy.resend_ambiguous:
            return Settlement(parcel=parcel, state=State.UNKNOWN, reason="may have arrived; not sent again")
        parts = _to_tell(parcel, self._clock.now())
        if all(part.change.kind is Kind.UPDATE_EDITED for part in parts) and parts:
            return Settlement(parcel=parcel, state=State.EXPIRED, reason="cannot be edited; rides in the next message")
        texts = _texts(parts, parcel.language)
        plain = parcel.plain or texts in self._refused
        message = self._message(parcel, parts or parcel.parts, plain=plain)
        if asks:
            if closed := self._gate.closed_for("find", parcel.address):
                return self._asked_later(parcel, closed, "may have arrived; its provider cannot be asked yet")
            try:
                receipt = await self._find(parcel, message)
            except ChannelFailure as failure:
                return self._after(parcel, failure, "find")
            if receipt is not None:
                return Settlement(parcel=parcel, state=State.SENT, receipt=receipt)
            if not self._trusted():
                return self._asked_later(parcel, timedelta(), "may have arrived; another process asks")
        if not any(self._is_news(part) for part in parts):
            return Settlement(parcel=parcel, state=State.EXPIRED, reason="too old to be news")
        receipt = await self._channel.send(parcel.address, message)
        self._gate.worked()
        if plain:
            _keep(self._refused, texts, None)  # it passed only so: the next reader gets it so at once
        return Settlement(parcel=parcel, state=State.SENT, receipt=receipt)

    def _is_news(self, part: Part) -> bool:
        return is_news(part.change, part.news_at or part.change.detected_at, self._policy, self._clock.now())

    def _message(self, parcel: Parcel, parts: Sequence[Part], *, plain: bool) -> Message:
        """The words are found once for all who are told the same within a minute, and are those of that minute: another
        process has to find the same ones."""
        date = parcel.first_tried_at
        minute = _minute(date)
        told = (_texts(parts, parcel.language), parcel.mention, plain, minute)
        message = self._rendered.get(told)
        if message is None:
            message = render(
                parts,
                self._page,
                origin=self._origin,
                date=minute,
                mention=parcel.mention,
                plain=plain,
                tongue=self._tongues.get(parcel.language, ENGLISH),
            )
            _keep(self._rendered, told, message)
        ids = tuple(f"{self._origin}-{part.delivery_id}" for part in parts)
        return replace(message, delivery_ids=ids, date=date, thread=parcel.thread)

    async def _find(self, parcel: Parcel, message: Message) -> Receipt | None:
        receipt = await self._channel.find(parcel.address, message, parcel.first_tried_at - CLOCKS_DIFFER)
        self._gate.worked()
        return receipt

    def _asked_later(self, parcel: Parcel, wait: timedelta, reason: str) -> Settlement:
        return Settlement(
            parcel=parcel,
            state=State.UNKNOWN,
            reason=reason,
            next_attempt_at=self._clock.now() + wait,
            counts=False,
            plain=parcel.plain,
        )

    def _after(self, parcel: Parcel, failure: ChannelFailure, call: Call) -> Settlement:
        """What becomes of the parcel. If asking failed, what may have arrived still may have."""
        decision, pause = self._decide(failure, call, parcel.address, parcel.attempt, plain=parcel.plain)
        still_uncertain = call == "find" and decision.state is State.PENDING
        after = timedelta() if still_uncertain and decision.after is None else decision.after
        return Settlement(
            parcel=parcel,
            state=State.UNKNOWN if still_uncertain else decision.state,
            reason=failure.reason,
            next_attempt_at=self._clock.now() + after if after is not None else None,
            counts=decision.counts and not still_uncertain,
            plain=parcel.plain or decision.plain,
            gone=decision.gone,
            moved_to=decision.moved_to,
            pause=pause,
        )

    def _decide(
        self, failure: ChannelFailure, call: Call, to: Address, attempt: int, *, plain: bool
    ) -> tuple[Decision, Pause | None]:
        """What follows from a failure, and the pause that began with it."""
        decision = decide(
            failure,
            self._policy,
            attempt=attempt,
            plain=plain,
            can_find=self._channel.can_find,
            jitter=self._jitter(),
        )
        self._gate.failed(failure)
        pause = self._gate.pause(call, to, decision.pause, failure.reason) if decision.pause is not None else None
        return decision, pause

    def _log(self, settlement: Settlement) -> None:
        """A line for each failure, and for as many successes as somebody can read."""
        well, second = settlement.state in (State.SENT, State.EXPIRED), int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += well
        if well and self._lines > LINES_A_SECOND:
            self._unlogged += 1
            return
        log.log(
            logging.INFO if well else logging.WARNING,
            "delivery",
            channel=self._channel.name,
            ids=[part.delivery_id for part in settlement.parcel.parts],
            state=str(settlement.state),
            attempt=settlement.parcel.attempt,
            reason=settlement.reason,
            **({"sent_unlogged": self._unlogged} if self._unlogged else {}),
        )
        self._unlogged = 0

    def _tell_notes(self) -> None:
        for note in self._channel.notes[self._notes_told :]:
            log.warning("note", channel=self._channel.name, note=note)
        self._notes_told = len(self._channel.notes)


def _to_tell(parcel: Parcel, now: datetime) -> tuple[Part, ...]:
    """The parts that still mean something: a reminder only before its time."""
    return tuple(part for part in parcel.parts if not is_past(part.change, now))


def _minute(date: datetime) -> datetime:
    return date.replace(second=0, microsecond=0)


def _keep(memory: dict[Key, Value], key: Key, value: Value) -> None:
    """The oldest gives way."""
    memory[key] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]


def _texts(parts: Sequence[Part], language: str) -> tuple[str, ...]:
    return (language, *(part.change.key for part in parts))
