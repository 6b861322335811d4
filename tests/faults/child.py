"""A supervisor whose program kills itself, each time at another point, until no point is left.

    python -m tests.faults.child CONFIG BEGAN SPEED POINT…

A point is `before:CALL:N` or `after:CALL:N`: the N-th time, counted from the start of that run, that `record`, `claim`,
`fan_out`, `settle`, `outdated`, `refreshed`, `keep`, `receive`, `handled`, an `edit` or the `send` of a channel
(`slack`, `mailto`, …) is called or has returned with something; `pause` is a `settle` or `refreshed` with which a pause
begins. `at:write:N` and `at:commit:N` are where the database is about to write or to commit for the N-th time. At the
point `outside:0` somebody else kills the run, whose process it prints. Each run is a fork of this process, so that a
restart costs no imports, and tells the receivers which one it is. SIGTERM stops the run without a point; then a last
one empties the outbox and prints what became of the deliveries.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import event

from notifier import wiring
from notifier.app import Service, service
from notifier.config import Settings, load
from notifier.logs import logging_to

SPEED = 10.0
"""So that what is asked again after three seconds takes none."""

OUTSIDE = "outside:0"
"""Not a point that a run comes to by itself."""

for needed_late in ("aiosqlite", "anyio._backends._asyncio", "encodings.idna", "httpcore"):
    import_module(needed_late)

SIGNALS = (signal.SIGTERM, signal.SIGCHLD)
"""They wait until somebody listens: a SIGTERM that comes between two runs is for the next one."""


class FastClock:
    """The wall's time, so many times as fast since `began`; the same in every process that knows when that was."""

    def __init__(self, began: datetime, speed: float = SPEED) -> None:
        self.second = 1 / speed
        self._began = began
        self._speed = speed

    def now(self) -> datetime:
        return self._began + (datetime.now(UTC) - self._began) * self._speed

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds() / self._speed


class Fuse:
    """Counts how often its point is passed, and ends the process at the right one."""

    def __init__(self, point: str) -> None:
        self._place, _, count = point.rpartition(":")
        self._left = int(count or 0)

    def passes(self, place: str) -> None:
        if place == self._place:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def lay(fuse: Fuse, running: Service) -> None:
    """Puts the fuse through everything that the service holds."""
    _around(running.store, "record", "record", fuse, lambda recorded: bool(recorded[0].changes))
    _around(running.store, "claim", "claim", fuse, bool)
    _around(running.store, "fan_out", "fan_out", fuse)
    _around(running.store, "settle", "settle", fuse)
    _around(running.store, "settle", "pause", fuse, when=_with_pause)
    _around(running.store, "outdated", "outdated", fuse, bool)
    _around(running.store, "refreshed", "refreshed", fuse)
    _around(running.store, "refreshed", "pause", fuse, when=_with_pause)
    for inbox in ("keep", "receive", "handled"):
        _around(running.store, inbox, inbox, fuse)
    for sender in running.senders:
        _around(sender.channel, "send", sender.channel.name, fuse)
        _around(sender.channel, "edit", "edit", fuse)
    engine = running.store.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def executes(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            fuse.passes("at:write")

    @event.listens_for(engine, "commit")
    def commits(_connection: Any) -> None:
        fuse.passes("at:commit")


def _with_pause(*written: Any) -> bool:
    """A settlement, or a refresh and what follows from it."""
    return written[-1] is not None and written[-1].pause is not None


def _around(
    holder: object,
    method: str,
    call: str,
    fuse: Fuse,
    counts: Callable[[Any], bool] = lambda _result: True,
    when: Callable[..., bool] = lambda *_arguments: True,
) -> None:
    inner = getattr(holder, method)

    async def passing(*arguments: Any, **more: Any) -> Any:
        if not when(*arguments):
            return await inner(*arguments, **more)
        fuse.passes(f"before:{call}")
        result = await inner(*arguments, **more)
        if counts(result):
            fuse.passes(f"after:{call}")
        return result

    setattr(holder, method, passing)


async def live(settings: Settings, clock: FastClock, point: str, *, once: bool) -> dict[str, int]:
    """One run of the program, as `notifier run` makes it."""
    async with service(settings, partial(print, flush=True), clock=clock) as running:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        lay(Fuse(point), running)
        return await running.run(once=once)


def fork(settings: Settings, clock: FastClock, point: str = "", *, once: bool = False) -> int:
    """Runs the program in a process of its own; its exit status as `os.waitpid` has it."""
    child = os.fork()
    if child == 0:
        wiring.USER_AGENT = f"run {os.getpid()}"
        with logging_to(sys.stderr, level="warning", as_json=True, secrets=()):
            counts = asyncio.run(live(settings, clock, point, once=once))
        if once:
            say(json.dumps(counts))
        os._exit(0)
    if point == OUTSIDE:
        say(f"started {child}")
    while True:
        if signal.sigwait(SIGNALS) == signal.SIGTERM:
            os.kill(child, signal.SIGTERM)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def supervise(config: str, began: str, speed: str, *points: str) -> int:
    settings, clock = load(Path(config), {}), FastClock(datetime.fromisoformat(began), float(speed))
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    gc.freeze()  # what all runs share stays shared
    for point in points:
        if os.WTERMSIG(fork(settings, clock, point)) != signal.SIGKILL:
            return 1
        say(f"killed {point}")
    return fork(settings, clock) or fork(settings, clock, once=True)


if __name__ == "__main__":
    sys.exit(supervise(*sys.argv[1:]))
