"""The inbox on a line to the fake Bot API: real HTTP, library and gate, with a desk that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp

from notifier.bot_api import TelegramHttp
from notifier.gate import Gate
from notifier.inbox.profile import Profile
from notifier.inbox.reading import Reading
from notifier.inbox.talk import Answer, Asked, Audience, Button
from notifier.inbox.telegram import TelegramInbox
from notifier.inbox.webhook import Webhook
from notifier.known import Scene, Tally
from notifier.message import Line, Span
from notifier.pace import Limits
from notifier.parcel import Pause
from notifier.ports import Clock, StoreFailed
from notifier.retry import POLICIES
from notifier.subscription import Address, Subscription
from notifier.tongue import ENGLISH
from notifier.urgent import Urgent
from tests.doubles import FrozenClock, RecordingChannel
from tests.receivers.telegram import TOKEN, FakeTelegram

KEY = "canary-signing-key-41d0"


def says(text: str, *buttons: str, toast: str = "") -> Answer:
    """Each button presses its own words."""
    rows = tuple((Button(words=each, press=each),) for each in buttons)
    return Answer(lines=(Line(spans=(Span(text=text),)),) if text else (), buttons=rows, toast=toast)


@dataclass
class ScriptedDesk:
    """Echoes what is asked, unless it is told what to answer; keeps what it hears."""

    asked: list[Asked] = field(default_factory=list)
    """What was decided, in order."""
    gone: list[tuple[str, str]] = field(default_factory=list)
    went: list[tuple[str, str]] = field(default_factory=list)
    menu: str = "What is told"
    answers: dict[str, Answer | Exception | None] = field(default_factory=dict)
    """By the words or the press."""
    tries: int = 0
    failures: list[Exception] = field(default_factory=list)
    """What the next questions meet, before anything is decided."""

    def __post_init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._held: set[str] = set()

    def hold(self, *words: str) -> None:
        """Questions with these words wait until `release`."""
        self._held |= set(words)
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def ask(self, asked: Asked) -> Answer | None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        said = asked.words or asked.press
        if said in self._held:
            await self._open.wait()
        answer = self.answers.get(said, says(f"You said: {said.removeprefix('/')}"))
        if isinstance(answer, Exception):
            raise answer
        self.asked.append(asked)
        return answer

    async def left(self, chat: str, reason: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.gone.append((chat, reason))

    async def moved(self, chat: str, to: str) -> None:
        self.went.append((chat, to))

    def commands(self, language: str, audience: Audience) -> list[tuple[str, str]]:
        return [("status", f"{self.menu} ({language}, {audience})")]

    def profile(self, language: str) -> tuple[str, str]:
        return f"At length ({language})", f"In short ({language})"

    @property
    def words(self) -> list[str]:
        return [each.words or each.press for each in self.asked]


@dataclass
class Shelf:
    """What the inbox remembers with, in memory: it outlives the line. Nobody subscribes here."""

    notes: dict[str, str] = field(default_factory=dict)
    updates: dict[int, str] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    broken: bool = False
    forgetful: bool = False
    """Whether it takes no more that something is handled."""
    refused: int = 0
    most_read: int = 0
    """Of what waited, at once."""
    pauses: list[Pause] = field(default_factory=list)

    def _check(self) -> None:
        if self.broken:
            raise StoreFailed("disk full")

    async def remembered(self, key: str) -> str | None:
        return self.notes.get(key)

    async def remember(self, key: str, value: str) -> None:
        self._check()
        self.notes[key] = value

    async def receive(self, number: int, doc: str) -> bool:
        self._check()
        new = number not in self.updates and number not in self.done
        if new:
            self.updates[number] = doc
        return new

    async def received(self, most: int) -> Sequence[tuple[int, str]]:
        self._check()
        found = sorted(self.updates.items())[:most]
        self.most_read = max(self.most_read, len(found))
        return found

    async def handled(self, number: int) -> None:
        self._check()
        if self.forgetful:
            self.refused += 1
            raise StoreFailed("disk full")
        self.updates.pop(number, None)
        self.done.append(number)

    async def reader(self, address: Address) -> Subscription | None:
        raise NotImplementedError

    async def keep(self, subscription: Subscription, now: datetime) -> None:
        raise NotImplementedError

    async def forget(self, address: Address) -> bool:
        raise NotImplementedError

    async def leave(self, chat: str, reason: str) -> int:
        raise NotImplementedError

    async def move(self, chat: str, to: str) -> int:
        raise NotImplementedError

    async def subject_of(self, address: Address, ref: str) -> str | None:
        raise NotImplementedError

    async def scene(self) -> Scene:
        raise NotImplementedError

    async def tally(self, now: datetime) -> Tally:
        raise NotImplementedError

    async def draft(self, number: int, text: str) -> None:
        raise NotImplementedError

    async def broadcast(self, number: int, now: datetime) -> int | None:
        raise NotImplementedError


class Way(Urgent):
    """The real one, on a gate of its own."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        gate = Gate(RecordingChannel("telegram"), Limits(per_second=1000), clock)
        super().__init__("telegram", gate, _Pauses(shelf), POLICIES["telegram"], clock)  # type: ignore[arg-type]
        self.gate = gate


@dataclass
class _Pauses:
    shelf: Shelf

    async def pause(self, channel: str, pause: Pause) -> None:
        self.shelf.pauses.append(pause)


@dataclass(kw_only=True)
class Party:
    """Everything on the line."""

    telegram: FakeTelegram
    desk: ScriptedDesk
    shelf: Shelf
    way: Way
    clock: FrozenClock
    inbox: Reading | Webhook

    async def heard(self, count: int = 1) -> None:
        """Until so many messages of the bot stand somewhere."""
        await self.telegram.until(lambda: len(self.telegram.messages) >= count)

    async def read(self, method: str, times: int) -> None:
        await self.telegram.until(lambda: self.asks(method) >= times, seconds=20)

    def asks(self, method: str) -> int:
        return sum(name.lower() == method.lower() for name, _ in self.telegram.reads)


@asynccontextmanager
async def line(
    telegram: FakeTelegram,
    *,
    desk: ScriptedDesk | None = None,
    shelf: Shelf | None = None,
    operators: Collection[int] = (),
    webhook: tuple[str, int] | None = None,
    running: bool = True,
    token: str = TOKEN,
    second: float = 0.01,
) -> AsyncIterator[Party]:
    """A process, which ends in order with the block; `second` is how long one of its own lasts."""
    desk, shelf, clock = desk or ScriptedDesk(), shelf or Shelf(), FrozenClock()
    clock.second = second
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        http = TelegramHttp(token, telegram.url, session)
        bot, way = http.bot(), Way(shelf, clock)
        profile = Profile(bot, desk, shelf, operators)
        inbox = TelegramInbox(bot, desk, way, profile, clock, operators=operators, tongue=lambda _: ENGLISH)
        made: Reading | Webhook = Reading(http, bot, inbox, shelf, clock)
        if webhook is not None:
            made = Webhook(bot, inbox, shelf, clock, url=webhook[0], port=webhook[1], key=KEY)
        party = Party(telegram=telegram, desk=desk, shelf=shelf, way=way, clock=clock, inbox=made)
        if not running:
            yield party
            return
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            work = tasks.create_task(made.run())
            listening = tasks.create_task(made.listen()) if isinstance(made, Webhook) else None
            try:
                yield party
            finally:
                made.stop()
                await asyncio.wait([work])
                if listening is not None:
                    listening.cancel()
