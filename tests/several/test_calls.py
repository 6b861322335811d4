"""What one process writes, another is called to do; and where nobody is called, it is found."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.deliver import IDLE_SECONDS
from notifier.ports import INBOX, POLL, sending
from tests.faults.crowd import steps, subscribe
from tests.postgres import Databases
from tests.several.fleet import FEW, Fleet, fleet
from tests.store.wire import Wire, wire

CHAT, DESK = "telegram:1000001", "slack:C000"
STEPS = 4

LISTENERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND query = 'LISTEN notifier'
"""


@asynccontextmanager
async def two_kinds(databases: Databases, folder: Path) -> AsyncIterator[tuple[Fleet, Wire, str]]:
    """`chats` polls, and sends on Telegram; `desk`, over the wire, sends on Slack."""
    with databases.one() as url:
        async with wire(url) as (line, over_it), fleet(folder, url, steps(STEPS), addresses=(CHAT, DESK)) as told:
            there = told.there
            await subscribe(url, [CHAT], datetime.now(UTC))
            told.config.write_text("")
            both = {
                "STATUS_PAGE__URL": there.simulator.url,
                "EXCHANGE__API_URL": there.simulator.url,
                "OPERATORS__TO": "[]",
            }
            telegram = {"TELEGRAM__BOT_TOKEN": there.telegram.token, "TELEGRAM__API_URL": there.telegram.url}
            slack = {"SLACK__BOT_TOKEN": there.slack.token, "SLACK__API_URL": there.slack.url, "SUBSCRIPTIONS": DESK}
            await told.start("chats", **both, **telegram)
            await told.is_held(POLL, INBOX, sending("telegram"), by="chats")
            await told.start("desk", **both, **slack, STORE__URL=over_it)
            await told.is_held(sending("slack"), by="desk")
            await there.polled(1)
            yield told, line, url


async def behind(told: Fleet, step: int) -> float:
    """By how many seconds Slack has that step later than Telegram."""
    slack, telegram = told.there.slack, told.there.telegram
    told.comes(step)
    await told.hears(step)

    def first(messages: list[str]) -> int:
        return next(place for place, text in enumerate(messages) if f"Step {step:02}." in text)

    posts = [at for at, (method, _) in zip(slack.times, slack.calls, strict=True) if method == "chat.postMessage"]
    sends = [at for at, (method, _) in zip(telegram.times, telegram.calls, strict=True) if method == "sendMessage"]
    return (
        posts[first([each.text for each in slack.messages])] - sends[first([each.text for each in telegram.messages])]
    )


@pytest.mark.fault("H10")
async def test_what_one_process_records_another_sends_within_a_second_and_without_a_call_within_a_few(
    postgresql: Databases, tmp_path: Path
) -> None:
    async with two_kinds(postgresql, tmp_path) as (told, line, url):
        assert max([await behind(told, step) for step in range(STEPS - 1)]) < 1
        with postgresql.server.admin(url.rpartition("/")[2]) as admin:
            assert len(admin.execute(LISTENERS).fetchall()) == 2
        assert await behind(told, STEPS - 1) < IDLE_SECONDS + 1
        line.deaf = True
        line.cut()
        assert await behind(told, STEPS) < IDLE_SECONDS + 1
        assert told.logged("desk", "other processes are not heard; what is due is looked for")


async def test_a_standby_that_telegram_tells_something_wakes_the_one_on_duty(
    postgresql: Databases, tmp_path: Path
) -> None:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [str(each.getsockname()[1]) for each in (one, other)]
    hook = f"http://127.0.0.1:{ports[1]}/telegram"
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1), addresses=FEW, TELEGRAM__WEBHOOK_URL=hook) as told:
            telegram = told.there.telegram
            ada = telegram.person(77, "Ada")
            await told.start("first", PORT=ports[0])
            await told.is_held(INBOX, POLL, by="first")
            await told.start("standby", PORT=ports[1])
            await told.there.polled(1)
            began = asyncio.get_running_loop().time()
            ada.says("/status")
            await telegram.until(lambda: bool(ada.chat.messages), 20)
            assert [status for _, status in telegram.updates.posts] == [200]
            assert telegram.callers[-1] == "first" and telegram.times[-1] - began < 2
