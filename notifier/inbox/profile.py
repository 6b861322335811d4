"""What Telegram shows of the bot before anybody speaks to it: what it is, and its commands by audience and language."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import structlog
from telegram import (
    Bot,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest, TelegramError

from notifier.inbox.ports import Desk
from notifier.inbox.talk import Audience
from notifier.ports import StoreFailed
from notifier.readers import Readers
from notifier.tongue import LANGUAGES

KEY = "telegram/profile"

_SCOPES: dict[Audience, BotCommandScope] = {
    "private": BotCommandScopeAllPrivateChats(),
    "group": BotCommandScopeAllGroupChats(),
    "admins": BotCommandScopeAllChatAdministrators(),
}

log = structlog.get_logger("inbox")

Setting = tuple[list[Any], Callable[[], Awaitable[bool]]]
"""What is set, and how."""


class Profile:
    """`operators` are numbers of people, who are offered more."""

    def __init__(self, bot: Bot, desk: Desk, readers: Readers, operators: Collection[int]) -> None:
        self._bot = bot
        self._desk = desk
        self._readers = readers
        self._operators = operators
        self._shown = False

    async def show(self) -> None:
        """Once in a process, and only what changed since all of it was taken. Never raises: the bot works without."""
        if self._shown:
            return
        self._shown = True
        settings = list(self._settings())
        mark = sha256(json.dumps([what for what, _ in settings]).encode()).hexdigest()
        try:
            if await self._readers.remembered(KEY) == mark:
                return
            if await self._put(settings):
                await self._readers.remember(KEY, mark)
        except StoreFailed as failed:
            log.warning("the bot's profile is not remembered", reason=str(failed))

    async def _put(self, settings: Sequence[Setting]) -> bool:
        """Whether all was taken. An operator who never spoke to the bot has no chat with it yet: the others go on."""
        whole = True
        for what, put in settings:
            try:
                await put()
            except TelegramError as error:
                log.warning("the bot's profile is not shown", what=what[0], reason=type(error).__name__)
                whole = False
                if not isinstance(error, BadRequest):
                    break
        return whole

    def _settings(self) -> Iterator[Setting]:
        """English is for everybody whose language is not known."""
        for code in LANGUAGES:
            language = code if code != "en" else ""
            for audience, scope in _SCOPES.items():
                yield self._commands(code, language, audience, scope)
            for operator in self._operators:
                yield self._commands(code, language, "operator", BotCommandScopeChat(operator))
            long, short = self._desk.profile(code)
            described = partial(self._bot.set_my_description, long, language_code=language or None)
            yield ["description", language, long], described
            in_short = partial(self._bot.set_my_short_description, short, language_code=language or None)
            yield ["short description", language, short], in_short

    def _commands(self, code: str, language: str, audience: Audience, scope: BotCommandScope) -> Setting:
        commands = self._desk.commands(code, audience)
        put = partial(self._bot.set_my_commands, commands, scope=scope, language_code=language or None)
        return ["commands", language, scope.to_dict(), commands], put
