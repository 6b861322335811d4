"""Telegram's Bot API: python-telegram-bot on aiohttp, where "not sent" and "perhaps sent" are told apart exactly.

The token is known here and nowhere else: the library logs URLs and quotes tokens, so it is given neither.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData

from notifier.ports import Ambiguous, BadCredentials, BadMessage, ChannelFailure, Gone, Moved, NotSent, Throttled
from notifier.subscription import Address
from notifier.transport import NOT_SENT, TIMEOUT, proxy_of

GONE = (
    "chat not found",
    "user not found",
    "group chat was deactivated",
    "need administrator rights in the channel chat",
    "not enough rights to send",
    "have no rights to send a message",
    "chat_write_forbidden",
    "chat_restricted",
    "channel_private",
    "peer_id_invalid",
    "topic_closed",
)
"""400s that refuse the recipient. Texts as in https://github.com/tdlib/telegram-bot-api (Client.cpp), in lower case."""

TOPIC_GONE = ("message thread not found", "topic_deleted", "topic_closed")
UNCHANGED = ("message is not modified",)
UNCHANGEABLE = (
    *UNCHANGED,
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    *TOPIC_GONE,
)
"""400s of an edit that has nothing left to do."""


UPDATES = "/getUpdates"
LONG_POLL_SECONDS = 25
"""How long Telegram keeps a question for updates open; proxies cut what is silent for half a minute."""
LONG_POLL = aiohttp.ClientTimeout(total=LONG_POLL_SECONDS + 20, connect=10, sock_read=LONG_POLL_SECONDS + 10)


class Unreached(NetworkError):
    """No connection, so nothing was sent."""


class Paused(NetworkError):
    """Too many requests. The library's own RetryAfter loses a 429 that does not say for how long."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("Telegram wants a pause")
        self.retry_after = retry_after


class TelegramHttp(BaseRequest):
    """Posts to `{api_url}/bot{token}` on a shared session, which stays open."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession) -> None:
        self._base = f"{api_url.rstrip('/')}/bot{token}"
        self._session = session
        self._proxy = proxy_of(api_url)

    @property
    def read_timeout(self) -> float | None:
        return TIMEOUT.sock_read

    async def initialize(self) -> None:
        """Nothing to do: the session is open."""

    async def shutdown(self) -> None:
        """Nothing to do: the session belongs to the caller."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """`url` is the method's path; the timeouts are ours. Raises Unreached, Paused, or NetworkError if unclear."""
        data = request_data.json_parameters if request_data else None
        try:
            call = self._session.request(
                method,
                self._base + url,
                data=data,
                timeout=self._patience(url),
                allow_redirects=False,
                proxy=self._proxy,
            )
            async with call as response:
                status, body = response.status, await response.read()
        except NOT_SENT as error:
            raise Unreached(f"Telegram cannot be reached: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NetworkError(f"no answer from Telegram: {type(error).__name__}") from None
        answer = _answer(body)
        if answer is None:
            raise NetworkError(f"unclear answer from Telegram: status {status}")
        if status == 429:
            raise Paused(_seconds(answer))
        return status, body

    async def updates(self, offset: int | None, *, wait: int, limit: int, allowed: Sequence[str]) -> list[Any]:
        """https://core.telegram.org/bots/api#getupdates, unread: the library refuses all for one that it cannot read.

        Raises TelegramError.
        """
        asked = {"timeout": wait, "limit": limit, "allowed_updates": json.dumps(allowed)}
        found = await self.post(f"{UPDATES}?{urlencode(asked if offset is None else {**asked, 'offset': offset})}")
        return found if isinstance(found, list) else []

    def bot(self) -> Bot:
        """It has no token of its own to tell."""
        return Bot("kept-by-bot-api", base_url=lambda _: "", request=self, get_updates_request=self)

    @staticmethod
    def _patience(url: str) -> aiohttp.ClientTimeout:
        return LONG_POLL if url.startswith(UPDATES) else TIMEOUT


def _answer(body: bytes) -> dict[str, Any] | None:
    """The answer, if it is one of the Bot API's and not of something in between."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("ok"), bool) else None


def _seconds(answer: dict[str, Any]) -> float | None:
    parameters = answer.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(wait) if isinstance(wait, int | float) and wait >= 0 else None


def explain(error: Exception) -> ChannelFailure | None:
    """The failure behind an error of python-telegram-bot; None if it is none of its. Subclasses come first."""
    match error:
        case Unreached():
            return NotSent(error.message)
        case Paused():
            return Throttled(error.message, error.retry_after)
        case ChatMigrated():
            return Moved("the group became a supergroup", Address("telegram", str(error.new_chat_id)))
        case Forbidden():
            return Gone(f"Telegram: {error.message}")
        case InvalidToken():
            return BadCredentials("Telegram refuses the bot's token")
        case BadRequest():
            refused = Gone if says(error, GONE) else BadMessage
            return refused(f"Telegram: {error.message}")
        case TelegramError():
            return Ambiguous(error.message)
    return None


def says(error: BadRequest, texts: Sequence[str]) -> bool:
    said = error.message.lower()
    return any(text in said for text in texts)
