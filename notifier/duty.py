"""Who works at what: this process does what it holds a lease on, and stops before somebody else may begin.

A lease is the database's; what this process may do follows from its own clocks, counted from the moment at which it
asked. Nothing begins after TRUST of the lease; at its end, what is still under way is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from notifier.ports import Clock, DutyStore, OffDuty, StoreFailed

RENEW_SECONDS = 4.0
"""How often leases are renewed, and free duties asked for."""

ANSWER_SECONDS = 5.0
"""How long the database may take for that."""

TRUST = 0.6
"""The share of a lease within which something may begin."""

log = structlog.get_logger("duty")


class _Moment(NamedTuple):
    """By both clocks: only the wall's goes on while a machine is suspended, and somebody may put it back."""

    loop: float
    wall: datetime


@dataclass(slots=True)
class _Duty:
    name: str
    work: Callable[[], Awaitable[None]]
    stop: Callable[[], None] | None
    after: str | None
    token: int | None = None
    """None: as the database last said, it is not this process's."""
    on: bool = False
    renewed_at: _Moment | None = None
    task: asyncio.Task[None] | None = None


class Duties:
    """`holder` names this process, and no other."""

    def __init__(self, store: DutyStore, holder: str, clock: Clock) -> None:
        self._store = store
        self._holder = holder
        self._clock = clock
        self._lease = store.lease.total_seconds() if store.lease is not None else float("inf")
        self._duties: dict[str, _Duty] = {}
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failing = self._standing_by = False

    def add(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        stop: Callable[[], None] | None = None,
        after: str | None = None,
    ) -> None:
        """`work` is done while the duty is held; it ends soon after `stop`, or, without one, is cancelled. It is asked
        for only while the duty `after` is held.
        """
        self._duties[name] = _Duty(name, work, stop, after)

    def mine(self, name: str) -> bool:
        """Whether the duty was this process's when the database last said so."""
        return name in self._duties and self._duties[name].token is not None

    @property
    def idle(self) -> bool:
        """Whether others do everything."""
        return not any(self.mine(name) for name in self._duties)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def trusted(self, name: str) -> bool:
        """Whether something may begin."""
        return self.mine(name) and self._age(self._duties[name]) < TRUST * self._lease

    def _age(self, duty: _Duty) -> float:
        """Seconds since it was renewed, at least: whichever clock says more."""
        if duty.renewed_at is None:
            return self._lease
        wall = (self._clock.now() - duty.renewed_at.wall).total_seconds() * self._clock.second
        return max(_now() - duty.renewed_at.loop, wall)

    def wake(self) -> None:
        """A duty may be free."""
        self._woken.set()

    def stop(self) -> None:
        """Nothing more is begun; `run` returns once what is under way has ended."""
        for duty in self._duties.values():
            if duty.stop is not None:
                duty.stop()
            elif duty.task is not None:
                duty.task.cancel()
        self._stopping.set()

    async def take(self) -> None:
        """Asks for all of them, once."""
        while await self._ask():
            continue

    async def keep(self) -> None:
        """Renews the leases, for as long as it runs."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._ask()

    async def release(self) -> None:
        """Others may have at once what this process has."""
        await self._give_up(tuple(self._duties))

    async def run(self, seconds: float) -> None:
        """Until `stop`. What is being done then has so many seconds to end, and each duty is free as soon as it has."""
        try:
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(self._go_on(tasks))
                guarding = tasks.create_task(self._guard())
                await self._stopping.wait()
                asking.cancel()
                await self._end(seconds)
                guarding.cancel()
        except BaseException:
            await self.release()  # a bug ends this process, and nobody has to wait until its leases end
            raise

    async def _go_on(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._woken.clear()
            await self.take()
            self._cut_off()
            for duty in self._duties.values():
                if duty.on and duty.task is None and not self.stopping:
                    duty.task = tasks.create_task(self._work(duty))
            await self._sleep()

    async def _work(self, duty: _Duty) -> None:
        try:
            await duty.work()
        except StoreFailed as failed:
            log.warning("begun too early: the database does not answer yet", duty=duty.name, reason=str(failed))
            await asyncio.sleep(RENEW_SECONDS)
        finally:
            duty.task = None
            self._woken.set()

    async def _sleep(self) -> None:
        """Until something is to be asked."""
        settled = self._lease == float("inf") and all(each.on for each in self._duties.values())
        try:
            async with asyncio.timeout(None if settled else RENEW_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _guard(self) -> None:
        """Leases end though the database, and whoever waits for its answer, hangs."""
        while self._lease < float("inf"):
            ends = (self._lease - self._age(each) for each in self._duties.values() if each.on)
            await asyncio.sleep(max(0.0, min((RENEW_SECONDS, *ends))))
            self._cut_off()

    async def _ask(self) -> bool:
        """Whether what it has now lets it ask for one more."""
        wanted = [each.name for each in self._duties.values() if each.after is None or self.mine(each.after)]
        began = _Moment(_now(), self._clock.now())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                held = await self._store.hold(self._holder, wanted)
        except OffDuty as refused:
            if not self._failing:
                log.warning("stands by", reason=str(refused))
            self._failing, held = True, {}
        except (StoreFailed, TimeoutError) as failed:
            if not self._failing:
                log.warning("leases not renewed", reason=str(failed) or "the database does not answer")
            self._failing = True
            return False
        else:
            self._failing = False
        for duty in self._duties.values():
            self._learn(duty, held.get(duty.name), began)
        if not held and not self._standing_by:
            log.info("stands by", process=self._holder)
        self._standing_by = not held
        return any(each.after in held and each.name not in wanted for each in self._duties.values())

    def _learn(self, duty: _Duty, token: int | None, asked_at: _Moment) -> None:
        if duty.token != token:
            self._off(duty)
        duty.token = token
        if token is None:
            return
        duty.renewed_at = asked_at
        if not duty.on and duty.task is None:  # what was cut off ends first
            duty.on = True
            log.info("on duty", duty=duty.name, token=token, process=self._holder)

    def _cut_off(self) -> None:
        """What may be somebody else's by now is not done here any more."""
        for duty in self._duties.values():
            apart = duty.after is not None and not self._duties[duty.after].on
            if duty.on and (apart or self._age(duty) >= self._lease):
                self._off(duty)

    def _off(self, duty: _Duty) -> None:
        if not duty.on:
            return
        duty.on = False
        late = max(0.0, self._age(duty) - TRUST * self._lease)
        until = self._clock.now() - timedelta(seconds=late / self._clock.second)
        log.info("off duty", duty=duty.name, token=duty.token, process=self._holder, began_nothing_after=str(until))
        if duty.task is not None:
            duty.task.cancel()

    async def _end(self, seconds: float) -> None:
        """However long the database takes for what is given up."""
        under_way = {each.task: each for each in self._duties.values() if each.task is not None}
        end = _now() + seconds
        async with asyncio.TaskGroup() as giving:
            giving.create_task(self._give_up([name for name, each in self._duties.items() if each.task is None]))
            while under_way and _now() < end:
                over, _ = await asyncio.wait(under_way, timeout=end - _now(), return_when=asyncio.FIRST_COMPLETED)
                giving.create_task(self._give_up([under_way.pop(task).name for task in over]))
            for duty in under_way.values():
                log.warning("it did not end in time; what it was sending is uncertain", duty=duty.name)
            giving.create_task(self._give_up([each.name for each in under_way.values()]))

    async def _give_up(self, names: Collection[str]) -> None:
        """Whoever else wants them may have them."""
        for duty in (self._duties[name] for name in names):
            self._off(duty)
            duty.token = None
        if names:
            try:
                await self._store.release(self._holder, names)
            except StoreFailed as failed:
                log.warning("duties are free only when their leases end", reason=str(failed))


def _now() -> float:
    return asyncio.get_running_loop().time()
