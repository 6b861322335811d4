"""A channel of Slack and its threads as the desktop client shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifier.facsimile.ink import BOT, avatar, clock, instant, link, ordinal, text
from notifier.facsimile.mrkdwn import first_line, literal, mrkdwn

Block = dict[str, Any]

_ALSO = '<p class="small">Also sent to the channel</p>'


@dataclass(frozen=True, kw_only=True, slots=True)
class SlackPost:
    """`payload` are the arguments of chat.postMessage as they stand after every chat.update."""

    payload: dict[str, Any]
    ts: str
    at: datetime
    edited: bool = False
    """Whether chat.update has changed it, which Slack shows."""


def draw(posts: Sequence[SlackPost]) -> str:
    """The channel, and below or beside it one thread for each message that was replied to."""
    heads = {post.ts: post for post in posts if _thread(post) is None}
    replies: dict[str, list[SlackPost]] = {}
    shown: list[SlackPost] = []
    for post in posts:
        root = _thread(post)
        if root in heads:
            replies.setdefault(root, []).append(post)
        if root not in heads or post.payload.get("reply_broadcast"):
            shown.append(post)
    rows = "".join(
        _divided(post, before) + _post(post, above=_above(post, heads), below=_below(replies.get(post.ts, ())))
        for before, post in zip([None, *shown], shown, strict=False)
    )
    name = _channel(posts)
    threads = "".join(_threaded(heads[ts], told, name) for ts, told in replies.items())
    return (
        '<section class="client slack"><h3>Slack</h3>\n<div class="window">'
        f'<div class="titlebar" aria-hidden="true"><span>Search</span></div>'
        f'<div class="panes"><div class="channel"><p class="bar">{name}</p><ol>{rows}</ol></div>{threads}</div>'
        "</div></section>"
    )


def _thread(post: SlackPost) -> str | None:
    ts = post.payload.get("thread_ts")
    return None if ts in (None, post.ts) else str(ts)


def _channel(posts: Sequence[SlackPost]) -> str:
    name = text(str(posts[0].payload.get("channel", "")).removeprefix("#")) if posts else ""
    return f'<span class="hash">#</span> {name or "channel"}'


def _divided(post: SlackPost, before: SlackPost | None) -> str:
    day = post.at.astimezone(UTC)
    if before and before.at.astimezone(UTC).date() == day.date():
        return ""
    return f'<li class="day"><span>{day:%A, %B} {ordinal(day.day)}</span></li>'


def _above(post: SlackPost, heads: dict[str, SlackPost]) -> str:
    root = heads.get(_thread(post) or "")
    return f'<p class="above small">replied to a thread: {_title(root)}</p>' if root else ""


def _below(replies: Sequence[SlackPost]) -> str:
    if not replies:
        return ""
    last = f'<span class="small">Last reply at {instant(replies[-1].at, clock(replies[-1].at))}</span>'
    return f'<p class="replies">{avatar("tiny")} <b>{_counted(replies)}</b> {last}</p>'


def _counted(replies: Sequence[SlackPost]) -> str:
    return "1 reply" if len(replies) == 1 else f"{len(replies)} replies"


def _threaded(root: SlackPost, replies: Sequence[SlackPost], channel: str) -> str:
    told = "".join(
        _divided(reply, before) + _post(reply, below=_ALSO if reply.payload.get("reply_broadcast") else "")
        for before, reply in zip([root, *replies], replies, strict=False)
    )
    return (
        f'<div class="thread"><h4 class="bar">Thread <span class="small">{channel}</span></h4>'
        f'<p class="parent">{avatar("tiny")} <span><b>{BOT}</b> {_title(root)}</span></p>'
        f'<p class="count"><span>{_counted(replies)}</span></p><ol>{told}</ol></div>'
    )


def _post(post: SlackPost, *, above: str = "", below: str = "") -> str:
    edited = ' <span class="small">(edited)</span>' if post.edited else ""
    return (
        f'<li class="post">{avatar("square")}<div><p class="head"><b>{BOT}</b> <span class="badge">APP</span> '
        f"{instant(post.at, clock(post.at), style='small')}</p>{above}"
        f'<div class="said">{_content(post)}{edited}</div>{below}</div></li>'
    )


def _content(post: SlackPost) -> str:
    blocks = post.payload.get("blocks")
    if blocks:
        return "".join(_block(block, post.at) for block in blocks)
    words = str(post.payload.get("text", ""))
    return mrkdwn(words, post.at) if post.payload.get("mrkdwn", True) else f"<p>{literal(words)}</p>"


def _title(post: SlackPost) -> str:
    """The first line of a message, where another one points to it."""
    for block in post.payload.get("blocks") or ():
        words = block.get("text")
        if words:
            plain = words.get("type") == "plain_text"
            return literal(str(words["text"])) if plain else first_line(str(words["text"]), post.at)
    return first_line(str(post.payload.get("text", "")), post.at)


def _block(block: Block, now: datetime) -> str:
    match block.get("type"):
        case "header":
            return f'<p class="header">{literal(str(block["text"]["text"]))}</p>'
        case "section":
            return _section(block, now)
        case "context":
            drawn = "".join(_element(each, now) for each in block["elements"])
            return f'<div class="context small">{drawn}</div>'
        case "actions":
            return f'<div class="actions">{"".join(map(_button, block["elements"]))}</div>'
        case "divider":
            return "<hr>"
        case other:
            return f'<p class="small">[{text(str(other))}]</p>'


def _section(block: Block, now: datetime) -> str:
    words = _element(block["text"], now) if "text" in block else ""
    fields = "".join(f"<div>{_element(each, now)}</div>" for each in block.get("fields", ()))
    grid = f'<div class="fields">{fields}</div>' if fields else ""
    button = _button(block["accessory"]) if block.get("accessory", {}).get("type") == "button" else ""
    return f'<div class="section">{words}{grid}{button}</div>'


def _element(element: Block, now: datetime) -> str:
    """A text object, or what an image says where it is not loaded."""
    source = str(element.get("text") or element.get("alt_text") or "")
    return mrkdwn(source, now) if element.get("type") == "mrkdwn" else f"<p>{literal(source)}</p>"


def _button(element: Block) -> str:
    words = literal(str(element.get("text", {}).get("text", "")))
    return link(str(element.get("url", "")), words, style="button")
