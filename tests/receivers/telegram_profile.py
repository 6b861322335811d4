"""How the bot presents itself over the fake Bot API: commands, names, descriptions, the button beside the input field.

Rules and error texts are those of https://github.com/tdlib/td.
"""

from __future__ import annotations

import re
from typing import Any

from tests.receivers.telegram_chats import Chat
from tests.receivers.telegram_updates import Refused

Json = dict[str, Any]
Scope = tuple[str, int, int]
"""Type, chat and user; 0 where it has none."""

DEFAULT: Scope = ("default", 0, 0)
SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
LIMITS = {"name": 64, "description": 512, "short_description": 120}


class Commands:
    """The lists that were set, by scope and language ('' is every other language)."""

    def __init__(self) -> None:
        self.lists: dict[tuple[Scope, str], list[Json]] = {}

    def set(self, arguments: Json) -> bool:
        key, commands = _key(arguments), arguments.get("commands", [])
        if len(commands) > 100:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        self.lists[key] = [_checked(each) for each in commands]
        return True

    def get(self, arguments: Json) -> list[Json]:
        return self.lists.get(_key(arguments), [])

    def delete(self, arguments: Json) -> bool:
        self.lists.pop(_key(arguments), None)
        return True

    def shown(self, place: Chat, user: int, language: str, *, admin: bool) -> dict[str, str]:
        """What a client shows: https://core.telegram.org/bots/api#determining-list-of-commands."""
        scopes: list[Scope] = [("chat", place.number, 0), ("all_private_chats", 0, 0)]
        if place.kind != "private":
            of_admins: list[Scope] = [("chat_administrators", place.number, 0)] if admin else []
            all_admins: list[Scope] = [("all_chat_administrators", 0, 0)] if admin else []
            scopes = [("chat_member", place.number, user), *of_admins, ("chat", place.number, 0)]
            scopes += [*all_admins, ("all_group_chats", 0, 0)]
        for scope in (*scopes, DEFAULT):
            for tongue in (language, ""):
                if found := self.lists.get((scope, tongue)):
                    return {each["command"]: each["description"] for each in found}
        return {}


class Profile:
    """What is shown of the bot, by language, and the button by chat (0 is every other chat)."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}
        self.menu_buttons: dict[int, Json] = {}

    def set(self, what: str, arguments: Json) -> bool:
        text = str(arguments.get(what, ""))
        if len(text) > LIMITS[what]:
            raise Refused(400, f"Bad Request: {_TOO_LONG[what]}")
        self.texts[what, _language(arguments)] = text
        return True

    def get(self, what: str, arguments: Json) -> Json:
        return {what: self.shown(what, _language(arguments))}

    def shown(self, what: str, language: str = "") -> str:
        """The `name`, `description` or `short_description` that people of this language see."""
        return self.texts.get((what, language)) or self.texts.get((what, "")) or ""

    def set_menu_button(self, arguments: Json) -> bool:
        self.menu_buttons[int(arguments.get("chat_id", 0))] = arguments.get("menu_button", {"type": "default"})
        return True


_TOO_LONG = {
    "name": "BOT_TITLE_INVALID",
    "description": "BOT_DESCRIPTION_TOO_LONG",
    "short_description": "BOT_SHORT_DESCRIPTION_TOO_LONG",
}


def _key(arguments: Json) -> tuple[Scope, str]:
    scope = arguments.get("scope") or {"type": "default"}
    kind = scope.get("type")
    if kind not in SCOPES:
        raise Refused(400, "Bad Request: can't parse BotCommandScope: unsupported type specified")
    numbers = [int(scope[name]) for name in SCOPES[kind]]
    chat, user = [*numbers, 0, 0][:2]
    return (kind, chat, user), _language(arguments)


def _language(arguments: Json) -> str:
    language = str(arguments.get("language_code", ""))
    if not re.fullmatch("([a-z]{2})?", language):
        raise Refused(400, "Bad Request: invalid language code specified")
    return language


def _checked(command: Json) -> Json:
    name, description = str(command.get("command", "")).strip().removeprefix("/"), str(command["description"]).strip()
    wrong = ""
    if not name:
        wrong = "command must be non-empty"
    elif len(name) > 32:
        wrong = "command length must not exceed 32"
    elif not description:
        wrong = "command description must be non-empty"
    elif len(description) > 256:
        wrong = "command description length must not exceed 256"
    elif not re.fullmatch("[a-z0-9_]+", name):
        wrong = "BOT_COMMAND_INVALID"
    if wrong:
        raise Refused(400, f"Bad Request: {wrong}")
    return {"command": name, "description": description}
