"""A simulated status page and everyone who may be told, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from notifier.simulator import Script, Simulator, load
from tests.receivers.mail import FakeMail
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram

SUMMARY = "/api/v2/summary.json"
FEED = "/history.atom"
SUBSCRIPTIONS = ("slack:C0TRADING", "slack-webhook:ops", "telegram:-1001", "mailto:ops@example.com", "console:")

MAX_IN_FLIGHT = 2
"""Sends to Telegram at once."""


class StoryTime:
    """The story's clock in the test's hand. Every request to the simulator asks for it, and wakes those who wait."""

    def __init__(self, start: datetime) -> None:
        self.asked = 0
        """How often; a request that is never answered counts too."""
        self._at_each_call: Callable[[], None] = lambda: None
        self._now = start
        self._moved = asyncio.Event()

    def __call__(self) -> datetime:
        self.asked += 1
        self._at_each_call()
        self._moved.set()
        return self._now

    def at_each_call(self, do: Callable[[], None]) -> None:
        self._at_each_call = do

    def set(self, now: datetime) -> None:
        self._now = now

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Waits for something that polls bring about."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def until_quiet(self, seconds: float = 0.5) -> None:
        """Waits until nothing was asked for so long."""
        with suppress(TimeoutError):
            while True:
                self._moved.clear()
                async with asyncio.timeout(seconds):
                    await self._moved.wait()


class Page(Simulator):
    """Notes who asks it, and may be down."""

    def __init__(self, script: Script, clock: Callable[[], datetime]) -> None:
        super().__init__(script, clock)
        self.askers: list[tuple[float, str]] = []
        """Of each request the time, by the clock of the event loop, and the User-Agent."""
        self.down = False

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.askers.append((asyncio.get_running_loop().time(), request.headers.get("User-Agent", "")))
        answered = await super()._answer(request)
        return web.Response(status=503) if self.down else answered


@dataclass(frozen=True, kw_only=True)
class Town:
    """A status page and everyone who may be told."""

    time: StoryTime
    simulator: Page
    slack: FakeSlack
    telegram: FakeTelegram
    mail: FakeMail

    async def polled(self, times: int) -> None:
        """Until the page's summary and its feed were asked so many times more."""
        goal = {path: self._served(path) + times for path in (SUMMARY, FEED)}
        await self.time.until(lambda: all(self._served(path) >= count for path, count in goal.items()))

    async def read_again(self) -> None:
        """Until the summary was asked three times more: a process that has just begun is past its first round."""
        goal = self._served(SUMMARY) + 3
        await self.time.until(lambda: self._served(SUMMARY) >= goal)

    def _served(self, path: str) -> int:
        return sum(count for (each, _), count in self.simulator.served.items() if each == path)

    def settings(
        self,
        database: Path,
        *,
        subscriptions: Sequence[str] = SUBSCRIPTIONS,
        in_flight: int = MAX_IN_FLIGHT,
        per_second: int = 25,
        more: str = "",
    ) -> str:
        """A settings file that names everybody here; the pace is Telegram's, `more` goes in between the sections."""
        told = "\n".join(f'[[subscriptions]]\nto = "{address}"' for address in subscriptions)
        return f"""
[status_page]
url = "{self.simulator.url}"
poll_seconds = 0.1
active_poll_seconds = 0.1
feed_poll_seconds = 0.15
[exchange]
api_url = "{self.simulator.url}"
poll_seconds = 0.2
[store]
url = "sqlite:///{database}"
[slack]
bot_token = "{self.slack.token}"
api_url = "{self.slack.url}"
[slack.webhooks]
ops = "{self.slack.webhook("ops")}"
[telegram]
bot_token = "{self.telegram.token}"
api_url = "{self.telegram.url}"
max_in_flight = {in_flight}
messages_per_second = {per_second}
[email]
smtp_url = "{self.mail.url}"
sender = "Kraken status <status@example.com>"
{more}
{told}
"""


@asynccontextmanager
async def town(script: Script, slack_clock: Callable[[], float] | None = None) -> AsyncIterator[Town]:
    """Its clock stands at the script's start."""
    time = StoryTime(script.page.start)
    async with AsyncExitStack() as stack:
        yield Town(
            time=time,
            simulator=await stack.enter_async_context(Page(script, time)),
            slack=await stack.enter_async_context(FakeSlack(clock=slack_clock) if slack_clock else FakeSlack()),
            telegram=await stack.enter_async_context(FakeTelegram()),
            mail=await stack.enter_async_context(FakeMail(users={"bot": "fake-canary-smtp-77"})),
        )


def outage(
    *updates: tuple[str, str], apart: timedelta = timedelta(seconds=20), answers_for: timedelta = timedelta(days=1)
) -> Script:
    """One incident, in updates (status and text) that are `apart`; `answers_for` is how long anything is answered.

    It all begins a few minutes before now by the wall's clock, so that nothing told of it is late.
    """
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    told = "\n".join(
        f"""
  [[incidents.updates]]
  at = {start + (place + 1) * apart:%Y-%m-%dT%H:%M:%S}.250Z
  status = "{status}"
  text = "{text}"
"""
        for place, (status, text) in enumerate(updates)
    )
    return load(f"""
[page]
start = {start:%Y-%m-%dT%H:%M:%SZ}
end = {start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}
[[incidents]]
name = "outage"
title = "WebSocket API connection errors"
impact = "major"
components = ["Kraken API (Websocket)"]
{told}
[[faults]]
from = {start + answers_for:%Y-%m-%dT%H:%M:%SZ}
to = {start + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}
target = "*"
answer = "hang"
""")
