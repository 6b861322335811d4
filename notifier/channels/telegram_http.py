"""Telegram's HTTP: python-telegram-bot on aiohttp, where "not sent" and "perhaps sent" are told apart exactly.

The token is known here and nowhere else: the library logs URLs and quotes tokens, so it is given neither.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp
from telegram.error import NetworkError
from telegram.request import BaseRequest, RequestData

from notifier.channels.transport import NOT_SENT, TIMEOUT, proxy_of


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
                method, self._base + url, data=data, timeout=TIMEOUT, allow_redirects=False, proxy=self._proxy
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
