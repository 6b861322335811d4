"""Composition root and lifetime: the only module that knows every concrete class, and the one that reads the clock."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from notifier.channels import CHANNELS
from notifier.channels.heartbeat import Heartbeat
from notifier.config import Settings
from notifier.deliver import Sender
from notifier.distress import Distress
from notifier.inbox.reading import Reading
from notifier.languages import tongues
from notifier.poll import Outcome, Poll
from notifier.ports import Channel, Clock, SourceFailed
from notifier.render import Page
from notifier.retry import next_poll
from notifier.schedule import Schedule
from notifier.sources.fetch import PageLookup, Polled
from notifier.store.sql import SqlStore
from notifier.tongue import Tongue
from notifier.watch import Watch
from notifier.wiring import (
    alone,
    http_clients,
    make_channels,
    make_desk,
    make_inbox,
    make_sender,
    open_store,
    page_of,
    sources_of,
)

if TYPE_CHECKING:
    from notifier.inbox.webhook import Webhook

STOP_SECONDS = 10
"""How long the sends under way may take once the process was told to stop."""

WATCH_SECONDS = 5
"""How often the bot looks at itself."""

log = structlog.get_logger("app")


class SystemClock:
    """The wall's time."""

    second = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds()


class StoryClock:
    """Time that runs `speed` times as fast as the wall's, from `start` on; with `waits` only once it `begins`."""

    def __init__(self, start: datetime, speed: float, *, waits: bool = False) -> None:
        self._start = start
        self._speed = speed
        self.second = 1 / speed
        self._began = None if waits else datetime.now(UTC)

    def begin(self) -> None:
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._began) * self._speed if self._began else self._start

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds() / self._speed


@dataclass(kw_only=True, slots=True)
class Service:
    """The running product: what is polled, who is told, and the clock of it all."""

    settings: Settings
    store: SqlStore
    poll: Poll
    senders: Sequence[Sender]
    inbox: Reading | Webhook | None
    watch: Watch
    page: Page
    page_sources: Sequence[Polled]
    exchange: Polled | None
    clock: Clock
    tongues: Mapping[str, Tongue]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, once: bool = False) -> dict[str, int]:
        """Until `stop` – or, with `once`, until one round is polled and the outbox empty. Deliveries by state."""
        await self.sync()
        await self.poll.start()
        if once:
            first = await self._first_round()
            if self.inbox is not None:
                await self.inbox.once()
            await self._empty_outbox()
            if await self.watch.step():
                await self._empty_outbox()
            if all(first[source.name].reason for source in self.page_sources):
                raise SourceFailed(f"the status page did not answer: {first[self.page_sources[0].name].reason}")
            return await self.store.counts()
        async with asyncio.TaskGroup() as tasks:
            ending = [tasks.create_task(sender.run()) for sender in self.senders]
            if self.inbox is not None:
                ending.append(tasks.create_task(self._listen(self.inbox)))
            polling = tasks.create_task(self._poll_for_ever())
            await self.stopping.wait()
            polling.cancel()  # a reading that is not recorded is read again by the next process
            _, late = await asyncio.wait(ending, timeout=STOP_SECONDS)
            for task in late:
                log.warning("a send or an answer did not end in time; a send counts as uncertain")
                task.cancel()
        return await self.store.counts()

    async def sync(self) -> None:
        """Makes the database's recipients those of the settings."""
        wanted, operators = self.settings.subscriptions, tuple(dict.fromkeys(self.settings.operators.to))
        welcome = self.settings.announce.welcome
        await self.store.sync(wanted, welcome=welcome, now=self.clock.now(), operators=operators)

    async def _empty_outbox(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for sender in self.senders:
                tasks.create_task(sender.run(until_empty=True))

    def stop(self) -> None:
        """No more polls and claims; `run` returns when the sends under way are settled."""
        log.info("stopping", seconds_for_sends=STOP_SECONDS)
        self.stopping.set()
        for sender in self.senders:
            sender.stop()
        if self.inbox is not None:
            self.inbox.stop()

    async def _listen(self, inbox: Reading | Webhook) -> None:
        """News goes out, whatever becomes of the inbox."""
        while not self.stopping.is_set():
            try:
                await inbox.run()
            except Exception:
                log.exception("the inbox failed; it begins anew")
                await asyncio.sleep(WATCH_SECONDS)

    async def _first_round(self) -> dict[str, Outcome]:
        """Every source once; then the welcome, which needs to know what is open."""
        api, feed = self.page_sources[:-1], self.page_sources[-1]
        async with asyncio.TaskGroup() as tasks:
            asked = {source.name: tasks.create_task(self.poll.page(source)) for source in api}
            if self.exchange is not None:
                asked[self.exchange.name] = tasks.create_task(self.poll.exchange(self.exchange))
        outcomes = {name: task.result() for name, task in asked.items()}
        outcomes[feed.name] = await self.poll.page(feed)  # only the API says which page this is
        await self.poll.welcome(self.page.name)
        await self.poll.remind(self._lead)
        return outcomes

    @property
    def _lead(self) -> timedelta:
        return timedelta(minutes=self.settings.announce.maintenance_reminder_minutes)

    async def _poll_for_ever(self) -> None:
        first = await self._first_round()
        schedule = Schedule(SystemClock().now)
        for source in self.page_sources:
            schedule.repeat(source.name, self._again(source, self.poll.page), self._wait(source, first[source.name]))
        if self.exchange is not None:
            step = self._again(self.exchange, self.poll.exchange)
            schedule.repeat("exchange", step, self._wait(self.exchange, first["exchange"]))
        schedule.repeat("housekeeping", self._keep_house)
        schedule.repeat("watch", self._watch)
        await schedule.run(self.stopping)

    def _again(self, source: Polled, read: Callable[[Polled], Awaitable[Outcome]]) -> Callable[[], Awaitable[float]]:
        async def step() -> float:
            return self._wait(source, await read(source))

        return step

    def _wait(self, source: Polled, outcome: Outcome) -> float:
        """Seconds until this source is asked again, with a tenth of jitter either way."""
        usual = self._interval(source) * (0.9 + random.random() / 5)  # noqa: S311 - jitter
        return next_poll(usual, failures=outcome.failures, retry_after=outcome.retry_after)

    def _interval(self, source: Polled) -> float:
        if source is self.exchange:
            return self.settings.exchange.poll_seconds
        page = self.settings.status_page
        usual = page.active_poll_seconds if self.poll.is_active() else page.poll_seconds
        if source.name != "feed":
            return usual
        return min(usual, page.feed_poll_seconds) if self.poll.is_failing("summary") else page.feed_poll_seconds

    async def _watch(self) -> float:
        await self.watch.step()
        return WATCH_SECONDS

    async def _keep_house(self) -> float:
        await self.poll.welcome(self.page.name)
        await self.poll.remind(self._lead)
        await self.poll.finish()
        for sender in self.senders:
            await sender.expire()
        return max(1, self.clock.seconds(timedelta(seconds=30)))


@asynccontextmanager
async def service(
    settings: Settings,
    write: Callable[[str], None],
    *,
    clock: Clock | None = None,
    channels: dict[str, Channel] | None = None,
    page: Page | None = None,
) -> AsyncIterator[Service]:
    """The product, wired and not yet running. `channels` and `page` take the place of what the settings say, and then
    nobody's words are read.

    Raises StoreRefused.
    """
    page = page or page_of(settings)
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(alone(settings))
        store = await stack.enter_async_context(open_store(settings))
        reader, session = await stack.enter_async_context(http_clients())
        signs = settings.web.public_url or settings.telegram.webhook_url
        key = await store.signing_key(secrets.token_urlsafe(32)) if signs else ""
        found = channels if channels is not None else make_channels(settings, session, write, key)
        operators = tuple(dict.fromkeys(settings.operators.to))
        wanted = {to.channel for to in (*(each.address for each in settings.subscriptions), *operators)}
        listens = channels is None and settings.telegram.commands and "telegram" in found
        if listens:
            wanted.add("telegram")
        spoken = tongues()
        named = [found[name] for name in CHANNELS if name in wanted]
        senders = [make_sender(settings, channel, store, page, clock, spoken) for channel in named]

        def wake() -> None:
            for sender in senders:
                sender.wake()

        sources, exchange = sources_of(settings, reader)
        poll = Poll(store, PageLookup(reader, settings.status_page.url), clock, wake, spoken)
        distress = Distress(store, found, operators, page, clock)
        url = settings.operators.heartbeat_url
        pulse = Heartbeat(url.get_secret_value(), session) if url else None
        watch = Watch(store, poll, senders, clock, operators, distress, pulse)
        inbox = None
        if listens:
            [telegram] = [sender for sender in senders if sender.channel.name == "telegram"]
            desk = make_desk(store, page, spoken, clock, poll, watch, wake, telegram.end)
            watch.inbox = inbox = make_inbox(settings, session, desk, telegram.urgent, store, spoken, clock, key)
        yield Service(
            settings=settings,
            store=store,
            poll=poll,
            senders=senders,
            inbox=inbox,
            watch=watch,
            page_sources=sources,
            page=page,
            exchange=exchange,
            clock=clock,
            tongues=spoken,
        )
        for channel in found.values():
            await channel.close()


async def run(
    settings: Settings, write: Callable[[str], None], *, once: bool = False, started: Callable[[], None]
) -> dict[str, int]:
    """The service, until SIGTERM or SIGINT; with `once`, one round. Deliveries by state.

    `started` is called when nothing stands in the way any more.
    """
    async with service(settings, write) as running:
        started()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.stop)
        return await running.run(once=once)
