"""The desk on a database: senders are woken when an answer makes something due, and for nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from notifier.health import Trouble
from notifier.inbox.desk import Desk
from notifier.inbox.talk import Asked, Place
from notifier.store.sql import SqlStore
from notifier.subscription import Address
from tests.doubles import FrozenClock
from tests.inbox.talking import PAGE
from tests.template import laid_out


class Reader:
    """Somebody who talks with the bot in private, and how often senders were woken for what he said."""

    def __init__(self, store: SqlStore) -> None:
        self.woken = 0
        self._number = 0
        self._clock = FrozenClock()
        self._desk = Desk(
            store,
            PAGE,
            {},
            self._clock,
            troubles=self._well,
            read_at=lambda: None,
            owing=self._owing,
            ended=lambda _: None,
        )

    async def says(self, words: str) -> None:
        self._number += 1
        me, at = Address("telegram", "7"), self._clock.now()
        await self._desk.ask(Asked(number=self._number, address=me, place=Place.PRIVATE, at=at, words=words))

    def _owing(self) -> None:
        self.woken += 1

    async def _well(self) -> Mapping[str, Trouble]:
        return {}


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    store = await SqlStore.open(f"sqlite:///{laid_out(tmp_path / 'notifier.db')}", token=1)
    yield Reader(store)
    await store.close()


async def test_who_comes_chooses_and_goes_wakes_no_sender(reader: Reader) -> None:
    for words in ("/start", "/follow btc", "/status", "/stop"):
        await reader.says(words)
    assert reader.woken == 0


async def test_what_a_mute_held_is_sent_as_soon_as_it_ends(reader: Reader) -> None:
    await reader.says("/start")
    await reader.says("/mute 8h")
    before = reader.woken
    await reader.says("/unmute")
    assert reader.woken == before + 1


async def test_what_quiet_hours_held_is_sent_as_soon_as_they_are_others(reader: Reader) -> None:
    await reader.says("/start")
    await reader.says("/settings 00:00-23:59")
    before = reader.woken
    await reader.says("/settings 00:00-00:01")
    assert reader.woken == before + 1
