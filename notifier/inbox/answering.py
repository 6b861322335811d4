"""How an answer reaches who asked: a message of its own, or the message whose button was pressed, changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatType, ParseMode
from telegram.error import BadRequest, Forbidden

from notifier.bot_api import TOPIC_GONE, UNCHANGED, explain, says
from notifier.fitting import fit
from notifier.inbox.asking import address_of
from notifier.inbox.ports import Way
from notifier.inbox.talk import Answer, Button
from notifier.markup import TELEGRAM_TEXT, chat_plain, telegram_button, telegram_html, telegram_size, utf16_len
from notifier.message import Line, Span
from notifier.ports import BadMessage, Call, ChannelFailure, Gone
from notifier.subscription import Address
from notifier.transport import only_failures

TOAST = 200
"""Characters: https://core.telegram.org/bots/api#answercallbackquery."""

TOAST_SECONDS = 10
"""For the answer to a press: later nobody waits for it."""

log = structlog.get_logger("inbox")


class Barred(Gone):
    """Nothing may be written to that chat, in whatever topic: blocked, thrown out, deleted."""


class Answering:
    def __init__(self, bot: Bot, way: Way) -> None:
        self._bot = bot
        self._way = way

    async def reply(self, asked: Message, answer: Answer) -> None:
        """In the chat and topic of the question; in a group as a reply to it. Raises ChannelFailure."""
        if answer.lines:
            await self._send(asked, answer, asked.message_id if asked.chat.type in _GROUPS else None)

    async def change(self, pressed: Message, answer: Answer) -> None:
        """The message whose button was pressed; if it cannot be changed, a new one. Raises ChannelFailure."""
        if not answer.lines:
            return

        async def edit(text: str, mode: str | None) -> None:
            try:
                await self._bot.edit_message_text(
                    text,
                    chat_id=pressed.chat.id,
                    message_id=pressed.message_id,
                    parse_mode=mode,
                    reply_markup=_keyboard(answer.buttons),
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            except BadRequest as error:
                if not says(error, UNCHANGED):
                    raise

        try:
            await self._written("edit", address_of(pressed), answer.lines, edit)
        except BadMessage:
            await self._send(pressed, answer, None)

    async def toast(self, query: CallbackQuery, text: str = "") -> None:
        """Ends the waiting of who pressed. Never raises: there is nothing better to do."""
        to = Address("telegram", str(query.from_user.id))
        try:
            with only_failures("Telegram", explain):
                async with asyncio.timeout(TOAST_SECONDS):
                    await self._bot.answer_callback_query(query.id, text=text[:TOAST] or None)
        except BadMessage:
            log.debug("a press is too old to be answered")
        except ChannelFailure as failure:
            log.warning("a press is not answered", reason=failure.reason)
            await self._way.failed("send", to, failure)

    async def _send(self, beside: Message, answer: Answer, reply_to: int | None) -> None:
        address = address_of(beside)
        chat, _, topic = address.target.partition("/")
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to is not None else None

        async def send(text: str, mode: str | None) -> None:
            def sending(thread: int | None, parent: ReplyParameters | None) -> Awaitable[Any]:
                return self._bot.send_message(
                    int(chat),
                    text,
                    parse_mode=mode,
                    reply_markup=_keyboard(answer.buttons),
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    message_thread_id=thread,
                    reply_parameters=parent,
                )

            try:
                await sending(int(topic) if topic else None, reply)
            except BadRequest as error:
                if not topic or not says(error, TOPIC_GONE):
                    raise
                await sending(None, None)

        await self._written("send", address, answer.lines, send)

    async def _written(
        self, call: Call, to: Address, lines: Sequence[Line], write: Callable[[str, str | None], Awaitable[None]]
    ) -> None:
        """With markup; if that is refused, without."""

        async def tried(text: str, mode: str | None) -> None:
            with only_failures("Telegram", _explain):
                await write(text, mode)

        async def rich() -> None:
            await tried(_fitted(lines, telegram_html, telegram_size), ParseMode.HTML)

        async def plain() -> None:
            await tried(_fitted(lines, chat_plain, utf16_len), None)

        try:
            await self._way.do(call, to, rich)
        except BadMessage as refused:
            if "can't parse entities" not in refused.reason.lower():
                raise
            log.error("Telegram refuses the markup of an answer", reason=refused.reason)
            await self._way.do(call, to, plain)


_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)


def _explain(error: Exception) -> ChannelFailure | None:
    return Barred(f"Telegram: {error.message}") if isinstance(error, Forbidden) else explain(error)


def _fitted(lines: Sequence[Line], write: Callable[[Sequence[Line]], str], measure: Callable[[str], int]) -> str:
    """A link at the end keeps its words."""
    link = next((span.text for span in lines[-1].spans if span.url), "")
    return write(fit(lines, lambda some: measure(write(some)), TELEGRAM_TEXT, link))


def _keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    found = [[made for each in row if (made := _button(each))] for row in rows]
    return InlineKeyboardMarkup([row for row in found if row]) if any(found) else None


def _button(button: Button) -> InlineKeyboardButton | None:
    """None for a link that Telegram takes for none, as to this machine: it would refuse the message for it."""
    if not button.url:
        return InlineKeyboardButton(button.words, callback_data=button.press)
    url = telegram_button(Line(spans=(Span(text=button.words, url=button.url),)))
    return InlineKeyboardButton(button.words, url=url) if url else None
