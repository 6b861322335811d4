"""Answers while the database is locked or Telegram wants a pause, and what is said while the way of reading changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from notifier.inbox.reading import Reading
from notifier.inbox.telegram import AGAIN
from notifier.store import engine
from tests.faults.test_matrix_storage import locked
from tests.inbox.conversations.bot import OUTAGE, Bot, bot
from tests.inbox.conversations.test_news import OPENED, OVER, news, titles
from tests.receivers.telegram import refusal
from tests.receivers.telegram_people import Person
from tests.running import free_port

THROTTLED = refusal(429, "Too Many Requests: retry after 20", retry_after=20)
PAUSE = 20


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute of waiting for a lock takes a moment."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.03)


@asynccontextmanager
async def reading(there: Bot) -> AsyncIterator[None]:
    """A process that reads as its settings say, until it is stopped."""
    await there.restart()
    inbox = there.running.inbox
    assert inbox is not None
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(inbox.run())
        listening = None if isinstance(inbox, Reading) else tasks.create_task(inbox.listen())
        yield
        inbox.stop()
        await asyncio.wait([work])
        if listening is not None:
            listening.cancel()
    await there.process.aclose()


@pytest.mark.fault("B6")
@pytest.mark.usefixtures("impatient")
async def test_what_is_said_while_the_database_is_locked_is_done_and_answered_once_it_is_not(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        await there.answers(bob.says("/start"))
        menu = await there.answers(bob.says("/settings"))
        async with reading(there):
            with locked(tmp_path / "notifier.db"):
                ada.says("/follow btc")
                press, asked = bob.presses(menu, "Impact"), bob.forges(menu, "set impact critical")
                await there.telegram.until(lambda: press.answered and asked.answered)
                assert asked.toast == AGAIN and ada.chat.shown == []
            await there.telegram.until(lambda: bool(ada.chat.shown) and "✓ critical only" in str(menu.rows))
            await there.telegram.all_read()
        there.is_answered(asked)
        await there.restart()
        assert await there.subscribers() == {"7": ("BTC",), "8": ()}
    assert len(ada.chat.shown) == 1 and "✅ You follow BTC." in ada.chat.shown[0]


@pytest.mark.fault("C1")
async def test_a_pause_that_an_answer_meets_is_one_for_the_news_too_and_loses_none(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with bot(tmp_path, OUTAGE) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        for person in (ada, bob):
            await there.answers(person.says("/start"))
        there.telegram.next(THROTTLED)
        await there.is_silent(ada.says("/status"))
        paused_until = loop.time() + PAUSE * there.clock.second
        calls = len(there.telegram.calls)
        await there.at("10:00")
        bob.says("/status")
        await there.hears()
        assert all(at >= paused_until for at in there.telegram.times[calls:]), "whoever is told or answered"
        await there.at("10:01", "10:10", "10:20", "10:21")
        assert len(there.telegram.calls) > calls
    for person in (ada, bob):
        told = news(person)
        assert titles(told)[-1] == OVER and titles(told)[0] in (OPENED, OVER)
        assert sum(each.text.count("We look into it.") for each in told) == 1


@pytest.mark.fault("C15")
async def test_nothing_that_was_said_is_lost_between_polling_and_webhook_and_back(tmp_path: Path) -> None:
    port = free_port()
    async with bot(tmp_path) as there:
        ada = there.telegram.person(7, "Ada")
        polls, url = there.settings, f"http://127.0.0.1:{port}/updates"
        telegram = polls.telegram.model_copy(update={"webhook_url": url})
        posted = polls.model_copy(update={"telegram": telegram, "port": port})
        for count, there.settings in enumerate((polls, posted, polls, posted, polls)):
            ada.says(f"/incident before-{count}")
            async with reading(there):
                await there.telegram.until(partial(_reads, ada, 2 * count + 1))
                ada.says(f"/incident during-{count}")
                await there.telegram.until(partial(_reads, ada, 2 * count + 2))
    said = [f"“{when}-{count}”" for count in range(5) for when in ("before", "during")]
    assert [next(words for words in said if words in text) for text in ada.chat.shown] == said


def _reads(person: Person, count: int) -> bool:
    return len(person.chat.shown) == count
