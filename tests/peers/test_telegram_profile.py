"""How the bot presents itself on the fake Bot API, as python-telegram-bot sets it and a client shows it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from telegram import (
    Bot,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    MenuButtonCommands,
)
from telegram.error import BadRequest

from tests.receivers.telegram import FakeTelegram

DESK = -1_001_230


async def offer(bot: Bot, scope: BotCommandScope | None, language: str | None, *names: str) -> None:
    await bot.set_my_commands([(name, f"does {name}") for name in names], scope=scope, language_code=language)


async def test_a_client_shows_the_narrowest_list_in_the_users_language(telegram: FakeTelegram, bot: Bot) -> None:
    ada, bert = telegram.person(7, "Ada", language="de-AT"), telegram.person(8, "Bert", language="en")
    desk = telegram.group(DESK, "Desk")
    desk.member(ada, admin=True)
    desk.member(bert)

    def seen() -> Sequence[str]:
        """By Ada and by Bert in private, by Ada and by Bert in the group: the first command each."""
        menus = [ada.menu(), bert.menu()]
        menus += [each.menu(in_=desk) for each in (ada, bert)]
        return [next(iter(menu), "") for menu in menus]

    assert seen() == ["", "", "", ""]
    await offer(bot, None, None, "help")
    assert seen() == ["help", "help", "help", "help"]
    await offer(bot, None, "de", "hilfe")
    assert seen() == ["hilfe", "help", "hilfe", "help"]
    await offer(bot, BotCommandScopeAllPrivateChats(), None, "start")
    await offer(bot, BotCommandScopeAllGroupChats(), None, "status")
    assert seen() == ["start", "start", "status", "status"], "the scope goes before the language"
    await offer(bot, BotCommandScopeAllChatAdministrators(), "de", "einstellen")
    assert seen() == ["start", "start", "einstellen", "status"]
    await offer(bot, BotCommandScopeChat(DESK), None, "here")
    assert seen() == ["start", "start", "here", "here"]
    await offer(bot, BotCommandScopeChatAdministrators(DESK), None, "admin")
    assert seen() == ["start", "start", "admin", "here"]
    await offer(bot, BotCommandScopeChatMember(DESK, 8), None, "bert")
    await offer(bot, BotCommandScopeChat(8), None, "stats")
    assert seen() == ["start", "stats", "admin", "bert"]
    await bot.delete_my_commands(BotCommandScopeChat(8))
    assert seen() == ["start", "start", "admin", "bert"]


async def test_what_was_set_can_be_asked(bot: Bot) -> None:
    await offer(bot, BotCommandScopeAllPrivateChats(), "de", "start", "hilfe")

    found = await bot.get_my_commands(BotCommandScopeAllPrivateChats(), "de")

    assert [(each.command, each.description) for each in found] == [("start", "does start"), ("hilfe", "does hilfe")]
    assert await bot.get_my_commands() == ()


@pytest.mark.parametrize(
    ("name", "description", "refused"),
    [
        ("Start", "x", "bot_command_invalid"),
        ("start-it", "x", "bot_command_invalid"),
        ("", "x", "command must be non-empty"),
        ("a" * 33, "x", "command length must not exceed 32"),
        ("start", " ", "command description must be non-empty"),
        ("start", "x" * 257, "command description length must not exceed 256"),
    ],
)
async def test_a_bad_command_is_refused(name: str, description: str, refused: str, bot: Bot) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refused}"):
        await bot.set_my_commands([(name, description)])


async def test_a_hundred_commands_are_enough(bot: Bot) -> None:
    await offer(bot, None, None, *(f"c{number}" for number in range(100)))
    with pytest.raises(BadRequest, match=r"(?i)bot_commands_too_much"):
        await offer(bot, None, None, *(f"c{number}" for number in range(101)))
    with pytest.raises(BadRequest, match=r"(?i)invalid language code"):
        await offer(bot, None, "deu", "start")


async def test_names_and_descriptions_are_shown_by_language_and_have_their_limits(
    telegram: FakeTelegram, bot: Bot
) -> None:
    await bot.set_my_name("Kraken status")
    await bot.set_my_description("d" * 512)
    await bot.set_my_description("Auf Deutsch", language_code="de")
    await bot.set_my_short_description("s" * 120)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())

    assert telegram.profile.shown("description", "de") == "Auf Deutsch"
    assert telegram.profile.shown("description", "fr") == "d" * 512
    assert (await bot.get_my_name()).name == telegram.profile.shown("name") == "Kraken status"
    assert (await bot.get_my_short_description("de")).short_description == "s" * 120
    assert telegram.profile.menu_buttons == {0: {"type": "commands"}}
    with pytest.raises(BadRequest):
        await bot.set_my_name("n" * 65)
    with pytest.raises(BadRequest):
        await bot.set_my_description("d" * 513)
    with pytest.raises(BadRequest):
        await bot.set_my_short_description("s" * 121)
