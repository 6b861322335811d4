"""What Telegram's updates ask: who, where, in which words, and whether he may change anything there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from unicodedata import category

import structlog
from telegram import Bot, CallbackQuery, Message, Update
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, TelegramError

from notifier.inbox.talk import Asked, Place
from notifier.subscription import Address

TRUSTED = timedelta(seconds=60)
"""How long somebody counts as an administrator after Telegram said so."""

MOST = 1_000
"""Administrators remembered."""

_PLACES = {
    ChatType.PRIVATE: Place.PRIVATE,
    ChatType.GROUP: Place.GROUP,
    ChatType.SUPERGROUP: Place.GROUP,
    ChatType.CHANNEL: Place.CHANNEL,
}

log = structlog.get_logger("inbox")


def address_of(message: Message) -> Address:
    """The chat; of a forum its topic. A thread of replies is no topic, though it has a number of the same kind."""
    topic = message.message_thread_id if message.is_topic_message and message.chat.type == ChatType.SUPERGROUP else None
    return Address("telegram", str(message.chat.id) if topic is None else f"{message.chat.id}/{topic}")


def _named(message: Message) -> Address | None:
    """The chat by its public name; nobody writes to a person by that."""
    if message.chat.type == ChatType.PRIVATE or not message.chat.username:
        return None
    _, slash, topic = address_of(message).target.partition("/")
    return Address("telegram", f"@{message.chat.username}{slash}{topic}")


def who(update: Update) -> str:
    """Whose patience is counted: a person, or the channel that somebody speaks as."""
    message = update.effective_message
    spoken_as = message.sender_chat if message and update.callback_query is None else None
    if spoken_as is not None:
        return str(spoken_as.id)
    return str(update.effective_user.id if update.effective_user else 0)


class Asking:
    """`operators` are numbers of people."""

    def __init__(self, bot: Bot, operators: Collection[int]) -> None:
        self._bot = bot
        self._operators = operators
        self._administrators: dict[tuple[int, int], tuple[bool, datetime]] = {}

    def words(self, message: Message) -> tuple[str, bool] | None:
        """What is said to us, without our name, and whether it was there, or nobody else could be meant; None if it is
        for others, or for nobody. A picture without a word says "".
        """
        if message.via_bot or message.is_automatic_forward or _is_another_bot(message):
            return None
        words, private = _seen(message.text or message.caption or "").strip(), message.chat.type == ChatType.PRIVATE
        first, rest = [*words.split(maxsplit=1), "", ""][:2]
        name, at, bot = first.partition("@")
        ours = bool(at) and bot.lower() == (self._bot.username or "").lower()
        if name.startswith("/"):
            return (f"{name} {rest}".strip(), ours or private) if ours or not at else None
        if private:
            return words, True
        return (rest, True) if ours and not name and message.chat.type != ChatType.CHANNEL else None

    async def said(self, update: Update, message: Message, words: str, now: datetime, *, addressed: bool) -> Asked:
        place, user = _PLACES[ChatType(message.chat.type)], message.from_user
        return Asked(
            number=update.update_id,
            address=address_of(message),
            named=_named(message),
            place=place,
            at=message.date,
            words=words,
            reply_to=_replied_to(message),
            language_code=user.language_code if user and message.sender_chat is None else None,
            may_change=await self._may_change(message, now),
            addressed=addressed,
            operator=place is Place.PRIVATE and user is not None and user.id in self._operators,
        )

    async def pressed(self, update: Update, query: CallbackQuery, now: datetime) -> Asked | None:
        """None if the message is not ours, or so old that Telegram does not show it; or if it is what many read and has
        nothing to press: a member's own client may send any press for it, and the answer would take the place of news.
        """
        message = query.message
        if not isinstance(message, Message) or not query.data or not self._is_ours(message):
            return None
        place, user = _PLACES[ChatType(message.chat.type)], query.from_user
        private = place is Place.PRIVATE
        if not private and not _can_be_pressed(message):
            return None
        return Asked(
            number=update.update_id,
            address=address_of(message),
            named=_named(message),
            place=place,
            at=now,
            press=query.data,
            language_code=user.language_code,
            may_change=private or await self._administers(message.chat.id, user.id, now),
            operator=private and user.id in self._operators,
        )

    def _is_ours(self, message: Message) -> bool:
        """In a channel posts have no author; only the bot whose buttons they are hears of a press."""
        author = message.from_user
        return author.id == self._bot.id if author else message.chat.type == ChatType.CHANNEL

    async def _may_change(self, message: Message, now: datetime) -> bool:
        """Who speaks as the group itself is one of its administrators; who speaks as any other chat may be anybody."""
        if message.chat.type in (ChatType.PRIVATE, ChatType.CHANNEL):
            return True
        if message.sender_chat is not None:
            return message.sender_chat.id == message.chat.id
        user = message.from_user
        return user is not None and await self._administers(message.chat.id, user.id, now)

    async def _administers(self, chat: int, user: int, now: datetime) -> bool:
        known, until = self._administrators.pop((chat, user), (False, now))
        if now >= until or until - now > TRUSTED:
            try:
                member = await self._bot.get_chat_member(chat, user)
            except TelegramError as error:
                if not isinstance(error, BadRequest | Forbidden):
                    log.warning("Telegram does not say who administers a group", reason=type(error).__name__)
                return False
            known = member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
            until = now + TRUSTED
        self._administrators[chat, user] = known, until
        if len(self._administrators) > MOST:
            del self._administrators[next(iter(self._administrators))]
        return known


def _seen(text: str) -> str:
    """Without what turns other letters around or cannot be seen: it is copied along, and would be searched for too."""
    return "".join(each for each in text if each in "\n\t" or category(each) not in ("Cc", "Cf", "Cs"))


def _is_another_bot(message: Message) -> bool:
    """Who speaks as a chat is a bot for Telegram, and is none."""
    return message.sender_chat is None and message.from_user is not None and message.from_user.is_bot


def _can_be_pressed(message: Message) -> bool:
    """A link is no press."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return any(button.callback_data for row in rows for button in row)


def _replied_to(message: Message) -> str | None:
    """The first message of a topic is what all others there reply to."""
    parent = message.reply_to_message
    return str(parent.message_id) if parent and parent.forum_topic_created is None else None
