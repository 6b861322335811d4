"""Telegram's Bot API, judged by what stands in the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import ClassVar

import aiohttp
import pytest

from notifier.channels.telegram import Telegram, compose
from notifier.markup import INERT
from notifier.model import Address, Receipt
from notifier.ports import (
    Ambiguous,
    BadCredentials,
    BadMessage,
    Channel,
    ChannelFailure,
    Gone,
    Moved,
    Throttled,
)
from tests.channels.contract import AT, ChannelContract, failure_of, message, said, table
from tests.receivers import Fault, answer
from tests.receivers.telegram import TOKEN, Chat, FakeTelegram

READER = Address("telegram", "777")
GROUP = Address("telegram", "-1001234")
TOPIC = Address("telegram", "-1001234/42")


def refusal(status: int, text: str, **parameters: object) -> Fault:
    return answer(status, {"ok": False, "error_code": status, "description": text, "parameters": parameters})


@pytest.fixture
async def receiver() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def channel(receiver: FakeTelegram, session: aiohttp.ClientSession) -> Telegram:
    return Telegram(TOKEN, receiver.url, session)


class TestTheContract(ChannelContract):
    to = READER
    secret = TOKEN.partition(":")[2]
    patience = "notifier.channels.telegram_http.TIMEOUT"
    failures: ClassVar[Mapping[str, tuple[Fault, type[ChannelFailure]]]] = {
        "the reader blocked the bot": (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
        "the reader's account is gone": (refusal(403, "Forbidden: user is deactivated"), Gone),
        "the bot was thrown out": (refusal(403, "Forbidden: bot was kicked from the group chat"), Gone),
        "the bot is no member": (refusal(403, "Forbidden: bot is not a member of the channel chat"), Gone),
        "no such chat": (refusal(400, "Bad Request: chat not found"), Gone),
        "the group is closed": (refusal(403, "Forbidden: the group chat was deleted"), Gone),
        "the bot may not write": (
            refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
            Gone,
        ),
        "the group became a supergroup": (
            refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=-100987,
            ),
            Moved,
        ),
        "the markup is wrong": (refusal(400, "Bad Request: can't parse entities: Unsupported start tag"), BadMessage),
        "the text is too long": (refusal(400, "Bad Request: message is too long"), BadMessage),
        "the text is empty": (refusal(400, "Bad Request: message text is empty"), BadMessage),
        "a refusal nobody knows": (refusal(400, "Bad Request: MERCURY_IN_RETROGRADE"), BadMessage),
        "the token is wrong": (refusal(401, "Unauthorized"), BadCredentials),
        "the token is no token": (refusal(404, "Not Found"), BadCredentials),
        "too fast": (refusal(429, "Too Many Requests: retry after 5", retry_after=5), Throttled),
        "the server restarts": (refusal(500, "Internal Server Error: restart"), Ambiguous),
        "a conflict, which is none of a sender's": (refusal(409, "Conflict"), Ambiguous),
        "a redirect": (answer(307, "", {"Location": "http://127.0.0.1:1/"}), Ambiguous),
        "JSON that is no answer": (answer(200, []), Ambiguous),
        "an answer without a message": (answer(200, {"ok": True, "result": {}}), Ambiguous),
    }

    def arrived(self, receiver: FakeTelegram) -> list[str]:
        return [each.shown.replace(INERT, "") for each in receiver.messages]

    def elsewhere(self, session: aiohttp.ClientSession, origin: str) -> Channel:
        return Telegram(TOKEN, origin, session)

    def pause(self, seconds: object) -> Fault:
        if seconds is None:
            return refusal(429, "Too Many Requests")
        return refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def test_the_request_is_exactly_this() -> None:
    follow_up = message(
        said("Down & out at"),
        said("api.kraken.com"),
        thread=Receipt("-1001234", "7"),
        mention="@trader & co",
    )

    assert compose(TOPIC, follow_up) == {
        "chat_id": "-1001234",
        "message_thread_id": 42,
        "text": "@trader &amp; co <b>🟡 Investigating: WebSocket API connection errors</b>\n"
        "<blockquote>Down &amp; out at\napi.\u200bkraken.\u200bcom</blockquote>\n"
        '<a href="https://status.kraken.com/incidents/wsincident01">Details on the status page</a>',
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": True,
        "reply_parameters": {"message_id": 7, "allow_sending_without_reply": True},
    }


async def test_the_library_sends_the_request_unchanged(channel: Telegram, receiver: FakeTelegram) -> None:
    sent = message(thread=Receipt("-1001234", "7"))
    await channel.send(TOPIC, sent)

    [arrived] = receiver.messages
    expected = compose(TOPIC, sent) | {"message_thread_id": "42", "disable_notification": "true"}
    assert {key: value for key, value in arrived.arguments.items() if key in expected} == expected
    assert arrived.arguments.keys() == expected.keys()


async def test_only_loud_news_makes_a_sound(channel: Telegram, receiver: FakeTelegram) -> None:
    await channel.send(READER, message(loud=True))
    await channel.send(READER, message(loud=False))

    assert [m.silent for m in receiver.messages] == [False, True]


async def test_what_follows_answers_the_first_message(channel: Telegram, receiver: FakeTelegram) -> None:
    first = await channel.send(GROUP, message())
    second = await channel.send(GROUP, message(thread=first))

    assert first == Receipt(to="-1001234", ref="1", root=True)
    assert second == Receipt(to="-1001234", ref="2", root=False)
    assert [m.reply_to for m in receiver.messages] == [None, 1]


async def test_where_the_first_message_is_gone_the_next_stands_for_itself(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    first = await channel.send(GROUP, message())
    receiver.delete(int(first.ref))

    second = await channel.send(GROUP, message(thread=first))

    assert second.root
    assert receiver.messages[-1].reply_to is None


async def test_after_a_move_no_stranger_with_the_same_number_is_answered(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    stranger = await channel.send(GROUP, message())
    before_the_move = Receipt("-55", stranger.ref, root=True)

    after = await channel.send(GROUP, message(thread=before_the_move))

    assert after.root
    assert receiver.messages[-1].reply_to is None


async def test_a_public_channel_is_answered_by_its_name(channel: Telegram, receiver: FakeTelegram) -> None:
    public = Address("telegram", "@kraken_news")
    first = await channel.send(public, message())
    second = await channel.send(public, message(thread=first))

    assert first.to == "-100123"
    assert not second.root


async def test_a_lost_topic_leaves_the_chat_itself_and_is_said_once(channel: Telegram, receiver: FakeTelegram) -> None:
    receiver.chat("-1001234").without_topic(42)

    await channel.send(TOPIC, message())
    await channel.send(TOPIC, message())

    assert [m.topic for m in receiver.messages] == [None, None]
    assert channel.notes == ["the topic of telegram:-1001234/42 is gone; its messages go to the chat itself"]


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


async def test_a_plain_message_has_no_markup_but_its_link(channel: Telegram, receiver: FakeTelegram) -> None:
    await channel.send(READER, message(said("a <b> & c.example"), plain=True))

    [arrived] = receiver.messages
    assert arrived.entities == []
    assert arrived.text.splitlines()[1:] == [
        f"    a <b> & c.{INERT}example",
        "Details on the status page: https://status.kraken.com/incidents/wsincident01",
    ]


async def test_an_edit_changes_the_message_in_place(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message(said("Befor.")))
    await channel.edit(receipt, message(said("Before.")))

    assert "Before." in receiver.messages[0].shown


async def test_an_edit_that_changes_nothing_is_done(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message())
    await channel.edit(receipt, message())

    assert receiver.messages[0].edits == []
    assert len(receiver.calls) == 2


async def test_an_edit_of_a_deleted_message_is_done(channel: Telegram, receiver: FakeTelegram) -> None:
    receipt = await channel.send(READER, message())
    receiver.delete(int(receipt.ref))
    await channel.edit(receipt, message(said("New.")))

    assert len(receiver.messages) == 1


@table(
    {
        "the reader blocked the bot": (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
        "the markup is wrong": (refusal(400, "Bad Request: can't parse entities"), BadMessage),
    }
)
async def test_an_edit_that_is_refused_otherwise_fails(
    channel: Telegram, receiver: FakeTelegram, row: tuple[Fault, type[ChannelFailure]]
) -> None:
    receipt = await channel.send(READER, message())
    receiver.next(row[0])

    with pytest.raises(row[1]):
        await channel.edit(receipt, message())


async def test_nothing_can_be_looked_up(channel: Telegram, receiver: FakeTelegram) -> None:
    assert await channel.find(READER, message(), AT) is None
    assert not channel.can_find
    assert receiver.calls == []


@table({"letters": "a", "emoji, two units each": "😀", "escaped in markup": "&"})
async def test_texts_up_to_the_limit_arrive_whole_and_longer_ones_trimmed(
    channel: Telegram, receiver: FakeTelegram, row: str
) -> None:
    units = len(row.encode("utf-16-le")) // 2
    frame = len("🟡 Investigating: WebSocket API connection errors\n\nDetails on the status page") + 1
    room = (4_096 - frame) // units
    for size in (room, room + 1):
        await channel.send(READER, message(said(row * size)))

    whole, trimmed = (m.shown for m in receiver.messages)
    assert "…" not in whole
    assert row * room in whole
    assert "…" in trimmed


async def test_the_check_says_as_whom(channel: Telegram) -> None:
    assert await channel.check() == "@kraken_status_bot"


async def test_the_check_refuses_a_wrong_token(receiver: FakeTelegram, session: aiohttp.ClientSession) -> None:
    with pytest.raises(BadCredentials):
        await Telegram("1:wrong", receiver.url, session).check()
