"""The program as its users run it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """One that a program may listen on. The system itself gives away higher ones only, at any moment."""
    for port in count(20_000 + os.getpid() * 16 % 12_000):  # each process its own
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError


@dataclass(kw_only=True)
class Program:
    """A process, with what it has printed so far."""

    process: asyncio.subprocess.Process
    out: list[str] = field(default_factory=list)
    """Lines of its standard output."""
    err: list[str] = field(default_factory=list)
    _printed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def printed(self) -> str:
        """Everything, on whatever stream."""
        return "\n".join((*self.out, *self.err))

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Waits for something to be printed."""
        async with asyncio.timeout(seconds), self._printed:
            await self._printed.wait_for(condition)

    async def stop(self, seconds: float = 15) -> int:
        """SIGTERM; the exit code, which has to come in time."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float = 30) -> int:
        """The exit code, once everything is read."""
        async with asyncio.timeout(seconds):
            await self._read_out.wait()
            return await self.process.wait()

    def __post_init__(self) -> None:
        self._read_out = asyncio.Event()

    async def read(self) -> None:
        """Takes all output until both streams end."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(self.process.stdout, self.out))
            tasks.create_task(self._take(self.process.stderr, self.err))
        self._read_out.set()

    async def _take(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        async for line in stream:
            async with self._printed:
                lines.append(line.decode().rstrip("\n"))
                self._printed.notify_all()


@asynccontextmanager
async def program(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    stdin: int = asyncio.subprocess.DEVNULL,
) -> AsyncIterator[Program]:
    """`python` with these arguments and hardly any environment; killed at the end, with all that it began, if it still
    runs.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "COLUMNS": "160", **(env or {})},
        start_new_session=True,
    )
    started = Program(process=process)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(started.read())
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def notifier(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path, seconds: float = 40) -> Program:
    """`notifier` with these arguments, after its end."""
    async with program("-m", "notifier", *arguments, env=env, cwd=cwd) as started:
        await started.ended(seconds)
    return started
