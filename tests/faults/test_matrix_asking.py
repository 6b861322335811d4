"""The program is killed between what somebody says and its answer, and between Telegram's word and its handling."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.faults.child import SPEED
from tests.running import Program, free_port, program
from tests.town import Town, outage, town

UPDATES = (("investigating", "We look into it."), ("resolved", "It is over."))
POLLED = ("before:keep:1", "at:write:3", "after:keep:1")
POSTED = ("after:receive:1", "before:keep:1", "after:keep:1", "before:handled:1")


@asynccontextmanager
async def dying(folder: Path, points: Sequence[str], *, webhook: bool) -> AsyncIterator[tuple[Town, Program]]:
    """The program reads what people say, and dies at each of the points before it lives on."""
    config, began = folder / "config.toml", datetime.now(UTC).isoformat()
    async with town(outage(*UPDATES)) as there:
        there.telegram.judged()
        told = there.settings(
            folder / "notifier.db", subscriptions=["telegram:-1001"], more="[announce]\nwelcome = false"
        )
        if webhook:
            port = free_port()
            url = f'webhook_url = "http://127.0.0.1:{port}/updates"'
            told = f"PORT = {port}\n" + told.replace("[telegram]", f"[telegram]\n{url}")
        # Read from the feed first, the incident names no component, and concerns everybody.
        config.write_text(told.replace("feed_poll_seconds = 0.15", "feed_poll_seconds = 60"))
        async with program("-m", "tests.faults.child", str(config), began, str(SPEED), *points) as running:
            await there.polled(1)
            yield there, running


@pytest.mark.fault("C15")
@pytest.mark.parametrize(("points", "webhook"), [(POLLED, False), (POSTED, True)], ids=["polled", "posted"])
async def test_what_was_said_is_done_and_answered_whenever_the_program_is_killed(
    points: Sequence[str], webhook: bool, tmp_path: Path
) -> None:
    async with dying(tmp_path, points, webhook=webhook) as (there, running):
        ada = there.telegram.person(7, "Ada")
        ada.starts("websocket")
        await running.until(lambda: running.err.count(f"killed {points[-1]}") == 1, 60)
        bob = there.telegram.person(8, "Bob")
        bob.says("/follow btc")
        await there.telegram.until(lambda: bool(ada.chat.messages and bob.chat.messages), 30)
        await there.telegram.all_read()
        await there.read_again()
        for update in there.simulator.script.incidents[0].updates:
            before = len(there.telegram.messages)
            there.time.set(update.at)
            await there.telegram.until(partial(_has, there, before + 2), 20)
        assert await running.stop() == 0, running.printed
    assert [line for line in running.err if line.startswith("killed")] == [f"killed {point}" for point in points]
    answers = [text for text in ada.chat.shown if "You follow Websocket." in text]
    assert 1 <= len(answers) <= len(points), "at the latest the last one who was asked has answered"
    news = [each.text for each in ada.chat.messages if "We look into it." in each.text or "It is over." in each.text]
    assert len(news) == 2, "subscribed once, and told once"
    assert len(bob.chat.messages) == 1


def _has(there: Town, count: int) -> bool:
    return len(there.telegram.messages) >= count
