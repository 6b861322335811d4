"""What is told: a message as a small tree of lines, each with its role, and what the provider answers to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notifier.tongue import N_


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider answered: where the message is and how it is called there (ts, message id, Message-ID)."""

    to: str
    ref: str
    root: bool = False
    """Whether it stands by itself, so that later messages of the conversation can hang on it."""


class Form(StrEnum):
    """How much of an instant a client shows in the reader's own zone."""

    FULL = "full"
    TIME = "time"
    AGO = "ago"
    """The distance from now: `in 3 hours`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A run of text in one style; with `url` a link, with `at` an instant that clients may show in local time."""

    text: str
    style: str = ""
    """"" | bold | italic | strike | code | command: one of the bot's own, which stays active"""
    url: str | None = None
    at: datetime | None = None
    form: Form = Form.FULL


class Role(StrEnum):
    """What a line is for; each channel gives every role its place."""

    TITLE = "title"
    """State and title, with an icon in front."""
    FACT = "fact"
    """A `label` and its value."""
    TEXT = "text"
    QUOTE = "quote"
    """The source's own words: the first to be shortened where space is short."""
    EARLIER = "earlier"
    """One piece of earlier news, told along."""
    NOTE = "note"
    """Small print."""
    LINK = "link"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    spans: tuple[Span, ...]
    role: Role = Role.TEXT
    label: str = ""
    past: bool = False
    """Of a fact: how it came to this, and not how things stand."""

    @property
    def foreign(self) -> bool:
        """Whether it holds words that are not ours, of any length."""
        return self.role in (Role.QUOTE, Role.EARLIER)


class Tone(StrEnum):
    """The colour of a state. Never the only sign of it."""

    CALM = "calm"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    WORK = "work"
    GOOD = "good"


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """A planned maintenance as an entry in a calendar. A higher `sequence` replaces a lower one of the same `uid`."""

    uid: str
    sequence: int
    summary: str
    start: datetime
    end: datetime | None = None
    description: str = ""
    url: str = ""
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """What channels say around a message, in its reader's language."""

    language: str = "en"
    page: str = N_("Status page")
    """On the button that leads there."""
    rest: str = N_("Read the rest on the status page")
    """In place of the link's words, where something was cut."""
    news: str = N_("Status news")
    """Above a message without a state."""
    why: str = N_("You get this because this address subscribes to Kraken status news.")
    leave: str = N_("Unsubscribe")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What one recipient is told at once; the same facts in the same words on every channel."""

    delivery_ids: tuple[str, ...]
    """All members of the fold, oldest first; unique across databases."""
    subject: str
    """One plain line: a mail's subject, a notification's preview."""
    lines: tuple[Line, ...]
    """The first has the role TITLE; the last one the role LINK, or NOTE where there is nothing to link to."""
    date: datetime
    """When it was first tried. The same on every retry."""
    topic: str = ""
    """The conversation in one plain line, the same in every message of it unless its title changed."""
    tone: Tone = Tone.CALM
    loud: bool = False
    mention: str | None = None
    thread: Receipt | None = None
    """The first message of the conversation, if there was one."""
    plain: bool = False
    """Send without any markup: the rich form was refused."""
    appointment: Appointment | None = None
    wording: Wording = Wording()
