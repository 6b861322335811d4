"""People who talk with the bot over the fake Bot API, and the groups and channels in which they do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.receivers.telegram_chats import ANONYMOUS, AS_CHANNEL, BOT, TELEGRAM, Chat, TelegramMessage
from tests.receivers.telegram_html import units
from tests.receivers.telegram_network import Network, Press, commands_in

Json = dict[str, Any]

LONGEST = 4_096


@dataclass(eq=False, kw_only=True)
class Place(Chat):
    """A group or a channel that a test has introduced."""

    network: Network = field(repr=False)
    settled: bool = True

    def adds_bot(self, by: Person, *, admin: bool = False) -> None:
        self.ordinary()
        self.network.bot_becomes(self, "administrator" if admin else "member", by.user)
        if self.kind != "channel":
            self._happens({"new_chat_members": [BOT]}, by)

    def removes_bot(self, by: Person) -> None:
        self.kicked()
        self.network.bot_becomes(self, "kicked", by.user)

    def promotes_bot(self, by: Person) -> None:
        self.network.bot_becomes(self, "administrator", by.user)

    def demotes_bot(self, by: Person) -> None:
        self.network.bot_becomes(self, "member", by.user)

    def retitled(self, title: str, by: Person) -> None:
        self.name = title
        self._happens({"new_chat_title": title}, by)

    def _happens(self, what: Json, by: Person, topic: int | None = None) -> None:
        sender = {"sender_chat": self.wire()} if self.kind == "channel" else {"from": by.user}
        self.network.deliver(self.network.write(self, "", sender=sender, topic=topic, more=what))


@dataclass(eq=False, kw_only=True)
class Group(Place):
    linked: Channel | None = None
    """The channel whose posts come into it by themselves."""

    def member(self, person: Person, *, admin: bool = False, status: str = "") -> None:
        """From now on that is what the person is here: member, administrator, or the given ChatMember status."""
        self.members[person.number] = status or ("administrator" if admin else "member")

    def loses_topic(self, topic: int) -> None:
        """Somebody deletes it with all its messages; Telegram does not tell bots."""
        self.lost_topics.add(topic)
        for message in self.messages:
            message.deleted = message.deleted or message.topic == topic

    def closes_topic(self, topic: int, by: Person) -> None:
        self.closed_topics.add(topic)
        self._happens({"forum_topic_closed": {}}, by, topic)

    def migrates(self, to: int, by: Person) -> Group:
        """It becomes a supergroup with another number, and the bot is told on both sides."""
        grown = Group(number=to, kind="supergroup", name=self.name, members=self.members, network=self.network)
        grown.bot = self.bot
        self.network.introduce(grown)
        self._happens({"migrate_to_chat_id": to}, by)
        self.migrated(to)
        sender = {"from": ANONYMOUS, "sender_chat": grown.wire()}
        self.network.deliver(self.network.write(grown, "", sender=sender, more={"migrate_from_chat_id": self.number}))
        return grown


@dataclass(eq=False, kw_only=True)
class Channel(Place):
    bot: str = "administrator"

    def posts(self, text: str, *, reply_to: TelegramMessage | None = None) -> TelegramMessage:
        """A post, and its copy in each group that is linked."""
        post = self.network.write(
            self, text, entities=commands_in(text), sender={"sender_chat": self.wire()}, parent=reply_to
        )
        self.network.deliver(post)
        for group in self.network.chats.values():
            if isinstance(group, Group) and group.linked is self:
                origin = {"type": "channel", "date": post.date, "chat": self.wire(), "message_id": post.message_id}
                copy = self.network.write(
                    group,
                    text,
                    entities=commands_in(text),
                    sender={"from": TELEGRAM, "sender_chat": self.wire()},
                    more={"is_automatic_forward": True, "forward_origin": origin},
                )
                self.network.deliver(copy)
        return post

    def edits(self, post: TelegramMessage, text: str) -> None:
        edit(self.network, post, text)


@dataclass(eq=False)
class Person:
    network: Network = field(repr=False)
    number: int
    name: str
    language: str | None
    username: str = ""

    @property
    def user(self) -> Json:
        """https://core.telegram.org/bots/api#user."""
        return {
            "id": self.number,
            "is_bot": False,
            "first_name": self.name,
            **({"username": self.username} if self.username else {}),
            **({"language_code": self.language} if self.language else {}),
        }

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self.network.chat(self.number)

    def starts(self, parameter: str = "") -> TelegramMessage:
        """Presses Start, as behind the link `https://t.me/kraken_status_bot?start=parameter`."""
        assert re.fullmatch("[A-Za-z0-9_-]{0,64}", parameter), "Telegram opens no such link"
        return self.says(f"/start {parameter}".strip())

    def says(
        self,
        text: str,
        *,
        in_: Chat | None = None,
        topic: int | None = None,
        reply_to: TelegramMessage | None = None,
        via: Json | None = None,
    ) -> TelegramMessage:
        """In private unless it is said where; what is too long for one message goes out as several, the last is given
        back. `via` is a bot whose inline answer it is.
        """
        more = {"via_bot": via} if via else {}
        return self._say(text, in_ or self.chat, {"from": self.user}, topic=topic, reply_to=reply_to, more=more)

    def says_anonymously(
        self, text: str, *, in_: Group, topic: int | None = None, reply_to: TelegramMessage | None = None
    ) -> TelegramMessage:
        """As an administrator who hides behind the group."""
        return self._say(text, in_, {"from": ANONYMOUS, "sender_chat": in_.wire()}, topic=topic, reply_to=reply_to)

    def says_as(self, channel: Channel, text: str, *, in_: Group, topic: int | None = None) -> TelegramMessage:
        """Behind a channel of the person's own, which gives no rights in the group."""
        return self._say(text, in_, {"from": AS_CHANNEL, "sender_chat": channel.wire()}, topic=topic)

    def sends_sticker(self, *, in_: Chat | None = None) -> TelegramMessage:
        file = {"file_id": "CAACAgIAAx", "file_unique_id": "AgADBQAD", "width": 512, "height": 512}
        sticker = {**file, "type": "regular", "is_animated": False, "is_video": False}
        return self._send("", in_ or self.chat, {"from": self.user}, more={"sticker": sticker})

    def sends_photo(self, caption: str = "", *, in_: Chat | None = None) -> TelegramMessage:
        photo = {"file_id": "AgACAgIAAx", "file_unique_id": "AQADyBwy", "width": 90, "height": 51}
        return self._send(caption, in_ or self.chat, {"from": self.user}, more={"photo": [photo]})

    def edits(self, message: TelegramMessage, text: str) -> None:
        """What the person wrote before."""
        edit(self.network, message, text)

    def deletes(self, message: TelegramMessage) -> None:
        """For both sides; Telegram does not tell bots."""
        message.deleted = True

    def presses(self, message: TelegramMessage, words: str) -> Press:
        """The button with these words below the message, as it stands now."""
        assert not message.deleted, "there is no such message any more"
        found = [data for below, data in message.presses if below == words]
        assert found, f"no {words!r} to press, only {message.rows}"
        return self.network.press(message, found[0], self.user)

    def forges(self, message: TelegramMessage, data: str) -> Press:
        """What a client of the person's own making sends: any data, below any message, standing or not."""
        return self.network.press(message, data, self.user)

    def blocks(self) -> None:
        self.chat.blocked()
        self.network.bot_becomes(self.chat, "kicked", self.user)

    def unblocks(self) -> None:
        """By pressing Restart, after which a client sends /start too; that is for the test to say."""
        self.chat.ordinary()
        self.network.bot_becomes(self.chat, "member", self.user)

    def menu(self, *, in_: Chat | None = None) -> dict[str, str]:
        """The commands that a client offers in that chat, in private unless it is said where, and what they do."""
        place = in_ or self.chat
        admin = place.members.get(self.number) in ("administrator", "creator")
        return self.network.commands.shown(place, self.number, (self.language or "")[:2], admin=admin)

    def _say(self, text: str, place: Chat, sender: Json, **more: Any) -> TelegramMessage:
        text = text.strip()
        assert text, "a client sends no empty message"
        while units(text) > LONGEST:
            part = text.encode("utf-16-le")[: 2 * LONGEST].decode("utf-16-le", "ignore")
            self._send(part, place, sender, **more)
            text = text[len(part) :]
        return self._send(text, place, sender, **more)

    def _send(
        self,
        text: str,
        place: Chat,
        sender: Json,
        *,
        topic: int | None = None,
        reply_to: TelegramMessage | None = None,
        more: Json | None = None,
    ) -> TelegramMessage:
        if place.kind == "private":
            assert place.bot != "kicked", "who has blocked the bot unblocks it before writing"
            place.ordinary()
        topic = reply_to.topic if reply_to and place.forum else topic
        written = self.network.write(
            place,
            text,
            entities=commands_in(text),
            sender=sender,
            topic=topic,
            parent=reply_to or self._opening(place, topic),
            reply_to=reply_to.message_id if reply_to else None,
            more=more or {},
        )
        return self.network.deliver(written)

    def _opening(self, place: Chat, topic: int | None) -> TelegramMessage | None:
        """What opened the topic: Telegram calls everything in it a reply to that, and numbers the topic by it."""
        if topic is None:
            return None
        assert place.forum, "only forums have topics"
        opened = {"forum_topic_created": {"name": f"Topic {topic}", "icon_color": 7322096}}
        date, sender = 1_769_000_000 + topic, {"from": self.user}
        return TelegramMessage(
            chat=str(place.number),
            message_id=topic,
            text="",
            topic=topic,
            place=place,
            date=date,
            sender=sender,
            more=opened,
        )


def edit(network: Network, message: TelegramMessage, text: str) -> None:
    message.edits.append(text)
    message.entities = commands_in(text)
    network.deliver(message, "edited_")
