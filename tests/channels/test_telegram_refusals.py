"""What Telegram may refuse – a reader, a topic, a button, a date, an edit – judged by what stands in the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
import pytest

from notifier.channels.telegram import Telegram
from notifier.message import Role
from notifier.ports import BadMessage, ChannelFailure, Gone, Moved, Throttled
from notifier.subscription import Address
from tests.channels.contract import AT, failure_of, message, said, table
from tests.receivers import Fault
from tests.receivers.telegram import TOKEN, Chat, FakeTelegram, refusal

READER = Address("telegram", "777")
GROUP = Address("telegram", "-1001234")
TOPIC = Address("telegram", "-1001234/42")
PAGE = "https://status.kraken.com/incidents/wsincident01"
BUTTON = [("Status page", PAGE)]
DATED = said("11:29 UTC", role=Role.FACT, at=AT)


@pytest.fixture
async def receiver() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
async def channel(receiver: FakeTelegram) -> AsyncIterator[Telegram]:
    async with aiohttp.ClientSession() as session:
        yield Telegram(TOKEN, receiver.url, session)


@pytest.mark.fault("C7")
async def test_a_lost_topic_leaves_the_chat_itself_and_is_said_once(channel: Telegram, receiver: FakeTelegram) -> None:
    receiver.chat("-1001234").without_topic(42)

    first = await channel.send(TOPIC, message())
    second = await channel.send(TOPIC, message(thread=first))

    assert [(m.topic, m.reply_to) for m in receiver.messages] == [(None, None), (None, 1)]
    assert not second.root
    assert channel.notes == ["the topic of telegram:-1001234/42 is gone or closed; its messages go to the chat itself"]


async def test_where_a_topic_was_closed_its_messages_are_not_answered_from_outside(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    first = await channel.send(TOPIC, message())
    receiver.chat("-1001234").closed_topic(42)

    second = await channel.send(TOPIC, message(thread=first))

    assert second.root
    assert [(m.topic, m.reply_to) for m in receiver.messages] == [(42, None), (None, None)]


async def test_a_group_that_became_a_supergroup_says_where_it_is_now(channel: Telegram, receiver: FakeTelegram) -> None:
    receiver.chat("-55").migrated(to=-1001234)

    failure = await failure_of(channel, Address("telegram", "-55"))

    assert isinstance(failure, Moved)
    assert failure.to == GROUP


@table({"blocked": Chat.blocked, "kicked": Chat.kicked, "deactivated": Chat.deactivated, "missing": Chat.missing})
async def test_one_reader_who_refuses_does_not_matter_to_the_next(
    channel: Telegram, receiver: FakeTelegram, row: Callable[[Chat], None]
) -> None:
    row(receiver.chat("777"))

    assert type(await failure_of(channel, READER)) is Gone
    await channel.send(GROUP, message())
    assert [m.chat for m in receiver.messages] == ["-1001234"]


async def test_a_server_that_does_not_know_dates_is_asked_once(channel: Telegram, receiver: FakeTelegram) -> None:
    receiver.knows_dates = False

    receipt = await channel.send(READER, message(DATED))
    await channel.edit(receipt, message(DATED, said("New.")))
    await channel.send(GROUP, message(DATED))

    assert ["11:29 UTC" in m.shown for m in receiver.messages] == [True, True]
    assert [method for method, _ in receiver.calls] == ["sendMessage", "sendMessage", "editMessageText", "sendMessage"]
    assert channel.notes == ["this Bot API server does not know dates (tg-time), so that times are in UTC"]


@table(
    {
        "by its servers": "Bad Request: BUTTON_URL_INVALID",
        "by its library": f"Bad Request: inline keyboard button URL '{PAGE}' is invalid: Wrong HTTP URL",
    }
)
async def test_a_button_that_telegram_refuses_becomes_a_link(
    channel: Telegram, receiver: FakeTelegram, row: str
) -> None:
    receiver.next(refusal(400, row))

    await channel.send(READER, message())
    await channel.send(GROUP, message(plain=True))

    rich, plain = receiver.messages
    assert [rich.buttons, plain.buttons] == [[], []]
    assert [e["url"] for e in rich.entities if e["type"] == "text_link"] == [PAGE]
    assert plain.shown.endswith(f"Details on the status page: {PAGE}")
    assert len(receiver.calls) == 3
    assert channel.notes == ["Telegram refuses a button to the status page, so that a link stands in the text"]


async def test_all_that_can_be_refused_at_once_leaves_the_words(channel: Telegram, receiver: FakeTelegram) -> None:
    receiver.knows_dates = False
    first = await channel.send(TOPIC, message())
    receiver.chat("-1001234").closed_topic(42)
    receiver.next(refusal(400, "Bad Request: BUTTON_URL_INVALID"))

    await channel.send(TOPIC, message(DATED, thread=first))

    _, arrived = receiver.messages
    assert "11:29 UTC" in arrived.shown
    assert (arrived.topic, arrived.reply_to, arrived.buttons) == (None, None, [])


async def test_a_status_page_on_this_machine_is_linked_without_a_button(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    local = said("Status page", role=Role.LINK, url="http://127.0.0.1:8000/incidents/a")

    await channel.send(READER, replace(message(), lines=(*message().lines[:-1], local)))

    [arrived] = receiver.messages
    assert arrived.buttons == []
    assert arrived.shown.endswith("Status page")
    assert len(receiver.calls) == 1


async def test_an_edit_changes_the_message_in_place(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message(said("Befor.")))
    await channel.edit(receipt, message(said("Before.")))

    [arrived] = receiver.messages
    assert "Before." in arrived.shown
    assert arrived.buttons == BUTTON


async def test_an_edit_keeps_within_the_same_limits(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message())
    await channel.edit(receipt, message(said("😀" * 6_000)))

    [arrived] = receiver.messages
    assert arrived.shown.endswith("…\n\nRead the rest on the status page")
    assert arrived.buttons == BUTTON


@pytest.mark.fault("C13")
async def test_an_edit_that_changes_nothing_is_done(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message())
    await channel.edit(receipt, message())

    assert receiver.messages[0].edits == []
    assert len(receiver.calls) == 2


@pytest.mark.fault("C14")
async def test_an_edit_of_a_deleted_message_is_done(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message())
    receiver.delete(int(receipt.ref))
    await channel.edit(receipt, message(said("New.")))

    assert len(receiver.messages) == 1


async def test_an_edit_in_a_closed_topic_is_done(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(TOPIC, message())
    receiver.chat("-1001234").closed_topic(42)

    await channel.edit(receipt, message(said("New.")))

    assert receiver.messages[0].edits == []


@table(
    {
        "the topic was deleted": "Bad Request: message thread not found",
        "so was the message": "Bad Request: MESSAGE_ID_INVALID",
        "it cannot be edited any more": "Bad Request: message can't be edited",
    }
)
async def test_an_edit_that_comes_too_late_is_done(channel: Telegram, receiver: FakeTelegram, row: str) -> None:
    receipt = await channel.send(READER, message())
    receiver.next(refusal(400, row))

    await channel.edit(receipt, message(said("New.")))

    assert len(receiver.calls) == 2


@table(
    {
        "the reader blocked the bot": (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
        "the bot was thrown out": (refusal(403, "Forbidden: bot was kicked from the supergroup chat"), Gone),
        "the markup is wrong": (refusal(400, "Bad Request: can't parse entities"), BadMessage),
        "too fast": (refusal(429, "Too Many Requests: retry after 5", retry_after=5), Throttled),
    }
)
async def test_an_edit_that_is_refused_otherwise_fails(
    channel: Telegram, receiver: FakeTelegram, row: tuple[Fault, type[ChannelFailure]]
) -> None:
    receipt = await channel.send(READER, message())
    receiver.next(row[0])

    with pytest.raises(row[1]):
        await channel.edit(receipt, message())


async def test_an_edit_in_a_group_that_became_a_supergroup_says_where_it_is_now(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    receipt = await channel.send(Address("telegram", "-55"), message())
    receiver.chat("-55").migrated(to=-1001234)

    with pytest.raises(Moved) as moved:
        await channel.edit(receipt, message(said("New.")))

    assert moved.value.to == GROUP
