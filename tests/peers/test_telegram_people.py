"""What people do on the fake Bot API in private, as python-telegram-bot reads it and as aiogram judges it."""

from __future__ import annotations

import pytest
from telegram import Bot, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden

from tests.peers.talk import changed, heard, news
from tests.peers.tdlib import find_entities
from tests.receivers.telegram import FakeTelegram
from tests.receivers.telegram_people import Person

HOSTILE = (
    "/start btc",
    "/follow@kraken_status_bot sol, then /stop and x/help or /b_9!",
    "\U0001f600 /settings\n/mute 8h",
    "a//b /c/d /e@f /g@hij http://x.example/start </start>",
    "/ /-x /ü /ok" + 70 * "y",
)


async def pressed(bot: Bot) -> CallbackQuery:
    [update] = await news(bot)
    assert update.callback_query is not None
    return update.callback_query


def keyboard(*buttons: tuple[str, str]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(words, callback_data=data) for words, data in buttons]])


async def test_private_words_come_with_their_writer_and_their_commands(bot: Bot, ada: Person) -> None:
    ada.starts("btc")

    [message] = await heard(bot)

    assert message.text == "/start btc"
    assert message.from_user is not None
    assert (message.chat.id, message.chat.type, message.from_user.language_code) == (7, "private", "de")
    assert message.parse_entities() == {message.entities[0]: "/start"}


@pytest.mark.parametrize("text", HOSTILE)
async def test_commands_are_found_where_telegram_finds_them(text: str, bot: Bot, ada: Person) -> None:
    ada.says(text)

    [message] = await heard(bot)

    wanted = [(each.offset, each.length) for each in find_entities(text) if each.kind == "BotCommand"]
    assert [(each.offset, each.length) for each in message.entities] == wanted


async def test_a_text_too_long_for_a_message_comes_as_several(bot: Bot, ada: Person) -> None:
    ada.says("\U0001f600" * 3_000)

    assert [len(each.text or "") for each in await heard(bot)] == [2_048, 952]


async def test_what_has_no_words_and_what_is_edited_comes_too(bot: Bot, ada: Person) -> None:
    said = ada.says("/folow btc")
    ada.edits(said, "/follow btc")
    ada.sends_sticker()
    ada.sends_photo("/start")
    ada.says("inline answer", via={"id": 99, "is_bot": True, "first_name": "gif", "username": "gif"})

    _, edited, sticker, photo, inline = await news(bot)

    assert edited.edited_message is not None and edited.edited_message.edit_date is not None
    assert edited.edited_message.message_id == said.message_id
    assert sticker.message is not None and sticker.message.text is None and sticker.message.sticker
    assert photo.message is not None and (photo.message.text, photo.message.caption) == (None, "/start")
    assert inline.message is not None and inline.message.via_bot is not None


async def test_a_press_carries_its_data_and_is_answered_once(bot: Bot, ada: Person) -> None:
    await bot.send_message(7, "Which?", reply_markup=keyboard(("All", "u:all"), ("Milestones", "u:some")))
    press = ada.presses(ada.chat.last, "Milestones")

    query = await pressed(bot)
    await query.answer("Saved")
    await query.edit_message_text("Milestones it is")

    assert (query.data, query.from_user.id) == ("u:some", 7)
    assert (press.toast, press.alert, ada.chat.shown) == ("Saved", False, ["Milestones it is"])
    assert ada.chat.last.presses == []
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer()


async def test_a_press_may_be_forged_or_come_from_a_message_that_is_gone(bot: Bot, ada: Person) -> None:
    await bot.send_message(7, "Which?", reply_markup=keyboard(("All", "u:all")))
    message = ada.chat.last
    press = ada.forges(message, "stats'; --")
    assert (await pressed(bot)).data == "stats'; --"
    await bot.delete_message(7, message.message_id)
    press = ada.forges(message, "u:all")

    query = await pressed(bot)
    press.expires()

    assert query.message is not None and not query.message.is_accessible
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer()


@pytest.mark.parametrize("data", ["", "ü" * 33])
async def test_data_is_a_byte_at_least_and_64_at_most(data: str, telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    await bot.send_message(7, "x", reply_markup=keyboard(("Fits", "ü" * 32)))

    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(7, "x", reply_markup=keyboard(("Go", data)))


async def test_a_block_is_told_and_refuses_until_it_is_lifted(bot: Bot, ada: Person) -> None:
    ada.blocks()
    told = await changed(bot)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(7, "news")
    ada.unblocks()
    again = await changed(bot)
    await bot.send_message(7, "news")

    assert (told.old_chat_member.status, told.new_chat_member.status) == ("member", "kicked")
    assert (again.old_chat_member.status, again.new_chat_member.status) == ("kicked", "member")
    ada.chat.unopened()
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(7, "news")
    ada.says("/start")
    await bot.send_message(7, "news")


async def test_what_aiogram_does_not_know_fails_the_test(ada: Person) -> None:
    there = FakeTelegram()
    there.judged()
    there.updates.add("message", {**ada.says("x").wire(), "is_botty": True, "date": "soon"})
    there.updates.add("message", {**ada.says("x").wire(), "from": {**ada.user, "shoe_size": 38}})
    assert there.judge is not None

    assert [each.partition(" Input")[0] for each in there.judge.problems] == [
        "Update: message.date",
        "Update: .message.from.shoe_size is not known to User",
    ]
