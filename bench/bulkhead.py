"""P6: when the first and the last of Slack's and the mail server's messages arrive while Telegram's wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.figures import Figure
from bench.latency import PAGE
from bench.peer import Peer
from bench.world import TEN, people, running, settings, subscribe

PEOPLE = 100_000
TARGETS = 10
"""Slack channels, and as many mailboxes."""
PATIENCE = 120


async def bulkhead(peer: Peer, folder: Path) -> list[Figure]:
    """Telegram at its ordinary rate, and with all it can send, which leaves the others the least of the core."""
    return [
        figure
        for name, rate in (("25/s", {}), ("unpaced", {"messages_per_second": None, "max_in_flight": 128}))
        for figure in await _beside(peer, folder / name.partition("/")[0], name, **rate)
    ]


async def _beside(peer: Peer, folder: Path, rate: str, **telegram: float | None) -> list[Figure]:
    """The first change fills the outbox, the second one comes while that is full."""
    peer.show(0)
    figures = []
    async with running(settings(folder, peer, **telegram)) as program, asyncio.TaskGroup() as tasks:
        await subscribe(program.store, people(PEOPLE))
        await subscribe(program.store, _missing())  # written last
        for sender in program.senders:
            tasks.create_task(sender.run())
        for day, what in ((1, "with them"), (2, "while they wait")):
            peer.show(day)
            outcome = await program.poll.page(program.page_sources[0])
            assert len(outcome.changes) == 1
            arrived = await _arrived(peer)
            waiting = (await program.store.counts())["pending"]
            assert waiting > PEOPLE / 2
            figures += [
                Figure(
                    number="P6",
                    what=f"changed page → {channel}, first and last of {TARGETS}, {what}, Telegram {rate}",
                    unit="s",
                    measured=times[-1],
                    spread=(times[0], times[-1]),
                    budget=3,
                    note=f"{waiting:,} deliveries still wait",
                )
                for channel, times in arrived.items()
            ]
        for sender in program.senders:
            sender.stop()
    return figures


def _missing() -> list[str]:
    """What there has to be beside the TEN."""
    slack = TARGETS - sum(to.startswith("slack:") for to in TEN)
    mail = TARGETS - sum(to.startswith("mailto:") for to in TEN)
    return [f"slack:C1{number:09}" for number in range(slack)] + [f"mailto:p{n}@example.com" for n in range(mail)]


async def _arrived(peer: Peer) -> dict[str, list[float]]:
    """Seconds from the changed page to each message, once all are there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            stamps = peer.stamps()
            at = {name: sorted(each.at for each in stamps if each.what == name) for name in (PAGE, "slack", "mailto")}
            pages, found = at.pop(PAGE), at
            if all(len(times) >= TARGETS for times in found.values()):
                return {name: [each - pages[0] for each in times[:TARGETS]] for name, times in found.items()}
            await asyncio.sleep(0.05)
