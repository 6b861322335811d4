"""A fake Bot API: getMe, sendMessage and editMessageText, as strict about HTML as Telegram's own server.

Error texts are those of https://github.com/tdlib/telegram-bot-api and https://github.com/tdlib/td.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.receivers import Fault, Receiver, answer
from tests.receivers.telegram_html import BadHtml, parse_html, trimmed, units

TOKEN = "4242:fake-canary-9a1c"
TEXT_LIMIT = 4_096


@dataclass
class TelegramMessage:
    """One message as people in the chat see it."""

    chat: str
    message_id: int
    text: str
    """As shown: after parsing."""
    entities: list[dict[str, Any]]
    reply_to: int | None = None
    topic: int | None = None
    silent: bool = False
    reply_markup: dict[str, Any] | None = None
    """The buttons below it, which every edit sets anew."""
    edits: list[str] = field(default_factory=list)
    """The shown texts of later edits, oldest first."""
    deleted: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The text as it stands now."""
        return self.edits[-1] if self.edits else self.text

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Words and address of each button that stands below it now."""
        rows = (self.reply_markup or {}).get("inline_keyboard", ())
        return [(button["text"], button["url"]) for row in rows for button in row]


@dataclass
class Chat:
    """How one chat behaves; ordinary unless told otherwise."""

    refusal: tuple[int, str, dict[str, Any]] | None = None
    lost_topics: set[int] = field(default_factory=set)
    closed_topics: set[int | None] = field(default_factory=set)
    """None is the general topic."""

    def blocked(self) -> None:
        self.refusal = (403, "Forbidden: bot was blocked by the user", {})

    def kicked(self) -> None:
        self.refusal = (403, "Forbidden: bot was kicked from the supergroup chat", {})

    def deactivated(self) -> None:
        self.refusal = (403, "Forbidden: user is deactivated", {})

    def missing(self) -> None:
        self.refusal = (400, "Bad Request: chat not found", {})

    def migrated(self, to: int) -> None:
        text = "Bad Request: group chat was upgraded to a supergroup chat"
        self.refusal = (400, text, {"migrate_to_chat_id": to})

    def throttled(self, seconds: int) -> None:
        self.refusal = (429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})

    def without_topic(self, topic: int) -> None:
        self.lost_topics.add(topic)

    def closed_topic(self, topic: int | None) -> None:
        self.closed_topics.add(topic)

    def ordinary(self) -> None:
        self.refusal = None


def refusal(status: int, text: str, **parameters: object) -> Fault:
    """The Bot API's answer instead of taking the message."""
    return answer(status, {"ok": False, "error_code": status, "description": text, "parameters": parameters})


class FakeTelegram(Receiver):
    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.messages: list[TelegramMessage] = []
        """In order of arrival."""
        self.token = token
        self.knows_dates = True
        """Whether this server is new enough for tg-time."""
        self.takes_markup = True
        """Whether it takes any HTML at all."""
        self._chats: dict[str, Chat] = {}

    @property
    def url(self) -> str:
        """The `api_url` of the configuration."""
        return self.origin

    def chat(self, chat: str | int) -> Chat:
        return self._chats.setdefault(str(chat), Chat())

    def delete(self, message_id: int) -> None:
        """What a person does with a message."""
        next(message for message in self.messages if message.message_id == message_id).deleted = True

    def respond(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.Response:
        if not request.path.startswith(f"/bot{self.token}/"):
            return _refuse(401, "Unauthorized")
        arguments = {key: _decoded_argument(key, value) for key, value in arguments.items()}
        match method.lower():
            case "getme":
                return _answer({**_BOT, "can_join_groups": True, "can_read_all_group_messages": False})
            case "sendmessage":
                return self._send(arguments)
            case "editmessagetext":
                return self._edit(arguments)
        return _refuse(404, "Not Found")

    def _send(self, arguments: dict[str, Any]) -> web.Response:
        chat = self.chat(arguments.get("chat_id", ""))
        if chat.refusal is not None:
            return _refuse(*chat.refusal)
        topic = int(arguments["message_thread_id"]) if "message_thread_id" in arguments else None
        if topic in chat.lost_topics:
            return _refuse(400, "Bad Request: message thread not found")
        read = self._read(arguments)
        if isinstance(read, web.Response):
            return read
        wanted = arguments.get("reply_parameters") or {}
        parent = self._standing(str(arguments["chat_id"]), wanted.get("message_id"))
        if wanted and parent is None and not wanted.get("allow_sending_without_reply"):
            return _refuse(400, "Bad Request: message to be replied not found")
        if (parent.topic if parent and topic is None else topic) in chat.closed_topics:
            return _refuse(400, "Bad Request: TOPIC_CLOSED")
        message = TelegramMessage(
            chat=str(arguments["chat_id"]),
            message_id=len(self.messages) + 1,
            text=read[0],
            entities=read[1],
            reply_to=parent.message_id if parent else None,
            topic=topic,
            silent=arguments.get("disable_notification") in ("true", "True", True),
            reply_markup=arguments.get("reply_markup"),
            arguments=arguments,
        )
        self.messages.append(message)
        return _answer(_shown(message, parent))

    def _edit(self, arguments: dict[str, Any]) -> web.Response:
        chat = self.chat(arguments.get("chat_id", ""))
        if chat.refusal is not None:
            return _refuse(*chat.refusal)
        message = self._standing(str(arguments.get("chat_id")), int(arguments.get("message_id", 0)))
        if message is None:
            return _refuse(400, "Bad Request: message to edit not found")
        if message.topic in chat.closed_topics:
            return _refuse(400, "Bad Request: TOPIC_CLOSED")
        read = self._read(arguments)
        if isinstance(read, web.Response):
            return read
        if (*read, arguments.get("reply_markup")) == (message.shown, message.entities, message.reply_markup):
            return _refuse(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly"
                " the same as a current content and reply markup of the message",
            )
        message.edits.append(read[0])
        message.entities = read[1]
        message.reply_markup = arguments.get("reply_markup")
        return _answer(_shown(message, None))

    def _read(self, arguments: dict[str, Any]) -> tuple[str, list[dict[str, Any]]] | web.Response:
        text, entities = str(arguments.get("text", "")), list[dict[str, Any]]()
        try:
            if arguments.get("parse_mode") == "HTML":
                if not self.takes_markup:
                    raise BadHtml('Unsupported start tag "b" at byte offset 0')
                text, entities = parse_html(text, knows_dates=self.knows_dates)
        except BadHtml as bad:
            return _refuse(400, f"Bad Request: can't parse entities: {bad}")
        if units(text) > TEXT_LIMIT:
            return _refuse(400, "Bad Request: message is too long")
        if not text.strip():
            return _refuse(400, "Bad Request: message text is empty")
        if bad_button := _bad_button(arguments.get("reply_markup")):
            return _refuse(400, f"Bad Request: {bad_button}")
        return trimmed(text, entities)

    def _standing(self, chat: str, message_id: int | None) -> TelegramMessage | None:
        """By the chat's number or by its name: both are the same chat."""
        if message_id is None or not 0 < message_id <= len(self.messages):
            return None
        found = self.messages[message_id - 1]
        return found if _number(found.chat) == _number(chat) and not found.deleted else None


_BOT = {"id": 4242, "is_bot": True, "first_name": "Kraken status", "username": "kraken_status_bot"}


def _bad_button(markup: dict[str, Any] | None) -> str | None:
    """Why Telegram refuses the buttons: its library looks at the form of an address, its servers at the host."""
    for row in (markup or {}).get("inline_keyboard", ()):
        for button in row:
            url = urlsplit(button["url"])
            if url.scheme not in ("http", "https"):
                return f"inline keyboard button URL '{button['url']}' is invalid: Unsupported URL protocol"
            if "." not in (url.hostname or ""):
                return f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL"
            if (url.hostname or "").startswith("127."):
                return "BUTTON_URL_INVALID"
    return None


def _number(chat: str) -> int:
    return -100123 if chat.startswith("@") else int(chat)


def _shown(message: TelegramMessage, parent: TelegramMessage | None) -> dict[str, Any]:
    number = _number(message.chat)
    chat = (
        {"id": number, "type": "private", "first_name": "Reader"}
        if number > 0
        else {"id": number, "type": "supergroup", "title": "Desk", **({"is_forum": True} if message.topic else {})}
    )
    return {
        "message_id": message.message_id,
        "from": _BOT,
        "chat": chat,
        "date": 1_770_000_000 + message.message_id,
        "text": message.shown,
        **({"entities": message.entities} if message.entities else {}),
        **({"message_thread_id": message.topic, "is_topic_message": True} if message.topic else {}),
        **({"reply_to_message": _shown(parent, None)} if parent else {}),
        **({"reply_markup": message.reply_markup} if message.reply_markup else {}),
        **({"edit_date": 1_770_000_100 + message.message_id} if message.edits else {}),
    }


def _decoded_argument(key: str, value: Any) -> Any:
    nested = ("reply_parameters", "link_preview_options", "reply_markup")
    return json.loads(value) if isinstance(value, str) and key in nested else value


def _answer(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refuse(status: int, text: str, parameters: dict[str, Any] | None = None) -> web.Response:
    body = {"ok": False, "error_code": status, "description": text}
    return web.json_response({**body, **({"parameters": parameters} if parameters else {})}, status=status)
