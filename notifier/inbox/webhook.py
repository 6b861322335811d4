"""Is told by Telegram what people say: each update is in the database before Telegram hears that it arrived."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from notifier.inbox.condition import Condition
from notifier.inbox.lanes import Lanes, work_off
from notifier.inbox.telegram import ALLOWED, TelegramInbox
from notifier.inbox.waiting import happens, unless
from notifier.known import InboxState
from notifier.ports import Clock, StoreFailed
from notifier.readers import Readers
from notifier.urls import is_loopback

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - its name
LARGEST = 1_000_000
"""Bytes of an update; Telegram's are a few thousand."""
CONNECTIONS = 40
LOOK_SECONDS = 60.0
"""How often Telegram is asked whether it still sends here."""
IDLE_SECONDS = 5.0
"""How often the database is looked into: another process may have been told something, and its call be lost."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before Telegram is asked again after a failure, doubled each time."""
MOST = 300
"""Updates under way, their answers included, before the others wait in the database."""
STUCK = timedelta(minutes=5)
"""How young Telegram's last failure to reach us has to be to count."""

log = structlog.get_logger("inbox")


def secret_of(key: str) -> str:
    """What Telegram has to say with each update; nobody without the key can find it."""
    return urlsafe_b64encode(hmac.digest(key.encode(), b"telegram webhook", "sha256")).decode().rstrip("=")


class Webhook:
    """`url` is where Telegram sends to, `port` where that arrives; `key` is this database's own secret."""

    def __init__(
        self, bot: Bot, inbox: TelegramInbox, readers: Readers, clock: Clock, *, url: str, port: int, key: str
    ) -> None:
        self._bot = bot
        self._inbox = inbox
        self._readers = readers
        self._clock = clock
        self._url = url
        self._port = port
        self._secret = secret_of(key)
        self._lanes = Lanes(inbox, clock.second)
        self._condition = Condition(clock)
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()
        self._listening = asyncio.Event()
        self._opened = False
        self._under_way: set[int] = set()
        self._done: set[int] = set()
        """Handled, which the database does not know yet."""

    def condition(self) -> InboxState:
        return self._condition.state()

    def forget(self) -> None:
        """Another process may have read meanwhile: what was heard before proves nothing any more."""
        self._condition = Condition(self._clock)

    def stop(self) -> None:
        """Takes nothing more; `run` returns when what was begun is done. The rest waits in the database."""
        self._stopping.set()
        self._lanes.stop()
        self._woken.set()

    async def listen(self) -> None:
        """Keeps what Telegram says, until it is cancelled; whichever process does `run` handles it."""
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def run(self) -> None:
        """Until it is stopped."""
        self._under_way.clear()  # what was cut off before it began never counted itself out
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._register())
            tasks.create_task(self._handle_for_ever(tasks))

    def wake(self) -> None:
        """Another process kept something that was said."""
        self._woken.set()

    async def once(self) -> None:
        """Handles what lies in the database: nobody listens for longer. What is not kept waits there."""
        self._lanes.stop()
        try:
            await self._inbox.open()
            tried: set[int] = set()
            while found := [each for each in await self._readers.received(MOST) if each[0] not in tried]:
                tried.update(number for number, _ in found)
                async with asyncio.TaskGroup() as tasks:
                    for number, doc in found:
                        tasks.create_task(self._work(number, doc))
        except (TelegramError, StoreFailed) as error:
            log.warning("what people said waits", reason=type(error).__name__)

    def application(self) -> web.Application:
        """One path, one method."""
        application = web.Application(client_max_size=LARGEST)
        application.router.add_post(urlsplit(self._url).path or "/", self._receive)
        return application

    async def _receive(self, request: web.Request) -> web.Response:
        said = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(said.encode(errors="replace"), self._secret.encode()):
            return web.Response(status=403)
        try:
            body = (await request.read()).decode()
            number = json.loads(body)["update_id"]
            if not isinstance(number, int):
                raise TypeError
        except (ValueError, LookupError, TypeError, RecursionError):
            return web.Response(status=400)
        try:
            await self._readers.receive(number, body)
        except StoreFailed as failed:
            log.warning("an update is not taken; Telegram brings it again", reason=str(failed))
            return web.Response(status=500)
        self._woken.set()
        return web.Response()

    async def _listen(self, runner: web.AppRunner) -> None:
        """As soon as the port is free: a process that ends may still have it."""
        host = "127.0.0.1" if is_loopback(urlsplit(self._url).hostname or "") else "0.0.0.0"  # noqa: S104
        while not self._stopping.is_set():
            try:
                await web.TCPSite(runner, host, self._port).start()
                self._listening.set()
                return
            except OSError as error:
                self._condition.suffers(f"port {self._port} is not to be had, PORT names another: {error.strerror}")
                await happens(self._stopping, FIRST_WAIT * self._clock.second)

    async def _register(self) -> None:
        """Tells Telegram where to send, and looks now and then whether it still does."""
        wait = FIRST_WAIT
        await unless(self._stopping, self._listening.wait)
        while not self._stopping.is_set():
            try:
                await unless(self._stopping, self._inbox.open)
                self._opened = True
                self._woken.set()
                await unless(self._stopping, self._look)
                await unless(self._stopping, self._inbox.introduce)
                wait = LOOK_SECONDS
            except TelegramError as error:
                self._condition.failed(error)
                wait = LONGEST_WAIT if isinstance(error, InvalidToken) else min(2 * wait, LONGEST_WAIT)
            await happens(self._stopping, wait * self._clock.second)

    async def _look(self) -> None:
        info = await self._bot.get_webhook_info()
        new = self._condition.state().heard_at is None
        if new or info.url != self._url:
            await self._bot.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=ALLOWED, max_connections=CONNECTIONS
            )
        failed_at = info.last_error_date
        if info.url != self._url and not new:
            self._condition.suffers("somebody gave Telegram another address for the bot's updates", conflict=True)
        elif info.pending_update_count and failed_at and self._clock.now() - failed_at < STUCK:
            self._condition.suffers(f"Telegram does not reach the webhook: {info.last_error_message}")
        else:
            self._condition.worked()

    async def _handle_for_ever(self, tasks: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            if self._opened:
                await self._begin(tasks)
            await happens(self._woken, IDLE_SECONDS * self._clock.second)

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """Many at a time: what waits is not read anew for each that ends."""
        if len(self._under_way) > MOST // 2:
            return
        try:
            waiting = await self._readers.received(MOST)
        except StoreFailed as failed:
            log.warning("what people said waits for the database", reason=str(failed))
            return
        for number, doc in waiting:
            if number not in self._under_way and len(self._under_way) < MOST:
                self._under_way.add(number)
                tasks.create_task(self._work(number, doc))

    async def _work(self, number: int, doc: str) -> None:
        try:
            await work_off(number, doc, self._lanes, self._readers, self._bot, self._done)
        except StoreFailed as failed:
            log.warning("an update may be handled again by the next process", update=number, reason=str(failed))
            await happens(self._stopping, FIRST_WAIT * self._clock.second)
        finally:
            self._under_way.discard(number)
            self._woken.set()
