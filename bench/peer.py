"""What the program talks to, in a process of its own: a simulated page, and sinks that note when a message arrives."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

from notifier.simulator import Simulator, load

DAYS = 90
"""How many updates the story's incident gets: one a day."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Something arrived, or was answered in full, at `at` seconds of the clock that all processes share."""

    what: str
    """A channel's name, or the path of a page that changed."""
    at: float


@dataclass(frozen=True, slots=True)
class Ports:
    page: str
    sinks: str
    smtp: int


class Peer:
    """The other process. `start` is the first instant of its story; an update is posted on each day of it."""

    def __init__(self, pipe: Connection, start: datetime) -> None:
        self._pipe = pipe
        self._start = start
        self.ports: Ports = pipe.recv()

    def show(self, day: int, *, drift: bool = True) -> None:
        """The page as of this day, and no stamps yet. With `drift` each answer is a second later than the last one:
        SystemStatus tells the time, so that no two of its answers are equal.
        """
        self._ask((self._start + timedelta(days=day, hours=1), timedelta(seconds=drift)))

    def stamps(self) -> list[Stamp]:
        """Since the last `show`."""
        stamps: list[Stamp] = self._ask(None)
        return stamps

    def _ask(self, question: object) -> Any:
        self._pipe.send(question)
        return self._pipe.recv()


@contextmanager
def peer(start: datetime) -> Iterator[Peer]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_live, args=(theirs, start), daemon=True)
    process.start()
    try:
        yield Peer(ours, start)
    finally:
        process.terminate()
        process.join()


def _story(start: datetime) -> str:
    """Fifty incidents that are over, and one that is open from the first day to the last."""
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    updates = [
        f"""
        [[incidents.updates]]
        at = {start + timedelta(days=day):{stamp}}
        status = "{"identified" if day else "investigating"}"
        text = "We are investigating errors on the WebSocket API. This is what we know on day {day}: {"so far " * 30}."
        """
        for day in range(DAYS)
    ]
    return f"""
    [page]
    start = {start:{stamp}}
    end = {start + timedelta(days=DAYS):{stamp}}
    history = 50
    [[incidents]]
    name = "bench"
    title = "WebSocket API connection errors"
    impact = "minor"
    components = ["Kraken API (Websocket)"]
    {"".join(updates)}
    """


class _Page(Simulator):
    """Notes when the last byte of a page was written."""

    stamps: list[Stamp]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = await super()._answer(request)
        await response.prepare(request)
        await response.write_eof()
        if response.status == 200:
            self.stamps.append(Stamp(request.path, time.monotonic()))
        return response


class _Sinks:
    """Slack, a webhook, Telegram and a mail server that take everything."""

    def __init__(self, stamps: list[Stamp]) -> None:
        self._stamps = stamps
        self._count = 0

    def _note(self, channel: str) -> None:
        self._stamps.append(Stamp(channel, time.monotonic()))
        self._count += 1

    async def slack(self, request: web.Request) -> web.Response:
        self._note("slack")
        told = await request.json()
        return web.json_response({"ok": True, "channel": told.get("channel"), "ts": f"1700000000.{self._count:06}"})

    async def webhook(self, request: web.Request) -> web.Response:
        self._note("slack-webhook")
        await request.read()
        return web.Response(text="ok")

    async def telegram(self, request: web.Request) -> web.Response:
        self._note("telegram")
        chat = {"id": int(str((await request.post())["chat_id"])), "type": "private"}
        return web.json_response({"ok": True, "result": {"message_id": self._count, "date": 0, "chat": chat}})

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go ahead\r\n")
                await reader.readexactly(1)
                self._note("mailto")
                await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")
        writer.close()


def _live(pipe: Connection, start: datetime) -> None:
    asyncio.run(_serve(pipe, start))


async def _serve(pipe: Connection, start: datetime) -> None:
    stamps: list[Stamp] = []
    now, drift = start, timedelta()

    def clock() -> datetime:
        nonlocal now
        now += drift
        return now

    def answer() -> None:
        nonlocal now, drift
        question = pipe.recv()
        if question is None:
            pipe.send(list(stamps))
        else:
            now, drift = question
            stamps.clear()
            pipe.send(None)

    page, sinks = _Page(load(_story(start)), clock), _Sinks(stamps)
    page.stamps = stamps
    app = web.Application()
    app.router.add_post("/slack/{method}", sinks.slack)
    app.router.add_post("/webhook/{name}", sinks.webhook)
    app.router.add_post("/{bot}/{method}", sinks.telegram)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1").start()
    smtp = await asyncio.start_server(sinks.mail, "127.0.0.1", 0)
    async with page:
        host, port = runner.addresses[0][:2]
        pipe.send(Ports(page=page.url, sinks=f"http://{host}:{port}", smtp=smtp.sockets[0].getsockname()[1]))
        asyncio.get_running_loop().add_reader(pipe.fileno(), answer)
        await asyncio.Event().wait()
