"""A PostgreSQL that crashes, or hangs, and is itself again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import Settlement
from notifier.ports import StoreDown
from notifier.store import server
from notifier.store.sql import SqlStore
from tests.builders import NOW
from tests.postgres import Server, new_folder
from tests.store.telling import change, tell, watch


@pytest.fixture(scope="module")
def frail() -> Iterator[Server]:
    """A server of these tests alone, which may be ended."""
    folder = new_folder()
    owner = os.open(folder / "owner", os.O_RDWR)
    made = Server(folder)
    made.make()
    made.follow()
    yield made
    made.stop()
    os.close(owner)


@pytest.mark.fault("B12")
async def test_after_a_crash_of_the_server_everything_is_there_and_nothing_is_told_twice(frail: Server) -> None:
    store = await SqlStore.open(frail.url("migrated"), token=1)
    await watch(store, "telegram:1")
    await tell(store, change("a"))
    [parcel] = await store.claim("telegram", 1, NOW)
    frail.stop()
    result = Settlement(parcel=parcel, state=State.SENT, receipt=Receipt("1", "7", root=True))
    for _ in range(3):
        with pytest.raises(StoreDown):
            await store.settle(result)
    frail.start()
    await store.settle(result)
    assert await store.counts() == {"sent": 1} and await store.claim("telegram", 1, NOW) == []
    await store.close()


@pytest.mark.fault("B12")
async def test_a_server_that_hangs_is_no_place_to_wait(frail: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on a line that is there, nor for a new one."""
    store = await SqlStore.open(frail.url("migrated"), token=1)
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    monkeypatch.setitem(server.REACHED, "connect_timeout", 2)
    frail.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            for _ in range(2):
                with pytest.raises(StoreDown):
                    await store.touch()
    finally:
        frail.signal(signal.SIGCONT)
    await store.touch()
    await store.close()
