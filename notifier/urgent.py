"""What cannot wait behind the news: answers to who is talking to us, on the same provider and by the same gate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from notifier.gate import Gate
from notifier.ports import Ambiguous, Call, ChannelFailure, Clock, NotSent, Outbox, StoreFailed
from notifier.retry import Policy, decide
from notifier.subscription import Address

TURN_SECONDS = 20
"""How long an answer may wait for its turn: later nobody looks at it any more."""

CALL_SECONDS = 20
"""The longest that a provider may take for one."""

Result = TypeVar("Result")

log = structlog.get_logger("deliver")


class Urgent:
    """One channel's answers. Each is tried once: who misses one asks again."""

    def __init__(self, name: str, gate: Gate, outbox: Outbox, policy: Policy, clock: Clock) -> None:
        self._name = name
        self._gate = gate
        self._outbox = outbox
        self._policy = policy
        self._patience = TURN_SECONDS * clock.second

    async def do(self, call: Call, to: Address, send: Callable[[], Awaitable[Result]]) -> Result:
        """Sends when its turn comes. Raises what `send` raises, of which the gate hears if it is a ChannelFailure; and
        NotSent, if the turn does not come in time.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._gate.urgent_turn(call, to)
        except TimeoutError:
            raise NotSent("its turn did not come in time") from None
        try:
            async with asyncio.timeout(CALL_SECONDS):
                result = await send()
        except ChannelFailure as failure:
            await self.failed(call, to, failure)
            raise
        except TimeoutError:
            unclear = Ambiguous(f"no answer within {CALL_SECONDS} s")
            await self.failed(call, to, unclear)
            raise unclear from None
        self._gate.worked()
        return result

    async def failed(self, call: Call, to: Address, failure: ChannelFailure) -> None:
        """A call ended so: what it says of the provider holds for all."""
        self._gate.failed(failure)
        decision = decide(failure, self._policy, attempt=1, plain=False, can_find=False, jitter=0.5)
        if decision.pause is None:
            return
        pause = self._gate.pause(call, to, decision.pause, failure.reason)
        try:
            await self._outbox.pause(self._name, pause)
        except StoreFailed as failed:
            log.warning("a pause is not kept", channel=self._name, reason=str(failed))
