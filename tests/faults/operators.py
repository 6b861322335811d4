"""The whole service with operators: one trading desk on Slack, and two people who look after the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from notifier.app import Service, service
from notifier.config import load
from notifier.deliver import PATIENCE
from notifier.simulator import Simulator
from notifier.simulator import load as script
from tests.doubles import FrozenClock
from tests.receivers.mail import FakeMail
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram
from tests.sources.wire import Wire, saying, serving
from tests.template import laid_out

DESK, CHAT, MAILBOX = "slack:C0TRADING", "telegram:-1009", "mailto:oncall@example.com"
SECRET = "/ping/canary-2b7f"
START = datetime(2026, 5, 12, 9, tzinfo=UTC)

STORY = """
[page]
start = 2026-05-12T09:00:00Z
end = 15:00:00
history = 3
"""


def incident(name: str, at: str) -> str:
    return f"""
[[incidents]]
name = "{name}"
title = "Deposits are delayed ({name})"
components = ["Kraken API (Websocket)"]
  [[incidents.updates]]
  at = {at}
  status = "investigating"
  text = "We look into it."
"""


class ShortWaits(FrozenClock):
    """Only a short wait is one that passes: two refusals whose pauses passed at once would take turns for ever."""

    def seconds(self, length: timedelta) -> float:
        return super().seconds(length) if length <= PATIENCE else 0.001


@dataclass(kw_only=True)
class Duty:
    """The receivers outlive the processes; `process()` makes the next one."""

    folder: Path
    clock: FrozenClock
    simulator: Simulator
    slack: FakeSlack
    telegram: FakeTelegram
    mail: FakeMail
    heartbeat: Wire
    operators: Collection[str]
    more: Mapping[str, str]
    """Settings, by the rest of their variable's name."""

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Service]:
        names = {
            "STATUS_PAGE__URL": self.simulator.url,
            "EXCHANGE__API_URL": self.simulator.url,
            "STORE__URL": f"sqlite:///{laid_out(self.folder / 'notifier.db')}",
            "SLACK__BOT_TOKEN": "xoxb-1-fake-canary-5f2d",
            "SLACK__API_URL": self.slack.url,
            "TELEGRAM__BOT_TOKEN": self.telegram.token,
            "TELEGRAM__API_URL": self.telegram.url,
            "EMAIL__SMTP_URL": self.mail.url,
            "SUBSCRIPTIONS": DESK,
            "ANNOUNCE__WELCOME": "false",
            "OPERATORS__TO": "[" + ", ".join(f'"{each}"' for each in self.operators) + "]",
            "OPERATORS__HEARTBEAT_URL": self.heartbeat.url + SECRET,
            **self.more,
        }
        settings = load(None, {f"NOTIFIER_{key}": value for key, value in names.items()})
        async with service(settings, lambda _: None, clock=self.clock) as running:
            await running.begin()
            yield running

    async def at(self, running: Service, *minutes: float) -> None:
        """So many minutes after the start: everything is polled, sent, looked at, and sent."""
        for each in minutes:
            self.clock.move(START + timedelta(minutes=each) - self.clock.now())
            for source in running.page_sources:
                await running.poll.page(source)
            assert running.exchange is not None
            await running.poll.exchange(running.exchange)
            await self.send(running)
            await running.watch.step()
            await self.send(running)

    async def recovers(self, running: Service, channel: str) -> None:
        """Until a probe finds the channel well again: that comes by the process's own clock, not by the story's."""
        [sender] = [each for each in running.senders if each.channel.name == channel]
        async with asyncio.timeout(20):
            while sender.condition().broken_since:
                await sender.run(until_empty=True)

    async def send(self, running: Service) -> None:
        now = self.clock.now()
        for sender in running.senders:
            await sender.run(until_empty=True)
        self.clock.move(now - self.clock.now())

    def titles(self) -> dict[str, list[str]]:
        """The first line of each message, by receiver."""
        return {
            DESK: [each.text.split("\n")[0].strip("*") for each in self.slack.messages],
            CHAT: [each.text.split("\n")[0] for each in self.telegram.messages],
            MAILBOX: [str(each.message["Subject"]) for each in self.mail.received],
        }


@asynccontextmanager
async def duty(
    folder: Path, story: str, *, operators: Collection[str] = (CHAT, MAILBOX), more: Mapping[str, str] | None = None
) -> AsyncIterator[Duty]:
    clock = ShortWaits(START)
    async with AsyncExitStack() as stack:
        yield Duty(
            folder=folder,
            clock=clock,
            simulator=await stack.enter_async_context(Simulator(script(STORY + story), clock.now)),
            slack=await stack.enter_async_context(FakeSlack(clock=lambda: clock.now().timestamp())),
            telegram=await stack.enter_async_context(FakeTelegram()),
            mail=await stack.enter_async_context(FakeMail()),
            heartbeat=await stack.enter_async_context(serving(saying(b"OK"))),
            operators=operators,
            more=more or {},
        )
