"""What operators ask in private, and what everybody else gets who tries the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.markup import INERT
from tests.inbox.conversations.bot import OUTAGE, Bot, bot
from tests.receivers import refused
from tests.receivers.telegram import TelegramMessage
from tests.receivers.telegram_people import Person

OPERATOR = 99
MORE = {"OPERATORS__TELEGRAM_IDS": f"[{OPERATOR}]"}
CONFIGURED = "slack:C0TRADING,telegram:-1001,telegram:50"
DESK = -100_500


async def everybody(there: Bot) -> tuple[Person, list[Person]]:
    """The operator, who reads no news himself, and three subscribers, one of whom reads German."""
    readers = [there.telegram.person(number, "Ada", "de" if number == 9 else "en") for number in (7, 8, 9)]
    for person in readers:
        person.says("/start")
    await there.hears()
    return there.telegram.person(OPERATOR, "Olga"), readers


def since(there: Bot, before: int) -> dict[str, list[str]]:
    """What came to whom after so many messages."""
    found: dict[str, list[str]] = {}
    for each in there.telegram.messages[before:]:
        found.setdefault(each.chat, []).append(each.text)
    return found


async def drafted(there: Bot, olga: Person, words: str) -> TelegramMessage:
    preview = await there.answers(olga.says(f"/broadcast {words}"))
    assert [row[0] for row in preview.rows] == ["Send to 3 subscribers"]
    return preview


@pytest.fixture
def words() -> str:
    return "We move to <b>another</b> host & back.\n\nSee https://example.com, @everybody."


async def test_a_broadcast_is_shown_first_and_reaches_every_subscriber_once(words: str, tmp_path: Path) -> None:
    async with bot(tmp_path, subscriptions=CONFIGURED, more=MORE) as there:
        olga, readers = await everybody(there)
        preview = await drafted(there, olga, words)
        before = len(there.telegram.messages)
        assert "We move to <b>another</b> host & back." in preview.shown.replace(INERT, "")
        assert "It goes out to 3 subscribers." in await there.pressed(olga, preview, "Send to 3 subscribers")
        assert preview.rows == []
        assert "sent before" in await there.forged(olga, preview, f"broadcast {_number(there)}")
        await there.at("09:05")
        told = since(there, before)
        await there.restart()
        await there.at("09:10")
    assert set(told) == {str(person.number) for person in readers} == set(since(there, before))
    assert [len(each) for each in told.values()] == [1, 1, 1], "neither the configured chats nor the operator"
    assert all("We move to <b>another</b> host & back." in text.replace(INERT, "") for [text] in told.values())
    assert not any(each["type"] in ("url", "text_link", "bold") for each in readers[0].chat.last.entities[1:])
    assert there.slack.messages == []


async def test_a_broadcast_is_sent_once_however_often_it_is_confirmed(tmp_path: Path) -> None:
    async with bot(tmp_path, more=MORE) as there:
        olga, readers = await everybody(there)
        preview = await drafted(there, olga, "Hello.")
        [send, _] = [data for _, data in preview.presses]
        presses = [olga.forges(preview, send) for _ in range(2)]
        await there.hears()
        for press in presses:
            there.is_answered(press)
        await there.again(2)
        await there.at("09:05")
        assert {sum("Hello." in each for each in person.chat.shown) for person in readers} == {1}


async def test_what_was_cancelled_or_replaced_by_another_draft_is_not_sent(tmp_path: Path) -> None:
    async with bot(tmp_path, more=MORE) as there:
        olga, readers = await everybody(there)
        first, second = await drafted(there, olga, "First."), await drafted(there, olga, "Second.")
        assert "replaced by another draft" in await there.pressed(olga, first, "Send to 3 subscribers")
        [send, _] = [data for _, data in second.presses]
        assert "Nothing is sent." in await there.pressed(olga, second, "Cancel")
        assert "It goes out" not in await there.forged(olga, second, send), "it stood on another screen of hers"
        await there.at("09:05")
        assert not any("First." in text for person in readers for text in person.chat.shown)
        assert not any("Second." in text for person in readers for text in person.chat.shown)


async def test_a_broadcast_may_be_long_and_not_too_long(tmp_path: Path) -> None:
    async with bot(tmp_path, more=MORE) as there:
        olga, readers = await everybody(there)
        for nothing in ("", "w" * 3_001):
            answer = await there.answers(olga.says(f"/broadcast {nothing}"))
            assert "at most 3000 characters" in answer.shown and answer.rows == []
        longest = "Wartung & Umzug <heute>. " * 120
        preview = await drafted(there, olga, longest)
        await there.pressed(olga, preview, "Send to 3 subscribers")
        await there.at("09:05")
        for person in readers:
            assert longest.strip() in " ".join(person.chat.shown[-1].replace(INERT, "").split())


async def test_nobody_else_broadcasts_and_no_operator_from_a_group(tmp_path: Path) -> None:
    async with bot(tmp_path, more=MORE) as there:
        olga, [ada, *_] = await everybody(there)
        group = there.telegram.group(DESK, "Desk")
        group.member(olga, admin=True)
        preview = await drafted(there, olga, "Hello.")
        [send, _] = [data for _, data in preview.presses]
        for words in ("/broadcast Buy now", "/stats", "/health"):
            assert "There is no command" in (await there.answers(ada.says(words))).shown
            await there.is_silent(olga.says(words, in_=group))
        ours = await there.answers(olga.says("/start", in_=group))
        for person, below in ((ada, preview), (olga, ours), (ada, ada.chat.last)):
            await there.forged(person, below, send)
        await there.at("09:05")
        assert not any("Hello." in text for text in ada.chat.shown)


async def test_figures_and_health_are_those_of_the_moment(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE, subscriptions=CONFIGURED, more=MORE) as there:
        olga, [ada, bob, jan] = await everybody(there)
        await there.answers(ada.says("/follow btc"))
        await there.answers(bob.says("/mute 8h"))
        jan.blocks()
        await there.hears()
        await there.at("10:00")
        stats = (await there.answers(olga.says("/stats"))).shown
        assert "Reached: 2" in stats and "Blocked or left: 1" in stats and "Muted now: 1" in stats
        assert "Followed most: BTC 1" in stats and "English 2" in stats
        assert "🟢 The bot itself is well." in (await there.answers(olga.says("/health"))).shown
        there.slack.breaks(refused())
        await there.at("10:10", "10:30")
        health = (await there.answers(olga.says("/health"))).shown
        assert "🔴" in health and "Slack" in health


def _number(there: Bot) -> int:
    """Of the draft: that of the question with which it came."""
    [draft] = [each for each in there.telegram.updates.all if "/broadcast" in str(each.get("message", {}).get("text"))]
    return int(draft["update_id"])
