"""Every operation is one transaction: killed at any statement, it has happened wholly or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from notifier.message import Receipt
from notifier.model import State
from notifier.notice import welcome
from notifier.parcel import News, Parcel, Settlement
from notifier.ports import StoreFailed
from notifier.store import fanout
from notifier.store.sql import SqlStore
from notifier.subscription import Address
from notifier.tongue import ENGLISH
from tests.builders import NOW, incident, page, update
from tests.store.conftest import Opened
from tests.store.telling import dump, read, subscribe, watch
from tests.world import to

OPEN = update("11:29", "investigating")
OVER = update("11:41", "resolved")


class Killed(BaseException):
    """The process ends here."""


async def record_news(store: SqlStore, _: Sequence[Parcel]) -> None:
    await read(store, page(incident(OPEN, OVER)))


async def next_chunk(store: SqlStore, _: Sequence[Parcel]) -> None:
    await store.fan_out()


async def greet(store: SqlStore, _: Sequence[Parcel]) -> None:
    await store.welcome(lambda number, _, known: welcome(number, known, "Kraken", NOW, ENGLISH))


async def claim_more(store: SqlStore, _: Sequence[Parcel]) -> None:
    await store.claim("telegram", 10, NOW)


async def settle(store: SqlStore, parcels: Sequence[Parcel]) -> None:
    receipt = Receipt("telegram:1", "m1", root=True)
    settlements = [Settlement(parcel=each, state=State.SENT, receipt=receipt) for each in parcels]
    for end in await asyncio.gather(*map(store.settle, settlements), return_exceptions=True):
        if isinstance(end, Killed):
            raise end


async def change_subscriptions(store: SqlStore, _: Sequence[Parcel]) -> None:
    await subscribe(store, "telegram:2", "telegram:9", welcome=True)


async def change_wishes(store: SqlStore, _: Sequence[Parcel]) -> None:
    muted = frozenset({"another00001", "other"})
    await store.keep(to("telegram:77", origin="self", muted_until=NOW + timedelta(hours=8), muted=muted), NOW)


async def say_good_bye(store: SqlStore, _: Sequence[Parcel]) -> None:
    await store.forget(Address.parse("telegram:77"))


async def tell_everybody(store: SqlStore, _: Sequence[Parcel]) -> None:
    await store.broadcast(1, NOW)


OPERATIONS: dict[str, Callable[[SqlStore, Sequence[Parcel]], Awaitable[None]]] = {
    "recording news with its first deliveries and the cursor for the rest": record_news,
    "writing the next deliveries": next_chunk,
    "welcoming": greet,
    "claiming": claim_more,
    "settling": settle,
    "changing the subscriptions": change_subscriptions,
    "a reader changing his wishes": change_wishes,
    "a reader leaving": say_good_bye,
    "an operator telling everybody": tell_everybody,
}


@pytest.fixture
async def half_way(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Sequence[Parcel]:
    """Five people, written two at a time, on the way of being told of an incident; one parcel is under way."""
    monkeypatch.setattr(fanout, "CHUNK", 2)
    monkeypatch.setattr(fanout, "LATER_CHUNK", 2)
    await watch(store, *(f"telegram:{n}" for n in range(1, 5)))
    await subscribe(store, *(f"telegram:{n}" for n in range(1, 6)), welcome=True)
    await store.keep(to("telegram:77", origin="self"), NOW)
    await store.draft(1, "Hello")
    await read(store, page(incident(update("11:20"), id="another00001")))
    return await store.claim("telegram", 1, NOW)


@pytest.mark.parametrize("case", OPERATIONS)
async def test_killed_at_any_statement_it_has_happened_wholly_or_not_at_all(
    store: SqlStore, path: Path, half_way: Sequence[Parcel], case: str
) -> None:
    before = dump(path)
    kill_at, killed = 1, True
    while killed:
        with _killing(store, "before_cursor_execute", kill_at) as survived:
            try:
                await OPERATIONS[case](store, half_way)
            except Killed:
                assert dump(path) == before, f"half of it is written before statement {kill_at}"
            killed = not survived()
        kill_at += 1
    assert kill_at > 3
    assert dump(path) != before


@pytest.mark.parametrize("case", OPERATIONS)
async def test_killed_just_before_the_commit_nothing_has_happened(
    store: SqlStore, path: Path, half_way: Sequence[Parcel], case: str
) -> None:
    before = dump(path)
    with _killing(store, "commit", 1), pytest.raises(Killed):
        await OPERATIONS[case](store, half_way)
    assert dump(path) == before


class _killing:  # noqa: N801 - reads as a statement
    """Ends the process at the n-th event; what it gives says whether the process survived."""

    def __init__(self, store: SqlStore, name: str, at: int) -> None:
        self._where = (store.engine.sync_engine, name, self._count)
        self._left = at

    def _count(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    def __enter__(self) -> Callable[[], bool]:
        event.listen(*self._where)
        return lambda: self._left > 0

    def __exit__(self, *_: object) -> None:
        event.remove(*self._where)


@pytest.mark.fault("B7")
async def test_a_decision_is_taken_while_nobody_else_can_write(store: SqlStore, path: Path) -> None:
    """So that SQLITE_BUSY_SNAPSHOT cannot occur: the lock is taken before the first reading, not at the first write."""
    other = sqlite3.connect(path, timeout=0)

    def decide(_: object) -> News:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO meta VALUES ('a', 'b')")
        return News()

    await store.record((), decide, lambda change, filters: pytest.fail("no news, no route"))
    other.execute("INSERT INTO meta VALUES ('a', 'b')")
    other.close()


@pytest.mark.fault("B7", "B17")
async def test_two_processes_that_write_by_turns_never_fail(opened: Opened) -> None:
    first, second = await opened(token=1), await opened(token=2)
    await watch(first, "telegram:1")

    async def work(store: SqlStore) -> None:
        for minute in range(20):
            await read(store, page(incident(OPEN, update(f"12:{minute:02}", "identified"))))
            await store.claim("telegram", 1, NOW + timedelta(hours=minute))

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(work(first))
        tasks.create_task(work(second))
    assert len(await first.deliveries((), 100)) == 21, "each update once, whoever saw it first"


async def test_who_only_reads_waits_for_no_writer(store: SqlStore, path: Path) -> None:
    await watch(store)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO meta VALUES ('a', 'b')")
    async with asyncio.timeout(5):
        assert (await store.page()).watched_since is not None
        assert await store.counts() == {}
        assert await store.next_due("console", NOW) == (None, None)
    writer.rollback()
    writer.close()


async def test_what_decide_raises_passes_and_writes_nothing(store: SqlStore, path: Path) -> None:
    before = dump(path)

    def decide(_: object) -> News:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await store.record((), decide, lambda change, filters: pytest.fail("no news, no route"))
    assert dump(path) == before


async def test_a_database_whose_connections_are_all_taken_has_failed(path: Path, opened: Opened) -> None:
    await opened()
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    async with engine.connect():
        with pytest.raises(StoreFailed, match="became free"):
            await SqlStore(engine, token=2, origin="here").counts()
    await engine.dispose()


async def test_a_database_that_fails_is_told_as_such_without_its_statement(store: SqlStore, path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("DROP TABLE changes")
    other.close()
    with pytest.raises(StoreFailed) as failed:
        await store.deliveries((), 10)
    assert "no such table" in str(failed.value)
    assert "SELECT" not in str(failed.value) and "\n" not in str(failed.value)
