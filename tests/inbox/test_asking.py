"""What the desk hears of what people do on Telegram: where, in which words, and whether they may change anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from notifier.inbox.talk import Asked, Place
from tests.inbox.line import Party, line, says
from tests.receivers import refused
from tests.receivers.telegram import FakeTelegram
from tests.receivers.telegram_people import Group, Person

DESK, CHANNEL, OTHER = -1_001_230, -1_005_550, -1_005_551
OPERATOR = 42


@dataclass
class Town:
    party: Party
    ada: Person
    bob: Person
    group: Group

    async def asked(self, count: int = 1) -> list[Asked]:
        """What the desk has heard once all is read, which is so much."""
        await self.party.telegram.all_read()
        await self.party.telegram.until(lambda: len(self.party.desk.asked) >= count)
        assert len(self.party.desk.asked) == count
        return self.party.desk.asked


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with FakeTelegram() as telegram:
        telegram.judged()
        ada, bob = telegram.person(7, "Ada", language="de"), telegram.person(8, "Bob")
        group = telegram.group(DESK, "Desk", forum=True)
        group.member(ada, admin=True)
        group.member(bob)
        async with line(telegram, operators=(OPERATOR,)) as party:
            await party.read("getUpdates", 1)
            yield Town(party=party, ada=ada, bob=bob, group=group)


async def test_in_private_everything_is_said_to_us(town: Town) -> None:
    town.ada.says("/follow@kraken_status_bot   btc eth")
    town.ada.says("sol")
    town.ada.sends_sticker()
    town.ada.sends_photo("look")
    asked = await town.asked(4)
    assert [each.words for each in asked] == ["/follow btc eth", "sol", "", "look"]
    first = asked[0]
    assert (str(first.address), first.place, first.language_code) == ("telegram:7", Place.PRIVATE, "de")
    assert first.may_change and first.addressed and not first.operator


async def test_what_cannot_be_seen_in_words_is_not_said(town: Town) -> None:
    town.ada.says("/follow \u202eb\u200btc")
    town.ada.says("sol\nana")
    assert [each.words for each in await town.asked(2)] == ["/follow btc", "sol\nana"]


async def test_what_is_meant_for_another_bot_or_comes_from_one_is_not_ours(town: Town) -> None:
    town.ada.says("/follow@other_bot btc")
    town.ada.says("/follow@other_bot btc", in_=town.group)
    town.ada.says("/status", in_=town.group, via={"id": 5, "is_bot": True, "first_name": "X", "username": "x_bot"})
    message = town.ada.says("/status")
    town.ada.edits(message, "/stop")
    assert [each.words for each in await town.asked(1)] == ["/status"]


async def test_a_group_talks_with_us_by_commands_and_by_our_name_only(town: Town) -> None:
    town.group.promotes_bot(town.ada)
    town.ada.says("Is anybody there?", in_=town.group)
    town.ada.says("@kraken_status_bot  btc", in_=town.group)
    town.ada.says("/status", in_=town.group)
    town.ada.says("/status@Kraken_Status_Bot now", in_=town.group)
    asked = await town.asked(3)
    assert [(each.words, each.addressed) for each in asked] == [
        ("btc", True),
        ("/status", False),
        ("/status now", True),
    ]


async def test_a_topic_is_part_of_the_address_and_what_opened_it_is_no_question(town: Town) -> None:
    post = town.ada.says("/start", in_=town.group, topic=42)
    asked = await town.asked(1)
    assert (str(asked[0].address), asked[0].reply_to) == (f"telegram:{DESK}/42", None)
    await town.party.heard(1)
    [answer] = town.group.messages
    assert (answer.topic, answer.reply_to) == (42, post.message_id)
    town.ada.says("/mute", in_=town.group, reply_to=answer)
    asked = await town.asked(2)
    assert asked[1].reply_to == str(answer.message_id)


async def test_a_thread_of_replies_in_a_plain_group_is_no_topic(town: Town) -> None:
    plain = town.party.telegram.group(-1_007_770, "Plain")
    plain.member(town.ada, admin=True)
    first = town.ada.says("/start", in_=plain)
    town.ada.says("/mute", in_=plain, reply_to=first)
    asked = await town.asked(2)
    assert {str(each.address) for each in asked} == {"telegram:-1007770"}


async def test_in_a_group_only_administrators_may_change_anything(town: Town) -> None:
    town.ada.says("/follow btc", in_=town.group)
    town.bob.says("/follow btc", in_=town.group)
    await town.asked(2)
    town.group.member(town.bob, status="creator")
    town.party.clock.move(timedelta(seconds=61))
    town.bob.says("/follow eth", in_=town.group)
    asked = await town.asked(3)
    assert [each.may_change for each in asked] == [True, False, True]


async def test_whether_somebody_administers_is_asked_once_a_minute(town: Town) -> None:
    for _ in range(3):
        town.ada.says("/status", in_=town.group)
    await town.asked(3)
    assert town.party.asks("getChatMember") == 1


async def test_an_administrator_may_hide_behind_the_group_and_nobody_behind_another_chat(town: Town) -> None:
    telegram = town.party.telegram
    own, linked = telegram.channel(OTHER, "Bob's own", bot="left"), telegram.channel(CHANNEL, "News")
    town.group.linked = linked
    town.group.promotes_bot(town.ada)
    town.ada.says_anonymously("/follow btc", in_=town.group)
    town.bob.says_as(own, "/stop", in_=town.group)
    linked.posts("/unfollow btc")
    asked = await town.asked(3)
    said = {each.words: each for each in asked}
    assert [said["/follow btc"].may_change, said["/stop"].may_change] == [True, False]
    assert said["/follow btc"].language_code is None
    copy = said["/unfollow btc"]
    assert (copy.place, str(copy.address), copy.may_change) == (Place.CHANNEL, f"telegram:{CHANNEL}", True)


async def test_if_telegram_does_not_say_who_administers_nobody_does(town: Town) -> None:
    town.party.telegram.breaks_reading(refused(), "getChatMember")
    town.ada.says("/follow btc", in_=town.group)
    asked = await town.asked(1)
    assert not asked[0].may_change


async def test_a_channel_speaks_to_us_by_commands(town: Town) -> None:
    channel = town.party.telegram.channel(CHANNEL, "News")
    channel.posts("Good morning. /start is what you say to the bot.")
    channel.posts("@kraken_status_bot btc")
    channel.posts("/start")
    asked = await town.asked(1)
    assert (asked[0].place, asked[0].may_change, asked[0].words) == (Place.CHANNEL, True, "/start")


async def test_operators_are_known_by_their_number_and_in_private_only(town: Town) -> None:
    olga = town.party.telegram.person(OPERATOR, "Olga")
    town.group.member(olga, admin=True)
    olga.says("/stats")
    olga.says("/stats", in_=town.group)
    town.ada.says("/stats")
    asked = await town.asked(3)
    assert sorted((str(each.address), each.operator) for each in asked) == [
        (f"telegram:{DESK}", False),
        ("telegram:42", True),
        ("telegram:7", False),
    ]


async def test_who_presses_a_button_is_asked_for_anew(town: Town) -> None:
    town.party.desk.answers["/settings"] = says("Settings", "Loud", "Quiet")
    town.ada.says("/settings", in_=town.group, topic=42)
    await town.party.heard(1)
    town.ada.presses(town.group.last, "Loud")
    town.bob.forges(town.group.last, "Quiet")
    asked = await town.asked(3)
    assert [(each.press, each.may_change, str(each.address)) for each in asked[1:]] == [
        ("Loud", True, f"telegram:{DESK}/42"),
        ("Quiet", False, f"telegram:{DESK}/42"),
    ]


async def test_a_public_chat_is_known_by_its_name_too_and_a_person_is_not(town: Town) -> None:
    public = town.party.telegram.group(OTHER, "Public", forum=True, username="desk_news")
    olga = town.party.telegram.person(9, "Olga", username="olga")
    for said in ("/status", "/help"):
        town.ada.says(said, in_=public, topic=42 if said == "/help" else None)
    olga.says("/privacy")
    asked = {each.words: each.named for each in await town.asked(3)}
    assert {words: str(named) for words, named in asked.items()} == {
        "/status": "telegram:@desk_news",
        "/help": "telegram:@desk_news/42",
        "/privacy": "None",
    }


async def test_what_has_nothing_to_press_is_not_changed_by_a_press_that_a_member_made_up(town: Town) -> None:
    town.ada.says("/status", in_=town.group)
    await town.party.heard(1)
    press = town.bob.forges(town.group.last, "status")
    await town.party.telegram.until(lambda: press.answered)
    assert "too old" in press.toast and town.group.shown == ["You said: status"]
    assert [each.words for each in await town.asked(1)] == ["/status"]


async def test_a_reader_of_a_channel_may_press_and_changes_nothing_there(town: Town) -> None:
    channel = town.party.telegram.channel(CHANNEL, "News")
    town.party.desk.answers["/settings"] = says("Settings", "Loud")
    channel.posts("/settings")
    await town.party.heard(1)
    town.bob.presses(channel.last, "Loud")
    asked = await town.asked(2)
    assert (asked[1].press, asked[1].may_change) == ("Loud", False)


async def test_chats_that_are_lost_or_moved_are_followed(town: Town) -> None:
    old = town.party.telegram.group(-77, "Old")
    town.bob.blocks()
    town.group.removes_bot(town.ada)
    old.migrates(-1_009_990, town.ada)
    town.bob.unblocks()
    await town.party.telegram.all_read()
    desk = town.party.desk
    await town.party.telegram.until(lambda: len(desk.gone) == 2 and len(desk.went) == 2)
    assert {chat for chat, _ in desk.gone} == {"8", str(DESK)}
    assert set(desk.went) == {("-77", "-1009990")}
    assert desk.asked == []


async def test_a_group_that_only_changes_says_nothing_to_us(town: Town) -> None:
    town.group.promotes_bot(town.ada)
    town.group.retitled("Desk 2", town.ada)
    town.group.closes_topic(42, town.ada)
    town.ada.says("/status", in_=town.group)
    assert [each.words for each in await town.asked(1)] == ["/status"]
