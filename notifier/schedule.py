"""Repeats steps. The only module that knows APScheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.base import STATE_RUNNING
from apscheduler.triggers.date import DateTrigger

_WATCH_SECONDS = 5
_AFTER_A_BUG = 60.0
"""Seconds until a step that raised is tried again."""

_JUMP = 3
"""Seconds by which the wall clock may drift from the monotonic one before it counts as set anew."""


class Schedule:
    """Runs each step at once, and again after the seconds that the step itself answers.

    `now` is the wall clock that APScheduler goes by. When somebody sets it, every step is due at once: an interval is
    a length of time, and a clock put back by a day must not silence the bot for a day.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        # Two: to APScheduler a step still runs when it names its next time, and what finds no room is dropped for ever.
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2}
        )
        self._steps: dict[str, Callable[[], Awaitable[float]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def repeat(self, name: str, step: Callable[[], Awaitable[float]], after: float = 0) -> None:
        """From now on; the first time in `after` seconds."""
        self._steps[name] = step
        self._again(name, after)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a step under way then is cancelled, and over when this returns."""
        self._scheduler.start()
        try:
            await self._watch_clock(stop)
        finally:
            self._scheduler.pause()
            self._scheduler.shutdown(wait=False)
            under_way = list(self._running.values())
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _watch_clock(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        offset = self._now().timestamp() - loop.time()
        while not stop.is_set():
            try:
                async with asyncio.timeout(_WATCH_SECONDS):
                    await stop.wait()
            except TimeoutError:
                drift = self._now().timestamp() - loop.time() - offset
                if abs(drift) > _JUMP:
                    offset += drift
                    for name in self._steps:
                        self._again(name, 0)

    def _again(self, name: str, seconds: float) -> None:
        self._scheduler.add_job(
            self._run,
            DateTrigger(run_date=self._now() + timedelta(seconds=seconds), timezone="UTC"),
            args=[name],
            id=name,
            replace_existing=True,
        )

    async def _run(self, name: str) -> None:
        if name in self._running:
            return  # it names its next time when it is over
        if self._scheduler.state != STATE_RUNNING:
            return  # begun just before the end; cancelled, it would be logged as a failure
        seconds = _AFTER_A_BUG
        self._running[name] = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            seconds = await self._steps[name]()
        except asyncio.CancelledError:
            return  # only `run` cancels, when it ends; APScheduler would log that as a failure
        finally:
            del self._running[name]
            self._again(name, seconds)
