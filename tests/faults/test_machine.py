"""Anything may happen, in any order: whatever the page says, the providers answer, and whenever a process dies.

Hypothesis writes the story. What is promised is asked of the readers' own copies.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifier.subscription import Address, Filter, Subscription
from tests.builders import NOW
from tests.faults.judge import READERS, Judge, Reader
from tests.faults.model_page import ModelPage, Reading
from tests.faults.mortal import HostClock, Process, template
from tests.faults.providers import Answer, Provider
from tests.faults.timeless import TimelessLoop
from tests.memory import in_memory

T = TypeVar("T")

CHANNELS = ("slack", "telegram", "mailto")
NAMES = st.sampled_from(("one", "two"))
SOURCES = st.sampled_from(("summary", "incidents", "feed"))
IMPACTS = st.sampled_from((None, "minor", "major", "critical"))
ANSWERS = st.lists(st.sampled_from(Answer), max_size=5)
MOST_ROUNDS = 60
A_WHILE = timedelta(minutes=1)


class Machine(RuleBasedStateMachine):
    """Two incidents, five readers on three providers, at most two processes on one file."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = TimelessLoop()
        self.folder = Path(tempfile.mkdtemp(dir=in_memory()))
        self.path = self.folder / "notifier.db"
        shutil.copy(template(), self.path)
        self.page = ModelPage(self.now)
        self.clock = HostClock(self.now)
        self.providers = [
            Provider("slack", self.now, can_edit=True, can_find=True, keeps_root=True),
            Provider("telegram", self.now, can_edit=True, can_find=False, keeps_root=True),
            Provider("mailto", self.now, can_edit=False, can_find=False, keeps_root=False),
        ]
        self.judge = Judge(self.path, self.page, READERS, self.providers, latest=self.now())
        self.turn = asyncio.Lock()
        self.free = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self.processes: list[Process] = []
        self.born = 0
        self.wanted: list[Reader] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.loop.time())

    def do(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            return await work

        try:
            return self.loop.run_until_complete(done())
        finally:
            self.passes(timedelta())

    def passes(self, length: timedelta) -> None:
        self.loop.skip(length.total_seconds())
        self.judge.latest = max(self.judge.latest, self.clock.now())

    @initialize(
        left_out=st.sets(st.sampled_from(READERS), max_size=2),
        open_before=st.booleans(),
        others=st.sampled_from(tuple(Reading)),
    )
    def begin(self, left_out: set[Reader], open_before: bool, others: Reading) -> None:
        """The first round of the first process: what stands on the page is its baseline."""
        self.wanted = [each for each in READERS if each not in left_out]
        if open_before:
            self.page.post("one", "investigating", "major")
            self.judge.silent = set(self.page.posted)
        self.passes(timedelta(seconds=1))
        self.start()
        self.read(0, "summary", Reading.WHOLE, 0)
        self.read(0, "incidents", others, 0)
        self.read(0, "feed", others, 0)

    # Kraken.

    @rule(name=NAMES, status=st.sampled_from(("investigating", "identified", "monitoring")), impact=IMPACTS)
    def post(self, name: str, status: str, impact: str | None) -> None:
        self.passes(timedelta(seconds=1))
        self.page.post(name, status, impact)

    @precondition(lambda self: self.processes)
    @rule(name=NAMES, status=st.sampled_from(("investigating", "resolved")), impact=IMPACTS, which=st.integers(0, 1))
    def post_and_read(self, name: str, status: str, impact: str | None, which: int) -> None:
        if status == "investigating" or self.page.incident(name):
            self.passes(timedelta(seconds=1))
            self.page.post(name, status, impact)
            self.read(which, "incidents", Reading.WHOLE, 0)

    @rule(name=NAMES, status=st.sampled_from(("resolved", "resolved", "postmortem")))
    def end(self, name: str, status: str) -> None:
        if self.page.incident(name):
            self.passes(timedelta(seconds=1))
            self.page.post(name, status)

    @rule(name=NAMES, place=st.integers(0, 3))
    def edit(self, name: str, place: int) -> None:
        if self.page.incident(name):
            self.passes(timedelta(seconds=1))
            self.page.edit(name, place)

    @rule(name=NAMES, title=st.sampled_from((None, "Trouble renamed", "Trouble again")), impact=IMPACTS)
    def retitle(self, name: str, title: str | None, impact: str | None) -> None:
        if self.page.incident(name):
            self.passes(timedelta(seconds=1))
            self.page.retitle(name, title, impact)

    # Time, and what is thought of it.

    @rule(length=st.sampled_from([timedelta(seconds=5), timedelta(minutes=2, seconds=1), timedelta(minutes=11)]))
    def wait(self, length: timedelta) -> None:
        self.passes(length)

    @rule(wrong_by=st.sampled_from([timedelta(), timedelta(days=1), timedelta(days=-1)]))
    def set_clock(self, wrong_by: timedelta) -> None:
        self.clock.wrong_by = wrong_by
        self.passes(timedelta())

    # The processes.

    @precondition(lambda self: len(self.processes) < 2)
    @rule()
    def start(self) -> None:
        self.born += 1
        born = Process.born(
            self.born, self.path, self.turn, self.page, self.providers, self.clock, self._subscriptions(), self.free
        )
        self.processes.append(self.do(born))

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 1))
    def stop(self, which: int) -> None:
        self._gone(self._process(which))

    @precondition(lambda self: self.processes)
    @rule(
        which=st.integers(0, 1),
        source=SOURCES,
        reading=st.sampled_from(Reading),
        changes_ago=st.sampled_from((0, 0, 1, 3)),
    )
    def read(self, which: int, source: str, reading: Reading, changes_ago: int) -> None:
        self.page.will_be_read(reading, changes_ago)
        self.do(self._process(which).read(source))

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 1), channel=st.sampled_from(CHANNELS), answers=ANSWERS)
    def deliver(self, which: int, channel: str, answers: list[Answer]) -> None:
        self._answers(channel, answers)
        self.do(self._process(which).deliver(channel))

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 1))
    def deliver_all(self, which: int) -> None:
        self.do(self._process(which).deliver(*CHANNELS))

    @precondition(lambda self: len(self.processes) == 2)
    @rule(channel=st.sampled_from(CHANNELS), answers=ANSWERS)
    def both_deliver(self, channel: str, answers: list[Answer]) -> None:
        self._answers(channel, answers)

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                for process in self.processes:
                    tasks.create_task(process.deliver(channel))

        self.do(both())

    @precondition(lambda self: self.processes)
    @rule(
        which=st.integers(0, 1),
        channel=st.sampled_from(CHANNELS),
        answers=ANSWERS,
        moment=st.integers(1, 12),
        news=st.booleans(),
    )
    def die_delivering(self, which: int, channel: str, answers: list[Answer], moment: int, news: bool) -> None:
        if news:
            self.post_and_read("one", "investigating", "major", which)
        self._answers(channel, answers)
        process = self._process(which)
        self.do(process.dies_during(process.deliver(channel), moment))
        self._gone(process)

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 1), source=SOURCES, moment=st.integers(1, 4))
    def die_reading(self, which: int, source: str, moment: int) -> None:
        self.page.will_be_read()
        process = self._process(which)
        self.do(process.dies_during(process.read(source), moment))
        self._gone(process)

    # The readers.

    @precondition(lambda self: self.processes)
    @rule(reader=st.sampled_from(READERS))
    def subscribe_or_end(self, reader: Reader) -> None:
        if reader in self.wanted:
            self.wanted.remove(reader)
        else:
            self.wanted.append(reader)
        self.do(self.processes[0].store.sync(self._subscriptions(), welcome=True, now=self.clock.now()))

    # What is promised.

    @invariant()
    def holds(self) -> None:
        if self.born:
            self.judge.after_step()

    @rule()
    def rest(self) -> None:
        """Everything works again, for as long as it takes."""
        self.clock.wrong_by = timedelta()
        for provider in self.providers:
            provider.answers.clear()
        if not self.processes:
            self.start()
        for process in self.processes:
            for source in ("summary", "incidents", "feed"):
                self.page.will_be_read()
                self.do(process.read(source))
        self.judge.after_step()
        for _ in range(MOST_ROUNDS):
            for process in self.processes:
                self.do(process.deliver(*CHANNELS))
            due = self.do(self._next_due())
            if due is None:
                break
            self.passes(max(A_WHILE, due - self.now()))
        else:
            raise AssertionError(f"something is due for ever: {due}")
        self.judge.after_step()
        self.judge.once_quiet()

    def teardown(self) -> None:
        try:
            if self.born:
                self.rest()
        finally:
            for process in self.processes:
                self.do(process.store.close())
            self.do(self.loop.shutdown_asyncgens())
            self.loop.close()
            shutil.rmtree(self.folder)

    def _subscriptions(self) -> list[Subscription]:
        return [
            Subscription(address=Address.parse(each.address), filter=Filter(min_impact=each.min_impact))
            for each in self.wanted
        ]

    def _process(self, which: int) -> Process:
        return self.processes[which % len(self.processes)]

    def _answers(self, channel: str, answers: Sequence[Answer]) -> None:
        provider = next(each for each in self.providers if each.name == channel)
        provider.answers.clear()
        provider.answers.extend(answers)

    def _gone(self, process: Process) -> None:
        self.processes.remove(process)
        self.do(process.store.close())
        self.judge.mark_unclean(process.number)

    async def _next_due(self) -> datetime | None:
        store = self.processes[0].store
        far = self.now() + timedelta(days=9)
        dues = [await store.next_due(each.name, far) for each in self.providers]
        return min((due for both in dues for due in both if due is not None), default=None)


SEARCH = os.environ.get("MACHINE_EXAMPLES")
"""How many new stories to try, and to make short if one fails; unset: the same few in every run."""

Machine.TestCase.settings = settings(
    max_examples=int(SEARCH or "10"),
    stateful_step_count=int(os.environ.get("MACHINE_STEPS", "30")),
    deadline=None,
    phases=[Phase.generate, Phase.shrink] if SEARCH else [Phase.generate],
    database=None,
    derandomize=not SEARCH,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestMachine = Machine.TestCase
