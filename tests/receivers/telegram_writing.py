"""What the bot writes over the fake Bot API: messages, edits, buttons, and answers to presses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.receivers.telegram_chats import BOT, Chat, TelegramMessage
from tests.receivers.telegram_html import BadHtml, parse_html, trimmed, units
from tests.receivers.telegram_network import Network
from tests.receivers.telegram_updates import Refused

Json = dict[str, Any]

TEXT_LIMIT = 4_096
TOAST_LIMIT = 200
UNCHANGED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly"
    " the same as a current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


class Writing:
    def __init__(self, network: Network) -> None:
        self.knows_dates = True
        self.takes_markup = True
        self._network = network

    def send(self, arguments: Json) -> Json:
        place = self._place(arguments)
        topic = int(arguments["message_thread_id"]) if "message_thread_id" in arguments else None
        place.admit(topic)
        text, entities = self._read(arguments)
        wanted = arguments.get("reply_parameters") or {}
        parent = self._network.standing(place, wanted.get("message_id"))
        if wanted and parent is None and not wanted.get("allow_sending_without_reply"):
            raise Refused(400, "Bad Request: message to be replied not found")
        if (parent.topic if parent and topic is None else topic) in place.closed_topics:
            raise Refused(400, "Bad Request: TOPIC_CLOSED")
        written = self._network.write(
            place,
            text,
            chat=str(arguments["chat_id"]),
            sender={"sender_chat": place.wire()} if place.kind == "channel" else {"from": BOT},
            by_bot=True,
            entities=entities,
            reply_to=parent.message_id if parent else None,
            parent=parent,
            topic=parent.topic if parent and topic is None else topic,
            silent=_true(arguments.get("disable_notification")),
            reply_markup=arguments.get("reply_markup"),
            arguments=arguments,
        )
        return written.wire()

    def edit(self, arguments: Json) -> Json:
        message = self._own(arguments)
        text, entities = self._read(arguments)
        markup = arguments.get("reply_markup")
        if (text, entities, markup) == (message.shown, message.entities, message.reply_markup):
            raise Refused(400, UNCHANGED)
        message.edits.append(text)
        message.entities, message.reply_markup = entities, markup
        return message.wire(whole=False)

    def edit_markup(self, arguments: Json) -> Json:
        message = self._own(arguments)
        _check_buttons(arguments.get("reply_markup"))
        if arguments.get("reply_markup") == message.reply_markup:
            raise Refused(400, UNCHANGED)
        message.reply_markup = arguments.get("reply_markup")
        return message.wire(whole=False)

    def delete(self, arguments: Json) -> bool:
        place = self._place(arguments)
        place.admit()
        message = self._network.standing(place, int(arguments.get("message_id", 0)))
        if message is None:
            raise Refused(400, "Bad Request: message to delete not found")
        if not message.by_bot and place.kind != "private" and place.bot != "administrator":
            raise Refused(400, "Bad Request: message can't be deleted")
        message.deleted = True
        return True

    def answer_press(self, arguments: Json) -> bool:
        press = self._network.presses.get(str(arguments.get("callback_query_id")))
        if press is None or press.answered or press.expired:
            raise Refused(400, TOO_OLD)
        toast = str(arguments.get("text", ""))
        if len(toast) > TOAST_LIMIT:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        press.answered, press.toast, press.alert = True, toast, _true(arguments.get("show_alert"))
        return True

    def _place(self, arguments: Json) -> Chat:
        if not arguments.get("chat_id"):
            raise Refused(400, "Bad Request: chat_id is empty")
        return self._network.chat(arguments["chat_id"])

    def _own(self, arguments: Json) -> TelegramMessage:
        """The message to edit."""
        place = self._place(arguments)
        place.admit()
        message = self._network.standing(place, int(arguments.get("message_id", 0)))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if not message.by_bot:
            raise Refused(400, "Bad Request: message can't be edited")
        if message.topic in place.closed_topics:
            raise Refused(400, "Bad Request: TOPIC_CLOSED")
        return message

    def _read(self, arguments: Json) -> tuple[str, list[Json]]:
        text, entities = str(arguments.get("text", "")), list[Json]()
        try:
            if arguments.get("parse_mode") == "HTML":
                if not self.takes_markup:
                    raise BadHtml('Unsupported start tag "b" at byte offset 0')
                text, entities = parse_html(text, knows_dates=self.knows_dates)
        except BadHtml as bad:
            raise Refused(400, f"Bad Request: can't parse entities: {bad}") from None
        if units(text) > TEXT_LIMIT:
            raise Refused(400, "Bad Request: message is too long")
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        _check_buttons(arguments.get("reply_markup"))
        return trimmed(text, entities)


def _check_buttons(markup: Json | None) -> None:
    """What Telegram refuses: its library looks at the form of an address, its servers at the host and at data."""
    for row in (markup or {}).get("inline_keyboard", ()):
        for button in row:
            if "callback_data" in button:
                if not 1 <= len(button["callback_data"].encode()) <= 64:
                    raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
            elif "url" in button:
                _check_address(button["url"])
            else:
                raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")


def _check_address(address: str) -> None:
    url, wrong = urlsplit(address), f"Bad Request: inline keyboard button URL '{address}' is invalid"
    if url.scheme not in ("http", "https"):
        raise Refused(400, f"{wrong}: Unsupported URL protocol")
    if "." not in (url.hostname or ""):
        raise Refused(400, f"{wrong}: Wrong HTTP URL")
    if (url.hostname or "").startswith("127."):
        raise Refused(400, "Bad Request: BUTTON_URL_INVALID")


def _true(value: object) -> bool:
    return value in ("true", "True", True)
