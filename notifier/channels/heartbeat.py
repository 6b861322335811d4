"""A sign of life for a dead man's switch: one GET of a URL that is a secret as a whole."""

from __future__ import annotations

import aiohttp

from notifier.ports import NotSent
from notifier.transport import only_failures

SECONDS = 10


class Heartbeat:
    """`url` is never told, in no error either. No redirect is followed."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def ping(self) -> None:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        with only_failures("the heartbeat's host"):
            async with self._session.get(self._url, allow_redirects=False, timeout=timeout) as response:
                if not response.ok or response.status >= 300:
                    raise NotSent(f"the heartbeat's host answered {response.status}")
