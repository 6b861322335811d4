"""Updates side by side: those of one chat in order, those of different chats at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from telegram import Bot, Update

from notifier.inbox.waiting import happens
from notifier.ports import StoreFailed
from notifier.readers import Readers

HANDLE_SECONDS = 30
"""The longest that one update may take until what it changes is kept, before it is tried again: whatever else is asked
on the way gives up by itself, so that it is the database which hangs.
"""

FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Seconds before an update is tried again whose change the database did not take, doubled each time."""

Rest = Callable[[], Awaitable[None]]
"""What is left to do once nothing can be lost any more: the answer."""

log = structlog.get_logger("inbox")


class Handling(Protocol):
    async def handle(self, update: Update) -> Rest | None:
        """Keeps what the update changes; what is left to do. Raises StoreFailed, and whatever a bug raises."""


@dataclass(slots=True)
class _Lane:
    deciding: asyncio.Lock = field(default_factory=asyncio.Lock)
    answering: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Lanes:
    """An answer that hangs holds up the next answer to its chat, and nothing else."""

    def __init__(self, inbox: Handling, second: float) -> None:
        self._inbox = inbox
        self._second = second
        self._lanes: dict[int, _Lane] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """What the database does not take is not tried again."""
        self._stopping.set()

    async def work(self, update: Update, kept: Callable[[], None]) -> None:
        """Handles one update. `kept` is called when it need not come again, if that is so. Never raises but when it is
        cancelled.
        """
        number = _chat(update)
        lane = self._lanes.setdefault(number, _Lane())
        lane.waiting += 1
        try:
            async with lane.deciding:
                try:
                    rest = await self._decide(update)
                except (StoreFailed, TimeoutError):
                    return
                kept()
            if rest is not None:
                async with lane.answering:
                    await self._finish(update, rest)
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                del self._lanes[number]

    async def _decide(self, update: Update) -> Rest | None:
        wait = FIRST_WAIT
        while True:
            try:
                async with asyncio.timeout(HANDLE_SECONDS):
                    return await self._inbox.handle(update)
            except (StoreFailed, TimeoutError) as failed:
                reason = str(failed) or f"no answer within {HANDLE_SECONDS} s"
                log.warning("a question waits for the database", update=update.update_id, reason=reason)
                if await happens(self._stopping, wait * self._second):
                    raise
                wait = min(2 * wait, LONGEST_WAIT)
            except Exception:
                log.exception("an update is passed over: handling it failed", update=update.update_id)
                return None

    async def _finish(self, update: Update, rest: Rest) -> None:
        try:
            await rest()
        except Exception:
            log.exception("a question is not answered: answering failed", update=update.update_id)


def read_update(doc: Any, bot: Bot) -> Update | None:
    """None if it cannot be read: one such update must not stop the others."""
    try:
        return Update.de_json(doc, bot)
    except Exception as error:  # noqa: BLE001 - whatever the library trips over
        log.error("an update is passed over: it cannot be read", reason=type(error).__name__)
        return None


async def work_off(number: int, doc: str, lanes: Lanes, readers: Readers, bot: Bot, done: set[int]) -> None:
    """An update that lies in the database. It is handled only once it is answered: it costs nothing to keep it until
    then. `done` are those of which the database does not know that yet. Raises StoreFailed.
    """
    if number not in done:
        update = read_update(json.loads(doc), bot)
        if update is None:
            done.add(number)
        else:
            await lanes.work(update, lambda: done.add(number))
    if number in done:
        await readers.handled(number)
        done.discard(number)


def _chat(update: Update) -> int:
    chat, user = update.effective_chat, update.effective_user
    return chat.id if chat else user.id if user else 0
