"""The first message of a conversation says how things stand now; judged by what its receiver has."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.ports import Ambiguous, BadMessage, ChannelFailure, Gone, Moved, NotSent, Throttled
from notifier.retry import POLICIES
from notifier.subscription import Address, Filter
from tests.builders import incident, page, update
from tests.doubles import Arrived, RecordingChannel
from tests.world import ON_BOTH, Born, World, to

pytestmark = ON_BOTH

OPEN = update("11:29", "investigating", "We see connection errors.")
FOUND = update("11:33", "identified", "A certificate has expired.")
OVER = update("11:41", "resolved", "This incident has been resolved.")


@pytest.fixture
def channel() -> RecordingChannel:
    return RecordingChannel("slack", can_find=True, keeps_root=True)


@pytest.fixture
async def there(born: Born, channel: RecordingChannel) -> World:
    """A page whose baseline was empty, for one subscriber whose channel keeps first messages current."""
    made = await born(channel)
    await made.subscribe("slack:C1")
    await made.sees(page())
    return made


def title(arrived: Arrived) -> str:
    newest = arrived.edits[-1] if arrived.edits else arrived.message
    return newest.lines[0].spans[0].text


async def told(world: World, *updates: object, **more: object) -> list[Arrived]:
    await world.sees(page(incident(*updates, **more)))  # type: ignore[arg-type]
    return await world.deliver("slack")


async def test_it_follows_every_update_to_the_end(there: World) -> None:
    await told(there, OPEN)
    root, _ = await told(there, OPEN, FOUND)
    assert title(root) == "🟡 Identified: WebSocket API connection errors"
    assert "A certificate has expired." in root.text, "the newest words"
    assert "We see connection errors." in root.text, "and the first"
    root, *replies = await told(there, OPEN, FOUND, OVER)
    assert title(root) == "🟢 Resolved: WebSocket API connection errors"
    assert "12 min" in root.text
    assert [len(each.edits) for each in (root, *replies)] == [2, 0, 0]
    assert len(await told(there, OPEN, FOUND, OVER)) == 3


async def test_a_rename_and_a_reopening_show_in_it(there: World) -> None:
    await told(there, OPEN, OVER)
    root, _ = await told(there, OPEN, OVER, update("11:50", "investigating", "It is back."))
    assert title(root) == "🟡 Investigating: WebSocket API connection errors"
    root, *_ = await told(
        there,
        OPEN,
        OVER,
        update("11:50", "investigating", "It is back."),
        name="Data is late",
        updated_at=OVER.at + timedelta(hours=1),
    )
    assert title(root) == "🟡 Investigating: Data is late"


async def test_an_edit_of_its_own_update_keeps_the_present_state(there: World) -> None:
    await told(there, OPEN)
    await told(there, OPEN, FOUND)
    root, reply = await told(there, replace(OPEN, text="We see many connection errors."), FOUND)
    assert title(root) == "🟡 Identified: WebSocket API connection errors"
    assert "We see many connection errors." in root.text
    assert "Edited by Kraken" in root.text
    assert reply.edits == []


async def test_an_edit_of_the_newest_update_shows_in_the_reply_and_in_it(there: World) -> None:
    await told(there, OPEN)
    await told(there, OPEN, FOUND)
    root, reply = await told(there, OPEN, replace(FOUND, text="Two certificates have expired."))
    assert "Two certificates" in root.text
    assert "certificates" in reply.text and "Edited by Kraken" in reply.text
    assert [len(each.edits) for each in (root, reply)] == [2, 1]


FAILURES: dict[str, tuple[ChannelFailure, int]] = {
    "no connection": (NotSent("down"), 5),
    "a lost answer": (Ambiguous("silence"), 5),
    "a pause": (Throttled("slow down", 1), 5),
    "a refusal of the rich form": (BadMessage("invalid_blocks"), 2),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_it_follows_although_the_edit_fails_at_first(there: World, channel: RecordingChannel, case: str) -> None:
    failure, times = FAILURES[case]
    await told(there, OPEN)
    for _ in range(times):
        channel.fail_edit(failure)
    await told(there, OPEN, OVER)
    for _ in range(5):
        there.clock.move(timedelta(minutes=1))
        root, *replies = await there.deliver("slack")
    assert title(root).startswith("🟢 Resolved")
    assert len(replies) == 1, "the news itself is not repeated"


async def test_what_can_be_edited_no_more_is_left_and_stops_nothing(there: World, channel: RecordingChannel) -> None:
    await told(there, OPEN)
    channel.fail_edit(Gone("the channel is archived"))
    root, reply = await told(there, OPEN, FOUND)
    assert (root.edits, title(reply)) == ([], "🟡 Identified: WebSocket API connection errors")
    root, *_ = await told(there, OPEN, FOUND, OVER)
    assert title(root).startswith("🟢 Resolved"), "the next news tries anew"


async def test_news_goes_out_before_first_messages_follow(there: World, channel: RecordingChannel) -> None:
    await there.subscribe("slack:C1", "slack:C2")
    await told(there, OPEN)
    channel.order.clear()
    await told(there, OPEN, OVER)
    assert channel.order == ["send", "send", "edit", "edit"]


async def test_it_follows_after_a_crash_between_the_news_and_its_edit(
    there: World, channel: RecordingChannel, born: Born
) -> None:
    await told(there, OPEN)
    await there.sees(page(incident(OPEN, OVER)))
    channel.hold()
    async with asyncio.TaskGroup() as tasks:
        dying = tasks.create_task(there.deliver("slack"))
        await channel.until_tried(2)
        channel.release()
        channel.hold()
        await channel.until_asked(edits=1)
        dying.cancel()
    channel.release()
    again = await born(channel, token=2)
    await again.store.recover("slack", again.clock.now())
    root, *replies = await again.deliver("slack")
    assert title(root).startswith("🟢 Resolved")
    assert len(replies) == 1


async def test_it_follows_what_its_reader_is_spared_as_news(born: Born, channel: RecordingChannel) -> None:
    there = await born(channel)
    await there.subscribe(to("slack:C1", filter=Filter(milestones_only=True)))
    await there.sees(page())
    await told(there, OPEN)
    [root] = await told(there, OPEN, FOUND)
    assert title(root) == "🟡 Identified: WebSocket API connection errors"
    assert channel.order == ["send", "edit"], "nothing sounds"


async def test_what_was_told_before_the_first_message_is_not_shown_in_it_as_news(
    born: Born, channel: RecordingChannel
) -> None:
    there = await born(channel)
    await there.sees(page(), page(incident(OPEN)))
    await there.subscribe("slack:C1")
    root, *more = await told(there, OPEN, FOUND)
    assert (title(root), more, root.edits) == ("🟡 Identified: WebSocket API connection errors", [], [])


async def test_failures_that_are_not_of_its_form_leave_the_form(there: World, channel: RecordingChannel) -> None:
    await told(there, OPEN)
    for failure in (NotSent("down"), Throttled("slow down", 1), NotSent("down"), BadMessage("invalid_blocks")):
        channel.fail_edit(failure)
    await told(there, OPEN, OVER)
    for _ in range(6):
        there.clock.move(timedelta(minutes=1))
        [root, _] = await there.deliver("slack")
    assert title(root).startswith("🟢 Resolved")
    assert root.edits[-1].plain, "the rich form was refused once"
    root, *_ = await told(there, OPEN, OVER, update("11:50", "investigating", "It is back."))
    assert not root.edits[-1].plain, "and is tried again with the next news"


async def test_an_edit_that_fails_delays_no_news(there: World, channel: RecordingChannel) -> None:
    await told(there, OPEN)
    await told(there, OPEN, FOUND)
    for _ in range(20):
        channel.fail_edit(NotSent("down"))
    edited = replace(FOUND, text="Two certificates have expired.")
    await told(there, OPEN, edited)
    before = there.clock.now()
    _, _, resolved = await told(there, OPEN, edited, OVER)
    assert title(resolved).startswith("🟢 Resolved")
    assert resolved.message.date == before, "at once"


async def test_what_stays_in_a_group_that_moved_is_left_as_it_is(there: World, channel: RecordingChannel) -> None:
    await told(there, OPEN)
    await told(there, OPEN, FOUND)
    channel.order.clear()
    for _ in range(2):
        channel.fail_edit(Moved("a supergroup now", Address("slack", "C9")))
    await told(there, OPEN, replace(FOUND, text="Two certificates have expired."))
    assert channel.order == ["edit", "edit"], "once each, and no more"


ENDS = {
    "nobody knows whether the end arrived, and it is not sent again": Ambiguous("silence"),
    "the end is refused for good": BadMessage("msg_too_long"),
}


@pytest.mark.parametrize("case", ENDS)
async def test_it_says_how_it_ended_even_if_the_news_of_that_was_lost(born: Born, case: str) -> None:
    channel = RecordingChannel("slack", keeps_root=True)
    there = await born(channel)
    await there.subscribe("slack:C1")
    await there.sees(page(), page(incident(OPEN)))
    never_twice = replace(POLICIES["slack"], resend_ambiguous=False)
    await there.deliver("slack", never_twice)
    channel.fail(ENDS[case], times=5)
    await there.sees(page(incident(OPEN, OVER)))
    for _ in range(4):
        there.clock.move(timedelta(minutes=1))
        [root, *_] = await there.deliver("slack", never_twice)
    assert title(root).startswith("🟢 Resolved")


async def test_who_left_is_edited_no_more(born: Born, channel: RecordingChannel) -> None:
    there = await born(channel)
    await there.subscribe(to("slack:C1", filter=Filter(milestones_only=True)), "slack:C2")
    await there.sees(page(), page(incident(OPEN)))
    await there.deliver("slack")
    await there.subscribe("slack:C2")
    await there.sees(page(incident(OPEN, FOUND)))
    await there.deliver("slack")
    assert [next(len(each.edits) for each in channel.at(f"slack:C{n}")) for n in (1, 2)] == [0, 1]
