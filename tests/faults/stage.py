"""The product in this process, with real sources, store and channels, and its clock in the test's hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

from notifier.app import Service, service
from notifier.clocks import StoryClock
from notifier.config import Settings, load
from notifier.markup import INERT
from notifier.simulator import Script, Simulator
from tests.doubles import FrozenClock
from tests.faults.rawpage import RawPage
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram
from tests.template import laid_out

SLACK, TELEGRAM = "slack:C0TRADING", "telegram:-1001"


@dataclass(kw_only=True)
class Stage:
    """One Slack channel and one Telegram chat are told what a simulated page says."""

    script: Script
    clock: FrozenClock
    site: Simulator | RawPage
    settings: Settings
    slack: FakeSlack
    telegram: FakeTelegram
    process: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What ends with the process that is running."""

    async def restart(self, *, store: str = "", replay: bool = False) -> None:
        """The process ends in order, if there is one; the next one goes on with its database, or with another one."""
        await self.process.aclose()
        if store:
            moved = self.settings.store.model_copy(update={"url": store})
            self.settings = self.settings.model_copy(update={"store": moved})
        self.running: Service = await self.process.enter_async_context(
            service(self.settings, lambda _: None, clock=self.clock, replay=replay)
        )
        await self.running.begin()

    async def at(self, *moments: datetime) -> None:
        """Polls everything once at each of these moments, and empties the outbox."""
        for moment in moments:
            await self.reads(moment)
            await self.running.poll.welcome(self.running.page.name)
            await self.running.poll.remind(timedelta(minutes=30))
            await self._deliver()
            if await self.running.watch.step():
                await self._deliver()

    async def reads(self, moment: datetime) -> None:
        """Polls everything once, and sends nothing. Its leases were renewed all the while."""
        self.clock.move(moment - self.clock.now())
        await self.running.duties.take()
        for source in self.running.page_sources:
            await self.running.poll.page(source)
        if self.running.exchange is not None:
            await self.running.poll.exchange(self.running.exchange)

    async def _deliver(self) -> None:
        for sender in self.running.senders:
            await sender.run(until_empty=True)

    async def through(self, start: datetime, end: datetime, step: timedelta) -> None:
        """From `start` to before `end`."""
        while start < end:
            await self.at(start)
            start += step

    def told(self, incident_id: str = "") -> dict[str, list[str]]:
        """What each receiver read, of this incident or of all, in order, as words without markup."""
        slack = [_words(each.text) for each in self.slack.messages if f"/incidents/{incident_id}" in each.text]
        telegram = [
            _words(each.text)
            for each in self.telegram.messages
            if any(f"/incidents/{incident_id}" in entity.get("url", "") for entity in each.entities)
        ]
        return {SLACK: slack, TELEGRAM: telegram}

    @asynccontextmanager
    async def live(self, clock: StoryClock) -> AsyncIterator[Service]:
        """The next process: it has polled the page as it was at that moment, and its senders send by this clock."""
        await self.process.aclose()
        self.clock.move(clock.now() - self.clock.now())
        async with service(self.settings, lambda _: None, clock=clock) as running:
            await running.begin()
            for source in running.page_sources:
                await running.poll.page(source)
            async with asyncio.TaskGroup() as senders:
                for sender in running.senders:
                    senders.create_task(sender.run())
                yield running
                running.stop()


def _words(text: str) -> str:
    """What is read of a message: links and dates by their words, no quotation marks, white space as one blank."""
    text = re.sub(r"<[^<>|]*[|^]([^<>|^]*)>", r"\1", re.sub(r"(?m)^> ", "", text))
    return " ".join(unescape(text).replace(INERT, "").split())


@asynccontextmanager
async def stage(script: Script, folder: Path, page: RawPage | None = None, **more: str) -> AsyncIterator[Stage]:
    """It has seen the page once, at the script's start, and greeted its subscribers.

    The simulator plays the page, unless one is given; `more` are settings by the rest of their variable's name.
    """
    clock = page.clock if page is not None else FrozenClock(script.page.start)
    async with (
        page or Simulator(script, clock.now) as site,
        FakeSlack(clock=lambda: clock.now().timestamp()) as slack,
        FakeTelegram() as telegram,
    ):
        settings = {
            "STATUS_PAGE__URL": site.url,
            "EXCHANGE__API_URL": site.url,
            "STORE__URL": f"sqlite:///{laid_out(folder / 'notifier.db')}",
            "SLACK__BOT_TOKEN": slack.token,
            "SLACK__API_URL": slack.url,
            "TELEGRAM__BOT_TOKEN": telegram.token,
            "TELEGRAM__API_URL": telegram.url,
            "SUBSCRIPTIONS": f"{SLACK},{TELEGRAM}",
            **more,
        }
        loaded = load(None, {f"NOTIFIER_{key}": value for key, value in settings.items()})
        made = Stage(script=script, clock=clock, site=site, settings=loaded, slack=slack, telegram=telegram)
        async with made.process:
            await made.restart()
            await made.at(script.page.start)
            yield made
