"""python-telegram-bot on the fake Bot API, and what it is told of; aiogram judges every word between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import Bot, ChatMemberUpdated, Message, Update

from tests.receivers.telegram import TOKEN, FakeTelegram


@asynccontextmanager
async def judged() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        telegram.judged()
        yield telegram


def library(telegram: FakeTelegram) -> Bot:
    """To be entered."""
    return Bot(TOKEN, base_url=f"{telegram.url}/bot")


async def news(bot: Bot) -> list[Update]:
    """All that is new, confirmed by the next call."""
    found = await bot.get_updates()
    if found:
        assert list(await bot.get_updates(offset=found[-1].update_id + 1)) == []
    return list(found)


async def heard(bot: Bot) -> list[Message]:
    return [each.effective_message for each in await news(bot) if isinstance(each.effective_message, Message)]


async def changed(bot: Bot) -> ChatMemberUpdated:
    """What became of the bot, the only such news."""
    [update] = [each for each in await news(bot) if each.my_chat_member]
    assert update.my_chat_member is not None
    return update.my_chat_member
