"""All that the fake Bot API knows: who and what exists, what was said, and what of it becomes an update."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.receivers.telegram_chats import ANONYMOUS, AS_CHANNEL, BOT, TELEGRAM, Chat, TelegramMessage
from tests.receivers.telegram_html import units
from tests.receivers.telegram_profile import Commands
from tests.receivers.telegram_updates import Updates

Json = dict[str, Any]

NAMED = -100123
"""The chat behind every @name that no test has introduced."""
_COMMAND = re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/@<>])")


@dataclass(eq=False, kw_only=True)
class Press:
    """Somebody pressed a button."""

    number: str
    """The callback_query_id."""
    answered: bool = False
    expired: bool = False
    toast: str = ""
    """What was shown for a moment to who pressed."""
    alert: bool = False
    """Whether it has to be closed by hand."""

    def expires(self) -> None:
        """Telegram waits for an answer no longer."""
        self.expired = True


class Network:
    def __init__(self, stirred: Callable[[], Awaitable[None]]) -> None:
        self.updates = Updates(stirred)
        self.commands = Commands()
        self.messages: list[TelegramMessage] = []
        """The bot's own, in order of arrival."""
        self.chats: dict[int, Chat] = {}
        self.users: dict[int, Json] = {each["id"]: each for each in (BOT, ANONYMOUS, AS_CHANNEL, TELEGRAM)}
        self.presses: dict[str, Press] = {}
        self.clock: Callable[[], float] | None = None
        """Unix time; without it a message is a second younger than the one before."""
        self._written: dict[tuple[int, int], TelegramMessage] = {}

    def chat(self, key: str | int) -> Chat:
        """By number or by @name; one that nobody has introduced comes to be."""
        if isinstance(key, str) and key.startswith("@"):
            named = [each for each in self.chats.values() if each.username == key[1:]]
            key = named[0].number if named else NAMED
        number = int(key)
        if number not in self.chats:
            kind, name = ("private", "Reader") if number > 0 else ("supergroup", "Desk")
            self.chats[number] = Chat(number=number, kind=kind, name=name)
        return self.chats[number]

    def introduce(self, chat: Chat) -> None:
        """It is known from now on; what was sent to its number before stays there."""
        before = self.chats.get(chat.number)
        chat.messages = before.messages if before else []
        self.chats[chat.number] = chat

    def write(self, place: Chat, text: str, **more: Any) -> TelegramMessage:
        """A message as it stands in the chat from now on; nobody hears of it yet."""
        number = len(self._written) + 1
        date = int(self.clock()) if self.clock else 1_770_000_000 + number
        message = TelegramMessage(
            **{"chat": str(place.number), **more}, message_id=number, text=text, place=place, date=date
        )
        self._written[place.number, number] = message
        if message.by_bot:
            self.messages.append(message)
            place.messages.append(message)
        return message

    def standing(self, place: Chat, message_id: int | None) -> TelegramMessage | None:
        """By the chat's number or by its name: both are the same chat."""
        found = self._written.get((place.number, message_id or 0))
        return found if found is not None and not found.deleted else None

    def deliver(self, message: TelegramMessage, kind: str = "") -> TelegramMessage:
        """The bot hears of it, if Telegram tells bots of such a message."""
        if self._reaches_bot(message):
            what = "channel_post" if message.place.kind == "channel" else "message"
            self.updates.add(f"{kind}{what}", message.wire())
        return message

    def _reaches_bot(self, message: TelegramMessage) -> bool:
        """Privacy mode: https://core.telegram.org/bots/features#privacy-mode."""
        place, service = (
            message.place,
            not message.shown and "sticker" not in message.more and "photo" not in message.more,
        )
        if place.kind == "private":
            return True
        if place.bot not in ("administrator", "member", "restricted"):
            return False
        if place.kind == "channel" or place.bot == "administrator" or service:
            return True
        command = any(each["type"] == "bot_command" and each["offset"] == 0 for each in message.entities)
        to_bot = message.parent is not None and message.parent.by_bot
        return command or to_bot or message.more.get("via_bot") == BOT

    def bot_becomes(self, place: Chat, status: str, by: Json) -> None:
        """Somebody changes what the bot is in a chat, which the bot is told of."""
        old, place.bot = place.bot, status
        self.updates.add(
            "my_chat_member",
            {
                "chat": place.wire(),
                "from": by,
                "date": int(self.clock()) if self.clock else 1_770_000_000 + len(self.updates.all),
                "old_chat_member": place.member_wire(BOT, old),
                "new_chat_member": place.member_wire(BOT, status),
            },
        )

    def press(self, message: TelegramMessage, data: str, by: Json) -> Press:
        """A press on a button of that message, whether it has such a button or not."""
        press = Press(number=str(4_382_000_000 + len(self.presses)))
        self.presses[press.number] = press
        gone = {"chat": message.place.wire(), "message_id": message.message_id, "date": 0}
        self.updates.add(
            "callback_query",
            {
                "id": press.number,
                "from": by,
                "message": gone if message.deleted else message.wire(),
                "chat_instance": str(8_000_000_000 + abs(message.place.number)),
                "data": data,
            },
        )
        return press


def commands_in(text: str) -> list[Json]:
    """The entities of the commands in a text, as Telegram's servers find them."""
    return [
        {"type": "bot_command", "offset": units(text[: found.start()]), "length": units(found[0])}
        for found in _COMMAND.finditer(text)
    ]
