"""A fake Slack: the Web API methods that the notifier calls, and incoming webhooks.

Answers have the shapes of https://docs.slack.dev/reference/methods, errors are Slack's own words.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.receivers import Receiver

TOKEN = "xoxb-1-fake-canary-5f2d"
SCOPES = ("chat:write", "chat:write.public", "channels:history", "groups:history")
UPDATE_LIMIT = 4_000
BLOCKS_LIMIT = 13_200
TEXT_TYPES = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}


@dataclass
class SlackMessage:
    """One message as people in the channel see it."""

    channel: str
    ts: str
    text: str
    mrkdwn: bool = True
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: dict[str, Any] | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """As they stand now; the text is shown where there are none."""
    edits: list[str] = field(default_factory=list)
    """The texts of later edits, oldest first."""
    deleted: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The text as it stands now."""
        return self.edits[-1] if self.edits else self.text


class FakeSlack(Receiver):
    def __init__(self, token: str = TOKEN, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self.messages: list[SlackMessage] = []
        """In order of arrival; webhook posts are in the channel called like the webhook."""
        self.token = token
        self.scopes: set[str] = set(SCOPES)
        self.refusals: dict[str, str] = {}
        """By channel: the error that posting there gets, such as `is_archived`."""
        self.hidden: set[str] = set()
        """Channels that the bot may post to, but not read."""
        self.private: set[str] = set()
        """Channels whose history needs the scope of private ones."""
        self.page_size = 1_000
        """At most so many messages per page of history, whatever is asked for."""

    @property
    def url(self) -> str:
        """The `api_url` of the configuration."""
        return f"{self.origin}/api/"

    def webhook(self, name: str) -> str:
        return f"{self.origin}/services/T0/B0/{self.token}/{name}"

    def delete(self, ts: str) -> None:
        """What a person does with a message."""
        next(message for message in self.messages if message.ts == ts).deleted = True

    def respond(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.Response:
        if request.path.startswith("/services/"):
            return self._webhook(request.path, arguments)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refuse("invalid_auth" if "Authorization" in request.headers else "not_authed")
        methods = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "auth.test": self._auth_test,
        }
        return methods[method](arguments) if method in methods else _refuse("unknown_method")

    def _webhook(self, path: str, arguments: dict[str, Any]) -> web.Response:
        matched = re.fullmatch(r"/services/T0/B0/([^/]+)/(\w+)", path)
        if matched is None or matched[1] != self.token:
            return web.Response(status=404, text="no_service")
        if matched[2] in self.refusals:
            return web.Response(status=404, text=self.refusals[matched[2]])
        if refusal := unfit(arguments):
            return web.Response(status=400, text=refusal)
        self._take(matched[2], arguments)
        return web.Response(text="ok", content_type="text/html")

    def _post(self, arguments: dict[str, Any]) -> web.Response:
        channel, parent = str(arguments.get("channel", "")), arguments.get("thread_ts")
        if "chat:write" not in self.scopes:
            return _refuse("missing_scope", needed="chat:write", provided=",".join(sorted(self.scopes)))
        if channel in self.refusals or not channel:
            return _refuse(self.refusals.get(channel, "channel_not_found"))
        if refusal := unfit(arguments):
            return _refuse(refusal)
        if parent is not None and self._standing(channel, parent) is None:
            return _refuse("cannot_reply_to_message" if self._known(parent) else "thread_not_found")
        message = self._take(channel, arguments)
        return _answer(channel=channel, ts=message.ts, message=_shown(message, metadata=True))

    def _update(self, arguments: dict[str, Any]) -> web.Response:
        message = self._standing(str(arguments.get("channel")), str(arguments.get("ts")))
        if message is None:
            return _refuse("message_not_found")
        text = str(arguments.get("text", ""))
        if len(text.encode()) > UPDATE_LIMIT:
            return _refuse("msg_too_long")
        if refusal := unfit(arguments):
            return _refuse(refusal)
        message.edits.append(text)
        message.blocks = arguments.get("blocks") or []
        return _answer(channel=message.channel, ts=message.ts, text=text, message=_shown(message, metadata=True))

    def _history(self, arguments: dict[str, Any]) -> web.Response:
        channel = str(arguments.get("channel"))
        if refusal := self._unreadable(channel):
            return refusal
        inside = [m for m in self._in(channel) if m.thread_ts is None or m.broadcast]
        return self._page(list(reversed(inside)), arguments)

    def _replies(self, arguments: dict[str, Any]) -> web.Response:
        channel, parent = str(arguments.get("channel")), str(arguments.get("ts"))
        if refusal := self._unreadable(channel):
            return refusal
        if self._standing(channel, parent) is None:
            return _refuse("thread_not_found")
        return self._page([m for m in self._in(channel) if parent in (m.ts, m.thread_ts)], arguments)

    def _auth_test(self, arguments: dict[str, Any]) -> web.Response:
        return _answer(
            headers={"x-oauth-scopes": ",".join(sorted(self.scopes))},
            url="https://desk.slack.com/",
            team="Trading Desk",
            user="kraken_status",
            team_id="T0",
            user_id="U0",
            bot_id="B0",
            is_enterprise_install=False,
        )

    def _unreadable(self, channel: str) -> web.Response | None:
        needed = "groups:history" if channel in self.private else "channels:history"
        if needed not in self.scopes:
            return _refuse("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))
        return _refuse("not_in_channel") if channel in self.hidden else None

    def _page(self, found: list[SlackMessage], arguments: dict[str, Any]) -> web.Response:
        oldest, start = float(arguments.get("oldest") or 0), int(arguments.get("cursor") or 0)
        limit = min(int(arguments.get("limit") or 100), self.page_size)
        within = [m for m in found if float(m.ts) >= oldest or arguments.get("ts") == m.ts]
        rest = start + limit < len(within)
        metadata = str(arguments.get("include_all_metadata")).lower() in ("true", "1")
        return _answer(
            messages=[_shown(m, metadata=metadata) for m in within[start : start + limit]],
            has_more=rest,
            **({"response_metadata": {"next_cursor": str(start + limit)}} if rest else {}),
        )

    def _take(self, channel: str, arguments: dict[str, Any]) -> SlackMessage:
        message = SlackMessage(
            channel=channel,
            ts=f"{int(self._clock())}.{len(self.messages) + 1:06d}",
            text=str(arguments["text"]),
            mrkdwn=arguments.get("mrkdwn", True) is not False,
            thread_ts=arguments.get("thread_ts"),
            broadcast=bool(arguments.get("reply_broadcast")),
            metadata=arguments.get("metadata"),
            blocks=arguments.get("blocks") or [],
            arguments=arguments,
        )
        self.messages.append(message)
        return message

    def _in(self, channel: str) -> list[SlackMessage]:
        return [m for m in self.messages if m.channel == channel and not m.deleted]

    def _standing(self, channel: str, ts: str) -> SlackMessage | None:
        return next((m for m in self._in(channel) if m.ts == ts), None)

    def _known(self, ts: str) -> bool:
        return any(m.ts == ts for m in self.messages)


def unfit(arguments: dict[str, Any]) -> str | None:
    """Slack's word for a text or blocks that it does not take."""
    blocks = arguments.get("blocks") or []
    if not arguments.get("text") and not blocks:
        return "no_text"
    if len(blocks) > 50 or not all(isinstance(block, dict) and _is_block(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if len(json.dumps(blocks)) > BLOCKS_LIMIT else None


def _is_block(block: dict[str, Any]) -> bool:
    """The kinds that the notifier has use for, in the shapes of https://docs.slack.dev/reference/block-kit/blocks."""
    keys, fields, elements = set(block) - {"block_id"}, block.get("fields", []), block.get("elements", [])
    match block.get("type"):
        case "header":
            return keys == {"type", "text"} and _is_text(block["text"], 150, "plain_text")
        case "section":
            return (
                {"type"} < keys <= {"type", "text", "fields", "expand"}
                and ("text" not in block or _is_text(block["text"], 3_000))
                and ("fields" not in block or 0 < len(fields) <= 10)
                and all(_is_text(each, 2_000) for each in fields)
            )
        case "context":
            return (
                keys == {"type", "elements"}
                and 0 < len(elements) <= 10
                and all(_is_text(each, 2_000) for each in elements)
            )
        case "divider":
            return keys == {"type"}
    return False


def _is_text(given: dict[str, Any], limit: int, *types: str) -> bool:
    return (
        given.get("type") in (types or tuple(TEXT_TYPES))
        and set(given) <= TEXT_TYPES[given["type"]]
        and bool(str(given.get("text", "")).strip())
        and len(given["text"]) <= limit
    )


def _shown(message: SlackMessage, *, metadata: bool) -> dict[str, Any]:
    return {
        "type": "message",
        **({"subtype": "thread_broadcast"} if message.broadcast else {"subtype": "bot_message"}),
        "user": "U0",
        "bot_id": "B0",
        "ts": message.ts,
        "text": message.shown,
        **({"blocks": message.blocks} if message.blocks else {}),
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        **({"edited": {"user": "U0", "ts": message.ts}} if message.edits else {}),
        **({"metadata": message.metadata} if metadata and message.metadata else {}),
    }


def _answer(headers: dict[str, str] | None = None, **fields: Any) -> web.Response:
    return web.json_response({"ok": True, **fields}, headers=headers)


def _refuse(error: str, **fields: Any) -> web.Response:
    return web.json_response({"ok": False, "error": error, **fields})
