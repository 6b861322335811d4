"""A process that loses a channel while it is at it, or has it again: it begins nothing more, and knows nothing old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from notifier.deliver import Sender
from notifier.message import Message, Receipt
from notifier.model import State
from notifier.ports import Ambiguous, BadCredentials
from notifier.retry import POLICIES
from notifier.subscription import Address
from tests.builders import incident, page, update
from tests.doubles import RecordingChannel
from tests.world import ON_SQLITE, PAGE, Born, World

pytestmark = ON_SQLITE

OPEN = update("11:29", "investigating", "We see connection errors.")


class Lost(RecordingChannel):
    """Whoever asks it has the duty until the answer."""

    has_duty = True

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        self.has_duty = False
        return await super().find(to, message, since)


async def owing(born: Born, channel: RecordingChannel) -> World:
    world = await born(channel)
    await world.subscribe(f"{channel.name}:C1")
    await world.sees(page(), page(incident(OPEN)))
    return world


def sender(world: World, channel: RecordingChannel, trusted: Callable[[], bool] = lambda: True) -> Sender:
    policy = POLICIES[channel.name]
    return Sender(channel, world.store, PAGE, policy, world.clock, lambda: 0.5, trusted=trusted)


async def test_what_was_not_found_is_not_sent_by_who_lost_the_duty_meanwhile(born: Born) -> None:
    channel = Lost("slack", can_find=True)
    world = await owing(born, channel)
    channel.fail(Ambiguous("reply lost"))
    await sender(world, channel, lambda: channel.has_duty).run(until_empty=True)
    assert (channel.looks, channel.tries) == (1, 1)
    [left] = await world.store.deliveries((), 10)
    assert (left.state, left.attempt) == (State.UNKNOWN, 1), "whoever has it by now asks"


async def test_one_round_ends_where_another_process_has_the_channel_by_now(born: Born) -> None:
    channel = RecordingChannel("slack")
    world = await owing(born, channel)
    async with asyncio.timeout(2):
        await sender(world, channel, lambda: False).run(until_empty=True)
    assert channel.tries == 0


async def test_who_sends_again_does_not_know_how_the_provider_fares(born: Born) -> None:
    channel = RecordingChannel("slack")
    world = await owing(born, channel)
    ours = sender(world, channel)
    channel.fail(BadCredentials("token_revoked"))
    await ours.run(until_empty=True)
    assert ours.condition().refused and ours.condition().heard
    channel.hold()
    async with asyncio.TaskGroup() as tasks:
        again = tasks.create_task(ours.run())
        await channel.until_tried(2)
        assert ours.condition().broken_since is None and not ours.condition().heard
        again.cancel()


async def test_who_has_nothing_to_send_again_cannot_say_that_a_trouble_is_over(born: Born) -> None:
    channel = RecordingChannel("slack")
    world = await owing(born, channel)
    ours = sender(world, channel)
    await ours.run(until_empty=True)
    assert ours.condition().heard
    world.clock.move(timedelta(days=1))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        again = tasks.create_task(ours.run())
        while not channel.checks:
            ours.suspect()
            await asyncio.sleep(0)
        again.cancel()
