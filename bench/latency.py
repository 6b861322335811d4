"""P3: from the last byte of the changed page to the first byte of the first message, channel by channel."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from statistics import median

import aiohttp
import httpx
import sqlalchemy as sa

from bench.figures import Figure, percentile
from bench.peer import Peer, Stamp
from bench.world import CHANNELS, TEN, people, running, settings, subscribe
from notifier.app import Service
from notifier.model import State
from notifier.store import schema as t

FEW, MANY = 30, 10
"""Changes with ten subscriptions, and with 100,000 more."""
PAGE = "/api/v2/summary.json"


async def latency(peer: Peer, folder: Path) -> list[Figure]:
    peer.show(0)
    printed: list[Stamp] = []

    def write(_: str) -> None:
        printed.append(Stamp("console", time.monotonic()))

    async with running(settings(folder, peer), write) as program, asyncio.TaskGroup() as tasks:
        for sender in program.senders:
            tasks.create_task(sender.run())
        floor = await _bare(peer)
        few = [await _change(peer, day, program, printed) for day in range(1, FEW + 1)]
        await subscribe(program.store, people(100_000))
        many = [await _change(peer, FEW + day, program, printed) for day in range(1, MANY + 1)]
        for sender in program.senders:
            sender.stop()
    return [
        Figure(
            number="P3",
            what=f"changed page → first message, {channel}, {count} subscriptions",
            unit="ms p95",
            measured=percentile([each[channel] for each in trials], 0.95),
            budget=50,
            floor=percentile(floor, 0.95),
            note=f"median {median(each[channel] for each in trials):.0f}",
        )
        for count, trials in (("10", few), ("100,010", many))
        for channel in CHANNELS
    ]


async def _change(peer: Peer, day: int, program: Service, printed: list[Stamp]) -> dict[str, float]:
    """Milliseconds until each channel's first message about a new update."""
    peer.show(day)
    printed.clear()
    outcome = await program.poll.page(program.page_sources[0])
    assert len(outcome.changes) == 1
    stamps: list[Stamp] = []
    while {stamp.what for stamp in stamps} < {PAGE, *CHANNELS}:
        await asyncio.sleep(0.2)
        stamps = peer.stamps() + printed
    await _forget_the_rest(program)
    first = {what: min(stamp.at for stamp in stamps if stamp.what == what) for what in (PAGE, *CHANNELS)}
    return {channel: (first[channel] - first[PAGE]) * 1000 for channel in CHANNELS}


async def _forget_the_rest(program: Service) -> None:
    """What still waits counts as sent, and of what was told before only the last round is kept."""
    d = t.deliveries.c
    async with program.store._write() as connection:
        newest = (await connection.execute(sa.select(sa.func.max(d.change_id)))).scalar_one()
        old = sa.delete(t.deliveries).where(d.change_id < newest, d.subscription_id > len(TEN))
        await connection.execute(old)
        await connection.execute(sa.update(t.deliveries).values(state=State.SENT, due_at=None))
    async with program.store._read() as connection:
        await connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    while any(sender._busy for sender in program.senders):  # noqa: ASYNC110 - no sender says when it rests
        await asyncio.sleep(0.1)


async def _bare(peer: Peer) -> list[float]:
    """The same way with a client, a parser and a post to Telegram's sink, and nothing else."""
    found = []
    async with httpx.AsyncClient() as reader, aiohttp.ClientSession() as sender:
        for _ in range(FEW):
            peer.show(0)
            page = json.loads((await reader.get(f"{peer.ports.page}{PAGE}")).content)
            text = page["incidents"][0]["incident_updates"][0]["body"]
            async with sender.post(f"{peer.ports.telegram}/bot1/send", data={"chat_id": 1, "text": text}) as answer:
                await answer.read()
            at = {stamp.what: stamp.at for stamp in peer.stamps()}
            found.append((at["telegram"] - at[PAGE]) * 1000)
    return found
