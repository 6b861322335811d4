"""P9 and P10: how fast the real process starts, and how much memory it keeps."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.figures import Figure, quartiles
from bench.peer import Peer
from bench.world import CHANNELS, write_settings

STARTS = 5
HOUR = 180
"""Polls of each source in an hour of quiet times."""
SETTLED = 20
"""Polls after which the program is at rest."""
PATIENCE = 60
CLOCK = "/0/public/SystemStatus"
"""No answer of it is equal to the one before, so that they tell the rounds."""

AS_INSTALLED = "import sys; sys.modules['cryptography'] = None; "
"""python-telegram-bot loads it where it is there, which only the tests' requirements bring about."""
LIBRARIES = (
    f"{AS_INSTALLED} import aiohttp, aiosmtplib, aiosqlite, alembic.command, apscheduler.schedulers.asyncio, "
    "feedparser, httpx, pydantic, rich.table, slack_sdk.web.async_client, sqlalchemy.ext.asyncio, structlog, "
    "telegram, typer; "
)
NOTIFIER = f"{AS_INSTALLED} import runpy; runpy.run_module('notifier', run_name='__main__')"


async def start(peer: Peer, folder: Path) -> list[Figure]:
    fresh, again, floor = [], [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            settings = write_settings(Path(place), peer, seconds=20)
            fresh.append(_first_poll(peer, _program(settings)))
            again.append(_first_poll(peer, _program(settings)))
        get = f"{LIBRARIES} httpx.get('{peer.ports.page}/api/v2/status.json')"
        floor.append(_first_poll(peer, [sys.executable, "-c", get]))
    return [
        Figure(
            number="P10",
            what=f"process start → first poll answered, {what}",
            unit="s",
            measured=median(seconds),
            spread=quartiles(seconds),
            budget=2,
            floor=median(floor),
        )
        for what, seconds in (("new database", fresh), ("known database", again))
    ]


async def memory(peer: Peer, folder: Path) -> list[Figure]:
    peer.show(0)
    settings = write_settings(folder, peer, seconds=0.05, welcome=True)
    with _running(_program(settings)) as program:
        _wait(peer, lambda seen: seen[CLOCK] >= SETTLED and set(CHANNELS) - {"console"} <= set(seen))
        rest = rss(program.pid)
        _wait(peer, lambda seen: seen[CLOCK] >= SETTLED + HOUR)
        hour = rss(program.pid)
        most = rss(program.pid, "VmHWM")
    with _running([sys.executable, "-c", f"{LIBRARIES} print(flush=True); input()"]) as bare:
        assert bare.stdout is not None
        bare.stdout.readline()
        floor = rss(bare.pid)
    return [
        Figure(
            number="P9",
            what="resident memory at rest, every channel on",
            unit="MB",
            measured=rest,
            budget=95,
            floor=floor,
            note=f"at most {most:.0f} MB so far",
        ),
        Figure(
            number="P9",
            what=f"more of it after an hour of quiet ticks ({HOUR} a source)",
            unit="MB",
            measured=hour - rest,
            budget=2,
        ),
    ]


def _program(settings: Path) -> list[str]:
    return [sys.executable, "-c", NOTIFIER, "run", "--config", str(settings)]


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _first_poll(peer: Peer, command: list[str]) -> float:
    """Seconds from the start of a process to its first answered request."""
    peer.show(0)
    began = time.monotonic()
    with _running(command):
        return _wait(peer, bool) - began


def _wait(peer: Peer, enough: Callable[[Counter[str]], bool]) -> float:
    """When the first of what has arrived by now did, as soon as that is enough."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        stamps = peer.stamps()
        if enough(Counter(stamp.what for stamp in stamps)):
            return min(stamp.at for stamp in stamps)
        time.sleep(0.02)
    raise TimeoutError(f"waited in vain; so far there came {Counter(stamp.what for stamp in peer.stamps())}")


def rss(pid: int | str, name: str = "VmRSS") -> float:
    """Megabytes, from the kernel."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
