"""The bot in groups, topics and channels: who may change what a chat gets, and to whom it says nothing at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from notifier.markup import INERT
from tests.inbox.conversations.bot import OUTAGE, Bot, bot
from tests.receivers.telegram import TelegramMessage
from tests.receivers.telegram_people import Group, Person

DESK = -100_500
PAUSE = timedelta(seconds=45)
ONLY = "Only administrators change what this chat gets."
CHANGING = ("/start", "/follow btc", "/unfollow", "/settings", "/mute 8h", "/unmute", "/stop")
ASKING = {"/status": "Kraken:", "/incidents": "Incidents of Kraken", "/incident": "🟠", "/help": "What you can say"}


def people(there: Bot, *, forum: bool = False) -> tuple[Person, Person, Group]:
    """An administrator, a member, and their group."""
    ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
    group = there.telegram.group(DESK, "Desk", forum=forum)
    group.member(ada, admin=True)
    group.member(bob)
    return ada, bob, group


async def test_in_a_group_everybody_asks_and_only_administrators_change_anything(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        await there.at("10:00")
        ada, bob, group = people(there)
        for words in CHANGING:
            answer = await there.answers(said := bob.says(words, in_=group))
            assert (answer.shown, answer.reply_to) == (ONLY, said.message_id), words
            there.clock.move(PAUSE)
        for words, expected in {**ASKING, "/privacy": "What is stored"}.items():
            assert expected in (await there.answers(bob.says(words, in_=group))).shown
            there.clock.move(PAUSE)
        assert await there.subscribers() == {}
        answer = await there.answers(ada.says("/follow@kraken_status_bot websocket", in_=group))
        assert "✅ You follow Websocket." in answer.shown
        assert await there.subscribers() == {str(DESK): ("Websocket",)}


async def test_who_hides_behind_the_group_administers_it_and_who_hides_behind_a_channel_does_not(
    tmp_path: Path,
) -> None:
    async with bot(tmp_path) as there:
        ada, bob, group = people(there)
        mask = there.telegram.channel(-100_900, "Official administrators")
        assert "comes here from now on" in (await there.answers(ada.says_anonymously("/start", in_=group))).shown
        for words in ("/stop", "/follow btc", "/settings"):
            answer = await there.answers(bob.says_as(mask, words, in_=group))
            assert answer.shown == ONLY
            there.clock.move(PAUSE)
        group.linked = mask
        before = len(there.telegram.messages)
        mask.posts("/stop")
        await there.hears()
        read = [each.shown for each in there.telegram.messages[before:] if each.place is group]
        assert read == [], "its copy in the group says nothing to us"
        assert await there.subscribers() == {str(DESK): ()}


async def test_a_press_is_that_of_who_presses(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        ada, bob, group = people(there)
        settings = await _settings(there, ada, group)
        before = settings.shown
        assert await there.pressed(bob, settings, "Impact") == f"{ONLY}\n{before}"
        assert await there.forged(bob, settings, "set impact critical") == f"{ONLY}\n{before}"
        assert "From which impact on?" in await there.pressed(ada, settings, "Impact")
        group.member(ada, status="member")
        there.clock.move(2 * PAUSE)
        shown = settings.shown
        assert await there.pressed(ada, settings, "critical only") == f"{ONLY}\n{shown}", "he is none any more"


async def test_a_button_below_a_message_that_is_gone_or_is_another_bots_changes_nothing(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        ada, _, group = people(there)
        settings = await _settings(there, ada, group)
        said = ada.says("/status", in_=group)
        await there.answers(said)
        assert (await there.forged(ada, said, "set impact critical")).startswith("This message is too old.")
        there.telegram.delete(settings.message_id)
        assert (await there.forged(ada, settings, "set impact critical")).startswith("This message is too old.")
        [mine] = [each for each in await there.running.store.subscriptions() if each.origin == "self"]
        assert mine.filter.min_impact == "none"


async def test_each_topic_has_its_own_wishes_and_is_told_there(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, _, group = people(there, forum=True)
        for topic, words in ((5, "/follow websocket"), (6, "/follow btc"), (None, "/start")):
            assert (await there.answers(ada.says(words, in_=group, topic=topic))).topic == topic
        assert await there.subscribers() == {f"{DESK}/5": ("Websocket",), f"{DESK}/6": ("BTC",), str(DESK): ()}
        before = len(group.messages)
        await there.at("10:00", "10:01")
        told = [(each.topic, each.shown.partition("\n")[0]) for each in group.messages[before:]]
        title = "🟠 Investigating: WebSocket API connection errors"
        assert sorted(told, key=str) == [(5, title), (None, title)]


async def test_a_channel_is_set_up_by_its_posts(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        eve = there.telegram.person(9, "Eve")
        channel = there.telegram.channel(-100_700, "Kraken news")
        answer = await there.answers(channel.posts("/follow websocket"))
        await there.is_silent(channel.posts("Good morning"), channel.posts("/news"), channel.posts("/stop@another_bot"))
        assert ONLY in await there.forged(eve, answer, "f*"), "a reader of it presses"
        await there.at("10:00")
        assert channel.shown[-1].startswith("🟠 Investigating")
        assert await there.subscribers() == {"-100700": ("Websocket",)}


async def test_people_who_talk_to_one_another_or_to_other_bots_are_left_alone(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        ada, bob, group = people(there)
        ours = await there.answers(ada.says("/start", in_=group))
        group.promotes_bot(ada)
        other = {"id": 99, "is_bot": True, "first_name": "Gif", "username": "gif"}
        await there.is_silent(bob.says("is Kraken down?", in_=group), bob.says("thanks", in_=group, reply_to=ours))
        await there.is_silent(bob.says("/price@another_bot btc", in_=group), bob.says("/price btc", in_=group))
        await there.is_silent(bob.sends_photo("look", in_=group), bob.sends_sticker(in_=group))
        await there.is_silent(bob.says("/status", in_=group, via=other))
        said = bob.says("hm", in_=group)
        bob.edits(said, "/status")
        await there.is_silent(said)
        group.retitled("Desk 2", ada)
        await there.hears()
        assert (
            f"There is no command /{INERT}price."
            in (await there.answers(bob.says("/price@kraken_status_bot", in_=group))).shown
        )


async def _settings(there: Bot, ada: Person, group: Group) -> TelegramMessage:
    await there.answers(ada.says("/start", in_=group))
    return await there.answers(ada.says("/settings", in_=group))
