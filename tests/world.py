"""A poll and its senders on a real database, with everything outside scripted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from notifier.deliver import Sender
from notifier.languages import tongues
from notifier.model import Snapshot
from notifier.poll import Outcome, Poll
from notifier.ports import SourceFailed
from notifier.render import Page
from notifier.retry import POLICIES, Policy
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Subscription
from tests.doubles import Arrived, FrozenClock, RecordingChannel, ScriptedLookup, ScriptedSource

ON_BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"])
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"])
"""For tests that ask for a database, the whole file or one of them."""

PAGE = Page(url="https://status.kraken.com")


class World:
    """One process: `World.born` makes the next one on the same database after a crash."""

    def __init__(self, url: str, store: SqlStore, clock: FrozenClock, channels: list[RecordingChannel]) -> None:
        self.url = url
        self.store = store
        self.clock = clock
        self.channels = {channel.name: channel for channel in channels}
        self.sources: dict[str, ScriptedSource] = {}
        self.lookup = ScriptedLookup()
        self.poll = Poll(store, self.lookup, clock, lambda: None, tongues())

    @classmethod
    async def born(
        cls, url: str, *channels: RecordingChannel, clock: FrozenClock | None = None, token: int = 1
    ) -> World:
        store = await SqlStore.open(url, token=token)
        world = cls(url, store, clock or FrozenClock(), list(channels) or [RecordingChannel()])
        await world.poll.start()
        return world

    async def subscribe(self, *subscriptions: Subscription | str, welcome: bool = False) -> None:
        wanted = [each if isinstance(each, Subscription) else to(each) for each in subscriptions]
        await self.store.sync(wanted, welcome=welcome, now=self.clock.now())

    async def sees(self, *said: Snapshot | SourceFailed | None) -> list[Outcome]:
        """Polls once for each, from the source that the snapshot names."""
        outcomes = []
        for each in said:
            name = each.source if isinstance(each, Snapshot) else "summary"
            source = self.sources.setdefault(name, ScriptedSource(name))
            source.will_say(each)
            read = self.poll.exchange if name == "exchange" else self.poll.page
            outcomes.append(await read(source))
        return outcomes

    def sender(self, name: str, policy: Policy | None = None) -> Sender:
        return Sender(
            self.channels[name],
            self.store,
            PAGE,
            policy or POLICIES[name],
            self.clock,
            lambda: 0.5,
            in_flight=8,
            tongues=tongues(),
        )

    async def deliver(self, name: str = "console", policy: Policy | None = None) -> list[Arrived]:
        """Empties the outbox of one channel; everything that its receivers have by now."""
        await self.sender(name, policy).run(until_empty=True)
        return self.channels[name].arrived

    async def die(self) -> None:
        """The process is gone; the database stays as it is."""
        await self.store.close()


def to(address: str, **wish: object) -> Subscription:
    return Subscription(address=Address.parse(address), **wish)  # type: ignore[arg-type]


Born = Callable[..., Awaitable[World]]
"""Makes a process on the test's database, with these channels; the fixture is in conftest.py."""
