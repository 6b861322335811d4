"""What happens in groups and channels of the fake Bot API, as python-telegram-bot reads it and as aiogram judges it."""

from __future__ import annotations

import pytest
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden

from tests.peers.talk import changed, heard, news
from tests.receivers.telegram import FakeTelegram
from tests.receivers.telegram_people import Group, Person

DESK, GROWN, CHANNEL = -1_001_230, -1_009_990, -1_005_550


@pytest.fixture
def desk(telegram: FakeTelegram, ada: Person) -> Group:
    group = telegram.group(DESK, "Desk")
    group.member(ada, admin=True)
    return group


async def test_the_bot_hears_only_its_own_matters_in_a_group(bot: Bot, ada: Person, desk: Group) -> None:
    ours = await bot.send_message(DESK, "news")
    ada.says("what is up?", in_=desk)
    ada.says("/status", in_=desk)
    ada.says("/status@other_bot", in_=desk)
    ada.says("thanks", in_=desk, reply_to=desk.last)
    ada.says("not /status in between", in_=desk)
    desk.retitled("Trading", ada)

    heard_of = await heard(bot)

    assert [each.text for each in heard_of] == ["/status", "/status@other_bot", "thanks", None]
    assert heard_of[2].reply_to_message is not None
    assert heard_of[2].reply_to_message.message_id == ours.message_id
    assert (heard_of[2].message_thread_id, heard_of[2].is_topic_message) == (ours.message_id, None)
    assert heard_of[3].new_chat_title == "Trading"


async def test_an_administrator_among_bots_hears_everything(bot: Bot, ada: Person, desk: Group) -> None:
    desk.promotes_bot(ada)
    ada.says("what is up?", in_=desk)

    assert [each.text for each in await heard(bot)] == ["what is up?"]


async def test_a_topic_is_told_by_its_number_and_by_what_opened_it(
    telegram: FakeTelegram, bot: Bot, ada: Person
) -> None:
    forum = telegram.group(GROWN, "Forum", forum=True)
    ada.says("/follow sol", in_=forum, topic=42)

    [message] = await heard(bot)
    await bot.send_message(GROWN, "yes", message_thread_id=42)

    assert (message.message_thread_id, message.is_topic_message) == (42, True)
    assert message.reply_to_message is not None
    assert message.reply_to_message.forum_topic_created is not None
    assert forum.last.topic == 42
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(GROWN, "to the general topic", message_thread_id=1)
    forum.loses_topic(42)
    assert forum.shown == []


async def test_who_hides_is_known_by_the_chat_behind_the_words(
    telegram: FakeTelegram, bot: Bot, ada: Person, desk: Group
) -> None:
    own = telegram.channel(CHANNEL, "Ada's channel")
    ada.says_anonymously("/settings", in_=desk)
    ada.says_as(own, "/settings", in_=desk)

    messages = await heard(bot)

    said_by = [(each.from_user and each.from_user.id, each.sender_chat and each.sender_chat.id) for each in messages]
    assert said_by == [(1087968824, DESK), (136817688, CHANNEL)]


async def test_a_post_comes_as_one_and_again_in_the_linked_group(telegram: FakeTelegram, bot: Bot, desk: Group) -> None:
    channel = telegram.channel(CHANNEL, "Prices")
    desk.linked = channel
    post = channel.posts("/follow btc")
    channel.edits(post, "/follow eth")

    first, copy, edited = await news(bot)

    assert first.channel_post is not None and first.channel_post.from_user is None
    assert first.channel_post.sender_chat is not None and first.channel_post.sender_chat.id == CHANNEL
    assert copy.message is not None and copy.message.is_automatic_forward
    assert copy.message.from_user is not None and copy.message.from_user.id == 777000
    assert edited.edited_channel_post is not None and edited.edited_channel_post.text == "/follow eth"


async def test_a_group_adds_promotes_and_removes_the_bot(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    group = telegram.group(-55, "Friends", bot="left")
    ada.says("/start", in_=group)
    assert await news(bot) == [], "it is not there yet"
    with pytest.raises(Forbidden, match="bot is not a member of the group chat"):
        await bot.send_message(-55, "hello")
    group.adds_bot(ada)
    added, service = await news(bot)
    group.promotes_bot(ada)
    promoted = await changed(bot)
    group.removes_bot(ada)
    removed = await changed(bot)

    assert added.my_chat_member is not None and added.my_chat_member.new_chat_member.status == "member"
    assert service.message is not None and [each.id for each in service.message.new_chat_members] == [4242]
    assert promoted.new_chat_member.status == "administrator"
    assert removed.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was kicked from the group chat"):
        await bot.send_message(-55, "hello")


async def test_a_channel_takes_messages_only_from_an_administrator(
    telegram: FakeTelegram, bot: Bot, ada: Person
) -> None:
    channel = telegram.channel(CHANNEL, "Prices", bot="left", username="prices")
    channel.adds_bot(ada, admin=True)
    assert (await changed(bot)).new_chat_member.status == "administrator"
    sent = await bot.send_message("@prices", "news")

    assert (sent.chat.id, sent.sender_chat and sent.sender_chat.id, channel.shown) == (CHANNEL, CHANNEL, ["news"])
    await bot.leave_chat(CHANNEL)
    assert (await changed(bot)).new_chat_member.status == "left"
    with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
        await bot.send_message(CHANNEL, "news")


async def test_a_group_that_grows_says_so_on_both_sides(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    group = telegram.group(-55, "Friends")
    grown = group.migrates(GROWN, ada)

    left, entered = await heard(bot)

    assert (left.chat.id, left.migrate_to_chat_id) == (-55, GROWN)
    assert (entered.chat.id, entered.chat.type, entered.migrate_from_chat_id) == (GROWN, "supergroup", -55)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(-55, "news")
    assert moved.value.new_chat_id == GROWN
    await bot.send_message(GROWN, "news")
    assert grown.shown == ["news"]


async def test_everybody_has_a_place_in_a_chat_or_none(
    telegram: FakeTelegram, bot: Bot, ada: Person, desk: Group
) -> None:
    statuses = {"creator": 11, "member": 12, "restricted": 13, "left": 14, "kicked": 15}
    for status, number in statuses.items():
        desk.member(telegram.person(number, status), status=status)

    found = {number: (await bot.get_chat_member(DESK, number)).status for number in (7, *statuses.values(), 4242)}

    assert found == {7: "administrator", **{number: status for status, number in statuses.items()}, 4242: "member"}
    assert (await bot.get_chat_member(DESK, 1087968824)).status == "left"
    assert {each.user.id for each in await bot.get_chat_administrators(DESK)} == {7, 11}
    with pytest.raises(BadRequest, match="Participant_id_invalid"):
        await bot.get_chat_member(DESK, 16)
    assert (await bot.get_chat(DESK)).title == "Desk"
    assert (await bot.get_chat(7)).first_name == "Ada"
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.get_chat(999)


async def test_the_bot_deletes_its_own_and_not_others_in_a_group(bot: Bot, ada: Person, desk: Group) -> None:
    said = ada.says("/status", in_=desk)
    sent = await bot.send_message(DESK, "all is well", reply_to_message_id=said.message_id)
    assert sent.reply_to_message is not None and sent.reply_to_message.text == "/status"
    await bot.delete_message(DESK, sent.message_id)

    assert desk.shown == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(DESK, sent.message_id)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(DESK, said.message_id)
