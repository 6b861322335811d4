"""Telegram through the Bot API: replies to the first message of a conversation, edits in place, forum topics.

https://core.telegram.org/bots/api has no idempotency key and no history: what may have arrived cannot be looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

import aiohttp
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from notifier.channels.telegram_http import Paused, TelegramHttp, Unreached
from notifier.channels.transport import only_failures
from notifier.markup import chat_plain, fit, telegram_html, telegram_length, utf16_len
from notifier.model import Address, Message, Receipt
from notifier.ports import (
    Ambiguous,
    BadCredentials,
    BadMessage,
    ChannelFailure,
    Gone,
    Moved,
    NotSent,
    Throttled,
)

Payload = dict[str, Any]

TEXT_LIMIT = 4_096
"""UTF-16 units after parsing: https://core.telegram.org/bots/api#sendmessage."""

GONE = (
    "chat not found",
    "user not found",
    "group chat was deactivated",
    "need administrator rights in the channel chat",
    "not enough rights to send",
    "have no rights to send a message",
    "chat_write_forbidden",
    "chat_restricted",
    "channel_private",
    "peer_id_invalid",
)
"""400s that refuse the recipient. Texts as in https://github.com/tdlib/telegram-bot-api (Client.cpp), in lower case."""

TOPIC_GONE = ("message thread not found", "topic_deleted", "topic_closed")
UNCHANGED = ("message is not modified", "message to edit not found", "message can't be edited", "message_id_invalid")
"""400s of an edit that has nothing left to do."""


def compose(to: Address, message: Message) -> Payload:
    """The arguments of https://core.telegram.org/bots/api#sendmessage."""
    chat, _, topic = to.target.partition("/")
    payload: Payload = {"chat_id": chat, **text_of(message), "disable_notification": not message.loud}
    if topic:
        payload["message_thread_id"] = int(topic)
    if message.thread is not None and (chat == message.thread.to or chat.startswith("@")):
        payload["reply_parameters"] = {
            "message_id": int(message.thread.ref),
            "allow_sending_without_reply": True,
        }
    return payload


def compose_edit(receipt: Receipt, message: Message) -> Payload:
    """The arguments of https://core.telegram.org/bots/api#editmessagetext."""
    return {"chat_id": receipt.to, "message_id": int(receipt.ref), **text_of(message)}


def text_of(message: Message) -> Payload:
    """The mention, which the operator wrote, stays active; nothing else does but our links."""
    mention = f"{message.mention} " if message.mention else ""
    preview = {"link_preview_options": {"is_disabled": True}}
    if message.plain:
        lines = fit(message.lines, lambda lines: utf16_len(mention + chat_plain(lines)), TEXT_LIMIT)
        return {"text": mention + chat_plain(lines), **preview}
    mention = escape(mention, quote=False)
    lines = fit(message.lines, lambda lines: telegram_length(mention + telegram_html(lines)), TEXT_LIMIT)
    return {"text": mention + telegram_html(lines), "parse_mode": "HTML", **preview}


def explain(error: Exception) -> ChannelFailure | None:
    """The failure behind an error of python-telegram-bot; None if it is none of its. Subclasses come first."""
    match error:
        case Unreached():
            return NotSent(error.message)
        case Paused():
            return Throttled(error.message, error.retry_after)
        case ChatMigrated():
            return Moved("the group became a supergroup", Address("telegram", str(error.new_chat_id)))
        case Forbidden():
            return Gone(f"Telegram: {error.message}")
        case InvalidToken():
            return BadCredentials("Telegram refuses the bot's token")
        case BadRequest():
            refused = Gone if _says(error, GONE) else BadMessage
            return refused(f"Telegram: {error.message}")
        case TelegramError():
            return Ambiguous(error.message)
    return None


def _says(error: BadRequest, texts: Sequence[str]) -> bool:
    said = error.message.lower()
    return any(text in said for text in texts)


class Telegram:
    """`api_url` without a trailing /bot. The session is shared and stays open."""

    name = "telegram"
    can_edit = True
    can_find = False

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        http = TelegramHttp(token, api_url, session)
        self._bot = Bot("kept-by-telegram-http", base_url=lambda _: "", request=http, get_updates_request=http)
        self.notes: list[str] = []
        """What operators should know, each once."""

    async def send(self, to: Address, message: Message) -> Receipt:
        payload = compose(to, message)
        with only_failures("Telegram", explain):
            try:
                sent = await self._bot.send_message(**_arguments(payload))
            except BadRequest as error:
                if "message_thread_id" not in payload or not _says(error, TOPIC_GONE):
                    raise
                self._note(f"the topic of {to} is gone; its messages go to the chat itself")
                del payload["message_thread_id"]
                sent = await self._bot.send_message(**_arguments(payload))
            replied_to = sent.reply_to_message.message_id if sent.reply_to_message else None
            asked = payload.get("reply_parameters", {}).get("message_id")
            return Receipt(to=str(sent.chat.id), ref=str(sent.message_id), root=asked is None or replied_to != asked)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        with only_failures("Telegram", explain):
            try:
                await self._bot.edit_message_text(**_arguments(compose_edit(receipt, message)))
            except BadRequest as error:
                if not _says(error, UNCHANGED):
                    raise

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        with only_failures("Telegram", explain):
            return f"@{(await self._bot.get_me()).username}"

    async def close(self) -> None:
        """Nothing to do: the session belongs to the caller."""

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _arguments(payload: Payload) -> Payload:
    """The payload unchanged, as the library wants it: what its signature demands by name, the rest as it is."""
    rest = dict(payload)
    named = {key: rest.pop(key) for key in ("chat_id", "message_id", "text") if key in payload}
    return named | {"api_kwargs": rest}
