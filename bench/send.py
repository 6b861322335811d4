"""P4: durable sends on Telegram beside the bare client – the same bot, transport, payload and number at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.bot_api import Rule
from bench.figures import Figure, interval
from bench.peer import Peer
from bench.world import outbox_filled, settings, telegram_of
from notifier.app import Service
from notifier.channels import Telegram
from notifier.channels.telegram import Payload, _arguments, compose
from notifier.message import Message, Receipt
from notifier.ports import Throttles
from notifier.subscription import Address
from notifier.wiring import make_sender

ROUNDS, MESSAGES = 10, 1_000
ORDINARY, PAID = 8, 128
"""Sends at once: as the settings have it, and for Telegram's paid rate."""
PAUSE = 0.05
PAUSED_MESSAGES = 5_000


@dataclass(frozen=True, slots=True)
class Spent:
    """On each message."""

    wall: float
    cpu: float


class Counted:
    """A channel that calls `enough` with its `most`-th message, whose payload it keeps."""

    can_edit, can_find, keeps_root = True, False, True
    throttles: Throttles = "all"

    enough: Callable[[], None]

    def __init__(self, channel: Telegram, most: int) -> None:
        self._channel = channel
        self._most = most
        self.name, self.notes = channel.name, channel.notes
        self.count = 0
        self.payload: Payload = {}

    async def send(self, to: Address, message: Message) -> Receipt:
        self.count += 1
        if self.count == self._most:
            self.payload = compose(to, message)
            self.enough()
        return await self._channel.send(to, message)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        raise NotImplementedError

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        raise NotImplementedError

    async def check(self) -> str:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


class Trial:
    """Sends what waits, through the program or past it."""

    def __init__(self, program: Service) -> None:
        channel = telegram_of(program).channel
        assert isinstance(channel, Telegram)
        self._channel = channel
        self._program = program
        self._payload: Payload = {}

    async def durable(self, messages: int) -> Spent:
        """A few more than `messages`: those under way when it is enough."""
        counted = Counted(self._channel, messages)
        program = self._program
        sender = make_sender(program.settings, counted, program.store, program.page, program.clock, program.tongues)
        counted.enough = sender.stop
        spent = await _spent(sender.run, lambda: counted.count)
        assert counted.count >= messages
        self._payload = counted.payload
        return spent

    async def bare(self, messages: int) -> Spent:
        """As many senders as there are sends at once, and nothing else."""
        left = iter(range(messages))

        async def everybody() -> None:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._program.settings.telegram.max_in_flight):
                    tasks.create_task(self._post(left))

        return await _spent(everybody, lambda: messages)

    async def _post(self, left: Iterator[int]) -> None:
        for number in left:
            payload = self._payload | {"chat_id": str(1_000_000_000 + number)}
            await self._channel._bot.send_message(**_arguments(payload))


async def _spent(send: Callable[[], Awaitable[None]], count: Callable[[], int]) -> Spent:
    wall, cpu = time.monotonic(), time.process_time()
    await send()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return Spent(wall / count(), cpu / count())


async def send(peer: Peer, folder: Path) -> list[Figure]:
    figures = []
    for in_flight in (ORDINARY, PAID):
        figures += await _alternated(peer, folder / str(in_flight), in_flight)
    return figures + await _paused(peer, folder / "paused")


@asynccontextmanager
async def _waiting(peer: Peer, folder: Path, in_flight: int, messages: int) -> AsyncIterator[Trial]:
    """So many messages to send, without a rate."""
    wanted = settings(folder, peer, messages_per_second=None, max_in_flight=in_flight)
    async with outbox_filled(wanted, peer, messages) as program:
        yield Trial(program)


async def _alternated(peer: Peer, folder: Path, in_flight: int) -> list[Figure]:
    async with _waiting(peer, folder, in_flight, (ROUNDS + 1) * (MESSAGES + in_flight)) as trial:
        await trial.durable(MESSAGES)
        rounds = []
        for _ in range(ROUNDS):
            before, durable, after = (
                await trial.bare(MESSAGES),
                await trial.durable(MESSAGES),
                await trial.bare(MESSAGES),
            )
            rounds.append((before, durable, after))
    what = f"durable sends, {in_flight} at once"
    speed, spread = interval([(b.wall + a.wall) / 2 / d.wall for b, d, a in rounds])
    control, control_spread = interval([b.wall / a.wall for b, _, a in rounds])
    cost, cost_spread = interval([d.cpu / (b.cpu + a.cpu) * 2 for b, d, a in rounds])
    return [
        Figure(
            number="P4",
            what=f"{what}: speed, as a share of the bare client's",
            unit="",
            measured=speed,
            spread=spread,
            budget=0.9,
            at_least=True,
            note="the same bot and transport, alternated in one process",
        ),
        Figure(
            number="P4",
            what=f"{what}: control, bare against bare",
            unit="",
            measured=control,
            spread=control_spread,
        ),
        Figure(
            number="P4",
            what=f"{what}: CPU, as a multiple of the bare client's",
            unit="",
            measured=cost,
            spread=cost_spread,
        ),
        Figure(
            number="P4",
            what=f"{what}: CPU of a message",
            unit="µs",
            measured=median(d.cpu for _, d, _ in rounds) * 1e6,
            floor=median((b.cpu + a.cpu) / 2 for b, _, a in rounds) * 1e6,
        ),
        Figure(
            number="P4",
            what=what,
            unit="/s",
            measured=1 / median(d.wall for _, d, _ in rounds),
            floor=1 / median((b.wall + a.wall) / 2 for b, _, a in rounds),
        ),
    ]


async def _paused(peer: Peer, folder: Path) -> list[Figure]:
    async with _waiting(peer, folder, PAID, PAUSED_MESSAGES + MESSAGES + 2 * PAID) as trial:
        await trial.durable(MESSAGES)
        peer.telegram(Rule(pause=PAUSE))
        durable, bare = await trial.durable(PAUSED_MESSAGES), await trial.bare(PAUSED_MESSAGES)
        peer.telegram(Rule())
    return [
        Figure(
            number="P4",
            what=f"durable sends, {PAID} at once, {PAUSE * 1000:.0f} ms a call",
            unit="/s",
            measured=1 / durable.wall,
            budget=1000,
            at_least=True,
            floor=1 / bare.wall,
            note=f"{durable.cpu / durable.wall:.0%} of a core",
        )
    ]
