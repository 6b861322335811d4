"""P7: how time, memory and the database grow from 1,000 recipients to 100,000, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.fanout import in_use
from bench.figures import Figure
from bench.peer import Peer
from bench.process import AS_INSTALLED, rss
from bench.world import TEN, loaded, people, running, settings, subscribe

SIZES = (1_000, 10_000, 100_000)
IN_FLIGHT = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """Of one fan-out: memory in MB, all else in seconds and bytes of the whole."""

    rest: float
    most: float
    wall: float
    cpu: float
    written: int


async def growth(peer: Peer, folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    each_at_first = 0.0
    for size in SIZES:
        grown = await _grown(peer, folder / str(size), size)
        each = grown.cpu / size
        each_at_first = each_at_first or each
        what = f"{size:,} recipients: "
        figures += [
            Figure(
                number="P7",
                what=f"{what}CPU of a message, beside that at {SIZES[0]:,}",
                unit="",
                measured=each / each_at_first,
                note=f"{each * 1e6:,.0f} µs; all told in {grown.wall:.1f} s",
            ),
            Figure(number="P7", what=f"{what}resident memory at rest", unit="MB", measured=grown.rest, budget=120),
            Figure(
                number="P7", what=f"{what}resident memory at most, telling", unit="MB", measured=grown.most, budget=150
            ),
            Figure(
                number="P7",
                what=f"{what}database for each delivery, sent",
                unit="bytes",
                measured=grown.written / size,
                budget=250,
            ),
        ]
    return figures


async def _grown(peer: Peer, folder: Path, size: int) -> Grown:
    """The subscriptions are written by this process, so that the measured one never holds them."""
    peer.show(0)
    async with running(settings(folder, peer)) as program:
        await subscribe(program.store, people(size))
    return _apart(peer, folder, size)


def _apart(peer: Peer, folder: Path, size: int) -> Grown:
    command = f"{AS_INSTALLED} from bench.growth import tell; tell({str(folder)!r}, {size})"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        peer.show(1)
        process.stdin.write("\n")
        process.stdin.flush()
        return Grown(**json.loads(process.stdout.readline()))


def tell(folder: str, size: int) -> None:
    """In a process that does nothing else: rests, says so, waits for a line, tells everybody, writes a Grown."""
    print(json.dumps(asdict(asyncio.run(_tell(Path(folder), size)))), flush=True)


async def _tell(folder: Path, size: int) -> Grown:
    wanted = loaded(folder / "config.toml", messages_per_second=None, max_in_flight=IN_FLIGHT)
    async with running(wanted) as program:
        rest = rss("self")
        print("at rest", flush=True)
        sys.stdin.readline()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most is counted anew
        before = in_use(folder / "notifier.db")
        wall, cpu = time.monotonic(), time.process_time()
        assert len((await program.poll.page(program.page_sources[0])).changes) == 1
        async with asyncio.TaskGroup() as tasks:
            for sender in program.senders:
                tasks.create_task(sender.run(until_empty=True))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        assert (await program.store.counts())["sent"] == size + len(TEN)
        written = in_use(folder / "notifier.db") - before
    return Grown(rest=rest, most=rss("self", "VmHWM"), wall=wall, cpu=cpu, written=written)
