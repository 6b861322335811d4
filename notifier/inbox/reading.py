"""Reads what people say by asking Telegram for it, again and again, and says how that fares."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import structlog
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, TelegramError

from notifier.bot_api import LONG_POLL_SECONDS, TelegramHttp
from notifier.inbox.condition import Condition
from notifier.inbox.lanes import Lanes, read_update, work_off
from notifier.inbox.telegram import ALLOWED, TelegramInbox
from notifier.inbox.waiting import unless
from notifier.known import InboxState
from notifier.ports import Clock, StoreFailed
from notifier.readers import Readers

LIMIT = 100
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds before the next question after one that failed, doubled each time."""
REFUSED_WAIT = 60.0
"""Seconds, if the credentials are refused: a person has to act."""
PATIENCE = 2.0
"""Seconds that answers under way may hold up the next question."""
MOST = 300
"""Updates under way, their answers included, before nothing more is read."""
LAST_WORD = 2.0
"""Seconds for telling Telegram at the end what is done."""

Result = TypeVar("Result")

log = structlog.get_logger("inbox")


class Reading:
    """Acknowledges an update, by asking for what comes after it, only when what it changes is kept. First comes what
    lies in the database since Telegram sent it there.
    """

    def __init__(self, http: TelegramHttp, bot: Bot, inbox: TelegramInbox, readers: Readers, clock: Clock) -> None:
        self._http = http
        self._bot = bot
        self._inbox = inbox
        self._readers = readers
        self._clock = clock
        self._lanes = Lanes(inbox, clock.second)
        self._condition = Condition(clock)
        self._wait = FIRST_WAIT
        self._stopping = asyncio.Event()
        self._moved = asyncio.Event()
        self._next: int | None = None
        self._unkept: set[int] = set()
        self._under_way = 0

    def condition(self) -> InboxState:
        return self._condition.state()

    def forget(self) -> None:
        """Another process may have read meanwhile: what was heard before proves nothing any more."""
        self._condition = Condition(self._clock)

    def stop(self) -> None:
        """Reads nothing more; `run` returns when what was read is done."""
        self._stopping.set()
        self._lanes.stop()
        self._moved.set()

    def wake(self) -> None:
        """Nobody but Telegram is asked."""

    async def run(self) -> None:
        """Until it is stopped."""
        self._next = None
        self._unkept.clear()
        self._under_way = 0  # what was cut off before it began never counted itself out
        await self._attempted(self._begin)
        async with asyncio.TaskGroup() as tasks:
            await self._work_off()
            tasks.create_task(unless(self._stopping, self._inbox.introduce))
            while not self._stopping.is_set():
                found = await self._attempted(self._updates)
                for each in found or ():
                    self._take(each, tasks)
                await self._until(lambda: not self._unkept and self._under_way < MOST)
                await self._until(lambda: not self._under_way, PATIENCE * self._clock.second)
        await self._say_goodbye()

    async def once(self) -> None:
        """Handles what is there, and returns; also if Telegram does not answer. What is not kept comes again."""
        self._lanes.stop()
        try:
            await unless(self._stopping, self._begin)
            await self._work_off()
            while not self._unkept and (found := await unless(self._stopping, partial(self._updates, wait=0))):
                async with asyncio.TaskGroup() as tasks:
                    for each in found:
                        self._take(each, tasks)
        except TelegramError as error:
            self._condition.failed(error)
        await self._say_goodbye()

    async def _begin(self) -> None:
        await self._inbox.open()
        await self._without_webhook()

    async def _without_webhook(self) -> None:
        """What waits stays."""
        if (await self._bot.get_webhook_info()).url:
            log.warning("a webhook took the bot's updates; it is deleted, as they are read by polling")
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def _work_off(self) -> None:
        """What a webhook of before took, and nobody handled."""
        tried: set[int] = set()
        try:
            while found := [each for each in await self._readers.received(MOST) if each[0] not in tried]:
                tried.update(number for number, _ in found)
                async with asyncio.TaskGroup() as tasks:
                    for number, doc in found:
                        tasks.create_task(self._work_off_one(number, doc))
        except StoreFailed as failed:
            log.warning("what a webhook took waits for the next start", reason=str(failed))

    async def _work_off_one(self, number: int, doc: str) -> None:
        try:
            await work_off(number, doc, self._lanes, self._readers, self._bot, set())
        except StoreFailed as failed:
            log.warning("an update may be handled again", update=number, reason=str(failed))

    async def _updates(self, wait: int = LONG_POLL_SECONDS) -> list[Any]:
        found = await self._http.updates(self._next, wait=wait, limit=LIMIT, allowed=ALLOWED)
        self._condition.worked()
        if self._condition.state().failing_since is None:
            self._wait = FIRST_WAIT
        return found

    async def _attempted(self, ask: Callable[[], Awaitable[Result]]) -> Result | None:
        """Asks until there is an answer; None if it was stopped before."""
        while not self._stopping.is_set():
            try:
                return await unless(self._stopping, ask)
            except TelegramError as error:
                self._condition.failed(error)
                if isinstance(error, Conflict):
                    await self._reclaim()
                refused = isinstance(error, InvalidToken)
                await self._until(lambda: False, (REFUSED_WAIT if refused else self._wait) * self._clock.second)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
        return None

    async def _reclaim(self) -> None:
        try:
            await unless(self._stopping, self._without_webhook)
        except TelegramError as error:
            log.debug("whether there is a webhook is not known", reason=type(error).__name__)

    def _take(self, doc: Any, tasks: asyncio.TaskGroup) -> None:
        number = doc.get("update_id") if isinstance(doc, dict) else None
        if not isinstance(number, int):
            log.warning("an update without a number is passed over")
            return
        self._next = number + 1
        update = read_update(doc, self._bot)
        if update is not None:
            self._unkept.add(number)
            self._under_way += 1
            tasks.create_task(self._work(update))

    async def _work(self, update: Update) -> None:
        def kept() -> None:
            self._unkept.discard(update.update_id)
            self._moved.set()

        try:
            await self._lanes.work(update, kept)
        finally:
            self._under_way -= 1
            self._moved.set()

    async def _until(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """Or until it is stopped, or so much time has passed."""
        try:
            async with asyncio.timeout(seconds):
                while not condition() and not self._stopping.is_set():
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return

    async def _say_goodbye(self) -> None:
        """What is done need not come again, and what is not, has to."""
        if self._next is None:
            return
        self._next = min(self._unkept, default=self._next)
        try:
            async with asyncio.timeout(LAST_WORD):
                await self._http.updates(self._next, wait=0, limit=1, allowed=ALLOWED)
        except (TelegramError, TimeoutError) as error:
            log.info("what was done last may come again", reason=type(error).__name__)
