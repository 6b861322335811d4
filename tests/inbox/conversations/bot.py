"""The whole service as people meet it: a simulated page, a real database, and everybody in his own chat.

Nothing runs by itself: the bot `hears` what was said, and lives through `at` what happens. Whatever goes over the fake
Bot API is judged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from notifier.app import Service, service
from notifier.config import Settings, load
from notifier.simulator import Simulator
from notifier.simulator import load as script
from notifier.tongue import Tongue
from tests.faults.operators import ShortWaits
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram, TelegramMessage
from tests.receivers.telegram_network import Press
from tests.receivers.telegram_people import Person
from tests.template import laid_out

DAY = "2026-05-12"
PAGE = """
[page]
start = {start}
end = {end}
history = 3
"""
WEBSOCKET = "WebSocket API connection errors"
OUTAGE = f"""
[[incidents]]
name = "outage"
title = "{WEBSOCKET}"
impact = "major"
components = ["Kraken API (Websocket)"]
  [[incidents.updates]]
  at = 10:00:00
  status = "investigating"
  text = "We look into it."
  [[incidents.updates]]
  at = 10:10:00
  status = "identified"
  text = "We found it."
  [[incidents.updates]]
  at = 10:20:00
  status = "resolved"
  text = "It is over."
"""
PLANNED = """
[[maintenances]]
name = "upgrade"
title = "Spot & Futures <Site> Maintenance"
impact = "maintenance"
components = ["Website"]
scheduled_for = 2026-05-13T06:00:00Z
scheduled_until = 2026-05-13T07:00:00Z
  [[maintenances.updates]]
  at = 09:30:00
  status = "scheduled"
  text = "The site will be away."
"""


@dataclass(kw_only=True)
class Bot:
    """Receivers and page outlive the process, which `restart` makes anew."""

    clock: ShortWaits
    simulator: Simulator
    telegram: FakeTelegram
    slack: FakeSlack
    settings: Settings
    process: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def restart(self) -> None:
        await self.process.aclose()
        self.running: Service = await self.process.enter_async_context(
            service(self.settings, lambda _: None, clock=self.clock)
        )
        await self.running.begin()

    async def at(self, *moments: str) -> None:
        """At each of these moments, as 10:05 or 2026-05-13 08:00, everything is read and everybody told."""
        for moment in moments:
            day, _, time = moment.rpartition(" ")
            then = datetime.fromisoformat(f"{day or self.simulator.script.page.start.date()} {time}+00:00")
            self.clock.move(then - self.clock.now())
            await self.hears()
            for source in self.running.page_sources:
                await self.running.poll.page(source)
            if self.running.exchange is not None:
                await self.running.poll.exchange(self.running.exchange)
            await self.running.poll.welcome(self.running.page.name)
            await self.running.poll.remind(timedelta(minutes=30))
            await self.tells()
            await self.running.watch.step()
            await self.tells()

    async def hears(self) -> None:
        """What was said until now is answered."""
        assert self.running.inbox is not None
        await self.running.inbox.once()

    async def tells(self) -> None:
        """What is owed and due goes out; no time passes."""
        now = self.clock.now()
        for sender in self.running.senders:
            await sender.run(until_empty=True)
        self.clock.move(now - self.clock.now())

    async def answers(self, *said: TelegramMessage) -> TelegramMessage:
        """The one answer to what was just said, however often it was."""
        place = said[-1].place
        before = len(place.messages)
        await self.hears()
        found = place.messages[before:]
        assert len(found) == 1, f"{said[-1].text!r}: {[each.text for each in found]}"
        return found[0]

    async def is_silent(self, *said: TelegramMessage) -> None:
        """To nothing of this anybody is answered anything."""
        before = len(self.telegram.messages)
        await self.hears()
        found = self.telegram.messages[before:]
        assert not found, f"{[each.text for each in said]}: {[each.text for each in found]}"

    async def pressed(self, person: Person, below: TelegramMessage, words: str) -> str:
        """What is read after he pressed it: the word that was shown for a moment, the message, and what is new."""
        return await self._read_after(person.presses(below, words), below)

    async def forged(self, person: Person, below: TelegramMessage, data: str) -> str:
        """As `pressed`, with a button of his own making."""
        return await self._read_after(person.forges(below, data), below)

    async def _read_after(self, press: Press, below: TelegramMessage) -> str:
        before = len(self.telegram.messages)
        await self.hears()
        self.is_answered(press)
        new = [each.shown for each in self.telegram.messages[before:]]
        return "\n".join(each for each in (press.toast, below.shown, *new) if each)

    def is_answered(self, press: Press) -> None:
        """Once: until then he waits, and Telegram takes no second answer."""
        given = [method for method, said in self.telegram.reads if said.get("callback_query_id") == press.number]
        assert press.answered and given == ["answerCallbackQuery"]

    def speaks(self, code: str, tongue: Tongue) -> None:
        """In this language from now on, in place of the one that is shipped."""
        spoken = self.running.tongues
        assert isinstance(spoken, dict)
        spoken[code] = tongue

    async def subscribers(self) -> dict[str, tuple[str, ...]]:
        """Who came by himself and is told news, and what of."""
        found = await self.running.store.subscriptions()
        return {each.address.target: each.filter.components for each in found if each.origin == "self" and each.active}

    async def again(self, count: int) -> None:
        """The process ends before it could say that the newest updates arrived: the next one is brought them again."""
        updates = self.telegram.updates
        await self.restart()
        updates.pending[:] = updates.all[-count:]
        await self.hears()


@asynccontextmanager
async def bot(
    folder: Path,
    story: str = "",
    *,
    day: str = DAY,
    subscriptions: str = "slack:C0TRADING",
    second: float = 0.05,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Bot]:
    """It has read the page once, at nine. A `second` of its patience and its pace is really so long."""
    start = datetime.fromisoformat(f"{day}T09:00:00+00:00")
    page = PAGE.format(start=start.isoformat(), end=(start + timedelta(days=2)).isoformat())
    clock = ShortWaits(start)
    clock.second = second
    async with (
        Simulator(script(page + story), clock.now) as simulator,
        FakeTelegram() as telegram,
        FakeSlack(clock=lambda: clock.now().timestamp()) as slack,
    ):
        telegram.judged()
        telegram.network.clock = lambda: clock.now().timestamp()
        names = {
            "STATUS_PAGE__URL": simulator.url,
            "EXCHANGE__API_URL": simulator.url,
            "STORE__URL": f"sqlite:///{laid_out(folder / 'notifier.db')}",
            "SLACK__BOT_TOKEN": slack.token,
            "SLACK__API_URL": slack.url,
            "TELEGRAM__BOT_TOKEN": telegram.token,
            "TELEGRAM__API_URL": telegram.url,
            "TELEGRAM__MESSAGES_PER_SECOND": "500",
            "SUBSCRIPTIONS": subscriptions,
            "ANNOUNCE__WELCOME": "false",
            **(more or {}),
        }
        settings = load(None, {f"NOTIFIER_{key}": value for key, value in names.items()})
        made = Bot(clock=clock, simulator=simulator, telegram=telegram, slack=slack, settings=settings)
        async with made.process:
            await made.restart()
            await made.at("09:00")
            yield made
