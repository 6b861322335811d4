"""People who came by themselves and cannot be reached any more, or leave while something is on its way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.inbox.conversations.bot import OUTAGE, bot
from tests.inbox.conversations.test_news import FOUND, OPENED, OVER, news, titles
from tests.receivers import silence
from tests.receivers.telegram_chats import Chat

DESK = -100_500
LOST: dict[str, Callable[[Chat], None]] = {
    "blocked": Chat.blocked,
    "deactivated": Chat.deactivated,
    "chat not found": Chat.missing,
}


@pytest.mark.fault("C3", "C16")
@pytest.mark.parametrize("how", LOST)
async def test_who_is_lost_delays_nobody_and_comes_back_with_start_to_what_is_new(how: str, tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        for person in (ada, bob):
            await there.answers(person.says("/follow websocket"))
        LOST[how](ada.chat)
        await there.at("10:00")
        assert (titles(news(ada)), titles(news(bob))) == ([], [OPENED])
        assert [*await there.subscribers()] == ["8"]
        ada.chat.ordinary()
        await there.at("10:10")
        back = await there.answers(ada.starts())
        assert "You follow Websocket." in back.shown and "identified, since 10:00 UTC" in back.shown
        await there.at("10:20")
    assert titles(news(ada)) == [OVER], "no backlog"
    assert titles(news(bob)) == [OPENED, FOUND, OVER]


@pytest.mark.fault("C3")
async def test_a_group_that_throws_the_bot_out_is_told_nothing_until_it_is_back_and_asked(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        group = there.telegram.group(DESK, "Desk")
        group.member(ada, admin=True)
        await there.answers(ada.says("/start", in_=group))
        group.removes_bot(ada)
        await there.at("10:00")
        tries = len(there.telegram.calls)
        group.adds_bot(ada)
        await there.at("10:10")
        assert (await there.subscribers(), news(group)) == ({}, []) and len(there.telegram.calls) == tries
        await there.answers(ada.says("/start", in_=group))
        await there.at("10:20")
    assert titles(news(group)) == [OVER]


@pytest.mark.fault("C4")
@pytest.mark.parametrize("told", [True, False])
async def test_a_group_that_became_a_supergroup_is_followed_and_talks_on(told: bool, tmp_path: Path) -> None:
    """Telegram tells the bot, or the bot finds out when it sends."""
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        group = there.telegram.group(-500, "Desk")
        group.member(ada, admin=True)
        await there.answers(ada.says("/follow websocket", in_=group))
        await there.at("10:00")
        grown = group.migrates(DESK, ada)
        if not told:
            there.telegram.updates.pending.clear()
        await there.at("10:10")
        assert "You follow BTC, Websocket." in (await there.answers(ada.says("/follow btc", in_=grown))).shown
        await there.at("10:20")
        assert await there.subscribers() == {str(DESK): ("BTC", "Websocket")}
    assert (titles(news(group)), titles(news(grown))) == ([OPENED], [FOUND, OVER])


@pytest.mark.fault("C4")
async def test_a_group_that_became_a_supergroup_to_have_topics_is_told_in_each_that_asks(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        group = there.telegram.group(-500, "Desk")
        group.member(ada, admin=True)
        await there.answers(ada.says("/start", in_=group))
        forum = group.migrates(DESK, ada)
        forum.forum = True
        await there.answers(ada.says("/follow websocket", in_=forum, topic=5))
        await there.at("10:00")
        assert await there.subscribers() == {str(DESK): (), f"{DESK}/5": ("Websocket",)}
    assert {each.topic: titles([each]) for each in news(forum)} == {None: [OPENED], 5: [OPENED]}
    assert len(news(forum)) == 2 and news(group) == []


@pytest.mark.fault("C7")
async def test_a_topic_that_was_deleted_leaves_the_group_itself_and_its_answers(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        forum = there.telegram.group(DESK, "Desk", forum=True)
        forum.member(ada, admin=True)
        await there.answers(ada.says("/follow websocket", in_=forum, topic=5))
        await there.at("10:00")
        asked = ada.says("/status", in_=forum, topic=5)
        forum.loses_topic(5)
        assert (await there.answers(asked)).topic is None
        await there.at("10:10", "10:20")
    opened, *later = news(forum)
    assert (opened.topic, opened.deleted) == (5, True)
    assert [each.topic for each in later] == [None, None] and titles(later) == [FOUND, OVER]


@pytest.mark.fault("H7")
async def test_who_leaves_while_many_are_told_hears_nothing_of_what_was_not_under_way(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE, more={"TELEGRAM__MAX_IN_FLIGHT": "1"}) as there:
        ada, bob, eve = (there.telegram.person(number, "Ada") for number in (7, 8, 9))
        for person in (bob, ada, eve):
            await there.answers(person.says("/start"))
        there.telegram.next(silence())
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(there.at("10:00"))
            await there.telegram.until(lambda: bool(news(bob)))
            assert "You hear nothing any more." in (await there.answers(ada.says("/stop"))).shown
            assert not telling.done() and news(eve) == []
            there.telegram.release()
        await there.at("10:10", "10:20")
        assert [*await there.subscribers()] == ["8", "9"]
    assert news(ada) == []
    assert titles(news(bob)) == titles(news(eve)) == [OPENED, FOUND, OVER]


@pytest.mark.fault("H7")
async def test_who_leaves_while_his_own_message_is_under_way_gets_that_and_no_other(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        await there.answers(ada.says("/start"))
        there.telegram.next(silence())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(there.at("10:00"))
            await there.telegram.until(lambda: bool(news(ada)))
            await there.answers(ada.says("/stop"))
            there.telegram.release()
        await there.restart()
        await there.at("10:10", "10:20")
        [told] = news(ada)
        assert told.edits == [] and await there.subscribers() == {}
        await there.answers(ada.says("/start"))
        await there.at("10:30")
    assert news(ada) == [told], "who comes back is somebody new"


@pytest.mark.fault("H7")
@pytest.mark.parametrize("silent", ["/mute 2h", "09:00-23:00"])
async def test_who_leaves_while_news_waits_for_him_is_sent_nothing_of_it_even_if_he_comes_back(
    silent: str, tmp_path: Path
) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada = there.telegram.person(7, "Ada")
        await there.answers(ada.says("/start"))
        await there.answers(ada.says(silent))
        await there.at("10:00", "10:10")
        await there.answers(ada.says("/stop"))
        await there.answers(ada.says("/start"))
        await there.at("10:20")
        assert titles(news(ada)) == [OVER]
        await there.at("12:30", "2026-05-13 08:00")
    assert titles(news(ada)) == [OVER]
