"""The delivery step on a real SQLite, judged by what the receiver has."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.deliver import Sender
from notifier.model import Component, Topic, Window
from notifier.ports import (
    Ambiguous,
    BadCredentials,
    BadMessage,
    ChannelFailure,
    Gone,
    Moved,
    NotSent,
    Throttled,
)
from notifier.retry import POLICIES
from notifier.subscription import Address, Filter, QuietHours
from tests.builders import NOW, at, incident, maintenance, page, update
from tests.doubles import RecordingChannel
from tests.world import ON_SQLITE, PAGE, Born, World, to

pytestmark = ON_SQLITE

OPEN = update("11:29", "investigating", "We see connection errors.")
FIXED = update("11:35", "monitoring", "A fix is in.")
OVER = update("11:41", "resolved", "This incident has been resolved.")


async def test_three_updates_are_three_messages_in_one_conversation(world: World) -> None:
    for story in ((OPEN,), (OPEN, FIXED), (OPEN, FIXED, OVER)):
        await world.sees(page(incident(*story)))
        await world.deliver()
    arrived = await world.deliver()
    assert [each.subject for each in arrived] == [
        "[Kraken] Investigating: WebSocket API connection errors",
        "[Kraken] Monitoring: WebSocket API connection errors",
        "[Kraken] Resolved: WebSocket API connection errors",
    ]
    root = arrived[0].receipt
    assert [each.message.thread and each.message.thread.ref for each in arrived] == [None, root.ref, root.ref]
    assert "11:29 UTC investigating · 11:35 monitoring · 11:41 resolved · 12 min" in arrived[2].text


async def test_what_waits_is_told_in_one_message_with_the_newest_state_on_top(world: World) -> None:
    await world.sees(page(incident(OPEN)), page(incident(OPEN, FIXED, OVER)))
    arrived = await world.deliver()
    assert [each.subject for each in arrived] == ["[Kraken] Resolved: WebSocket API connection errors"]
    assert len(arrived[0].message.delivery_ids) == 3
    text = arrived[0].text
    assert text.index(OVER.text) < text.index(FIXED.text) < text.index(OPEN.text)


async def test_an_edit_changes_the_message_already_sent_and_adds_none(world: World) -> None:
    await world.sees(page(incident(OPEN)))
    await world.deliver()
    await world.sees(page(incident(replace(OPEN, text="Only some connections fail."), updated_at=at("11:31"))))
    arrived = await world.deliver()
    assert len(arrived) == 1
    assert "Only some connections fail." in arrived[0].text and OPEN.text not in arrived[0].text


@pytest.mark.fault("H6")
async def test_an_edit_while_its_original_waits_is_told_once_in_the_newest_words(world: World) -> None:
    await world.sees(page(incident(OPEN)), page(incident(replace(OPEN, text="Only some."), updated_at=at("11:31"))))
    arrived = await world.deliver()
    assert len(arrived) == 1 and not arrived[0].edits
    assert "Only some." in arrived[0].text and OPEN.text not in arrived[0].text


async def test_where_nothing_can_be_edited_an_edit_rides_in_the_next_message(born: Born) -> None:
    world = await born(RecordingChannel("mailto", can_edit=False))
    await world.subscribe("mailto:ops@example.com")
    await world.sees(page(), page(incident(OPEN)))
    await world.deliver("mailto")
    edited = replace(OPEN, text="Only some connections fail.")
    await world.sees(page(incident(edited, updated_at=at("11:31"))))
    assert len(await world.deliver("mailto")) == 1
    await world.sees(page(incident(edited, FIXED)))
    arrived = await world.deliver("mailto")
    assert len(arrived) == 2
    assert "Edited: Only some connections fail." in arrived[1].text


RETRIED: dict[str, tuple[ChannelFailure, bool]] = {
    "not sent is tried again": (NotSent("refused"), False),
    "throttled is tried again": (Throttled("slow down", 0), False),
    "ambiguous is sent again where it cannot be asked for": (Ambiguous("timeout"), False),
    "a refused text goes out plain": (BadMessage("can't parse"), False),
    "wrong credentials lose nothing": (BadCredentials("401"), False),
}


@pytest.mark.fault("C12", "E1")
@pytest.mark.parametrize("case", RETRIED)
async def test_a_failure_that_passes_ends_with_one_message(world: World, case: str) -> None:
    failure, arrives = RETRIED[case]
    channel = world.channels["console"]
    channel.fail(failure, arrives=arrives)
    await world.sees(page(incident(OPEN)))
    await world.deliver()
    world.clock.move(timedelta(minutes=20))
    arrived = await world.deliver()
    assert len(arrived) == 1 and channel.tries == 2
    assert arrived[0].message.plain is isinstance(failure, BadMessage)


async def test_a_channel_that_can_be_asked_sends_once_although_the_reply_was_lost(born: Born) -> None:
    world = await born(RecordingChannel("slack", can_find=True))
    await world.subscribe("slack:C1")
    await world.sees(page(), page(incident(OPEN)))
    world.channels["slack"].fail(Ambiguous("reply lost"), arrives=True)
    await world.deliver("slack")
    world.clock.move(timedelta(minutes=1))
    assert len(await world.deliver("slack")) == 1
    await world.sees(page(incident(OPEN, OVER)))
    arrived = await world.deliver("slack")
    assert [each.message.thread for each in arrived][1] is not None


async def test_a_failed_look_leaves_open_whether_it_arrived(born: Born) -> None:
    channel = RecordingChannel("slack", can_find=True)
    world = await born(channel)
    await world.subscribe("slack:C1")
    await world.sees(page(), page(incident(OPEN)))
    channel.fail(Ambiguous("reply lost"), arrives=True)
    channel.fail_look(Throttled("slow down", 1))
    channel.fail_look(NotSent("down"))
    assert len(await world.deliver("slack")) == 1
    assert channel.tries == 1 and channel.looks == 3


async def test_drop_leaves_what_may_have_arrived(born: Born) -> None:
    world = await born(RecordingChannel("telegram"))
    await world.subscribe("telegram:-100")
    policy = replace(POLICIES["telegram"], resend_ambiguous=False)
    await world.sees(page(), page(incident(OPEN)))
    world.channels["telegram"].fail(Ambiguous("reply lost"), arrives=True)
    await world.deliver("telegram", policy)
    world.clock.move(timedelta(minutes=30))
    assert len(await world.deliver("telegram", policy)) == 1
    await world.sees(page(incident(OPEN, FIXED)))
    assert len(await world.deliver("telegram", policy)) == 2


async def test_a_crash_between_intent_and_result_repeats_at_most_what_was_in_flight(born: Born) -> None:
    channel = RecordingChannel("telegram")
    first = await born(channel, token=1)
    await first.subscribe("telegram:-100")
    await first.sees(page(), page(incident(OPEN)))
    assert await first.store.claim("telegram", 8, NOW)
    await first.die()
    second = await born(channel, token=2)
    await second.store.recover("telegram", NOW)
    await second.sees(page(incident(OPEN)))
    assert len(await second.deliver("telegram")) == 1


@pytest.mark.fault("C3", "E2")
async def test_one_blocked_recipient_is_switched_off_and_delays_nobody(born: Born) -> None:
    channel = RecordingChannel("telegram")
    channel.refuse("telegram:-1", lambda: Gone("bot was blocked by the user"))
    world = await born(channel)
    await world.subscribe("telegram:-1", "telegram:-2", "telegram:-3")
    await world.sees(page(), page(incident(OPEN)))
    await world.deliver("telegram")
    tries = channel.tries
    await world.sees(page(incident(OPEN, FIXED)))
    await world.deliver("telegram")
    assert [len(channel.at(f"telegram:-{n}")) for n in (1, 2, 3)] == [0, 2, 2]
    assert channel.tries == tries + 2


@pytest.mark.fault("C4")
async def test_whatever_a_provider_says_can_be_written_down(born: Born) -> None:
    world = await born(RecordingChannel("telegram"))
    await world.subscribe("telegram:1")
    await world.sees(page(), page(incident(OPEN)))
    world.channels["telegram"].fail(Gone("half a \ud83d pair and a \0 too"))
    await world.deliver("telegram")
    assert [each.reason for each in await world.store.deliveries((), 9)] == ["half a ? pair and a ? too"]


async def test_a_moved_recipient_is_followed(born: Born) -> None:
    channel = RecordingChannel("telegram")
    new = Address("telegram", "-1009")
    channel.refuse("telegram:-9", lambda: Moved("upgraded to a supergroup", new))
    world = await born(channel)
    await world.subscribe("telegram:-9")
    await world.sees(page(), page(incident(OPEN)))
    assert [str(each.to) for each in await world.deliver("telegram")] == ["telegram:-1009"]


@pytest.mark.fault("H11")
async def test_a_stuck_conversation_blocks_only_itself(world: World) -> None:
    channel = world.channels["console"]
    channel.fail(NotSent("down"))
    await world.sees(page(incident(OPEN)))
    await world.deliver()
    world.clock.move(timedelta(seconds=-1))
    await world.sees(page(incident(update("11:50"), id="another00001", name="Another")))
    assert [each.subject for each in await world.deliver()][-1:] == ["[Kraken] Investigating: Another"]


async def test_never_more_sends_at_once_than_allowed(born: Born) -> None:
    channel = RecordingChannel("telegram")
    world = await born(channel)
    await world.subscribe(*(f"telegram:{n}" for n in range(1, 31)))
    await world.sees(page(), page(incident(OPEN)))
    channel.hold()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.sender("telegram").run(until_empty=True))
        await channel.until_tried(8)
        channel.release()
    assert len(channel.arrived) == 30
    assert channel.most_at_once == 8


@pytest.mark.fault("H5")
async def test_quiet_hours_defer_and_fold_but_let_critical_through(born: Born) -> None:
    world = await born()
    quiet = Filter(quiet_hours=QuietHours(start=at("10:00").time(), end=at("14:00").time(), zone="UTC"))
    await world.subscribe(to("console:", filter=quiet))
    await world.sees(page(), page(incident(OPEN)), page(incident(OPEN, FIXED)))
    assert await world.deliver() == []
    await world.sees(page(incident(update("11:50"), id="critical0001", impact="critical")))
    assert len(await world.deliver()) == 1
    world.clock.move(timedelta(hours=3))
    arrived = await world.deliver()
    assert len(arrived) == 2 and len(arrived[1].message.delivery_ids) == 2


async def test_old_news_rides_in_the_next_message_instead_of_going_out_as_if_fresh(world: World) -> None:
    world.channels["console"].fail(BadCredentials("401"))
    await world.sees(page(incident(OPEN)))
    assert await world.deliver() == []
    world.clock.move(timedelta(hours=2))
    assert await world.deliver() == []
    await world.sees(page(incident(OPEN, FIXED)))
    arrived = await world.deliver()
    assert len(arrived) == 1 and OPEN.text in arrived[0].text


@pytest.mark.fault("H3")
async def test_nobody_gets_a_lone_end(born: Born) -> None:
    world = await born(RecordingChannel("telegram"))
    await world.subscribe(to("telegram:1", filter=Filter(min_impact="major")), "telegram:2")
    await world.sees(page(), page(incident(OPEN)), page(incident(OPEN, OVER)))
    await world.deliver("telegram")
    assert [str(each.to) for each in world.channels["telegram"].arrived] == ["telegram:2"]


async def test_who_heard_of_it_hears_the_end_even_if_it_grew_milder(born: Born) -> None:
    world = await born()
    await world.subscribe(to("console:", filter=Filter(min_impact="major")))
    await world.sees(page(), page(incident(OPEN, impact="major")))
    await world.deliver()
    await world.sees(page(incident(OPEN, OVER, impact="minor")))
    assert [each.subject.split(":")[0] for each in await world.deliver()] == [
        "[Kraken] Investigating",
        "[Kraken] Resolved",
    ]


async def test_an_incident_open_at_the_baseline_counts_as_told(born: Born) -> None:
    world = await born()
    await world.subscribe("console:")
    await world.sees(page(incident(OPEN)))
    assert await world.deliver() == []
    await world.sees(page(incident(OPEN, OVER)))
    assert len(await world.deliver()) == 1


@pytest.mark.fault("H7")
async def test_a_removed_subscription_gets_nothing_that_still_waits(world: World) -> None:
    await world.sees(page(incident(OPEN)))
    await world.subscribe()
    assert await world.deliver() == []


async def test_a_new_subscription_is_welcomed_once_with_what_is_open(born: Born) -> None:
    world = await born()
    await world.subscribe("console:", welcome=True)
    await world.poll.welcome("Kraken")
    assert await world.deliver() == []
    await world.sees(page(incident(OPEN)))
    for _ in range(2):
        await world.poll.welcome("Kraken")
        arrived = await world.deliver()
    assert len(arrived) == 1 and "WebSocket API connection errors (investigating)" in arrived[0].text


async def test_component_news_goes_only_to_those_who_asked(born: Born) -> None:
    world = await born(RecordingChannel("telegram"))
    await world.subscribe(to("telegram:1", filter=Filter(kinds=(Topic.COMPONENT,))), "telegram:2")
    fine = (Component(id="c", name="Websocket", updated_at=at("10:00")),)
    down = (Component(id="c", name="Websocket", status="major_outage", updated_at=at("11:00")),)
    await world.sees(page(source="summary", components=fine), page(source="summary", components=down))
    await world.deliver("telegram")
    assert [str(each.to) for each in world.channels["telegram"].arrived] == ["telegram:1"]


async def test_stopping_finishes_what_is_under_way_and_claims_nothing_more(born: Born) -> None:
    channel = RecordingChannel("telegram")
    world = await born(channel)
    await world.subscribe(*(f"telegram:{n}" for n in range(1, 21)))
    await world.sees(page(), page(incident(OPEN)))
    channel.hold()
    sender = world.sender("telegram")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.run())
        await channel.until_tried(8)
        sender.stop()
        channel.release()
    assert len(channel.arrived) == 8
    assert (await world.store.counts()) == {"sent": 8, "pending": 12}


@pytest.mark.fault("D7", "E3")
async def test_a_refused_message_is_given_up_and_stops_nobody(born: Born) -> None:
    channel = RecordingChannel("telegram")
    channel.refuse("telegram:1", lambda: BadMessage("can't parse"))
    world = await born(channel)
    await world.subscribe("telegram:1", "telegram:2")
    await world.sees(page(), page(incident(OPEN)))
    await world.deliver("telegram")
    world.clock.move(timedelta(hours=1))
    await world.sees(page(incident(OPEN, FIXED)))
    await world.deliver("telegram")
    assert [len(channel.at(f"telegram:{n}")) for n in (1, 2)] == [0, 2]
    assert (await world.store.counts())["dead"] == 2


async def test_an_outage_of_the_provider_shorter_than_the_horizon_loses_nothing(born: Born) -> None:
    channel = RecordingChannel("telegram")
    world = await born(channel)
    await world.subscribe("telegram:1")
    await world.sees(page(), page(incident(OPEN)))
    channel.fail(Ambiguous("502"), times=12)
    for _ in range(13):
        await world.deliver("telegram")
        world.clock.move(timedelta(minutes=6))
    assert len(channel.arrived) == 1


@pytest.mark.fault("H5")
async def test_what_quiet_hours_deferred_survives_a_failed_try(born: Born) -> None:
    world = await born(RecordingChannel("telegram"))
    quiet = Filter(quiet_hours=QuietHours(start=at("10:00").time(), end=at("18:00").time(), zone="UTC"))
    await world.subscribe(to("telegram:1", filter=quiet))
    await world.sees(page(), page(incident(OPEN)))
    world.channels["telegram"].fail(BadCredentials("401"))
    world.clock.move(timedelta(hours=6, minutes=1))
    assert await world.deliver("telegram") == []
    world.clock.move(timedelta(minutes=6))
    assert len(await world.deliver("telegram")) == 1


async def test_a_revived_delivery_is_sent_however_old_it_is(born: Born) -> None:
    channel = RecordingChannel("telegram")
    channel.refuse("telegram:1", lambda: Gone("blocked"))
    world = await born(channel)
    await world.subscribe("telegram:1")
    await world.sees(page(), page(incident(OPEN)))
    await world.deliver("telegram")
    channel.relent("telegram:1")
    world.clock.move(timedelta(days=3))
    [entry] = await world.store.deliveries((), 1)
    assert await world.store.revive(entry.id, world.clock.now())
    assert len(await world.deliver("telegram")) == 1


async def test_a_clock_that_jumps_ahead_during_a_send_repeats_nothing(born: Born) -> None:
    channel = RecordingChannel("telegram")
    world = await born(channel)
    await world.subscribe("telegram:1")
    await world.sees(page(), page(incident(OPEN)))
    channel.hold()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.sender("telegram").run(until_empty=True))
        await channel.until_tried(1)
        world.clock.move(timedelta(days=1))
        assert await world.store.claim("telegram", 8, world.clock.now()) == []
        channel.release()
    assert len(channel.arrived) == 1


@pytest.mark.fault("C4")
async def test_a_moved_chat_stays_followed_after_a_restart(born: Born) -> None:
    channel = RecordingChannel("telegram")
    channel.refuse("telegram:-9", lambda: Moved("upgraded", Address("telegram", "-1009")))
    world = await born(channel)
    await world.subscribe("telegram:-9")
    await world.sees(page(), page(incident(OPEN)))
    await world.deliver("telegram")
    await world.subscribe("telegram:-9")
    await world.sees(page(incident(OPEN, FIXED)))
    assert [str(each.to) for each in await world.deliver("telegram")] == ["telegram:-1009"] * 2


async def test_a_refused_edit_takes_no_news_with_it(world: World) -> None:
    await world.sees(page(incident(OPEN)))
    await world.deliver()
    world.channels["console"].fail_edit(BadMessage("can't parse"))
    await world.sees(page(incident(replace(OPEN, text="Other words."), OVER)))
    arrived = await world.deliver()
    assert [each.subject.split(":")[0] for each in arrived] == ["[Kraken] Investigating", "[Kraken] Resolved"]


@pytest.mark.fault("H8")
async def test_a_reminder_after_its_time_is_not_sent(born: Born) -> None:
    world = await born()
    await world.subscribe("console:")
    ahead = maintenance(update("6:00", "scheduled"), window=Window(start=at("12:20")))
    await world.sees(page(), page(ahead))
    await world.deliver()
    await world.poll.remind(timedelta(minutes=30))
    world.clock.move(timedelta(minutes=40))
    assert len(await world.deliver()) == 1


async def test_emptying_the_outbox_does_not_wait_for_a_conversation_that_backs_off(born: Born) -> None:
    channel = RecordingChannel("mailto", can_edit=False)
    world = await born(channel)
    await world.subscribe("mailto:ops@example.com")
    await world.sees(page(), page(incident(OPEN)))
    channel.fail(NotSent("greylisted"), times=50)
    await world.deliver("mailto")
    await world.sees(page(incident(OPEN, FIXED)))
    tries = channel.tries
    async with asyncio.timeout(5):
        await world.deliver("mailto")
    assert channel.tries <= tries + 1


async def test_a_repetition_is_the_same_to_the_letter_though_news_grew_late_within_the_minute(born: Born) -> None:
    channel = RecordingChannel("telegram")
    first = await born(channel, token=1)
    await first.subscribe("telegram:1", "telegram:2")
    await first.sees(page(), page(incident(update("11:50", created_at=NOW - timedelta(minutes=9, seconds=30)))))
    sender = Sender(channel, first.store, PAGE, POLICIES["telegram"], first.clock, lambda: 0.5, in_flight=1)

    def goes_wrong() -> None:
        if channel.tries == 1:
            first.clock.move(timedelta(seconds=40))
        else:
            channel.fail(Ambiguous("the reply is lost"), arrives=True)
            sender.stop()

    channel.at_each_send(goes_wrong)
    await sender.run()
    channel.at_each_send(lambda: None)
    second = await born(channel, token=2)
    second.clock.move(timedelta(minutes=1))
    await second.deliver("telegram")
    once, again = channel.at("telegram:2")
    assert once.text == again.text
