"""One channel's way out: its pace, its pauses, and whether its provider is worth asking at all."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from notifier.breaker import Breaker
from notifier.known import ChannelState
from notifier.pace import Limits, Pace, chat_of
from notifier.parcel import Pause
from notifier.ports import Call, Channel, ChannelFailure, Clock, NotSent
from notifier.retry import LONGEST_PAUSE
from notifier.subscription import Address

NEAR = 1.0
"""Seconds that a message waits for its chat with everything ready; for longer it is put back."""
EXACT = 0.001
"""Seconds by which a loop may wake too early."""
PROBE_SECONDS = 8
"""For the answer to a probe; well within the time that a stopping process has."""

log = structlog.get_logger("deliver")


class Gate:
    """Everything here is of one process but the pauses, which the store keeps: `recall` what it kept."""

    def __init__(self, channel: Channel, limits: Limits, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._scale = clock.second
        self._sends = Pace(limits, self._scale)
        self._edits = Pace(limits.edits, self._scale) if limits.edits else self._sends
        self._breaker = Breaker(self._scale)
        self._pauses: dict[str, float] = {}
        self._stopping = False
        paces = {self._sends, self._edits}
        self._places = {pace: asyncio.Lock() for pace in paces}
        self._queues = {(pace, urgent): asyncio.Lock() for pace in paces for urgent in (False, True)}
        self._heard = self._suspected = False
        self._put_back: dict[int, float] = {}  # until when, by subscription, as their recipient alone is paused

    def condition(self) -> ChannelState:
        """How the channel fares, as far as this process knows."""
        state = self._breaker
        return ChannelState(
            name=self._channel.name,
            broken_since=state.since,
            refused=state.refused,
            reason=state.reason,
            heard=self._heard,
        )

    def begin_anew(self) -> None:
        """Another process may have sent meanwhile: what this one knew of the provider proves nothing any more."""
        self._breaker = Breaker(self._scale)
        self._heard = False

    def room(self, places: int, busy: int) -> int:
        """How many of so many places may be taken now."""
        if self.closed_for("send"):
            return 0
        return (1 if self._breaker.on_trial() else places) - busy

    def edits(self) -> int:
        """How many edits may go now without waiting."""
        if self.closed_for("edit"):
            return 0
        free = self._edits.free(_loop_time())
        return min(free, 1) if self._breaker.on_trial() else free

    def closed_for(self, call: Call, to: Address | None = None) -> timedelta:
        """How long nothing of this kind may go, at least; nothing if it may."""
        now = _loop_time()
        until = max(self._pauses.get(scope, 0.0) for scope in ("", call, str(to)))
        probe = self._breaker.probe_in(now)
        return timedelta(seconds=max(until - now, 0.0 if probe is None else probe + EXACT, 0.0) / self._scale)

    def resting(self) -> Collection[int]:
        """The subscriptions that nothing may be sent to yet."""
        now = _loop_time()
        self._put_back = {who: until for who, until in self._put_back.items() if until > now}
        return self._sends.resting(now) | set(self._put_back)

    async def turn(self, call: Call, to: Address, who: int) -> bool:
        """Waits for the next place; whether the message may go then, or has to be put back."""
        pace, chat = self._edits if call == "edit" else self._sends, chat_of(to)
        while not self._stopping:
            rest = await self._leave(pace, chat, call, to, who)
            if self.closed_for(call, to):
                self._put_back[who] = self._pauses.get(str(to), 0.0)
                return False
            if rest <= 0:
                return not self._stopping
            if rest > NEAR * self._scale:
                return False
            await asyncio.sleep(rest)
        return False

    async def _leave(self, pace: Pace, chat: str, call: Call, to: Address, who: int) -> float:
        """Takes the next place, one after the other; if this chat rests, how long, and the place is left to others.

        Nobody takes one, or waits for it, while the way is closed: a pause may last an hour.
        """
        async with self._queues[pace, False], self._places[pace]:
            if (rest := pace.rests(chat, who, _loop_time())) > 0 or self._stopping or self.closed_for(call, to):
                return rest
            await asyncio.sleep(max(0.0, pace.wait(_loop_time())))
            pace.went(chat, who, _loop_time())
            return 0.0

    async def urgent_turn(self, call: Call, to: Address) -> None:
        """Waits for the next place but one at most, or for the end of whatever closes the way; the chat's own rest is
        not for who is talking to us. The urgent ones queue up apart: they and the rest take turns.
        """
        pace = self._edits if call == "edit" else self._sends
        async with self._queues[pace, True]:
            while True:
                await asyncio.sleep(self.closed_for(call, to).total_seconds() * self._scale)
                async with self._places[pace]:
                    await asyncio.sleep(max(0.0, pace.wait(_loop_time())))
                    if not self.closed_for(call, to):
                        return pace.went(chat_of(to), None, _loop_time())

    def stop(self) -> None:
        """Nobody's turn comes any more: what has not begun is put back."""
        self._stopping = True

    def worked(self) -> None:
        """The provider took something."""
        self._heard = True
        broken = self._breaker.since is not None
        self._breaker.worked()
        if broken:
            log.info("channel works again", channel=self._channel.name)

    def idle(self) -> None:
        """Nothing waits to be sent."""
        self._breaker.idle(_loop_time())

    def suspect(self) -> None:
        """A process before this one left it broken: that is to be seen into, even if nothing has to be sent."""
        self._suspected = not self._heard

    def failed(self, failure: ChannelFailure) -> None:
        """A call ended so."""
        self._heard = True
        if self._breaker.failed(failure, _loop_time(), self._clock.now()):
            log.error(
                "channel broken", channel=self._channel.name, reason=failure.reason, refused=self._breaker.refused
            )

    def pause(self, call: Call, to: Address, length: timedelta, reason: str) -> Pause:
        """The provider wants one: begins at once, and is to be kept."""
        scope = {"all": "", "call": call, "recipient": str(to)}[self._channel.throttles]
        kept = Pause(scope=scope, until=self._clock.now() + length, reason=reason)
        self._begin(scope, length)
        log.warning(
            "paused", channel=self._channel.name, scope=scope, reason=reason, seconds=round(length.total_seconds())
        )
        return kept

    def recall(self, pauses: Sequence[Pause]) -> None:
        """Pauses that another process was asked for; none is longer than a provider's, whatever the clock does."""
        for pause in pauses:
            log.warning(
                "still paused",
                channel=self._channel.name,
                scope=pause.scope,
                reason=pause.reason,
                until=str(pause.until),
            )
            self._begin(pause.scope, min(pause.until - self._clock.now(), timedelta(seconds=LONGEST_PAUSE)))

    async def probe(self) -> None:
        """Asks the provider about the bot itself, if it is time to."""
        broken = self._breaker.probe_in(_loop_time())
        if broken != 0 and not (self._suspected and broken is None):
            return
        self._suspected = False
        failure: ChannelFailure | None = None
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._channel.check()
        except ChannelFailure as failed:
            failure = failed
        except TimeoutError:
            failure = NotSent(f"it does not answer a probe within {PROBE_SECONDS} s")
        self._heard = True
        if failure is not None or broken is not None:
            self._breaker.probed(failure, _loop_time(), self._clock.now())
        self._log_probe(failure)

    def _log_probe(self, failure: ChannelFailure | None) -> None:
        again = self._breaker.probe_in(_loop_time())
        if failure is None or again is None:
            log.info("probed, and it answers", channel=self._channel.name)
        else:
            seconds = round(again / self._scale)
            log.warning("still broken", channel=self._channel.name, reason=failure.reason, probed_again_in=seconds)

    def _begin(self, scope: str, length: timedelta) -> None:
        until = _loop_time() + length.total_seconds() * self._scale
        self._pauses[scope] = max(self._pauses.get(scope, 0.0), until)
        if scope in ("", "send"):
            self._sends.resume(self._pauses[scope])
        if scope in ("", "edit") and self._edits is not self._sends:
            self._edits.resume(self._pauses[scope])


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
