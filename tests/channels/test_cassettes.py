"""The formats of the two bot APIs, played back: what a message asks for on the wire, and what is made of the answer.

The cassettes were recorded from the fakes in tests/receivers; no token is in them. Whatever a channel sends has to be
what was recorded, field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
import vcr  # type: ignore[import-untyped]

from notifier.channels.slack import Slack
from notifier.channels.telegram import Telegram
from notifier.message import Line, Message, Receipt, Role, Span
from notifier.ports import Gone
from notifier.subscription import Address
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram

CASSETTES = Path(__file__).parents[1] / "cassettes"
CANARY = "4242:canary-of-the-cassettes"
AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)
MESSAGE = Message(
    delivery_ids=("d0-1",),
    subject="[Kraken] Investigating: WebSocket API connection errors",
    lines=(
        Line(spans=(Span(text="🟡 Investigating: WebSocket API", style="bold"),), role=Role.TITLE),
        Line(spans=(Span(text="Kraken, "), Span(text="11:29 UTC", at=AT), Span(text=":"))),
        Line(spans=(Span(text="Clients may be <unable> & unwilling to connect."),), role=Role.QUOTE),
        Line(spans=(Span(text="Details", url="https://status.kraken.com/incidents/531pdxkwzrpx"),), role=Role.LINK),
    ),
    date=AT,
    loud=True,
)


def without_token(request: Any) -> Any:
    request.uri = re.sub(r"/bot\d+:[^/]+", "/bot0:hidden", request.uri)
    request.uri = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", request.uri)
    request.headers = {"Content-Type": request.headers.get("Content-Type", "")}
    return request


def asked(request: Any) -> dict[str, Any]:
    body = request.body
    if isinstance(body, dict):
        return body
    text = body.decode() if isinstance(body, bytes) else str(body or "")
    return dict(json.loads(text)) if text.startswith("{") else dict(parse_qsl(text))


def same_fields(one: Any, other: Any) -> None:
    assert asked(one) == asked(other)


def played(name: str, mode: str = "none") -> Any:
    player = vcr.VCR(
        cassette_library_dir=str(CASSETTES),
        record_mode=mode,
        match_on=["method", "path", "fields"],
        before_record_request=without_token,
    )
    player.register_matcher("fields", same_fields)
    return player.use_cassette(f"{name}.yaml")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def slack_talk(slack: Slack) -> tuple[Receipt, Receipt | None]:
    """A message, its edit, and the question whether it arrived."""
    sent = await slack.send(Address("slack", "C0TRADING"), MESSAGE)
    await slack.edit(sent, MESSAGE)
    return sent, await slack.find(Address("slack", "C0TRADING"), MESSAGE, datetime(2026, 2, 24, 11, 29, 30, tzinfo=UTC))


async def telegram_talk(telegram: Telegram) -> Receipt:
    """A message, its edit, and one to somebody who blocked the bot."""
    sent = await telegram.send(Address("telegram", "-1001234567890"), MESSAGE)
    await telegram.edit(sent, MESSAGE)
    with pytest.raises(Gone, match="blocked"):
        await telegram.send(Address("telegram", "42"), MESSAGE)
    return sent


async def test_slack_is_asked_and_understood_as_recorded(session: aiohttp.ClientSession) -> None:
    with played("slack") as tape:
        sent, found = await slack_talk(Slack(f"xoxb-{CANARY}", "http://127.0.0.1/api/", session))
    assert tape.all_played
    assert (sent.to, sent.root) == ("C0TRADING", True)
    assert found == sent


async def test_telegram_is_asked_and_understood_as_recorded(session: aiohttp.ClientSession) -> None:
    with played("telegram") as tape:
        sent = await telegram_talk(Telegram(CANARY, "http://127.0.0.1", session))
    assert tape.all_played
    assert (sent.to, sent.root) == ("-1001234567890", True)


async def test_what_is_recorded_is_what_the_fakes_answer_and_holds_no_token(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Records both anew: `cp` them from there to tests/cassettes when a format changes."""
    for name in ("slack", "telegram"):
        with played(str(tmp_path / name), mode="all"):
            if name == "slack":
                async with FakeSlack(f"xoxb-{CANARY}", clock=lambda: AT.timestamp() + 60) as fake:
                    await slack_talk(Slack(f"xoxb-{CANARY}", fake.url, session))
            else:
                async with FakeTelegram(CANARY) as bot:
                    bot.chat("42").blocked()
                    await telegram_talk(Telegram(CANARY, bot.url, session))
        recorded = (tmp_path / f"{name}.yaml").read_text()
        assert CANARY not in recorded and "status.kraken.com" in recorded
        kept = (CASSETTES / f"{name}.yaml").read_text()
        assert CANARY not in kept
        assert recorded.count("uri:") == kept.count("uri:")
