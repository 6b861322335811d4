"""A status page, its feed and the exchange on loopback: the simulator's words, until a test says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Self

from notifier.simulator import Script
from notifier.simulator.shown import turn
from notifier.simulator.site import SYSTEM_STATUS, Copy, copy
from tests.doubles import FrozenClock
from tests.sources.wire import Answer, Wire, response, serving

Document = dict[str, Any]

TARGETS = {"api": "/api/*", "feed": "/history.*", "exchange": SYSTEM_STATUS}
COMPONENTS = 12
"""Of the page's 826, those that stand first: enough to read, and quick."""


class RawPage:
    """`edit` changes the JSON of what is served, `rewrite` its bytes, `answer` takes their place; `heal` ends it all.

    A target is `api`, `feed`, `exchange`, or a glob of paths. Nothing has an ETag, and every answer is whole.
    """

    def __init__(self, script: Script) -> None:
        self.clock = FrozenClock(script.page.start)
        self.lead = timedelta()
        """How far the reader's clock is ahead of the page's."""
        self._script = script
        self._rewrites: list[tuple[str, Callable[[bytes], bytes]]] = []
        self._answers: list[tuple[str, Answer]] = []
        self._stack = AsyncExitStack()
        self._wire = Wire()

    @property
    def url(self) -> str:
        return self._wire.url

    @property
    def asked(self) -> list[str]:
        """The paths asked for, in order."""
        return self._wire.paths

    def edit(self, target: str, change: Callable[[Document], object]) -> None:
        """`change` has its way with every decoded document, 404s left out."""

        def rewritten(body: bytes) -> bytes:
            document = json.loads(body)
            if "errors" not in document:
                change(document)
            return json.dumps(document).encode()

        self.rewrite(target, rewritten)

    def rewrite(self, target: str, change: Callable[[bytes], bytes]) -> None:
        self._rewrites.append((TARGETS.get(target, target), change))

    def answer(self, target: str, answer: Answer) -> None:
        self._answers.append((TARGETS.get(target, target), answer))

    def heal(self) -> None:
        self._rewrites.clear()
        self._answers.clear()

    async def __aenter__(self) -> Self:
        self._wire = await self._stack.enter_async_context(serving(self._serve))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = self.asked[-1]
        instead = next((answer for target, answer in self._answers if fnmatchcase(path, target)), None)
        if instead is not None:
            await instead(reader, writer)
            return
        at = self.clock.now() - self.lead
        found = _found(self._script, path, at if path == SYSTEM_STATUS else turn(self._script, at))
        body = found.body
        for target, change in self._rewrites:
            body = change(body) if fnmatchcase(path, target) else body
        status = "200 OK" if found.status == 200 else f"{found.status} Not Found"
        writer.write(response(body, status, content_type=found.content_type))


@lru_cache(256)
def _found(script: Script, path: str, at: datetime) -> Copy:
    found = copy(script, path, at)
    if not path.startswith("/api/"):
        return found
    document = json.loads(found.body)
    if "components" in document:
        document["components"] = document["components"][:COMPONENTS]
    return replace(found, body=json.dumps(document).encode())
