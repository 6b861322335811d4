"""A claim that was committed and never answered: what it bound is found again, soon, and by the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from notifier.deliver import Sender
from notifier.parcel import Parcel
from notifier.ports import StoreDown
from notifier.retry import POLICIES
from notifier.store.engine import open_engine
from notifier.store.sql import SqlStore
from tests.builders import incident, page, update
from tests.doubles import RecordingChannel
from tests.world import ON_BOTH, PAGE, Born

pytestmark = ON_BOTH


class LosesAnswers(SqlStore):
    """To claims."""

    will_lose = False
    """The next one's."""

    def __init__(self, engine: AsyncEngine, *, token: int, origin: str) -> None:
        super().__init__(engine, token=token, origin=origin)
        self.lost = asyncio.Event()

    async def claim(
        self, channel: str, limit: int, now: datetime, *, can_edit: bool = False, resting: Collection[int] = ()
    ) -> Sequence[Parcel]:
        found = await super().claim(channel, limit, now, can_edit=can_edit, resting=resting)
        if self.will_lose:
            self.will_lose = False
            self.lost.set()
            raise StoreDown("the server closed the connection unexpectedly")
        return found


async def test_what_a_lost_claim_bound_goes_out_though_nothing_else_is_due(born: Born) -> None:
    channel = RecordingChannel("telegram")
    world = await born(channel)
    await world.subscribe("telegram:1")
    one, other = incident(update("11:29", "investigating")), incident(update("11:31", "investigating"), id="another")
    await world.sees(page(), page(one))
    store = LosesAnswers(open_engine(world.url), token=2, origin=world.store.origin)
    sender = Sender(channel, store, PAGE, POLICIES["telegram"], world.clock, lambda: 0.5)
    channel.hold()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.run())
        await channel.until_tried(1)
        store.will_lose = True
        await world.sees(page(one, other))
        sender.wake()
        await store.lost.wait()
        channel.release()
        await channel.until_tried(2)
        sender.stop()
    assert len(channel.arrived) == 2
    assert await store.counts() == {"sent": 2}
    await store.close()
