"""A process that can die between any two things it does to the world: a commit, a call to a provider."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.deliver import Sender
from notifier.message import Message, Receipt
from notifier.poll import Poll
from notifier.ports import ChannelFailure, Throttles
from notifier.render import Page
from notifier.retry import POLICIES
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Subscription
from tests.faults.model_page import URL, ModelPage
from tests.faults.providers import Provider
from tests.faults.timeless import TimelessLoop

T = TypeVar("T")

IN_FLIGHT = 4


class HostClock:
    """The time of a host, which may be wrong; its intervals are right."""

    second = 1.0

    def __init__(self, true: Callable[[], datetime]) -> None:
        self._true = true
        self.wrong_by = timedelta()

    def now(self) -> datetime:
        return self._true() + self.wrong_by

    def seconds(self, length: timedelta) -> float:
        return max(0.0, length.total_seconds())


class Life:
    """Ends at the n-th moment at which it may; afterwards nothing is done any more, and nothing is undone."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self._moments: int | None = None

    def end_at(self, moment: int) -> None:
        self._moments = moment

    def goes_on(self) -> bool:
        """Called at every moment at which the process may die."""
        if self._moments is not None:
            self._moments -= 1
            if self._moments <= 0:
                self.ended.set()
        return not self.ended.is_set()

    async def moment(self) -> None:
        if not self.goes_on():
            await _for_ever()


async def _for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


class _TornError(Exception):
    """The process died before it could commit."""


class MortalStore(SqlStore):
    """One transaction at a time among all processes, first come first served: every run is the same."""

    life: Life
    turn: asyncio.Lock

    @asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TimelessLoop)
        if self.life.ended.is_set():
            await _for_ever()
        async with self.turn:
            loop.asked += 1
            try:
                yield
            finally:
                loop.asked -= 1

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._one_at_a_time(), super()._write() as connection:
                if self.life.ended.is_set():
                    raise _TornError
                yield connection
                if not self.life.goes_on():
                    raise _TornError
        except _TornError:
            pass
        await self.life.moment()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        async with self._one_at_a_time(), super()._read() as connection:
            yield connection


class Line:
    """A process's line to a provider: its Channel."""

    def __init__(self, provider: Provider, life: Life, process: int) -> None:
        self._provider = provider
        self._life = life
        self._process = process
        self.name = provider.name
        self.can_edit = provider.can_edit
        self.can_find = provider.can_find
        self.keeps_root = provider.keeps_root
        self.throttles: Throttles = "call" if provider.name == "slack" else "all"
        self.notes: list[str] = []

    async def send(self, to: Address, message: Message) -> Receipt:
        return await self._call(lambda: self._provider.take(to, message, self._process))

    async def edit(self, receipt: Receipt, message: Message) -> None:
        await self._call(lambda: self._provider.change(receipt, message))

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return await self._call(lambda: self._provider.look_up(to, message, since))

    async def check(self) -> str:
        return self.name

    async def close(self) -> None:
        return None

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._life.moment()
        try:
            answer = await call()
        except ChannelFailure:
            await self._life.moment()
            raise
        await self._life.moment()
        return answer


class Process:
    """The service without its schedule: what it does is asked for, one thing at a time."""

    def __init__(
        self,
        number: int,
        store: MortalStore,
        page: ModelPage,
        providers: Sequence[Provider],
        clock: HostClock,
        free: Mapping[str, asyncio.Lock],
    ) -> None:
        self.free = free
        self.number = number
        self.store = store
        self.page = page
        self.clock = clock
        self.poll = Poll(store, page.lookup(), clock, self._wake)
        self.sources = page.sources()
        self.senders = {each.name: self._sender(each) for each in providers}

    @classmethod
    async def born(
        cls,
        number: int,
        path: Path,
        turn: asyncio.Lock,
        page: ModelPage,
        providers: Sequence[Provider],
        clock: HostClock,
        wanted: Sequence[Subscription],
        free: Mapping[str, asyncio.Lock],
    ) -> Process:
        """As `Service.run` begins; `free` are the duties of the senders that nobody has just now."""
        store = await MortalStore.open(f"sqlite:///{path}", token=number)
        assert isinstance(store, MortalStore)
        store.life, store.turn = Life(), turn
        process = cls(number, store, page, providers, clock, free)
        await store.sync(wanted, welcome=True, now=clock.now())
        await process.poll.start()
        return process

    async def read(self, source: str) -> None:
        await self.poll.page(self.sources[source])
        await self.poll.welcome("Kraken")

    async def deliver(self, *channels: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            for channel in channels:
                tasks.create_task(self._deliver(channel))

    async def _deliver(self, channel: str) -> None:
        async with self.free[channel]:
            await self.store.hold(str(self.number), [f"send/{channel}"])
            await self.senders[channel].run(until_empty=True)

    async def dies_during(self, work: Awaitable[None], moment: int) -> bool:
        """Whether it lived long enough to die at that moment; what it had begun to write is written or not."""
        self.store.life.end_at(moment)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(_awaited(work))
            over = tasks.create_task(self.store.life.ended.wait())
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
            died = self.store.life.ended.is_set()
            async with self.store.turn:
                task.cancel()
            over.cancel()
        return died

    def _wake(self) -> None:
        for sender in self.senders.values():
            sender.wake()

    def _sender(self, provider: Provider) -> Sender:
        return Sender(
            Line(provider, self.store.life, self.number),
            self.store,
            Page(url=URL),
            POLICIES[provider.name],
            self.clock,
            lambda: 0.5,
            in_flight=IN_FLIGHT,
        )


async def _awaited(work: Awaitable[None]) -> None:
    await work


_TEMPLATE: list[Path] = []


def template() -> Path:
    """An empty database with the newest schema."""
    if not _TEMPLATE:
        folder = Path(tempfile.mkdtemp())
        _TEMPLATE.append(folder / "template.db")

        async def make() -> None:
            store = await SqlStore.open(f"sqlite:///{_TEMPLATE[0]}", token=1)
            await store.close()

        asyncio.run(make())
    return _TEMPLATE[0]
