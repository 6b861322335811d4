"""What is said between a reader and the bot: what was asked, and what is answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from notifier.known import Scene
from notifier.message import Line
from notifier.render import Page
from notifier.subscription import Address, Subscription
from notifier.tongue import ENGLISH, Tongue

Audience = Literal["private", "group", "admins", "operator"]
"""To whom commands are offered."""


class Place(StrEnum):
    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Something that somebody wrote, or a button that somebody pressed."""

    number: int
    """Telegram's update_id: the same for the same question, however often it comes."""
    address: Address
    """The chat, with its topic: whose subscription it is about."""
    named: Address | None = None
    """The same by its public name, as the configuration may have it."""
    place: Place
    at: datetime
    """When it was written; of a press, when it was read."""
    words: str = ""
    """`/follow btc` without the bot's name, or free words; empty for a press."""
    press: str = ""
    """What stands behind the button; foreign, as anybody can make a client send anything."""
    reply_to: str | None = None
    """The number of the message that it replies to."""
    language_code: str | None = None
    may_change: bool = True
    """In groups only administrators change what the chat follows."""
    addressed: bool = True
    """False for a command in a group that names no bot: it may be meant for another one."""
    operator: bool = False
    """An operator of this notifier, in private."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """`press` is at most 64 bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton."""

    words: str
    press: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is answered. To a press it takes the place of the message whose button it was."""

    lines: tuple[Line, ...] = ()
    """None: nothing is said, or the message stays as it is."""
    buttons: tuple[tuple[Button, ...], ...] = ()
    toast: str = ""
    """A word that is shown for a moment to who pressed, at most 200 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What becomes of the subscription, and what is answered."""

    answer: Answer
    subscription: Subscription | None = None
    """As it is from now on; None: there is none any more, or none yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """All that an answer may depend on."""

    asked: Asked
    mine: Subscription | None
    """The chat's subscription; None for who never subscribed, or left."""
    scene: Scene
    page: Page
    tongues: Mapping[str, Tongue]
    language: str
    about: str | None = None
    """The subject of the message that this replies to."""

    @property
    def tongue(self) -> Tongue:
        return self.tongues.get(self.language, ENGLISH)

    def t(self, text: str) -> str:
        """The text in the reader's language."""
        return self.tongue.gettext(text)

    def says(self, *lines: Line, buttons: tuple[tuple[Button, ...], ...] = ()) -> Reply:
        """An answer that leaves the subscription as it is."""
        return Reply(answer=Answer(lines=lines, buttons=buttons), subscription=self.mine)
