"""A database that cannot be written: operators hear of it, and of its end, from the process that found out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from notifier.distress import Distress
from notifier.known import Owed, SourceHealth
from notifier.model import Change
from notifier.parcel import Turn
from notifier.ports import StoreDown
from notifier.subscription import Address
from notifier.watch import Watch
from tests.doubles import FrozenClock, RecordingChannel
from tests.world import PAGE

NAME = "The notifier's database cannot be written"
TROUBLE, OVER = f"🟠 Trouble: {NAME}", f"🟢 Over: {NAME}"
OPERATOR = Address.parse("console:")


class Unsteady:
    """A database that is gone when a test says so."""

    origin = "0a1b2c3d"
    unwritable = ""
    gone = False

    def fails(self) -> None:
        self.gone, self.unwritable = True, "connection refused"

    async def owed(self, now: datetime) -> Owed:
        if self.gone:
            raise StoreDown("connection refused")
        return Owed()

    async def alarm(self, decide: Callable[[Mapping[str, Change]], Turn], to: Collection[Address]) -> Turn:
        return decide({})

    async def touch(self) -> None:
        if self.gone:
            raise StoreDown("connection refused")
        self.unwritable = ""


class Unasked:
    """A poll that has read nothing."""

    wrong_page = ""
    oddities: tuple[str, ...] = ()

    def health(self) -> tuple[SourceHealth, ...]:
        return ()


@dataclass
class Process:
    database: Unsteady = field(default_factory=Unsteady)
    clock: FrozenClock = field(default_factory=FrozenClock)
    operator: RecordingChannel = field(default_factory=RecordingChannel)
    polls: bool = True

    def __post_init__(self) -> None:
        distress = Distress(self.database, {"console": self.operator}, [OPERATOR], PAGE, self.clock)
        clock, mine = self.clock, lambda _: self.polls
        self.watch = Watch(self.database, Unasked(), [], clock, [OPERATOR], distress, None, mine, mine)

    async def passes(self, seconds: int) -> None:
        for _ in range(0, seconds, 5):
            self.clock.move(timedelta(seconds=5))
            await self.watch.step()

    @property
    def told(self) -> list[str]:
        return [each.text.partition("\n")[0] for each in self.operator.arrived]


@pytest.fixture
def process() -> Process:
    return Process()


async def test_it_is_told_once_after_half_a_minute_and_its_end_once(process: Process) -> None:
    process.database.fails()
    await process.passes(25)
    assert process.told == []
    await process.passes(3600)
    process.database.gone = False
    await process.passes(60)
    assert process.told == [TROUBLE, OVER] and not process.watch.unfinished


async def test_two_short_failures_are_no_long_one(process: Process) -> None:
    for _ in range(2):
        process.database.fails()
        await process.passes(20)
        process.database.gone = False
        await process.passes(3600)
    assert process.told == []


async def test_who_told_it_tells_its_end_though_another_process_polls_by_then(process: Process) -> None:
    process.database.fails()
    await process.passes(60)
    process.database.gone, process.polls = False, False
    await process.passes(5)
    assert process.told == [TROUBLE, OVER] and not process.watch.unfinished
    process.database.fails()
    await process.passes(60)
    assert process.told == [TROUBLE, OVER], "what is not its own affair"
