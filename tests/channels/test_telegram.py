"""Telegram's Bot API, judged by what stands in the chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

import aiohttp
import pytest

from notifier.channels.telegram import Telegram, compose
from notifier.markup import INERT
from notifier.message import Receipt
from notifier.parcel import Part
from notifier.ports import Ambiguous, BadCredentials, BadMessage, Channel, ChannelFailure, Gone, Moved, Throttled
from notifier.render import Page, render
from notifier.subscription import Address
from tests.builders import NOW
from tests.channels.contract import AT, ChannelContract, message, said
from tests.news import NEWS, OWN
from tests.receivers import Fault, answer
from tests.receivers.telegram import TOKEN, FakeTelegram, refusal

READER = Address("telegram", "777")
GROUP = Address("telegram", "-1001234")
TOPIC = Address("telegram", "-1001234/42")
PAGE = "https://status.kraken.com/incidents/wsincident01"
BUTTON = [("Status page", PAGE)]


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
    patience = "notifier.bot_api.TIMEOUT"
    failures: ClassVar[Mapping[str, tuple[Fault, type[ChannelFailure]]]] = {
        "the reader blocked the bot": (refusal(403, "Forbidden: bot was blocked by the user"), Gone),
        "the reader's account is gone": (refusal(403, "Forbidden: user is deactivated"), Gone),
        "the bot was thrown out": (refusal(403, "Forbidden: bot was kicked from the group chat"), Gone),
        "the bot is no member": (refusal(403, "Forbidden: bot is not a member of the channel chat"), Gone),
        "no such chat": (refusal(400, "Bad Request: chat not found"), Gone),
        "the group is closed": (refusal(403, "Forbidden: the group chat was deleted"), Gone),
        "the reader never spoke to the bot": (
            refusal(403, "Forbidden: bot can't initiate conversation with a user"),
            Gone,
        ),
        "the only topic of the chat is closed": (refusal(400, "Bad Request: TOPIC_CLOSED"), Gone),
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
        "text": "@trader &amp; co <b>🟡 Investigating: WebSocket API connection errors</b>\n\n"
        "<blockquote>Down &amp; out at\napi.\u200bkraken.\u200bcom</blockquote>",
        "parse_mode": "HTML",
        "reply_markup": {"inline_keyboard": [[{"text": "Status page", "url": PAGE}]]},
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


@pytest.mark.fault("C14")
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


async def test_every_kind_of_news_is_taken_at_once_and_as_it_is_meant(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    for number, news in enumerate(NEWS.values()):
        parts = [Part(delivery_id=number, change=change) for change in news()]
        await channel.send(READER, render(parts, Page(url="https://status.kraken.com"), origin="db", date=NOW))

    assert len(receiver.messages) == len(receiver.calls) == len(NEWS)
    assert all(m.shown == m.shown.strip() for m in receiver.messages)
    assert [name for name, m in zip(NEWS, receiver.messages, strict=True) if not m.buttons] == [*OWN]
    assert max(len(m.entities) for m in receiver.messages) <= 100
    assert channel.notes == []


async def test_a_plain_message_has_no_markup_but_its_button(channel: Telegram, receiver: FakeTelegram) -> None:
    await channel.send(READER, message(said("a <b> & c.example"), plain=True))

    [arrived] = receiver.messages
    assert arrived.entities == []
    assert arrived.text.splitlines()[1:] == [f"    a <b> & c.{INERT}example"]
    assert arrived.buttons == BUTTON


async def test_nothing_can_be_looked_up(channel: Telegram, receiver: FakeTelegram) -> None:
    assert await channel.find(READER, message(), AT) is None
    assert not channel.can_find
    assert receiver.calls == []


async def test_the_check_says_as_whom(channel: Telegram) -> None:
    assert await channel.check() == "@kraken_status_bot"


async def test_the_check_refuses_a_wrong_token(receiver: FakeTelegram, session: aiohttp.ClientSession) -> None:
    with pytest.raises(BadCredentials):
        await Telegram("1:wrong", receiver.url, session).check()


async def test_a_channel_addressed_by_its_name_is_edited_by_its_number(
    channel: Telegram, receiver: FakeTelegram
) -> None:
    receipt = await channel.send(Address("telegram", "@kraken_news"), message(said("We are on it.")))
    await channel.edit(receipt, message(said("It is over.")))

    [posted] = receiver.messages
    assert "We are on it." in posted.text
    assert "It is over." in posted.shown
