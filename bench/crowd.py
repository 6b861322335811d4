"""P3, P5, P7 and P8 with a crowd that came by itself: what one change costs, how it goes out, and how long who asks
meanwhile has to wait.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.askers import FIRST, MANY, QUESTIONS, Waited
from bench.bot_api import Rule, Tally
from bench.crowded import Took
from bench.figures import Figure, percentile
from bench.latency import PAGE
from bench.peer import Peer
from bench.process import AS_INSTALLED
from bench.world import loaded, people, running, write_settings
from notifier.model import Topic
from notifier.subscription import Address, Filter, QuietHours, Subscription

SIZES = (1_000, 10_000, 100_000)
FILTERS = 500
SECONDS, SETTLED = 15, 5
"""How long people ask, and how long the process runs before."""
RATES = ((30, 8, 3, 0.99), (1000, 128, 30, 0.97))
"""Messages a second that Telegram allows, sends at once, questions a second, and the share that is to be reached."""

Call = Callable[[], None]


async def crowd(peer: Peer, folder: Path) -> list[Figure]:
    figures, floor = [], list[Waited]()
    for size in SIZES:
        place, who = folder / str(size), f"{size:,} subscribers"
        peer.show(0)
        owed = await _peopled(peer, place, size)
        if size == SIZES[-1]:
            _, floor, _ = await _served(peer, place, RATES[-1])
        figures += _routing(_routed(peer, place), f"{who}, {owed:,} owed")
    for rate in RATES:
        took, waited, tally = await _served(peer, place, rate)
        figures += _telling(took, tally, f"{who}, {rate[0]:,}/s", rate)
        figures += _answering(waited, floor, f"{who}, {rate[0]:,}/s")
    return figures


async def _peopled(peer: Peer, folder: Path, size: int) -> int:
    """The crowd is written by this process, so that the measured one never holds it. How many of it want the news."""
    now = datetime.now(UTC)
    filters = _filters(now)
    joined = [
        Subscription(
            address=Address.parse(address),
            filter=filters[number % FILTERS],
            origin="self",
            language="de" if number % 3 == 0 else "en",
            muted_until=now + timedelta(hours=8) if number % 20 == 7 else None,
        )
        for number, address in enumerate(people(size))
    ]
    only_asking = Filter(kinds=(Topic.MAINTENANCE,))
    asking = [
        Subscription(address=Address("telegram", str(FIRST + number)), filter=only_asking, origin="self")
        for number in range(MANY)
    ]
    folder.mkdir()
    async with running(loaded(write_settings(folder, peer, seconds=20))) as program:
        await program.store.enroll([*asking, *joined], now)
    return sum(each.filter.min_impact != "major" and each.filter.components[0] == "Websocket" for each in joined)


def _filters(now: datetime) -> list[Filter]:
    """All distinct; of ten, one wants other components and one only what is worse; of five, one sleeps now."""
    sleeping = QuietHours(start=(now - timedelta(hours=2)).time(), end=(now + timedelta(hours=6)).time())
    return [
        Filter(
            components=("Solana staking" if number % 10 == 3 else "Websocket", f"T{number}", "BTC"),
            min_impact="major" if number % 10 == 6 else "minor" if number % 2 else "none",
            quiet_hours=sleeping if number % 5 == 0 else None,
            reminders=number % 3 != 0,
        )
        for number in range(FILTERS)
    ]


@contextmanager
def _apart(folder: Path, call: str) -> Iterator[tuple[Call, Callable[[], Took]]]:
    """A process that does nothing else, once it said a line: how to answer that, and how to hear what it Took."""
    command = f"{AS_INSTALLED} from bench import crowded; crowded.{call.format(folder=str(folder))}"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said, heard = process.stdin, process.stdout
        heard.readline()

        def go_on() -> None:
            said.write("\n")
            said.flush()

        yield go_on, lambda: Took(**json.loads(heard.readline()))


def _routed(peer: Peer, folder: Path) -> Took:
    with _apart(folder, "route({folder!r})") as (go_on, took):
        peer.show(1)
        go_on()
        found = took()
        read = min(each.at for each in peer.stamps() if each.what == PAGE)
        return replace(found, claimed=found.claimed - read)


Rate = tuple[int, int, int, float]


async def _served(peer: Peer, folder: Path, rate: Rate) -> tuple[Took, list[Waited], Tally]:
    """The program as it runs, while people ask it."""
    per_second, in_flight, questions, _ = rate
    peer.telegram(Rule(per_second=per_second))
    with _apart(folder, f"serve({{folder!r}}, {per_second}, {in_flight})") as (go_on, took):
        await asyncio.sleep(SETTLED)
        peer.telegram(Rule(per_second=per_second))
        peer.ask(questions, SECONDS)
        await asyncio.sleep(SECONDS)
        tally = peer.tally()
        await asyncio.sleep(1)
        waited = peer.waited()
        go_on()
        return took(), waited, tally


def _routing(took: Took, who: str) -> list[Figure]:
    return [
        Figure(
            number="P8",
            what=f"{who}: all rows of one change",
            unit="s",
            measured=took.wall,
            budget=1,
            note=f"{took.cpu:.2f} s of CPU; loop late by {took.late * 1000:.0f} ms at most",
        ),
        Figure(
            number="P8", what=f"{who}: the longest transaction of it", unit="ms", measured=took.held * 1000, budget=100
        ),
        Figure(
            number="P3",
            what=f"{who}: changed page → first parcels claimed",
            unit="ms",
            measured=took.claimed * 1000,
            budget=50,
            note="one change, the process's first; the budget is for the send that follows, too",
        ),
        Figure(number="P7", what=f"{who}: resident memory at rest", unit="MB", measured=took.rest, budget=120),
        Figure(number="P7", what=f"{who}: resident memory at most, routing", unit="MB", measured=took.most, budget=150),
    ]


def _telling(took: Took, tally: Tally, who: str, rate: Rate) -> list[Figure]:
    per_second, _, _, share = rate
    return [
        Figure(
            number="P5",
            what=f"{who}: share of it used, answers included",
            unit="",
            measured=(tally.sent - 1) / tally.seconds / per_second,
            budget=share,
            at_least=True,
            note=f"{tally.sent:,} in {tally.seconds:.1f} s, {took.cpu / took.wall:.0%} of a core",
        ),
        Figure(
            number="P5",
            what=f"{who}: answers 429",
            unit="",
            measured=tally.refused,
            budget=0,
            note=f"{tally.early * 1000:.0f} ms early at most",
        ),
        Figure(
            number="P7",
            what=f"{who}: resident memory at most, telling",
            unit="MB",
            measured=took.most,
            budget=150,
            note=f"longest transaction {took.held * 1000:.0f} ms, loop late by {took.late * 1000:.0f} ms at most",
        ),
    ]


def _answering(waited: Sequence[Waited], floor: Sequence[Waited], who: str) -> list[Figure]:
    figures = []
    for question in QUESTIONS:
        times = [each.seconds * 1000 for each in waited if each.question == question]
        least = [each.seconds * 1000 for each in floor if each.question == question]
        figures.append(
            Figure(
                number="",
                what=f"{who}: {question} → its answer",
                unit="ms p95",
                measured=percentile(times, 0.95),
                spread=(median(times), max(times)),
                budget=1000,
                floor=percentile(least, 0.95),
                note=f"median and most of {len(times)}; the floor is without news",
            )
        )
    return figures
