"""P1 and P2: what one round of polls costs when nothing changed, and when one update was posted."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
from sqlalchemy import event

from bench.figures import Figure, summed_up
from bench.peer import Peer
from bench.world import running, settings
from notifier.app import Service
from notifier.sources.fetch import Polled
from notifier.store.sql import SqlStore

BLOCKS = 9
TICKS = 25
CHANGES = 15


class Bare:
    """The same requests with a client and nothing else."""

    def __init__(self, client: httpx.AsyncClient, sources: Sequence[Polled]) -> None:
        self._client = client
        self._validators: dict[str, str] = {}
        self._sources = sources

    async def tick(self) -> None:
        for source in self._sources:
            await self.get(source)

    async def get(self, source: Polled) -> bytes:
        headers = {"Accept-Encoding": "gzip"}
        if tag := self._validators.get(source.name):
            headers["If-None-Match"] = tag
        response = await self._client.get(source._url, headers=headers)
        if "etag" in response.headers:
            self._validators[source.name] = response.headers["etag"]
        return response.content


async def quiet(peer: Peer, folder: Path) -> list[Figure]:
    peer.show(0)
    async with running(settings(folder, peer)) as program, httpx.AsyncClient() as client:
        sources = _sources(program)
        bare = Bare(client, sources)
        await bare.tick()
        figures = []
        for drift, what in ((True, "quiet tick, the exchange telling the time"), (False, "quiet tick, all identical")):
            peer.show(0, drift=drift)
            await _tick(program)
            with _parses(sources) as parses, _writes(program.store) as writes:
                ours, floors, control = [], [], []
                for _ in range(BLOCKS):
                    floors.append(await _cpu(bare.tick, TICKS))
                    ours.append(await _cpu(lambda: _tick(program), TICKS))
                    control.append(await _cpu(bare.tick, TICKS))
            ticks = BLOCKS * TICKS
            ratio, spread = summed_up([each / floor for each, floor in zip(ours, floors, strict=True)])
            same, _ = summed_up([each / floor for each, floor in zip(control, floors, strict=True)])
            note = f"A/A {same:.2f}; parsed a tick: {_per(parses, ticks)}; written a tick: {_per(writes, ticks)}"
            cost, around = summed_up(ours)
            figures += [
                Figure(
                    number="P1", what=what, unit="× bare", measured=ratio, spread=spread, budget=1.5, floor=1, note=note
                ),
                Figure(
                    number="P1",
                    what=f"{what}: CPU",
                    unit="ms",
                    measured=cost,
                    spread=around,
                    floor=summed_up(floors)[0],
                ),
            ]
        return figures


async def changed(peer: Peer, folder: Path) -> list[Figure]:
    peer.show(0)
    async with running(settings(folder, peer)) as program, httpx.AsyncClient() as client:
        *api, feed = program.page_sources
        bare = Bare(client, api)
        read, floors, fed, feed_floors = [], [], [], []
        for day in range(1, CHANGES + 1):
            peer.show(day)
            read.append(await _cpu(lambda: _tick(program, api)))
            floors.append(await _cpu(lambda: _parsed(bare, api, json.loads)))
            fed.append(await _cpu(lambda: _tick(program, [feed])))
            feed_floors.append(await _cpu(lambda: _parsed(bare, [feed], ET.fromstring)))
        waiting = (await program.store.counts())["pending"]
        cost, spread = summed_up(read)
        told = f"{waiting // CHANGES} deliveries a change"
        return [
            Figure(
                number="P2",
                what="changed tick: summary, incidents, maintenances",
                unit="ms",
                measured=cost,
                spread=spread,
                budget=60,
                floor=summed_up(floors)[0],
                note=told,
            ),
            Figure(
                number="P2",
                what="the feed, once a minute, when it changed",
                unit="ms",
                measured=summed_up(fed)[0],
                spread=summed_up(fed)[1],
                floor=summed_up(feed_floors)[0],
                note="in a thread",
            ),
        ]


def _sources(program: Service) -> list[Polled]:
    assert program.exchange is not None
    return [*program.page_sources, program.exchange]


async def _tick(program: Service, sources: Sequence[Polled] | None = None) -> None:
    for source in sources or _sources(program):
        read = program.poll.exchange if source is program.exchange else program.poll.page
        assert not (await read(source)).reason


async def _parsed(bare: Bare, sources: Sequence[Polled], parse: Callable[[bytes], object]) -> None:
    for source in sources:
        parse(await bare.get(source))


async def _cpu(step: Callable[[], Awaitable[None]], times: int = 1) -> float:
    """Milliseconds of this process, user and system, for one step."""
    began = time.process_time()
    for _ in range(times):
        await step()
    return (time.process_time() - began) * 1000 / times


@contextmanager
def _parses(sources: Sequence[Polled]) -> Iterator[Counter[str]]:
    """Counts what is parsed, by source."""
    counted: Counter[str] = Counter()
    parsers = {source: source._parse for source in sources}

    def counting(source: Polled) -> Callable[[bytes], Any]:
        def parse(body: bytes) -> Any:
            counted[source.name] += 1
            return parsers[source](body)

        return parse

    for source in sources:
        source._parse = counting(source)
    try:
        yield counted
    finally:
        for source, parse in parsers.items():
            source._parse = parse


@contextmanager
def _writes(store: SqlStore) -> Iterator[Counter[str]]:
    """Counts the statements that write, by table."""
    counted: Counter[str] = Counter()

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        words = statement.replace('"', " ").split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            counted[words[1] if words[0] == "UPDATE" else words[2]] += 1

    event.listen(store.engine.sync_engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", count)


def _per(counted: Counter[str], ticks: int) -> str:
    return ", ".join(f"{name} {count / ticks:.1f}" for name, count in sorted(counted.items())) or "nothing"
