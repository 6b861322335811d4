"""Chats of the fake Bot API and the messages in them, and how the Bot API writes both down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.receivers.telegram_updates import Refused

Json = dict[str, Any]

BOT: Json = {"id": 4242, "is_bot": True, "first_name": "Kraken status", "username": "kraken_status_bot"}
ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
"""In whose name administrators speak who hide behind their group."""
AS_CHANNEL: Json = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
"""In whose name people speak who hide behind a channel of theirs."""
TELEGRAM: Json = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
"""In whose name posts of a linked channel come into its group."""
IN_IT = ("creator", "administrator", "member", "restricted")
GENERAL_TOPIC = 1


@dataclass(eq=False, kw_only=True)
class TelegramMessage:
    """One message as people in the chat see it."""

    chat: str
    """The number, or the name if it was sent to a name."""
    message_id: int
    text: str
    """As shown: after parsing."""
    entities: list[Json] = field(default_factory=list)
    reply_to: int | None = None
    topic: int | None = None
    silent: bool = False
    reply_markup: Json | None = None
    """The buttons below it, which every edit sets anew."""
    edits: list[str] = field(default_factory=list)
    """The shown texts of later edits, oldest first."""
    deleted: bool = False
    arguments: Json = field(default_factory=dict)
    place: Chat = field(repr=False)
    date: int
    """Unix time."""
    sender: Json
    by_bot: bool = False
    parent: TelegramMessage | None = field(default=None, repr=False)
    more: Json = field(default_factory=dict)
    """What the Bot API says of it besides."""

    @property
    def shown(self) -> str:
        """The text as it stands now."""
        return self.edits[-1] if self.edits else self.text

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Words and address of each link that stands below it now."""
        return [(button["text"], button["url"]) for button in self._below() if "url" in button]

    @property
    def presses(self) -> list[tuple[str, str]]:
        """Words and data of each button to press that stands below it now."""
        return [(button["text"], button["callback_data"]) for button in self._below() if "callback_data" in button]

    @property
    def rows(self) -> list[list[str]]:
        """The words of all buttons, row by row."""
        return [[button["text"] for button in row] for row in (self.reply_markup or {}).get("inline_keyboard", ())]

    def _below(self) -> list[Json]:
        return [button for row in (self.reply_markup or {}).get("inline_keyboard", ()) for button in row]

    @property
    def thread(self) -> int:
        """The message under which a supergroup keeps the replies to this one."""
        return self.parent.thread if self.parent else self.message_id

    def wire(self, *, whole: bool = True) -> Json:
        """https://core.telegram.org/bots/api#message; what it replies to only if `whole`."""
        caption = "photo" in self.more
        words = {"caption" if caption else "text": self.shown} if self.shown else {}
        marks = {"caption_entities" if caption else "entities": self.entities} if self.entities else {}
        return {
            "message_id": self.message_id,
            **self.sender,
            "chat": self.place.wire(),
            "date": self.date,
            **words,
            **marks,
            **self._threaded(),
            **({"reply_to_message": self.parent.wire(whole=False)} if self.parent and whole else {}),
            **({"reply_markup": self.reply_markup} if "inline_keyboard" in (self.reply_markup or {}) else {}),
            **({"edit_date": self.date + 60} if self.edits else {}),
            **self.more,
        }

    def _threaded(self) -> Json:
        """Plain supergroups number the threads of replies just as forums number topics."""
        if self.topic is not None:
            return {"message_thread_id": self.topic, **({"is_topic_message": True} if self.place.forum else {})}
        if self.parent and self.place.kind == "supergroup":
            return {"message_thread_id": self.parent.thread}
        return {}


@dataclass(eq=False, kw_only=True)
class Chat:
    """How one chat behaves; ordinary unless told otherwise."""

    number: int
    kind: str
    name: str
    """A person's first name, or a title."""
    username: str = ""
    forum: bool = False
    settled: bool = False
    """Whether a test has said what it is; else it is whatever the message wants it to be."""
    messages: list[TelegramMessage] = field(default_factory=list)
    """What the bot sent here, in order, deleted or not."""
    members: dict[int, str] = field(default_factory=dict)
    """Of everybody who is or was in it the status."""
    bot: str = "member"
    """The bot's own status."""
    refusal: tuple[int, str, Json] | None = None
    lost_topics: set[int] = field(default_factory=set)
    closed_topics: set[int | None] = field(default_factory=set)
    """None is the general topic."""

    @property
    def shown(self) -> list[str]:
        """The texts of the bot that stand here now, oldest first."""
        return [each.shown for each in self.messages if not each.deleted]

    @property
    def last(self) -> TelegramMessage:
        """The newest message of the bot that stands here now."""
        return [each for each in self.messages if not each.deleted][-1]

    def blocked(self) -> None:
        self.refusal = (403, "Forbidden: bot was blocked by the user", {})

    def kicked(self) -> None:
        kind = "supergroup" if self.kind == "private" else self.kind
        self.refusal = (403, f"Forbidden: bot was kicked from the {kind} chat", {})

    def left(self) -> None:
        self.refusal = (403, f"Forbidden: bot is not a member of the {self.kind} chat", {})

    def unopened(self) -> None:
        """Nobody has pressed Start yet."""
        self.refusal = (403, "Forbidden: bot can't initiate conversation with a user", {})

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

    def admit(self, topic: int | None = None) -> None:
        """Raises Refused for a message that may not come here."""
        if self.refusal is not None:
            status, text, parameters = self.refusal
            raise Refused(status, text, **parameters)
        if self.kind == "channel" and self.settled and self.bot != "administrator":
            raise Refused(400, "Bad Request: need administrator rights in the channel chat")
        if topic is None:
            return
        if topic in self.lost_topics or (self.settled and (not self.forum or topic == GENERAL_TOPIC)):
            raise Refused(400, "Bad Request: message thread not found")
        self.forum = True

    def wire(self) -> Json:
        """https://core.telegram.org/bots/api#chat."""
        return {
            "id": self.number,
            "type": self.kind,
            "first_name" if self.kind == "private" else "title": self.name,
            **({"username": self.username} if self.username else {}),
            **({"is_forum": True} if self.forum else {}),
        }

    def member_wire(self, user: Json, status: str) -> Json:
        """https://core.telegram.org/bots/api#chatmember."""
        said: Json = {"user": user, "status": status}
        match status:
            case "creator":
                said |= {"is_anonymous": False}
            case "administrator":
                said |= {right: True for right in _RIGHTS if right not in _NOT_GIVEN}
                said |= dict.fromkeys(_NOT_GIVEN, False)
                own = ("can_post_messages", "can_edit_messages") if self.kind == "channel" else ("can_pin_messages",)
                said |= dict.fromkeys(own, True)
            case "restricted":
                said |= {"is_member": True, "until_date": 0, **dict.fromkeys(_PERMISSIONS, False)}
            case "kicked":
                said |= {"until_date": 0}
        return said


_NOT_GIVEN = ("can_be_edited", "can_promote_members", "is_anonymous")
_RIGHTS = (
    *_NOT_GIVEN,
    *("can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_change_info"),
    *("can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories", "can_send_welcome_messages"),
)
_PERMISSIONS = (
    *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos"),
    *("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages"),
    *("can_add_web_page_previews", "can_react_to_messages", "can_edit_tag", "can_change_info", "can_invite_users"),
    *("can_pin_messages", "can_manage_topics"),
)
