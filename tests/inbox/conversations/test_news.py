"""The whole way, from what somebody says to what he is told: what he follows, how much of it, and in his language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.inbox.conversations.bot import OUTAGE, WEBSOCKET, bot
from tests.receivers.telegram import TelegramMessage
from tests.receivers.telegram_chats import Chat
from tests.receivers.telegram_people import Person

OPENED, FOUND, OVER = (f"{word}: {WEBSOCKET}" for word in ("Investigating", "Identified", "Resolved"))


def news(chat: Chat | Person) -> list[TelegramMessage]:
    """What came without being asked for: it leads to the incident."""
    messages = (chat.chat if isinstance(chat, Person) else chat).messages
    return [each for each in messages if any("/incidents/" in entity.get("url", "") for entity in each.entities)]


def titles(messages: Sequence[TelegramMessage]) -> list[str]:
    """As they were when they came, without the icon."""
    return [each.text.partition("\n")[0].partition(" ")[2] for each in messages]


async def test_each_hears_what_he_follows_once_in_one_thread_whose_beginning_is_kept_current(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE, subscriptions="slack:C0TRADING,telegram:-1001") as there:
        ada, bob, eve, mia, jan = (
            there.telegram.person(number, name, language)
            for number, name, language in (
                *((7, "Ada", "en"), (8, "Bob", "en"), (9, "Eve", None), (10, "Mia", "en"), (11, "Jan", "de-AT")),
            )
        )
        for person, words in ((ada, "/follow websocket"), (bob, "/follow btc"), (jan, "/start")):
            await there.answers(person.says(words))
        for person, button in ((eve, "Impact/critical only"), (mia, "Updates/milestones only")):
            await there.answers(person.says("/start"))
            menu = await there.answers(person.says("/settings"))
            for words in button.split("/"):
                await there.pressed(person, menu, words)
        await there.at("10:00", "10:10", "10:20")
        desk = there.telegram.chat(-1001)
    for chat in (ada, desk):
        root, found, over = told = news(chat)
        assert titles(told) == [OPENED, FOUND, OVER]
        assert [found.reply_to, over.reply_to] == [root.message_id] * 2
        assert OVER in root.shown and len(root.edits) == 2, "it stands for the whole"
        assert [root.silent, found.silent, over.silent] == [False, True, False]
    assert news(bob) == news(eve) == []
    assert titles(news(mia)) == [OPENED, OVER]
    assert titles(news(jan)) == [f"{word}: {WEBSOCKET}" for word in ("Wird untersucht", "Ursache gefunden", "Behoben")]
    assert [each.text.count(WEBSOCKET) > 0 for each in there.slack.messages] == [True] * 3


async def test_who_comes_during_an_incident_hears_what_is_open_and_then_what_is_new(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        await there.at("10:00", "10:05")
        answer = await there.answers(ada.says("/follow websocket"))
        assert f"🟠 {WEBSOCKET}: investigating, since 10:00 UTC" in answer.shown
        await there.answers(bob.says("/follow btc"))
        await there.at("10:10")
        [first] = news(ada)
        await there.restart()
        await there.at("10:20")
        late = await there.answers(bob.says("/start"))
    assert titles(news(ada)) == [FOUND, OVER]
    assert news(ada)[1].reply_to == first.message_id
    assert news(bob) == [] and "Nothing is open" in late.shown


async def test_who_changes_his_mind_in_the_middle_hears_of_the_end_of_what_he_was_told(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        for person in (ada, bob):
            await there.answers(person.says("/start"))
        await there.at("10:00")
        await there.answers(ada.says("/follow btc"))
        menu = await there.answers(bob.says("/settings"))
        await there.pressed(bob, menu, "Language")
        assert "Sprache" in await there.pressed(bob, menu, "Deutsch")
        await there.at("10:10", "10:20")
    assert titles(news(ada)) == [OPENED, FOUND, OVER]
    assert titles(news(bob)) == [OPENED, f"Ursache gefunden: {WEBSOCKET}", f"Behoben: {WEBSOCKET}"]
    assert f"Behoben: {WEBSOCKET}" in news(bob)[0].shown


async def test_who_muted_one_incident_hears_no_more_of_it_and_all_of_the_others(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE + OUTAGE.replace("outage", "other").replace(WEBSOCKET, "Other errors")) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        for person in (ada, bob):
            await there.answers(person.says("/start"))
        await there.at("10:00")
        [root] = [each for each in news(ada) if WEBSOCKET in each.text]
        assert WEBSOCKET in (await there.answers(ada.says("/mute", reply_to=root))).shown
        menu = await there.answers(bob.says("/mute"))
        await there.pressed(bob, menu, WEBSOCKET)
        await there.at("10:10")
        assert "again" in (await there.answers(bob.says("/unmute"))).shown
        await there.at("10:20")
    of = {person.name: titles([each for each in news(person) if WEBSOCKET in each.text]) for person in (ada, bob)}
    assert of == {"Ada": [OPENED], "Bob": [OPENED, OVER]}
    assert OVER in root.shown, "where it began it says how it is"
    assert len([each for each in news(ada) if "Other errors" in each.text]) == 3


async def test_who_muted_everything_is_told_in_short_when_it_ends_or_when_he_ends_it(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        await there.at("09:59")
        for person in (ada, bob):
            await there.answers(person.says("/start"))
            assert "Muted until 11:59 UTC" in (await there.answers(person.says("/mute 2h"))).shown
        await there.at("10:00", "10:10")
        assert news(ada) == news(bob) == []
        await there.answers(bob.says("/unmute"))
        await there.at("10:12", "10:20")
        assert titles(news(bob)) == [FOUND, OVER] and "We look into it." in news(bob)[0].text
        await there.restart()
        await there.at("11:58")
        assert news(ada) == []
        await there.at("12:00")
        [folded] = news(ada)
    assert titles([folded]) == [OVER]
    assert all(words in folded.text for words in ("We look into it.", "We found it.", "It is over."))
