"""When what is polled: every source at its own interval, from a first round on that asks them all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from notifier.clocks import SystemClock
from notifier.deliver import Sender
from notifier.poll import Outcome, Poll
from notifier.ports import Clock
from notifier.retry import next_poll
from notifier.schedule import Schedule
from notifier.settings import Settings
from notifier.sources.fetch import Polled


class Rounds:
    """`page_sources` are the readings of the API and, last, the feed."""

    def __init__(
        self,
        settings: Settings,
        poll: Poll,
        page_sources: Sequence[Polled],
        exchange: Polled | None,
        page_name: str,
        senders: Sequence[Sender],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._poll = poll
        self._page_sources = page_sources
        self._exchange = exchange
        self._page_name = page_name
        self._senders = senders
        self._clock = clock

    async def first(self) -> dict[str, Outcome]:
        """Every source once; then the welcome, which needs to know what is open."""
        api, feed = self._page_sources[:-1], self._page_sources[-1]
        async with asyncio.TaskGroup() as tasks:
            asked = {source.name: tasks.create_task(self._poll.page(source)) for source in api}
            if self._exchange is not None:
                asked[self._exchange.name] = tasks.create_task(self._poll.exchange(self._exchange))
        outcomes = {name: task.result() for name, task in asked.items()}
        outcomes[feed.name] = await self._poll.page(feed)  # only the API says which page this is
        await self._poll.welcome(self._page_name)
        await self._poll.remind(self._lead)
        return outcomes

    async def run(self) -> None:
        """Until it is cancelled: a reading that is not recorded is read again by whoever polls next."""
        for source in (*self._page_sources, *([self._exchange] if self._exchange else [])):
            source.forget()  # others may have recorded newer ones since this process read it last
        await self._poll.start()
        first = await self.first()
        schedule = Schedule(SystemClock().now)
        for source in self._page_sources:
            schedule.repeat(source.name, self._again(source, self._poll.page), self._wait(source, first[source.name]))
        if self._exchange is not None:
            step = self._again(self._exchange, self._poll.exchange)
            schedule.repeat("exchange", step, self._wait(self._exchange, first["exchange"]))
        schedule.repeat("housekeeping", self._keep_house)
        await schedule.run(asyncio.Event())

    @property
    def _lead(self) -> timedelta:
        return timedelta(minutes=self._settings.announce.maintenance_reminder_minutes)

    def _again(self, source: Polled, read: Callable[[Polled], Awaitable[Outcome]]) -> Callable[[], Awaitable[float]]:
        async def step() -> float:
            return self._wait(source, await read(source))

        return step

    def _wait(self, source: Polled, outcome: Outcome) -> float:
        """Seconds until this source is asked again, with a tenth of jitter either way."""
        usual = self._interval(source) * (0.9 + random.random() / 5)  # noqa: S311 - jitter
        return next_poll(usual, failures=outcome.failures, retry_after=outcome.retry_after)

    def _interval(self, source: Polled) -> float:
        if source is self._exchange:
            return self._settings.exchange.poll_seconds
        page = self._settings.status_page
        usual = page.active_poll_seconds if self._poll.is_active() else page.poll_seconds
        if source.name != "feed":
            return usual
        return min(usual, page.feed_poll_seconds) if self._poll.is_failing("summary") else page.feed_poll_seconds

    async def _keep_house(self) -> float:
        await self._poll.welcome(self._page_name)
        await self._poll.remind(self._lead)
        await self._poll.finish()
        for sender in self._senders:
            await sender.expire()
        return max(1, self._clock.seconds(timedelta(seconds=30)))
