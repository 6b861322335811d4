"""Every operation is one transaction: killed at any statement, it has happened wholly or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from notifier.message import Receipt
from notifier.model import State
from notifier.notice import welcome
from notifier.parcel import News, Parcel, Settlement
from notifier.ports import StoreDown, StoreFailed
from notifier.store import fanout, server
from notifier.store.engine import open_engine
from notifier.store.sql import SqlStore
from notifier.subscription import Address
from notifier.tongue import ENGLISH
from tests.builders import NOW, incident, page, update
from tests.store.conftest import Opened
from tests.store.telling import ask, dump, read, subscribe, watch
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
    store: SqlStore, url: str, half_way: Sequence[Parcel], case: str
) -> None:
    before = dump(url)
    kill_at, killed = 1, True
    while killed:
        with _killing(store, "before_cursor_execute", kill_at) as survived:
            try:
                await OPERATIONS[case](store, half_way)
            except Killed:
                assert dump(url) == before, f"half of it is written before statement {kill_at}"
            killed = not survived()
        kill_at += 1
    assert kill_at > 3
    assert dump(url) != before


@pytest.mark.parametrize("case", OPERATIONS)
async def test_killed_just_before_the_commit_nothing_has_happened(
    store: SqlStore, url: str, half_way: Sequence[Parcel], case: str
) -> None:
    before = dump(url)
    with _killing(store, "commit", 1), pytest.raises(Killed):
        await OPERATIONS[case](store, half_way)
    assert dump(url) == before


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


class Busy(Exception):
    """Somebody else is writing."""


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Another process writes, and goes on writing. Raises Busy."""
    with ExitStack() as ends:
        if url.startswith("sqlite"):
            file = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
            ends.callback(file.close)
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise Busy from error
            file.execute("INSERT INTO meta VALUES ('a', 'b')")
        else:
            client = ends.enter_context(psycopg.connect(url))
            ends.callback(client.rollback)
            [taken] = client.execute("SELECT pg_try_advisory_xact_lock(%s)", [server.WRITER]).fetchone() or [False]
            if not taken:
                raise Busy
            client.execute("INSERT INTO meta VALUES ('a', 'b')")
        yield


@pytest.mark.fault("B7")
async def test_a_decision_is_taken_while_nobody_else_can_write(store: SqlStore, url: str) -> None:
    """So that SQLITE_BUSY_SNAPSHOT cannot occur: the lock is taken before the first reading, not at the first write."""

    def decide(_: object) -> News:
        with pytest.raises(Busy), writing(url):
            pytest.fail("two write at once")
        return News()

    await store.record((), decide, lambda change, filters: pytest.fail("no news, no route"))
    with writing(url):
        pass


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


async def test_who_only_reads_waits_for_no_writer(store: SqlStore, url: str) -> None:
    await watch(store)
    with writing(url):
        async with asyncio.timeout(5):
            assert (await store.page()).watched_since is not None
            assert await store.counts() == {}
            assert await store.next_due("console", NOW) == (None, None)


async def test_what_decide_raises_passes_and_writes_nothing(store: SqlStore, url: str) -> None:
    before = dump(url)

    def decide(_: object) -> News:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await store.record((), decide, lambda change, filters: pytest.fail("no news, no route"))
    assert dump(url) == before


async def test_a_database_whose_connections_are_all_taken_has_failed(url: str) -> None:
    engine = open_engine(url)
    pool: Any = engine.pool
    few = create_async_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    assert pool.size() <= 5
    async with few.connect():
        with pytest.raises(StoreDown, match="became free"):
            await SqlStore(few, token=2, origin="here").counts()
    await few.dispose()


async def test_a_database_that_fails_is_told_as_such_without_its_statement(store: SqlStore, url: str) -> None:
    ask(url, "ALTER TABLE changes RENAME TO gone")
    with pytest.raises(StoreFailed) as failed:
        await store.deliveries((), 10)
    assert "changes" in str(failed.value)
    assert "SELECT" not in str(failed.value) and "\n" not in str(failed.value)
