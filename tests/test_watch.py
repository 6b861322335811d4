"""The watch over a bot whose sources are scripted: old copies, signs of life that fail, and what is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from notifier.distress import Distress
from notifier.ports import ChannelFailure, NotSent
from notifier.subscription import Address
from notifier.watch import Watch
from tests.builders import incident, page, update
from tests.store.telling import dump
from tests.world import PAGE, World

MINUTE = timedelta(minutes=1)


@dataclass
class Pulses:
    """A dead man's switch that counts, and fails as told."""

    heard: int = 0
    failures: list[ChannelFailure] = field(default_factory=list)

    async def ping(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard += 1


@pytest.fixture
def pulses() -> Pulses:
    return Pulses()


@pytest.fixture
def watch(world: World, pulses: Pulses) -> Watch:
    operator = Address.parse("console:")
    sender = world.sender("console")
    distress = Distress(world.store, world.channels, [operator], PAGE, world.clock)
    return Watch(world.store, world.poll, [sender], world.clock, [operator], distress, pulses, bool, bool)


async def titles(world: World) -> list[str]:
    return [each.change.title for each in reversed(await world.store.deliveries((), 100))]


async def test_an_old_copy_of_the_page_is_told_after_five_minutes_and_over_with_the_first_fresh_one(
    world: World, watch: Watch, pulses: Pulses
) -> None:
    await world.subscribe("console:")
    await world.sees(page(source="summary"))
    source = world.sources["summary"]
    for minute in range(7):
        source.age = timedelta(minutes=6 + minute)
        await world.sees(None)
        assert await watch.step() is (minute == 5)
        world.clock.move(MINUTE)
    assert pulses.heard == 0, "an old copy is no sign of life"
    source.age = timedelta(seconds=9)
    await world.sees(None)
    assert await watch.step()
    assert await titles(world) == ["Kraken's status page is served from an old copy"] * 2
    assert pulses.heard == 1


async def test_another_page_under_the_same_url_is_told_at_once(world: World, watch: Watch) -> None:
    await world.subscribe("console:")
    await world.sees(page(source="summary"), page(source="summary", page_id="another"))
    assert await watch.step()
    assert await titles(world) == ["Another page answers under the status page's URL"]
    await world.sees(page(source="summary"))
    assert await watch.step()


async def test_a_word_that_nobody_knows_is_told_once_for_ever(world: World, watch: Watch) -> None:
    await world.subscribe("console:")
    await world.sees(page(source="summary"), page(incident(update("11:55", "on_fire")), source="summary"))
    assert [await watch.step(), await watch.step()] == [True, False]
    told = [title for title in await titles(world) if "on_fire" in title]
    assert len(told) == 1


async def test_a_heartbeat_that_does_not_arrive_is_one_warning_until_it_does(
    world: World, watch: Watch, pulses: Pulses
) -> None:
    pulses.failures = [NotSent("answered 500"), NotSent("answered 500")]
    with capture_logs() as logs:
        for _ in range(4):
            world.clock.move(MINUTE)
            await world.sees(page(source="summary"))
            await watch.step()
    said = [(each["log_level"], each["event"]) for each in logs if "heartbeat" in each["event"]]
    assert said == [("warning", "the heartbeat does not arrive"), ("info", "the heartbeat arrives again")]
    assert pulses.heard == 2


async def test_a_quiet_step_writes_nothing(world: World, watch: Watch) -> None:
    await world.subscribe("console:")
    await world.sees(page(source="summary"))
    await watch.step()
    before = dump(world.url)
    for _ in range(3):
        world.clock.move(timedelta(seconds=5))
        assert not await watch.step()
    assert dump(world.url) == before
