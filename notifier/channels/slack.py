"""Slack through its Web API: threads, edits, and a look into the history before anything is sent twice.

The text carries the delivery ids as message metadata (https://docs.slack.dev/messaging/message-metadata), by which
the bot recognises its own message after a crash or a lost answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from notifier.channels.slack_errors import THREAD_GONE, UNCHANGEABLE, UNREADABLE, error_code, explain
from notifier.channels.slack_text import text_of
from notifier.channels.transport import TIMEOUT, only_failures
from notifier.model import Address, Message, Receipt
from notifier.ports import BadCredentials

Style = Literal["thread", "flat"]
Payload = dict[str, Any]

EVENT_TYPE = "kraken_status"
PAGE_SIZE = 200
MAX_PAGES = 5
"""Of 200 messages each: what is searched for one lost answer."""

_SEES_HISTORY = ("channels:history", "groups:history")


def compose(to: Address, message: Message, *, style: Style = "thread") -> Payload:
    """The arguments of https://docs.slack.dev/reference/methods/chat.postMessage."""
    payload: Payload = {
        "channel": to.target,
        **text_of(message),
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"delivery_ids": list(message.delivery_ids)}},
    }
    if message.thread is not None and style == "thread":
        payload |= {"thread_ts": message.thread.ref, "reply_broadcast": message.loud}
    return payload


def compose_edit(receipt: Receipt, message: Message) -> Payload:
    """The arguments of https://docs.slack.dev/reference/methods/chat.update; metadata left out stays as it was."""
    return {"channel": receipt.to, "ts": receipt.ref, **text_of(message)}


class Slack:
    """`api_url` ends in /api/. The session is shared and stays open."""

    name = "slack"
    can_edit = True

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession, style: Style = "thread") -> None:
        self._client = AsyncWebClient(token, api_url, session=session, retry_handlers=[])
        self._client.proxy = None  # slack-sdk reads the environment by itself; the session knows its proxy
        self._style = style
        self.can_find = True
        self.notes: list[str] = []
        """What operators should know, each once."""

    async def send(self, to: Address, message: Message) -> Receipt:
        payload = compose(to, message, style=self._style)
        with only_failures("Slack", explain):
            try:
                answer = await self._call("chat.postMessage", json=payload)
            except SlackApiError as error:
                if "thread_ts" not in payload or error_code(error) not in THREAD_GONE:
                    raise
                payload = {key: payload[key] for key in payload.keys() - {"thread_ts", "reply_broadcast"}}
                answer = await self._call("chat.postMessage", json=payload)
            return Receipt(to=str(answer["channel"]), ref=str(answer["ts"]), root="thread_ts" not in payload)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        with only_failures("Slack", explain):
            try:
                await self._call("chat.update", json=compose_edit(receipt, message))
            except SlackApiError as error:
                if error_code(error) not in UNCHANGEABLE:
                    raise

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        """None also where the bot may not look; `notes` says so, and `can_find` if that holds everywhere."""
        thread = message.thread if self._style == "thread" else None
        with only_failures("Slack", explain):
            if thread is not None:
                found = await self._search("conversations.replies", thread.to, message, since, ts=thread.ref)
                if found is not None:
                    return found
            return await self._search("conversations.history", to.target, message, since)

    async def check(self) -> str:
        """As whom and where, with what the token's scopes do not allow. Raises BadCredentials without chat:write."""
        with only_failures("Slack", explain):
            answer = await self._call("auth.test", json={})
            who = f"{answer.get('user')} at {answer.get('team')}"
            granted = answer.headers.get("x-oauth-scopes")
            if granted is None:
                return who
            scopes = {scope.strip() for scope in granted.split(",")}
            if "chat:write" not in scopes:
                raise BadCredentials("the Slack token lacks the scope chat:write")
            missing = [scope for scope in _SEES_HISTORY if scope not in scopes]
            return f"{who} (without {', '.join(missing)}: may repeat after a crash)" if missing else who

    async def close(self) -> None:
        """Nothing to do: the session belongs to the caller."""

    async def _search(
        self, method: str, channel: str, message: Message, since: datetime, **where: str
    ) -> Receipt | None:
        query = {
            "channel": channel,
            "oldest": f"{since.timestamp():.6f}",
            "include_all_metadata": "true",
            "limit": str(PAGE_SIZE),
            **where,
        }
        for _ in range(MAX_PAGES):
            try:
                answer = await self._call(method, data=query)
            except SlackApiError as error:
                code = error_code(error)
                if code in THREAD_GONE:
                    return None
                if code not in UNREADABLE:
                    raise
                self.can_find = self.can_find and code != "missing_scope"
                self._note(f"Slack messages cannot be looked up ({code}), so a lost answer may repeat one")
                return None
            for each in answer.get("messages") or ():
                if _carries(each, message.delivery_ids):
                    return Receipt(to=channel, ref=str(each["ts"]), root=each.get("thread_ts") in (None, each["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            query["cursor"] = cursor
        self._note(f"{channel} has too many messages to look one up, so a lost answer may repeat it")
        return None

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    async def _call(self, method: str, **arguments: Any) -> Any:
        async with asyncio.timeout(TIMEOUT.total):
            return await self._client.api_call(method, **arguments)


def _carries(shown: Payload, delivery_ids: Sequence[str]) -> bool:
    metadata = shown.get("metadata") or {}
    carried = (metadata.get("event_payload") or {}).get("delivery_ids") or ()
    return metadata.get("event_type") == EVENT_TYPE and not set(delivery_ids).isdisjoint(carried)
