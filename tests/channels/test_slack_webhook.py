"""Slack's incoming webhooks: at least once, and nothing to look up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from html import unescape
from typing import ClassVar

import aiohttp
import pytest

from notifier.channels.slack_webhook import SlackWebhook, compose
from notifier.markup import INERT
from notifier.message import Receipt
from notifier.ports import Ambiguous, BadMessage, Channel, ChannelFailure, Gone, Throttled
from notifier.subscription import Address
from tests.channels.contract import AT, ChannelContract, failure_of, message, said
from tests.receivers import Fault, answer
from tests.receivers.slack import TOKEN, FakeSlack

OPS = Address("slack-webhook", "ops")


@pytest.fixture
async def receiver() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def channel(receiver: FakeSlack, session: aiohttp.ClientSession) -> SlackWebhook:
    return SlackWebhook({"ops": receiver.webhook("ops")}, session)


class TestTheContract(ChannelContract):
    to = OPS
    secret = TOKEN
    patience = "notifier.channels.slack_webhook.TIMEOUT"
    failures: ClassVar[Mapping[str, tuple[Fault, type[ChannelFailure]]]] = {
        "the payload is wrong": (answer(400, "invalid_payload"), BadMessage),
        "the text is empty": (answer(400, "no_text"), BadMessage),
        "an administrator forbids it": (answer(403, "action_prohibited"), Gone),
        "no such channel": (answer(404, "channel_not_found"), Gone),
        "the webhook was removed": (answer(404, "no_service"), Gone),
        "the channel is archived": (answer(410, "channel_is_archived"), Gone),
        "a permanent refusal nobody knows": (answer(410, "moved_to_mars"), Gone),
        "Slack failed inside": (answer(500, "rollup_error"), Ambiguous),
        "too fast": (answer(429, "ratelimited", {"Retry-After": "1"}), Throttled),
        "a redirect": (answer(302, "", {"Location": "https://elsewhere.invalid/"}), Ambiguous),
        "200 and not ok": (answer(200, "welcome"), Ambiguous),
    }

    def arrived(self, receiver: FakeSlack) -> list[str]:
        return [unescape(each.shown.replace(INERT, "")) for each in receiver.messages]

    def elsewhere(self, session: aiohttp.ClientSession, origin: str) -> Channel:
        return SlackWebhook({"ops": f"{origin}/services/T0/B0/{TOKEN}/ops"}, session)

    def pause(self, seconds: object) -> Fault:
        return answer(429, "ratelimited", {} if seconds is None else {"Retry-After": str(seconds)})


def test_the_request_is_exactly_this() -> None:
    assert compose(message(said("*Down*"), mention="<!here>")) == {
        "text": "<!here> *🟡 Investigating: WebSocket API connection errors*\n"
        f"> *{INERT}Down*{INERT}\n"
        "<https://status.kraken.com/incidents/wsincident01|Details on the status page>",
        "mrkdwn": True,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }


async def test_a_webhook_that_nobody_configured_is_gone(channel: SlackWebhook, receiver: FakeSlack) -> None:
    failure = await failure_of(channel, Address("slack-webhook", "elsewhere"))

    assert type(failure) is Gone
    assert receiver.calls == []


async def test_what_follows_is_flat(channel: SlackWebhook, receiver: FakeSlack) -> None:
    await channel.send(OPS, message(thread=Receipt("ops", ""), loud=True))

    [arrived] = receiver.messages
    assert (arrived.blocks, arrived.thread_ts, arrived.broadcast) == ([], None, False)


async def test_it_can_neither_edit_nor_find(channel: SlackWebhook, receiver: FakeSlack) -> None:
    receipt = await channel.send(OPS, message())

    assert receipt == Receipt(to="ops", ref="", root=False)
    assert await channel.find(OPS, message(), AT) is None
    with pytest.raises(BadMessage):
        await channel.edit(receipt, message())
    assert (channel.can_edit, channel.can_find, channel.keeps_root) == (False, False, False)


async def test_the_check_asks_every_webhook_and_posts_nothing(channel: SlackWebhook, receiver: FakeSlack) -> None:
    assert await channel.check() == "webhooks ops"
    assert len(receiver.calls) == 1
    assert receiver.messages == []


async def test_the_check_finds_a_webhook_that_was_removed(channel: SlackWebhook, receiver: FakeSlack) -> None:
    receiver.refusals["ops"] = "no_service"

    with pytest.raises(Gone, match="webhook ops: the Slack webhook refuses: no_service"):
        await channel.check()


async def test_a_check_without_an_answer_fails(channel: SlackWebhook, receiver: FakeSlack) -> None:
    receiver.next(answer(500, "rollup_error"))

    with pytest.raises(Ambiguous):
        await channel.check()
