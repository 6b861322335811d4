"""Fake providers on loopback that record what arrived: the oracle of every promise about delivery.

A receiver serves HTTP to this process or any other. `next(...)` queues what goes wrong with the coming requests, one
fault each; the rest is answered as the real provider would.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request, and whether the receiver had taken the message by then."""

    accepted: bool
    status: int | None = None
    """None: no answer at all, the connection is cut."""
    body: str = ""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    """Silence until `release()`, then the proper answer."""
    cut_in_half: bool = False


def refused() -> Fault:
    """The connection is cut before anything is taken."""
    return Fault(accepted=False)


def reply_lost() -> Fault:
    """The message is taken, then the connection is cut."""
    return Fault(accepted=True)


def silence() -> Fault:
    """The message is taken, then nothing is heard until `release()`."""
    return Fault(accepted=True, held=True)


def truncated() -> Fault:
    """The message is taken; the answer is half of its JSON."""
    return Fault(accepted=True, cut_in_half=True)


def html(status: int = 502, *, accepted: bool = False) -> Fault:
    """The page of some proxy in between."""
    return Fault(accepted=accepted, status=status, body="<html><h1>Bad Gateway</h1></html>", kind="text/html")


def answer(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Fault:
    """This answer instead of taking the message; a string as plain text, anything else as JSON."""
    plain = isinstance(body, str)
    return Fault(
        accepted=False,
        status=status,
        body=body if isinstance(body, str) else json.dumps(body),
        kind="text/plain" if plain else "application/json",
        headers=headers or {},
    )


class Receiver:
    """A server that lives as long as its `async with`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        """Every request that came in, as method and arguments, faults included."""
        self.callers: list[str] = []
        """Of each request in `calls` the User-Agent."""
        self._at_each_call: Callable[[], None] = lambda: None
        self.times: list[float] = []
        """When each of them came in, by the clock of the event loop."""
        self._lasting: Fault | None = None
        self._faults: deque[Fault] = deque()
        self._moved = asyncio.Condition()
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def next(self, *faults: Fault) -> None:
        """Queues faults for the coming requests."""
        self._faults.extend(faults)

    def at_each_call(self, do: Callable[[], None]) -> None:
        """Done once a request was read, before it is answered."""
        self._at_each_call = do

    def breaks(self, fault: Fault) -> None:
        """From now on every request meets this fault, until it `mends`."""
        self._lasting = fault

    def mends(self) -> None:
        self._lasting = None

    def release(self) -> None:
        """Ends every silence."""
        self._released.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """Waits for something that a request brings about."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(condition)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
        if self._runner is not None:
            await self._runner.cleanup()

    async def stirred(self) -> None:
        """Whoever waits for something looks again."""
        async with self._moved:
            self._moved.notify_all()

    def respond(
        self, request: web.Request, method: str, arguments: dict[str, Any]
    ) -> web.Response | Awaitable[web.Response]:
        """What the real provider would answer, at once or in a while; takes the message."""
        raise NotImplementedError

    def note(self, request: web.Request, method: str, arguments: dict[str, Any]) -> Fault | None:
        """Writes down what came in, and says what goes wrong with it."""
        fault = self._faults.popleft() if self._faults else self._lasting
        self.calls.append((method, arguments))
        self.callers.append(request.headers.get("User-Agent", ""))
        self._at_each_call()
        self.times.append(asyncio.get_running_loop().time())
        return fault

    async def _handle(self, request: web.Request) -> web.Response:
        method, arguments = request.path.rsplit("/", 1)[-1], await _arguments(request)
        fault = self.note(request, method, arguments)
        answered = self.respond(request, method, arguments) if fault is None or fault.accepted else None
        await self.stirred()
        proper = await answered if isinstance(answered, Awaitable) else answered
        if fault is None and proper is not None:
            return proper
        assert fault is not None
        if fault.held:
            await self._released.wait()
        if proper is not None and fault.held:
            return proper
        if proper is not None and fault.cut_in_half:
            text = proper.text or ""
            return web.Response(text=text[: len(text) // 2], content_type="application/json")
        if fault.status is not None:
            return web.Response(
                status=fault.status, text=fault.body, content_type=fault.kind, headers=dict(fault.headers)
            )
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Query, form or JSON, as providers take them."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return arguments | (await request.json() if request.can_read_body else {})
    return arguments | {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
