"""The measured process of `crowd`: it routes one change, or it runs as in real life, and says what that took."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bench.process import rss
from bench.world import loaded, running, telegram_of, wired
from notifier.app import Service

LOOK = 0.01
"""Seconds between two looks at how late the event loop is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Took:
    """Memory in MB, all else in seconds."""

    rest: float
    most: float
    wall: float
    cpu: float
    held: float
    """The longest that a transaction kept all other writers waiting."""
    late: float
    """The longest that the event loop was late."""
    claimed: float = 0.0
    """When the first parcels were in hand, by the clock that all processes share."""


class _Lock(asyncio.Lock):
    """The writers' queue, and how long the slowest of them had the database for himself."""

    longest = _since = 0.0

    async def acquire(self) -> Literal[True]:
        await super().acquire()
        self._since = time.monotonic()
        return True

    def release(self) -> None:
        self.longest = max(self.longest, time.monotonic() - self._since)
        super().release()


class _Watched:
    """What the program needs from here on."""

    def __init__(self, program: Service) -> None:
        program.store._lock = self._lock = _Lock()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most is counted anew
        self._rest, self._late = rss("self"), 0.0
        self._began = time.monotonic(), time.process_time()

    def took(self) -> Took:
        wall, cpu = time.monotonic() - self._began[0], time.process_time() - self._began[1]
        most, held, late = rss("self", "VmHWM"), self._lock.longest, self._late
        return Took(rest=self._rest, most=most, wall=wall, cpu=cpu, held=held, late=late)

    async def look(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(LOOK)
            self._late = max(self._late, time.monotonic() - began - LOOK)


@asynccontextmanager
async def _watched(program: Service) -> AsyncIterator[_Watched]:
    watched = _Watched(program)
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(watched.look())
        yield watched
        looking.cancel()


def route(folder: str) -> None:
    """Rests, says so, waits for a line, reads the changed page, and writes what it Took."""
    print(json.dumps(asdict(asyncio.run(_route(Path(folder))))), flush=True)


async def _route(folder: Path) -> Took:
    async with running(loaded(folder / "config.toml")) as program:
        await _line("at rest")
        async with _watched(program) as watched, asyncio.TaskGroup() as tasks:
            claiming = tasks.create_task(_first_claim(program))
            assert len((await program.poll.page(program.page_sources[0])).changes) == 1
            took = watched.took()
            return replace(took, claimed=await claiming)


async def _first_claim(program: Service) -> float:
    """Of a sender that is woken as soon as somebody is owed something."""
    woken = telegram_of(program)._woken
    woken.clear()
    await woken.wait()
    assert await program.store.claim("telegram", 8, datetime.now(UTC))
    return time.monotonic()


def serve(folder: str, per_second: float, in_flight: int) -> None:
    """Runs until there is a line to read, and writes what it Took."""
    print(json.dumps(asdict(asyncio.run(_serve(Path(folder), per_second, in_flight)))), flush=True)


async def _serve(folder: Path, per_second: float, in_flight: int) -> Took:
    wanted = loaded(folder / "config.toml", messages_per_second=per_second, max_in_flight=in_flight)
    async with wired(wanted) as program, asyncio.TaskGroup() as tasks, _watched(program) as watched:
        task = tasks.create_task(program.run())
        await _line("running")
        took = watched.took()
        program.stop()
        await task
    return took


async def _line(said: str) -> None:
    print(said, flush=True)
    read: Callable[[], str] = sys.stdin.readline
    await asyncio.get_running_loop().run_in_executor(None, read)
