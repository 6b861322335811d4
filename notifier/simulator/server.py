"""The simulated status page, its feeds and the exchange API, all on one loopback port."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Self

from aiohttp import web

from notifier.simulator.script import Script
from notifier.simulator.shown import turn
from notifier.simulator.site import SYSTEM_STATUS, Copy, copy, disturbed
from notifier.simulator.story import Fault

_CACHE_CONTROL = "max-age=10, public, s-maxage=10, stale-while-revalidate=20, stale-if-error=3600"
_MAX_AGE = 10
_KEPT = 32
"""Copies; a few endpoints at the newest turns, since a copy may be some 400 kB."""


class Simulator:
    """Plays `script` at the story time that `clock` tells; how fast that runs is the caller's affair.

    Use it as an async context manager, or `start` and `stop` it.
    """

    def __init__(self, script: Script, clock: Callable[[], datetime], *, port: int = 0) -> None:
        self.script = script
        self.served: Counter[tuple[str, int]] = Counter()
        """Answers so far, by path and HTTP status; a connection broken off counts as the 200 that it never became."""
        self._clock = clock
        self._port = port
        self._asked: Counter[str] = Counter()
        self._copy = lru_cache(_KEPT)(lambda path, at: copy(script, path, at))
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: the base of the page and of the exchange API."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the simulator is not running; start it first")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Raises OSError if the port is taken."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._stopping.clear()
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        self._stopping.set()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, at = request.path, self._clock()
        self._asked[path] += 1
        fault = next((fault for fault in self.script.faults if fault.strikes(path, at)), None)
        if fault is None or (fault.alternate and self._asked[path] % 2):
            response: web.StreamResponse = self._fresh(request, at)
        elif fault.answer == "stale":
            response = self._fresh(request, at - timedelta(seconds=fault.behind), fault.behind)
        else:
            response = await self._disturbed(request, fault, self._found(path, at))
        self.served[path, response.status] += 1
        return response

    def _found(self, path: str, at: datetime) -> Copy:
        if path == SYSTEM_STATUS:
            return copy(self.script, path, at)
        return self._copy(path, turn(self.script, at))

    def _fresh(self, request: web.Request, at: datetime, behind: float = 0) -> web.Response:
        found = self._found(request.path, at)
        body, headers = _encoded(request, found)
        if request.path == SYSTEM_STATUS:
            return web.Response(body=body, headers=headers)
        unchanged_for = max((at - turn(self.script, at)).total_seconds(), 0)
        headers |= {
            "Cache-Control": _CACHE_CONTROL,
            "Age": str(int(behind or min(unchanged_for, _MAX_AGE))),
            "ETag": f'W/"{found.tag}"',
            "Vary": "Accept,Accept-Encoding",
        }
        if found.status == 200 and any(tag.value in {found.tag, "*"} for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, status=found.status, headers=headers)

    async def _disturbed(self, request: web.Request, fault: Fault, found: Copy) -> web.StreamResponse:
        if fault.answer == "hang":
            await self._stopping.wait()
        body, headers = _encoded(request, disturbed(fault, found))
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        half = body[: len(body) // 2]
        match fault.answer:
            case "truncated":
                return web.Response(body=half, headers=headers)
            case "cut":
                response = web.StreamResponse(headers=headers | {"Content-Length": str(len(body))})
                await response.prepare(request)
                await response.write(half)
            case "drop" | "hang":
                response = web.StreamResponse()
            case answer:
                return web.Response(body=body, status=answer if isinstance(answer, int) else 200, headers=headers)
        if request.transport:
            request.transport.close()
        return response


def _encoded(request: web.Request, found: Copy) -> tuple[bytes, dict[str, str]]:
    """What goes over the wire, and the headers that say how to read it."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return found.zipped, {"Content-Type": found.content_type, "Content-Encoding": "gzip"}
    return found.body, {"Content-Type": found.content_type}
