"""Slack's Web API, judged by what stands in the channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]

from notifier.channels.slack import SCOPES, Slack, compose
from notifier.channels.slack_card import blocks_of
from notifier.markup import INERT
from notifier.message import Receipt
from notifier.ports import (
    Ambiguous,
    BadCredentials,
    BadMessage,
    Channel,
    ChannelFailure,
    Gone,
    NotSent,
    Throttled,
)
from notifier.subscription import Address
from tests.channels.contract import ChannelContract, message, said, table
from tests.receivers import Fault, answer
from tests.receivers.slack import TOKEN, FakeSlack

DESK = Address("slack", "C0DESK")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def refusal(error: str) -> Fault:
    return answer(200, {"ok": False, "error": error})


@pytest.fixture
async def receiver() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def channel(receiver: FakeSlack, session: aiohttp.ClientSession) -> Slack:
    return Slack(TOKEN, receiver.url, session)


class TestTheContract(ChannelContract):
    to = DESK
    secret = TOKEN
    patience = "notifier.channels.slack.TIMEOUT"
    failures: ClassVar[Mapping[str, tuple[Fault, type[ChannelFailure]]]] = {
        "no such channel": (refusal("channel_not_found"), Gone),
        "the channel is archived": (refusal("is_archived"), Gone),
        "the bot is not in the channel": (refusal("not_in_channel"), Gone),
        "the token is wrong": (refusal("invalid_auth"), BadCredentials),
        "there is no token": (refusal("not_authed"), BadCredentials),
        "the account is closed": (refusal("account_inactive"), BadCredentials),
        "the token was revoked": (refusal("token_revoked"), BadCredentials),
        "the token may not post": (refusal("missing_scope"), BadCredentials),
        "the text is too long": (refusal("msg_too_long"), BadMessage),
        "the text is empty": (refusal("no_text"), BadMessage),
        "the blocks are wrong": (refusal("invalid_blocks"), BadMessage),
        "a refusal nobody knows": (refusal("mercury_in_retrograde"), BadMessage),
        "too fast, as a word": (refusal("ratelimited"), Throttled),
        "too fast, as another word": (refusal("rate_limited"), Throttled),
        "too fast, as plain text": (answer(429, "slow down", {"Retry-After": "3"}), Throttled),
        "Slack failed inside": (refusal("internal_error"), Ambiguous),
        "Slack failed badly": (refusal("fatal_error"), Ambiguous),
        "Slack took too long": (refusal("request_timeout"), Ambiguous),
        "503 with JSON": (answer(503, {"ok": False, "error": "service_unavailable"}), Ambiguous),
        "500 with another word": (answer(500, {"ok": False, "error": "oops"}), Ambiguous),
        "the workspace is being moved": (refusal("team_added_to_org"), NotSent),
        "JSON that is no object": (answer(200, ["ok"]), Ambiguous),
        "200 as plain text": (answer(200, "ok"), Ambiguous),
    }

    def arrived(self, receiver: FakeSlack) -> list[str]:
        return [unescape(each.shown.replace(INERT, "")) for each in receiver.messages]

    def elsewhere(self, session: aiohttp.ClientSession, origin: str) -> Channel:
        return Slack(TOKEN, f"{origin}/api/", session)

    def pause(self, seconds: object) -> Fault:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return answer(429, {"ok": False, "error": "ratelimited"}, headers)


def test_the_request_is_exactly_this() -> None:
    loud = message(said("Down & out at api.kraken.com"), delivery_ids=("db-1", "db-2"), loud=True, mention="<!here>")
    reply = compose(DESK, message(thread=Receipt("C0DESK", "1.5"), loud=True))
    card = compose(DESK, loud)

    assert card.pop("blocks") == blocks_of(loud)
    assert card == compose(DESK, loud, style="flat")
    assert card == {
        "channel": "C0DESK",
        "text": "<!here> *🟡 Investigating: WebSocket API connection errors*\n"
        "> Down &amp; out at api.\u200bkraken.\u200bcom\n"
        "<https://status.kraken.com/incidents/wsincident01|Details on the status page>",
        "mrkdwn": True,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "kraken_status", "event_payload": {"delivery_ids": ["db-1", "db-2"]}},
    }
    assert (reply["thread_ts"], reply["reply_broadcast"]) == ("1.5", True)


async def test_what_follows_stands_in_the_thread_and_loud_news_in_the_channel_too(
    channel: Slack, receiver: FakeSlack
) -> None:
    first = await channel.send(DESK, message())
    quiet = await channel.send(DESK, message(thread=first))
    loud = await channel.send(DESK, message(thread=first, loud=True))

    assert [receipt.root for receipt in (first, quiet, loud)] == [True, False, False]
    assert [m.thread_ts for m in receiver.messages] == [None, first.ref, first.ref]
    assert [m.broadcast for m in receiver.messages] == [False, False, True]


@table({"unless it is not wanted": False, "if it is wanted": True})
async def test_loud_replies_are_shown_in_the_channel_too(
    receiver: FakeSlack, session: aiohttp.ClientSession, row: bool
) -> None:
    slack = Slack(TOKEN, receiver.url, session, broadcast=row)
    first = await slack.send(DESK, message(loud=True))
    await slack.send(DESK, message(thread=first, loud=True))

    assert [m.broadcast for m in receiver.messages] == [False, row]


async def test_the_flat_style_makes_neither_threads_nor_cards(
    receiver: FakeSlack, session: aiohttp.ClientSession
) -> None:
    flat = Slack(TOKEN, receiver.url, session, style="flat")
    first = await flat.send(DESK, message())
    second = await flat.send(DESK, message(thread=first, loud=True))
    await flat.edit(first, message(said("New.")))

    assert second.root
    assert [m.thread_ts for m in receiver.messages] == [None, None]
    assert [m.blocks for m in receiver.messages] == [[], []]
    assert "New." in receiver.messages[0].shown


@pytest.mark.fault("D8")
async def test_where_the_thread_is_gone_the_message_starts_a_new_one(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    receiver.delete(first.ref)

    second = await channel.send(DESK, message(thread=first, loud=True))

    new = receiver.messages[-1]
    assert second.root
    assert (new.thread_ts, new.broadcast, new.blocks[0]["type"]) == (None, False, "header")


async def test_only_the_loss_of_the_thread_is_answered_by_a_second_call(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    receiver.next(refusal("is_archived"))

    with pytest.raises(Gone):
        await channel.send(DESK, message(thread=first))
    assert len(receiver.messages) == 1


async def test_a_plain_message_has_no_markup(channel: Slack, receiver: FakeSlack) -> None:
    await channel.send(DESK, message(said("a *b* <c>"), plain=True))

    [arrived] = receiver.messages
    assert (arrived.mrkdwn, arrived.blocks) == (False, [])
    assert arrived.text.splitlines()[1] == "    a *b* &lt;c&gt;"


async def test_an_edit_changes_the_message_in_place(channel: Slack, receiver: FakeSlack) -> None:
    receipt = await channel.send(DESK, message(said("Befor.")))
    await channel.edit(receipt, message(said("Before.")))

    [arrived] = receiver.messages
    assert "Before." in arrived.shown
    assert arrived.blocks == blocks_of(message(said("Before.")))
    assert arrived.metadata is not None


async def test_a_reply_stays_small_when_it_is_edited(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    reply = await channel.send(DESK, message(said("Befor."), thread=first))
    await channel.edit(reply, message(said("Before."), thread=first))

    _, arrived = receiver.messages
    assert [block["type"] for block in arrived.blocks] == ["section", "context"]
    assert "Before." in arrived.blocks[0]["text"]["text"]


async def test_an_edit_in_plain_words_takes_the_card_away(channel: Slack, receiver: FakeSlack) -> None:
    receipt = await channel.send(DESK, message(said("Before.")))
    await channel.edit(receipt, message(said("After."), plain=True))

    assert receiver.messages[0].blocks == []
    assert "After." in receiver.messages[0].shown


def test_the_first_message_is_kept_current_where_there_are_threads(session: aiohttp.ClientSession) -> None:
    assert Slack(TOKEN, "https://slack.com/api/", session).keeps_root
    assert not Slack(TOKEN, "https://slack.com/api/", session, style="flat").keeps_root


@pytest.mark.fault("D10")
async def test_an_edit_fits_the_narrower_limit_of_edits(channel: Slack, receiver: FakeSlack) -> None:
    receipt = await channel.send(DESK, message())
    await channel.edit(receipt, message(said("<&> 😀 " * 2_000)))

    assert 3_900 < len(receiver.messages[0].shown.encode()) <= 4_000


@table(
    {
        "somebody deleted it": "message_not_found",
        "the workspace closed the window for edits": "edit_window_closed",
        "it cannot be changed": "cant_update_message",
    }
)
async def test_an_edit_with_nothing_left_to_do_is_done(channel: Slack, receiver: FakeSlack, row: str) -> None:
    receipt = await channel.send(DESK, message())
    receiver.next(refusal(row))

    await channel.edit(receipt, message(said("New.")))

    assert receiver.messages[0].edits == []


async def test_an_edit_that_is_refused_otherwise_fails(channel: Slack, receiver: FakeSlack) -> None:
    receipt = await channel.send(DESK, message())
    receiver.next(refusal("token_revoked"))

    with pytest.raises(BadCredentials):
        await channel.edit(receipt, message())


CURE = "install the app anew with the scopes of slack-app-manifest.yaml"


@table(
    {
        "everything is granted": (set(SCOPES), ""),
        "private channels cannot be searched": (
            {"chat:write", "channels:history"},
            f" (a lost answer may repeat a message without groups:history: {CURE})",
        ),
        "no channel can be searched": (
            {"chat:write"},
            f" (a lost answer may repeat a message without channels:history, groups:history: {CURE})",
        ),
    }
)
async def test_the_check_says_as_whom_and_what_is_missing(
    channel: Slack, receiver: FakeSlack, row: tuple[set[str], str]
) -> None:
    receiver.scopes, missing = row

    assert await channel.check() == f"kraken_status at Trading Desk{missing}"


async def test_the_check_does_without_scopes_where_slack_names_none(channel: Slack, receiver: FakeSlack) -> None:
    receiver.next(answer(200, {"ok": True, "user": "kraken_status", "team": "Trading Desk"}))

    assert await channel.check() == "kraken_status at Trading Desk"


async def test_the_check_refuses_a_token_that_may_not_post(channel: Slack, receiver: FakeSlack) -> None:
    receiver.scopes = {"channels:history"}

    with pytest.raises(BadCredentials, match=f"lacks chat:write, groups:history: {CURE}"):
        await channel.check()


async def test_the_check_refuses_a_wrong_token(receiver: FakeSlack, session: aiohttp.ClientSession) -> None:
    with pytest.raises(BadCredentials, match="invalid_auth"):
        await Slack("xoxb-wrong", receiver.url, session).check()


def test_the_manifest_asks_for_the_scopes_that_are_used_and_for_nothing_else() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[2] / "slack-app-manifest.yaml").read_text(encoding="utf-8"))

    assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
    assert manifest["oauth_config"] == {"scopes": {"bot": list(SCOPES)}}
    assert set(manifest["features"]) == {"bot_user"}
    assert set(manifest["settings"].values()) == {False}
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
