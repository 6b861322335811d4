"""Steps repeat after what they answer, whatever they raise and whoever sets the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from notifier import schedule
from notifier.schedule import Schedule


class WallClock:
    """The wall's time, which anybody may set."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """One for the schedule and for APScheduler, which reads its own."""
    made = WallClock()

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return made.now().astimezone(tz)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shifted)
    return made


class Step:
    """Answers with the seconds until it wants to run again; `until(n)` waits for its n-th run."""

    def __init__(self, *answers: float | Exception) -> None:
        self._answers = list(answers)
        self.runs: list[float] = []
        self._ran = asyncio.Condition()

    async def __call__(self) -> float:
        async with self._ran:
            self.runs.append(asyncio.get_running_loop().time())
            self._ran.notify_all()
        answer = self._answers.pop(0) if self._answers else 3600.0
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, runs: int) -> None:
        async with asyncio.timeout(5), self._ran:
            await self._ran.wait_for(lambda: len(self.runs) >= runs)


@asynccontextmanager
async def running(
    steps: dict[str, Callable[[], Awaitable[float]]], clock: WallClock | None = None
) -> AsyncIterator[None]:
    """A schedule of these steps, until the block is left."""
    stop = asyncio.Event()
    made = Schedule((clock or WallClock()).now)
    for name, step in steps.items():
        made.repeat(name, step)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run(stop))
        yield
        stop.set()


async def test_a_step_runs_at_once_and_again_after_what_it_answers() -> None:
    step = Step(0.05, 0.2, 0.01)
    async with running({"poll": step}):
        await step.until(4)
    gaps = [later - earlier for earlier, later in zip(step.runs, step.runs[1:], strict=False)]
    assert gaps[0] >= 0.04 and gaps[1] >= 0.19 and gaps[2] >= 0.009


async def test_a_step_may_begin_later() -> None:
    step, stop = Step(), asyncio.Event()
    made = Schedule(WallClock().now)
    made.repeat("poll", step, after=0.2)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        began = asyncio.get_running_loop().time()
        tasks.create_task(made.run(stop))
        await step.until(1)
        stop.set()
    assert step.runs[0] - began >= 0.19


@pytest.mark.fault("F7")
async def test_a_step_that_raises_stays_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "_AFTER_A_BUG", 0.05)
    caplog.set_level(logging.CRITICAL, "apscheduler")
    broken, sound = Step(RuntimeError("a bug"), RuntimeError("again"), 0.01), Step(0.01, 0.01)
    async with running({"broken": broken, "sound": sound}):
        await broken.until(4)
        await sound.until(3)
    assert len(broken.runs) == 4


@pytest.mark.parametrize("days", [-1, 1, -3650], ids=["back by a day", "forward by a day", "back by ten years"])
async def test_a_clock_that_is_set_silences_nothing(
    monkeypatch: pytest.MonkeyPatch, clock: WallClock, days: int
) -> None:
    monkeypatch.setattr(schedule, "_WATCH_SECONDS", 0.05)
    poll, other = Step(), Step()
    async with running({"poll": poll, "other": other}, clock):
        await poll.until(1)
        await other.until(1)
        clock.off = timedelta(days=days)
        await poll.until(2)
        await other.until(2)


async def test_a_clock_that_drifts_a_little_makes_nothing_run_earlier(
    monkeypatch: pytest.MonkeyPatch, clock: WallClock
) -> None:
    monkeypatch.setattr(schedule, "_WATCH_SECONDS", 0.02)
    rare, often = Step(), Step(*[0.03] * 20)
    async with running({"rare": rare, "often": often}, clock):
        await rare.until(1)
        clock.off = timedelta(seconds=2)
        await often.until(6)
    assert len(rare.runs) == 1


@pytest.mark.fault("F6")
async def test_a_step_never_runs_twice_at_once_even_if_the_clock_is_set_meanwhile(
    monkeypatch: pytest.MonkeyPatch, clock: WallClock
) -> None:
    monkeypatch.setattr(schedule, "_WATCH_SECONDS", 0.01)
    begun, release = asyncio.Event(), asyncio.Event()
    slow, other = Step(), Step()

    async def held() -> float:
        begun.set()
        await release.wait()
        return await slow()

    async with running({"slow": held, "other": other}, clock):
        await other.until(1)
        for runs in (2, 3):
            clock.off += timedelta(days=1)
            await other.until(runs)
        assert begun.is_set() and slow.runs == []
        release.set()
        await slow.until(1)
    assert len(slow.runs) == 1


@pytest.mark.fault("F6")
async def test_a_step_that_wants_to_run_at_once_again_is_never_dropped() -> None:
    eager = Step(*[0.0] * 50)
    async with running({"eager": eager}):
        await eager.until(51)
    assert len(eager.runs) == 51


async def test_when_it_is_stopped_a_step_under_way_is_over_too() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def step() -> float:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    async with running({"endless": step}):
        async with asyncio.timeout(5):
            await begun.wait()
    assert ended.is_set()


@pytest.mark.parametrize("turns", range(10), ids=lambda turns: f"after {turns} turns of the loop")
async def test_stopped_while_a_step_begins_it_complains_of_nothing(
    turns: int, caplog: pytest.LogCaptureFixture
) -> None:
    repeating, stop = Schedule(WallClock().now), asyncio.Event()
    repeating.repeat("step", Step(60))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(repeating.run(stop))
        for _ in range(turns):
            await asyncio.sleep(0)
        stop.set()
    await asyncio.sleep(0)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
