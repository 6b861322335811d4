"""A whole conversation with another's Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from notifier.channels.slack import Slack
from notifier.message import Message
from notifier.ports import BadCredentials, Gone
from notifier.subscription import Address
from tests.peers.emulate import CHANNEL, emulate
from tests.peers.messages import every_message

DESK = Address("slack", CHANNEL)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ALL, BLIND, MUTE = "xoxb-all", "xoxb-blind", "xoxb-mute"
TOKENS = {
    ALL: ["chat:write", "channels:history", "groups:history"],
    BLIND: ["chat:write"],
    MUTE: ["channels:history"],
}


@pytest.fixture
async def api_url(tmp_path: Path) -> AsyncIterator[str]:
    async with emulate(tmp_path, TOKENS) as url:
        yield url


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def slack(api_url: str, session: aiohttp.ClientSession) -> Callable[[str], Slack]:
    return lambda token: Slack(token, api_url, session)


@pytest.fixture
def read(api_url: str, session: aiohttp.ClientSession) -> Callable[..., Any]:
    async def messages(method: str = "conversations.history", **where: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {ALL}"}
        async with session.post(api_url + method, data={"channel": CHANNEL, **where}, headers=headers) as response:
            answer = await response.json()
            assert answer["ok"], answer
            return sorted(answer["messages"], key=lambda each: float(each["ts"]))

    return messages


def news(case: str, *delivery_ids: str) -> Message:
    return replace(every_message()[f"{case}, alone"], delivery_ids=delivery_ids)


async def test_an_incident_is_one_message_kept_current_with_its_updates_in_the_thread(
    slack: Callable[[str], Slack], read: Callable[..., Any]
) -> None:
    channel = slack(ALL)
    root = await channel.send(DESK, news("opened", "db-1"))
    [before] = await read()
    reply = await channel.send(DESK, replace(news("resolved", "db-2"), thread=root))
    await channel.edit(root, every_message()["resolved, kept current"])

    assert root.root and not reply.root
    thread = await read("conversations.replies", ts=root.ref)
    assert [each["ts"] for each in thread] == [root.ref, reply.ref]
    assert thread[1]["thread_ts"] == root.ref
    assert thread[0]["text"] != before["text"]
    assert "Resolved" in thread[0]["text"] and "WebSocket API connection errors" in thread[0]["text"]
    assert [each["ts"] for each in await read() if each.get("thread_ts") in (None, each["ts"])] == [root.ref]


async def test_after_a_lost_answer_a_message_is_found_by_any_of_its_delivery_ids(
    slack: Callable[[str], Slack],
) -> None:
    channel = slack(ALL)
    root = await channel.send(DESK, news("opened", "db-1"))
    reply = await channel.send(DESK, replace(news("progress", "db-2", "db-3"), thread=root))
    after_restart = slack(ALL)

    assert await after_restart.find(DESK, news("opened", "db-1"), LONG_AGO) == root
    assert await after_restart.find(DESK, replace(news("progress", "db-3"), thread=root), LONG_AGO) == reply
    assert await after_restart.find(DESK, replace(news("progress", "db-4"), thread=root), LONG_AGO) is None


async def test_an_edit_leaves_a_message_findable(slack: Callable[[str], Slack]) -> None:
    channel = slack(ALL)
    root = await channel.send(DESK, news("opened", "db-1"))
    await channel.edit(root, every_message()["opened, kept current"])

    assert await channel.find(DESK, news("opened", "db-1"), LONG_AGO) == root


async def test_without_the_scope_to_read_nothing_is_found_and_operators_hear_why(slack: Callable[[str], Slack]) -> None:
    channel = slack(BLIND)
    sent = await channel.send(DESK, news("opened", "db-1"))

    assert sent.root
    assert await channel.find(DESK, news("opened", "db-1"), LONG_AGO) is None
    assert not channel.can_find
    assert len(channel.notes) == 1 and "channels:history" in channel.notes[0]


async def test_without_the_scope_to_write_the_bot_itself_is_refused(slack: Callable[[str], Slack]) -> None:
    with pytest.raises(BadCredentials, match="missing_scope"):
        await slack(MUTE).send(DESK, news("opened", "db-1"))


async def test_a_channel_that_does_not_exist_is_gone(slack: Callable[[str], Slack]) -> None:
    with pytest.raises(Gone, match="channel_not_found"):
        await slack(ALL).send(Address("slack", "C0NOWHERE"), news("opened", "db-1"))


async def test_every_kind_of_news_arrives(slack: Callable[[str], Slack], read: Callable[..., Any]) -> None:
    channel = slack(ALL)
    for message in every_message().values():
        await channel.send(DESK, replace(message, thread=None))

    assert len(await read(limit="999")) == len(every_message())
