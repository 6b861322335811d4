"""The product without accounts: the demonstration, the preview, and the simulator to try one's own settings against."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from notifier.app import service
from notifier.channels import console, email, slack, slack_webhook, telegram
from notifier.clocks import StoryClock
from notifier.config import Settings
from notifier.facsimile import slack_words, telegram_words
from notifier.message import Message, Receipt
from notifier.ports import Throttles
from notifier.render import Page
from notifier.simulator import Script, ScriptError, Simulator, load, shipped
from notifier.subscription import Address

__all__ = ["ScriptError", "demo", "script_named", "simulate", "written"]

DEMO_SPEED = 60
DEMO_SCRIPT = "websocket-2026-02-24"
DEMO_ADDRESSES = ("slack:C0TRADING", "slack-webhook:ops", "telegram:-1001234567890", "mailto:ops@example.com")
DEMO_SENDER = "Kraken status <status@example.com>"


def written(to: Address, message: Message) -> str:
    """What a reader reads of what a channel would send: of the very request or mail that its `compose` makes."""
    match to.channel:
        case "slack":
            return slack_words(str(slack.compose(to, message)["text"]))
        case "slack-webhook":
            return slack_words(str(slack_webhook.compose(message)["text"]))
        case "telegram":
            return telegram_words(telegram.compose(to, message))
        case "mailto":
            mail = email.compose(to, message, DEMO_SENDER)
            text = mail.get_body(("plain",))
            names = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To")
            heads = "\n".join(f"{name}: {mail[name]}" for name in names if mail[name])
            return f"{heads}\n\n{text.get_content().strip() if text else ''}"
    return console.compose(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A message of the demonstration, and when it would have arrived."""

    to: Address
    message: Message
    text: str
    at: datetime
    edited: bool = False
    """A message shown before, as it reads now."""


class _Showing:
    """Stands in for a channel: shows what would be sent, and answers as the provider would."""

    can_find = False
    throttles: Throttles = "all"

    def __init__(self, name: str, clock: StoryClock, show: Callable[[Shown], None]) -> None:
        self.name = name
        self.can_edit = self.keeps_root = name in ("slack", "telegram")
        self._recipients: dict[str, Address] = {}
        self._clock = clock
        self._show = show
        self._count = 0
        self.notes: list[str] = []

    async def send(self, to: Address, message: Message) -> Receipt:
        self._count += 1
        self._recipients[to.target] = to
        self._show(Shown(to=to, message=message, text=written(to, message), at=self._clock.now()))
        ref = email.compose(to, message, DEMO_SENDER)["Message-ID"] if self.name == "mailto" else str(self._count)
        return Receipt(to.target, ref, root=message.thread is None and self.name != "slack-webhook")

    async def edit(self, receipt: Receipt, message: Message) -> None:
        to = self._recipients[receipt.to]
        self._show(Shown(to=to, message=message, text=written(to, message), at=self._clock.now(), edited=True))

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        return "a stand-in"

    async def close(self) -> None:
        return None


async def demo(show: Callable[[Shown], None], *, speed: float = DEMO_SPEED) -> dict[str, int]:
    """Plays the incident of 24 February 2026 through the whole pipeline; deliveries by state."""
    script = load(shipped()[DEMO_SCRIPT])
    clock = StoryClock(script.page.start, speed, waits=True)
    with TemporaryDirectory(prefix="notifier-demo-") as folder:
        async with Simulator(script, clock.now) as simulator:
            settings = demo_settings(simulator.url, Path(folder) / "demo.db", speed)
            channels = {
                subscription.address.channel: _Showing(subscription.address.channel, clock, show)
                for subscription in settings.subscriptions
            }
            async with service(
                settings, lambda _: None, clock=clock, channels=dict(channels), page=Page(url=script.page.url)
            ) as running:
                await running.begin()
                for source in running.page_sources:
                    await running.poll.page(source)
                clock.begin()  # on a slow machine, too, only once the page was seen as it was before
                async with asyncio.TaskGroup() as tasks:
                    result = tasks.create_task(running.run())
                    await asyncio.sleep(clock.seconds(script.page.end - clock.now()))
                    running.stop()
                return result.result()


def demo_settings(url: str, database: Path, speed: float) -> Settings:
    """The defaults, with the intervals of a story that runs `speed` times as fast, and four imaginary recipients."""
    return Settings.model_validate(
        {
            "status_page": {
                "url": url,
                "poll_seconds": 20 / speed,
                "active_poll_seconds": 10 / speed,
                "feed_poll_seconds": 60 / speed,
            },
            "exchange": {"api_url": url, "poll_seconds": 20 / speed},
            "store": {"url": f"sqlite:///{database}"},
            "subscriptions": [{"to": address} for address in DEMO_ADDRESSES],
        }
    )


async def simulate(script: Script, *, speed: float, port: int, started: Callable[[str, datetime], None]) -> None:
    """Serves a script on loopback, for ever. The story begins when it is first asked; its last state stays."""
    clocks: list[StoryClock] = []

    def now() -> datetime:
        if not clocks:
            clocks.append(StoryClock(script.page.start, speed))
        return clocks[0].now()

    async with Simulator(script, now, port=port) as simulator:
        started(simulator.url, script.page.start)
        await asyncio.Event().wait()


def script_named(name: str) -> Script:
    """A shipped script by name, or one in a file. Raises ValueError; ScriptError for what is wrong in it."""
    path = shipped().get(name, Path(name))
    if not path.is_file():
        raise ValueError(f"{name!r} is neither a file nor one of {', '.join(shipped())}")
    return load(path)
