"""Telegram through the Bot API: replies to the first message of a conversation, edits in place, forum topics.

https://core.telegram.org/bots/api has no idempotency key and no history: what may have arrived cannot be looked up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp
from telegram.error import BadRequest

from notifier.bot_api import TOPIC_GONE, UNCHANGEABLE, TelegramHttp, explain, says
from notifier.channels.telegram_text import WHOLE, Layout, text_of
from notifier.message import Message, Receipt
from notifier.ports import Throttles
from notifier.subscription import Address
from notifier.transport import only_failures

Payload = dict[str, Any]

DATES_UNKNOWN = ('start tag "tg-time"', "invalid date format")
BUTTON_REFUSED = ("button_url_invalid", "inline keyboard button url")


def compose(to: Address, message: Message, layout: Layout = WHOLE) -> Payload:
    """The arguments of https://core.telegram.org/bots/api#sendmessage."""
    chat, _, topic = to.target.partition("/")
    payload: Payload = {"chat_id": chat, **text_of(message, layout), "disable_notification": not message.loud}
    if topic and layout.topic:
        payload["message_thread_id"] = int(topic)
    if message.thread is not None and layout.reply and (chat == message.thread.to or chat.startswith("@")):
        payload["reply_parameters"] = {
            "message_id": int(message.thread.ref),
            "allow_sending_without_reply": True,
        }
    return payload


def compose_edit(receipt: Receipt, message: Message, layout: Layout = WHOLE) -> Payload:
    """The arguments of https://core.telegram.org/bots/api#editmessagetext, which takes a button away if left out."""
    return {"chat_id": receipt.to, "message_id": int(receipt.ref), **text_of(message, layout)}


class Telegram:
    """`api_url` without a trailing /bot. The session is shared and stays open."""

    name = "telegram"
    throttles: Throttles = "all"
    can_edit = True
    keeps_root = True
    can_find = False

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        self._bot = TelegramHttp(token, api_url, session).bot()
        self._layout = WHOLE
        self.notes: list[str] = []
        """What operators should know, each once."""

    async def send(self, to: Address, message: Message) -> Receipt:
        with only_failures("Telegram", explain):
            payload, sent = await self._call(
                self._bot.send_message, lambda layout: compose(to, message, layout), self._layout
            )
            if "/" in to.target and "message_thread_id" not in payload:
                self._note(f"the topic of {to} is gone or closed; its messages go to the chat itself")
            replied_to = sent.reply_to_message.message_id if sent.reply_to_message else None
            asked = payload.get("reply_parameters", {}).get("message_id")
            return Receipt(to=str(sent.chat.id), ref=str(sent.message_id), root=asked is None or replied_to != asked)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        with only_failures("Telegram", explain):
            try:
                await self._call(
                    self._bot.edit_message_text, lambda layout: compose_edit(receipt, message, layout), self._layout
                )
            except BadRequest as error:
                if not says(error, UNCHANGEABLE):
                    raise

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        with only_failures("Telegram", explain):
            return f"@{(await self._bot.get_me()).username}"

    async def close(self) -> None:
        """Nothing to do: the session belongs to the caller."""

    async def _call(
        self, method: Callable[..., Awaitable[Any]], write: Callable[[Layout], Payload], layout: Layout
    ) -> tuple[Payload, Any]:
        """What was accepted, and the answer. A refusal of something that the words can do without is no second try:
        the message was refused as a whole, and goes out with less.
        """
        payload = write(layout)
        try:
            return payload, await method(**_arguments(payload))
        except BadRequest as error:
            less = self._without(layout, payload, error)
            if less is None:
                raise
        return await self._call(method, write, less)

    def _without(self, layout: Layout, payload: Payload, error: BadRequest) -> Layout | None:
        """Without what was refused, if the message has it; what the server refuses everyone is not tried again."""
        if says(error, DATES_UNKNOWN) and "<tg-time" in payload["text"]:
            self._note("this Bot API server does not know dates (tg-time), so that times are in UTC")
            self._layout = replace(self._layout, dates=False)
            return replace(layout, dates=False)
        if says(error, BUTTON_REFUSED) and "reply_markup" in payload:
            self._note("Telegram refuses a button to the status page, so that a link stands in the text")
            self._layout = replace(self._layout, button=False)
            return replace(layout, button=False)
        if says(error, TOPIC_GONE) and "message_thread_id" in payload:
            return replace(layout, topic=False)
        if says(error, TOPIC_GONE) and "reply_parameters" in payload:
            return replace(layout, reply=False)
        return None

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _arguments(payload: Payload) -> Payload:
    """The payload unchanged, as the library wants it: what its signature demands by name, the rest as it is."""
    rest = dict(payload)
    named = {key: rest.pop(key) for key in ("chat_id", "message_id", "text") if key in payload}
    return named | {"api_kwargs": rest}
