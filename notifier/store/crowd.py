"""ports.Readers on SQLAlchemy, and what the command line asks of those who subscribe by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from notifier.known import Scene, Tally
from notifier.store import bell, broadcast, readers, received, scene
from notifier.store.transactions import Transactions
from notifier.subscription import Address, Subscription


class Crowd(Transactions):
    """Every method is one transaction."""

    async def reader(self, address: Address) -> Subscription | None:
        async with self._read() as connection:
            return await readers.reader(connection, address)

    async def keep(self, subscription: Subscription, now: datetime) -> None:
        async with self._write() as connection:
            await readers.keep(connection, subscription, now)
            await bell.ring(connection, "due")

    async def forget(self, address: Address) -> int | None:
        async with self._write() as connection:
            return await readers.forget(connection, address)

    async def leave(self, chat: str, reason: str) -> int:
        async with self._write() as connection:
            return await readers.leave(connection, chat, reason)

    async def move(self, chat: str, to: str) -> int:
        async with self._write() as connection:
            return await readers.move(connection, chat, to)

    async def subject_of(self, address: Address, ref: str) -> str | None:
        async with self._read() as connection:
            return await readers.subject_of(connection, address, ref)

    async def scene(self) -> Scene:
        async with self._read() as connection:
            return await scene.scene(connection)

    async def tally(self, now: datetime) -> Tally:
        async with self._read() as connection:
            return await scene.tally(connection, now)

    async def draft(self, number: int, text: str) -> None:
        async with self._write() as connection:
            await broadcast.draft(connection, number, text)

    async def broadcast(self, number: int, now: datetime) -> int | None:
        async with self._write() as connection:
            told = await broadcast.broadcast(connection, number, now)
            await bell.ring(connection, "due")
            return told

    async def remembered(self, key: str) -> str | None:
        async with self._read() as connection:
            return await received.remembered(connection, key)

    async def remember(self, key: str, value: str) -> None:
        async with self._write() as connection:
            await received.remember(connection, key, value)

    async def receive(self, number: int, doc: str) -> bool:
        async with self._write() as connection:
            new = await received.receive(connection, number, doc)
            await bell.ring(connection, "said")
            return new

    async def received(self, most: int) -> Sequence[tuple[int, str]]:
        async with self._read() as connection:
            return await received.waiting(connection, most)

    async def handled(self, number: int) -> None:
        async with self._write() as connection:
            await received.handled(connection, number)

    async def enroll(self, subscriptions: Sequence[Subscription], now: datetime) -> int:
        """Keeps all of them or, raising ValueError for one of the configuration, none; how many were not so before."""
        async with self._write() as connection:
            return await readers.enroll(connection, subscriptions, now)

    async def subscriptions(self) -> Sequence[Subscription]:
        """All of them, the configured ones too, in the order in which they came."""
        async with self._read() as connection:
            return await readers.everybody(connection)
