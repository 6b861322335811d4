"""Answers beside a fan-out, judged by when they came and by what the provider refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from notifier.deliver import Sender
from notifier.gate import Gate
from notifier.message import Receipt
from notifier.pace import LIMITS, Limits
from notifier.ports import Ambiguous, BadCredentials, ChannelFailure, Gone, NotSent, Throttled
from notifier.retry import POLICIES
from notifier.subscription import Address
from tests.builders import incident, page, update
from tests.doubles import FrozenClock, RecordingChannel
from tests.world import PAGE, Born, World

OPEN = update("11:29", "investigating", "We see connection errors.")
READER = Address("telegram", "1")
LONG = 3000


def sender(world: World, limits: Limits | None = None) -> Sender:
    channel = world.channels["telegram"]
    return Sender(channel, world.store, PAGE, POLICIES["telegram"], world.clock, lambda: 0.5, limits=limits)


async def fan_out(born: Born, people: int) -> World:
    world = await born(RecordingChannel("telegram"))
    await world.subscribe(*(f"telegram:{number}" for number in range(1, people + 1)))
    await world.sees(page(), page(incident(OPEN)))
    return world


@asynccontextmanager
async def running(world: World, limits: Limits) -> AsyncIterator[Sender]:
    made = sender(world, limits)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        await world.channels["telegram"].until_tried(1)
        yield made
        made.stop()


async def answered() -> float:
    return asyncio.get_running_loop().time()


async def refused_with(failure: ChannelFailure) -> Receipt:
    raise failure


async def test_an_answer_waits_for_one_message_of_a_fan_out_and_not_for_its_end(born: Born) -> None:
    world = await fan_out(born, 50)
    world.clock.second = 1.0
    channel = world.channels["telegram"]
    async with asyncio.timeout(10), running(world, Limits(per_second=20, gap=1)) as busy:
        for _ in range(3):
            before = channel.tries
            await busy.urgent.do("send", READER, answered)
            assert channel.tries - before <= 1
        assert channel.tries < 50


async def test_answers_and_news_take_turns_within_the_channels_rate(born: Born) -> None:
    world = await fan_out(born, 50)
    world.clock.second = 1.0
    times: list[float] = []
    world.channels["telegram"].at_each_send(lambda: times.append(asyncio.get_running_loop().time()))
    async with asyncio.timeout(10), running(world, Limits(per_second=50)) as busy:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(busy.urgent.do("send", READER, answered)) for _ in range(10)]
        answers = [each.result() for each in asked]
        between = [time for time in times if answers[0] < time < answers[-1]]
        assert len(between) >= 8, "a crowd that asks does not hold up the news"
        together = sorted([*answers, *between])
        assert together[-1] - together[0] >= (len(together) - 1) / 50 - 0.02, "and both together keep the rate"


async def test_a_chat_that_was_just_told_something_is_answered_all_the_same() -> None:
    gate = Gate(RecordingChannel("telegram"), Limits(gap=LONG), clock := FrozenClock())
    clock.second = 1.0
    assert await gate.turn("send", READER, 1)
    async with asyncio.timeout(1):
        await gate.urgent_turn("send", READER)
    assert set(gate.resting()) <= {1}


async def test_a_pause_that_an_answer_meets_holds_all_of_the_channel_and_outlives_a_restart(born: Born) -> None:
    world = await fan_out(born, 1)
    first = sender(world)
    with pytest.raises(Throttled):
        await first.urgent.do("send", READER, lambda: refused_with(Throttled("retry after", LONG)))
    again = sender(world)
    world.clock.second = 0.01
    await again.run(until_empty=True)
    assert world.channels["telegram"].tries == 0, "the next process knows"


async def test_an_answer_goes_out_after_a_short_pause_and_is_given_up_in_a_long_one() -> None:
    clock = FrozenClock()
    clock.second = 0.01
    gate = Gate(RecordingChannel("telegram"), LIMITS["telegram"], clock)
    began = asyncio.get_running_loop().time()
    gate.pause("send", READER, timedelta(seconds=5), "retry after")
    await gate.urgent_turn("send", READER)
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_an_answer_that_cannot_go_in_time_is_not_sent(born: Born) -> None:
    world = await fan_out(born, 1)
    made = sender(world)
    with pytest.raises(Throttled):
        await made.urgent.do("send", READER, lambda: refused_with(Throttled("retry after", LONG)))
    with pytest.raises(NotSent, match="turn"):
        await made.urgent.do("send", READER, answered)


@pytest.mark.parametrize("failure", [BadCredentials("401"), NotSent("down"), Ambiguous("no answer")])
async def test_what_an_answer_learns_of_its_provider_the_channel_knows(born: Born, failure: ChannelFailure) -> None:
    world = await fan_out(born, 1)
    made = sender(world)
    for _ in range(5):
        with pytest.raises(ChannelFailure):
            await made.urgent.do("send", READER, lambda: refused_with(failure))
        if isinstance(failure, BadCredentials):
            break
    assert made.condition().broken_since is not None


async def test_a_reader_who_is_gone_breaks_nothing(born: Born) -> None:
    world = await fan_out(born, 1)
    made = sender(world)
    for _ in range(6):
        with pytest.raises(Gone):
            await made.urgent.do("send", READER, lambda: refused_with(Gone("blocked")))
    assert made.condition().broken_since is None
