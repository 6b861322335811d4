"""A chat of Telegram as its clients show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from notifier.facsimile.ink import BOT, ago, avatar, clock, instant, link, moment, text

_SAME_SENDER = timedelta(minutes=15)
"""Within which a second message stands below the first without a name of its own."""

_TAGS = {
    "b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "ins": "u", "s": "s", "strike": "s", "del": "s",
    "code": "code", "pre": "code", "a": "a", "blockquote": "blockquote", "tg-time": "time",
}  # fmt: skip

_BELL = (
    '<svg class="bell" viewBox="0 0 24 24" role="img" aria-label="sent without sound">'
    '<path d="M6 17V11a6 6 0 0 1 9.5-4.9M18 11v6M4 17h16M10 20.5h4M4 3l17 18"/></svg>'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TelegramPost:
    """`payload` are the arguments of sendMessage, with what editMessageText has changed since."""

    payload: dict[str, Any]
    message_id: int
    at: datetime
    edited: bool = False


def draw(posts: Sequence[TelegramPost]) -> str:
    """The chat, each message in its bubble."""
    known = {post.message_id: post for post in posts}
    rows = "".join(
        _divided(post, before) + _bubble(post, known, named=before is None or post.at - before.at > _SAME_SENDER)
        for before, post in zip([None, *posts], posts, strict=False)
    )
    chat = text(str(posts[0].payload.get("chat_id", ""))) if posts else ""
    return (
        '<section class="client telegram"><h3>Telegram</h3>\n<div class="window">'
        f'<div class="bar">{avatar("round")}<p><b>{BOT}</b><span class="small">chat {chat}</span></p></div>'
        f'<ol class="chat">{rows}</ol></div></section>'
    )


def _divided(post: TelegramPost, before: TelegramPost | None) -> str:
    day = post.at.astimezone(UTC)
    if before and before.at.astimezone(UTC).date() == day.date():
        return ""
    return f'<li class="day"><span>{day:%B} {day.day}</span></li>'


def _bubble(post: TelegramPost, known: dict[int, TelegramPost], *, named: bool) -> str:
    name = f'<p class="name">{BOT}</p>' if named else ""
    silent = _BELL if post.payload.get("disable_notification") else ""
    edited = "edited " if post.edited else ""
    stamp = f'<span class="stamp">{silent}{edited}{instant(post.at, clock(post.at))}</span>'
    return (
        f'<li class="message"><div class="bubble">{name}{_strip(post, known)}'
        f'<div class="said">{_said(post)}{stamp}</div></div>{_keyboard(post)}</li>'
    )


def _said(post: TelegramPost) -> str:
    words = str(post.payload.get("text", ""))
    return _Reader.drawn(words, post.at) if post.payload.get("parse_mode") == "HTML" else text(words)


def _strip(post: TelegramPost, known: dict[int, TelegramPost]) -> str:
    """Above a reply: whose message it answers, and how that began."""
    parent = known.get((post.payload.get("reply_parameters") or {}).get("message_id", 0))
    if parent is None:
        return ""
    words = re.sub(r"<[^>]*>", "", _said(parent)).strip().partition("\n")[0]
    return f'<p class="strip"><b>{BOT}</b><span>{words}</span></p>'


def _keyboard(post: TelegramPost) -> str:
    rows = (post.payload.get("reply_markup") or {}).get("inline_keyboard") or ()
    drawn = "".join(
        f"<p>{''.join(link(str(key.get('url', '')), text(str(key.get('text', ''))), style='key') for key in row)}</p>"
        for row in rows
    )
    return f'<div class="keyboard">{drawn}</div>' if drawn else ""


class _Reader(HTMLParser):
    """https://core.telegram.org/bots/api#html-style. Known tags are written anew, well nested; the rest is text."""

    def __init__(self, now: datetime) -> None:
        super().__init__(convert_charrefs=True)
        self._now = now
        self._html: list[str] = []
        self._open: list[tuple[str, str]] = []
        """What is written of an element, and what ends it."""
        self._told = False
        """Whether an instant was written in place of its words."""

    @classmethod
    def drawn(cls, source: str, now: datetime) -> str:
        reader = cls(now)
        reader.feed(re.sub("<(?=[!?])", "&lt;", source))
        reader.close()
        reader._end(0)
        return "".join(reader._html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        drawn = _TAGS.get(tag)
        given = {name: value or "" for name, value in attrs}
        if drawn is None:
            self.handle_data(self.get_starttag_text() or "")
        elif drawn in self._names() or (drawn == "blockquote" and self._open):
            return  # HTML allows neither
        elif drawn == "a":
            self._begin(drawn, *link(given.get("href", ""), "\0").split("\0"))
        elif drawn == "time":
            at = moment(given.get("unix", ""))
            words = _told(at, given.get("format", ""), self._now) if at else ""
            self._begin(
                drawn, instant(at, words).removesuffix("</time>") if at else "<span>", "</time>" if at else "</span>"
            )
            self._told = bool(words)
        else:
            self._begin(drawn, f"<{drawn}>", f"</{drawn}>")

    def handle_endtag(self, tag: str) -> None:
        drawn, names = _TAGS.get(tag), self._names()
        if drawn is None:
            self.handle_data(f"</{tag}>")
        elif drawn in names:
            self._end(names.index(drawn))

    def handle_data(self, data: str) -> None:
        if self._told:
            return
        if self._html and self._html[-1] == "</blockquote>":
            data = data.removeprefix("\n")  # the block ends its line
        self._html.append(text(data))

    def _names(self) -> list[str]:
        return [name for name, _ in self._open]

    def _begin(self, name: str, before: str, after: str) -> None:
        self._html.append(before)
        self._open.append((name, after))

    def _end(self, depth: int) -> None:
        while len(self._open) > depth:
            name, after = self._open.pop()
            self._html.append(after)
            self._told = self._told and name != "time"


def _told(at: datetime, form: str, now: datetime) -> str:
    """An instant as its format asks, in UTC; nothing where the words are to stay."""
    if form == "r":
        return ago(at, now)
    utc = at.astimezone(UTC)
    forms = {"w": f"{utc:%a}", "d": f"{utc:%d.%m.%y}", "D": f"{utc:%B} {utc.day}, {utc.year}", "t": clock(at)}
    return " ".join(({**forms, "T": f"{utc:%H:%M:%S}"})[each] for each in form if each in "wdDtT")
