"""The other process: a simulated page, and sinks that note when a message arrives."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe

from aiohttp import web

from bench.askers import Waited
from bench.bot_api import BotApi, Connection, Rule, Tally
from bench.peer import DAYS, Ports, Stamp
from notifier.simulator import Simulator, load

HERE = "127.0.0.1"


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
    """Slack, a webhook and a mail server that take everything."""

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


class _Town:
    """What can be asked of this process, each by the name of a method."""

    def __init__(self, start: datetime) -> None:
        self._stamps: list[Stamp] = []
        self._now, self._drift = start, timedelta()
        self.page = _Page(load(_story(start)), self._clock)
        self.page.stamps = self._stamps
        self.sinks = _Sinks(self._stamps)
        self.bot_api = BotApi(lambda: self._stamps.append(Stamp("telegram", time.monotonic())))
        self._rule = Rule()

    def _clock(self) -> datetime:
        self._now += self._drift
        return self._now

    def show(self, now: datetime, drift: timedelta) -> None:
        self._now, self._drift = now, drift
        self._stamps.clear()
        self.bot_api.obey(self._rule)

    def stamped(self) -> list[Stamp]:
        return list(self._stamps)

    def obey(self, rule: Rule) -> None:
        self._rule = rule
        self.bot_api.obey(rule)

    def tallied(self) -> Tally:
        return self.bot_api.tally

    def ask(self, per_second: float, seconds: float) -> None:
        self.bot_api.askers.begin(per_second, seconds)

    def waited(self) -> list[Waited]:
        return self.bot_api.askers.waited()


def live(pipe: Pipe, start: datetime) -> None:
    asyncio.run(_serve(pipe, _Town(start)))


async def _serve(pipe: Pipe, town: _Town) -> None:
    def answer() -> None:
        question, details = pipe.recv()
        pipe.send(getattr(town, question)(*details))

    app = web.Application()
    app.router.add_post("/slack/{method}", town.sinks.slack)
    app.router.add_post("/webhook/{name}", town.sinks.webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HERE, 0).start()
    smtp = await asyncio.start_server(town.sinks.mail, HERE, 0)
    loop = asyncio.get_running_loop()
    telegram = await loop.create_server(lambda: Connection(town.bot_api), HERE, 0, backlog=1024)
    async with town.page:
        pipe.send(
            Ports(
                page=town.page.url,
                sinks=f"http://{HERE}:{runner.addresses[0][1]}",
                telegram=f"http://{HERE}:{telegram.sockets[0].getsockname()[1]}",
                smtp=smtp.sockets[0].getsockname()[1],
            )
        )
        loop.add_reader(pipe.fileno(), answer)
        await asyncio.Event().wait()
