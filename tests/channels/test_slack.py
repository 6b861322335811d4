"""Slack's Web API, judged by what stands in the channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import ClassVar

import aiohttp
import pytest

from notifier.channels.slack import Slack, compose
from notifier.markup import INERT
from notifier.model import Address, Receipt
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
from tests.channels.contract import ChannelContract, message, said, table
from tests.receivers import Fault, answer, reply_lost
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

    assert compose(DESK, loud) == {
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


async def test_the_flat_style_makes_no_threads(receiver: FakeSlack, session: aiohttp.ClientSession) -> None:
    flat = Slack(TOKEN, receiver.url, session, style="flat")
    first = await flat.send(DESK, message())
    second = await flat.send(DESK, message(thread=first))

    assert second.root
    assert [m.thread_ts for m in receiver.messages] == [None, None]


async def test_where_the_thread_is_gone_the_message_starts_a_new_one(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    receiver.delete(first.ref)

    second = await channel.send(DESK, message(thread=first, loud=True))

    assert second.root
    assert receiver.messages[-1].thread_ts is None
    assert receiver.messages[-1].broadcast is False


async def test_only_the_loss_of_the_thread_is_answered_by_a_second_call(channel: Slack, receiver: FakeSlack) -> None:
    first = await channel.send(DESK, message())
    receiver.next(refusal("is_archived"))

    with pytest.raises(Gone):
        await channel.send(DESK, message(thread=first))
    assert len(receiver.messages) == 1


async def test_a_plain_message_has_no_markup(channel: Slack, receiver: FakeSlack) -> None:
    await channel.send(DESK, message(said("a *b* <c>"), plain=True))

    [arrived] = receiver.messages
    assert not arrived.mrkdwn
    assert arrived.text.splitlines()[1] == "    a *b* &lt;c&gt;"


async def test_an_edit_changes_the_message_in_place(channel: Slack, receiver: FakeSlack) -> None:
    receipt = await channel.send(DESK, message(said("Befor.")))
    await channel.edit(receipt, message(said("Before.")))

    [arrived] = receiver.messages
    assert "Before." in arrived.shown
    assert arrived.metadata is not None


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


async def test_without_the_history_scope_the_channel_stops_promising_and_says_so_once(
    channel: Slack, receiver: FakeSlack
) -> None:
    receiver.scopes = {"chat:write"}

    promised = channel.can_find
    assert [await channel.find(DESK, message(), LONG_AGO) for _ in range(2)] == [None, None]
    assert (promised, channel.can_find) == (True, False)
    assert channel.notes == ["Slack messages cannot be looked up (missing_scope), so a lost answer may repeat one"]


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


@table(
    {
        "everything is granted": (
            {"chat:write", "channels:history", "groups:history"},
            "kraken_status at Trading Desk",
        ),
        "the history is not": (
            {"chat:write"},
            "kraken_status at Trading Desk (without channels:history, groups:history: may repeat after a crash)",
        ),
    }
)
async def test_the_check_says_as_whom_and_what_is_missing(
    channel: Slack, receiver: FakeSlack, row: tuple[set[str], str]
) -> None:
    receiver.scopes, expected = row

    assert await channel.check() == expected


async def test_the_check_does_without_scopes_where_slack_names_none(channel: Slack, receiver: FakeSlack) -> None:
    receiver.next(answer(200, {"ok": True, "user": "kraken_status", "team": "Trading Desk"}))

    assert await channel.check() == "kraken_status at Trading Desk"


async def test_the_check_refuses_a_token_that_may_not_post(channel: Slack, receiver: FakeSlack) -> None:
    receiver.scopes = {"channels:history"}

    with pytest.raises(BadCredentials, match="chat:write"):
        await channel.check()


async def test_the_check_refuses_a_wrong_token(receiver: FakeSlack, session: aiohttp.ClientSession) -> None:
    with pytest.raises(BadCredentials, match="invalid_auth"):
        await Slack("xoxb-wrong", receiver.url, session).check()
