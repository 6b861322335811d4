"""A PostgreSQL that goes away: at any moment, for a while, without a word. Nothing is lost, nothing told twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import Settlement
from notifier.ports import StoreDown
from notifier.store import server
from notifier.store.sql import SqlStore
from tests.builders import NOW, incident, page, update
from tests.postgres import Databases
from tests.store.conftest import Opened
from tests.store.telling import ask, change, dump, owed, read, tell, watch
from tests.store.wire import Wire, wire
from tests.world import ON_POSTGRESQL

pytestmark = ON_POSTGRESQL

OPEN = update("11:29", "investigating")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def line(url: str) -> AsyncIterator[tuple[Wire, SqlStore]]:
    """A store whose every connection goes over one line."""
    async with wire(url) as (made, there):
        store = await SqlStore.open(there, token=1)
        yield made, store
        await store.close()


def terminate(url: str) -> None:
    """As the server does it when it fails over."""
    mine = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ask(url, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {mine}")


@contextmanager
def terminating(store: SqlStore, url: str, at: int) -> Iterator[list[int]]:
    """Ends all connections before the n-th statement; whether it came to that."""
    left = [at]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            terminate(url)

    event.listen(store.engine.sync_engine, "before_cursor_execute", count)
    try:
        yield left
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", count)


@pytest.mark.fault("B11")
async def test_lost_at_any_statement_nothing_is_written_and_the_next_call_connects_anew(
    store: SqlStore, url: str
) -> None:
    await watch(store, "telegram:1")
    before, at = dump(url), 1
    while True:
        with terminating(store, url, at) as left:
            try:
                await read(store, page(incident(OPEN)))
            except StoreDown:
                assert dump(url) == before
            if left[0] > 0:
                break
        at += 1
    assert at > 5
    assert await owed(store) == [("posted/wsincident01/u241129inv", "telegram:1")]


@pytest.mark.fault("B11")
async def test_news_whose_commit_is_answered_by_nobody_is_read_again_and_owed_once(
    line: tuple[Wire, SqlStore], url: str
) -> None:
    wire, store = line
    await watch(store, "telegram:1")
    wire.lose_commit = True
    with pytest.raises(StoreDown):
        await read(store, page(incident(OPEN)))
    assert not wire.lose_commit and len(ask(url, "SELECT id FROM deliveries")) == 1, "it is written all the same"
    news = await read(store, page(incident(OPEN)))
    assert news.changes == () and len(await owed(store)) == 1


@pytest.mark.fault("B11")
async def test_a_claim_whose_commit_is_answered_by_nobody_is_repeated_for_none_and_recovered(
    line: tuple[Wire, SqlStore],
) -> None:
    wire, store = line
    await watch(store, "telegram:1", "slack:C1")
    await tell(store, change("a"), change("b", subject="other"))
    wire.lose_commit = True
    asked = (store.claim("telegram", 1, NOW), store.claim("slack", 1, NOW))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreDown] * 2, "both hear of it, and neither is served in secret"
    assert await store.counts() == {"sending": 2, "pending": 2}
    assert [await store.recover(name, NOW) for name in ("telegram", "slack")] == [1, 1]
    [parcel] = await store.claim("telegram", 1, NOW)
    assert parcel.uncertain and [part.change.key for part in parcel.parts] == ["a"]


@pytest.mark.fault("B11")
async def test_a_result_whose_commit_is_answered_by_nobody_may_be_written_again(line: tuple[Wire, SqlStore]) -> None:
    wire, store = line
    await watch(store, "telegram:1")
    await tell(store, change("a"))
    [parcel] = await store.claim("telegram", 1, NOW)
    result = Settlement(parcel=parcel, state=State.SENT, receipt=Receipt("1", "7", root=True))
    wire.lose_commit = True
    with pytest.raises(StoreDown):
        await store.settle(result)
    await store.settle(result)
    assert await store.counts() == {"sent": 1}
    assert (await store.tally(NOW + MINUTE)).sent == 1, "and is counted once"


@pytest.mark.fault("B12")
async def test_when_all_connections_are_gone_one_call_fails_and_the_next_one_does_not(
    store: SqlStore, url: str
) -> None:
    await asyncio.gather(*(store.counts() for _ in range(4)))  # four connections wait in the pool
    terminate(url)
    with pytest.raises(StoreDown):
        await store.counts()
    for _ in range(4):
        await store.touch()


@pytest.mark.fault("B12")
async def test_a_server_that_has_become_a_replica_is_left_for_the_one_that_writes(
    store: SqlStore, url: str, postgresql: Databases
) -> None:
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("SET default_transaction_read_only = on"))
    with pytest.raises(StoreDown, match="read-only"):
        await store.touch()
    await store.touch()
    postgresql.order(f"ALTER DATABASE {sa.make_url(url).database} SET default_transaction_read_only = on")
    terminate(url)
    for failure in ("terminating connection", "read-only"):
        with pytest.raises(StoreDown, match=failure):
            await store.touch()
    postgresql.order(f"ALTER DATABASE {sa.make_url(url).database} RESET default_transaction_read_only")
    await store.touch()


@pytest.mark.fault("B13")
async def test_with_no_connection_left_it_goes_on_with_those_it_has_and_takes_more_when_there_are(
    store: SqlStore, url: str, postgresql: Databases
) -> None:
    name = sa.make_url(url).database
    await store.touch()
    postgresql.order(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    await watch(store, "telegram:1")
    await tell(store, change("a"))
    async with store.engine.connect():
        with pytest.raises(StoreDown, match="too many connections"):
            await store.claim("telegram", 1, NOW)
    postgresql.order(f"ALTER DATABASE {name} CONNECTION LIMIT 2")
    async with store.engine.connect():
        [parcel] = await store.claim("telegram", 1, NOW)
    assert [part.change.key for part in parcel.parts] == ["a"] and not parcel.uncertain


@pytest.mark.fault("B12")
async def test_a_server_that_says_nothing_is_taken_for_dead_and_the_pool_is_emptied(
    line: tuple[Wire, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, store = line
    await asyncio.gather(*(store.counts() for _ in range(4)))
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    wire.fall_silent()
    async with asyncio.timeout(5):
        with pytest.raises(StoreDown):
            await store.touch()
    wire.speak()
    wire.cut()
    before = wire.carried
    await store.touch()
    assert wire.carried == before + 1, "none of the old connections is tried"


async def test_a_process_that_has_to_end_waits_for_no_answer_and_asks_nothing_more(line: tuple[Wire, SqlStore]) -> None:
    wire, store = line
    await store.counts()
    wire.fall_silent()
    asyncio.get_running_loop().call_later(0.1, store.hang_up)
    async with asyncio.timeout(5):
        with pytest.raises(StoreDown):
            await store.touch()
        with pytest.raises(StoreDown, match="ending"):
            await store.counts()
    wire.speak()


@pytest.mark.fault("B12")
async def test_a_commit_that_nobody_answers_ends_too(
    line: tuple[Wire, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, store = line
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    event.listen(store.engine.sync_engine, "commit", lambda _: wire.fall_silent(), once=True)
    async with asyncio.timeout(5):
        with pytest.raises(StoreDown):
            await store.touch()
    wire.speak()
    await store.touch()


@pytest.mark.fault("B12", "B17")
async def test_who_stops_within_a_transaction_holds_up_nobody_for_long(opened: Opened) -> None:
    stopped, other = await opened(token=1), await opened(token=2)
    async with stopped.engine.connect() as connection:
        await connection.begin()
        await server.alone(connection, idle="50ms")
        async with asyncio.timeout(5):
            await other.touch()
        await connection.invalidate()
    await stopped.touch()
