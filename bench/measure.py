"""Every measurement by its name, each run in a process of its own, so that none warms another one up."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.bulkhead import bulkhead
from bench.crowd import crowd
from bench.fanout import fanout
from bench.figures import Figure
from bench.growth import growth
from bench.latency import latency
from bench.limits import limits
from bench.peer import DAYS, Peer, peer
from bench.process import memory, start
from bench.send import send
from bench.ticks import changed, quiet

MEASUREMENTS: dict[str, Callable[[Peer, Path], Coroutine[Any, Any, list[Figure]]]] = {
    "quiet": quiet,
    "changed": changed,
    "latency": latency,
    "fanout": fanout,
    "send": send,
    "limits": limits,
    "growth": growth,
    "bulkhead": bulkhead,
    "crowd": crowd,
    "memory": memory,
    "start": start,
}


def measure(name: str) -> list[Figure]:
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        return fresh.submit(_measured, name).result()


def _measured(name: str) -> list[Figure]:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS + 1)
    with peer(began) as other, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(MEASUREMENTS[name](other, Path(folder)))
