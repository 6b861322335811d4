"""What people say to the bot while something goes wrong with reading it: the whole service, and what everybody has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from notifier.app import Service
from tests.faults.operators import CHAT, DESK, MAILBOX, START, Duty, duty, incident
from tests.receivers.telegram import refusal

NEWS = incident("one", "09:10:00")
CONFLICT = refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot is running")
CONTESTED = "Another reader takes the bot's commands"
REFUSED = "Telegram refuses the bot's credentials"


async def at(there: Duty, running: Service, *minutes: float) -> None:
    """What is said by then is read; then all else is done."""
    assert running.inbox is not None
    for minute in minutes:
        there.clock.move(START + timedelta(minutes=minute) - there.clock.now())
        await running.inbox.once()
        await there.at(running, minute)


def told(there: Duty, words: str) -> dict[str, Sequence[str]]:
    """What operators read of it, without what is put before by their channels."""
    return {
        to: [title.partition("] ")[2] or title.partition(" ")[2] for title in titles if words in title]
        for to, titles in there.titles().items()
        if to != DESK
    }


@pytest.mark.fault("C8")
async def test_another_reader_keeps_no_news_from_anybody_and_operators_hear_of_it_once(tmp_path: Path) -> None:
    async with duty(tmp_path, NEWS) as there, there.process() as running:
        ada = there.telegram.person(7, "Ada")
        await at(there, running, 0)
        there.telegram.breaks_reading(CONFLICT)
        ada.starts()
        with capture_logs() as logs:
            await at(there, running, 8, 8.5)
            assert told(there, CONTESTED) == {CHAT: [], MAILBOX: []}, "an old process may be about to stop"
            await at(there, running, 9, 9.5, 10, 10.5, 11, 11.5, 12)
        assert told(there, CONTESTED) == {to: [f"Trouble: {CONTESTED}"] for to in (CHAT, MAILBOX)}
        assert any("Deposits are delayed" in title for title in there.titles()[DESK])
        assert [each["event"] for each in logs].count("commands are not read") == 1
        there.telegram.mends()
        await at(there, running, 12.5, 14)
        assert len(ada.chat.shown) > 0, "and what was said meanwhile is answered"
    assert told(there, CONTESTED) == {to: [f"Trouble: {CONTESTED}", f"Over: {CONTESTED}"] for to in (CHAT, MAILBOX)}


@pytest.mark.fault("C9")
async def test_a_token_that_reading_finds_revoked_is_told_once_where_it_can_be_and_its_end(tmp_path: Path) -> None:
    async with duty(tmp_path, "") as there, there.process() as running:
        ada = there.telegram.person(7, "Ada")
        await at(there, running, 0)
        token, there.telegram.token = there.telegram.token, "another"
        ada.starts()
        await at(there, running, 1, 2, 9, 20)
        assert told(there, REFUSED) == {CHAT: [], MAILBOX: [f"Trouble: {REFUSED}"]}
        there.telegram.token = token
        await there.recovers(running, "telegram")  # reading is tried again by the story's clock, in the next line
        await at(there, running, 30)
        ada.says("/status")
        await at(there, running, 31, 32)
        assert len(ada.chat.shown) > 0
        readers = [each.address.target for each in await running.store.subscriptions() if each.origin == "self"]
        assert readers == ["7"], "what was said meanwhile is done, though it could not be answered"
    assert told(there, REFUSED)[MAILBOX] == [f"Trouble: {REFUSED}", f"Over: {REFUSED}"]


@pytest.mark.fault("C15")
async def test_a_command_that_came_before_a_crash_is_handled_to_the_same_end(tmp_path: Path) -> None:
    async with duty(tmp_path, "") as there:
        ada = there.telegram.person(7, "Ada")
        async with there.process() as running:
            await at(there, running, 0)
            ada.says("/start btc")
            pending = [*there.telegram.updates.pending]
            await at(there, running, 1)
            [before] = [each for each in await running.store.subscriptions() if each.origin == "self"]
        there.telegram.updates.pending[:] = pending  # as if it had died before it could say that it was done
        async with there.process() as running:
            await at(there, running, 2)
            [after] = [each for each in await running.store.subscriptions() if each.origin == "self"]
    assert after == before and after.filter.components == ("BTC",)


@pytest.mark.fault("C16")
async def test_who_blocked_the_bot_and_comes_back_is_told_what_is_new_and_no_more(tmp_path: Path) -> None:
    async with duty(tmp_path, NEWS + incident("two", "09:50:00")) as there, there.process() as running:
        ada = there.telegram.person(7, "Ada")
        await at(there, running, 0)
        ada.starts()
        await at(there, running, 1)
        ada.blocks()
        await at(there, running, 11, 12)
        ada.unblocks()
        ada.starts()
        await at(there, running, 45)
        before = len(ada.chat.shown)
        assert "Deposits are delayed (one)" in ada.chat.shown[-1], "the answer says what is open"
        await at(there, running, 51)
    [news] = ada.chat.shown[before:]
    assert "Deposits are delayed (two)" in news


async def test_nobody_is_read_if_commands_are_not_wanted(tmp_path: Path) -> None:
    async with duty(tmp_path, "", more={"TELEGRAM__COMMANDS": "false"}) as there, there.process() as running:
        assert running.inbox is None
        await there.at(running, 0)
    assert there.telegram.reads == []
