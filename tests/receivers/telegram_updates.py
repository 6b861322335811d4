"""How a fake Bot API hands over what happened: getUpdates, or a webhook.

Rules and error texts are those of https://core.telegram.org/bots/api#getting-updates and of
https://github.com/tdlib/telegram-bot-api. Unlike Telegram's own servers it posts to plain http on loopback, one update
at a time, and tries again after 20 ms.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp

Json = dict[str, Any]

ON_WISH = {"chat_member", "message_reaction", "message_reaction_count"}
"""What a bot gets only if it asks for it by name."""
RETRY_SECONDS = 0.02
LONGEST_POLL = 50
CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
WEBHOOK_SET = "Conflict: terminated by setWebhook request"


class Refused(Exception):
    """The Bot API's answer to a request that it does not do."""

    def __init__(self, status: int, text: str, **parameters: object) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.parameters = parameters


class Updates:
    """What happened, in order. `stirred` is called when something was handed over."""

    def __init__(self, stirred: Callable[[], Awaitable[None]]) -> None:
        self.all: list[Json] = []
        """Every update there ever was, confirmed or not."""
        self.pending: list[Json] = []
        """Those that nobody has confirmed."""
        self.judge: Callable[[Json], None] = lambda _: None
        self.posts: list[tuple[int, int | None]] = []
        """Each post to the webhook: its update_id, and the status answered; None is no answer."""
        self._stirred = stirred
        self._allowed: list[str] = []
        self._poll: asyncio.Future[str | None] | None = None
        self._came = asyncio.Event()
        self._hook: Json = {}
        self._posting: asyncio.Task[None] | None = None
        self._number = 70_000

    def add(self, kind: str, content: Json) -> None:
        """Something happened; dropped if the bot did not ask for such news."""
        if kind not in self._allowed if self._allowed else kind in ON_WISH:
            return
        self._number += 1
        update = {"update_id": self._number, kind: content}
        self.judge(update)
        self.all.append(update)
        self.pending.append(update)
        self._came.set()
        self._end_poll(None)

    def get(self, arguments: Json) -> Awaitable[list[Json]]:
        """getUpdates: an earlier one that still waits ends with a conflict."""
        if self._hook:
            raise Refused(409, WEBHOOK_ACTIVE)
        self._end_poll(CONFLICT)
        self._allow(arguments)
        offset = int(arguments.get("offset", 0))
        if offset < 0:
            del self.pending[:offset]
        self.pending[:] = [each for each in self.pending if each["update_id"] >= offset]
        self._poll = poll = asyncio.get_running_loop().create_future()
        if self.pending:
            poll.set_result(None)
        timeout = min(max(int(arguments.get("timeout", 0)), 0), LONGEST_POLL)
        return self._polled(poll, min(max(int(arguments.get("limit", 100)), 1), 100), timeout)

    async def _polled(self, poll: asyncio.Future[str | None], limit: int, timeout: int) -> list[Json]:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout or 0.001):
                if ended := await poll:
                    raise Refused(409, ended)
        return self.pending[:limit]

    def _end_poll(self, why: str | None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(why)

    def _allow(self, arguments: Json) -> None:
        if "allowed_updates" in arguments:
            self._allowed = list(arguments["allowed_updates"])

    def set_webhook(self, arguments: Json) -> tuple[bool, str]:
        url, secret = str(arguments.get("url", "")), str(arguments.get("secret_token", ""))
        if not url:
            return self.delete_webhook(arguments)
        address = urlsplit(url)
        if address.scheme != "https" and address.hostname != "127.0.0.1":
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256:
            raise Refused(400, "Bad Request: secret token is too long")
        if not re.fullmatch("[A-Za-z0-9_-]*", secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        self._end_poll(WEBHOOK_SET)
        self._allow(arguments)
        self._drop(arguments)
        same = self._hook.get("url") == url
        self._hook = {"url": url, "secret": secret, "max_connections": int(arguments.get("max_connections", 40))}
        if self._posting is None:
            self._posting = asyncio.create_task(self._post_all())
        return True, "Webhook is already set" if same else "Webhook was set"

    def delete_webhook(self, arguments: Json) -> tuple[bool, str]:
        self._drop(arguments)
        was, self._hook = self._hook, {}
        self.close()
        return True, "Webhook was deleted" if was else "Webhook is already deleted"

    def _drop(self, arguments: Json) -> None:
        if arguments.get("drop_pending_updates") in ("true", "True", True):
            self.pending.clear()

    def webhook_info(self, _: Json) -> Json:
        told = {key: value for key, value in self._hook.items() if key != "secret"}
        return {
            "url": "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
            **told,
            **({"allowed_updates": self._allowed} if self._allowed else {}),
        }

    async def _post_all(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                self._came.clear()
                if not self.pending:
                    await self._came.wait()
                    continue
                status = await self._post(session, self.pending[0])
                await self._stirred()
                if status is None or not 200 <= status < 300:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._came.wait(), RETRY_SECONDS)

    async def _post(self, session: aiohttp.ClientSession, update: Json) -> int | None:
        """The status that the webhook answered; a success confirms."""
        secret = self._hook.get("secret")
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        status, wrong = None, "Connection refused"
        try:
            patience = aiohttp.ClientTimeout(total=5)
            async with session.post(self._hook["url"], json=update, headers=headers, timeout=patience) as response:
                status, wrong = response.status, f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.posts.append((update["update_id"], status))
        if status is not None and 200 <= status < 300:
            self.pending[:] = [each for each in self.pending if each is not update]
        else:
            self._hook |= {"last_error_date": 1_770_000_000 + len(self.posts), "last_error_message": wrong}
        return status

    def close(self) -> None:
        """Nothing is posted any more, and nobody waits."""
        self._end_poll(None)
        if self._posting is not None:
            self._posting.cancel()
            self._posting = None
