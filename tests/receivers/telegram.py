"""A fake Bot API on which whole conversations are held, as strict as Telegram's own server.

What a program asks comes here; `person`, `group` and `channel` introduce those who talk with it. Error texts are those
of https://github.com/tdlib/telegram-bot-api and https://github.com/tdlib/td.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from tests.receivers import Fault, Receiver, answer
from tests.receivers.telegram_chats import BOT, Chat, TelegramMessage
from tests.receivers.telegram_members import Members
from tests.receivers.telegram_network import Network
from tests.receivers.telegram_people import Channel, Group, Person
from tests.receivers.telegram_profile import Profile
from tests.receivers.telegram_schema import Judge
from tests.receivers.telegram_updates import Refused, Updates
from tests.receivers.telegram_writing import Writing

__all__ = ["TOKEN", "Chat", "FakeTelegram", "TelegramMessage", "refusal"]

TOKEN = "4242:fake-canary-9a1c"
SENDS = ("sendmessage", "editmessagetext", "editmessagereplymarkup")
_NESTED = ("reply_parameters", "link_preview_options", "reply_markup", "commands", "scope", "menu_button")

Json = dict[str, Any]
Method = Callable[[Json], object]


def refusal(status: int, text: str, **parameters: object) -> Fault:
    """The Bot API's answer instead of taking the message."""
    return answer(status, {"ok": False, "error_code": status, "description": text, "parameters": parameters})


class FakeTelegram(Receiver):
    """`calls`, `next` and `at_each_call` are about messages and their edits; all other requests are in `reads`, and
    meet only faults of their own. `breaks` is about everything.
    """

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.reads: list[tuple[str, Json]] = []
        """Every request that is no message and no edit, as method and arguments, faults included."""
        self.read_times: list[float] = []
        """When each of them came in, by the clock of the event loop."""
        self.token = token
        self.network = Network(self.stirred)
        self.writing = Writing(self.network)
        self.profile = Profile()
        self.judge: Judge | None = None
        self.refused_for_pace = 0
        """How many messages came faster than allowed."""
        self._members = Members(self.network)
        self._read_faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._lasting_reads: dict[str, Fault] = {}
        self._allowed: int | None = None
        self._taken: deque[float] = deque()
        self._methods = self._by_name()

    @property
    def url(self) -> str:
        """The `api_url` of the configuration."""
        return self.origin

    @property
    def messages(self) -> list[TelegramMessage]:
        """The bot's own, in order of arrival."""
        return self.network.messages

    @property
    def updates(self) -> Updates:
        return self.network.updates

    @property
    def knows_dates(self) -> bool:
        """Whether this server is new enough for tg-time."""
        return self.writing.knows_dates

    @knows_dates.setter
    def knows_dates(self, known: bool) -> None:
        self.writing.knows_dates = known

    @property
    def takes_markup(self) -> bool:
        """Whether it takes any HTML at all."""
        return self.writing.takes_markup

    @takes_markup.setter
    def takes_markup(self, taken: bool) -> None:
        self.writing.takes_markup = taken

    def chat(self, chat: str | int) -> Chat:
        return self.network.chat(chat)

    def person(self, number: int, name: str, language: str | None = None, username: str = "") -> Person:
        """Somebody who may write to the bot, and whom the bot may write to."""
        person = Person(self.network, number, name, language, username)
        self.network.users[number] = person.user
        self.network.introduce(Chat(number=number, kind="private", name=name, username=username, settled=True))
        return person

    def group(self, number: int, name: str, *, forum: bool = False, bot: str = "member", username: str = "") -> Group:
        """With the bot in it, unless `bot` says `left`. A number of -100… is a supergroup's."""
        kind = "supergroup" if str(number).startswith("-100") else "group"
        made = Group(number=number, kind=kind, name=name, forum=forum, bot=bot, username=username, network=self.network)
        self.network.introduce(made)
        if bot == "left":
            made.left()
        return made

    def channel(self, number: int, name: str, *, bot: str = "administrator", username: str = "") -> Channel:
        made = Channel(number=number, kind="channel", name=name, bot=bot, username=username, network=self.network)
        self.network.introduce(made)
        if bot == "left":
            made.left()
        return made

    def delete(self, message_id: int) -> None:
        """What a person does with a message."""
        next(message for message in self.messages if message.message_id == message_id).deleted = True

    def next_read(self, *faults: Fault, method: str = "getUpdates") -> None:
        """Queues faults for the coming requests of that method, which is none of those in `calls`."""
        self._read_faults[method.lower()].extend(faults)

    def breaks_reading(self, fault: Fault, method: str = "getUpdates") -> None:
        """From now on that method meets this fault, until it `mends`."""
        self._lasting_reads[method.lower()] = fault

    def mends(self) -> None:
        super().mends()
        self._lasting_reads.clear()

    def allows(self, per_second: int) -> None:
        """From now on so many messages and edits within any second; more are refused with 429."""
        self._allowed = per_second

    def judged(self) -> None:
        """From now on aiogram looks at everything; what it finds wrong fails the test in the end."""
        self.judge = Judge()
        self.updates.judge = self.judge.update

    async def all_read(self, seconds: float = 5) -> None:
        """Waits until no update is unconfirmed."""
        await self.until(lambda: not self.updates.pending, seconds)

    async def __aexit__(self, *exception: object) -> None:
        self.updates.close()
        await super().__aexit__(*exception)
        if self.judge is not None and exception[0] is None:
            assert self.judge.problems == []

    def note(self, request: web.Request, method: str, arguments: Json) -> Fault | None:
        name = method.lower()
        if name in SENDS or name not in self._methods:
            return super().note(request, method, arguments)
        self.reads.append((method, arguments))
        self.read_times.append(asyncio.get_running_loop().time())
        queued = self._read_faults[name]
        return queued.popleft() if queued else self._lasting or self._lasting_reads.get(name)

    def respond(self, request: web.Request, method: str, arguments: Json) -> web.Response | Awaitable[web.Response]:
        try:
            if not request.path.startswith(f"/bot{self.token}/"):
                raise Refused(401, "Unauthorized")
            if (do := self._methods.get(method.lower())) is None:
                raise Refused(404, "Not Found")
            arguments = {key: _decoded(key, value) for key, value in arguments.items()}
            if self.judge is not None:
                self.judge.asked(method, arguments)
            if method.lower() in SENDS:
                self._keep_pace()
            result = do(arguments)
        except Refused as refused:
            return _refuse(refused)
        return self._later(method, result) if isinstance(result, Awaitable) else self._answer(method, result)

    async def _later(self, method: str, result: Awaitable[object]) -> web.Response:
        try:
            return self._answer(method, await result)
        except Refused as refused:
            return _refuse(refused)

    def _answer(self, method: str, result: object) -> web.Response:
        result, *said = result if isinstance(result, tuple) else (result,)
        if self.judge is not None:
            self.judge.answered(method, result)
        return web.json_response({"ok": True, "result": result, **({"description": said[0]} if said else {})})

    def _keep_pace(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if self._allowed is not None and len(self._taken) >= self._allowed:
            self.refused_for_pace += 1
            wait = max(1, math.ceil(self._taken[0] + 1 - now))
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        self._taken.append(now)

    def _by_name(self) -> dict[str, Method]:
        updates, members, commands, profile = self.updates, self._members, self.network.commands, self.profile
        texts: dict[str, Method] = {}
        for what in ("name", "description", "short_description"):
            texts["setmy" + what.replace("_", "")] = partial(profile.set, what)
            texts["getmy" + what.replace("_", "")] = partial(profile.get, what)
        return {
            **texts,
            "getme": lambda _: {**BOT, "can_join_groups": True, "can_read_all_group_messages": False},
            "sendmessage": self.writing.send,
            "editmessagetext": self.writing.edit,
            "editmessagereplymarkup": self.writing.edit_markup,
            "deletemessage": self.writing.delete,
            "answercallbackquery": self.writing.answer_press,
            "getupdates": updates.get,
            "setwebhook": updates.set_webhook,
            "deletewebhook": updates.delete_webhook,
            "getwebhookinfo": updates.webhook_info,
            "getchat": members.get_chat,
            "getchatmember": members.get_member,
            "getchatadministrators": members.get_administrators,
            "leavechat": members.leave,
            "setmycommands": commands.set,
            "getmycommands": commands.get,
            "deletemycommands": commands.delete,
            "setchatmenubutton": profile.set_menu_button,
        }


def _decoded(key: str, value: Any) -> Any:
    nested = key in _NESTED or key == "allowed_updates"
    return json.loads(value) if isinstance(value, str) and nested else value


def _refuse(refused: Refused) -> web.Response:
    body = {"ok": False, "error_code": refused.status, "description": refused.text}
    more = {"parameters": refused.parameters} if refused.parameters else {}
    return web.json_response({**body, **more}, status=refused.status)
