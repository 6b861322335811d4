"""Composition root and lifetime: the only module that knows every concrete class."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import structlog

from notifier.channels import CHANNELS
from notifier.channels.heartbeat import Heartbeat
from notifier.clocks import SystemClock
from notifier.config import Settings
from notifier.deliver import Sender
from notifier.distress import Distress
from notifier.duty import Duties
from notifier.inbox.reading import Reading
from notifier.languages import tongues
from notifier.poll import Poll
from notifier.ports import INBOX, POLL, Channel, Clock, SourceFailed, StoreFailed, sending
from notifier.render import Page
from notifier.rounds import Rounds
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

STOP_SECONDS = 8
"""How long the sends under way may take once the process was told to stop."""

WATCH_SECONDS = 5
"""How often the bot looks at itself."""

log = structlog.get_logger("app")


@dataclass(kw_only=True, slots=True)
class Service:
    """The running product: what is polled, who is told, and the clock of it all."""

    settings: Settings
    store: SqlStore
    duties: Duties
    poll: Poll
    rounds: Rounds
    senders: Sequence[Sender]
    inbox: Reading | Webhook | None
    watch: Watch
    page: Page
    page_sources: Sequence[Polled]
    exchange: Polled | None
    clock: Clock
    tongues: Mapping[str, Tongue]

    def __post_init__(self) -> None:
        self.duties.add(POLL, self.rounds.run)
        for sender in self.senders:
            self.duties.add(sending(sender.channel.name), sender.run, stop=sender.stop)
        if self.inbox is not None:  # it answers at its sender's pace
            self.duties.add(INBOX, partial(self._read, self.inbox), stop=self.inbox.stop, after=sending("telegram"))

    async def begin(self) -> None:
        """Recipients as configured, all duties that are free, and what is known recalled."""
        await self.sync()
        await self.duties.take()
        await self.poll.start()

    async def run(self, *, once: bool = False) -> dict[str, int]:
        """Until `stop` – or, with `once`, until one round is polled and the outbox empty, as far as no other process is
        at it. Deliveries by state.
        """
        if once:
            return await self._once()
        await self.sync()
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._hear()), tasks.create_task(self._watch_for_ever())]
            if self.inbox is not None and not isinstance(self.inbox, Reading):
                beside.append(tasks.create_task(self.inbox.listen()))
            await self.duties.run(STOP_SECONDS)
            for task in beside:
                task.cancel()
        try:
            return await self.store.counts()
        except StoreFailed as failed:  # it ended as it was told to
            log.warning("what became of the deliveries is not known", reason=str(failed))
            return {}

    async def _once(self) -> dict[str, int]:
        await self.begin()
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self.duties.keep())
            first = await self.rounds.first() if self.duties.mine(POLL) else {}
            if not first:
                log.info("another process polls")
            if self.inbox is not None and self.duties.mine(INBOX):
                await self.inbox.once()
            await self._empty_outbox()
            if await self.watch.step():
                await self._empty_outbox()
            keeping.cancel()
        await self.duties.release()
        if first and all(first[source.name].reason for source in self.page_sources):
            raise SourceFailed(f"the status page did not answer: {first[self.page_sources[0].name].reason}")
        return await self.store.counts()

    async def sync(self) -> None:
        """Makes the database's recipients those of the settings."""
        wanted, operators = self.settings.subscriptions, tuple(dict.fromkeys(self.settings.operators.to))
        welcome = self.settings.announce.welcome
        await self.store.sync(wanted, welcome=welcome, now=self.clock.now(), operators=operators)

    async def _empty_outbox(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for sender in self.senders:
                if self.duties.mine(sending(sender.channel.name)):
                    tasks.create_task(sender.run(until_empty=True))

    def stop(self) -> None:
        """No more polls and claims; `run` returns when the sends under way are settled."""
        if self.duties.stopping:
            return
        log.info("stopping", seconds_for_sends=STOP_SECONDS)
        self.duties.stop()
        asyncio.get_running_loop().call_later(STOP_SECONDS + 1, self.store.hang_up)

    async def _hear(self) -> None:
        """What other processes call out."""
        async with aclosing(self.store.calls()) as calls:
            async for call in calls:
                if call == "duty":
                    self.duties.wake()
                elif call == "said" and self.inbox is not None:
                    self.inbox.wake()
                elif call == "due":
                    for sender in self.senders:
                        sender.wake()

    async def _read(self, inbox: Reading | Webhook) -> None:
        """News goes out, whatever becomes of the inbox."""
        inbox.forget()
        while True:
            try:
                return await inbox.run()
            except Exception:
                log.exception("the inbox failed; it begins anew")
                await asyncio.sleep(WATCH_SECONDS)

    async def _watch_for_ever(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if self.watch.unfinished or not self.duties.idle:
                    await self.watch.step()
            except Exception:
                log.exception("the watch over the bot itself failed; it goes on")


@asynccontextmanager
async def service(
    settings: Settings,
    write: Callable[[str], None],
    *,
    clock: Clock | None = None,
    channels: dict[str, Channel] | None = None,
    page: Page | None = None,
    replay: bool = False,
) -> AsyncIterator[Service]:
    """The product, wired and not yet running. `channels` and `page` take the place of what the settings say, and then
    nobody's words are read. `replay` is for `Poll`.

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
        duties = Duties(store, f"{settings.process}/{os.getpid()}-{secrets.token_hex(2)}", clock)
        senders = [make_sender(settings, channel, store, page, clock, spoken, duties) for channel in named]

        def wake() -> None:
            for sender in senders:
                sender.wake()

        sources, exchange = sources_of(settings, reader)
        poll = Poll(store, PageLookup(reader, settings.status_page.url), clock, wake, spoken, replay=replay)
        rounds = Rounds(settings, poll, sources, exchange, page.name, senders, clock)
        distress = Distress(store, found, operators, page, clock)
        url = settings.operators.heartbeat_url
        pulse = Heartbeat(url.get_secret_value(), session) if url else None
        watch = Watch(store, poll, senders, clock, operators, distress, pulse, duties.mine, duties.trusted)
        inbox = None
        if listens:
            [telegram] = [sender for sender in senders if sender.channel.name == "telegram"]
            desk = make_desk(store, page, spoken, clock, poll, watch, wake, telegram.end)
            watch.inbox = inbox = make_inbox(settings, session, desk, telegram.urgent, store, spoken, clock, key)
        yield Service(
            settings=settings,
            store=store,
            duties=duties,
            poll=poll,
            rounds=rounds,
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
    settings: Settings, write: Callable[[str], None], *, once: bool = False, replay: bool, started: Callable[[], None]
) -> dict[str, int]:
    """The service, until SIGTERM or SIGINT; with `once`, one round. Deliveries by state.

    `started` is called when nothing stands in the way any more.
    """
    starting = cast("asyncio.Task[object]", asyncio.current_task())
    hears = threading.current_thread() is threading.main_thread()
    if hears:
        _at_the_end(starting.cancel)
    try:
        async with service(settings, write, replay=replay) as running:
            if hears:
                _at_the_end(running.stop)
            started()
            return await running.run(once=once)
    except asyncio.CancelledError:
        log.info("stopped before it began")
        return {}
    finally:
        if hears:  # hosts repeat it, and whoever ends already ends with 0
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _at_the_end(stop: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
