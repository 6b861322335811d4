"""Who may go out when: pace, pauses and breaker together, judged by what the receivers have."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from notifier.deliver import Sender
from notifier.gate import Gate
from notifier.model import State, Topic
from notifier.pace import LIMITS, Limits
from notifier.parcel import Pause, Settlement
from notifier.ports import BadCredentials, BadMessage, ChannelFailure, NotSent, Throttled, Throttles
from notifier.retry import LONGEST_PAUSE, POLICIES
from notifier.subscription import Address, Filter
from tests.builders import incident, page, update
from tests.doubles import FrozenClock, RecordingChannel
from tests.world import PAGE, Born, World, to

OPEN = update("11:29", "investigating", "We see connection errors.")
FOUND = update("11:35", "identified", "A certificate has expired.")
PEOPLE = [f"telegram:{number}" for number in range(1, 21)]
LONG = 3000
SLOW = 0.01
"""A clock by which such a pause takes longer than any test."""


def sender(world: World, name: str, limits: Limits | None = None, in_flight: int = 8) -> Sender:
    channel = world.channels[name]
    return Sender(
        channel, world.store, PAGE, POLICIES[name], world.clock, lambda: 0.5, in_flight=in_flight, limits=limits
    )


async def people(born: Born, channel: RecordingChannel | None = None, *addresses: str) -> World:
    world = await born(channel or RecordingChannel("telegram"))
    await world.subscribe(*(addresses or PEOPLE))
    await world.sees(page())
    return world


async def test_a_pause_holds_all_of_telegram_and_outlives_a_restart(born: Born) -> None:
    world = await people(born)
    world.clock.second = SLOW
    channel = world.channels["telegram"]
    channel.fail(Throttled("retry after", LONG))
    await world.sees(page(incident(OPEN)))
    await sender(world, "telegram", in_flight=1).run(until_empty=True)
    assert channel.tries == 1
    await world.die()
    again = await World.born(world.url, channel, clock=world.clock, token=2)
    await again.deliver("telegram")
    assert channel.tries == 1, "the next process knows"
    world.clock.move(timedelta(seconds=LONG + 1))
    await again.deliver("telegram")
    assert [str(each.to) for each in channel.arrived] == PEOPLE
    assert {each.attempt for each in await again.store.deliveries((), 50)} == {1}, "and it cost nobody a try"
    await again.die()


REACH: dict[str, tuple[Throttles, list[str]]] = {
    "everything": ("all", ["send", "edit"]),
    "edits, while news goes out": ("call", ["send", "edit", "send"]),
}


@pytest.mark.parametrize("case", REACH)
async def test_a_pause_reaches_as_far_as_the_provider_means_it(born: Born, case: str) -> None:
    throttles, expected = REACH[case]
    world = await people(born, RecordingChannel("slack", keeps_root=True, throttles=throttles), "slack:C1")
    world.clock.second = SLOW
    channel = world.channels["slack"]
    await world.sees(page(incident(OPEN)))
    await world.deliver("slack")
    channel.order.clear()
    channel.fail_edit(Throttled("ratelimited", LONG))
    await world.sees(page(incident(OPEN, FOUND)))
    running = sender(world, "slack", in_flight=1)
    await running.run(until_empty=True)
    await world.sees(page(incident(OPEN, FOUND, update("11:41", "resolved", "It is over."))))
    running.wake()
    await running.run(until_empty=True)
    assert channel.order == expected


async def test_a_paused_webhook_holds_up_no_other(born: Born) -> None:
    hooks = RecordingChannel("slack-webhook", can_edit=False, throttles="recipient")
    world = await people(born, hooks, "slack-webhook:a", "slack-webhook:b")
    world.clock.second = SLOW
    hooks.refuse("slack-webhook:a", lambda: Throttled("slow down", LONG))
    await world.sees(page(incident(OPEN)))
    await world.deliver("slack-webhook")
    assert [str(each.to) for each in hooks.arrived] == ["slack-webhook:b"]
    hooks.relent("slack-webhook:a")
    await world.deliver("slack-webhook")
    assert hooks.tries == 2
    world.clock.move(timedelta(seconds=LONG + 1))
    await world.deliver("slack-webhook")
    assert {str(each.to) for each in hooks.arrived} == {"slack-webhook:a", "slack-webhook:b"}


async def test_who_wants_no_questions_is_asked_none_about_other_messages(born: Born) -> None:
    slack = RecordingChannel("slack", can_find=True, throttles="call")
    world = await people(born, slack, *(f"slack:C{number}" for number in range(20)))
    world.clock.second = SLOW
    await world.sees(page(incident(OPEN)))
    await world.store.claim("slack", 19, world.clock.now())
    await world.die()
    again = await World.born(world.url, slack, clock=world.clock, token=2)
    await again.store.recover("slack", world.clock.now())
    slack.fail_look(Throttled("ratelimited", LONG))
    await sender(again, "slack", in_flight=1).run(until_empty=True)
    assert (slack.looks, slack.tries) == (1, 1), "and what was never tried goes out"
    world.clock.move(timedelta(seconds=LONG + 1))
    await again.deliver("slack")
    assert len(slack.arrived) == 20
    await again.die()


async def test_loud_news_overtakes_a_long_queue_and_impact_counts_next(born: Born) -> None:
    world = await people(born)
    for number, impact in enumerate(("none", "minor", "critical", "major")):
        await world.sees(page(incident(OPEN, id=f"incident000{number}", impact=impact)))
    await world.deliver("telegram")
    world.channels["telegram"].arrived.clear()
    for number, impact in enumerate(("none", "minor", "critical", "major")):
        await world.sees(page(incident(OPEN, FOUND, id=f"incident000{number}", impact=impact, name=f"It is {impact}")))
    await world.sees(page(incident(OPEN, id="incident0009", impact="minor", name="It is loud")))
    await sender(world, "telegram", in_flight=1).run(until_empty=True)
    order = list(dict.fromkeys(each.subject.partition("It is ")[2] for each in world.channels["telegram"].arrived))
    assert order == ["loud", "critical", "major", "minor", "none"]


async def test_a_retry_that_is_due_does_not_wait_for_the_end_of_the_fan_out(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    channel.fail(NotSent("refused"))
    channel.at_each_send(lambda: world.clock.move(timedelta(seconds=0.1)))
    await world.sees(page(incident(OPEN)))
    await sender(world, "telegram", in_flight=1).run(until_empty=True)
    places = [str(each.to) for each in channel.arrived]
    assert sorted(places) == sorted(PEOPLE) and 3 <= places.index("telegram:1") <= 6


async def test_one_chat_with_many_incidents_gets_one_a_second_and_keeps_nobody_waiting(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    times: list[float] = []
    channel.at_each_send(lambda: times.append(asyncio.get_running_loop().time()))
    await world.subscribe("telegram:1", to("telegram:2", filter=Filter(kinds=(Topic.EXCHANGE,))))
    await world.sees(page(*(incident(OPEN, id=f"incident000{number}") for number in range(3))))
    await world.subscribe("telegram:1", "telegram:2")
    await world.sees(page(incident(OPEN, id="incident0009")))
    await sender(world, "telegram", Limits(gap=100)).run(until_empty=True)
    assert [str(each.to) for each in channel.arrived[:2]] == ["telegram:1", "telegram:2"]
    first = [at for at, each in zip(times, channel.arrived, strict=True) if str(each.to) == "telegram:1"]
    assert len(first) == 4
    assert all(later - earlier >= 0.099 for earlier, later in pairwise(first)), "a hundred seconds of this clock"


async def test_refused_credentials_stop_the_channel_until_a_probe_finds_them_good(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    channel.fail(BadCredentials("401"))
    channel.fail_check(BadCredentials("401"))
    await world.sees(page(incident(OPEN)))
    running = sender(world, "telegram", in_flight=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.run())
        await channel.until_checked(1)
        assert channel.tries == 1 and running.condition().refused
        await channel.until_tried(1 + len(PEOPLE))
        running.stop()
    assert [str(each.to) for each in channel.arrived] == PEOPLE
    assert running.condition().broken_since is None
    assert {each.attempt for each in await world.store.deliveries((), 50)} == {1}


async def test_a_provider_that_is_down_is_not_asked_for_every_message(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    channel.fail(NotSent("down"), times=5)
    await world.sees(page(incident(OPEN)))
    running = sender(world, "telegram", in_flight=1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.run())
        await channel.until_checked(1)
        assert channel.tries == 5 and not running.condition().refused
        await channel.until_tried(5 + len(PEOPLE))
        running.stop()
    assert sorted(str(each.to) for each in channel.arrived) == sorted(PEOPLE)


async def test_a_provider_that_answers_but_takes_nothing_stays_broken_while_something_waits(born: Born) -> None:
    world = await people(born, None, "telegram:1")
    world.clock.second = 1e-6
    channel = world.channels["telegram"]
    channel.refuse("telegram:1", lambda: NotSent("500"))
    await world.sees(page(incident(OPEN)))
    running = sender(world, "telegram", in_flight=1)
    for _ in range(3):
        await running.run(until_empty=True)
    assert channel.tries > 5 and channel.checks > 0
    assert running.condition().broken_since is not None, "every probe was answered, no message taken"
    channel.relent("telegram:1")
    world.clock.move(timedelta(minutes=5))
    await running.run(until_empty=True)
    assert len(channel.arrived) == 1 and running.condition().broken_since is None


async def test_a_text_that_is_refused_is_refused_once_and_not_by_every_reader(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    channel.refuse_rich(BadMessage("can't parse entities"))
    await world.sees(page(incident(OPEN)))
    await sender(world, "telegram", in_flight=1).run(until_empty=True)
    assert [each.message.plain for each in channel.arrived] == [True] * len(PEOPLE)
    assert channel.tries == len(PEOPLE) + 1


async def test_what_is_put_back_for_a_pause_waits_for_its_end_and_stays_plain(born: Born) -> None:
    hook = RecordingChannel("slack-webhook", can_edit=False, throttles="recipient")
    world = await people(born, hook, "slack-webhook:a")
    world.clock.second = SLOW
    await world.sees(page(incident(OPEN), incident(FOUND, id="incident0002")))
    now = world.clock.now()
    for plain, parcel in enumerate(await world.store.claim("slack-webhook", 2, now)):
        await world.store.settle(Settlement(parcel=parcel, state=State.PENDING, plain=bool(plain), counts=False))
    hook.fail(Throttled("slow down", LONG))
    async with asyncio.timeout(LONG * SLOW / 10):
        await sender(world, "slack-webhook", in_flight=2).run(until_empty=True)
    assert hook.tries == 1
    world.clock.move(timedelta(seconds=LONG + 1))
    await world.deliver("slack-webhook")
    assert sorted(each.message.plain for each in hook.arrived) == [False, True]


async def test_a_process_told_to_stop_while_it_asks_its_provider_claims_nothing(born: Born) -> None:
    world = await people(born)
    channel = world.channels["telegram"]
    await world.sees(page(incident(OPEN)))
    running = sender(world, "telegram")
    channel.at_each_check(running.stop)
    running.suspect()
    await running.run()
    assert channel.checks == 1 and channel.tries == 0
    assert set(await world.store.counts()) == {"pending"}


async def test_what_was_claimed_before_the_channel_broke_is_put_back() -> None:
    gate = Gate(RecordingChannel("telegram"), LIMITS["telegram"], FrozenClock())
    assert not gate.closed_for("send")
    failure: ChannelFailure = BadCredentials("401")
    gate.failed(failure)
    assert gate.closed_for("send") > timedelta(minutes=4) and gate.room(8, 0) == 0 and gate.edits() == 0
    assert await gate.turn("send", Address("telegram", "1"), 1) is False, "what was claimed already is put back"


async def test_a_pause_lets_go_at_once_of_all_that_waits_for_its_turn() -> None:
    clock = FrozenClock()
    clock.second = SLOW
    gate = Gate(RecordingChannel("telegram"), LIMITS["telegram"], clock)
    assert await gate.turn("send", Address("telegram", "1"), 1)
    async with asyncio.timeout(LONG * SLOW / 10), asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(gate.turn("send", Address("telegram", str(who)), who)) for who in range(2, 9)]
        await asyncio.sleep(0)
        gate.pause("send", Address("telegram", "1"), timedelta(seconds=LONG), "retry after")
    assert sum(task.result() for task in waiting) == 0


async def test_edits_that_are_paused_hold_up_no_news_not_even_that_of_their_chat() -> None:
    clock = FrozenClock()
    clock.second = SLOW
    gate = Gate(RecordingChannel("slack", throttles="call"), Limits(edits=Limits(per_second=1)), clock)
    chat = Address("slack", "C1")
    assert await gate.turn("edit", chat, 1)
    async with asyncio.timeout(LONG * SLOW / 10), asyncio.TaskGroup() as tasks:
        edits = [tasks.create_task(gate.turn("edit", chat, 1)) for _ in range(3)]
        await asyncio.sleep(0)
        gate.pause("edit", chat, timedelta(seconds=LONG), "ratelimited")
        assert await gate.turn("send", chat, 1)
    assert not edits[-1].result() and not gate.resting()


async def test_a_process_that_stops_puts_back_what_waits_for_its_turn(born: Born) -> None:
    world = await people(born)
    world.clock.second = 1.0
    running = sender(world, "telegram", Limits(per_second=20))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(running.run())
        await world.sees(page(incident(OPEN)))
        running.wake()
        await world.channels["telegram"].until_tried(1)
        running.stop()
    assert world.channels["telegram"].tries <= 2
    assert {each.state for each in await world.store.deliveries((), 50)} == {State.SENT, State.PENDING}


async def test_no_pause_is_longer_than_one_of_a_provider_though_the_clock_was_put_back() -> None:
    clock = FrozenClock()
    gate = Gate(RecordingChannel("telegram"), LIMITS["telegram"], clock)
    gate.recall([Pause(scope="", until=clock.now() + timedelta(days=30), reason="retry after")])
    assert gate.closed_for("send") <= timedelta(seconds=LONGEST_PAUSE)


async def test_what_waits_for_its_turn_does_not_sit_out_a_pause_but_is_put_back() -> None:
    clock = FrozenClock()
    clock.second = SLOW
    gate, to = Gate(RecordingChannel("telegram"), LIMITS["telegram"], clock), Address("telegram", "1")
    assert await gate.turn("send", to, 1)
    gate.pause("send", to, timedelta(seconds=LONG), "retry after")
    async with asyncio.timeout(5):
        assert not await gate.turn("send", Address("telegram", "2"), 2)


async def test_who_leaves_is_sent_nothing_that_waits_for_its_turn(born: Born) -> None:
    world = await people(born)
    await world.subscribe()
    for each in PEOPLE:
        await world.store.keep(to(each, origin="self"), world.clock.now())
    world.clock.second = 1.0
    running, channel = sender(world, "telegram", Limits(per_second=20)), world.channels["telegram"]
    await world.sees(page(incident(OPEN)))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(running.run(until_empty=True))
        await channel.until_tried(1)
        for each in PEOPLE:
            if (number := await world.store.forget(Address.parse(each))) is not None:
                running.end(number)
    assert channel.tries <= 2
    assert await world.store.deliveries((), 50) == []
