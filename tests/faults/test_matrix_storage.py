"""A database that is locked, and a disk that is full: nothing is sent without a written intent, nothing is lost."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from notifier.app import Service
from notifier.store import engine
from notifier.wiring import open_store
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import silence

SCRIPT = story()
NAME = SCRIPT.incidents[0].id


class Trouble:
    """Counts what the database refused."""

    def __init__(self, running: Service) -> None:
        self.refusals = 0
        self._more = asyncio.Event()
        event.listen(running.store.engine.sync_engine, "handle_error", self._refused)

    def _refused(self, _context: object) -> None:
        self.refusals += 1
        self._more.set()

    async def goes_on(self, refusals: int = 3) -> None:
        """Waits for so many more."""
        goal = self.refusals + refusals
        async with asyncio.timeout(10):
            while self.refusals < goal:
                self._more.clear()
                await self._more.wait()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process writes, and goes on writing."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(database: Path) -> Iterator[None]:
    """The disk takes no further byte of SQLite's log, into which every commit is written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


Taking = Callable[[Path], AbstractContextManager[None]]
TROUBLES: dict[str, Taking] = {"locked": locked, "full": full}


def troubles(**rows: str) -> pytest.MarkDecorator:
    cases = [pytest.param(TROUBLES[name], id=name, marks=pytest.mark.fault(row)) for name, row in rows.items()]
    return pytest.mark.parametrize("trouble", cases)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute of waiting for a lock takes a moment."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.03)
    monkeypatch.setattr("notifier.deliver.IDLE_SECONDS", 0.02)


@asynccontextmanager
async def sending(running: Service) -> AsyncIterator[None]:
    """Its senders work meanwhile, and are stopped at the end."""
    async with asyncio.TaskGroup() as senders:
        for sender in running.senders:
            senders.create_task(sender.run())
        yield
        running.stop()


async def settled(running: Service) -> None:
    """Waits until nothing is under way any more."""
    async with asyncio.timeout(10):
        while (await running.store.counts()).get("sending"):
            pass


async def polled(there: Stage, moment: str) -> None:
    there.clock.move(clock(moment) - there.clock.now())
    for source in there.running.page_sources:
        await there.running.poll.page(source)


@troubles(locked="B6", full="B8")
async def test_nothing_is_sent_as_long_as_no_intent_can_be_written_and_all_of_it_afterwards(
    trouble: Taking, tmp_path: Path
) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        posts, chats = len(there.slack.messages), len(there.telegram.messages)
        await polled(there, "09:01")
        failing = Trouble(there.running)
        with trouble(tmp_path / "notifier.db"):
            async with sending(there.running):
                await failing.goes_on(6)
        assert (len(there.slack.messages), len(there.telegram.messages)) == (posts, chats)
        await there.restart()
        await there.at(clock("09:02"))
        for told in there.told(NAME).values():
            assert texts_in(told) == [TEXTS[:1]]


@troubles(locked="B6", full="B8")
async def test_a_reading_that_cannot_be_recorded_is_read_again(trouble: Taking, tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        with trouble(tmp_path / "notifier.db"):
            await polled(there, "09:01")
        assert [len(told) for told in there.told(NAME).values()] == [0, 0]
        await there.at(clock("09:02"))
        for told in there.told(NAME).values():
            assert texts_in(told) == [TEXTS[:1]]


@pytest.mark.fault("B8")
async def test_operators_hear_of_a_full_disk_without_it_once_and_once_more_when_there_is_room(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path, OPERATORS__TO='["telegram:-1009"]') as there:
        with full(tmp_path / "notifier.db"):
            for minute in ("09:01", "09:02", "09:03"):
                await polled(there, minute)
                await there.running.watch.step()
        await there.at(clock("09:04"))
        heads = [each.text.partition("\n")[0] for each in there.telegram.messages if each.chat == "-1009"]
        title = "The notifier's database cannot be written"
        assert heads == [f"🟠 Trouble: {title}", f"🟢 Over: {title}"]


@troubles(locked="B6", full="B9")
@pytest.mark.parametrize("restarted", [False, True], ids=["", "before the next process"])
async def test_a_result_that_cannot_be_written_ends_no_process_and_slack_has_it_once(
    trouble: Taking, restarted: bool, tmp_path: Path
) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        posts, chats = len(there.slack.messages), len(there.telegram.messages)
        await polled(there, "09:01")
        there.slack.next(silence())
        there.telegram.next(silence())
        failing = Trouble(there.running)
        with ExitStack() as for_ever:
            async with sending(there.running):
                await there.slack.until(lambda: len(there.slack.messages) > posts)
                await there.telegram.until(lambda: len(there.telegram.messages) > chats)
                with ExitStack() as for_a_while:
                    (for_ever if restarted else for_a_while).enter_context(trouble(tmp_path / "notifier.db"))
                    there.slack.release()
                    there.telegram.release()
                    await failing.goes_on(1)
                if not restarted:
                    await settled(there.running)
        await there.restart()
        for sender in there.running.senders:
            await there.running.store.recover(sender.channel.name, there.clock.now())
        await there.at(clock("09:02"), clock("09:21"))
        told = {to: texts_in(each) for to, each in there.told(NAME).items()}
        assert told[SLACK] == [TEXTS[:1], TEXTS[1:2]]
        assert told[TELEGRAM] == [*[TEXTS[:1]] * (1 + restarted), TEXTS[1:2]]
        async with open_store(there.settings, existing=True) as store:
            assert set(await store.counts()) <= {"sent", "superseded"}
