"""Telegram's side of the inbox: an Application that takes what people say to the desk, and brings back its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from telegram import Bot, CallbackQuery, ChatMember, Message, Update
from telegram.constants import ChatType
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackContext,
    CallbackQueryHandler,
    ChatMemberHandler,
    MessageHandler,
    filters,
)

from notifier.inbox.answering import Answering, Barred
from notifier.inbox.asking import Asking, who
from notifier.inbox.flood import Flood, Verdict
from notifier.inbox.lanes import Rest
from notifier.inbox.ports import Desk, Way
from notifier.inbox.profile import Profile
from notifier.inbox.talk import Answer, Asked
from notifier.message import Line, Span
from notifier.ports import ChannelFailure, Clock, Moved, StoreFailed
from notifier.tongue import N_, Tongue

ALLOWED = ("message", "channel_post", "callback_query", "my_chat_member")
"""What is asked of Telegram: exactly what is handled."""

TOO_OLD = N_("This message is too old. Send /help for a new one.")
TOO_MUCH = N_("That was a lot at once. Try again in a minute.")
AGAIN = N_("That did not work yet. It is tried again.")

PEOPLE = 20, timedelta(seconds=2)
GROUPS = 8, timedelta(seconds=6)
"""A group takes 20 messages a minute from a bot: half of them are left to the news."""

log = structlog.get_logger("inbox")

Context = CallbackContext[Any, Any, Any, Any]


class TelegramInbox:
    """`tongue` finds the words of a Telegram language code; `operators` are numbers of people."""

    def __init__(
        self,
        bot: Bot,
        desk: Desk,
        way: Way,
        profile: Profile,
        clock: Clock,
        *,
        operators: Collection[int],
        tongue: Callable[[str | None], Tongue],
    ) -> None:
        self._desk = desk
        self._profile = profile
        self._clock = clock
        self._tongue = tongue
        self._asking = Asking(bot, operators)
        self._answering = Answering(bot, way)
        self._people, self._groups = Flood(*PEOPLE), Flood(*GROUPS)
        self._again: set[int] = set()
        """Updates that wait for the database: they passed the flood gate, and their presses are answered."""
        self._rest: dict[int, Rest] = {}
        self._errors: dict[int, Exception] = {}
        self._application = self._made(bot)

    def _made(self, bot: Bot) -> Application[Any, Any, Any, Any, Any, Any]:
        made = ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()
        posts = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST
        made.add_handler(MessageHandler(posts & filters.StatusUpdate.MIGRATE, self._on_move))
        made.add_handler(MessageHandler(posts & ~filters.StatusUpdate.ALL, self._on_message))
        made.add_handler(CallbackQueryHandler(self._on_press))
        made.add_handler(ChatMemberHandler(self._on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        made.add_error_handler(self._on_error)
        return made

    async def open(self) -> None:
        """Asks who we are. Raises TelegramError."""
        await self._application.initialize()

    async def introduce(self) -> None:
        """Lets Telegram show what can be said to the bot. Never raises."""
        await self._profile.show()

    async def handle(self, update: Update) -> Rest | None:
        """Keeps what the update changes; what is left is the answer. Raises StoreFailed, and whatever a bug raises."""
        number = update.update_id
        try:
            await self._application.process_update(update)
            if (error := self._errors.get(number)) is not None:
                raise error
            self._again.discard(number)
            return self._rest.get(number)
        except StoreFailed:
            self._again.add(number)
            raise
        except BaseException:
            self._again.discard(number)
            raise
        finally:
            self._errors.pop(number, None)
            self._rest.pop(number, None)

    async def _on_error(self, update: object, context: Context) -> None:
        if isinstance(update, Update) and context.error is not None:
            self._errors[update.update_id] = context.error

    async def _on_message(self, update: Update, _: Context) -> None:
        message = update.effective_message
        found = self._asking.words(message) if message else None
        if message is None or found is None:
            return
        answer, verdict = None, self._verdict(update)
        if verdict is Verdict.ADMIT:
            words, addressed = found
            asked = await self._asking.said(update, message, words, self._clock.now(), addressed=addressed)
            verdict = self._verdict_of_group(asked)
            answer = await self._desk.ask(asked) if verdict is Verdict.ADMIT else None
        if verdict is Verdict.TELL:
            answer = Answer(lines=(Line(spans=(Span(text=self._words(update, TOO_MUCH)),)),))
        if answer is not None:
            self._rest[update.update_id] = partial(self._attempt, message, self._answering.reply, answer)

    async def _on_press(self, update: Update, _: Context) -> None:
        """Whoever presses is answered once, whatever becomes of it: until then his screen shows that he waits."""
        query = update.callback_query
        if query is None:
            return
        waiting = update.update_id not in self._again
        try:
            answer = await self._decided(update, query)
        except BaseException as error:
            if waiting:
                await self._answering.toast(query, self._words(update, AGAIN) if isinstance(error, StoreFailed) else "")
            raise
        self._rest[update.update_id] = partial(self._show, query, answer or Answer(), waiting=waiting)

    async def _decided(self, update: Update, query: CallbackQuery) -> Answer | None:
        verdict = self._verdict(update)
        asked = None
        if verdict is Verdict.ADMIT:
            asked = await self._asking.pressed(update, query, self._clock.now())
            if asked is None:
                return Answer(toast=self._words(update, TOO_OLD))
            verdict = self._verdict_of_group(asked)
        if asked is None or verdict is not Verdict.ADMIT:
            return Answer(toast=self._words(update, TOO_MUCH) if verdict is Verdict.TELL else "")
        return await self._desk.ask(asked)

    async def _show(self, query: CallbackQuery, answer: Answer, *, waiting: bool) -> None:
        if waiting:
            await self._answering.toast(query, answer.toast)
        if isinstance(query.message, Message):
            await self._attempt(query.message, self._answering.change, answer)

    async def _on_membership(self, update: Update, _: Context) -> None:
        change = update.my_chat_member
        if change is not None and change.new_chat_member.status in (ChatMember.LEFT, ChatMember.BANNED):
            private = change.chat.type == ChatType.PRIVATE
            reason = "the reader blocked the bot" if private else "the bot was taken out of the chat"
            await self._desk.left(str(change.chat.id), reason)

    async def _on_move(self, update: Update, _: Context) -> None:
        message = update.effective_message
        if message is not None:
            chat = message.chat.id
            await self._desk.moved(str(message.migrate_from_chat_id or chat), str(message.migrate_to_chat_id or chat))

    async def _attempt(
        self, beside: Message, tell: Callable[[Message, Answer], Awaitable[None]], answer: Answer
    ) -> None:
        """An answer that does not arrive changes nothing of what is kept."""
        try:
            await tell(beside, answer)
        except ChannelFailure as failure:
            log.warning("not answered", chat=beside.chat.id, reason=failure.reason)
            try:
                if isinstance(failure, Barred):
                    await self._desk.left(str(beside.chat.id), failure.reason)
                elif isinstance(failure, Moved):
                    await self._desk.moved(str(beside.chat.id), failure.to.target)
            except StoreFailed as failed:
                log.warning("what became of a chat is not kept", chat=beside.chat.id, reason=str(failed))

    def _verdict(self, update: Update) -> Verdict:
        if update.update_id in self._again:
            return Verdict.ADMIT
        return self._people.asks(who(update), self._clock.now())

    def _verdict_of_group(self, asked: Asked) -> Verdict:
        """All members together may ask so much: no crowd of them keeps an administrator from being heard."""
        if asked.may_change or asked.number in self._again:
            return Verdict.ADMIT
        return self._groups.asks(asked.address.target.partition("/")[0], self._clock.now())

    def _words(self, update: Update, text: str) -> str:
        return self._tongue(update.effective_user.language_code if update.effective_user else None).gettext(text)
