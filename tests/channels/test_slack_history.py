"""What may have arrived is looked for in Slack's history before it is sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from notifier.channels.slack import Slack
from notifier.message import Receipt
from notifier.ports import Ambiguous, Throttled
from notifier.subscription import Address
from tests.channels.contract import message, table
from tests.receivers import answer, reply_lost
from tests.receivers.slack import TOKEN, FakeSlack

DESK = Address("slack", "C0DESK")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def receiver() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def channel(receiver: FakeSlack) -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        yield Slack(TOKEN, receiver.url, session)


@pytest.mark.fault("D2")
async def test_a_message_whose_reply_was_lost_is_found(channel: Slack, receiver: FakeSlack) -> None:
    lost = message(delivery_ids=("db-7", "db-8"))
    receiver.next(reply_lost())
    with pytest.raises(Ambiguous):
        await channel.send(DESK, lost)

    found = await channel.find(DESK, lost, LONG_AGO)

    assert found == Receipt(to="C0DESK", ref=receiver.messages[0].ts, root=True)


async def test_a_lost_reply_in_a_thread_is_found_there(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    reply = message(delivery_ids=("db-9",), thread=first)
    receiver.next(reply_lost())
    with pytest.raises(Ambiguous):
        await channel.send(DESK, reply)

    found = await channel.find(DESK, reply, LONG_AGO)

    assert found == Receipt(to="C0DESK", ref=receiver.messages[1].ts, root=False)


async def test_any_member_of_a_fold_is_enough_to_be_found(channel: Slack) -> None:
    sent = await channel.send(DESK, message(delivery_ids=("db-1", "db-2", "db-3")))

    assert await channel.find(DESK, message(delivery_ids=("db-2",)), LONG_AGO) == sent


@table(
    {
        "another delivery": message(delivery_ids=("db-2",)),
        "the same number from another database": message(delivery_ids=("other-1",)),
    }
)
async def test_what_never_arrived_is_not_found(channel: Slack, row: object) -> None:
    await channel.send(DESK, message(delivery_ids=("db-1",)))

    assert await channel.find(DESK, row, LONG_AGO) is None  # type: ignore[arg-type]


async def test_messages_of_other_apps_are_not_taken_for_ours(channel: Slack, receiver: FakeSlack) -> None:
    await channel.send(DESK, message(delivery_ids=("db-1",)))
    receiver.messages[0].metadata = {"event_type": "deploy", "event_payload": {"delivery_ids": ["db-1"]}}

    assert await channel.find(DESK, message(delivery_ids=("db-1",)), LONG_AGO) is None


async def test_messages_from_before_the_time_asked_for_do_not_count(channel: Slack, receiver: FakeSlack) -> None:
    sent = await channel.send(DESK, message())
    after = datetime.fromtimestamp(float(sent.ref), UTC) + timedelta(seconds=5)

    assert await channel.find(DESK, message(), after) is None


async def test_a_thread_whose_parent_is_gone_is_looked_for_at_the_top(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    receiver.delete(first.ref)
    reply = message(delivery_ids=("db-2",), thread=first)
    sent = await channel.send(DESK, reply)

    assert await channel.find(DESK, reply, LONG_AGO) == sent


async def test_the_search_turns_pages_but_not_for_ever(channel: Slack, receiver: FakeSlack) -> None:
    receiver.page_size = 2
    first = await channel.send(DESK, message(delivery_ids=("db-0",)))
    for number in range(1, 10):
        await channel.send(DESK, message(delivery_ids=(f"db-{number}",)))

    assert await channel.find(DESK, message(delivery_ids=("db-0",)), LONG_AGO) == first
    await channel.send(DESK, message(delivery_ids=("db-10",)))
    assert await channel.find(DESK, message(delivery_ids=("db-0",)), LONG_AGO) is None
    assert channel.notes == ["C0DESK has too many messages to look one up, so a lost answer may repeat it"]


@pytest.mark.fault("D9")
async def test_without_the_history_scope_the_channel_stops_promising_and_says_so_once(
    channel: Slack, receiver: FakeSlack
) -> None:
    receiver.scopes = {"chat:write"}

    promised = channel.can_find
    assert [await channel.find(DESK, message(), LONG_AGO) for _ in range(2)] == [None, None]
    assert (promised, channel.can_find) == (True, False)
    [note] = channel.notes
    assert note == (
        "Slack messages cannot be looked up (the app lacks channels:history of slack-app-manifest.yaml), "
        "so a lost answer may repeat one"
    )


async def test_without_the_scope_of_private_channels_the_public_ones_are_still_searched(
    channel: Slack, receiver: FakeSlack
) -> None:
    receiver.scopes = {"chat:write", "channels:history"}
    receiver.private = {"C0SECRET"}
    sent = await channel.send(DESK, message())

    assert await channel.find(Address("slack", "C0SECRET"), message(), LONG_AGO) is None
    assert channel.can_find
    assert await channel.find(DESK, message(), LONG_AGO) == sent
    [note] = channel.notes
    assert "lacks groups:history" in note


async def test_one_channel_that_cannot_be_read_does_not_stop_the_looking_elsewhere(
    channel: Slack, receiver: FakeSlack
) -> None:
    receiver.hidden = {"C0DESK"}

    assert await channel.find(DESK, message(), LONG_AGO) is None
    assert channel.can_find
    assert len(channel.notes) == 1


async def test_a_search_that_fails_is_no_answer(channel: Slack, receiver: FakeSlack) -> None:
    receiver.next(answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}))

    with pytest.raises(Throttled):
        await channel.find(DESK, message(), LONG_AGO)
