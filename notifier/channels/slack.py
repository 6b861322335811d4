"""Slack through its Web API: a card kept current, news in its thread, a look into the history before a second try.

A message carries its delivery ids as metadata (https://docs.slack.dev/messaging/message-metadata), by which
the bot recognises its own message after a crash or a lost answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from notifier.channels.slack_card import blocks_of
from notifier.channels.slack_errors import THREAD_GONE, UNCHANGEABLE, UNREADABLE, error_code, explain
from notifier.channels.slack_text import text_of
from notifier.message import Message, Receipt
from notifier.ports import BadCredentials, Throttles
from notifier.subscription import Address
from notifier.transport import TIMEOUT, only_failures, proxy_of

Style = Literal["thread", "flat"]
Payload = dict[str, Any]

EVENT_TYPE = "kraken_status"
PAGE_SIZE = 200
MAX_PAGES = 5
"""Of 200 messages each: what is searched for one lost answer."""

SCOPES = ("chat:write", "channels:history", "groups:history")
"""What the app's manifest asks for: to post, and to look for what was posted, in public and in private channels."""

_MANIFEST = "slack-app-manifest.yaml"


def compose(to: Address, message: Message, *, style: Style = "thread", broadcast: bool = True) -> Payload:
    """The arguments of https://docs.slack.dev/reference/methods/chat.postMessage."""
    payload: Payload = {
        "channel": to.target,
        **text_of(message),
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"delivery_ids": list(message.delivery_ids)}},
    }
    if style == "thread" and (blocks := blocks_of(message)):
        payload["blocks"] = blocks
    if style == "thread" and message.thread is not None:
        payload |= {"thread_ts": message.thread.ref, "reply_broadcast": message.loud and broadcast}
    return payload


def compose_edit(receipt: Receipt, message: Message, *, style: Style = "thread") -> Payload:
    """The arguments of https://docs.slack.dev/reference/methods/chat.update; metadata left out stays as it was.

    Blocks of a rich form that was refused go, by an empty list.
    """
    blocks = {"blocks": blocks_of(message)} if style == "thread" else {}
    return {"channel": receipt.to, "ts": receipt.ref, **text_of(message), **blocks}


class Slack:
    """`api_url` ends in /api/. The session is shared and stays open. `broadcast`: loud replies in the channel too."""

    name = "slack"
    throttles: Throttles = "call"
    can_edit = True

    def __init__(
        self,
        token: str,
        api_url: str,
        session: aiohttp.ClientSession,
        style: Style = "thread",
        *,
        broadcast: bool = True,
    ) -> None:
        self._client = AsyncWebClient(token, api_url, session=session, retry_handlers=[])
        self._client.proxy = proxy_of(api_url)  # slack-sdk would take one for loopback, too
        self._style: Style = style
        self._broadcast = broadcast
        self.keeps_root = style == "thread"
        self.can_find = True
        self.notes: list[str] = []
        """What operators should know, each once."""

    async def send(self, to: Address, message: Message) -> Receipt:
        payload = self._compose(to, message)
        with only_failures("Slack", explain):
            try:
                answer = await self._call("chat.postMessage", json=payload)
            except SlackApiError as error:
                if "thread_ts" not in payload or error_code(error) not in THREAD_GONE:
                    raise
                payload = self._compose(to, replace(message, thread=None))
                answer = await self._call("chat.postMessage", json=payload)
            return Receipt(to=str(answer["channel"]), ref=str(answer["ts"]), root="thread_ts" not in payload)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        with only_failures("Slack", explain):
            try:
                await self._call("chat.update", json=compose_edit(receipt, message, style=self._style))
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
            missing = [scope for scope in SCOPES if scope not in _listed(granted)]
            cure = f"install the app anew with the scopes of {_MANIFEST}"
            if "chat:write" in missing:
                raise BadCredentials(f"the Slack token lacks {', '.join(missing)}: {cure}")
            return (
                f"{who} (a lost answer may repeat a message without {', '.join(missing)}: {cure})" if missing else who
            )

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
                self._cannot_look(code, error.response)
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

    def _cannot_look(self, code: str, answer: Any) -> None:
        """A missing scope may be that of private channels only; then the others can still be searched."""
        why = code
        if code == "missing_scope":
            why = f"the app lacks {answer.get('needed')} of {_MANIFEST}"
            self.can_find = self.can_find and not _listed(answer.get("provided")).isdisjoint(SCOPES[1:])
        self._note(f"Slack messages cannot be looked up ({why}), so a lost answer may repeat one")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _compose(self, to: Address, message: Message) -> Payload:
        return compose(to, message, style=self._style, broadcast=self._broadcast)

    async def _call(self, method: str, **arguments: Any) -> Any:
        async with asyncio.timeout(TIMEOUT.total):
            return await self._client.api_call(method, **arguments)


def _listed(scopes: str | None) -> set[str]:
    return {scope.strip() for scope in (scopes or "").split(",")}


def _carries(shown: Payload, delivery_ids: Sequence[str]) -> bool:
    metadata = shown.get("metadata") or {}
    carried = (metadata.get("event_payload") or {}).get("delivery_ids") or ()
    return metadata.get("event_type") == EVENT_TYPE and not set(delivery_ids).isdisjoint(carried)
