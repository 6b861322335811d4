"""Several processes and one database, on a loop whose time passes by itself: who is on duty, and never two at once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.duty import RENEW_SECONDS, Duties
from notifier.known import DutyState
from notifier.ports import INBOX, POLL, OffDuty, StoreFailed, sending
from tests.builders import NOW
from tests.faults.timeless import TimelessLoop

T = TypeVar("T")

LEASE = timedelta(seconds=20)
TELEGRAM = sending("telegram")
TAKEOVER = 30
"""Seconds within which somebody has to be on duty again."""


@dataclass
class Row:
    holder: str = ""
    token: int = 0
    until: float = -1.0


@dataclass
class Database:
    """What `store/duties.py` does with rows, here in a dict; its clock is the loop's."""

    rows: dict[str, Row] = field(default_factory=dict)
    lease: timedelta | None = LEASE

    def hold(self, holder: str, wanted: Collection[str]) -> Mapping[str, int]:
        held = {}
        for name in wanted:
            row = self.rows.setdefault(name, Row())
            if row.holder != holder and (row.until < _now() if self.lease else True):
                row.holder, row.token = holder, row.token + 1
            if row.holder == holder:
                row.until = _now() + LEASE.total_seconds()
                held[name] = row.token
        return held

    def release(self, holder: str, names: Collection[str]) -> None:
        for name in names:
            if name in self.rows and self.rows[name].holder == holder:
                self.rows[name].until = -1.0


@dataclass
class Line:
    """One process's connection: how long its questions, answers and goodbyes take, and whether they arrive."""

    database: Database
    asks: float = 0.0
    answers: float = 0.0
    releases: float = 0.0
    broken: bool = False
    newer: bool = False
    calls: list[Callable[[], None]] = field(default_factory=list)

    @property
    def lease(self) -> timedelta | None:
        return self.database.lease

    async def hold(self, holder: str, wanted: Collection[str]) -> Mapping[str, int]:
        await asyncio.sleep(self.asks)
        if self.broken:
            raise StoreFailed("the connection is lost")
        if self.newer:
            self.database.release(holder, wanted)
            raise OffDuty("the database has schema 9999")
        held = self.database.hold(holder, wanted)
        await asyncio.sleep(self.answers)
        return held

    async def release(self, holder: str, names: Collection[str]) -> None:
        await asyncio.sleep(self.releases)
        if self.broken:
            raise StoreFailed("the connection is lost")
        self.database.release(holder, names)
        for each in self.calls:
            each()

    async def duties(self) -> list[DutyState]:
        raise NotImplementedError

    def calls_out(self) -> AsyncIterator[str]:
        raise NotImplementedError


class Time:
    second = 1.0
    wrong_by = timedelta()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=_now()) + self.wrong_by

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds()


class Process:
    """Writes down when it works at what."""

    def __init__(self, name: str, database: Database, *names: str, ends_in: float = 0.0) -> None:
        self.name = name
        self.line = Line(database)
        self.time = Time()
        self.duties = Duties(self.line, name, self.time)  # type: ignore[arg-type]
        self.works: set[str] = set()
        self.began: list[tuple[float, str]] = []
        self._ends_in = ends_in
        for each in names:
            self.duties.add(each, self._work(each), after=TELEGRAM if each == INBOX else None)

    def _work(self, name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            self.began.append((_now(), name))
            self.works.add(name)
            try:
                await asyncio.Event().wait()
            finally:
                self.works.discard(name)
                if self._ends_in:
                    await asyncio.sleep(self._ends_in)

        return work

    def start(self) -> None:
        self.task = asyncio.ensure_future(self.duties.run(8))


def _now() -> float:
    return asyncio.get_running_loop().time()


def played(story: Callable[[], Awaitable[T]]) -> T:
    """What comes of it; the processes that are still running end with it."""
    loop = TimelessLoop()
    try:
        return loop.run_until_complete(_awaited(story))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        loop.close()


async def _awaited(story: Callable[[], Awaitable[T]]) -> T:
    return await story()


def two(*names: str) -> tuple[Process, Process]:
    database = Database()
    return Process("first", database, *names), Process("second", database, *names)


def test_the_first_one_does_it_all_and_the_second_stands_by() -> None:
    async def story() -> None:
        first, second = two(POLL, TELEGRAM, INBOX)
        first.start()
        await asyncio.sleep(1)
        second.start()
        await asyncio.sleep(3600)
        assert (first.works, second.works) == ({POLL, TELEGRAM, INBOX}, set())
        assert [name for _, name in first.began] == [POLL, TELEGRAM, INBOX], "each began once"

    played(story)


def test_one_that_is_killed_is_replaced_within_the_time_and_not_before_its_lease_is_over() -> None:
    async def story() -> None:
        first, second = two(POLL)
        first.start()
        await asyncio.sleep(1)
        second.start()
        await asyncio.sleep(100)
        killed_at = _now()
        first.line.broken = True
        first.task.cancel()
        await asyncio.sleep(TAKEOVER)
        [(at, _)] = second.began
        assert LEASE.total_seconds() - RENEW_SECONDS <= at - killed_at < TAKEOVER

    played(story)


def test_one_that_is_told_to_stop_hands_over_at_once_what_has_ended() -> None:
    async def story() -> None:
        first, second = two(POLL, TELEGRAM)
        first.line.calls.append(second.duties.wake)
        first.start()
        await asyncio.sleep(1)
        second.start()
        await asyncio.sleep(10)
        stopped_at = _now()
        first.duties.stop()
        await first.task
        await asyncio.sleep(0.1)
        assert second.works == {POLL, TELEGRAM}
        assert all(at - stopped_at < 0.1 for at, _ in second.began)

    played(story)


def test_what_does_not_end_in_time_is_cut_off_and_handed_over() -> None:
    async def story() -> None:
        database = Database()
        first = Process("first", database, POLL, ends_in=60)
        first.start()
        await asyncio.sleep(1)
        first.duties.stop()
        began = _now()
        await asyncio.sleep(8.5)
        assert database.rows[POLL].until == -1.0 and _now() - began < 9

    played(story)


def test_without_its_database_nothing_begins_after_60_percent_and_nothing_goes_on_after_the_lease() -> None:
    async def story() -> None:
        first, _ = two(TELEGRAM)
        first.start()
        await asyncio.sleep(1)
        first.line.broken = True
        await asyncio.sleep(10.5)
        assert first.duties.trusted(TELEGRAM) and first.works
        await asyncio.sleep(1)
        assert not first.duties.trusted(TELEGRAM) and first.works, "what is under way may end"
        await asyncio.sleep(8)
        assert not first.works
        first.line.broken = False
        await asyncio.sleep(RENEW_SECONDS)
        assert first.works and first.duties.trusted(TELEGRAM), "nobody took its place"
        assert first.line.database.rows[TELEGRAM].token == 1, "so that what it wrote is still its own"

    played(story)


def test_a_machine_that_was_suspended_knows_it_and_a_clock_put_back_changes_nothing() -> None:
    async def story() -> None:
        first, _ = two(TELEGRAM)
        first.start()
        await asyncio.sleep(1)
        first.time.wrong_by = -timedelta(days=1)
        assert first.duties.trusted(TELEGRAM)
        first.time.wrong_by = timedelta(seconds=13)
        assert not first.duties.trusted(TELEGRAM)
        await asyncio.sleep(RENEW_SECONDS)
        assert first.duties.trusted(TELEGRAM) and len(first.began) == 1

    played(story)


def test_an_answer_that_hangs_does_not_keep_it_from_stopping() -> None:
    async def story() -> None:
        first, _ = two(POLL)
        first.start()
        await asyncio.sleep(1)
        first.line.asks = 1000
        await asyncio.sleep(RENEW_SECONDS)
        began = _now()
        first.duties.stop()
        await first.task
        assert _now() - began < 1

    played(story)


def test_a_database_that_hangs_gives_nobody_more_time_to_end() -> None:
    async def story() -> None:
        first, _ = two(POLL)
        ended = []

        async def sends() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append(_now())

        first.line.database.rows[INBOX] = Row("somebody else", 7, until=_now() + 1000)
        first.duties.add(INBOX, sends)
        first.duties.add(TELEGRAM, sends)
        first.start()
        await asyncio.sleep(1)
        first.line.releases = 25
        began = _now()
        first.duties.stop()
        await first.task
        assert [at - began for at in ended] == [8]
        assert _now() - began < 8 + 26

    played(story)


def test_the_inbox_stays_with_the_sender_whose_pace_it_shares() -> None:
    async def story() -> None:
        first, second = two(TELEGRAM, INBOX)
        database = first.line.database
        first.start()
        await asyncio.sleep(1)
        database.rows[INBOX] = Row("somebody else", 7, until=_now() + 1000)
        await asyncio.sleep(RENEW_SECONDS)
        assert first.works == {TELEGRAM}
        database.rows[TELEGRAM] = Row("somebody else", 7, until=_now() + 10)
        second.start()
        await asyncio.sleep(RENEW_SECONDS)
        assert not first.works and not second.works

    played(story)


def test_where_one_process_has_the_database_to_itself_nothing_is_asked_again() -> None:
    async def story() -> None:
        database = Database(lease=None)
        first = Process("first", database, POLL, TELEGRAM, INBOX)
        first.start()
        await asyncio.sleep(1)
        first.line.broken = True
        await asyncio.sleep(100_000)
        assert first.works == {POLL, TELEGRAM, INBOX} and first.duties.trusted(POLL)

    played(story)


def test_work_that_cannot_begin_as_the_database_fails_is_begun_again() -> None:
    async def story() -> None:
        first, _ = two()
        attempts = []

        async def work() -> None:
            attempts.append(_now())
            if len(attempts) < 3:
                raise StoreFailed("it is starting up")
            await asyncio.Event().wait()

        first.duties.add(POLL, work)
        first.start()
        await asyncio.sleep(60)
        assert len(attempts) == 3 and first.duties.trusted(POLL)

    played(story)


def test_a_database_that_a_newer_version_changed_is_left_to_it_at_once() -> None:
    async def story() -> None:
        first, _ = two(POLL)
        first.start()
        await asyncio.sleep(1)
        first.line.newer = True
        await asyncio.sleep(RENEW_SECONDS)
        assert not first.works and first.line.database.rows[POLL].until == -1.0
        await asyncio.sleep(60)
        assert not first.task.done(), "whoever started it stops it"

    played(story)


STEPS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(("fine", "fine", "broken", "slow to ask", "slow to answer", "stopped")),
    st.floats(0.1, 30, allow_nan=False),
)


@given(st.lists(STEPS, max_size=25))
@settings(max_examples=60)
def test_no_two_trust_in_the_same_duty_at_any_moment_and_soon_somebody_has_it(
    steps: list[tuple[int, str, float]],
) -> None:
    async def story() -> None:
        database, numbers = Database(), itertools.count()
        processes: list[Process] = []

        def born() -> None:
            process = Process(f"process {next(numbers)}", database, POLL, TELEGRAM, INBOX)
            processes.append(process)
            process.start()

        async def passes(seconds: float) -> None:
            end = _now() + seconds
            while _now() < end:
                await asyncio.sleep(0.25)
                for name in (POLL, TELEGRAM, INBOX):
                    trusting = [each.name for each in processes if each.duties.trusted(name)]
                    assert len(trusting) <= 1, (name, trusting)
                    working = [each.name for each in processes if name in each.works]
                    assert len(working) <= 1, (name, working)

        for _ in range(3):
            born()
        for which, state, seconds in steps:
            line = processes[-3:][which].line
            line.broken, line.asks, line.answers = state == "broken", 0.0, 0.0
            if state == "slow to ask":
                line.asks = seconds
            elif state == "slow to answer":
                line.answers = seconds
            elif state == "stopped":
                processes[-3:][which].duties.stop()
                born()
            await passes(seconds)
        for each in processes:
            each.line.broken, each.line.asks, each.line.answers = False, 0.0, 0.0
        await passes(TAKEOVER)
        assert set().union(*(each.works for each in processes)) == {POLL, TELEGRAM, INBOX}

    played(story)
