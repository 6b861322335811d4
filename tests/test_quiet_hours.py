"""Quiet hours and mutes together, over retries and second thoughts: judged by when the receiver has what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.ports import NotSent
from notifier.subscription import Address, Filter, QuietHours, Subscription
from tests.builders import NOW, at, incident, page, update
from tests.doubles import RecordingChannel
from tests.world import Born, World

ADA = Address("telegram", "7")
QUIET = QuietHours.parse("13:00-15:00")
OPEN = update("11:29", "investigating", "We look into it.")


async def reader(born: Born, **wish: object) -> World:
    """Ada, whose quiet hours begin in an hour, on a page without incidents."""
    world = await born(RecordingChannel("telegram"))
    await world.sees(page())
    mine = Subscription(address=ADA, origin="self", filter=Filter(quiet_hours=QUIET))
    await world.store.keep(replace(mine, **wish), NOW)  # type: ignore[arg-type]
    return world


async def changes(world: World, **wish: object) -> None:
    mine = await world.store.reader(ADA)
    assert mine is not None
    await world.store.keep(replace(mine, **wish), world.clock.now())  # type: ignore[arg-type]


async def told(world: World, clock: str) -> int:
    """How many messages she has by then."""
    world.clock.move(at(clock) - world.clock.now())
    return len(await world.deliver("telegram"))


async def test_a_try_that_failed_before_the_quiet_hours_does_not_succeed_within_them(born: Born) -> None:
    world = await reader(born)
    world.clock.move(timedelta(minutes=59, seconds=59, milliseconds=900))
    world.channels["telegram"].fail(NotSent("down"))
    await world.sees(page(incident(OPEN)))
    await world.deliver("telegram")
    assert world.channels["telegram"].tries == 1
    assert await told(world, "14:59") == 0
    assert await told(world, "15:01") == 1


async def test_a_mute_that_ends_within_quiet_hours_ends_with_them(born: Born) -> None:
    world = await reader(born, muted_until=at("14:00"))
    await world.sees(page(incident(OPEN)))
    assert await told(world, "14:01") == 0
    assert await told(world, "15:01") == 1


async def test_critical_news_waits_for_the_mute_and_not_for_the_quiet_hours(born: Born) -> None:
    world = await reader(born, muted_until=at("14:00"))
    await world.sees(page(incident(OPEN, impact="critical")))
    assert await told(world, "13:59") == 0
    assert await told(world, "14:01") == 1


async def test_a_mute_taken_back_within_quiet_hours_leaves_them_quiet(born: Born) -> None:
    world = await reader(born, muted_until=at("18:00"))
    await world.sees(page(incident(OPEN)))
    world.clock.move(at("14:00") - world.clock.now())
    await changes(world, muted_until=None)
    assert await told(world, "14:30") == 0
    assert await told(world, "15:01") == 1


LATER = {
    "none any more": (None, "14:02"),
    "in another zone": (QuietHours.parse("13:00-15:00 Asia/Tokyo"), "14:02"),
    "longer": (QuietHours.parse("13:00-16:00"), "16:01"),
    "shorter": (QuietHours.parse("13:00-14:00"), "14:02"),
}


@pytest.mark.parametrize("case", LATER)
async def test_other_quiet_hours_count_for_what_waits_already(born: Born, case: str) -> None:
    quiet, by = LATER[case]
    world = await reader(born)
    world.clock.move(at("13:30") - world.clock.now())
    await world.sees(page(incident(OPEN)))
    assert await told(world, "14:01") == 0
    await changes(world, filter=Filter(quiet_hours=quiet))
    if case == "longer":
        assert await told(world, "15:01") == 0
    assert await told(world, by) == 1
